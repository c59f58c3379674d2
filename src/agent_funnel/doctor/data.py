"""Checks of the rows of your three tables: rows that no deal uses, and rows that a deal may read wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from agent_funnel.do_not_contact import old_lists
from agent_funnel.doctor.check import Examination, Result, count_of, examples
from agent_funnel.masking import mask_digits
from agent_funnel.values import Row

# The consequence of a missing value, by table and column:
CONSEQUENCES = {
    ("wafunnel", "number"): "never dealt",
    ("wafunnel", "stage"): "never dealt",
    ("wafunnel", "date"): "never dealt",
    ("agents", "agent"): "given no leads",
    ("agents", "status"): "given no leads",
    ("agent_wafunnel_assignment", "agent"): "on nobody's list",
    ("agent_wafunnel_assignment", "number"): "of no use",
}


def missing_values(exam: Examination) -> Iterator[Result]:
    """Finds values that are NULL, and blank texts where a blank counts as missing."""
    rows = exam.database.all("doctor_nulls")
    for row in rows:
        table, column, one = row["table_name"], row["column_name"], row["found"] == 1
        rows_of = f"{count_of(row['found'], 'row')} of {exam.here(f'dbo.{table}')}"
        text = f"{rows_of} {'has' if one else 'have'} no {column}, and"
        remedy = f"Fill in the values, or remove the rows. This lists them: {exam.remedy(f'missing_{table}')}"
        yield "warning", f"{text} {'is' if one else 'are'} {CONSEQUENCES[table, column]}.", remedy
    if not rows:
        yield "ok", "No lead, agent or assignment lacks a value.", None


def duplicates(exam: Examination) -> Iterator[Result]:
    """Finds numbers that are in several rows."""
    rows, twice = exam.database.all("doctor_duplicates"), exam.database.all("doctor_assigned_twice")
    if rows:
        text = f"{_numbers(rows, 'is', 'are')} in {rows[0]['leads']:,} rows of {exam.here('dbo.wafunnel')}"
        remedy = f"Remove the rows that you do not want. This lists them: {exam.remedy('duplicates')}"
        yield "warning", f"{text}; of different leads with the same number, one is dealt and the others wait.", remedy
    if ambiguous := exam.database.all("doctor_ambiguous"):
        text = f"{_numbers(ambiguous, 'has', 'have')} rows with the same date but different stages"
        remedy = f"Keep one row of each number and date. This lists them: {exam.remedy('ambiguous')}"
        yield "warning", f"{text}; once the stages are equal, they are one lead, and an undo takes all back.", remedy
    if twice:
        advice = "Find out who wrote them; the next deal replaces all assignments."
        remedy = f"{advice} This lists them: {exam.remedy('assigned_twice')}"
        yield "warning", f"{_numbers(twice, 'is', 'are')} assigned more than once, which no deal does.", remedy
    if not rows and not twice:
        yield "ok", "No number has two leads in the same spelling, and no number is assigned twice.", None


def _numbers(rows: list[Row], verb: str, verbs: str) -> str:
    """The count of the numbers, a few examples, and the verb in singular or plural."""
    found = rows[0]["numbers"]
    shown = examples((row["number"] for row in rows), found)
    return f"{count_of(found, 'number')} ({shown}) {verb if found == 1 else verbs}"


def stages(exam: Examination) -> Iterator[Result]:
    """Finds stages outside 1 to 4."""
    rows = exam.database.all("doctor_stages")
    if not rows:
        yield "ok", "All stages are from 1 to 4.", None
        return
    found, shown = rows[0]["leads"], ", ".join(str(row["stage"]) for row in rows)
    more = ", …" if found > sum(row["found"] for row in rows) else ""
    text = f"{count_of(found, 'lead has a stage', 'leads have stages')} outside 1 to 4 ({shown}{more})"
    yield "warning", f"{text}: a lead below 1 is dealt, and a lead above 4 is never dealt.", exam.remedy("stages")


def dates(exam: Examination) -> Iterator[Result]:
    """Finds dates in the future; on SQLite also values that are not dates."""
    day = (exam.now + timedelta(days=1)).date()
    row = exam.one("doctor_dates", day=day.isoformat())
    future, invalid = row["leads"], row["no_dates"]
    remedy = f"Correct the dates that are wrong. This lists them: {exam.remedy('dates')}"
    if invalid:
        text = f"{count_of(invalid, 'lead has', 'leads have')} a date that is not an ISO 8601 text, and"
        text = f"{text} {'is' if invalid == 1 else 'are'}"
        yield "warning", f"{text} never dealt.", remedy
    if future:
        text = f"{count_of(future, 'lead has', 'leads have')} a date in the future, up to {str(row['latest'])[:10]};"
        yield "warning", f"{text} such leads are dealt like others, and become too old later.", remedy
    for count, what, thing in ((row["bad_limits"], "limit", "limits"), (row["bad_holidays"], "holiday", "holidays")):
        if count:
            text = f"{count_of(count, f'{what} has', f'{thing} have')} a day that is not an ISO 8601 text, and"
            listed = f"Remove the rows. This lists them: {exam.remedy(f'bad_{thing}')}"
            yield "warning", f"{text} {'holds' if count == 1 else 'hold'} on no day.", listed
    if not invalid and not future and not row["bad_limits"] and not row["bad_holidays"]:
        yield "ok", "No date of a lead is in the future.", None


def numbers(exam: Examination) -> Iterator[Result]:
    """Finds numbers that nobody can dial: those that are not 8 to 15 digits, blanks and marks between them aside."""
    rows = exam.database.all("doctor_numbers")
    if not rows:
        yield "ok", "Every number has 8 to 15 digits.", None
        return
    found = rows[0]["leads"]
    text = f"{count_of(found, 'lead has a number', 'leads have numbers')} that nobody can dial"
    shown = examples((row["number"] for row in rows), found)
    remedy = f"Correct them, or put them on the do-not-contact list. This lists them: {exam.remedy('numbers')}"
    yield "note", f"{text} ({shown}): not 8 to 15 digits; they are dealt like others.", remedy


def unread_numbers(exam: Examination) -> Iterator[Result]:
    """Finds numbers in the table that was the do-not-contact list; somebody still writes there."""
    rows = exam.database.all("doctor_unread")
    if not rows:
        yield "ok", f"No number is in {exam.here('dbo.do_not_contact')}, which no deal reads.", None
        return
    remedy = f"Put them on a do-not-contact list, and change the program that writes there: {exam.remedy('unread')}"
    where = f"in {exam.here('dbo.do_not_contact')}, which no deal reads since there are do-not-contact lists"
    yield "warning", f"{_numbers(rows, 'is', 'are')} {where}.", remedy


def old_numbers(exam: Examination) -> Iterator[Result]:
    """Finds do-not-contact lists that are older than their bounds."""
    found = old_lists(exam.database, exam.now)
    for each in found:
        remedy = f"Import it again: agent-funnel import do-not-contact FILE --list {each.name!r} --replace"
        yield "warning", str(mask_digits(each.text)), remedy
    if not found:
        yield "ok", "No do-not-contact list is older than its bound.", None


def statuses(exam: Examination) -> Iterator[Result]:
    """Finds statuses other than active and inactive. The deal treats them as inactive."""
    rows = exam.database.all("doctor_statuses")
    if not rows:
        yield "ok", "Every agent is active or inactive.", None
        return
    found, shown = rows[0]["agents"], ", ".join(repr(row["status"]) for row in rows)
    text = f"{count_of(found, 'agent has', 'agents have')} a status that is neither active nor inactive ({shown})"
    yield (
        "warning",
        f"{text}, and {'is' if found == 1 else 'are'} given no leads.",
        f"Correct them, or make them inactive: {exam.remedy('statuses')}",
    )
