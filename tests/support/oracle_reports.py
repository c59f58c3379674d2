"""The oracle of reports: which outcome of a lead holds, and the lead's stage, in plain Python, from the description."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from support.match_keys import match_key
from support.oracle import SalesFloor, next_stage
from support.oracle_outcomes import Reported

Key = tuple[int, str]  # run, number


@dataclass
class Reports:
    """The outcomes of a sales floor that nobody has taken back, in the order of their reports.

    `of_hand_back` has the ids of those that hand-backs made, each with the agent who handed the lead back. `put_back`
    has the leads whose stage is that of before their run.
    """

    floor: SalesFloor
    kept: list[Reported] = field(default_factory=list)
    of_hand_back: dict[str, str] = field(default_factory=dict)
    put_back: set[Key] = field(default_factory=set)

    def add(self, news: Iterable[Reported], *, moves: bool = True) -> None:
        """Keeps outcomes; without `moves`, as somebody who writes into the table and moves no stage."""
        told = list(news)
        self.kept += told
        self._decide(told, moves=moves)

    def remove(self, gone: Iterable[Reported]) -> None:
        """Takes outcomes back, so that the ones before them hold."""
        left = list(gone)
        self.kept = [one for one in self.kept if one not in left]
        self._decide(left)

    def take_back(self, outcome: Reported) -> None:
        """Takes one outcome back; a lead that was handed back comes back, if its run is the last one."""
        self.remove([outcome])
        agent = self.of_hand_back.get(outcome.report)
        last = max((run.run_id for run in self.floor.runs_in_force()), default=None)
        if agent is not None and outcome.run_id == last:
            self.give_back(agent, [outcome])

    def give_back(self, agent: str, outcomes: Iterable[Reported]) -> int:
        """Assigns the leads of these outcomes to an agent, except those that others have or that are on a list."""
        out = {match_key(number) for number in self.floor.do_not_contact}
        out |= {match_key(number) for _, number in self.floor.assignments if number is not None and number.strip()}
        back = [(agent, one.number) for one in outcomes if match_key(one.number) not in out]
        self.floor.assignments = [*self.floor.assignments, *back]
        return len(back)

    def after_purge(self) -> None:
        """Forgets the outcomes that a purge has removed: of a purged run, it keeps none that another one replaced."""
        purged = {run.run_id for run in self.floor.runs if run.purged}
        self.kept = [one for one in self.kept if one.run_id not in purged or one in self.floor.reported]

    def _decide(self, changed: Iterable[Reported], *, moves: bool = True) -> None:
        """The newest outcome of a lead holds, one of a hand-back only if there is no other.

        While that is not_worked, the stage is that of before the run. It moves only while no newer run has dealt the
        record, and its run is not undone.
        """
        holds: dict[Key, Reported] = {}
        for one in sorted(self.kept, key=lambda one: one.report not in self.of_hand_back):
            holds[one.run_id, one.number] = one
        self.floor.reported = [one for one in self.kept if holds[one.run_id, one.number] == one]
        for one in changed if moves else ():
            key = (one.run_id, one.number)
            goes_back = key in holds and holds[key].outcome == "not_worked"
            if goes_back == (key in self.put_back) or not self._may_move(one):
                continue
            stages = [one.stage, next_stage(one.stage)]
            if self._move(one, *(reversed(stages) if goes_back else stages)):
                self.put_back ^= {key}

    def _may_move(self, one: Reported) -> bool:
        in_force = self.floor.runs_in_force()
        return any(run.run_id == one.run_id for run in in_force) and not any(
            row[1:3] == (one.number, one.created)
            for run in in_force
            if run.run_id > one.run_id and not run.purged
            for row in run.dealt.history
        )

    def _move(self, one: Reported, old: int, new: int) -> bool:
        """Moves the stage of a lead that still has the old one; a stage of 4 stays."""
        lead = (one.number, old, one.created)
        if old == new or lead not in self.floor.leads:
            return False
        self.floor.leads = [(each[0], new, each[2]) if each == lead else each for each in self.floor.leads]
        return True


OpenCallBack = tuple[int, str, str, date, bool, str]  # run, agent, number, day, same agent, state


def open_call_backs(floor: SalesFloor, business_date: date) -> list[OpenCallBack]:
    """The call-backs that no run in force has handed out, with their state for the deal of a date."""
    outcomes = floor.outcomes()
    waiting = [
        (one, one.call_back_on)
        for one in floor.reported
        if one.call_back_on is not None and one not in outcomes.used_up
    ]
    found: list[OpenCallBack] = []
    for one, day in waiting:
        same = [other for other in floor.reported if match_key(other.number) == match_key(one.number)]
        ends = [
            other.outcome
            for other in same
            if other.outcome in ("won", "lost")
            and (one.created.date() <= other.reported_on or (other.number, other.created) == (one.number, one.created))
        ]
        if match_key(one.number) in {match_key(number) for number in floor.do_not_contact}:
            state = "do_not_contact"
        elif any(other.outcome == "wrong_number" for other in same):
            state = "wrong_number"
        elif ends:
            state = "won" if "won" in ends else "lost"
        elif not any((number, moment) == (one.number, one.created) for number, stage, moment in floor.leads if stage):
            state = "gone"
        elif day > business_date:
            state = "to_come"
        elif any(other in same and other_day > business_date for other, other_day in waiting):
            state = "later"
        elif any(run.run_id > one.run_id and run.business_date >= day for run in floor.runs_in_force()):
            state = "passed_over"
        else:
            state = "due"
        found.append((one.run_id, one.agent, one.number, day, one.same_agent, state))
    return found
