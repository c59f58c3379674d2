"""Creates missing tables and replaces the procedures. Your three tables are never altered if they exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent_funnel.database import Database, Queries, Session, refuse_newer_version
from agent_funnel.errors import DatabaseError
from agent_funnel.sql import batches, checksum, installation, routines, tables, version
from agent_funnel.values import Row


@dataclass(frozen=True)
class Installed:
    """The names of the tables and procedures that an installation made, left unchanged (`kept`) and replaced.

    `advice` is the statement that keeps readers from waiting for a deal; None if none of them waits.
    """

    made: tuple[str, ...]
    kept: tuple[str, ...]
    replaced: tuple[str, ...]
    advice: str | None


@dataclass(frozen=True)
class Checksums:
    """The checksums of a procedure: of the text that the server stores, None if it shows none, and of our script."""

    installed: str | None
    script: str


@dataclass(frozen=True)
class BadColumn:
    """A column of one of your three tables whose type cannot work: a sentence that says so, and a remedy."""

    text: str
    remedy: str


# The types of your columns that work, by the family that the query `column_types` gives them, and an example of one:
_KEY = (("text", "whole"), "VARCHAR, NVARCHAR, CHAR, NCHAR, INT or BIGINT", "NVARCHAR(255)")
FITTING = {
    "agent": _KEY,
    "number": _KEY,
    "status": (("text",), "VARCHAR, NVARCHAR, CHAR or NCHAR", "VARCHAR(20)"),
    "stage": (("whole",), "TINYINT, SMALLINT, INT or BIGINT", "INT"),
    "date": (("moment",), "DATE, SMALLDATETIME, DATETIME or DATETIME2", "DATETIME2(3)"),
}
# A smaller whole number is no name and no phone number:
SMALLEST_KEY = 4
# The reasons why the types of a family do not work for a column:
_REASONS = {
    ("agent", "number"): "SQLite would store names that look like numbers as numbers",
    ("number", "number"): "SQLite would store +4930 and 04930 as the number 4930",
    ("number", "float"): "as text it keeps too few digits, so different phone numbers would become one",
    ("number", "exact"): "it is not compared with text, as the deal does",
    ("date", "offset"): "it is compared in UTC, so a lead would leave the window at another hour than midnight",
    ("date", "text"): "a date in text is read differently by each language of a login",
}


def install(database: Database) -> Installed:
    """Installs tables, procedures and grants in one transaction. It is safe to repeat.

    Raises DatabaseError, and changes nothing, if the schema is missing, or one of your three tables lacks a column or
    has one of a type that cannot work; and WrongVersion if a newer program has installed its tables there, or if it is
    not known which version they are of.
    """
    ours = routines(database.dialect)
    with database.for_any_version().transaction(create=True) as session:
        _check_schema(session)
        before = objects(session)
        newest = version(database.dialect)
        installed = _installed_version(session, {name.lower() for name in before}, newest)
        _check_columns(session)
        for stem in installation(database.dialect):
            session.script(stem)
        if installed != newest:
            session.one("record_version", version=newest)
        if ours:
            _record_checksums(session, ours)
        after = objects(session)
    return Installed(
        made=tuple(sorted(after - before)),
        # The names are spelled as in the database, perhaps in another case than ours.
        kept=tuple(sorted(name for name in before if name.lower() in tables(database.dialect))),
        replaced=tuple(sorted(before & set(ours))),
        advice=row_versions_advice(database),
    )


def row_versions_advice(database: Queries) -> str | None:
    """The statement that lets readers see row versions, so that none waits for a deal; None if they do already."""
    row = database.one("row_versions")
    return None if row is None or row["is_on"] else str(row["remedy"])


def schema_name(database: Queries) -> tuple[str, bool]:
    """The name of the schema, and whether it exists. SQLite has one schema, `main`, which always exists."""
    row = database.one("schema")
    return ("main", True) if row is None else (row["name"], bool(row["found"]))


def objects(database: Queries) -> set[str]:
    """The names of our tables and procedures in the database, spelled as they are there."""
    return {row["name"] for row in database.all("objects")}


def missing_columns(database: Queries) -> list[tuple[str, str]]:
    """The columns that your three tables lack, each as table and column."""
    return [(row["table_name"], row["column_name"]) for row in database.all("missing_columns")]


def bad_columns(database: Queries) -> list[BadColumn]:
    """The columns of your three tables whose types cannot work, in the order of their names."""
    columns = {(row["table_name"], row["column_name"]): row for row in database.all("column_types")}
    found: list[BadColumn] = []
    for (table, column), row in sorted(columns.items()):
        families, types, example = FITTING[column]
        family, size = row["family"], row["size"]
        named = f"The column {table}.{column} has the type {row['type_name']}"
        if family not in families or (families is _KEY[0] and family == "whole" and size < SMALLEST_KEY):
            why = _REASONS.get((column, family), f"it must be {types}")
            # As text, a FLOAT would become 4.9e+012; as a whole number it keeps its digits.
            better = "BIGINT" if column == "number" and family in ("float", "exact") else example
        elif table == "agent_wafunnel_assignment" and family == "whole":
            source = columns.get(("agents" if column == "agent" else "wafunnel", column))
            # The installer creates a table that is missing, with text.
            if source is not None and source["family"] == "whole" and source["size"] <= size:
                continue
            why = f"it cannot hold every {column} that a deal writes there"
            better = example if source is None or source["family"] != "whole" else "BIGINT"
        else:
            continue
        remedy = f"Change the column to {better}, for example, and compare its values with those of before."
        found.append(BadColumn(f"{named}, which cannot work: {why}.", remedy))
    return found


def recorded_checksums(database: Queries) -> dict[str, Checksums]:
    """The checksums on record, by procedure."""
    return {row["name"]: Checksums(row["installed"], row["script"]) for row in database.all("checksums")}


def definitions(database: Queries, procedures: Iterable[str]) -> dict[str, Row]:
    """The `definition` of each of these procedures as the server stores it, and whether it `is_encrypted`.

    Those that are missing are left out.
    """
    return {row["name"]: row for row in database.all("definitions", names=f",{','.join(procedures)},")}


def stored_text(script: str) -> str:
    """The text of a procedure as servers store it: the batch that made it, with CREATE instead of ALTER."""
    batch = next(batch for batch in batches(script) if batch.startswith(("ALTER PROCEDURE", "CREATE FUNCTION")))
    return "CREATE" + batch.removeprefix("ALTER").removeprefix("CREATE")


def as_stored(definition_there: str) -> str:
    """A text that a server stores, without the blank lines and the ends of lines that sqlcmd adds."""
    return definition_there.replace("\r\n", "\n").strip()


def _record_checksums(session: Session, texts: Mapping[str, str]) -> None:
    """Records the checksums of the procedures, so that `doctor` notices when somebody changes one."""
    recorded = recorded_checksums(session)
    stored = definitions(session, texts)
    for name, text in texts.items():
        row = stored.get(name)
        there = as_stored(row["definition"]) if row and row["definition"] else None
        present = Checksums(checksum(there) if there else None, checksum(text))
        if recorded.get(name) != present:
            session.one("record_checksum", procedure_name=name, installed=present.installed, script=present.script)


def _check_schema(session: Session) -> None:
    # The schema is not created here: a mistyped name would become a new, empty schema.
    name, found = schema_name(session)
    if not found:
        raise DatabaseError(
            f"The database has no schema {name}: correct FUNNEL_SCHEMA, or create the schema with "
            f"CREATE SCHEMA {name}; nothing was installed."
        )


def _installed_version(session: Session, tables_there: set[str], ours: int) -> int | None:
    """The version of the tables that are there; None if they are not ours. Raises WrongVersion for a newer one."""
    if "agent_funnel_version" not in tables_there:
        return None
    installed = session.installed_version()
    refuse_newer_version(installed, ours)
    return installed


def _check_columns(session: Session) -> None:
    lacking: dict[str, list[str]] = {}
    for table, column in missing_columns(session):
        lacking.setdefault(table, []).append(column)
    for table, columns in lacking.items():
        raise DatabaseError(
            f"The table {table} exists but has no column {', '.join(sorted(columns))}; nothing was installed."
        )
    for bad in bad_columns(session):
        raise DatabaseError(f"{bad.text} Nothing was installed. {bad.remedy} `agent-funnel doctor` names all of them.")
