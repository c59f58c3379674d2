"""The database for SQL Server, and for Babelfish, through pymssql."""

from __future__ import annotations

import errno
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from math import ceil, inf
from threading import Event, Thread
from typing import Any, ClassVar

import pymssql
from pymssql import _mssql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from agent_funnel.database.base import Database, run_error
from agent_funnel.database.certificates import Certificates
from agent_funnel.database.prelogin import no_answer, what_is_wrong
from agent_funnel.errors import (
    ConnectionLost,
    DatabaseBusy,
    DatabaseError,
    DatabaseUnavailable,
    FunnelError,
    NotInstalled,
    RunInProgress,
    SettingsError,
)
from agent_funnel.settings import Settings
from agent_funnel.sql import batches, having, in_schema, queries
from agent_funnel.values import Row

log = logging.getLogger(__name__)

# What the driver raises; setting a connection up, it forgets to make errors of the database layer of the second kind:
DRIVER_ERRORS = (pymssql.Error, _mssql.MSSQLException)
# How long the server may take to answer a login:
LOGIN_SECONDS = 10
# These numbers come from the client library, not from the server: it cannot be reached, or the connection broke.
CLIENT_ERRORS = range(20000, 20100)
# The library adds these to the text of an error: the first if the server sent the error, the second if no answer came:
ANSWERED = "DB-Lib error message 20018"
NO_ANSWER = "DB-Lib error message 20003"
# From severity 20 on, the server ends the connection: somebody killed the session, or shut the server down.
FATAL = re.compile(rf"{ANSWERED}, severity 2\d")
LOGIN_FAILED = 18456
NO_SUCH_DATABASE = (4060, 911, 916)
DEADLOCK = 1205
LOCK_TIMEOUT = 1222
# Invalid object name; could not find stored procedure; and the one number that Babelfish has for all such errors:
MISSING = (208, 2812)
BABELFISH = 33557097
# A run's longer wait for a lock is logged:
PATIENCE_SECONDS = 2.0
# For a polled query, a connection that was in use this many seconds ago is not checked first.
FRESH_SECONDS = 5.0
# Connections that are kept, once they were needed: as many as the service has threads, and a few for its clock. Another
# is closed after each use, and a new session may take a second to plan its first query.
KEPT_CONNECTIONS = 15
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SQLServer(Database):
    """A database on a SQL Server."""

    dialect: ClassVar[str] = "sqlserver"

    def __init__(self, settings: Settings) -> None:
        try:
            url = make_url(settings.database_url)
        except (ArgumentError, ValueError):
            raise SettingsError(
                "FUNNEL_DATABASE_URL is not a database URL, such as mssql+pymssql://user:password@host:1433/database"
            ) from None
        lock_wait, call_timeout = settings.lock_wait, settings.call_timeout
        encryption, ca_file = settings.encryption, settings.ca_file
        if not url.host or not url.database:
            raise SettingsError(
                "FUNNEL_DATABASE_URL names no host or no database; "
                "write mssql+pymssql://user:password@host:1433/database"
            )
        if call_timeout <= lock_wait:
            raise SettingsError(
                f"FUNNEL_CALL_TIMEOUT, {call_timeout}, must be longer than FUNNEL_LOCK_WAIT, {lock_wait}: "
                "a call that waits for a lock is none that gets no answer"
            )
        if ca_file is not None and encryption not in (None, "require"):
            raise SettingsError(
                f"FUNNEL_CA_FILE wants the server's certificate checked, so FUNNEL_ENCRYPTION cannot be {encryption}"
            )
        self._url = url
        self._host, self._port = url.host, url.port or 1433
        self.schema = settings.database_schema
        self._lock_wait = lock_wait
        self._call_seconds = ceil(call_timeout.total_seconds())
        # "require", "request" or "off":
        self.encryption: str = encryption or ("request" if url.host in LOOPBACK and ca_file is None else "require")
        self.ca_file = ca_file
        self._certificates = Certificates(ca_file, self._host, self._port) if ca_file else None
        self._queries = {name: in_schema(text, self.schema) for name, text in queries(self.dialect).items()}
        # Nothing is reset on return: what ended well left nothing open, and the others are discarded.
        self._pool = QueuePool(
            self._connect, pool_size=KEPT_CONNECTIONS, reset_on_return=None, recycle=3600, use_lifo=True
        )

    @property
    def name(self) -> str:
        return f"SQL Server, {self._address}, database {self._url.database}, schema {self.schema}"

    @property
    def _address(self) -> str:
        return f"{self._host}:{self._port}"

    def open(self, *, create: bool) -> Any:
        while True:
            connection = self._pool.connect()
            known = "session" in connection.info
            try:
                connection.info["session"] = self._session(connection)
                connection.info["used"] = time.monotonic()
                return connection
            except DRIVER_ERRORS:
                self.discard(connection)
                # The server was restarted, or a firewall dropped the idle connection. The next connection in the pool
                # may be as old; only the error of a new connection counts.
                if not known:
                    raise

    @staticmethod
    def _session(connection: Any) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@SPID;")
            session: int = cursor.fetchall()[0][0]
            return session

    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        if name in having(self.dialect, "polled"):
            connection = self._pool.connect()
            if time.monotonic() - connection.info.get("used", -inf) < FRESH_SECONDS:
                try:
                    sets = self.execute(connection, name, parameters)
                except BaseException as error:
                    self.discard(connection)
                    ours = self.translate(error)
                    # If the server was restarted just now, a query that only reads can be asked again below. But if the
                    # server does not answer, asking again would double the wait.
                    if ours is None:
                        raise
                    if not isinstance(ours, ConnectionLost) or NO_ANSWER in str(error):
                        raise ours from error
                else:
                    connection.close()
                    return sets
            else:
                connection.close()
        return super().sets(name, **parameters)

    def discard(self, connection: Any) -> None:
        connection.invalidate()
        connection.close()

    def _connect(self) -> Any:
        try:
            connection = self._log_in(self._url.database or "")
        except DRIVER_ERRORS as error:
            raise DatabaseUnavailable(self._refusal(error)) from error
        # For every statement of the session; the server's own default is to wait for ever.
        self._send(connection, f"SET LOCK_TIMEOUT {self._lock_wait / timedelta(milliseconds=1):.0f};")
        return connection

    def _refusal(self, error: Exception) -> str:
        """Why there is no connection, and what to do about it, in a sentence."""
        number, text = _number_and_text(error)
        if NO_ANSWER in str(error) or f"({errno.ETIMEDOUT})" in str(error):
            return no_answer(self._address)
        # Unless the server answered this login, number and text are what some server said before, in this process.
        if ANSWERED not in str(error):
            return what_is_wrong(self._host, self._port, encryption=self.encryption, ca_file=self.ca_file)
        user, database = repr(self._url.username), repr(self._url.database)
        if text and number == LOGIN_FAILED:
            if not self._is_known():
                return (
                    f"{self._address} refused the login {user}: user or password is wrong; check them in "
                    "FUNNEL_DATABASE_URL, where characters such as @ and / are written as in any URL (%40, %2F)."
                )
            number = NO_SUCH_DATABASE[0]
        if text and number in NO_SUCH_DATABASE:
            return (
                f"{self._address} has no database {database} that {user} may use: check its name in "
                "FUNNEL_DATABASE_URL, and that the login has a user in it."
            )
        said = f" ({' '.join(text.split()).rstrip('.')})" if text else ""
        return (
            f"{self._address} refused the login {user} to the database {database}{said}: check user, password and "
            "database in FUNNEL_DATABASE_URL."
        )

    def _is_known(self) -> bool:
        """Whether the server takes user and password, only not for this database.

        SQL Server refuses both with the same error last, which is the one that the driver keeps.
        """
        try:
            self._log_in("").close()
        except DRIVER_ERRORS:
            return False
        return True

    def _log_in(self, database: str) -> Any:
        if self._certificates:
            self._certificates.demand()
        # For the whole process. What connect() takes for this counts only from the first call after the login on, and
        # the driver sends two of its own before it.
        _mssql.MSSQLConnection.__new__(_mssql.MSSQLConnection).query_timeout = self._call_seconds
        return pymssql.connect(
            # The driver appends the port itself, but to no host with a colon in it.
            server=f"[{self._host}]:{self._port}" if ":" in self._host else self._host,
            port=str(self._port),
            user=self._url.username,
            password=self._url.password,
            database=database,
            login_timeout=LOGIN_SECONDS,
            timeout=self._call_seconds,
            # Without a version, a silent server is asked once per version that the library knows.
            tds_version="7.4",
            # Off means an open transaction all the time, and error 266 from a procedure that rolls back.
            autocommit=True,
            appname="agent-funnel",
            encryption=self.encryption,
        )

    def execute(self, connection: Any, name: str, parameters: dict[str, Any]) -> list[list[Row]]:
        sets: list[list[Row]] = []
        watch = self._watch(connection.info["session"]) if name in having(self.dialect, "run") else nullcontext()
        with watch, connection.cursor(as_dict=True) as cursor:
            cursor.execute(self._queries[name], {"schema": self.schema, **parameters})
            # To the end: an error that comes after a result set would otherwise be raised by the next statement.
            while True:
                if cursor.description is not None:
                    sets.append(cursor.fetchall())
                if not cursor.nextset():
                    break
        connection.info["used"] = time.monotonic()
        return sets

    def fetch(self, connection: Any, name: str, parameters: dict[str, Any], size: int) -> Iterator[list[Row]]:
        with connection.cursor(as_dict=True) as cursor:
            cursor.execute(self._queries[name], {"schema": self.schema, **parameters})
            while rows := cursor.fetchmany(size):
                yield rows
            # An error that comes after the rows would otherwise be raised by the next statement.
            while cursor.nextset():
                pass

    def run_in_progress(self) -> bool:
        try:
            self.all("run_in_progress")
        except RunInProgress:
            return True
        return False

    @contextmanager
    def _watch(self, session: int) -> Iterator[None]:
        """Logs a warning if the block waits for a lock."""
        ended = Event()
        Thread(target=self._tell_of_wait, args=(session, ended), daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def _tell_of_wait(self, session: int, ended: Event) -> None:
        began, bound = time.monotonic(), self._lock_wait.total_seconds()
        while not ended.wait(PATIENCE_SECONDS):
            try:
                row = self.one("blocker", session=session)
            except FunnelError:
                return
            if row is not None and row["blocked"]:
                log.warning(
                    "this run waits for a lock, which session %d seems to hold; it gives up after %.0f s",
                    row["blocked"],
                    bound,
                )
                return
            # Without VIEW SERVER STATE a login sees no session but its own.
            if row is None and time.monotonic() - began > bound / 3:
                log.warning(
                    "this run has taken %.0f s so far; if it waits for a lock, it gives up after %.0f s (a login with "
                    "VIEW SERVER STATE would be told)",
                    time.monotonic() - began,
                    bound,
                )
                return

    def run_script(self, connection: Any, text: str) -> None:
        with connection.cursor() as cursor:
            for batch in batches(in_schema(text, self.schema)):
                cursor.execute(batch)
                while cursor.nextset():
                    pass

    def begin(self, connection: Any) -> None:
        self._send(connection, "SET XACT_ABORT ON; BEGIN TRANSACTION;")

    def commit(self, connection: Any) -> None:
        self._send(connection, "COMMIT TRANSACTION;")

    def rollback(self, connection: Any) -> None:
        # On a connection that broke there is nothing to roll back, and saying so would hide what broke it.
        try:
            self._send(connection, "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;")
        except DRIVER_ERRORS:
            pass

    @staticmethod
    def _send(connection: Any, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            while cursor.nextset():
                pass

    def translate(self, error: BaseException) -> FunnelError | None:
        if not isinstance(error, DRIVER_ERRORS):
            return None
        number, text = _number_and_text(error)
        if found := run_error(number, text):
            return found
        if NO_ANSWER in str(error):
            return ConnectionLost(
                f"The database server {self._address} has not answered a call for {self._call_seconds} s "
                "(FUNNEL_CALL_TIMEOUT); whether it took effect is not known."
            )
        if number in CLIENT_ERRORS or number == 0 or FATAL.search(str(error)):
            return ConnectionLost(
                f"The connection to the database server {self._address} broke in the middle of a call; whether it took "
                "effect is not known."
            )
        if number == DEADLOCK:
            return DatabaseBusy("The database ended this call to resolve a deadlock. Nothing was changed.")
        if number == LOCK_TIMEOUT or (number == BABELFISH and "lock timeout" in text):
            return DatabaseBusy(
                f"Somebody else has held a lock for {self._lock_wait.total_seconds():.0f} s that this call needs. "
                "Nothing was changed."
            )
        if number in MISSING or (number == BABELFISH and "does not exist" in text):
            # Babelfish names a procedure with the types of all its parameters.
            missing = re.sub(r"\(.*\)", "", text).rstrip(".")
            return NotInstalled(f"The database lacks something ({missing}): run `agent-funnel install`.")
        return DatabaseError(f"The database refused (error {number}): {text.strip()}")


def _number_and_text(error: Exception) -> tuple[int, str]:
    """The number of an error and its first line; pymssql appends the client library's remarks to the text."""
    args = error.args[0] if error.args and isinstance(error.args[0], tuple) else error.args
    number = args[0] if args and isinstance(args[0], int) else 0
    raw = args[1] if len(args) > 1 else (args[0] if args else "")
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return number, text.split("DB-Lib error message")[0].strip()
