"""The rows of the brief's tables: what the deal leaves out, or takes for something else than was meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from agent_funnel.doctor.check import Examination, Result, count_of, examples
from agent_funnel.values import Row

# What a missing value means:
MEANS = {
    ("wafunnel", "number"): "never dealt",
    ("wafunnel", "stage"): "never dealt",
    ("wafunnel", "date"): "never dealt",
    ("agents", "agent"): "given nothing",
    ("agents", "status"): "given nothing",
    ("agent_wafunnel_assignment", "agent"): "nobody's to call",
    ("agent_wafunnel_assignment", "number"): "of no use to anybody",
}


def missing_values(exam: Examination) -> Iterator[Result]:
    """Values that are NULL, or blank where that is as good as none."""
    rows = exam.database.all("doctor_nulls")
    for row in rows:
        table, column, one = row["table_name"], row["column_name"], row["found"] == 1
        rows_of = f"{count_of(row['found'], 'row')} of {exam.here(f'dbo.{table}')}"
        text = f"{rows_of} {'has' if one else 'have'} no {column}, and"
        remedy = f"Fill them in, or remove the rows; this lists them: {exam.remedy(f'missing_{table}')}"
        yield "warning", f"{text} {'is' if one else 'are'} {MEANS[table, column]}.", remedy
    if not rows:
        yield "ok", "No lead, agent or assignment lacks a value.", None


def duplicates(exam: Examination) -> Iterator[Result]:
    """Numbers that stand in several rows."""
    rows, twice = exam.database.all("doctor_duplicates"), exam.database.all("doctor_assigned_twice")
    if rows:
        text = f"{_several(rows, 'stands', 'stand')} in {rows[0]['leads']:,} rows of {exam.here('dbo.wafunnel')}"
        remedy = f"Remove the rows that are not wanted; this lists them: {exam.remedy('duplicates')}"
        yield "warning", f"{text}; of different leads of a number one is dealt, and the others wait.", remedy
    if ambiguous := exam.database.all("doctor_ambiguous"):
        text = f"{_several(ambiguous, 'has rows that', 'have rows that')} share the date but not the stage"
        remedy = f"Remove all of them but one; this lists them: {exam.remedy('ambiguous')}"
        yield "warning", f"{text}; at the same stage they are one lead, and an undo takes both back.", remedy
    if twice:
        remedy = f"See who put them there; the next deal begins anew. This lists them: {exam.remedy('assigned_twice')}"
        yield "warning", f"{_several(twice, 'is', 'are')} assigned more than once, which no deal does.", remedy
    if not rows and not twice:
        yield "ok", "No number stands in two leads, and none is assigned twice.", None


def _several(rows: list[Row], verb: str, verbs: str) -> str:
    """How many numbers there are, and some of them."""
    found = rows[0]["numbers"]
    shown = examples((row["number"] for row in rows), found)
    return f"{count_of(found, 'number')} ({shown}) {verb if found == 1 else verbs}"


def stages(exam: Examination) -> Iterator[Result]:
    """Stages that are none."""
    rows = exam.database.all("doctor_stages")
    if not rows:
        yield "ok", "All stages are from 1 to 4.", None
        return
    found, shown = rows[0]["leads"], ", ".join(str(row["stage"]) for row in rows)
    more = ", …" if found > sum(row["found"] for row in rows) else ""
    text = f"{count_of(found, 'lead has a stage', 'leads have stages')} outside 1 to 4 ({shown}{more})"
    yield "warning", f"{text}: what is below 1 is dealt, what is above 4 never.", exam.remedy("stages")


def dates(exam: Examination) -> Iterator[Result]:
    """Dates after today on the floor, and what SQLite keeps as a date and is none."""
    day = (exam.now + timedelta(days=1)).date()
    row = exam.one("doctor_dates", day=day.isoformat())
    future, none = row["leads"], row["no_dates"]
    remedy = f"Correct those that are mistaken; this lists them: {exam.remedy('dates')}"
    if none:
        text = f"{count_of(none, 'lead has', 'leads have')} a date that is not an ISO 8601 text, and"
        text = f"{text} {'is' if none == 1 else 'are'}"
        yield "warning", f"{text} never dealt.", remedy
    if future:
        text = f"{count_of(future, 'lead has', 'leads have')} a date in the future, up to {str(row['latest'])[:10]}:"
        yield "warning", f"{text} dealt like others, and running out that much later.", remedy
    if not none and not future:
        yield "ok", "No date of a lead is in the future.", None


def statuses(exam: Examination) -> Iterator[Result]:
    """Statuses that count as inactive without saying so."""
    rows = exam.database.all("doctor_statuses")
    if not rows:
        yield "ok", "Every agent is active or inactive.", None
        return
    found, shown = rows[0]["agents"], ", ".join(repr(row["status"]) for row in rows)
    text = f"{count_of(found, 'agent has', 'agents have')} a status that is neither active nor inactive ({shown})"
    yield (
        "warning",
        f"{text}, and {'is' if found == 1 else 'are'} given nothing.",
        f"Set them right, or: {exam.remedy('statuses')}",
    )
