"""Makes what is missing of tables and procedures; never alters a table that exists."""

from __future__ import annotations

import re

from agent_funnel.backends import Backend, Session
from agent_funnel.errors import DatabaseError
from agent_funnel.records import Installed
from agent_funnel.sql import scripts

# The columns without which a table of the brief is something else:
NEEDED = {
    "agents": {"agent", "status"},
    "wafunnel": {"number", "stage", "date"},
    "agent_wafunnel_assignment": {"agent", "number"},
}


def install(backend: Backend) -> Installed:
    """Makes tables, procedures and grants, in one transaction; says what it made, left alone and replaced.

    Safe to repeat. Raises DatabaseError, and changes nothing, where a table of the brief lacks a column.
    """
    texts = scripts(backend.dialect)
    tables = [stem for stem in texts if stem.startswith("tables-")]
    procedures = [stem for stem in texts if stem.startswith("sp_")]
    with backend.transaction(create=True) as session:
        before = _objects(session)
        _check_columns(session)
        for stem in [*tables, *procedures, *(stem for stem in texts if stem == "grants")]:
            session.script(stem)
        newest = max(int(stem.removeprefix("tables-")) for stem in tables)
        recorded = session.one("version")
        if recorded is None or recorded["version"] != newest:
            session.one("record_version", version=newest)
        after = _objects(session)
    ours = {
        name for stem in tables for name in re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(?:dbo\.)?(\w+)", texts[stem])
    }
    return Installed(
        made=tuple(sorted(after - before)),
        kept=tuple(sorted(before & ours)),
        replaced=tuple(sorted(before & set(procedures))),
    )


def _objects(session: Session) -> set[str]:
    return {row["name"] for row in session.all("objects")}


def _check_columns(session: Session) -> None:
    found: dict[str, set[str]] = {}
    for row in session.all("columns"):
        found.setdefault(row["table_name"], set()).add(row["column_name"].lower())
    for table, columns in found.items():
        if missing := NEEDED[table] - columns:
            raise DatabaseError(
                f"The table {table} exists but has no column {', '.join(sorted(missing))}; nothing was installed."
            )
