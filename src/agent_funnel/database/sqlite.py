"""The SQLite database."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from agent_funnel.database.base import Database, run_error
from agent_funnel.database.files import missing_rights
from agent_funnel.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseError,
    DatabaseUnavailable,
    FunnelError,
    NotInstalled,
    RunInProgress,
    SettingsError,
)
from agent_funnel.settings import Settings
from agent_funnel.sql import queries, queries_with, statements
from agent_funnel.values import Row

log = logging.getLogger(__name__)

# UPDATE … FROM came with 3.33; changes() after it, and the ALTER TABLE that we need, with 3.35.
OLDEST_SQLITE = (3, 35, 0)
# Stands in the script of a run after the refusals that come before the locks:
TAKE_LOCKS = "SELECT 'run' AS locks;"
# A wait for another writer that is longer than this is logged:
LOG_WAIT_SECONDS = 2.0
# The longest that a run waits for processes that check whether a run is in progress; then it goes on without that lock:
LOOKS_SECONDS = 5.0
# Connections that stay open between reads. A new one reads the definitions of all tables, which takes a millisecond.
# Meanwhile, nothing else in this process may open and close the file, or these connections lose their locks on it. On
# Windows, nobody could replace or remove the file.
KEPT_CONNECTIONS = 0 if os.name == "nt" else 8


class SharedConnection(sqlite3.Connection):
    """A connection that a later call may use, too: as long as the path names the same `file`."""

    file: tuple[int, int] | None = None


class SQLite(Database):
    """A database in an SQLite file. A call that writes begins with BEGIN IMMEDIATE: a read that turns into a write
    would fail at once if another writer is at work."""

    dialect: ClassVar[str] = "sqlite"

    def __init__(self, settings: Settings) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            oldest = ".".join(map(str, OLDEST_SQLITE))
            raise SettingsError(f"The version of SQLite is {sqlite3.sqlite_version}; {oldest} or later is needed")
        if "?" in settings.database_url:
            raise SettingsError(
                "FUNNEL_DATABASE_URL has a ?, which an SQLite URL cannot have: leave out the options after it, or give "
                "the file a name without it"
            )
        file = re.match(r"sqlite:///(.+)", settings.database_url)
        if file is None or file[1] == ":memory:":
            raise SettingsError("FUNNEL_DATABASE_URL names no file; write sqlite:///funnel.db")
        self.path: Path = Path(file[1]).absolute()
        self._lock_wait = settings.lock_wait
        self._kept: list[SharedConnection] = []
        # Also at the end of the program, so that no file stays next to the database.
        weakref.finalize(self, _close_all, self._kept)

    @property
    def name(self) -> str:
        return f"SQLite, {self.path}"

    def open(self, *, create: bool, own: bool = True) -> SharedConnection:
        file = self._file()
        # Without create, a mistyped path must not become a new, empty database.
        if file is None and not create:
            raise DatabaseUnavailable(f"There is no database {self.path}; `agent-funnel install` creates one.")
        if not create and not own and (kept := self._take(file)):
            return kept
        connection = sqlite3.connect(
            f"file:{quote(self.path.as_posix())}?mode={'rwc' if create else 'rw'}",
            uri=True,
            timeout=self._lock_wait.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
            factory=SharedConnection,
        )
        connection.row_factory = sqlite3.Row
        add_functions(connection)
        if create:
            # In this mode, reads go on while a deal is written. The file keeps the mode.
            connection.execute("PRAGMA journal_mode = WAL")
        elif not own:
            connection.file = file
        return connection

    def _file(self) -> tuple[int, int] | None:
        """What tells the file from another one at its path; None if there is none."""
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino

    def _take(self, file: tuple[int, int] | None) -> SharedConnection | None:
        """A connection to this file that is kept; None if there is none. Those to another file are closed."""
        while self._kept:
            try:
                connection = self._kept.pop()
            except IndexError:  # another thread took it
                break
            if connection.file == file:
                self._set_wait(connection, self._lock_wait.total_seconds())
                return connection
            connection.close()
        return None

    def put_back(self, connection: SharedConnection) -> None:
        """Keeps a connection that has only read, for the next call.

        After a write, everything goes from the file `-wal` into the database, as when the last connection is closed,
        so that a copy of the file lacks nothing, and what was erased is gone.
        """
        # Who reads or writes may keep it from that; then the next write does it.
        with suppress(sqlite3.Error):
            if connection.file is None or connection.total_changes or _has_temporary_tables(connection):
                self._set_wait(connection, 0)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            elif len(self._kept) < KEPT_CONNECTIONS:
                self._kept.append(connection)
                return
        connection.close()

    def discard(self, connection: sqlite3.Connection) -> None:
        connection.close()

    def execute(self, connection: sqlite3.Connection, name: str, parameters: dict[str, Any]) -> list[list[Row]]:
        parts = statements(queries(self.dialect)[name])
        if TAKE_LOCKS in parts:
            ahead = parts.index(TAKE_LOCKS)
            self._execute(connection, parts[:ahead], parameters)
            parts = parts[ahead + 1 :]
        with self._run_locks() if name in queries_with(self.dialect, "run") else nullcontext():
            if name in queries_with(self.dialect, "no-wait"):
                self._set_wait(connection, 0)
            if connection.in_transaction or len(parts) == 1:
                return self._execute(connection, parts, parameters)
            # Its statements see one state of the database, and no writer has to wait for them.
            if name in queries_with(self.dialect, "read-only"):
                connection.execute("BEGIN DEFERRED")
            else:
                self.begin(connection)
            try:
                sets = self._execute(connection, parts, parameters)
            except BaseException:
                self.rollback(connection)
                raise
            self.commit(connection)
            return sets

    def _execute(self, connection: sqlite3.Connection, parts: list[str], parameters: dict[str, Any]) -> list[list[Row]]:
        sets: list[list[Row]] = []
        for part in parts:
            cursor = connection.execute(part, {"country": self.country, **parameters})
            rows: list[Row] = [dict(row) for row in cursor]
            if cursor.description is None:
                continue
            if cursor.description[0][0] != "throw":
                sets.append(rows)
            elif rows:
                raise run_error(rows[0]["throw"], rows[0]["message"]) or DatabaseError(rows[0]["message"])
        return sets

    def fetch(
        self, connection: sqlite3.Connection, name: str, parameters: dict[str, Any], size: int
    ) -> Iterator[list[Row]]:
        (statement,) = statements(queries(self.dialect)[name])
        cursor = connection.execute(statement, {"country": self.country, **parameters})
        while rows := cursor.fetchmany(size):
            yield [dict(row) for row in rows]

    def run_in_progress(self) -> bool:
        try:
            self.refuse_during_run()
        except RunInProgress:
            return True
        return False

    def refuse_during_run(self) -> None:
        # These checks share the lock, so that each one detects a run and none is disturbed by another check.
        if self.path.exists():
            try:
                with self._locked_file("looks", "SELECT 1 FROM sqlite_schema", 0) as free:
                    if not free:
                        raise RunInProgress
            except sqlite3.Error as error:
                raise self.own_error(error) or error from error

    @contextmanager
    def _run_locks(self) -> Iterator[None]:
        """Allows one run at a time, in all processes. If a process dies, the system releases its locks.

        The database's own lock does not show whether its holder is a run or another writer. So a run locks two files
        next to the database. Only runs take the first one, `-run`: a run that does not get it at once is refused. The
        second one, `-looks`, shows that a run is in progress. A process that checks for a run shares it for a moment;
        a run waits for that moment and is never refused because of it.
        """
        # IMMEDIATE takes one lock, so if several runs begin at the same time, exactly one gets it. EXCLUSIVE takes
        # three locks, one after the other, so two runs could refuse each other.
        with self._locked_file("run", "BEGIN IMMEDIATE", 0) as mine:
            if not mine:
                raise RunInProgress
            with self._locked_file("looks", "BEGIN EXCLUSIVE", LOOKS_SECONDS):
                yield

    @contextmanager
    def _locked_file(self, name: str, statement: str, seconds: float) -> Iterator[bool]:
        """Locks a file next to the database with a statement; yields whether it got the lock within `seconds`."""
        with closing(sqlite3.connect(f"{self.path}-{name}", timeout=seconds, isolation_level=None)) as lock:
            try:
                lock.execute(statement)
                locked = True
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                locked = False
            yield locked

    def run_script(self, connection: sqlite3.Connection, text: str) -> None:
        for statement in statements(text):
            connection.execute(statement)

    def begin(self, connection: sqlite3.Connection) -> None:
        """Takes the write lock; logs a warning if that takes long.

        Then checks the version again, because an installer may have held the lock.
        """
        wait = self._lock_wait.total_seconds()
        try:
            self._set_wait(connection, min(LOG_WAIT_SECONDS, wait))
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or wait <= LOG_WAIT_SECONDS:
                raise
            log.warning("another program is writing to %s; waiting for it, up to %.0f s", self.path.name, wait)
            self._set_wait(connection, wait - LOG_WAIT_SECONDS)
            connection.execute("BEGIN IMMEDIATE")
        finally:
            self._set_wait(connection, wait)
        self.check_version(connection)

    @staticmethod
    def _set_wait(connection: sqlite3.Connection, seconds: float) -> None:
        connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")

    def commit(self, connection: sqlite3.Connection) -> None:
        connection.execute("COMMIT")

    def rollback(self, connection: sqlite3.Connection) -> None:
        # After some errors (a full disk), SQLite has rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def own_error(self, error: BaseException) -> FunnelError | None:
        if not isinstance(error, sqlite3.Error):
            return None
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return DatabaseBusy(
                f"The database {self.path} is busy: another program has been writing for "
                f"{self._lock_wait.total_seconds():.0f} s (FUNNEL_LOCK_WAIT). Nothing was changed."
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            return self._no_access(error, code)
        if code == sqlite3.SQLITE_CORRUPT:
            return DatabaseDamaged(
                f"The database {self.path} is damaged: {error}. Nothing was changed. Stop the service, keep a copy of "
                "the file and of those next to it, and restore a backup, or try `sqlite3 FILE .recover`."
            )
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL):
            return DatabaseUnavailable(f"The database {self.path} cannot be used: {error}. Nothing was changed.")
        if str(error).startswith("no such table"):
            return NotInstalled(f"The database lacks a table ({error}): run `agent-funnel install`.")
        return DatabaseError(f"SQLite refused a statement: {error}. Nothing was changed.")

    def _no_access(self, error: sqlite3.Error, code: int) -> DatabaseError:
        """The error for a file that SQLite cannot open, or cannot write to, with the rights that are missing."""
        if rights := missing_rights(self.path):
            said = f"{rights} Nothing was changed. Give this user the right to write to the file and to its directory"
            said += ", where SQLite keeps files next to it (-wal, -shm), or start the program as another user."
        else:
            said = f"{str(error).capitalize()}. Nothing was changed."
        text = f"The database {self.path} cannot be {'used' if code == sqlite3.SQLITE_CANTOPEN else 'written'}. {said}"
        return DatabaseUnavailable(text) if code == sqlite3.SQLITE_CANTOPEN else DatabaseError(text)


def _close_all(kept: list[SharedConnection]) -> None:
    while kept:
        kept.pop().close()


def _has_temporary_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_temp_master").fetchone() is not None


def add_functions(connection: sqlite3.Connection) -> None:
    """Adds the functions that our queries call: SQLite has no hash of its own, and forgotten numbers need one."""
    connection.create_function("sha256", 1, _sha256, deterministic=True)


def _sha256(text: str) -> bytes:
    return sha256(text.encode()).digest()
