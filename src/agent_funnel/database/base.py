"""The interface to a database of either engine: connections, queries by name, and the translation of errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, ClassVar, Self

from agent_funnel.errors import RUN_ERRORS, FunnelError, RunError, WrongVersion
from agent_funnel.sql import scripts, version
from agent_funnel.values import Row


class Queries(ABC):
    """Something that runs named queries: a session on one connection, or a database."""

    @abstractmethod
    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        """Runs a named query and returns all its result sets."""

    def all(self, name: str, **parameters: Any) -> list[Row]:
        """The rows of the last result set of a named query, as mappings from column to value."""
        sets = self.sets(name, **parameters)
        return sets[-1] if sets else []

    def one(self, name: str, **parameters: Any) -> Row | None:
        """The first row of a named query; None if it has no rows."""
        rows = self.all(name, **parameters)
        return rows[0] if rows else None

    def installed_version(self) -> int | None:
        """The version of the installed tables; None if none is recorded. Raises NotInstalled if there are no tables."""
        row = self.one("version")
        return None if row is None else row["version"]


class Session(Queries):
    """Queries on one connection, which stays open until the `with` block ends."""

    def __init__(self, database: Database, connection: Any) -> None:
        self._database = database
        self._connection = connection

    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        return self._database.execute(self._connection, name, parameters)

    def script(self, name: str) -> None:
        """Runs a script of the dialect, such as `tables-1-deal`."""
        self._database.run_script(self._connection, scripts(self._database.dialect)[name])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Makes the queries of the block take effect together at its end, or not at all."""
        self._database.begin(self._connection)
        try:
            yield
        except BaseException:
            self._database.rollback(self._connection)
            raise
        self._database.commit(self._connection)


class Database(Queries):
    """A database of either engine. Each call opens a connection, or takes one from a pool and returns it at the end.

    A query outside `transaction` runs in a transaction of its own. Each call first checks that the installed tables are
    of this program's version, and raises WrongVersion if not: somebody may install another version at any time.
    """

    dialect: ClassVar[str]
    checks_version = True
    # The file with the authorities that must have signed the server's certificate; None if it is not checked:
    ca_file: Path | None = None
    # The country that the settings name, for match keys: two letters, or empty for none; None if the recorded one
    # holds:
    country: str | None = None
    # The file of the database; None if it is on a server:
    path: Path | None = None

    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        with self._open_session() as session:
            return session.sets(name, **parameters)

    def for_any_version(self) -> Self:
        """The same database without the check of its version: for the installer, the doctor and the readiness check."""
        found = copy(self)
        found.checks_version = False
        return found

    def check_version(self, connection: Any) -> None:
        """Raises WrongVersion if the tables are of another version, and NotInstalled if there are none."""
        if not self.checks_version:
            return
        installed, ours = self.version_on(connection), version(self.dialect)
        refuse_newer_version(installed, ours)
        if installed != ours:
            raise WrongVersion(
                f"The tables of this database are of version {installed}, but this program needs version {ours}; "
                "nothing was changed. Run `agent-funnel install`."
            )

    def version_on(self, connection: Any) -> int | None:
        """The version of the installed tables, as this connection sees it."""
        found: int | None = self.execute(connection, "version", {})[0][0]["version"]
        return found

    def ping(self) -> None:
        """Raises DatabaseError if the database does not answer."""
        self.one("ping")

    def stream(self, name: str, *, size: int = 5_000, **parameters: Any) -> Iterator[list[Row]]:
        """The rows of a named query, in chunks of up to `size`, so that any number of rows fits into memory.

        The query must be a single statement. The connection serves only this query, and is closed for good if the
        reader stops early. Until then it may hold locks, so read to the end without a pause.
        """
        with self._open_session() as session:
            yield from self.fetch(session._connection, name, parameters, size)

    @contextmanager
    def transaction(self, *, create: bool = False) -> Iterator[Session]:
        """Opens a session whose queries take effect together at the end of the block, or not at all.

        With `create`, a missing database is created if the engine can do that (SQLite).
        """
        with self._open_session(create=create) as session, session.transaction():
            yield session

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Opens a session whose queries take effect one by one, except within its `transaction`.

        It has a connection of its own, which is closed at the end, with all temporary tables.
        """
        with self._open_session(own=True) as session:
            yield session

    @contextmanager
    def _open_session(self, *, create: bool = False, own: bool = False) -> Iterator[Session]:
        """Opens a session on a connection. A driver's error becomes one of ours here, and nowhere else."""
        connection = None
        try:
            connection = self.open(create=create, own=own)
            self.check_version(connection)
            yield Session(self, connection)
        except BaseException as error:
            ours = error if isinstance(error, FunnelError) else self.own_error(error)
            if connection is not None:
                # A refused deal has rolled back and left its connection in order; other errors may leave it broken.
                if isinstance(ours, RunError):
                    self.put_back(connection)
                else:
                    self.discard(connection)
            if ours is None or ours is error:
                raise
            raise ours from error
        self.put_back(connection)

    def refuse_during_run(self) -> None:
        """Raises RunInProgress if a run is in progress and a write would have to wait for it."""

    @abstractmethod
    def run_in_progress(self) -> bool:
        """Whether a run or an undo is in progress, in this process or another one."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of this database in messages, without a password."""

    @abstractmethod
    def open(self, *, create: bool, own: bool = False) -> Any:
        """Returns a DB-API connection in autocommit mode; with `own`, one that nobody has used or will use."""

    def put_back(self, connection: Any) -> None:
        """Ends the use of a connection that is in order."""
        connection.close()

    @abstractmethod
    def discard(self, connection: Any) -> None:
        """Closes a connection for good, because something went wrong on it."""

    @abstractmethod
    def execute(self, connection: Any, name: str, parameters: dict[str, Any]) -> list[list[Row]]:
        """Runs a named query to its end and returns its result sets in order."""

    @abstractmethod
    def fetch(self, connection: Any, name: str, parameters: dict[str, Any], size: int) -> Iterator[list[Row]]:
        """Runs a named query to its end and yields the rows of its one result set, up to `size` at a time."""

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
    def own_error(self, error: BaseException) -> FunnelError | None:
        """The error of ours that stands for a driver's error; None if the error is not the driver's."""


def refuse_newer_version(installed: int | None, ours: int) -> None:
    """Raises WrongVersion if tables of the version `installed` are newer than this program, or may be."""
    if installed is None:
        raise WrongVersion(
            "The table agent_funnel_version has no row, so it is not known whether this program fits the tables; "
            "nothing was changed. `agent-funnel doctor` says how to record the version."
        )
    if installed > ours:
        raise WrongVersion(
            f"The tables of this database are of version {installed}, but this program knows no version after {ours}; "
            "nothing was changed. Update Agent Funnel on this machine."
        )


def run_error(number: int, message: str | None) -> RunError | None:
    """The RunError with this SQL number; None if no RunError has it."""
    cls = RUN_ERRORS.get(number)
    return cls(message) if cls else None
