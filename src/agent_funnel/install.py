"""Makes what is missing of tables and procedures; never alters a table that exists."""

from __future__ import annotations

from collections.abc import Mapping

from agent_funnel.backends import Backend, Session
from agent_funnel.errors import DatabaseError
from agent_funnel.records import Installed
from agent_funnel.sql import checksum, procedures, scripts, tables, version

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
    stems = [
        stem for kind in ("tables-", "sp_", "grants") for stem in scripts(backend.dialect) if stem.startswith(kind)
    ]
    ours = procedures(backend.dialect)
    with backend.transaction(create=True) as session:
        _check_schema(session)
        before = _objects(session)
        _check_columns(session)
        for stem in stems:
            session.script(stem)
        newest = version(backend.dialect)
        recorded = session.one("version")
        if recorded is None or recorded["version"] != newest:
            session.one("record_version", version=newest)
        if ours:
            _record_checksums(session, ours)
        after = _objects(session)
    return Installed(
        made=tuple(sorted(after - before)),
        # As they are spelled there, which may be another case than ours.
        kept=tuple(sorted(name for name in before if name.lower() in tables(backend.dialect))),
        replaced=tuple(sorted(before & set(ours))),
    )


def _record_checksums(session: Session, texts: Mapping[str, str]) -> None:
    """Keeps what the procedures are now, so that `doctor` sees when somebody changes one."""
    recorded = {row["name"]: (row["installed"], row["script"]) for row in session.all("checksums")}
    for name, text in texts.items():
        row = session.one("definition", procedure_name=name)
        installed = checksum(row["definition"]) if row and row["definition"] else None
        script = checksum(text)
        if recorded.get(name) != (installed, script):
            session.one("record_checksum", procedure_name=name, installed=installed, script=script)


def _objects(session: Session) -> set[str]:
    return {row["name"] for row in session.all("objects")}


def _check_schema(session: Session) -> None:
    # Not made here: a mistyped name would become a second, empty floor.
    row = session.one("schema")
    if row is not None and not row["found"]:
        raise DatabaseError(
            f"The database has no schema {row['name']}: correct FUNNEL_SCHEMA, or make it with "
            f"CREATE SCHEMA {row['name']}; nothing was installed."
        )


def _check_columns(session: Session) -> None:
    found: dict[str, set[str]] = {}
    for row in session.all("columns"):
        found.setdefault(row["table_name"], set()).add(row["column_name"].lower())
    for table, columns in found.items():
        if missing := NEEDED[table.lower()] - columns:
            raise DatabaseError(
                f"The table {table} exists but has no column {', '.join(sorted(missing))}; nothing was installed."
            )
