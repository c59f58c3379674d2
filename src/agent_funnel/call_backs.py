"""Call-backs: those that agents have reported, and no deal has handed out."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from agent_funnel.database import Database
from agent_funnel.values import Day, Flag, Moment, Record

CallBackState = Literal[
    "to_come", "due", "passed_over", "later", "do_not_contact", "wrong_number", "won", "lost", "gone"
]
# Call-backs that an export reads at a time:
PAGE = 1_000
# The place of a call-back in the list: its day and its id.
Place = tuple[date, int]


@dataclass(frozen=True)
class CallBack(Record):
    """A call-back that `agent` reported of a lead of a run. With `same_agent` it is to go to this agent again.

    `state` is "to_come", or "due" for the next deal; a deal since its day has "passed_over" it, because no agent had
    room, or another lead of the number came first; the number has another call-back on a "later" day. Or no deal hands
    it out, whatever its day: its number is on a "do_not_contact" list or is a "wrong_number", it is "won" or "lost"
    meanwhile, or its lead is "gone" from the table. Moments are in UTC.
    """

    outcome_id: int
    run_id: int
    agent: str
    number: str
    call_back_on: Day
    same_agent: Flag
    note: str | None
    reported_at: Moment
    state: CallBackState

    @property
    def place(self) -> Place:
        """Its place in the list."""
        return self.call_back_on, self.outcome_id


@dataclass(frozen=True)
class CallBackCounts(Record):
    """How many call-backs are due, and how many are to come. Those that something keeps out count, too."""

    due: int
    to_come: int


def list_call_backs(
    database: Database, business_date: date, *, agent: str | None = None, after: Place | None = None, count: int
) -> list[CallBack]:
    """The call-backs by their day, with their state for the deal of a business date; with `agent`, only theirs."""
    day, outcome_id = after or (None, None)
    rows = database.all(
        "call_backs",
        business_date=business_date.isoformat(),
        agent=agent,
        after_day=None if day is None else day.isoformat(),
        after_id=outcome_id,
        count=count,
    )
    return [CallBack.from_row(row) for row in rows]


def stream_call_backs(database: Database, business_date: date, *, agent: str | None = None) -> Generator[CallBack]:
    """All call-backs by their day, read in pages."""
    after = None
    while page := list_call_backs(database, business_date, agent=agent, after=after, count=PAGE):
        yield from page
        after = page[-1].place


def count_call_backs(database: Database, business_date: date) -> CallBackCounts:
    """Counts the call-backs for the deal of a business date."""
    row = database.one("count_call_backs", business_date=business_date.isoformat())
    assert row is not None
    return CallBackCounts.from_row(row)
