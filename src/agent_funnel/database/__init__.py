"""The two databases. The choice of engine is made once, here."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from agent_funnel.backends.engine import Backend, Session
from agent_funnel.backends.sqlite import SQLite
from agent_funnel.backends.sqlserver import SQLServer
from agent_funnel.errors import SettingsError
from agent_funnel.settings import Settings

__all__ = ["Backend", "Session", "connect", "connect_with"]


def connect(
    database_url: str,
    schema: str = "dbo",
    *,
    lock_wait: timedelta = timedelta(seconds=30),
    call_timeout: timedelta = timedelta(minutes=15),
    encryption: str | None = None,
    ca_file: Path | None = None,
) -> Backend:
    """The backend for a URL: `sqlite:///file.db` or `mssql+pymssql://user:password@host:port/database`.

    `lock_wait` is how long a statement waits for a lock that somebody else holds. The rest is about SQL Server:
    `schema` is where the tables are; `call_timeout` bounds a call that is never answered; `encryption` is "require",
    "request" or "off", and without it is required but of this machine; `ca_file` has the certificates that the
    server's is checked against, its name included. The timeout and the check of certificates hold for the whole
    process, since FreeTDS has them so: give all backends of a process the same.

    Nothing is opened yet. Raises SettingsError for a URL of any other kind, without repeating it, since it may hold a
    password, and for settings that contradict each other.
    """
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        raise SettingsError("FUNNEL_DATABASE_URL is not a database URL, such as sqlite:///funnel.db") from None
    match url.drivername:
        case "sqlite":
            return SQLite(url, lock_wait)
        case "mssql+pymssql" | "mssql":
            return SQLServer(
                url, schema, lock_wait=lock_wait, call_timeout=call_timeout, encryption=encryption, ca_file=ca_file
            )
        case other:
            raise SettingsError(
                f"FUNNEL_DATABASE_URL names the engine {other!r}; write sqlite:///… or mssql+pymssql://…"
            )


def connect_with(settings: Settings) -> Backend:
    """The backend that the settings describe."""
    return connect(
        settings.database_url,
        settings.database_schema,
        lock_wait=settings.lock_wait,
        call_timeout=settings.call_timeout,
        encryption=settings.encryption,
        ca_file=settings.ca_file,
    )
