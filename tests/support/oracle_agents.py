"""The oracle of hand-backs and of new names, in plain Python, written only from their descriptions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from agent_funnel.errors import NotFound, ParameterOutOfRange
from support.match_keys import match_key
from support.oracle import Pair, SalesFloor, next_stage
from support.oracle_outcomes import Reported


@dataclass
class PastHandBack:
    """A hand-back, with the outcomes of its leads that nobody has taken back or replaced."""

    run_id: int
    agent: str
    outcomes: list[Reported]
    undone: bool = False


@dataclass
class HandBacks:
    """The hand-backs of a sales floor, and the leads whose stage is back, each as a run and a number."""

    floor: SalesFloor
    done: list[PastHandBack] = field(default_factory=list)
    put_back: set[tuple[int, str]] = field(default_factory=set)

    def hand_back(self, agent: str) -> PastHandBack:
        """Hands back what an agent has of the last run without an outcome. Raises ParameterOutOfRange."""
        if not self.floor.runs_in_force():
            raise ParameterOutOfRange
        last = self.floor.runs_in_force()[-1]
        held = {number for name, number in self.floor.assignments if name == agent}
        told = {one.number for one in self.floor.reported if one.run_id == last.run_id}
        rest = [row for row in last.dealt.history if row[1] in held and row[1] not in told]
        if not rest:
            raise ParameterOutOfRange
        outcomes = [
            Reported(
                last.run_id, last.business_date, holder, number, created, "not_worked", datetime.now(UTC).date(),
                stage=stage,
            )
            for holder, number, created, stage in rest
        ]  # fmt: skip
        for one in outcomes:
            key = (one.run_id, one.number)
            if key not in self.put_back and self._move(one, next_stage(one.stage), one.stage):
                self.put_back.add(key)
        numbers = {one.number for one in outcomes}
        self.floor.assignments = [
            pair for pair in self.floor.assignments if pair[0] != agent or pair[1] not in numbers
        ]  # fmt: skip
        self.floor.reported = [*self.floor.reported, *outcomes]
        self.done.append(PastHandBack(last.run_id, agent, outcomes))
        return self.done[-1]

    def undo(self, agent: str) -> int | None:
        """Undoes the newest hand-back of an agent; returns how many leads come back, None the second time.

        Raises ParameterOutOfRange.
        """
        theirs = sorted((one for one in self.done if one.agent == agent), key=lambda one: not one.undone)
        if not theirs:
            raise ParameterOutOfRange
        last = theirs[-1]
        if last.undone:
            return None
        if last.run_id != max((run.run_id for run in self.floor.runs_in_force()), default=None):
            raise ParameterOutOfRange
        for one in last.outcomes:
            key = (one.run_id, one.number)
            if key in self.put_back and self._move(one, one.stage, next_stage(one.stage)):
                self.put_back.remove(key)
        listed = {match_key(number) for number in self.floor.do_not_contact}
        assigned = {number for _, number in self.floor.assignments}
        back: list[Pair] = [
            (agent, one.number)
            for one in last.outcomes
            if match_key(one.number) not in listed and one.number not in assigned
        ]
        self.floor.assignments = [*self.floor.assignments, *back]
        self.floor.reported = [one for one in self.floor.reported if one not in last.outcomes]
        last.undone = True
        return len(back)

    def forget(self, outcome: Reported) -> None:
        """Somebody took this outcome back, or replaced it: an undo leaves its lead alone."""
        for one in self.done:
            one.outcomes = [each for each in one.outcomes if each != outcome]

    def _move(self, one: Reported, old: int, new: int) -> bool:
        """Moves the stage of a lead that still has the old one; a stage of 4 stays."""
        lead = (one.number, old, one.created)
        if old == new or lead not in self.floor.leads:
            return False
        self.floor.leads = [(each[0], new, each[2]) if each == lead else each for each in self.floor.leads]
        return True

    def rename(self, agent: str, new_name: str) -> None:
        """Renames an agent, everywhere, to a name that nobody has had. Raises NotFound."""
        floor = self.floor

        def name_of(name: str) -> str:
            return new_name if name == agent else name

        if agent not in {name for name, _ in floor.agents}:
            raise NotFound
        floor.agents = [(name and name_of(name), status) for name, status in floor.agents]
        floor.limits = [(name_of(limit[0]), *limit[1:]) for limit in floor.limits]
        floor.assignments = [(name and name_of(name), number) for name, number in floor.assignments]
        floor.reported = [replace(one, agent=name_of(one.agent)) for one in floor.reported]
        for run in floor.runs:
            run.assignments_before = [(name and name_of(name), number) for name, number in run.assignments_before]
            run.dealt = replace(
                run.dealt,
                assignments=[(name_of(name), number) for name, number in run.dealt.assignments],
                history=[(name_of(row[0]), *row[1:]) for row in run.dealt.history],
                last_agent=run.dealt.last_agent and name_of(run.dealt.last_agent),
                call_backs=[replace(one, agent=name_of(one.agent)) for one in run.dealt.call_backs],
            )
        for one in self.done:
            one.agent = name_of(one.agent)
            one.outcomes = [replace(each, agent=name_of(each.agent)) for each in one.outcomes]
