"""Runs, undos, outcomes, hand-backs, names, edits, imports, limits, lists and purges in any order, as the oracle."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agent_funnel.agents import add_limit, remove_limit
from agent_funnel.deal import NewRun, Preview, Undone
from agent_funnel.do_not_contact import add_do_not_contact, remove_do_not_contact
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.imports import load_rows
from agent_funnel.runs import Purged, list_runs, purge
from agent_funnel.values import write_moment
from support import LONG, oracle
from support.agent_steps import NAMES, AgentSteps, outcome_of
from support.databases import TestedDatabase
from support.nights import (
    OLDEST,
    RECENT,
    TODAY,
    all_tables,
    check_preview,
    preview,
    put_agents,
    put_leads,
    run_deal,
    stored_assignments,
    stored_history,
    stored_leads,
    undo,
)
from support.oracle import Agent, Lead, Pair
from support.oracle_outcomes import Reported
from support.properties import more_time, phases
from support.reported import Report, handed_out, put_outcomes, reported_of
from support.strategies import BARE_STATUSES, CAPS, KEYED_STATUSES, reports

# Few values of each, so that steps touch the same rows; some differ only in case.
NUMBERS = st.sampled_from(["1", "2", "10", "x7", "X7", "é"])
STAGES = st.sampled_from([1, 1, 1, 2, 3, 3, 4])
MOMENTS = st.sampled_from([RECENT, RECENT, RECENT + timedelta(days=1), OLDEST, OLDEST - timedelta(days=1)])
# The last one is beyond the window of every lead.
EVENINGS = st.sampled_from([*[TODAY + timedelta(days=days) for days in (0, 0, 0, 1, 1, 2, 3)], date(2028, 2, 29)])
KNOBS = st.fixed_dictionaries(
    {
        "max_per_agent": CAPS,
        "window_days": st.sampled_from([45, 45, 45, 45, 45, 46, 0]),
        "newest_first": st.booleans(),
        "voice": st.sampled_from(["fresh", "fresh", "as-dealt"]),
    }
)
# How long after a run's date the next deals are, when its leads were reported:
DAYS_LATER = st.sampled_from([[], [0], [0], [1], [0, 1], [1, 1]])
AGAIN = st.sampled_from([True, True, False])
TRIGGERS = st.sampled_from(["manual", "manual", "schedule"])
LEADS = st.tuples(NUMBERS | st.none(), STAGES | st.none(), MOMENTS | st.none())
UNKNOWN_RUN = 10**9


class Evenings(AgentSteps):
    """Takes the same steps on a database and on the oracle."""

    def __init__(self, database: TestedDatabase, *, bare: bool) -> None:
        super().__init__(database)
        self.bare = bare
        # The ids of the limits in the database, in the order of the oracle's limits.
        self.limit_ids: list[int] = []
        self.loads = 0
        database.clear()

    # ---- The start

    @initialize(data=st.data(), count=st.integers(2, 12))
    def begin(self, data: st.DataObject, count: int) -> None:
        self.change_agents(data)
        self.import_leads(data, count)
        self.floor.assignments = data.draw(st.sampled_from([[], [("gone", "1"), ("A", "elsewhere")]]))
        self.database.insert("agent_wafunnel_assignment", ("agent", "number"), self.floor.assignments)

    # ---- Runs

    @rule(evenings=st.lists(EVENINGS, min_size=1, max_size=3), knobs=KNOBS, trigger=TRIGGERS, again=AGAIN)
    def run(self, evenings: list[date], knobs: dict[str, Any], trigger: str, again: bool) -> None:
        for evening in evenings:
            self._run(evening, {**knobs, "again": again}, trigger)

    def _run(self, evening: date, knobs: dict[str, Any], trigger: str) -> None:
        run = outcome_of(lambda: run_deal(self.database, evening, trigger=trigger, **knobs))
        run_id = run.run_id if isinstance(run, NewRun) else 0
        dealt = outcome_of(lambda: self.floor.run(run_id, evening, trigger, **knobs))
        if isinstance(run, NewRun) and isinstance(dealt, oracle.Dealt):
            earlier = any(past.business_date == evening for past in self.floor.runs_in_force()[:-1])
            assert ("came before this one" in (run.notice or "")) == earlier
            assert ("No agent has room" in (run.notice or "")) == bool(dealt.without_room)
            assert {name: getattr(run, name) for name in dealt.amounts} == dealt.amounts
            assert stored_history(self.database, run_id) == Counter(dealt.history)
            assert handed_out(self.database, run_id) == sorted((one.run_id, one.number) for one in dealt.call_backs)
        else:
            assert run is dealt

    @rule(evening=EVENINGS, knobs=KNOBS)
    def preview(self, evening: date, knobs: dict[str, Any]) -> None:
        before = all_tables(self.database)
        seen = outcome_of(lambda: preview(self.database, evening, **knobs))
        assert all_tables(self.database) == before
        dealt = outcome_of(lambda: self.floor.deal(evening, **knobs))
        if isinstance(seen, Preview) and isinstance(dealt, oracle.Dealt):
            check_preview(seen, dealt, self.floor.assignments, evening)
        else:
            assert seen is dealt

    @precondition(lambda self: self.floor.runs)
    @rule()
    def let_three_hours_pass(self) -> None:
        self.database.execute("UPDATE dbo.assignment_run SET started_at = '2026-01-01 00:00:00.000'")
        for run in self.floor.runs:
            run.just_now = False

    @rule(evening=EVENINGS | st.none())
    def change_what_is_due(self, evening: date | None) -> None:
        self.database.execute("DELETE FROM dbo.schedule_next")
        self.floor.due = evening
        if evening is not None:
            soon = write_moment(datetime.now(UTC) + timedelta(minutes=5))
            self.database.execute(
                "INSERT INTO dbo.schedule_next (row_id, business_date, due_at) VALUES (1, %s, %s)", str(evening), soon
            )

    @precondition(lambda self: self.floor.runs)
    @rule()
    def undo(self) -> None:
        self._undo(None)

    @precondition(lambda self: self.floor.runs)
    @rule(data=st.data())
    def undo_one(self, data: st.DataObject) -> None:
        self._undo(data.draw(st.sampled_from([run.run_id for run in self.floor.runs[-3:]] + [UNKNOWN_RUN])))

    def _undo(self, run_id: int | None) -> None:
        undone = outcome_of(lambda: undo(self.database, run_id))
        expected = outcome_of(lambda: self.floor.undo(run_id))
        if isinstance(undone, Undone) and isinstance(expected, dict):
            assert {name: asdict(undone)[name] for name in expected} == expected
        else:
            assert undone is expected

    @precondition(lambda self: any(not run.purged for run in self.floor.runs[:-2]))
    @rule()
    def purge(self) -> None:
        purged = purge(self.database.backend, datetime.now(UTC) + timedelta(days=1))
        assert isinstance(purged, Purged)
        assert purged.runs == self.floor.purge()

    # ---- Outcomes

    @precondition(lambda self: self._with_history())
    @rule(data=st.data(), told=reports().filter(bool), back=st.integers(0, 2), later=DAYS_LATER, knobs=KNOBS)
    def report(
        self, data: st.DataObject, told: list[Report], back: int, later: list[int], knobs: dict[str, Any]
    ) -> None:
        """Reports of the leads of one run; a later report of the same lead replaces an earlier one.

        Takes some back at once, and often deals on the days after, so that what was reported meets a deal.
        """
        run = data.draw(st.sampled_from(self._with_history()[-3:]))
        news = reported_of(told, run.run_id, run.business_date, run.dealt.history)
        replaced = {(one.run_id, one.number) for one in news}
        for one in [one for one in self.floor.reported if (one.run_id, one.number) in replaced]:
            self._no_longer_stands(one)
        put_outcomes(self.database, news)
        self.floor.reported = [*self.floor.reported, *news]
        for one in news[:back]:
            self._no_longer_stands(one)
        for days in later:
            self._run(run.business_date + timedelta(days=days), {**knobs, "again": True}, "manual")

    @precondition(lambda self: self.floor.reported)
    @rule(data=st.data())
    def take_a_report_back(self, data: st.DataObject) -> None:
        self._no_longer_stands(data.draw(st.sampled_from(self.floor.reported)))

    def _with_history(self) -> list[oracle.PastRun]:
        return [run for run in self.floor.runs if run.dealt.history and not run.purged]

    def _no_longer_stands(self, outcome: Reported) -> None:
        self.database.execute(
            "UPDATE dbo.assignment_outcome SET stands = 0, taken_back_at = '2026-01-01T00:00:00' WHERE report = %s",
            outcome.report,
        )
        self.hand_backs.forget(outcome)
        self.floor.reported = [one for one in self.floor.reported if one != outcome]

    # ---- Changes by others

    @rule(data=st.data())
    def change_agents(self, data: st.DataObject) -> None:
        statuses = BARE_STATUSES if self.bare else KEYED_STATUSES
        # Usually at least one agent is active, since otherwise no deal is made.
        someone = data.draw(st.sampled_from([[], *[[("B", "active")]] * 4]))
        names = NAMES if self.bare else NAMES.filter(lambda name: name != "B")
        once = None if self.bare else lambda agent: agent[0]
        others = data.draw(st.lists(st.tuples(names, statuses), max_size=4, unique_by=once))
        agents: list[Agent] = [*someone, *others]
        put_agents(self.database, agents)
        self.floor.agents = agents

    @rule(data=st.data(), count=st.integers(0, 8))
    def import_leads(self, data: st.DataObject, count: int) -> None:
        self.loads += 1
        # Some numbers that may exist already, and some that cannot.
        numbers = data.draw(st.lists(NUMBERS, max_size=3, unique=True))
        numbers += [f"{self.loads}-{index * 7 % 13}" for index in range(count)]
        leads = [(number, data.draw(STAGES), data.draw(MOMENTS)) for number in numbers]
        rows = [(number, str(stage), created.isoformat(" ", "milliseconds")) for number, stage, created in leads]
        there = {number for number, _, _ in self.floor.leads}
        added: list[Lead] = [lead for lead in leads if lead[0] not in there]
        assert load_rows(self.database.backend, "leads", rows) == len(added)
        self.floor.leads = [*self.floor.leads, *added]

    @precondition(lambda self: self.bare)
    @rule(leads=st.lists(LEADS, min_size=1, max_size=4))
    def put_leads_by_hand(self, leads: list[Lead]) -> None:
        put_leads(self.database, leads)
        self.floor.leads = [*self.floor.leads, *leads]

    @precondition(lambda self: self.floor.leads)
    @rule(data=st.data(), stage=STAGES)
    def change_a_stage(self, data: st.DataObject, stage: int) -> None:
        """Changes the stage of a row, and of every row equal to it."""
        number, old, created = data.draw(st.sampled_from(self.floor.leads))
        if number is None or old is None or created is None:
            return
        self.database.execute(
            "UPDATE dbo.wafunnel SET stage = %s WHERE number = %s AND stage = %s AND date = %s",
            stage, number, old, created.isoformat(" ", "milliseconds"),
        )  # fmt: skip
        self.floor.leads = [
            (lead[0], stage, created) if self._same(lead[0], number) and lead[1:] == (old, created) else lead
            for lead in self.floor.leads
        ]

    @precondition(lambda self: self.floor.leads)
    @rule(data=st.data())
    def remove_a_lead(self, data: st.DataObject) -> None:
        number, _, _ = data.draw(st.sampled_from(self.floor.leads))
        self.database.execute("DELETE FROM dbo.wafunnel WHERE number = %s", number)
        self.floor.leads = [lead for lead in self.floor.leads if number is None or not self._same(lead[0], number)]

    def _same(self, one: str | None, other: str | None) -> bool:
        """Compares as another client's statement does: an existing table on SQL Server usually ignores case."""
        if self.bare and self.database.engine == "sqlserver" and one is not None and other is not None:
            return one.lower() == other.lower()
        return one == other

    @rule(data=st.data(), name=NAMES, number=NUMBERS, copies=st.sampled_from([1, 1, 2, 3]))
    def put_an_assignment(self, data: st.DataObject, name: str, number: str, copies: int) -> None:
        pairs: list[Pair] = [(name, number)]
        if self.bare:
            blanks: list[Pair] = [(None, number), (name, None), (None, None), ("", "")]
            held = self.floor.assignments[:2]
            pairs = [data.draw(st.sampled_from([*pairs, *blanks, *held]))] * copies
        elif any(there == number for _, there in self.floor.assignments):
            return
        self.database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs)
        self.floor.assignments = [*self.floor.assignments, *pairs]

    @precondition(lambda self: self.floor.assignments)
    @rule(data=st.data(), name=NAMES | st.none())
    def take_or_move_an_assignment(self, data: st.DataObject, name: str | None) -> None:
        _, number = data.draw(st.sampled_from(self.floor.assignments))
        if name is None:
            self.database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE number = %s", number)
        else:
            self.database.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = %s WHERE number = %s", name, number)
        # `=` does not find a NULL.
        touched = [number is not None and self._same(pair[1], number) for pair in self.floor.assignments]
        self.floor.assignments = [
            (name, pair[1]) if hit else pair
            for pair, hit in zip(self.floor.assignments, touched, strict=True)
            if name is not None or not hit
        ]

    @rule(name=NAMES, first=EVENINGS, days=st.sampled_from([None, 0, 1, 500]), most=st.sampled_from([0, 1, 1, 2, 500]))
    def add_a_limit(self, name: str, first: date, days: int | None, most: int) -> None:
        last = None if days is None else first + timedelta(days=days)
        limit = add_limit(
            self.database.backend, name, starts_on=first, ends_on=last, max_records=most, new_agent=True
        )  # fmt: skip
        assert limit.known == (name in {agent for agent, _ in self.floor.agents})
        self.floor.limits = [*self.floor.limits, (limit.agent, first, last, most)]
        self.limit_ids.append(limit.limit_id)

    @precondition(lambda self: self.limit_ids)
    @rule(data=st.data())
    def remove_a_limit(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.limit_ids) - 1))
        remove_limit(self.database.backend, self.limit_ids.pop(index))
        self.floor.limits = [limit for place, limit in enumerate(self.floor.limits) if place != index]

    @rule(data=st.data(), other=NUMBERS)
    def list_a_number(self, data: st.DataObject, other: str) -> None:
        assigned = [number for _, number in self.floor.assignments if number is not None and number.strip()]
        number = data.draw(st.sampled_from([*assigned, other]))
        left = [pair for pair in self.floor.assignments if pair[1] != number]
        leads = sum(lead[0] == number for lead in self.floor.leads)
        if not leads and left == self.floor.assignments:
            # These texts are too short for numbers and ids, so a list takes one only if somebody has it.
            with pytest.raises(ParameterOutOfRange):
                add_do_not_contact(self.database.backend, number)
            return
        answer = add_do_not_contact(self.database.backend, number)
        assert answer == {
            "listed": self.floor.do_not_contact.count(number),
            "assignments": len(self.floor.assignments) - len(left),
            "leads": leads,
        }
        self.floor.assignments = left
        self.floor.do_not_contact = sorted({*self.floor.do_not_contact, number})

    @precondition(lambda self: self.floor.do_not_contact)
    @rule(data=st.data())
    def take_a_number_off_the_list(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.floor.do_not_contact))
        remove_do_not_contact(self.database.backend, number)
        self.floor.do_not_contact = [other for other in self.floor.do_not_contact if other != number]

    # ---- After every step

    @invariant()
    def assignments_equal_the_oracles(self) -> None:
        assert stored_assignments(self.database) == Counter(self.floor.assignments)

    @invariant()
    def leads_equal_the_oracles(self) -> None:
        assert Counter(stored_leads(self.database, bare=self.bare)) == Counter(self.floor.leads)

    @invariant()
    def runs_equal_the_oracles(self) -> None:
        found = list_runs(self.database.backend, count=1000)
        assert [(run.run_id, run.status, run.purged_at is not None) for run in reversed(found)] == [
            (run.run_id, run.status, run.purged) for run in self.floor.runs
        ]


def play(database: TestedDatabase, *, bare: bool) -> None:
    """Runs the state machine with many examples; with fewer on the T-SQL engine, where each step takes longer."""
    slow = database.engine == "sqlserver"
    examples = (150 if slow else 500) if LONG else (6 if slow else 30)

    class Here(Evenings):
        def __init__(self) -> None:
            super().__init__(database, bare=bare)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40 if LONG else 18,
            phases=phases(database),
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
