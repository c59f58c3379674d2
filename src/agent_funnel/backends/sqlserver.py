"""Facts of SQL Server, and of Babelfish, by pymssql."""

from __future__ import annotations

from typing import Any, ClassVar

import pymssql
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

from agent_funnel.backends.engine import Backend, run_error
from agent_funnel.errors import DatabaseError, DatabaseUnavailable, FunnelError, NotInstalled, SettingsError
from agent_funnel.records import Row
from agent_funnel.sql import batches, in_schema, queries

# How long the server may take to answer a login:
LOGIN_SECONDS = 10
# Numbers below this are not the server's but the client library's: nobody there, or nobody any more.
CLIENT_ERRORS = range(20000, 20100)
LOGIN_FAILED = 18456
# What the client library says of a login that a server refused, and not of one that no server heard:
ANSWERED = "DB-Lib error message 20002"
NO_SUCH_DATABASE = 4060
# Invalid object name; could not find stored procedure; and the one number that Babelfish has for all such errors:
MISSING = (208, 2812)
BABELFISH = 33557097
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SQLServer(Backend):
    """A database on a SQL Server."""

    dialect: ClassVar[str] = "sqlserver"

    def __init__(self, url: URL, schema: str) -> None:
        if not url.host or not url.database:
            raise SettingsError(
                "FUNNEL_DATABASE_URL names no host or no database; "
                "write mssql+pymssql://user:password@host:1433/database"
            )
        self._url = url
        self.schema = schema
        # Nothing is reset on return: what ended well left nothing open, and the others are discarded.
        self._pool = QueuePool(self._connect, reset_on_return=None, recycle=3600, use_lifo=True)

    @property
    def name(self) -> str:
        return f"SQL Server, {self._address}, database {self._url.database}, schema {self.schema}"

    @property
    def _address(self) -> str:
        return f"{self._url.host}:{self._url.port or 1433}"

    def open(self, *, create: bool) -> Any:
        connection = self._pool.connect()
        try:
            self._send(connection, "SELECT 1;")
        except pymssql.Error:
            # The server was restarted since, or a firewall lost patience: one new connection, and its error counts.
            connection.invalidate()
            connection.close()
            connection = self._pool.connect()
        return connection

    def discard(self, connection: Any) -> None:
        connection.invalidate()
        connection.close()

    def _connect(self) -> Any:
        try:
            return self._log_in()
        except pymssql.Error as error:
            raise DatabaseUnavailable(self._refusal(error)) from error

    def _refusal(self, error: pymssql.Error) -> str:
        """Why there is no connection, in a sentence."""
        number, text = _number_and_text(error)
        # Unless the server answered this login, number and text are what some server said before, in this process.
        if ANSWERED not in str(error):
            return f"The database server {self._address} cannot be reached; see that it runs and listens there."
        if number == LOGIN_FAILED:
            return f"{self._address} refused the login {self._url.username!r}: user or password is wrong."
        if number == NO_SUCH_DATABASE:
            return f"{self._address} has no database {self._url.database!r} that {self._url.username!r} may use."
        said = f" It said: {text.rstrip('.')}." if text else ""
        return (
            f"{self._address} refused the login {self._url.username!r} to the database {self._url.database!r}: "
            f"check user, password and database.{said}"
        )

    def _log_in(self) -> Any:
        return pymssql.connect(
            server=self._url.host or "",
            port=str(self._url.port or 1433),
            user=self._url.username,
            password=self._url.password,
            database=self._url.database or "",
            login_timeout=LOGIN_SECONDS,
            # Without a version, a silent server is asked once per version that the library knows.
            tds_version="7.4",
            # Off means an open transaction all the time, and error 266 from a procedure that rolls back.
            autocommit=True,
            appname="agent-funnel",
            encryption="request" if self._url.host in LOOPBACK else "require",
        )

    def execute(self, connection: Any, name: str, parameters: dict[str, Any]) -> list[Row]:
        query = queries(self.dialect)[name]
        rows: list[Row] = []
        with connection.cursor(as_dict=True) as cursor:
            cursor.execute(in_schema(query, self.schema), {"schema": self.schema, **parameters})
            # To the end: an error that comes after a result set would otherwise be raised by the next statement.
            while True:
                if cursor.description is not None:
                    rows = cursor.fetchall()
                if not cursor.nextset():
                    return rows

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
        except pymssql.Error:
            pass

    @staticmethod
    def _send(connection: Any, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            while cursor.nextset():
                pass

    def translate(self, error: BaseException) -> FunnelError | None:
        if not isinstance(error, pymssql.Error):
            return None
        number, text = _number_and_text(error)
        if found := run_error(number, text):
            return found
        if number in CLIENT_ERRORS or number == 0:
            return DatabaseUnavailable(f"The database server {self._address} cannot be reached or has gone away.")
        if number in MISSING or (number == BABELFISH and "does not exist" in text):
            return NotInstalled(f"The database lacks something ({text.strip()}): run `agent-funnel install`.")
        return DatabaseError(f"The database refused (error {number}): {text.strip()}")


def _number_and_text(error: pymssql.Error) -> tuple[int, str]:
    """The number of an error and its first line; pymssql appends the client library's remarks to the text."""
    args = error.args[0] if error.args and isinstance(error.args[0], tuple) else error.args
    number = args[0] if args and isinstance(args[0], int) else 0
    raw = args[1] if len(args) > 1 else (args[0] if args else "")
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return number, text.split("DB-Lib error message")[0].strip()
