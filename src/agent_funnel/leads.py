"""Leads: the search, the history of a number, and the reasons why leads are in the pool or not.

Lists come in pages. For the next page, pass the key of the last row of the page before as `after`; together the pages
are the whole list, however long it is.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from agent_funnel.database import Database
from agent_funnel.do_not_contact import DoNotContact, do_not_contact_of
from agent_funnel.errors import NotFound, ParameterOutOfRange, RunInProgress
from agent_funnel.import_records import LeadImport, imports_of_number
from agent_funnel.numbers import ending, match_key, spellings, take_in
from agent_funnel.rules import effective
from agent_funnel.runs import Holder, holders
from agent_funnel.sentences import sentence
from agent_funnel.settings import Settings
from agent_funnel.values import (
    LONGEST_TEXT,
    Day,
    Flag,
    LeadDate,
    Record,
    Text,
    text_length,
)

# The most records of one number that its history shows; in most tables a number has one record:
MOST_RECORDS = 1_000


@dataclass(frozen=True)
class Lead(Record):
    """A record of `wafunnel`, which stands for `copies` equal rows.

    `date` is local to the sales floor, to the millisecond; `agent` has the number now; `do_not_contact` is whether the
    number is on a do-not-contact list.
    """

    number: Text
    stage: int | None
    date: LeadDate | None
    agent: str | None
    do_not_contact: Flag
    copies: int


@dataclass(frozen=True)
class PoolLead(Record):
    """A record in the pool. `call_back_on` is the day of a call-back that is due; None for others."""

    number: Text
    stage: int
    date: LeadDate
    call_back_on: Day | None


@dataclass(frozen=True)
class LeadHistory:
    """Everything on record about a number.

    That is its records, its entries in the do-not-contact lists, the agent who has it now, and, newest first, the
    agents who held it and the imports that added or changed it.
    """

    number: str
    records: tuple[Lead, ...]
    do_not_contact: tuple[DoNotContact, ...]
    agent: str | None
    holders: tuple[Holder, ...]
    imports: tuple[LeadImport, ...]


@dataclass(frozen=True)
class PoolReport:
    """The rows of `wafunnel` by the reason why they are in the pool or not. The reasons add up to `total`.

    Each row counts once, under the first reason that applies: `unusable` (a blank number, no stage or no date), `dealt`
    (its number is in the present assignments), `do_not_contact`, an outcome that keeps it out (`wrong_number`, `won`,
    `lost`, `call_back_to_come`), `at_stage_4` (or more), `too_old`, `duplicate` (it waits behind another record of its
    number), `left_over` (in the pool, and no agent has it). A call-back that is due is in the pool in any case.
    """

    business_date: date
    dealt: int
    left_over: int
    at_stage_4: int
    too_old: int
    do_not_contact: int
    wrong_number: int
    won: int
    lost: int
    call_back_to_come: int
    duplicate: int
    unusable: int
    total: int


@dataclass(frozen=True)
class RowCounts(Record):
    """The number of rows of `wafunnel` and of `agents`."""

    leads: int
    agents: int


def search_leads(
    database: Database,
    *,
    number: str | None = None,
    stage: int | None = None,
    date_from: date | None = None,
    date_to: date | None = None,
    import_id: int | None = None,
    after: tuple[str, int | None, datetime | None] | None = None,
    count: int,
) -> list[Lead]:
    """The records of `wafunnel`, sorted by number, stage and date; at most `count`. Equal rows are one record.

    Rows with a blank number are left out. With `number`, only records of that number, in its usual spellings and in
    those that have its match key; four or more digits also find the numbers that end with them. With `import_id`, only
    those that this import added or changed. Both days are inclusive. `after` is the number, the stage and the date of
    the last record on the page before.
    """
    after_number, after_stage, after_date = after or (None, None, None)
    # After the last day of the calendar there is no day, and no date either.
    before = None if date_to is None or date_to == date.max else date_to + timedelta(days=1)
    filters: dict[str, Any] = {
        "stage": stage,
        "date_from": None if date_from is None else date_from.isoformat(),
        "date_before": None if before is None else before.isoformat(),
        "after_number": after_number,
        "after_stage": after_stage,
        "after_date": None if after_date is None else after_date.isoformat(" ", "milliseconds"),
        "count": count,
    }
    if number is not None and import_id is not None:
        raise ParameterOutOfRange(sentence("A search is by number or by import, not by both. Nothing was searched."))
    if import_id is not None:
        rows = database.all("leads_of_import", import_id=import_id, **filters)
    elif number is None:
        rows = database.all("leads", **filters)
    else:
        rows = database.all(
            "leads_of_number", **_spelling_parameters(database, number), digits=ending(number), **filters
        )
    return [Lead.from_row(row) for row in rows]


def _spelling_parameters(database: Database, number: str) -> dict[str, str]:
    texts = spellings(number)
    # T-SQL rejects parameters longer than the column; an over-long spelling cannot match anyway.
    found = {
        f"spelling_{index}": text if text_length(text) <= LONGEST_TEXT else texts[0]
        for index, text in enumerate(texts, start=1)
    }
    return {**found, "match_key": match_key(database, number)}


def lead_history(database: Database, number: str) -> LeadHistory:
    """Everything on record about a number, in any spelling; at most its first thousand records.

    The number of the result is the given one if a record has it, or else that of the first record. Raises NotFound if
    nothing is on record.
    """
    nothing = dict.fromkeys(("stage", "date_from", "date_before", "after_number", "after_stage", "after_date"), None)
    written = _spelling_parameters(database, number)
    rows = database.all("leads_of_number", **written, digits=None, **nothing, count=MOST_RECORDS)
    now = database.one("lead_now", number=number, match_key=written["match_key"])
    held = holders(database, number, key=written["match_key"])
    listed = do_not_contact_of(database, number, key=written["match_key"])
    imported = imports_of_number(database, number, key=written["match_key"])
    assert now is not None
    if not rows and not held and not listed and not imported and now["agent"] is None:
        raise NotFound(sentence("Nothing is on record about that number."))
    records = tuple(Lead.from_row(row) for row in rows)
    stored = [record.number for record in records]
    shown = number if number in stored or not stored else stored[0]
    return LeadHistory(shown, records, tuple(listed), now["agent"], tuple(held), tuple(imported))


def count_rows(database: Database) -> RowCounts:
    """How many rows `wafunnel` and `agents` have."""
    row = database.one("count_leads")
    assert row is not None
    return RowCounts.from_row(row)


def count_by_stage(database: Database) -> dict[int | None, int]:
    """How many records of `wafunnel` have each stage; those with an invalid stage are counted under None."""
    return {row["stage"]: row["leads"] for row in database.all("funnel")}


def stream_pool(database: Database, settings: Settings, business_date: date) -> Generator[PoolLead]:
    """The pool of a deal on this business date, in deal order."""
    rules = effective(database, settings)
    # So that leads which others have inserted are found in every spelling, as a deal finds them.
    with suppress(RunInProgress):
        take_in(database)
    for rows in database.stream(
        "pool_leads",
        business_date=business_date.isoformat(),
        window_days=rules.window_days,
        newest_first=int(rules.newest_first),
    ):
        for row in rows:
            yield PoolLead.from_row(row)


def pool_report(database: Database, settings: Settings, business_date: date) -> PoolReport:
    """Counts the rows of `wafunnel` for a business date, by the reasons of PoolReport."""
    rules = effective(database, settings)
    row = database.one(
        "pool_report",
        business_date=business_date.isoformat(),
        window_days=rules.window_days,
        newest_first=int(rules.newest_first),
    )
    assert row is not None
    return PoolReport(business_date, **row)
