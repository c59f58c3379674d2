"""The database for SQL Server, and for Babelfish, through pymssql."""

from __future__ import annotations

import errno
import logging
import re
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from math import ceil, inf
from typing import Any, ClassVar

import pymssql
from pymssql import _mssql
from sqlalchemy.pool import NullPool, QueuePool

from agent_funnel.database.address import DEFAULT_PORT, read_address
from agent_funnel.database.base import Database, run_error
from agent_funnel.database.certificates import Certificates
from agent_funnel.database.lock_waits import watch_for_lock_wait
from agent_funnel.database.not_ready import FAILED_ON_THE_WAY, Sightings, not_ready
from agent_funnel.database.prelogin import explain_login_failure, explain_no_answer
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
from agent_funnel.sql import batches, catalog, in_schema, parameterised, queries_with, reads
from agent_funnel.values import Row

log = logging.getLogger(__name__)

# All errors of the driver. pymssql normally turns the second kind into the first, but not while it connects:
DRIVER_ERRORS = (pymssql.Error, _mssql.MSSQLException)
# The seconds that the server may take to answer a login:
LOGIN_SECONDS = 10
# Numbers of errors of the client library, not of the server: it cannot be reached, or the connection broke.
CLIENT_ERRORS = range(20000, 20100)
# The library adds the first to the text of an error that the server sent, and the second if the server did not answer:
ANSWERED = "DB-Lib error message 20018"
NO_ANSWER = "DB-Lib error message 20003"
# From severity 20 on, the server ends the connection: somebody killed the session, or shut down the server.
FATAL = re.compile(rf"{ANSWERED}, severity 2\d")
LOGIN_FAILED = 18456
NO_SUCH_DATABASE = (4060, 911, 916)
DEADLOCK = 1205
LOCK_TIMEOUT = 1222
# Invalid object name; could not find stored procedure:
MISSING_OBJECT = (208, 2812)
# Babelfish has this one number for many errors; its text says which one it is.
BABELFISH_ERROR = 33557097
# A polled query uses a connection without a check if it was checked less than this many seconds ago:
FRESH_SECONDS = 5.0
# Connections that stay open after use: one for each thread of the service, and a few for the schedule. Any further one
# is closed after each use, and a new session may take a second to plan its first query.
KEPT_CONNECTIONS = 15
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SQLServer(Database):
    """A database on SQL Server or Babelfish."""

    dialect: ClassVar[str] = "sqlserver"

    def __init__(self, settings: Settings) -> None:
        address = read_address(settings)
        lock_wait, call_timeout = settings.lock_wait, settings.call_timeout
        encryption, ca_file = settings.encryption, settings.ca_file
        if call_timeout <= lock_wait:
            raise SettingsError(
                f"FUNNEL_CALL_TIMEOUT, {call_timeout}, must be longer than FUNNEL_LOCK_WAIT, {lock_wait}: "
                "otherwise a call that only waits for a lock would count as unanswered"
            )
        if ca_file is not None and encryption not in (None, "require"):
            raise SettingsError(
                f"FUNNEL_CA_FILE is set, so the server's certificate is checked and FUNNEL_ENCRYPTION cannot be "
                f"{encryption}: leave it unset, or set it to require"
            )
        self._address = address
        self.schema = settings.database_schema
        self._lock_wait = lock_wait
        self._call_seconds = ceil(call_timeout.total_seconds())
        # "require", "request" or "off":
        self.encryption: str = encryption or ("request" if address.host in LOOPBACK and ca_file is None else "require")
        self.ca_file = ca_file
        self._certificates = Certificates(ca_file, address.host, address.port or DEFAULT_PORT) if ca_file else None
        self._queries = {
            name: in_schema(
                query.text if query.parameters is None else parameterised(query.text, query.parameters), self.schema
            )
            for name, query in catalog(self.dialect).items()
        }
        self._sightings = Sightings()
        # Connections need no reset: a call that ended well left nothing open, and others discard theirs.
        self._pool = QueuePool(
            self._connect, pool_size=KEPT_CONNECTIONS, reset_on_return=None, recycle=3600, use_lifo=True
        )
        self._unshared = NullPool(self._connect, reset_on_return=None)

    @property
    def name(self) -> str:
        return f"SQL Server, {self._address}, database {self._address.database}, schema {self.schema}"

    @property
    def host(self) -> str:
        """The name or address of the server's host."""
        return self._address.host

    def open(self, *, create: bool, own: bool = False) -> Any:
        while True:
            connection = (self._unshared if own else self._pool).connect()
            is_new = "session" not in connection.info
            try:
                self._check(connection)
                return connection
            except DRIVER_ERRORS:
                self.discard(connection)
                # Perhaps the server was restarted, or a firewall dropped the idle connection. The next connection in
                # the pool may be just as old, so only the error of a new connection counts.
                if is_new:
                    raise

    def _check(self, connection: Any) -> None:
        """Checks that the connection is alive, and keeps its session, and the version of the tables, with it."""
        with connection.cursor() as cursor:
            cursor.execute(self._queries["session_and_version" if self.checks_version else "session"])
            connection.info["session"], *version = cursor.fetchall()[0]
        if version:
            (connection.info["version"],) = version
            connection.info["checked"] = time.monotonic()

    def version_on(self, connection: Any) -> int | None:
        found: int | None = connection.info["version"]
        return found

    def sets(self, name: str, **parameters: Any) -> list[list[Row]]:
        try:
            return self._sets(name, parameters)
        except DatabaseBusy as error:
            if name not in reads(self.dialect) or not _lost_a_deadlock(error):
                raise
            log.warning("the read %s was the victim of a deadlock; making it again", name)
        return super().sets(name, **parameters)

    def _sets(self, name: str, parameters: dict[str, Any]) -> list[list[Row]]:
        if name in queries_with(self.dialect, "polled"):
            connection = self._pool.connect()
            if time.monotonic() - connection.info.get("checked", -inf) < FRESH_SECONDS:
                try:
                    sets = self.execute(connection, name, parameters)
                except BaseException as error:
                    self.discard(connection)
                    ours = self.own_error(error)
                    # If the server was restarted just now, a query that only reads can be tried again below. But if the
                    # server does not answer, trying again would double the wait.
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
            connection = self._log_in(self._address.database)
        except DRIVER_ERRORS as error:
            raise self._passing(error) or DatabaseUnavailable(self._login_failure(error)) from error
        # Applies to every statement of the session. The server's own default is to wait for ever.
        self._send(connection, f"SET LOCK_TIMEOUT {self._lock_wait / timedelta(milliseconds=1):.0f};")
        return connection

    def _not_ready(self, number: int, *, login: bool = False) -> FunnelError | None:
        return not_ready(number, f"The database {self._address.database!r} on {self._address}", login=login)

    def _passing(self, error: Exception) -> FunnelError | None:
        """The error of ours if the server is not ready for this login; None if that is not the reason."""
        number, text = _number_and_text(error)
        found = self._not_ready(number, login=True) if ANSWERED in str(error) else None
        return found if found and self._sightings.believed(bool(text), self._accepts_password) else None

    def _login_failure(self, error: Exception) -> str:
        """Says in a sentence why there is no connection, and what to do about it."""
        number, text = _number_and_text(error)
        if NO_ANSWER in str(error) or f"({errno.ETIMEDOUT})" in str(error):
            return explain_no_answer(str(self._address))
        # If the server did not answer this login, number and text are left over from an earlier error in this process.
        if ANSWERED not in str(error):
            return explain_login_failure(
                self._address.host,
                self._address.port,
                instance=self._address.instance,
                encryption=self.encryption,
                ca_file=self.ca_file,
            )
        user, database = repr(self._address.user), repr(self._address.database)
        if text and number == LOGIN_FAILED:
            if not self._accepts_password():
                return (
                    f"{self._address} refused the login {user}: user or password is wrong; check {self._address.where}."
                )
            number = NO_SUCH_DATABASE[0]
        if text and number in NO_SUCH_DATABASE:
            return (
                f"{self._address} has no database {database} that {user} may use: check its name in "
                "FUNNEL_DATABASE_URL, and check that the login has a user in it."
            )
        reason = f" ({' '.join(text.split()).rstrip('.')})" if text else ""
        return (
            f"{self._address} refused the login {user} to the database {database}{reason}: check user, password and "
            "database in FUNNEL_DATABASE_URL."
        )

    def _accepts_password(self) -> bool:
        """Whether the server accepts user and password if no database is named.

        A wrong password and a wrong database end with the same error, and the driver keeps only the last error.
        """
        try:
            self._log_in("").close()
        except DRIVER_ERRORS:
            return False
        return True

    def _log_in(self, database: str) -> Any:
        if self._certificates:
            self._certificates.enforce()
        # `connect(timeout=…)` applies only after the login, and the driver sends two calls of its own before that. So
        # set it here, for the whole process.
        _mssql.MSSQLConnection.__new__(_mssql.MSSQLConnection).query_timeout = self._call_seconds
        host, instance, port = self._address.host, self._address.instance, self._address.port
        return pymssql.connect(
            # The driver appends the port to the host, but not if the host has a colon in it (IPv6).
            server=f"[{host}]:{port}" if ":" in host else f"{host}\\{instance}" if instance else host,
            port=str(port),
            user=self._address.user,
            password=self._address.password(),
            database=database,
            login_timeout=LOGIN_SECONDS,
            timeout=self._call_seconds,
            # Without a version, the library tries each version that it knows, and waits for a silent server each time.
            tds_version="7.4",
            # Without autocommit, a transaction is open all the time, and a procedure that rolls back raises error 266.
            autocommit=True,
            appname="agent-funnel",
            encryption=self.encryption,
        )

    def execute(self, connection: Any, name: str, parameters: dict[str, Any]) -> list[list[Row]]:
        sets: list[list[Row]] = []
        is_run = name in queries_with(self.dialect, "run")
        watch = watch_for_lock_wait(self, connection.info["session"], self._lock_wait) if is_run else nullcontext()
        with watch, connection.cursor(as_dict=True) as cursor:
            cursor.execute(self._queries[name], {"schema": self.schema, "country": self.country, **parameters})
            # Read to the end: otherwise the next statement raises an error that comes after a result set.
            while True:
                if cursor.description is not None:
                    sets.append(cursor.fetchall())
                if not cursor.nextset():
                    break
        return sets

    def fetch(self, connection: Any, name: str, parameters: dict[str, Any], size: int) -> Iterator[list[Row]]:
        with connection.cursor(as_dict=True) as cursor:
            cursor.execute(self._queries[name], {"schema": self.schema, "country": self.country, **parameters})
            while rows := cursor.fetchmany(size):
                yield rows
            # Read to the end: otherwise the next statement raises an error that comes after the rows.
            while cursor.nextset():
                pass

    def run_in_progress(self) -> bool:
        try:
            self.all("run_in_progress")
        except RunInProgress:
            return True
        return False

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
        # On a broken connection there is nothing to roll back, and another error would hide the one that broke it.
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

    def own_error(self, error: BaseException) -> FunnelError | None:
        if not isinstance(error, DRIVER_ERRORS):
            return None
        number, text = _number_and_text(error)
        if found := run_error(number, text):
            return found
        if NO_ANSWER in str(error):
            return ConnectionLost(
                f"The database server {self._address} has not answered a call for {self._call_seconds} s "
                "(FUNNEL_CALL_TIMEOUT); whether the call took effect is not known."
            )
        if passing := self._not_ready(number):
            return passing
        if number in CLIENT_ERRORS or number in (0, FAILED_ON_THE_WAY) or FATAL.search(str(error)):
            return ConnectionLost(
                f"The connection to the database server {self._address} broke during a call; whether the call took "
                "effect is not known."
            )
        if number == DEADLOCK:
            return DatabaseBusy("The database ended this call to resolve a deadlock. Nothing was changed.")
        if number == LOCK_TIMEOUT or (number == BABELFISH_ERROR and "lock timeout" in text):
            return DatabaseBusy(
                f"Another session has held a lock that this call needs for {self._lock_wait.total_seconds():.0f} s "
                "(FUNNEL_LOCK_WAIT). Nothing was changed."
            )
        if number in MISSING_OBJECT or (number == BABELFISH_ERROR and "does not exist" in text):
            # Babelfish names a procedure with the types of all its parameters; leave them out.
            missing = re.sub(r"\(.*\)", "", text).rstrip(".")
            return NotInstalled(f"The database lacks a table or procedure ({missing}): run `agent-funnel install`.")
        return DatabaseError(f"The database refused a statement (error {number}): {text.strip()}")


def _lost_a_deadlock(error: DatabaseBusy) -> bool:
    return isinstance(error.__cause__, Exception) and _number_and_text(error.__cause__)[0] == DEADLOCK


def _number_and_text(error: Exception) -> tuple[int, str]:
    """The number of an error and its text, without the remarks of the client library that pymssql appends."""
    args = error.args[0] if error.args and isinstance(error.args[0], tuple) else error.args
    number = args[0] if args and isinstance(args[0], int) else 0
    raw = args[1] if len(args) > 1 else (args[0] if args else "")
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return number, text.split("DB-Lib error message")[0].strip()
