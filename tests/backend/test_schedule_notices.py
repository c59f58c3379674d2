"""Notices and dead-man signals of the schedule, and nights that send none: on both engines."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_funnel.database import Database
from agent_funnel.deal import deal
from agent_funnel.errors import CheckFailed, DatabaseError, NoActiveAgent
from agent_funnel.install import install
from agent_funnel.runs import list_runs
from agent_funnel.schedule.brakes import unusual_pool
from agent_funnel.schedule.store import add_holiday, failure_counts, list_nights, pause, record_failure
from agent_funnel.settings import load
from support.databases import TestedDatabase, connect_to
from support.nights import active_agents, fresh, put_agents, put_leads
from support.processes import run_in_progress
from support.stepped import OPENS, SteppedClock

DAY = date(2026, 6, 1)  # a Monday
CLOSES = OPENS + timedelta(hours=3)
HOUR, NIGHT = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def funnel(database: TestedDatabase) -> Iterator[TestedDatabase]:
    """A database with an agent and four leads, as if it had been installed on 2026-06-01."""
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(4, created=datetime(2026, 6, 1)))
    installed = database.execute("SELECT version, installed_at FROM dbo.agent_funnel_version")
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")
    yield database
    for version, moment in installed:
        database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s WHERE version = %s", moment, version)


@pytest.fixture
def away(tmp_path: Path) -> Database:
    """A database that does not exist yet."""
    return connect_to(f"sqlite:///{tmp_path / 'away.db'}")


def test_a_database_that_is_away_at_run_time_causes_one_failed_notice_per_date(away: Database) -> None:
    evening = SteppedClock(away)
    assert evening.look(OPENS - timedelta(seconds=1)) == []
    assert evening.look(OPENS) == ["failed"]
    assert evening.look(OPENS + HOUR) == []
    assert evening.look(CLOSES) == []
    assert evening.look(OPENS + NIGHT) == ["failed"]
    text = evening.notifier.notices[0][1]
    assert "2026-06-01" in text
    assert "There is no database" in text
    assert "tried again until 23:40" in text


def test_a_run_that_works_after_a_failed_notice_sends_a_recovered_notice(away: Database) -> None:
    evening = SteppedClock(away)
    evening.look(OPENS)
    install(away)
    with closing(sqlite3.connect(str(away.path))) as connection, connection:
        connection.execute("UPDATE agent_funnel_version SET installed_at = '2026-06-01 08:00:00.000'")
    away.one("add_agent", agent="A", status="active")
    assert evening.look(OPENS + HOUR) == ["finished", "recovered", "warning"]
    assert "Earlier attempts had dealt nothing." in evening.notifier.notices[2][1]


def test_a_run_that_works_after_failures_of_another_copy_sends_a_recovered_notice_too(funnel: TestedDatabase) -> None:
    record_failure(
        funnel.backend, load(), DAY, NoActiveAgent(), attempt=1, started_at=OPENS, finished_at=OPENS, actor="another"
    )
    evening = SteppedClock(funnel.backend)
    assert evening.look(OPENS + HOUR) == ["finished", "recovered"]


def test_a_run_that_works_at_once_sends_a_finished_notice_and_a_success_signal(funnel: TestedDatabase) -> None:
    evening = SteppedClock(funnel.backend)
    assert evening.look(OPENS) == ["finished"]
    assert re.search(r"Deal \d+ of 2026-06-01: 4 of 4 leads to 1 agent\.", evening.notifier.notices[0][1])
    assert evening.notifier.signalled == ["start", "success"]
    assert evening.notifier.signals[1][1] == evening.notifier.notices[0][1]


def test_a_run_that_another_copy_made_meanwhile_is_a_success_signal_and_no_notice(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = SteppedClock(funnel.backend)

    def overtaken(*_: Any) -> bool:
        deal(funnel.backend, load(), business_date=DAY, trigger="schedule")
        return True

    monkeypatch.setattr("agent_funnel.schedule.scheduler.wants_run", overtaken)
    assert evening.look(OPENS) == []
    assert evening.notifier.signalled == ["start", "success"]
    assert [run.status for run in list_runs(funnel.backend)] == ["succeeded"]


def test_a_run_that_finds_another_in_progress_records_no_failure_and_sends_no_notice(funnel: TestedDatabase) -> None:
    evening = SteppedClock(funnel.backend)
    with run_in_progress(funnel):
        assert evening.look(OPENS) == []
    assert evening.notifier.signalled == ["start"]
    assert failure_counts(funnel.backend) == {}
    assert evening.look(OPENS + timedelta(seconds=30)) == ["finished"]


def test_failed_attempts_send_a_signal_each_and_one_notice_per_date(funnel: TestedDatabase) -> None:
    put_agents(funnel, [("A", "inactive")])
    evening = SteppedClock(funnel.backend)
    assert evening.look(OPENS) == ["failed"]
    assert evening.look(OPENS + HOUR) == []
    assert evening.notifier.signalled == ["start", "fail"] * 2
    assert "No agent is active" in evening.notifier.signals[1][1]
    # The next night sends its own notices.
    assert evening.look(OPENS + NIGHT) == ["missed", "failed"]
    assert "failed each time, and will not be tried again" in evening.notifier.notices[1][1]


def test_a_failed_check_sends_a_notice_without_a_promise_of_another_attempt(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise CheckFailed("Check failed: 9 leads assigned, 8 due.")

    monkeypatch.setattr("agent_funnel.schedule.brakes.deal", fails)
    evening = SteppedClock(funnel.backend)
    assert evening.look(OPENS) == ["failed"]
    assert evening.notifier.notices[0][1].endswith("8 due.")


def test_missed_nights_send_a_notice_and_nights_off_do_not(funnel: TestedDatabase) -> None:
    # Monday is missed, Tuesday a holiday, Wednesday no workday, Thursday paused.
    evening = SteppedClock(funnel.backend, weekdays="mon,tue,thu,fri")
    add_holiday(funnel.backend, DAY + NIGHT)
    pause(funnel.backend, now=OPENS + 3 * NIGHT, actor=None, reason=None)
    assert evening.look(CLOSES + 3 * NIGHT) == ["missed"]
    assert (
        "2026-06-01 was missed: the service or its database was down while it was due" in evening.notifier.notices[0][1]
    )
    assert [night.outcome for night in list_nights(funnel.backend)] == ["paused", "holiday", "holiday", "missed"]


def past_pools(database: TestedDatabase, *pools: int, status: str = "succeeded") -> None:
    """Adds runs that found pools of these sizes, the newest last."""
    database.insert(
        "assignment_run",
        ("business_date", "[trigger]", "status", "max_per_agent", "window_days", "newest_first", "pool", "started_at"),
        [("2026-05-01", "manual", status, 450, 45, 0, str(pool), "2026-05-01T20:40:00") for pool in pools],
    )


def test_a_usual_pool_is_that_of_the_last_fourteen_runs(database: TestedDatabase) -> None:
    past_pools(database, *[10] * 15, *[1_000] * 14)
    assert unusual_pool(database.backend, load(), 1_000) is None
    assert unusual_pool(database.backend, load(), 10) is not None
    past_pools(database, 10, status="undone")
    assert unusual_pool(database.backend, load(), 1_000) is None


def test_after_three_runs_a_pool_can_be_unusual_and_after_two_it_cannot(database: TestedDatabase) -> None:
    past_pools(database, 10, 10)
    assert unusual_pool(database.backend, load(), 1_000) is None
    past_pools(database, 1_000, status="failed")
    assert unusual_pool(database.backend, load(), 1_000) is None
    past_pools(database, 10)
    text = unusual_pool(database.backend, load(), 1_000)
    assert text == "1,000 leads are ready to deal, but the median of the last 3 deals is 10."


def test_a_run_is_compared_only_with_those_before_it(database: TestedDatabase) -> None:
    past_pools(database, 10, 10, 10, 1_000)
    newest = list_runs(database.backend, count=1)[0].run_id
    text = unusual_pool(database.backend, load(), 1_000, before=newest)
    assert text is not None
    assert "last 3 deals" in text


def test_the_factor_of_an_unusual_pool_is_that_of_the_settings(database: TestedDatabase) -> None:
    past_pools(database, 10, 10, 10)
    for pool, unusual in ((20, False), (21, True), (5, False), (4, True)):
        assert (unusual_pool(database.backend, load(pool_factor=2.0), pool) is not None) is unusual


def test_a_brake_that_stops_a_run_sends_a_notice_until_the_pool_is_usual(
    funnel: TestedDatabase,
) -> None:
    past_pools(funnel, 1_000, 1_000, 1_000)
    evening = SteppedClock(funnel.backend, brake="pool")
    assert evening.look(OPENS) == ["held"]
    assert "tried again until" not in evening.notifier.notices[0][1]
    assert evening.notifier.signalled == ["start", "fail"]
    past_pools(funnel, *[4] * 14)
    assert evening.look(OPENS + HOUR) == ["finished", "recovered"]


def test_the_notice_of_a_night_that_nobody_approved_says_so(funnel: TestedDatabase) -> None:
    past_pools(funnel, 1_000, 1_000, 1_000)
    evening = SteppedClock(funnel.backend, brake="pool")
    assert evening.look(OPENS) == ["held"]
    assert evening.look(OPENS + NIGHT) == ["missed", "held"]
    lost = "A brake held the deal of 2026-06-01, and nobody approved it. No leads moved. To deal now, open"
    assert evening.notifier.notices[1][1].startswith(lost)


def test_the_notice_of_a_night_is_not_lost_when_its_reason_cannot_be_read(
    funnel: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise DatabaseError("gone")

    put_agents(funnel, [("A", "inactive")])
    evening = SteppedClock(funnel.backend)
    assert evening.look(OPENS) == ["failed"]
    with monkeypatch.context() as patched:
        patched.setattr("agent_funnel.schedule.scheduler.failure_reasons", fails)
        assert "missed" not in evening.look(OPENS + NIGHT)
    assert "missed" in evening.look(OPENS + NIGHT + HOUR / 60)


def test_without_the_brake_an_unusual_pool_is_dealt_with_a_warning(funnel: TestedDatabase) -> None:
    past_pools(funnel, 1_000, 1_000, 1_000)
    evening = SteppedClock(funnel.backend)
    assert evening.look(OPENS) == ["finished", "warning"]
    assert "4 leads are ready to deal, but the median of the last 3 deals is 1,000" in evening.notifier.notices[1][1]
