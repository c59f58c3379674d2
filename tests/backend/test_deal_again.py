"""A manual run that is almost surely a mistake is refused unless it is confirmed; on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_funnel.errors import AlreadyRun, NoActiveAgent, NotConfirmed, ParameterOutOfRange, RunError, RunInProgress
from agent_funnel.runs import list_runs
from agent_funnel.schedule.store import record_failure
from agent_funnel.settings import load
from agent_funnel.values import write_moment
from support.databases import TestedDatabase, snapshot
from support.nights import (
    TODAY,
    active_agents,
    fresh,
    preview,
    put_agents,
    put_leads,
    run_deal,
    stored_assignments,
    undo,
)
from support.processes import run_in_progress

TOMORROW = TODAY + timedelta(days=1)


def begun(database: TestedDatabase, seconds: float) -> None:
    """Makes every run one that began this many seconds ago."""
    began = datetime.now(UTC) - timedelta(seconds=seconds)
    database.execute("UPDATE dbo.assignment_run SET started_at = %s", write_moment(began))


def due(database: TestedDatabase, seconds: float, business_date: Any = TODAY) -> None:
    """Makes the next scheduled run, of this date, due in this many seconds."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    database.execute("DELETE FROM dbo.schedule_next")
    database.execute(
        "INSERT INTO dbo.schedule_next (row_id, business_date, due_at) VALUES (1, %s, %s)",
        str(business_date), write_moment(at),
    )  # fmt: skip


def refused(database: TestedDatabase, *words: str, error: type[RunError] = NotConfirmed, **flags: Any) -> None:
    """Asserts that a run is refused, changes nothing, and that the message has these words."""
    before = snapshot(database)
    with pytest.raises(error) as refusal:
        run_deal(database, again=False, **flags)
    assert snapshot(database) == before
    for word in words:
        assert word in str(refusal.value)


@pytest.fixture
def floor(database: TestedDatabase) -> TestedDatabase:
    """Three agents and seven leads."""
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(7))
    return database


# ---- A moment after another run


def test_a_run_less_than_two_minutes_after_another_is_refused_unless_it_is_confirmed(floor: TestedDatabase) -> None:
    run = run_deal(floor, again=False)
    refused(
        floor, f"Run {run.run_id} of {TODAY} began ", " s ago and dealt 7 leads", "; nothing was changed.", "--again"
    )
    begun(floor, 90)
    refused(floor, "began 9", business_date=TOMORROW)
    assert run_deal(floor, again=True).assigned == 7
    begun(floor, 121)
    assert run_deal(floor, again=False).assigned == 7


def test_a_run_that_the_clock_puts_far_ahead_refuses_nothing(floor: TestedDatabase) -> None:
    run_deal(floor)
    begun(floor, -3600)
    assert run_deal(floor, again=False).assigned == 7


def test_failed_attempts_and_undone_runs_do_not_count(floor: TestedDatabase) -> None:
    now = datetime.now(UTC)
    assert record_failure(
        floor.backend, load(), TODAY, NoActiveAgent(), attempt=1, started_at=now, finished_at=now, actor="schedule"
    )
    run_deal(floor, again=False)
    undo(floor)
    assert run_deal(floor, again=False).notice is None


# ---- A moment before the scheduled run


@pytest.mark.parametrize(
    ("seconds", "words"), [(590, "due in 5"), (29, "due in 2"), (-30, "s ago and is about to begin")]
)
def test_a_run_shortly_before_the_scheduled_one_is_refused_unless_it_is_confirmed(
    floor: TestedDatabase, seconds: int, words: str
) -> None:
    due(floor, seconds)
    refused(floor, f"The scheduled run of {TODAY} ", words, "it would replace the assignments")
    assert run_deal(floor, again=True).assigned == 7


@pytest.mark.parametrize("seconds", [630, -61])
def test_long_before_the_scheduled_run_and_after_its_first_minute_a_run_deals(
    floor: TestedDatabase, seconds: int
) -> None:
    due(floor, seconds)
    assert run_deal(floor, again=False).assigned == 7


