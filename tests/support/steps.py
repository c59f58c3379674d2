"""The state machine of the deal: its state, how it deals and undoes, and what it compares after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from agent_funnel.call_backs import CallBackCounts, count_call_backs, list_call_backs
from agent_funnel.deal import NewRun, Undone
from agent_funnel.errors import FunnelError
from agent_funnel.outcomes import ReportedOutcome, take_back_outcome
from support import oracle
from support.databases import TestedDatabase, moment
from support.nights import OLDEST, RECENT, TODAY, run_deal, stored_assignments, stored_leads, undo
from support.oracle import SalesFloor
from support.oracle_agents import Agents
from support.oracle_outcomes import Reported
from support.oracle_reports import Reports, open_call_backs
from support.reported import handed_out
from support.strategies import CAPS

Result = TypeVar("Result")

# Few values of each, so that steps touch the same rows; some differ only in case.
NAMES = st.sampled_from(["A", "a", "B", "Zoe", "É"])
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
ZONE = ZoneInfo("UTC")


def outcome_of(act: Callable[[], Result]) -> Result | type[FunnelError]:
    """The result of the action, or the class of its refusal."""
    try:
        return act()
    except FunnelError as error:
        return type(error)


class Steps(RuleBasedStateMachine):
    """Takes steps on a database and on the oracle."""

    def __init__(self, database: TestedDatabase, *, bare: bool) -> None:
        super().__init__()
        self.database = database
        self.bare = bare
        self.floor = SalesFloor()
        self.reports = Reports(self.floor)
        self.agents = Agents(self.floor, self.reports)
        # The ids of the limits in the database, in the order of the oracle's limits.
        self.limit_ids: list[int] = []
        self.promised = False  # whether there has been a call-back
        database.clear()

    def _deal(self, evening: date, knobs: dict[str, Any], trigger: str = "manual") -> None:
        run = outcome_of(lambda: run_deal(self.database, evening, trigger=trigger, **knobs))
        run_id = run.run_id if isinstance(run, NewRun) else 0
        dealt = outcome_of(lambda: self.floor.run(run_id, evening, trigger, **knobs))
        if isinstance(run, NewRun) and isinstance(dealt, oracle.Dealt):
            earlier = any(past.business_date == evening for past in self.floor.runs_in_force()[:-1])
            parts = run.notice_parts
            assert (parts.earlier_run is not None, parts.no_room is not None) == (earlier, bool(dealt.without_room))
            assert {name: getattr(run, name) for name in dealt.amounts} == dealt.amounts
            assert handed_out(self.database, run_id) == sorted((one.run_id, one.number) for one in dealt.call_backs)
        else:
            assert run is dealt

    def _undo(self, run_id: int | None) -> None:
        undone = outcome_of(lambda: undo(self.database, run_id))
        expected = outcome_of(lambda: self.floor.undo(run_id))
        if isinstance(undone, Undone) and isinstance(expected, dict):
            assert {name: asdict(undone)[name] for name in expected} == expected
        else:
            assert undone is expected

    def _take_back(self, outcome: Reported) -> None:
        now = datetime.now(UTC)
        found = outcome_of(lambda: take_back_outcome(self.database.backend, outcome.report, actor="Eva", now=now))
        assert isinstance(found, ReportedOutcome), found
        self.reports.take_back(outcome)

    def _assign(self, agent: str, number: str) -> None:
        """Gives a number to an agent by hand."""
        self.database.insert("agent_wafunnel_assignment", ("agent", "number"), [(agent, number)])
        self.floor.assignments = [*self.floor.assignments, (agent, number)]

    def _same(self, one: str | None, other: str | None) -> bool:
        """Compares as another client's statement does: an existing table on SQL Server usually ignores case."""
        if self.bare and self.database.engine == "sqlserver" and one is not None and other is not None:
            return one.lower() == other.lower()
        return one == other

    # ---- After every step

    @invariant()
    def assignments_equal_the_oracles(self) -> None:
        assert stored_assignments(self.database) == Counter(self.floor.assignments)

    @invariant()
    def leads_equal_the_oracles(self) -> None:
        assert Counter(stored_leads(self.database, bare=self.bare)) == Counter(self.floor.leads)

    @invariant()
    def runs_and_whose_turn_is_next_equal_the_oracles(self) -> None:
        found = self.database.execute(
            "SELECT r.run_id, r.status, r.last_agent, p.run_id FROM dbo.assignment_run AS r "
            "LEFT JOIN dbo.assignment_purge AS p ON r.run_id = p.run_id ORDER BY r.run_id"
        )
        runs = self.floor.runs
        assert [(run_id, status, purged is not None) for run_id, status, _, purged in found] == [
            (run.run_id, run.status, run.purged) for run in runs
        ]
        for run, (_, _, last_agent, _) in zip(runs, found, strict=True):
            assert last_agent == (run.dealt.last_agent if run.dealt.assignments else None)

    @invariant()
    def the_history_equals_the_oracles(self) -> None:
        found = self.database.execute("SELECT run_id, agent, number, date, stage FROM dbo.assignment_history")
        assert Counter((*row[:3], moment(row[3]), row[4]) for row in found) == Counter(
            (run.run_id, *row) for run in self.floor.runs if not run.purged for row in run.dealt.history
        )

    @invariant()
    def outcomes_that_hold_equal_the_oracles(self) -> None:
        found = self.database.execute(
            "SELECT report, run_id, agent, number, outcome, stage_back FROM dbo.assignment_outcome WHERE stands = 1"
        )
        put_back = self.reports.put_back
        assert sorted((*row[:5], bool(row[5])) for row in found) == sorted(
            (
                one.report, one.run_id, one.agent, one.number, one.outcome,
                one.outcome == "not_worked" and (one.run_id, one.number) in put_back,
            )
            for one in self.floor.reported
        )  # fmt: skip

    @invariant()
    def open_call_backs_equal_the_oracles(self) -> None:
        if not self.promised:
            return
        runs = self.floor.runs_in_force()
        day = (runs[-1].business_date if runs else TODAY) + timedelta(days=1)
        expected = open_call_backs(self.floor, day)
        found = list_call_backs(self.database.backend, day, count=1_000)
        assert Counter(
            (one.run_id, one.agent, one.number, one.call_back_on, one.same_agent, one.state) for one in found
        ) == Counter(expected)
        due = sum(on <= day for _, _, _, on, _, _ in expected)
        assert count_call_backs(self.database.backend, day) == CallBackCounts(due, len(expected) - due)

    @invariant()
    def hand_backs_equal_the_oracles(self) -> None:
        assert self.database.execute(
            "SELECT run_id, agent, leads, returned FROM dbo.assignment_hand_back ORDER BY hand_back_id"
        ) == [(one.run_id, one.agent, one.leads, one.returned) for one in self.agents.done]

    @invariant()
    def limits_equal_the_oracles(self) -> None:
        found = self.database.execute("SELECT agent, starts_on, ends_on, max_records FROM dbo.agent_limit")
        assert Counter((agent, str(first), last and str(last), most) for agent, first, last, most in found) == Counter(
            (agent, str(first), last and str(last), most) for agent, first, last, most in self.floor.limits
        )
        of_runs = self.database.execute("SELECT run_id, agent, max_records FROM dbo.assignment_limit")
        assert sorted(of_runs) == sorted(
            (run.run_id, *limit) for run in self.floor.runs for limit in run.dealt.limited.items()
        )

    @invariant()
    def links_equal_the_oracles(self) -> None:
        found = self.database.execute("SELECT agent FROM dbo.agent_link WHERE revoked_at IS NULL")
        assert sorted(agent for (agent,) in found) == sorted(self.agents.in_use)
