"""The clock on each engine: it deals once, at the configured time in the configured time zone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from agent_funnel.database import Database
from agent_funnel.deal import deal
from agent_funnel.leads import search_leads
from agent_funnel.schedule.clock import Clock
from agent_funnel.schedule.store import failure_counts
from agent_funnel.settings import load
from support import LONG
from support.databases import TestedDatabase, connect_to
from support.nights import RECENT, put_leads
from support.processes import run_in_progress

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 6, 1, 20, 39, 58, tzinfo=BERLIN)


@pytest.fixture
def small_database(database: TestedDatabase, installed_long_ago: None) -> TestedDatabase:
    database.insert("agents", ("agent", "status"), [("Ana", "active")])
    database.insert("wafunnel", ("number", "stage", "date"), [("491701", 1, datetime(2026, 6, 1))])
    return database


def stored_runs(database: TestedDatabase) -> list[tuple[object, ...]]:
    return database.execute("SELECT business_date, [trigger], status, actor FROM dbo.assignment_run ORDER BY run_id")


def travelled(database: Database) -> datetime | None:
    """The server's clock, if it travels along."""
    return datetime.now(UTC) if database.dialect == "sqlserver" else None


@contextmanager
def clock(database: TestedDatabase, at: datetime, **settings: str) -> Iterator[Clock]:
    """A running clock whose time starts at the given moment and goes on from there."""
    with time_machine.travel(at, tick=True):
        ticking = Clock(database.backend, load(**settings), database_now=travelled)
        ticking.start()
        try:
            yield ticking
        finally:
            ticking.stop()


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.sqlserver_if_long
def test_the_deal_happens_once_at_the_configured_time_in_its_zone(small_database: TestedDatabase) -> None:
    with clock(small_database, EVENING, timezone="Europe/Berlin") as ticking:
        assert stored_runs(small_database) == []
        wait_for(lambda: stored_runs(small_database), 20)
        # The next look finds nothing to do:
        ticking.look()
        ticking.look()
    assert [tuple(str(value) for value in run) for run in stored_runs(small_database)] == [
        ("2026-06-01", "schedule", "succeeded", "schedule")
    ]


@pytest.mark.sqlserver_if_long
def test_the_same_instant_in_another_zone_is_not_the_time(small_database: TestedDatabase) -> None:
    # 20:39:58 in Berlin is 18:39:58 in UTC; there, 18:40 is the time and 20:40 is not.
    with clock(small_database, EVENING, timezone="UTC"):
        time.sleep(3)
    assert stored_runs(small_database) == []
    with clock(small_database, EVENING, timezone="UTC", run_at="18:40"):
        wait_for(lambda: stored_runs(small_database), 20)
    assert len(stored_runs(small_database)) == 1


@pytest.mark.sqlserver_if_long
def test_a_clock_that_starts_late_deals_at_once_and_one_that_starts_too_late_does_not(
    small_database: TestedDatabase,
) -> None:
    too_late = EVENING + timedelta(hours=3, seconds=3)
    with clock(small_database, too_late, timezone="Europe/Berlin"):
        time.sleep(1)
    assert stored_runs(small_database) == []
    with clock(small_database, EVENING + timedelta(hours=2), timezone="Europe/Berlin"):
        wait_for(lambda: stored_runs(small_database), 20)
    assert len(stored_runs(small_database)) == 1


@pytest.mark.sqlserver_if_long
def test_past_midnight_the_run_belongs_to_the_evening_before(small_database: TestedDatabase) -> None:
    with clock(small_database, datetime(2026, 6, 2, 0, 30, tzinfo=BERLIN), timezone="Europe/Berlin", run_at="23:50"):
        wait_for(lambda: stored_runs(small_database), 20)
    assert str(stored_runs(small_database)[0][0]) == "2026-06-01"


@pytest.mark.sqlserver_if_long
def test_several_clocks_make_one_run(small_database: TestedDatabase) -> None:
    at = datetime(2026, 6, 1, 18, 41, tzinfo=UTC)
    settings = load(timezone="Europe/Berlin")
    # On Babelfish, each of them parses the procedure for seconds.
    how_many = 2 if small_database.engine == "sqlserver" and not LONG else 4
    clocks = [
        Clock(small_database.backend, settings, lambda: at, database_now=lambda _: at, name=f"copy {n}")
        for n in range(how_many)
    ]
    for ticking in clocks:
        ticking.start()
    wait_for(lambda: stored_runs(small_database), 20)
    for ticking in clocks:
        ticking.look()
        ticking.stop()
    assert len(stored_runs(small_database)) == 1


def test_a_look_never_raises_and_a_later_one_tries_again(small_database: TestedDatabase) -> None:
    at = datetime(2026, 6, 1, 18, 41, tzinfo=UTC)
    ticking = Clock(small_database.backend, load(timezone="Europe/Berlin"), lambda: at, database_now=lambda _: at)
    small_database.execute("UPDATE dbo.agent_funnel_version SET installed_at = '2026-06-01 00:00:00.000'")
    with run_in_progress(small_database):
        ticking.look()
    # A refusal because of another run in progress does not count as a failure.
    assert stored_runs(small_database) == []
    assert failure_counts(small_database.backend) == {}

    small_database.execute("UPDATE dbo.agents SET status = 'inactive'")
    ticking.look()
    failed = small_database.execute("SELECT attempt, error_number, message FROM dbo.assignment_failure")
    assert [(attempt, number) for attempt, number, _ in failed] == [(1, 50002)]
    assert "No agent is active" in failed[0][2]
    assert [run[2] for run in stored_runs(small_database)] == ["failed"]
    # The next attempt is not made at once:
    small_database.execute("UPDATE dbo.agents SET status = 'active'")
    ticking.look()
    assert [run[2] for run in stored_runs(small_database)] == ["failed"]
    at += timedelta(seconds=31)
    ticking.look()
    assert [run[2] for run in stored_runs(small_database)] == ["failed", "succeeded"]


@pytest.mark.sqlserver_if_long
def test_a_manual_run_does_not_take_the_place_of_the_scheduled_one(small_database: TestedDatabase) -> None:

    deal(small_database.backend, load(), business_date=date(2026, 6, 1))
    at = EVENING + timedelta(minutes=1)
    ticking = Clock(small_database.backend, load(timezone="Europe/Berlin"), lambda: at, database_now=lambda _: at)
    ticking.look()
    ticking.look()
    assert [run[1] for run in stored_runs(small_database)] == ["manual", "schedule"]


def test_the_service_takes_in_numbers_that_others_inserted(database: TestedDatabase) -> None:
    put_leads(database, [("+55 (11) 98765-4321", 1, RECENT)])
    clock = Clock(database.backend, load())
    clock.take_in_numbers()
    assert [lead.number for lead in search_leads(database.backend, number="011987654321", count=9)] == []
    assert len(search_leads(database.backend, number="551187654321", count=9)) == 1


def test_numbers_that_cannot_be_taken_in_are_left_to_the_next_time(database: TestedDatabase) -> None:
    put_leads(database, [("+55 (11) 98765-4321", 1, RECENT)])
    clock = Clock(connect_to(database.url, lock_wait=timedelta(seconds=1)), load())
    with run_in_progress(database):
        clock.take_in_numbers()
    clock.take_in_numbers()
    assert len(search_leads(database.backend, number="551187654321", count=9)) == 1
