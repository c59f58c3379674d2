"""The database, on SQLite or on SQL Server. `connect` chooses the engine; no other module needs to know it."""

from __future__ import annotations

import re

from agent_funnel.database.base import Database, Queries, Session, refuse_newer_version
from agent_funnel.errors import SettingsError
from agent_funnel.settings import Settings
from agent_funnel.settings_types import NO_COUNTRY

__all__ = ["Database", "Queries", "Session", "connect", "refuse_newer_version"]

FORMS = "sqlite:///funnel.db, or mssql+pymssql://user:password@host:1433/database"


def connect(settings: Settings) -> Database:
    """The database of `FUNNEL_DATABASE_URL`, on SQLite or on SQL Server. Opens no connection yet.

    On SQL Server, the call timeout and the check of certificates apply to the whole process, because FreeTDS keeps them
    per process: give all databases of a process the same settings. Raises SettingsError for a URL of another engine
    (the message does not repeat the URL, which may hold a password) and for settings that contradict each other.
    """
    found = _connect(settings)
    found.country = "" if settings.country == NO_COUNTRY else settings.country
    return found


def _connect(settings: Settings) -> Database:
    engine = re.match(r"([\w+]+)://", settings.database_url)
    # Imported here because each engine's libraries take long to import, and a process uses one engine.
    match engine and engine[1]:
        case None:
            raise SettingsError(f"FUNNEL_DATABASE_URL is not a database URL; write {FORMS}")
        case "sqlite":
            from agent_funnel.database.sqlite import SQLite

            return SQLite(settings)
        case "mssql+pymssql" | "mssql":
            from agent_funnel.database.sqlserver import SQLServer

            return SQLServer(settings)
        case other:
            raise SettingsError(f"FUNNEL_DATABASE_URL names the engine {other!r}; write {FORMS}")
