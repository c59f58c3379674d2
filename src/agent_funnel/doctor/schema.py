"""Checks of tables, procedures and indexes: what is missing, and what differs from this version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from agent_funnel import sql
from agent_funnel.doctor.check import Examination, Result, count_of
from agent_funnel.errors import DatabaseError, DatabaseUnavailable
from agent_funnel.install import (
    Checksums,
    as_stored,
    bad_columns,
    definitions,
    missing_columns,
    objects,
    recorded_checksums,
    schema_name,
    stored_text,
)
from agent_funnel.leads import count_rows
from agent_funnel.sentences import sentence
from agent_funnel.values import Row

INSTALL = "agent-funnel install"

# Useful indexes: the table, the first column of the index, and the cost of not having it.
USEFUL_INDEXES = (
    ("wafunnel", "number", "a search for a lead by its number reads all {leads:,} leads"),
    ("agent_wafunnel_assignment", "number", "a search for a number's agent reads all {assignments:,} assignments"),
    ("agent_wafunnel_assignment", "agent", "each request for an agent's list reads all {assignments:,} assignments"),
)
# An index by date is useful on SQL Server if less than a tenth of the leads are of the last 45 days. SQLite deals no
# faster with it.
DATE_INDEX = ("wafunnel", "date", "each deal reads all {leads:,} leads to find the {recent:,} of the last 45 days")
RECENT = timedelta(days=45)
DATE_INDEX_RATIO = 10


def installed_tables(exam: Examination) -> Iterator[Result]:
    """Checks that all tables exist, with columns that the deal can use, in the version of this program."""
    if not schema_name(exam.database)[1]:
        yield (
            "error",
            f"There is no schema {exam.schema}.",
            f"Correct FUNNEL_SCHEMA, or create the schema: CREATE SCHEMA {exam.schema};",
        )
        return
    where = "" if exam.schema is None else f" in the schema {exam.schema}"
    wanted, newest = sql.tables(exam.database.dialect), sql.version(exam.database.dialect)
    missing = sorted(wanted - {name.lower() for name in objects(exam.database)})
    lacking = missing_columns(exam.database)
    version = newest if "agent_funnel_version" in missing else exam.database.installed_version()
    if missing:
        text = f"{count_of(len(missing), 'table is', 'tables are')} missing{where}: {', '.join(missing)}."
        yield "error", text, INSTALL if not where else f"{INSTALL}, if FUNNEL_SCHEMA is the right one."
    for table, column in lacking:
        text = f"The table {table} has no column {column}."
        yield "error", text, "Add the column; or, if you meant another table, correct the database or the schema."
    unusable = bad_columns(exam.database)
    for bad in unusable:
        yield "error", bad.text, bad.remedy
    if version is None:
        text = "The table agent_funnel_version has no row, so it is not known which version the tables are of."
        values = f"VALUES ({newest}, CURRENT_TIMESTAMP)"
        statement = exam.here(f"INSERT INTO dbo.agent_funnel_version (version, installed_at) {values};")
        yield "error", text, f"If they are those of this program, record that: {statement}"
    elif version > newest:
        text = f"The tables are of version {version}, but this program knows no version after {newest}."
        yield "error", text, "Update Agent Funnel on this machine."
    elif version < newest:
        yield "error", f"The tables are of version {version}, but this program needs version {newest}.", INSTALL
    if not (missing or lacking or unusable) and version == newest:
        yield "ok", f"All {len(wanted)} tables exist{where}, in version {newest}.", None


def schemas(exam: Examination) -> Iterator[Result]:
    """Finds other schemas with tables of the same names, where the leads may be instead."""
    others = [row["schema_name"] for row in exam.database.all("doctor_schemas")]
    if not others:
        yield "ok", "No other schema has tables of the same names.", None
        return
    try:
        leads = count_rows(exam.database).leads
    except DatabaseUnavailable:
        raise
    except DatabaseError:
        leads = 0
    named = f"The schema {others[0]} has" if len(others) == 1 else f"The schemas {', '.join(others)} have"
    remedy = f"Set FUNNEL_SCHEMA={others[0]} if you mean those tables."
    if leads:
        yield "note", f"{named} tables of the same names, too.", remedy
    else:
        yield "warning", f"{named} tables of the same names, and {exam.schema} has no leads.", remedy


def installed_procedures(exam: Examination) -> Iterator[Result]:
    """Checks that the procedures are those of this version, and that nobody has changed them."""
    scripts = sql.routines(exam.database.dialect)
    stored, recorded = definitions(exam.database, scripts), recorded_checksums(exam.database)
    bad = False
    for name, script in scripts.items():
        for result in _procedure(exam, name, script, stored.get(name), recorded.get(name)):
            bad = True
            yield result
    if not bad:
        yield "ok", f"All {len(scripts)} procedures are installed, and are those of this version.", None


def _procedure(
    exam: Examination, name: str, script: str, row: Row | None, recorded: Checksums | None
) -> Iterator[Result]:
    named = f"{exam.schema}.{name}"
    text = row["definition"] if row else None
    if row is None:
        yield "error", sentence("The procedure %(name)s is missing.", name=named), INSTALL
    elif text is None and row["is_encrypted"]:
        yield (
            "warning",
            sentence("The procedure %(name)s is encrypted, so it cannot be compared with ours.", name=named),
            INSTALL,
        )
    elif text is None:
        grant = exam.here(f"GRANT VIEW DEFINITION ON dbo.{name} TO agent_funnel_service;")
        yield "note", f"Could not be checked: this login has no right to see the text of {named}.", grant
    elif as_stored(text) == stored_text(exam.here(script)):
        return
    elif recorded is None or recorded.installed is None:
        yield (
            "error",
            sentence("The procedure %(name)s is not that of this version, and no record says who made it.", name=named),
            INSTALL,
        )
    elif recorded.installed != sql.checksum(as_stored(text)):
        remedy = f"{INSTALL} restores ours; keep a copy of the changed procedure if you need it."
        yield (
            "error",
            sentence("Somebody has changed the procedure %(name)s since it was installed.", name=named),
            remedy,
        )
    elif recorded.script != sql.checksum(script):
        yield (
            "error",
            sentence("The procedure %(name)s is that of another version of Agent Funnel.", name=named),
            INSTALL,
        )


def emptying(exam: Examination) -> Iterator[Result]:
    """Checks that a deal can delete all rows of the table of assignments, and finds the triggers that this fires.

    A memory-optimized table in place of the agents or the leads is found, too.
    """
    table, rows = exam.here("dbo.agent_wafunnel_assignment"), exam.database.all("doctor_emptying")
    triggers = [row["name"] for row in exam.database.all("doctor_delete_triggers")]
    for row in rows:
        named = exam.here(f"dbo.{row['table_name']}")
        does = "empty" if named == table else "read"
        yield "error", f"No deal can {does} {named}, since {row['reason']}.", row["remedy"]
    for name in triggers:
        remedy = "Make sure that the trigger allows this and is quick, or disable it."
        yield "warning", f"Each deal deletes all rows of {table}, which fires the trigger {name}.", remedy
    if not rows and not triggers:
        yield "ok", f"A deal can empty {table}.", None


def indexes(exam: Examination) -> Iterator[Result]:
    """Suggests indexes that would help. It creates none: an index slows down writes, and the table may not be ours."""
    day = (exam.now - RECENT).date()
    sizes = exam.one("doctor_sizes", day=day.isoformat())
    existing = {
        tuple(str(row[name]).lower() for name in ("table_name", "first_column", "second_column"))
        for row in exam.database.all("doctor_indexes")
    }
    first_columns = {index[:2] for index in existing}
    missing = [index for index in USEFUL_INDEXES if index[:2] not in first_columns]
    by_date = ("wafunnel", "date") in first_columns or ("wafunnel", "stage", "date") in existing
    if exam.schema is not None and not by_date and sizes["recent"] * DATE_INDEX_RATIO < sizes["leads"]:
        missing.append(DATE_INDEX)
    for table, column, why in missing:
        text = f"No index of {exam.here(f'dbo.{table}')} begins with {column}, so {why.format(**sizes)}."
        yield "note", text, exam.remedy(f"index_{table}_{column}")
    if not missing:
        yield "ok", "All useful indexes exist.", None