def test_the_scheduled_run_of_another_date_or_one_that_is_made_refuses_nothing(floor: TestedDatabase) -> None:
    due(floor, 60, TOMORROW)
    assert run_deal(floor, again=False, trigger="schedule").assigned == 7
    due(floor, -10)
    begun(floor, 121)
    assert run_deal(floor, again=False).assigned == 7


# ---- An empty pool


def test_a_run_that_would_only_empty_the_lists_is_refused_unless_it_is_confirmed(floor: TestedDatabase) -> None:
    run_deal(floor)
    floor.execute("UPDATE dbo.wafunnel SET stage = 4")
    begun(floor, 121)
    refused(floor, "No lead is in the pool, and agents have 7 assignments", "would remove them all")
    assert run_deal(floor, again=True).assigned == 0
    assert not stored_assignments(floor)
    begun(floor, 121)
    assert run_deal(floor, again=False).assigned == 0


# ---- The scheduled run, previews, and the order


def test_the_scheduled_run_is_never_refused_for_these_reasons(floor: TestedDatabase) -> None:
    run_deal(floor)
    due(floor, -5)
    floor.execute("UPDATE dbo.wafunnel SET stage = 4")
    assert run_deal(floor, trigger="schedule", again=False).assigned == 0
    assert not stored_assignments(floor)


def test_a_preview_is_never_refused_and_returns_every_reason(floor: TestedDatabase) -> None:
    assert preview(floor).refusal is None
    run_deal(floor)
    due(floor, 60)
    floor.execute("UPDATE dbo.wafunnel SET stage = 4")
    before = snapshot(floor)
    reasons = preview(floor).refusal or ""
    assert snapshot(floor) == before
    places = [reasons.index(words) for words in ("began", ". The scheduled run", ". No lead is in the pool")]
    assert places == sorted(places)
    assert reasons.endswith("and deal nothing.")


def test_of_several_errors_the_first_one_is_returned(floor: TestedDatabase) -> None:
    run_deal(floor, trigger="schedule")
    due(floor, 60)
    put_agents(floor, [])
    floor.execute("UPDATE dbo.wafunnel SET stage = 4")
    with run_in_progress(floor):
        with pytest.raises(ParameterOutOfRange):
            assign(floor, trigger="schedule", window_days=-1)
        refused(floor, error=RunInProgress, trigger="schedule")
    refused(floor, error=AlreadyRun, trigger="schedule")
    refused(floor, "began")
    begun(floor, 121)
    refused(floor, error=NoActiveAgent)
    put_agents(floor, active_agents("A"))
    refused(floor, "No lead is in the pool")


def test_an_again_without_a_value_is_refused(floor: TestedDatabase) -> None:
    before = snapshot(floor)
    with pytest.raises(ParameterOutOfRange, match=r"again is NULL; it must be 0 or 1\. Nothing was changed"):
        assign(floor, again=None)
    assert snapshot(floor) == before


def assign(database: TestedDatabase, **changed: Any) -> None:
    """Calls the query of the deal directly."""
    database.backend.one(
        "assign",
        **{
            "business_date": TODAY.isoformat(), "max_per_agent": 450, "window_days": 45, "newest_first": 0,
            "country": None, "voice": None, "skip_date": None, "skip_until": None,
            "trigger": "manual", "actor": None, "request": None, "again": 0, **changed,
        },
    )  # fmt: skip


# ---- The notice


def test_a_second_run_of_a_date_says_how_many_leads_move_on_again(floor: TestedDatabase) -> None:
    first = run_deal(floor)
    assert first.notice is None
    put_leads(floor, fresh(2, start=100))
    expected = (
        f"Run {first.run_id} of {TODAY} came before this one: 7 leads move on a second time that day. "
        "An undo takes that back."
    )
    assert preview(floor).run.notice == expected
    assert run_deal(floor).notice == expected
    # Not on another date, and not if the earlier runs are undone.
    assert run_deal(floor, TOMORROW).notice is None
    for _ in range(3):
        undo(floor)
    assert run_deal(floor).notice is None
    assert [run.status for run in list_runs(floor.backend)] == ["succeeded", "undone", "undone", "undone"]
