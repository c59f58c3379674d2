"""Creates the tables that are missing, and replaces the procedures. It never alters a table that exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent_funnel.database import Database, Queries, Session
from agent_funnel.errors import DatabaseError
from agent_funnel.sql import checksum, procedures, scripts, tables, version
from agent_funnel.values import Row


@dataclass(frozen=True)
class Installed:
    """The objects that an installation made, kept as they were, and replaced, by their names."""

    made: tuple[str, ...]
    kept: tuple[str, ...]
    replaced: tuple[str, ...]


@dataclass(frozen=True)
class Checksums:
    """The checksums of a procedure: of the text that the server keeps, None if it keeps none, and of our script."""

    installed: str | None
    script: str


def install(database: Database) -> Installed:
    """Installs tables, procedures and grants in one transaction, and reports what it made, kept and replaced.

    It is safe to repeat. Raises DatabaseError, and changes nothing, if one of your three tables lacks a column.
    """
    stems = [
        stem for kind in ("tables-", "sp_", "grants") for stem in scripts(database.dialect) if stem.startswith(kind)
    ]
    ours = procedures(database.dialect)
    with database.transaction(create=True) as session:
        _check_schema(session)
        before = objects(session)
        _check_columns(session)
        for stem in stems:
            session.script(stem)
        newest = version(database.dialect)
        if installed_version(session) != newest:
            session.one("record_version", version=newest)
        if ours:
            _record_checksums(session, ours)
        after = objects(session)
    return Installed(
        made=tuple(sorted(after - before)),
        # As they are spelled there, which may be another case than ours.
        kept=tuple(sorted(name for name in before if name.lower() in tables(database.dialect))),
        replaced=tuple(sorted(before & set(ours))),
    )


def installed_version(database: Queries) -> int | None:
    """The version of the installed tables; None if none is on record. Raises NotInstalled if there are no tables."""
    row = database.one("version")
    return None if row is None else row["version"]


def schema_name(database: Queries) -> tuple[str, bool]:
    """The name of the schema, and whether the database has it. On SQLite there is one, and it is there."""
    row = database.one("schema")
    return ("main", True) if row is None else (row["name"], bool(row["found"]))


def objects(database: Queries) -> set[str]:
    """The names of our tables and procedures that the database has, as they are spelled there."""
    return {row["name"] for row in database.all("objects")}


def missing_columns(database: Queries) -> list[tuple[str, str]]:
    """Table and name of each column that one of your three tables lacks."""
    return [(row["table_name"], row["column_name"]) for row in database.all("missing_columns")]


def recorded_checksums(database: Queries) -> dict[str, Checksums]:
    """The checksums of each procedure on record."""
    return {row["name"]: Checksums(row["installed"], row["script"]) for row in database.all("checksums")}


def definition(database: Queries, procedure: str) -> Row | None:
    """The `definition` of a procedure as the server keeps it, and whether it `is_encrypted`; None without one."""
    return database.one("definition", procedure_name=procedure)


def _record_checksums(session: Session, texts: Mapping[str, str]) -> None:
    """Records the checksums of the procedures, so that `doctor` sees when somebody changes one."""
    recorded = recorded_checksums(session)
    for name, text in texts.items():
        row = definition(session, name)
        present = Checksums(checksum(row["definition"]) if row and row["definition"] else None, checksum(text))
        if recorded.get(name) != present:
            session.one("record_checksum", procedure_name=name, installed=present.installed, script=present.script)


def _check_schema(session: Session) -> None:
    # The schema is not created here: a mistyped name would become a second, empty database.
    name, found = schema_name(session)
    if not found:
        raise DatabaseError(
            f"The database has no schema {name}: correct FUNNEL_SCHEMA, or make it with "
            f"CREATE SCHEMA {name}; nothing was installed."
        )


def _check_columns(session: Session) -> None:
    lacking: dict[str, list[str]] = {}
    for table, column in missing_columns(session):
        lacking.setdefault(table, []).append(column)
    for table, columns in lacking.items():
        raise DatabaseError(
            f"The table {table} exists but has no column {', '.join(sorted(columns))}; nothing was installed."
        )
