"""The oracle of hand-backs and of new names, in plain Python, written only from their descriptions."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from support.oracle import SalesFloor
from support.oracle_outcomes import Reported
from support.oracle_reports import Reports


@dataclass
class PastHandBack:
    """A hand-back of an agent: how many leads of a run it had, and the ids of their outcomes."""

    run_id: int
    agent: str
    leads: int
    reports: list[str]
    returned: int | None = None  # the leads that came back when it was undone

    @property
    def undone(self) -> bool:
        """Whether somebody has undone it."""
        return self.returned is not None


@dataclass
class Agents:
    """What agents of a sales floor have besides leads: hand-backs, and links; `in_use` is an agent's newest link."""

    floor: SalesFloor
    reports: Reports
    done: list[PastHandBack] = field(default_factory=list)
    links: set[str] = field(default_factory=set)  # the agents who have ever had a link
    in_use: set[str] = field(default_factory=set)  # the agents who have a link in use

    def hand_back(self, agent: str, today: date, ids: Mapping[str, str]) -> PastHandBack:
        """Hands back what an agent has of the last run without an outcome. Raises ParameterOutOfRange.

        `ids` are the ids that the outcomes get, by number.
        """
        floor = self.floor
        if not floor.runs_in_force():
            raise ParameterOutOfRange
        last = floor.runs_in_force()[-1]
        held = {number for name, number in floor.assignments if name == agent}
        told = {one.number for one in floor.reported if one.run_id == last.run_id}
        rest = [row for row in last.dealt.history if row[1] in held and row[1] not in told]
        if not rest:
            raise ParameterOutOfRange
        outcomes = [
            Reported(
                last.run_id, last.business_date, holder, number, created, "not_worked", today, stage=stage,
                report=ids.get(number, number),
            )
            for holder, number, created, stage in rest
        ]  # fmt: skip
        self.reports.of_hand_back |= {one.report: agent for one in outcomes}
        self.reports.add(outcomes)
        numbers = {one.number for one in outcomes}
        floor.assignments = [pair for pair in floor.assignments if pair[0] != agent or pair[1] not in numbers]
        self.done.append(PastHandBack(last.run_id, agent, len(outcomes), [one.report for one in outcomes]))
        return self.done[-1]

    def undo_hand_back(self, agent: str) -> PastHandBack:
        """Undoes the newest hand-back of an agent; changes nothing the second time. Raises ParameterOutOfRange."""
        theirs = sorted((one for one in self.done if one.agent == agent), key=lambda one: not one.undone)
        if not theirs:
            raise ParameterOutOfRange
        last = theirs[-1]
        if last.undone:
            return last
        if last.run_id != max((run.run_id for run in self.floor.runs_in_force()), default=None):
            raise ParameterOutOfRange
        # An outcome that somebody has taken back alone stays so.
        outcomes = [one for one in self.reports.kept if one.report in last.reports]
        self.reports.remove(outcomes)
        last.returned = self.reports.give_back(agent, outcomes)
        return last

    def make_link(self, agent: str) -> None:
        """Makes a link for an agent. Raises NotFound."""
        if agent not in {name for name, _ in self.floor.agents}:
            raise NotFound
        self.links.add(agent)
        self.in_use.add(agent)

    def rename(self, agent: str, new_name: str) -> None:
        """Renames an agent, everywhere. Raises NotFound, or AlreadyExists if another agent has a name that looks alike.

        If somebody has given the agent the new name in the table of the agents alone, the rest follows; NotFound then
        says only that nothing of it is a limit, a link, an assignment, or a lead of a run.
        """
        names = {name for name, _ in self.floor.agents if name is not None}
        if agent in names:
            if new_name in names or any(plain(name) == plain(new_name) for name in names - {agent}):
                raise AlreadyExists
        elif new_name not in names:
            raise NotFound
        found = agent in names or self._has_anything(agent)
        self._rename(agent, new_name)
        if not found:
            raise NotFound

    def _has_anything(self, agent: str) -> bool:
        floor = self.floor
        dealt = [row[0] for run in floor.runs if not run.purged for row in run.dealt.history]
        return agent in {*self.links, *dealt, *(limit[0] for limit in floor.limits), *named(floor.assignments)}

    def _rename(self, agent: str, new_name: str) -> None:
        floor = self.floor

        def name_of(name: str) -> str:
            return new_name if name == agent else name

        def of_both(limited: Mapping[str, int]) -> Iterable[tuple[str, int]]:
            return sorted(limited.items(), key=lambda one: one[0] != agent)

        floor.agents = [(name and name_of(name), status) for name, status in floor.agents]
        floor.limits = [(name_of(limit[0]), *limit[1:]) for limit in floor.limits]
        floor.assignments = [(name and name_of(name), number) for name, number in floor.assignments]
        reports = self.reports
        reports.kept = [replace(one, agent=name_of(one.agent)) for one in reports.kept]
        reports.of_hand_back = {report: name_of(name) for report, name in reports.of_hand_back.items()}
        floor.reported = [replace(one, agent=name_of(one.agent)) for one in floor.reported]
        for run in floor.runs:
            run.assignments_before = [(name and name_of(name), number) for name, number in run.assignments_before]
            run.dealt = replace(
                run.dealt,
                assignments=[(name_of(name), number) for name, number in run.dealt.assignments],
                history=[(name_of(row[0]), *row[1:]) for row in run.dealt.history],
                last_agent=run.dealt.last_agent and name_of(run.dealt.last_agent),
                # Of two limits in one run, that of the new name stays.
                limited={name_of(name): room for name, room in of_both(run.dealt.limited)},
                call_backs=[replace(one, agent=name_of(one.agent)) for one in run.dealt.call_backs],
            )
        for one in self.done:
            one.agent = name_of(one.agent)
        self.links = {name_of(name) for name in self.links}
        self.in_use = {name_of(name) for name in self.in_use}


def named(pairs: Iterable[tuple[str | None, str | None]]) -> list[str]:
    """The names of these assignments that are names."""
    return [name for name, _ in pairs if name and name.strip()]


def plain(name: str) -> str:
    """A name as people read it: without accents and blanks, in lower case."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(each for each in letters if not unicodedata.combining(each) and not each.isspace())
