"""A process that stood still, or whose clock was moved, looks again before it thinks that its schedule is dead."""

from __future__ import annotations

import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine

from agent_funnel.database import Database
from agent_funnel.schedule.clock import DEAD_SECONDS, Clock
from agent_funnel.settings import load
from support import LONG
from support.databases import TestedDatabase, connect_to, seed_tables
from support.processes import running_service

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 6, 1, 20, 39, 58, tzinfo=BERLIN)


@pytest.fixture
def away(tmp_path: Path) -> Database:
    """A database that does not exist."""
    return connect_to(f"sqlite:///{tmp_path / 'away.db'}")


class Times:
    """The clock of a machine, and one that nobody can move; both in the hands of the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = EVENING
        self.steady = 1_000.0
        monkeypatch.setattr("agent_funnel.schedule.clock.time.monotonic", lambda: self.steady)

    def now(self) -> datetime:
        return self.wall

    def go_on(self, seconds: float, *, wall: float | None = None) -> None:
        """Lets time pass; `wall` says so if the clock of the machine goes on by other seconds."""
        self.steady += seconds
        self.wall += timedelta(seconds=seconds if wall is None else wall)


def jobs(clock: Clock) -> set[str]:
    return {job.id for job in clock._thread.get_jobs()}


def test_the_schedule_is_dead_after_a_minute_without_a_heartbeat_while_the_process_goes_on(
    away: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = Times(monkeypatch)
    clock = Clock(away, load(), times.now)
    for _ in range(119):
        times.go_on(0.5)
        assert clock.watch()
    times.go_on(0.6)
    assert not clock.watch()
    assert DEAD_SECONDS == 60


@pytest.mark.parametrize(
    ("seconds", "wall"),
    [(80, 80), (80, 0), (0.5, -600), (0.5, 3_600), (0.5, -315_360_000)],
    ids=["stopped", "suspended", "back", "forth", "ten years back"],
)
def test_after_it_stood_still_or_its_clock_was_moved_the_schedule_gets_new_wake_ups(
    away: Database, monkeypatch: pytest.MonkeyPatch, seconds: float, wall: float
) -> None:
    times = Times(monkeypatch)
    clock = Clock(away, load(), times.now)
    clock._set_wake_ups()
    before = jobs(clock)
    times.go_on(0.5)
    assert clock.watch()
    assert jobs(clock) == before
    times.go_on(seconds, wall=wall)
    assert clock.watch()
    assert clock.beat_age == 0
    assert len(jobs(clock)) == len(before)
    assert not jobs(clock) & before
    # If no heartbeat follows, it is dead all the same.
    for _ in range(121):
        times.go_on(0.5)
        alive = clock.watch()
    assert not alive


@pytest.mark.sqlserver_if_long
@pytest.mark.usefixtures("installed_long_ago")
def test_after_its_clock_was_set_back_the_schedule_deals_at_the_time_of_the_deal(database: TestedDatabase) -> None:
    seed_tables(database)
    server = database.engine == "sqlserver"
    # An hour ahead at first: the deal of 19:40 is over, and the next wake-ups are set for then.
    with time_machine.travel(EVENING, tick=True) as traveller:
        clock = Clock(
            database.backend,
            load(timezone="Europe/Berlin", run_at="19:40", catch_up="0"),
            database_now=lambda _: datetime.now(UTC) if server else None,
        )
        clock.start()
        try:
            time.sleep(1)
            assert clock.watch()
            traveller.move_to(EVENING - timedelta(hours=1))
            deadline = time.monotonic() + 60
            while not (found := database.execute("SELECT [trigger], status FROM dbo.assignment_run")):
                assert clock.watch()
                assert time.monotonic() < deadline
                time.sleep(0.2)
        finally:
            clock.stop()
    assert found == [("schedule", "succeeded")]


@pytest.mark.skipif(sys.platform == "win32" or not LONG, reason="takes 100 s: `make test-long` runs it, on Linux")
@pytest.mark.timeout(600)
def test_a_service_that_was_stopped_over_the_time_of_the_deal_deals_when_it_goes_on(
    database: TestedDatabase, tmp_path: Path
) -> None:
    seed_tables(database)
    at = datetime.now(UTC) + timedelta(seconds=12)
    given = {"FUNNEL_DATABASE_URL": database.url, "FUNNEL_SCHEMA": database.schema}
    with running_service(tmp_path, "--run-at", f"{at:%H:%M:%S}", **given) as (process, _):
        time.sleep(4)
        process.send_signal(signal.SIGSTOP)
        time.sleep(92)
        process.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 120
        while not (found := database.execute("SELECT [trigger], status FROM dbo.assignment_run")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert found == [("schedule", "succeeded")]
        time.sleep(6)
        assert process.poll() is None
