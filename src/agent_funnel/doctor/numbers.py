"""Checks of the spellings of numbers, by their match keys in the present country."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from agent_funnel.doctor.check import Check, Examination, Result, count_of, examples
from agent_funnel.masking import mask_digits
from agent_funnel.values import Row


class Reading(NamedTuple):
    """The code of a country, and another country that tells how its numbers are read, with that one's code."""

    code: str
    other: str
    other_code: str


# The countries where digits that begin with the country's code can be a whole number or a national one, since national
# numbers differ in length. An international number has the same match key in each country; one that is not gets the
# code of the other country.
READINGS = {"DE": Reading("49", "IT", "39"), "IT": Reading("39", "DE", "49")}
# Of so many do-not-contact lists a check speaks one by one:
SHOWN = 5


def spelled_twice(exam: Examination) -> Iterator[Result]:
    """Finds numbers that leads have in several spellings. It says how many numbers have no match key yet."""
    unkept = exam.one("doctor_unkept")["unkept"]
    added = (
        f"; {count_of(unkept, 'number')} could not be compared, since no deal and no service has kept "
        f"{'its match key' if unkept == 1 else 'their match keys'} yet"
        if unkept
        else ""
    )
    rows = exam.database.all("doctor_spellings")
    if not rows:
        yield "ok", f"No two leads have different spellings of one number{added}.", None
        return
    found = rows[0]["numbers"]
    shown = examples((row["number"] for row in rows), found)
    text = f"{count_of(found, 'number')} ({shown}) {'has' if found == 1 else 'have'} leads in several spellings"
    remedy = f"Remove the rows that you do not want. This lists them: {exam.remedy('spellings')}"
    yield (
        "warning",
        f"{text}, {rows[0]['spellings']:,} in all; of each number a deal deals one lead, and the others wait{added}.",
        remedy,
    )


def unmatched(exam: Examination) -> Iterator[Result]:
    """Finds numbers of the do-not-contact lists that match no lead, and those that nearly match one."""
    rows = exam.database.all("doctor_unmatched")
    nearly = [row for row in rows if row["nearly"]]
    for row in nearly[:SHOWN]:
        yield "warning", *_nearly(exam, row)
    if len(nearly) > SHOWN:
        yield "warning", f"{len(nearly) - SHOWN} more lists have numbers that nearly match leads.", "See above."
    for row in rows[:SHOWN]:
        found, which = row["unmatched"], mask_digits(row["name"])
        text = f"Of {count_of(row['entries'], 'number')} of the do-not-contact list {which}, {found:,}"
        remedy = "Nothing to do if these people are no leads. If none matches, look at the form of the file's numbers."
        yield "note", f"{text} ({row['number']}) {'matches' if found == 1 else 'match'} no lead.", remedy
    if len(rows) > SHOWN:
        text = f"{len(rows) - SHOWN} more do-not-contact lists have numbers that match no lead."
        yield "note", text, "Nothing to do if these people are no leads."
    if not rows:
        yield "ok", "Every number of the do-not-contact lists matches a lead.", None


def _nearly(exam: Examination, row: Row) -> tuple[str, str]:
    found = row["nearly"]
    text = (
        f"{count_of(found, 'number')} of the do-not-contact list {mask_digits(row['name'])} "
        f"{'matches' if found == 1 else 'match'} no lead, but the last eight digits of one: {row['nearly_number']} has "
        f"{row['entry_digits']} digits on the list, and {row['lead_digits']} as a lead."
    )
    advice = (
        "Compare their country codes and area codes"
        if exam.country()
        else "If one of them lacks its country code, record the country: agent-funnel rules set country BR, for example"
    )
    remedy = (
        f"{advice}. If they are of one person, put the lead's number on the list, too: agent-funnel do-not-contact add "
        f"NUMBER. This lists them: {exam.remedy('nearly')}"
    )
    return text, remedy


def readings(exam: Examination) -> Iterator[Result]:
    """Finds numbers without + or 00 that may have the country's code, or may be national numbers that begin like it."""
    country = exam.country()
    if country not in READINGS:
        where = f"in the country {country}" if country else "without a country"
        yield "ok", f"No number can be read in two ways {where}.", None
        return
    code, other, other_code = READINGS[country]
    rows = exam.database.all("doctor_readings", floor=country, code=code, country=other, other=other_code)
    if not rows:
        yield "ok", f"No number can be read in two ways in the country {country}.", None
        return
    found = rows[0]["numbers"]
    shown = examples((row["number"] for row in rows), found)
    text = f"{count_of(found, 'number')} ({shown}) can be read in two ways: a match key takes the first {len(code)}"
    remedy = "Write such numbers with + or 00 where they come from, and with 0 if they are national numbers."
    yield "note", f"{text} digits for the code of {country}, but a national number may begin with {code}, too.", remedy


# The checks that read all leads and lists:
DEEP_CHECKS: dict[str, Check] = {"list matches": unmatched, "readings": readings}
