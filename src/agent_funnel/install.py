"""Creates the tables that are missing, and replaces the procedures. It never alters a table that exists."""

from __future__ import annotations

from collections.abc import Mapping

from agent_funnel.backends import Backend, Session
from agent_funnel.errors import DatabaseError
from agent_funnel.records import Installed
from agent_funnel.sql import checksum, procedures, scripts, tables, version


def install(backend: Backend) -> Installed:
    """Installs tables, procedures and grants in one transaction, and reports what it made, kept and replaced.

    It is safe to repeat. Raises DatabaseError, and changes nothing, if one of your three tables lacks a column.
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
    """Records the checksums of the procedures, so that `doctor` sees when somebody changes one."""
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
    # The schema is not created here: a mistyped name would become a second, empty database.
    row = session.one("schema")
    if row is not None and not row["found"]:
        raise DatabaseError(
            f"The database has no schema {row['name']}: correct FUNNEL_SCHEMA, or make it with "
            f"CREATE SCHEMA {row['name']}; nothing was installed."
        )


def _check_columns(session: Session) -> None:
    lacking: dict[str, list[str]] = {}
    for row in session.all("missing_columns"):
        lacking.setdefault(row["table_name"], []).append(row["column_name"])
    for table, columns in lacking.items():
        raise DatabaseError(
            f"The table {table} exists but has no column {', '.join(sorted(columns))}; nothing was installed."
        )
