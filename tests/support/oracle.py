"""The oracle: the rules in plain Python, written only from their description.

The code is slow and naive on purpose, so that anyone can see that it is right: the deal deals one lead at a time, round
by round, and the undo keeps a copy of all assignments before every run. The tests compare every engine with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

from agent_funnel.errors import AlreadyRun, NoActiveAgent, NotConfirmed, NothingToUndo
from support.match_keys import match_key
from support.oracle_outcomes import Outcomes, Record, Reported, keep_call_backs, keep_talked

Agent = tuple[str | None, str | None]  # agent, status
Lead = tuple[str | None, int | None, datetime | None]  # number, stage, date
Limit = tuple[str, date, date | None, int]  # agent, starts_on, ends_on, max_records
Pair = tuple[str | None, str | None]  # agent, number
# Room, leads, leads by stage, leads by age in days, call-backs, and of these those that stay with the agent:
Planned = tuple[int, int, Mapping[int, int], Mapping[str, int], int, int]


NOTHING_REPORTED = Outcomes()
NO_CALL_BACKS: Mapping[str, int] = {}


@dataclass(frozen=True)
class Dealt:
    """The result of a run, and its amounts under the names of the run's record."""

    assignments: list[tuple[str, str]]  # agent, number, in the order of the deal
    leads: list[Lead]  # all rows of wafunnel, in their given order
    history: list[tuple[str, str, datetime, int]]  # agent, number, date, stage before
    last_agent: str | None  # the agent after whom the next run begins
    rooms: dict[str, int]  # the agents who took part, and how many leads each could get
    amounts: dict[str, int]
    limited: dict[str, int] = field(default_factory=dict)  # the agents with less room than the cap, or none
    call_backs: list[Reported] = field(default_factory=list)  # those that the run handed out
    without_room: int = 0  # call-backs that are due, and that nobody got
    # Whether each lead of the history is a call-back, and whether it stays with its agent as such:
    due: list[tuple[bool, bool]] = field(default_factory=list)

    def holders(self) -> dict[str, str]:
        """The agent who got each match key."""
        return {match_key(number): agent for agent, number in self.assignments}


