"""What the floor looks at: agents, leads, who has what now.

Lists come in pages: the next one is asked for with the key of the last row of the one before it as `after`, so that
pages put together are the whole list, however far one goes.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from agent_funnel.backends import Backend
from agent_funnel.errors import AlreadyExists, NotFound
from agent_funnel.records import (
    LONGEST,
    AgentRow,
    Assignment,
    DealtLead,
    DoNotContact,
    Lead,
    LeadHistory,
    PoolReport,
    Seat,
    length,
)
from agent_funnel.service import check_text, holders, run
from agent_funnel.settings import Settings

# What people put between the digits of a phone number:
BETWEEN = re.compile(r"[\s\-–()./]+")
# Records of one number that its history tells; in most tables there is one:
MOST_RECORDS = 1_000


def agents(backend: Backend, business_date: date) -> list[AgentRow]:
    """All agents by name, byte by byte; those without one are none."""
    return _agents(backend, business_date, None)


def roster(backend: Backend, business_date: date, name: str | None = None) -> list[Seat]:
    """All agents by name, byte by byte, or the one of a name, without what they have, which takes longer to count."""
    rows = backend.all("roster", agent=name, business_date=business_date.isoformat())
    return [Seat.from_row(row) for row in rows]


def funnel(backend: Backend) -> dict[int | None, int]:
    """How many records of `wafunnel` there are of each stage; None is what is no stage."""
    return {row["stage"]: row["leads"] for row in backend.all("funnel")}


def agent(backend: Backend, name: str, business_date: date) -> AgentRow:
    """The agent of a name. Raises NotFound if there is none."""
    found = _agents(backend, business_date, name)
    if not found:
        raise NotFound(f"There is no agent {name!r}.")
    return found[0]


def _agents(backend: Backend, business_date: date, name: str | None) -> list[AgentRow]:
    rows = backend.all("agents", agent=name, business_date=business_date.isoformat())
    return [AgentRow.from_row(row) for row in rows]


def add_agent(backend: Backend, name: str, *, active: bool = True) -> None:
    """Adds an agent. Raises AlreadyExists if there is one of this name, whose status then stays as it is."""
    check_text("agent", name)
    row = backend.one("add_agent", agent=name, status=_status(active))
    if not row or not row["added"]:
        raise AlreadyExists(f"There is an agent {name!r} already; nothing was changed.")


def set_agent_status(backend: Backend, name: str, *, active: bool) -> None:
    """Makes an agent active or inactive, in all rows of that name. Raises NotFound if there is none."""
    row = backend.one("set_agent_status", agent=name, status=_status(active))
    if not row or not row["changed"]:
        raise NotFound(f"There is no agent {name!r}.")


def _status(active: bool) -> str:
    return "active" if active else "inactive"


def assignments(
    backend: Backend, *, agent: str | None = None, after: tuple[str, str] | None = None, count: int
) -> list[Assignment]:
    """The present assignments, or those of an agent, by number and agent; at most `count`.

    `after` is number and agent of the last one of the page before: a table without a key may give a number to two.
    """
    number, holder = after or (None, "")
    rows = backend.all("assignments", agent=agent, after_number=number, after_agent=holder, count=count)
    return [Assignment.from_row(row) for row in rows]


def deal_version(backend: Backend) -> str:
    """A short text that another run, or an undo, changes.

    Asked for before the first page of the present assignments and again after each page, it tells whether all of them
    are of one deal. Numbers that the do-not-contact list takes out of the assignments do not change it.
    """
    row = backend.one("deal_version")
    assert row is not None
    return f"{row['newest']}.{row['undone']}"


def run_assignments(backend: Backend, run_id: int, *, after: str | None = None, count: int) -> list[DealtLead]:
    """What a run dealt, by number, after a number; at most `count`. Nothing is left of a run that was purged.

    Raises NotFound if there is no such run.
    """
    run(backend, run_id)
    return [DealtLead.from_row(row) for row in backend.all("run_assignments", run_id=run_id, after=after, count=count)]


def spellings(number: str) -> tuple[str, ...]:
    """The ways to write a number that a search takes for the same, five of them, some perhaps twice.

    As it is given; without blanks, dashes, parentheses, dots and slashes; and such with `+`, with `00` and with neither
    before the country's code. A number without its country's code stays without it.
    """
    plain = BETWEEN.sub("", number)
    digits = plain.removeprefix("+") if plain.startswith("+") else plain.removeprefix("00")
    return number, plain, f"+{digits}", f"00{digits}", digits


def leads(
    backend: Backend,
    *,
    number: str | None = None,
    stage: int | None = None,
    date_from: date | None = None,
    date_to: date | None = None,
    after: tuple[str, int | None, datetime | None] | None = None,
    count: int,
) -> list[Lead]:
    """The records of `wafunnel` by number, stage and date, at most `count`; equal rows are one. Blank numbers are none.

    With `number`, those of that number in any of its `spellings`; both days are inclusive; `after` is number, stage and
    date of the last record of the page before.
    """
    after_number, after_stage, after_date = after or (None, None, None)
    # There is no day after the last one, and no date after it either.
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
    if number is None:
        rows = backend.all("leads", **filters)
    else:
        rows = backend.all("leads_of_number", **_numbered(spellings(number)), **filters)
    return [Lead.from_row(row) for row in rows]


def _numbered(texts: tuple[str, ...]) -> dict[str, str]:
    # A spelling that is longer than any number can be is none, and T-SQL would refuse it.
    return {
        f"spelling_{index}": text if length(text) <= LONGEST else texts[0] for index, text in enumerate(texts, start=1)
    }


def lead(backend: Backend, number: str) -> LeadHistory:
    """What is known of a number, exactly as it is written. Raises NotFound where nothing is.

    Of a number in more than a thousand records, the first thousand are told.
    """
    nothing = dict.fromkeys(("stage", "date_from", "date_before", "after_number", "after_stage", "after_date"), None)
    rows = backend.all("leads_of_number", **_numbered((number,) * 5), **nothing, count=MOST_RECORDS)
    now = backend.one("lead_now", number=number)
    held = holders(backend, number)
    assert now is not None
    listed = None if now["added_at"] is None else DoNotContact.from_row({"number": number, **now})
    if not rows and not held and listed is None and now["agent"] is None:
        raise NotFound("Nothing is known of that number.")
    return LeadHistory(number, tuple(Lead.from_row(row) for row in rows), listed, now["agent"], tuple(held))


def pool_report(backend: Backend, settings: Settings, business_date: date) -> PoolReport:
    """What becomes of each lead on a business date, and why the others stay out of the pool: see PoolReport."""
    row = backend.one(
        "pool_report",
        business_date=business_date.isoformat(),
        window_days=settings.window_days,
        newest_first=int(settings.newest_first),
    )
    assert row is not None
    return PoolReport(business_date, **row)
