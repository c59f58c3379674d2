"""What a backend does, whichever the engine: opens, runs queries by name, translates what goes wrong, closes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from agent_funnel.errors import RUN_ERRORS, FunnelError, RunError
from agent_funnel.records import Row
from agent_funnel.sql import scripts


class Session:
    """One connection, for as long as its block lasts."""

    def __init__(self, backend: Backend, connection: Any) -> None:
        self._backend = backend
        self._connection = connection

    def all(self, name: str, **parameters: Any) -> list[Row]:
        """The rows of a named query, as mappings from column to value: those of its last result set."""
        sets = self.sets(name, **parameters)
        return sets[-1] if sets else []

    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        """All result sets of a named query."""
        return self._backend.execute(self._connection, name, parameters)

    def one(self, name: str, **parameters: Any) -> Row | None:
        """The first row of a named query, None without one."""
        rows = self.all(name, **parameters)
        return rows[0] if rows else None

    def script(self, name: str) -> None:
        """Runs a file of the dialect whole."""
        self._backend.run_script(self._connection, scripts(self._backend.dialect)[name])


class Backend(ABC):
    """A database that can deal. Each call opens a connection, or takes one from a pool, and gives it back."""

    dialect: ClassVar[str]
    # The certificates that the server's is checked against, if it is:
    ca_file: Path | None = None

    def all(self, name: str, **parameters: Any) -> list[Row]:
        """The rows of a named query, in a transaction of its own."""
        sets = self.sets(name, **parameters)
        return sets[-1] if sets else []

    def one(self, name: str, **parameters: Any) -> Row | None:
        """The first row of a named query, None without one, in a transaction of its own."""
        rows = self.all(name, **parameters)
        return rows[0] if rows else None

    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        """All result sets of a named query, in a transaction of its own."""
        with self._opened() as session:
            return session.sets(name, **parameters)

    def stream(self, name: str, *, size: int = 5_000, **parameters: Any) -> Iterator[list[Row]]:
        """The rows of a named query of one statement, some at a time, however many there are.

        The connection is this one's alone, and is closed for good if whoever reads stops early. Until then it may hold
        locks: read to the end without a pause.
        """
        with self._opened() as session:
            yield from self.fetch(session._connection, name, parameters, size)

    @contextmanager
    def transaction(self, *, create: bool = False) -> Iterator[Session]:
        """A session whose queries take effect together, at the end of the block, or not at all.

        With `create`, a database that does not exist yet is made where the engine can do that (SQLite).
        """
        with self._opened(create=create) as session:
            self.begin(session._connection)
            try:
                yield session
            except BaseException:
                self.rollback(session._connection)
                raise
            self.commit(session._connection)

    @contextmanager
    def _opened(self, *, create: bool = False) -> Iterator[Session]:
        """A session on a new connection. Here, and nowhere else, a driver's error becomes one of ours."""
        connection = None
        try:
            connection = self.open(create=create)
            yield Session(self, connection)
        except BaseException as error:
            ours = error if isinstance(error, FunnelError) else self.translate(error)
            if connection is not None:
                # A deal that says no has rolled back and left its session in order; after anything else, who knows.
                if isinstance(ours, RunError):
                    connection.close()
                else:
                    self.discard(connection)
            if ours is None or ours is error:
                raise
            raise ours from error
        connection.close()

    def refuse_during_run(self) -> None:  # noqa: B027 where nothing waits, nothing is to be done
        """Raises RunInProgress where a write that is to come would wait for a run that is under way."""

    @abstractmethod
    def run_in_progress(self) -> bool:
        """Whether a run or an undo is under way, whoever makes it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What a message calls this database: never with a password."""

    @abstractmethod
    def open(self, *, create: bool) -> Any:
        """A DB-API connection that commits by itself."""

    @abstractmethod
    def discard(self, connection: Any) -> None:
        """Closes a connection on which something went wrong, for good."""

    @abstractmethod
    def execute(self, connection: Any, name: str, parameters: dict[str, Any]) -> list[list[Row]]:
        """Runs the query of that name to its end; its result sets, in their order."""

    @abstractmethod
    def fetch(self, connection: Any, name: str, parameters: dict[str, Any], size: int) -> Iterator[list[Row]]:
        """Runs the query of that name; the rows of its only result set, up to `size` at a time, to its end."""

    @abstractmethod
    def run_script(self, connection: Any, text: str) -> None:
        """Runs an installation script."""

    @abstractmethod
    def begin(self, connection: Any) -> None: ...

    @abstractmethod
    def commit(self, connection: Any) -> None: ...

    @abstractmethod
    def rollback(self, connection: Any) -> None: ...

    @abstractmethod
    def translate(self, error: BaseException) -> FunnelError | None:
        """The error of ours that a driver's error means; None if it is not the driver's."""


def run_error(number: int, message: str | None) -> RunError | None:
    """The error of the deal with this SQL number, None if there is none."""
    cls = RUN_ERRORS.get(number)
    return cls(message) if cls else None