def deal(
    agents: Iterable[Agent],
    leads: Collection[Lead],
    limits: Collection[Limit],
    do_not_contact: Collection[str],
    last_agent: str | None,
    business_date: date,
    *,
    had_last: Mapping[str, str] | None = None,
    max_per_agent: int = 450,
    window_days: int = 45,
    newest_first: bool = False,
    voice: str = "fresh",
    forgotten: Collection[str] = (),
    outcomes: Outcomes = NOTHING_REPORTED,
) -> Dealt:
    """Deals. Raises NoActiveAgent if no agent has room. `had_last` is the agent who had each match key last."""
    # The agents who take part, and the room of each: the lowest of the cap and of the limits that cover the day.
    rooms: dict[str, int] = {}
    for name, status in agents:
        if name is not None and name.strip() and status is not None and status.strip().lower() == "active":
            rooms[name] = max_per_agent
            for agent, starts_on, ends_on, max_records in limits:
                if agent == name and starts_on <= business_date and (ends_on is None or business_date <= ends_on):
                    rooms[name] = min(rooms[name], max_records)
    limited = {name: room for name, room in rooms.items() if room < max_per_agent}
    rooms = {name: room for name, room in rooms.items() if room > 0}
    if not rooms:
        raise NoActiveAgent

    # The pool, in deal order. Because it is a set, rows that are equal in everything are one record.
    midnight = datetime.combine(business_date - timedelta(days=window_days), time.min)
    eligible: set[Record] = set()
    for number, stage, created in leads:
        if number is None or not number.strip() or stage is None or created is None:
            continue
        if (stage < 4 and created >= midnight) or outcomes.due((number, stage, created), business_date):
            eligible.add((number, stage, created))
    # Whether a number is forgotten, or on a list, is the same for the deal.
    listed = {match_key(number) for number in (*do_not_contact, *forgotten)}
    not_listed = [record for record in eligible if match_key(record[0]) not in listed]
    allowed = [record for record in not_listed if not outcomes.keep_out(record, business_date)]
    due = {record: found[0] for record in allowed if (found := outcomes.due(record, business_date))}
    # The last sort has the highest priority; each sort keeps the order of equals.
    allowed.sort(key=lambda record: record[0].encode())
    allowed.sort(key=lambda record: record[2], reverse=newest_first)
    allowed.sort(key=lambda record: record[1])
    allowed.sort(key=lambda record: due[record].call_back_on or date.max if record in due else date.max)
    allowed.sort(key=lambda record: record not in due)
    pool: list[Record] = []
    seen: set[str] = set()
    for record in allowed:
        if match_key(record[0]) not in seen:
            pool.append(record)
            seen.add(match_key(record[0]))

    # The seats: by name, beginning after the agent who got the last lead, or after the place where that name would be.
    by_name = sorted(rooms, key=str.encode)
    behind = [name for name in by_name if last_agent is not None and name.encode() > last_agent.encode()]
    seats = behind + [name for name in by_name if name not in behind]

    # Round by round, one lead each; agents without room left are skipped. This decides how many leads each agent gets,
    # and after whom the next run begins.
    shares = dict.fromkeys(seats, 0)
    count = 0
    while count < len(pool) and any(shares[name] < rooms[name] for name in seats):
        for name in seats:
            if count < len(pool) and shares[name] < rooms[name]:
                shares[name] += 1
                count += 1
                last_agent = name
    # Call-backs that are to go to the same agent do so, as far as that agent's share reaches.
    asked = [(record, due[record].agent if due[record].same_agent else None) for record in pool if record in due]
    kept = keep_call_backs(asked, shares)
    others = [record for record in pool if record not in kept]
    slots = spread(seats, shares, rooms, Counter(kept.values()))
    others = others[: len(slots)]
    takers: dict[Record, str] = dict(kept)
    stayed = set(kept)
    # The classes: call-backs, then each stage. In each, leads stay with an agent who talked to them; the others change
    # places, so that as few as possible meet the agent who had them last. With the other rule they stay.
    classes = [0 if record in due else record[1] + 10_000 for record in others]
    last_voice = had_last or {}
    for one in sorted(set(classes)):
        places = [i for i in range(len(slots)) if classes[i] == one]
        leads_of_class = [others[i] for i in places]
        talked = [outcomes.talked(number, business_date) for number, _, _ in leads_of_class]
        of_class, stay = keep_talked([slots[i] for i in places], talked)
        moving = [i for i in range(len(places)) if i not in stay]
        had = [last_voice.get(match_key(leads_of_class[i][0])) for i in moving]
        slotted = [of_class[i] for i in moving]
        for i, taker in zip(moving, fresh_voices(slotted, had) if voice == "fresh" else slotted, strict=True):
            of_class[i] = taker
        takers |= dict(zip(leads_of_class, of_class, strict=True))
        stayed |= {leads_of_class[i] for i in stay}
    dealt_pairs = [(takers[record], record) for record in pool if record in takers]
    had_by = {record: last_voice.get(match_key(record[0])) for _, record in dealt_pairs}

    handed_out = {record for _, record in dealt_pairs}
    after: list[Lead] = []
    for number, stage, created in leads:
        advances = (number, stage, created) in handed_out
        after.append((number, next_stage(stage) if advances and stage is not None else stage, created))
    return Dealt(
        assignments=[(name, number) for name, (number, _, _) in dealt_pairs],
        leads=after,
        history=[(name, number, created, stage) for name, (number, stage, created) in dealt_pairs],
        last_agent=last_agent,
        rooms=rooms,
        limited=limited,
        amounts={
            "agents": len(rooms),
            "pool": len(pool),
            # The even share, rounded up, before limits of single agents:
            "per_agent": min((len(pool) + len(rooms) - 1) // len(rooms), max_per_agent),
            "assigned": len(dealt_pairs),
            "left_over": len(pool) - len(dealt_pairs),
            "duplicates": len(allowed) - len(pool),
            "suppressed": len(eligible) - len(not_listed),
            "kept_out": len(not_listed) - len(allowed),
            "came_round": sum(agent is not None for agent in had_by.values()),
            "same_agent": sum(had_by[record] == taker for taker, record in dealt_pairs if record not in stayed),
            "stayed": len(stayed),
            "smallest_share": min(shares.values()),
            "largest_share": max(shares.values()),
        },
        without_room=sum(record not in takers for record in pool if record in due),
        due=[(record in due, record in due and record in stayed) for _, record in dealt_pairs],
        call_backs=[one for _, record in dealt_pairs for one in outcomes.due(record, business_date)],
    )


def next_stage(stage: int) -> int:
    """The stage of a lead after a deal that began with this one: a call-back that is finished stays so."""
    return stage + 1 if stage < 4 else stage


def spread(
    seats: Sequence[str], shares: Mapping[str, int], rooms: Mapping[str, int], kept: Mapping[str, int] = NO_CALL_BACKS
) -> list[str]:
    """The agent of each position of the deal: each group of agents deals round by round, over the whole deal.

    `kept` is how many leads of an agent are call-backs that are dealt already: these need no position.
    """
    largest = max(shares.values())
    left = {name: shares[name] - kept.get(name, 0) for name in seats}
    # The agents who are full with fewer leads than the largest share, and those with call-backs, by the leads that are
    # left; all others are the group 0.
    groups: dict[int, list[str]] = {}
    for name in seats:
        on_their_own = shares[name] == rooms[name] < largest or kept.get(name, 0) > 0
        groups.setdefault(left[name] if on_their_own else 0, []).append(name)
    slots: list[tuple[Fraction, int, str]] = []
    for group, members in groups.items():
        sequence = [name for turn in range(largest) for name in members if turn < left[name]]
        slots += [(Fraction(2 * j + 1, 2 * len(sequence)), group, name) for j, name in enumerate(sequence)]
    return [name for _, _, name in sorted(slots)]


def fresh_voices(slots: Sequence[str], had: Sequence[str | None]) -> list[str]:
    """The agent of each lead of a stage, from the agents of their slots and those who had the leads last."""
    takers = list(slots)
    clashes = [i for i in range(len(slots)) if slots[i] == had[i]]
    times = Counter(slots[i] for i in clashes)
    clashes.sort(key=lambda i: (-times[slots[i]], slots[i].encode(), i))
    for j, i in enumerate(clashes):
        takers[i] = slots[clashes[(j + max(times.values())) % len(clashes)]]
    # Those who still meet the same agent change places with the first leads that neither have nor had this agent.
    left = [i for i in range(len(slots)) if takers[i] == had[i]]
    if left:
        (same,) = {takers[i] for i in left}
        others = [i for i in range(len(slots)) if same not in (takers[i], had[i])]
        for i, other in zip(left, others, strict=False):
            takers[i], takers[other] = takers[other], takers[i]
    return takers


@dataclass(frozen=True)
class ExpectedPreview:
    """The preview that the product should return."""

    shares: dict[str, Planned]  # by agent
    stay: int
    change_hands: int
    come: int
    leave: int


def expected_preview(dealt: Dealt, assignments: Collection[Pair], business_date: date) -> ExpectedPreview:
    """The preview of a deal, computed from its result and the assignments before it."""
    shares: dict[str, Planned] = {}
    for name, room in dealt.rooms.items():
        stages = {1: 0, 2: 0, 3: 0}
        ages = {"0_to_7": 0, "8_to_30": 0, "31_and_more": 0}
        call_backs = kept = 0
        for (agent, _, created, stage), (is_due, stays) in zip(dealt.history, dealt.due, strict=True):
            if agent == name:
                call_backs += is_due
                kept += stays
                if stage in stages:
                    stages[stage] += 1
                days = (business_date - created.date()).days
                ages["0_to_7" if days <= 7 else "8_to_30" if days <= 30 else "31_and_more"] += 1
        shares[name] = (room, sum(ages.values()), stages, ages, call_backs, kept)

    held = {number for _, number in assignments if number is not None}
    stay = sum(pair in assignments for pair in dealt.assignments)
    come = sum(number not in held for _, number in dealt.assignments)
    return ExpectedPreview(
        shares=shares,
        stay=stay,
        change_hands=len(dealt.assignments) - stay - come,
        come=come,
        leave=len(held - {number for _, number in dealt.assignments}),
    )


@dataclass
class PastRun:
    """A run that succeeded, and the state that its undo needs."""

    run_id: int
    business_date: date
    trigger: str
    dealt: Dealt
    assignments_before: list[Pair]
    status: str = "succeeded"
    purged: bool = False
    just_now: bool = True  # it began less than two minutes ago


@dataclass
class SalesFloor:
    """The sales floor in plain Python: the contents of the tables, and every run. Tests also set its attributes."""

    agents: list[Agent] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    do_not_contact: list[str] = field(default_factory=list)
    assignments: list[Pair] = field(default_factory=list)
    runs: list[PastRun] = field(default_factory=list)
    due: date | None = None  # the date whose scheduled run is about to come
    reported: list[Reported] = field(default_factory=list)  # the outcomes that stand

    def deal(self, business_date: date, **knobs: Any) -> Dealt:
        """The result of a run, without any change. Raises NoActiveAgent."""
        dealing = [run for run in self.runs_in_force() if run.dealt.assignments]
        last_agent = dealing[-1].dealt.last_agent if dealing else None
        had_last: dict[str, str] = {}
        for run in dealing:
            if not run.purged:
                had_last |= run.dealt.holders()
        return deal(
            self.agents, self.leads, self.limits, self.do_not_contact, last_agent, business_date,
            had_last=had_last, outcomes=self.outcomes(), **knobs,
        )  # fmt: skip

    def outcomes(self) -> Outcomes:
        """The outcomes that stand; a call-back is used up while a run that handed it out is not undone.

        If the agent did not work on the lead, it is not used up by that run.
        """
        return Outcomes(self.reported, self._used_up(self.runs_in_force()))

    def _used_up(self, runs: Iterable[PastRun]) -> list[Reported]:
        idle = {(one.run_id, one.number) for one in self.reported if one.outcome == "not_worked"}
        return [one for run in runs for one in run.dealt.call_backs if (run.run_id, one.number) not in idle]

    def runs_in_force(self) -> list[PastRun]:
        """The runs that are not undone."""
        return [run for run in self.runs if run.status == "succeeded"]

    def run(
        self, run_id: int, business_date: date, trigger: str = "manual", *, again: bool = True, **knobs: Any
    ) -> Dealt:
        """Makes the run with this number. Raises AlreadyRun, NotConfirmed and NoActiveAgent."""
        scheduled = [run.business_date for run in self.runs if run.trigger == "schedule"]
        if trigger == "schedule" and business_date in scheduled:
            raise AlreadyRun
        careful = trigger == "manual" and not again
        if careful and any(run.just_now for run in self.runs_in_force()[-1:]):
            raise NotConfirmed
        if careful and business_date == self.due and business_date not in scheduled:
            raise NotConfirmed
        dealt = self.deal(business_date, **knobs)
        if careful and not dealt.amounts["pool"] and self.assignments:
            raise NotConfirmed
        self.runs.append(PastRun(run_id, business_date, trigger, dealt, list(self.assignments)))
        self.leads = dealt.leads
        self.assignments = list(dealt.assignments)
        return dealt

    def undo(self, run_id: int | None = None) -> dict[str, int]:
        """Undoes the last run and returns the amounts; with `run_id`, only if it is the last. Raises NothingToUndo."""
        standing = self.runs_in_force()
        # The assignments that come back are those of the deal before, so the undo needs its history too.
        if not standing or run_id not in (None, standing[-1].run_id) or any(run.purged for run in standing[-2:]):
            raise NothingToUndo
        last = standing[-1]
        stages_before: dict[Lead, int] = {
            (number, next_stage(stage), created): stage for _, number, created, stage in last.dealt.history
        }
        found = stages_before.keys() & set(self.leads)
        self.leads = [(lead[0], stages_before.get(lead, lead[1]), lead[2]) for lead in self.leads]
        listed = {match_key(number) for number in self.do_not_contact} | self.outcomes().wrong_numbers()
        self.assignments = [
            (agent, number)
            for agent, number in last.assignments_before
            if number is None or match_key(number) not in listed
        ]
        last.status = "undone"
        return {
            "restored": len(found),
            "changed_since": len(stages_before) - len(found),
            "assignments": len(self.assignments),
            "suppressed": len(last.assignments_before) - len(self.assignments),
        }

    def purge(self) -> int:
        """Deletes the history of all runs except the last two that are not undone; returns how many it purged."""
        kept = [run.run_id for run in self.runs_in_force()[-2:]]
        going = [run for run in self.runs if not run.purged and run.run_id not in kept]
        for run in going:
            run.purged = True
        purged = [run.run_id for run in self.runs if run.purged]
        for_good = self._used_up(run for run in self.runs_in_force() if run.purged)
        # The outcomes that make a call-back due again stay as long as it does.
        told = {
            (run.run_id, one.number) for run in self.runs for one in run.dealt.call_backs if one in self.reported
        }  # fmt: skip
        self.reported = self.outcomes().after_purge(purged, for_good, told)
        return len(going)
