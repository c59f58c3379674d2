"""The interface to a database of either engine: connections, queries by name, and the translation of errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from agent_funnel.errors import RUN_ERRORS, FunnelError, RunError
from agent_funnel.sql import scripts
from agent_funnel.values import Row


class Queries(ABC):
    """Named queries, on one connection or on a new one each time."""

    @abstractmethod
    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        """All result sets of a named query."""

    def all(self, name: str, **parameters: Any) -> list[Row]:
        """The rows of the last result set of a named query, as mappings from column to value."""
        sets = self.sets(name, **parameters)
        return sets[-1] if sets else []

    def one(self, name: str, **parameters: Any) -> Row | None:
        """The first row of a named query, None without one."""
        rows = self.all(name, **parameters)
        return rows[0] if rows else None


class Session(Queries):
    """One connection, open until its block ends."""

    def __init__(self, database: Database, connection: Any) -> None:
        self._database = database
        self._connection = connection

    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        return self._database.execute(self._connection, name, parameters)

    def script(self, name: str) -> None:
        """Runs a script of the dialect, such as `tables-1-deal`."""
        self._database.run_script(self._connection, scripts(self._database.dialect)[name])


class Database(Queries):
    """A database that can deal. Each call opens a connection or takes one from a pool, and returns it at the end.

    A query outside of `transaction` has a transaction of its own.
    """

    dialect: ClassVar[str]
    # The certificates of the authorities that must have signed the server's certificate, if it is checked:
    ca_file: Path | None = None

    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        with self._opened() as session:
            return session.sets(name, **parameters)

    def ping(self) -> None:
        """Raises DatabaseError if the database does not answer."""
        self.one("ping")

    def stream(self, name: str, *, size: int = 5_000, **parameters: Any) -> Iterator[list[Row]]:
        """The rows of a named query of one statement, in chunks of up to `size`, however many rows there are.

        The connection serves only this query, and is closed for good if the reader stops early. Until then it may hold
        locks: read to the end without a pause.
        """
        with self._opened() as session:
            yield from self.fetch(session._connection, name, parameters, size)

    @contextmanager
    def transaction(self, *, create: bool = False) -> Iterator[Session]:
        """A session whose queries take effect together, at the end of the block, or not at all.

        With `create`, a database that does not exist yet is created if the engine can do that (SQLite).
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
        """A session on a new connection. Only here does a driver's error become one of ours."""
        connection = None
        try:
            connection = self.open(create=create)
            yield Session(self, connection)
        except BaseException as error:
            ours = error if isinstance(error, FunnelError) else self.translate(error)
            if connection is not None:
                # A refused deal has rolled back and left its session in order; any other error may leave it broken.
                if isinstance(ours, RunError):
                    connection.close()
                else:
                    self.discard(connection)
            if ours is None or ours is error:
                raise
            raise ours from error
        connection.close()

    def refuse_during_run(self) -> None:
        """Raises RunInProgress if a write would have to wait for a run in progress."""

    @abstractmethod
    def run_in_progress(self) -> bool:
        """Whether a run or an undo is in progress, in this process or another one."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of this database in messages, without a password."""

    @abstractmethod
    def open(self, *, create: bool) -> Any:
        """A DB-API connection that commits by itself."""

    @abstractmethod
    def discard(self, connection: Any) -> None:
        """Closes for good a connection on which something went wrong."""

    @abstractmethod
    def execute(self, connection: Any, name: str, parameters: dict[str, Any]) -> list[list[Row]]:
        """Runs a named query to its end and returns its result sets in order."""

    @abstractmethod
    def fetch(self, connection: Any, name: str, parameters: dict[str, Any], size: int) -> Iterator[list[Row]]:
        """Runs a named query to its end and yields the rows of its only result set, up to `size` at a time."""

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
        """The error of ours for a driver's error; None for an error that is not the driver's."""


def run_error(number: int, message: str | None) -> RunError | None:
    """The error of the deal that has this SQL number, or None."""
    cls = RUN_ERRORS.get(number)
    return cls(message) if cls else None
