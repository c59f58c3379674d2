"""The two databases. The choice of engine is made once, here."""

from __future__ import annotations

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from agent_funnel.backends.engine import Backend, Session
from agent_funnel.backends.sqlite import SQLite
from agent_funnel.backends.sqlserver import SQLServer
from agent_funnel.errors import SettingsError

__all__ = ["Backend", "Session", "connect"]


def connect(database_url: str, schema: str = "dbo") -> Backend:
    """The backend for a URL: `sqlite:///file.db` or `mssql+pymssql://user:password@host:port/database`.

    `schema` is where SQL Server has the tables; SQLite has no schemas. Nothing is opened yet. Raises SettingsError for
    a URL of any other kind, without repeating the URL, which may hold a password.
    """
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        raise SettingsError("FUNNEL_DATABASE_URL is not a database URL, such as sqlite:///funnel.db") from None
    match url.drivername:
        case "sqlite":
            return SQLite(url)
        case "mssql+pymssql" | "mssql":
            return SQLServer(url, schema)
        case other:
            raise SettingsError(
                f"FUNNEL_DATABASE_URL names the engine {other!r}; write sqlite:///… or mssql+pymssql://…"
            )
