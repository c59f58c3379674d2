"""The oracle of outcomes: what reports of the agents do to a deal, in plain Python, written only from the description.

Only outcomes that stand are given: the newest of a run and number, unless it was taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import uuid4

from support.match_keys import match_key

Record = tuple[str, int, datetime]  # number, stage, date

# The outcomes that a purge never removes, since they keep a record or a number out for good:
LASTING = ("won", "lost", "wrong_number", "opted_out")


@dataclass(frozen=True)
class Reported:
    """An outcome that stands, of a lead as its run dealt it."""

    run_id: int
    business_date: date  # of its run
    agent: str
    number: str
    created: datetime
    outcome: str
    reported_on: date
    call_back_on: date | None = None
    same_agent: bool = False
    stage: int = 1
    report: str = field(default_factory=lambda: uuid4().hex)  # tells two reports of one lead apart


@dataclass(frozen=True)
class Outcomes:
    """The outcomes that stand, and those of them that are call-backs which a run, not undone, has handed out."""

    reported: Collection[Reported] = ()
    used_up: Collection[Reported] = ()

    def keep_out(self, record: Record, business_date: date) -> bool:
        """Whether an outcome keeps a record out of the deal of a date."""
        number, _, created = record
        for one in self.reported:
            if match_key(one.number) != match_key(number):
                continue
            if one.outcome == "wrong_number":
                return True
            closed = one.outcome in ("won", "lost")
            if closed and (created.date() <= one.reported_on or (number, created) == (one.number, one.created)):
                return True
            if one.call_back_on is not None and one not in self.used_up and one.call_back_on > business_date:
                return True
        return False

    def due(self, record: Record, business_date: date) -> list[Reported]:
        """The call-backs of a record that are due and were not handed out, the newest first."""
        number, _, created = record
        found = [
            one
            for one in self.reported
            if one.call_back_on is not None and one.call_back_on <= business_date and one not in self.used_up
            if (one.number, one.created) == (number, created)
        ]
        return sorted(found, key=lambda one: -one.run_id)

    def talked(self, number: str, business_date: date) -> str | None:
        """The agent who talked to a number last, if that is its newest outcome, and at most seven days old."""
        of_number = [one for one in self.reported if match_key(one.number) == match_key(number)]
        if not of_number:
            return None
        newest = max(of_number, key=lambda one: one.run_id)
        recent = newest.business_date >= business_date - timedelta(days=7)
        return newest.agent if newest.outcome == "talked" and recent else None

    def wrong_numbers(self) -> set[str]:
        """The match keys that are reported as wrong numbers."""
        return {match_key(one.number) for one in self.reported if one.outcome == "wrong_number"}

    def after_purge(
        self, purged: Collection[int], handed_out: Collection[Reported], told: Collection[tuple[int, str]] = ()
    ) -> list[Reported]:
        """The outcomes that are left when these runs are purged, which handed out these call-backs for good.

        `told` are the runs and numbers of the call-backs that are still there.
        """
        return [
            one
            for one in self.reported
            if one.run_id not in purged
            or one.outcome in LASTING
            or (one.call_back_on is not None and one not in handed_out)
            or (one.outcome == "not_worked" and (one.run_id, one.number) in told)
        ]


def keep_call_backs(call_backs: Sequence[tuple[Record, str | None]], shares: Mapping[str, int]) -> dict[Record, str]:
    """The due call-backs that go to the agent who asked for them; given in deal order, each with that agent."""
    kept: dict[Record, str] = {}
    for record, agent in call_backs:
        if agent is not None and list(kept.values()).count(agent) < shares.get(agent, 0):
            kept[record] = agent
    return kept


def keep_talked(slots: Sequence[str], talked: Sequence[str | None]) -> tuple[list[str], list[int]]:
    """The agents of the leads of a class, of which some stay with the agent who talked to them; and which ones stay.

    The n-th lead of an agent takes that agent's n-th slot; the other leads take the other slots, in order.
    """
    takers: dict[int, str] = {}
    taken: set[int] = set()
    for lead, agent in enumerate(talked):
        free = [place for place, slot in enumerate(slots) if slot == agent and place not in taken]
        if free:
            takers[lead] = slots[free[0]]
            taken.add(free[0])
    stay = sorted(takers)
    left = [slot for place, slot in enumerate(slots) if place not in taken]
    for lead in range(len(slots)):
        if lead not in takers:
            takers[lead] = left.pop(0)
    return [takers[lead] for lead in range(len(slots))], stay
