"""Tables, procedures, indexes: what is there, and whether it is as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from agent_funnel import sql
from agent_funnel.doctor.check import Examination, Result, count_of
from agent_funnel.errors import DatabaseError, DatabaseUnavailable
from agent_funnel.install import (
    Checksums,
    definition,
    installed_version,
    missing_columns,
    objects,
    recorded_checksums,
    schema_name,
)
from agent_funnel.leads import count_rows
from agent_funnel.values import Row

INSTALL = "agent-funnel install"

# The indexes worth having: their table, what they begin with, and what it is like without.
INDEXES = (
    ("wafunnel", "number", "whoever looks a lead up by its number reads all {leads:,} leads"),
    ("agent_wafunnel_assignment", "number", "whoever looks up who has a number reads all {assignments:,} assignments"),
    ("agent_wafunnel_assignment", "agent", "whoever wants an agent's list reads all {assignments:,} assignments"),
)
# One on the date is worth its keep where a deal wants less than a tenth of the leads; SQLite deals no faster with it.
BY_DATE = ("wafunnel", "date", "each deal reads all {leads:,} leads to find the {recent:,} of the last 45 days")
WINDOW, TENTH = timedelta(days=45), 10


def tables(exam: Examination) -> Iterator[Result]:
    """Whether all tables are there, with the columns that count, in the version of this program."""
    if not schema_name(exam.database)[1]:
        yield (
            "error",
            f"There is no schema {exam.schema}.",
            f"Correct FUNNEL_SCHEMA, or: CREATE SCHEMA {exam.schema};",
        )
        return
    where = "" if exam.schema is None else f" in the schema {exam.schema}"
    wanted, newest = sql.tables(exam.database.dialect), sql.version(exam.database.dialect)
    missing = sorted(wanted - {name.lower() for name in objects(exam.database)})
    lacking = missing_columns(exam.database)
    version = newest if "agent_funnel_version" in missing else installed_version(exam.database) or 0
    if missing:
        text = f"{count_of(len(missing), 'table is', 'tables are')} missing{where}: {', '.join(missing)}."
        yield "error", text, INSTALL if not where else f"{INSTALL}, if FUNNEL_SCHEMA is the right one."
    for table, column in lacking:
        text = f"The table {table} has no column {column}."
        yield "error", text, "Add the column; or, if another table was meant, correct the database or the schema."
    if version > newest:
        text = f"The tables are of version {version}, and this program knows none after {newest}."
        yield "error", text, "Update Agent Funnel here."
    elif version < newest:
        yield "error", f"The tables are of version {version}, and this program needs {newest}.", INSTALL
    if not missing and not lacking and version == newest:
        yield "ok", f"All {len(wanted)} tables are there{where}, in version {newest}.", None


def schemas(exam: Examination) -> Iterator[Result]:
    """Whether the leads may be somewhere else."""
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
    remedy = f"Set FUNNEL_SCHEMA={others[0]} if those are the ones."
    if leads:
        yield "note", f"{named} tables of the same names, too.", remedy
    else:
        yield "warning", f"{named} tables of the same names, and {exam.schema} has no leads.", remedy


def procedures(exam: Examination) -> Iterator[Result]:
    """Whether the procedures are those of this version, and nobody has changed them."""
    scripts = sql.procedures(exam.database.dialect)
    recorded = recorded_checksums(exam.database)
    bad = False
    for name, script in scripts.items():
        row = definition(exam.database, name)
        for result in _procedure(exam, name, script, row, recorded.get(name)):
            bad = True
            yield result
    if not bad:
        yield "ok", f"The {len(scripts)} procedures are there, and as this version has them.", None


def _procedure(
    exam: Examination, name: str, script: str, row: Row | None, recorded: Checksums | None
) -> Iterator[Result]:
    named = f"{exam.schema}.{name}"
    text = row["definition"] if row else None
    if row is None:
        yield "error", f"The procedure {named} is missing.", INSTALL
    elif text is None and row["is_encrypted"]:
        yield "warning", f"The procedure {named} is encrypted, so nobody sees whether it is ours.", INSTALL
    elif text is None:
        grant = exam.here(f"GRANT VIEW DEFINITION ON dbo.{name} TO agent_funnel_service;")
        yield "note", f"Could not be checked: this login must not see the text of {named}.", grant
    elif text.strip() == _as_kept(exam.here(script)):
        return
    elif recorded is None or recorded.installed is None:
        yield "error", f"The procedure {named} is not that of this version, and it is not known who made it.", INSTALL
    elif recorded.installed != sql.checksum(text):
        remedy = f"{INSTALL} puts ours back; keep a copy of theirs if you want it."
        yield "error", f"Somebody has changed the procedure {named} since it was installed.", remedy
    elif recorded.script != sql.checksum(script):
        yield "error", f"The procedure {named} is that of another version of Agent Funnel.", INSTALL


def _as_kept(script: str) -> str:
    """The text of a procedure as servers keep it: the batch that made it, with CREATE instead of ALTER."""
    batch = next(batch for batch in sql.batches(script) if batch.startswith("ALTER PROCEDURE"))
    return "CREATE" + batch.removeprefix("ALTER")


def truncate(exam: Examination) -> Iterator[Result]:
    """Whether a deal can empty the assignments."""
    table, rows = exam.here("dbo.agent_wafunnel_assignment"), exam.database.all("doctor_truncate")
    for row in rows:
        yield "error", f"No deal can empty {table}, since {row['reason']}.", row["remedy"]
    if not rows:
        yield "ok", f"A deal can empty {table}.", None


def indexes(exam: Examination) -> Iterator[Result]:
    """Which indexes would help. None is ever made here: each one costs writes, and the table may not be ours."""
    day = (exam.now - WINDOW).date()
    sizes = exam.one("doctor_sizes", day=day.isoformat())
    there = {
        tuple(str(row[name]).lower() for name in ("table_name", "first_column", "second_column"))
        for row in exam.database.all("doctor_indexes")
    }
    beginnings = {index[:2] for index in there}
    missing = [index for index in INDEXES if index[:2] not in beginnings]
    by_date = ("wafunnel", "date") in beginnings or ("wafunnel", "stage", "date") in there
    if exam.schema is not None and not by_date and sizes["recent"] * TENTH < sizes["leads"]:
        missing.append(BY_DATE)
    for table, column, why in missing:
        text = f"No index of {exam.here(f'dbo.{table}')} begins with {column}, so {why.format(**sizes)}."
        yield "note", text, exam.remedy(f"index_{table}_{column}")
    if not missing:
        yield "ok", "The useful indexes are there.", None
