"""Steps of the state machine about agents: hand-backs, and new names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from agent_funnel.agents import rename_agent
from agent_funnel.errors import FunnelError, NotFound
from agent_funnel.hand_backs import HandBack, hand_back_leads, undo_hand_back
from support.databases import TestedDatabase
from support.oracle import SalesFloor
from support.oracle_agents import HandBacks, PastHandBack

Outcome = TypeVar("Outcome")

# Few names, so that steps touch the same rows; some differ only in case.
NAMES = st.sampled_from(["A", "a", "B", "Zoe", "É"])
ZONE = ZoneInfo("UTC")


def outcome_of(act: Callable[[], Outcome]) -> Outcome | type[FunnelError]:
    """The result of the action, or the class of its refusal."""
    try:
        return act()
    except FunnelError as error:
        return type(error)


class AgentSteps(RuleBasedStateMachine):
    """Takes these steps on a database and on the oracle."""

    def __init__(self, database: TestedDatabase) -> None:
        super().__init__()
        self.database = database
        self.floor = SalesFloor()
        self.hand_backs = HandBacks(self.floor)
        self.names = 0

    @precondition(lambda self: self.floor.assignments and self.floor.runs_in_force())
    @rule(data=st.data(), undoes=st.lists(st.booleans(), min_size=1, max_size=3))
    def hand_back(self, data: st.DataObject, undoes: list[bool]) -> None:
        """Hands leads back up to three times, mostly of agents who have some; undoes some of these at once."""
        for undo in undoes:
            holders = [name for name, _ in self.floor.assignments if name and name.strip()] or ["A"]
            agent = data.draw(st.sampled_from(holders) if undo else st.sampled_from(holders) | NAMES)
            self._hand_back(agent)
            if undo:
                self._undo_hand_back(agent)

    @precondition(lambda self: self.hand_backs.done)
    @rule(data=st.data())
    def undo_a_hand_back(self, data: st.DataObject) -> None:
        self._undo_hand_back(data.draw(st.sampled_from([one.agent for one in self.hand_backs.done])))

    def _hand_back(self, agent: str) -> None:
        now = datetime.now(UTC)
        found = outcome_of(lambda: hand_back_leads(self.database.backend, agent, actor="Eva", now=now, zone=ZONE))
        expected = outcome_of(lambda: self.hand_backs.hand_back(agent))
        if not isinstance(found, HandBack) or not isinstance(expected, PastHandBack):
            assert found is expected
            return
        assert found.leads == len(expected.outcomes)
        # The product has chosen the ids of the reports.
        of_number = dict(
            self.database.execute(
                "SELECT o.number, o.report FROM dbo.assignment_hand_back_lead AS l INNER JOIN dbo.assignment_outcome "
                "AS o ON l.outcome_id = o.outcome_id WHERE l.hand_back_id = %s",
                found.hand_back_id,
            )
        )
        told = [replace(one, report=of_number[one.number]) for one in expected.outcomes]
        self.floor.reported = [*self.floor.reported[: -len(told)], *told]
        expected.outcomes = told

    def _undo_hand_back(self, agent: str) -> None:
        now = datetime.now(UTC)
        found = outcome_of(lambda: undo_hand_back(self.database.backend, agent=agent, actor="Eva", now=now))
        expected = outcome_of(lambda: self.hand_backs.undo(agent))
        if isinstance(found, HandBack):
            assert expected in (None, found.returned)
        else:
            assert found is expected

    @precondition(lambda self: self.floor.runs)
    @rule(name=NAMES)
    def rename_an_agent(self, name: str) -> None:
        """Gives an agent a name that nobody has had, before, between or after the others."""
        self.names += 1
        new_name = f"{'0Bz'[self.names % 3]}{self.names}"
        found = outcome_of(lambda: rename_agent(self.database.backend, name, new_name))
        expected = outcome_of(lambda: self.hand_backs.rename(name, new_name))
        assert (found is NotFound) == (expected is NotFound)
