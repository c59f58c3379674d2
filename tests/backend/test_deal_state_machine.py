"""Runs, undos, outcomes, hand-backs, names, edits, imports, limits, lists and purges in any order, as the oracle."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from support import LONG
from support.change_steps import ChangeSteps
from support.databases import TestedDatabase
from support.outcome_steps import OutcomeSteps
from support.properties import more_time
from support.steps import EVENINGS, KNOBS

AGAIN = st.sampled_from([True, True, True, False])
TRIGGERS = st.sampled_from(["manual", "manual", "schedule"])
STEPS = st.sampled_from(
    [
        "run", "run", "undo", "report", "report_through_the_product", "report_through_the_product", "promise_calls",
        "promise_calls", "take_a_report_back", "hand_back", "hand_back", "undo_a_hand_back", "rename_an_agent",
        "rename_an_agent", "change_things", "change_things",
    ]
)  # fmt: skip
UNKNOWN_RUN = 10**9


class Evenings(OutcomeSteps, ChangeSteps):
    """Takes the same steps on a database and on the oracle.

    There is one rule that chooses among them: of several rules, Hypothesis leaves some out of most examples, and takes
    the others as often as each other.
    """

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.change_agents(data)
        self.import_leads(data)
        if data.draw(st.booleans()):
            self.add_a_limit(data)
        self.floor.assignments = data.draw(st.sampled_from([[], [("gone", "1"), ("A", "elsewhere")]]))
        self.database.insert("agent_wafunnel_assignment", ("agent", "number"), self.floor.assignments)
        for evening in data.draw(st.lists(EVENINGS, max_size=2)):
            self._deal(evening, {**data.draw(KNOBS), "again": True})

    @rule(data=st.data(), step=STEPS)
    def step(self, data: st.DataObject, step: str) -> None:
        getattr(self, step)(data)

    def run(self, data: st.DataObject) -> None:
        knobs, trigger = {**data.draw(KNOBS), "again": data.draw(AGAIN)}, data.draw(TRIGGERS)
        for evening in data.draw(st.lists(EVENINGS, min_size=1, max_size=3)):
            self._deal(evening, knobs, trigger)

    def undo(self, data: st.DataObject) -> None:
        runs = [run.run_id for run in self.floor.runs[-3:]]
        self._undo(data.draw(st.none() | st.sampled_from([*runs, UNKNOWN_RUN])))


def play(database: TestedDatabase, *, bare: bool) -> None:
    """Runs the state machine with many examples; with fewer on the T-SQL engine, where each step takes longer."""
    slow = database.engine == "sqlserver"
    examples = (75 if slow else 250) if LONG else (4 if slow else 15)

    class Here(Evenings):
        def __init__(self) -> None:
            super().__init__(database, bare=bare)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40 if LONG else 18,
            phases=set(Phase) if LONG else set(Phase) - {Phase.shrink, Phase.explain},
            suppress_health_check=list(HealthCheck),
        ),
    )


@more_time
def test_after_any_steps_in_any_order_the_database_equals_the_oracle(database: TestedDatabase) -> None:
    play(database, bare=False)


@pytest.mark.sqlserver_if_long
@more_time
def test_after_any_steps_on_tables_without_keys_the_database_equals_the_oracle(bare_database: TestedDatabase) -> None:
    play(bare_database, bare=True)
