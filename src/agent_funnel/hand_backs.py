"""Hand-backs: an agent who goes home gives the rest of the list back, and how that is undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agent_funnel.database import Database
from agent_funnel.runs import LARGEST_RUN_ID
from agent_funnel.values import Day, Moment, Record, check_length, shortened, write_moment


@dataclass(frozen=True)
class HandBack(Record):
    """A hand-back: how many `leads` of a run an agent gave back. Moments are in UTC.

    `put_back` is the number of these leads whose stage went back to that of before the run; somebody had changed the
    others. `returned` is the number of leads that came back to the agent when the hand-back was undone.
    """

    hand_back_id: int
    run_id: int
    business_date: Day
    agent: str
    handed_back_at: Moment
    handed_back_by: str | None
    leads: int
    put_back: int
    undone_at: Moment | None
    undone_by: str | None
    returned: int | None


@dataclass(frozen=True)
class LeadsToHandBack(Record):
    """The number of leads that an agent could hand back now, and the run that dealt them; None without leads."""

    run_id: int | None
    leads: int


@dataclass(frozen=True)
class HandedBackByAgent(Record):
    """How many leads an agent has handed back since the last run, and when last; without hand-backs that were undone.

    The moment is in UTC.
    """

    agent: str
    leads: int
    last_at: Moment


def leads_to_hand_back(database: Database, agent: str) -> LeadsToHandBack:
    """How many leads of the last run an agent has that have no outcome yet."""
    row = database.one("leads_to_hand_back", agent=agent)
    assert row is not None
    return LeadsToHandBack.from_row(row)


def hand_back_leads(
    database: Database, agent: str, *, actor: str, now: datetime, zone: ZoneInfo, run_id: int | None = None
) -> HandBack:
    """Hands back the leads that an agent has of the last run, as far as they have no outcome.

    They get the outcome not_worked, with its effect on their stage, and leave the present assignments. With `run_id`,
    the last run must be this one. Waits for a deal in progress. Raises ParameterOutOfRange if there is nothing to hand
    back, and RunInProgress if the wait was too long.
    """
    check_length("agent", agent)
    row = database.one(
        "hand_back_leads",
        agent=agent,
        run_id=None if run_id is None else min(run_id, LARGEST_RUN_ID),
        reported_on=now.astimezone(zone).date().isoformat(),
        now=write_moment(now),
        actor=shortened(actor),
    )
    assert row is not None
    return HandBack.from_row(row)


def undo_hand_back(
    database: Database, *, actor: str, now: datetime, agent: str | None = None, hand_back_id: int | None = None
) -> HandBack:
    """Undoes a hand-back, or the newest one of an agent, until the next run. A second time changes nothing.

    Waits for a deal in progress. Raises ParameterOutOfRange if there is no such hand-back, or if it is too late.
    """
    assert agent is not None or hand_back_id is not None
    row = database.one(
        "undo_hand_back",
        agent=agent,
        hand_back_id=None if hand_back_id is None else min(hand_back_id, LARGEST_RUN_ID),
        now=write_moment(now),
        actor=shortened(actor),
    )
    assert row is not None
    return HandBack.from_row(row)


def list_hand_backs(
    database: Database, *, run_id: int | None = None, agent: str | None = None, count: int
) -> list[HandBack]:
    """The newest hand-backs, newest first: of a run, or of an agent."""
    bounded = None if run_id is None else min(run_id, LARGEST_RUN_ID)
    return [HandBack.from_row(row) for row in database.all("hand_backs", run_id=bounded, agent=agent, count=count)]


def handed_back_by_agent(database: Database, last_run_id: int) -> list[HandedBackByAgent]:
    """What agents have handed back since the last run that is not undone, `last_run_id`; the newest first."""
    return [HandedBackByAgent.from_row(row) for row in database.all("handed_back_by_agent", run_id=last_run_id)]
