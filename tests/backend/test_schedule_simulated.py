"""Years of simulated nights: each business date ends in exactly one way, and never in two runs.

The clock and the SQL are the product's own; the time is simulated, and the database is SQLite in memory, so that a
night takes milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from agent_funnel.database.sqlite import SQLite
from agent_funnel.errors import DatabaseUnavailable
from agent_funnel.install import install
from agent_funnel.schedule.calendar import closes_at, next_run, scheduled_at
from agent_funnel.schedule.clock import Clock
from agent_funnel.schedule.store import pause, resume
from agent_funnel.settings import Settings, load
from agent_funnel.values import write_moment
from support import LONG

# Nights per example, and examples: 103,200 nights in the long version, in about 2 years of 12 time zones.
NIGHTS = 86 if LONG else 30
EXAMPLES = 1_200 if LONG else 60

pytestmark = pytest.mark.timeout(3600)

# Zones with and without daylight saving time: by an hour and by half an hour, changing in the evening and at midnight,
# in both hemispheres, and with an interruption in the month of fasting:
ZONES = (
    *("UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Santiago"),
    *("Africa/Casablanca", "Asia/Kathmandu", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia"),
)


# The files that lock a run lie beside the database, even if that is in memory. Each process of the tests has its own.
DIRECTORY = TemporaryDirectory()


class InMemory(SQLite):
    """SQLite in memory, on one connection; a test can make it unreachable."""

    def __init__(self) -> None:
        super().__init__(load(database_url=f"sqlite:///{DIRECTORY.name}/none.db", lock_wait=timedelta(seconds=1)))
        self.raw = sqlite3.connect(":memory:", isolation_level=None)
        self.raw.row_factory = sqlite3.Row
        self.is_down = False

    def open(self, *, create: bool) -> Any:
        if self.is_down:
            raise DatabaseUnavailable
        return _Kept(self.raw)

    @contextmanager
    def _run_lock(self, seconds: float) -> Iterator[None]:
        yield


class _Kept:
    """The connection, with a `close` that keeps it open."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Look:
    """A copy of the service wakes: how long after the run was due, how wrong its clock is, and the trouble it meets."""

    after: timedelta
    wrong: timedelta
    database_down: bool
    nobody_active: bool
    pause: bool | None  # whether somebody pauses (True) or resumes (False) the schedule just before


@dataclass(frozen=True)
class SimulatedYears:
    settings: Settings
    first: date
    nights: tuple[tuple[Look, ...], ...]


# Minutes at the edges of the window, within it and long after it; some seconds are added or subtracted.
AFTER = st.one_of(
    st.sampled_from([timedelta(seconds=seconds) for seconds in (-31, -1, 0, 1, 29, 30, 31)]),
    st.integers(-120, 1_300).map(lambda minutes: timedelta(minutes=minutes)),
)
# Clocks differ by up to two minutes; sometimes one is wrong by up to an hour.
WRONG = st.one_of(
    st.just(timedelta(0)),
    st.integers(-120, 120).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(-60, 60).map(lambda minutes: timedelta(minutes=minutes)),
)
RARELY = st.sampled_from([False, False, False, True])
LOOK = st.builds(Look, AFTER, WRONG, RARELY, RARELY, st.sampled_from([None] * 8 + [True, False]))


@st.composite
def simulated_years(draw: st.DrawFn) -> SimulatedYears:
    catch_up = draw(st.sampled_from(["0", "30m", "3h", "3h", "10h", "23h"]))
    # Just before and after midnight, the hours that daylight saving time skips or repeats, and the evening:
    run_at = draw(st.sampled_from(["20:40", "20:40", "00:00", "00:30", "02:00", "02:30", "03:00", "23:59", "12:00"]))
    rules = load(
        timezone=draw(st.sampled_from(ZONES)), run_at=run_at, catch_up=catch_up,
        weekdays=draw(st.sampled_from(["mon-sun", "mon-sun", "mon-fri"])),
    )  # fmt: skip
    first = date(2024, 12, 1) + timedelta(days=draw(st.integers(0, 730 - NIGHTS)))
    nights = draw(st.lists(st.lists(LOOK, max_size=5).map(tuple), min_size=NIGHTS, max_size=NIGHTS).map(tuple))
    return SimulatedYears(rules, first, nights)


def simulate(case: SimulatedYears) -> tuple[InMemory, dict[date, bool]]:
    """Simulates the nights; returns also the dates whose run some copy could have made, with nothing against it."""
    backend = InMemory()
    install(backend)
    backend.raw.execute("INSERT INTO agents (agent, status) VALUES ('a', 'active')")
    rules = case.settings
    start = scheduled_at(case.first, rules) - timedelta(hours=3)
    backend.raw.execute("UPDATE agent_funnel_version SET installed_at = ?", (write_moment(start),))
    looks = sorted(
        (
            (scheduled_at(case.first + timedelta(days=night), rules) + look.after, night, number, look)
            for night, group in enumerate(case.nights)
            for number, look in enumerate(group)
        ),
        key=lambda entry: entry[:3],
    )
    now = start
    clock = Clock(backend, rules, lambda: now)
    possible: dict[date, bool] = {}
    paused = False
    for instant, _, _, look in looks:
        if look.pause is not None:
            backend.is_down = False
            changed = (pause if look.pause else resume)(
                backend, now=instant, actor="test", **({"reason": None} if look.pause else {})
            )
            paused = look.pause if changed else paused
        now = instant + look.wrong
        backend.is_down = look.database_down
        backend.raw.execute("UPDATE agents SET status = ?", ("inactive" if look.nobody_active else "active",))
        before = settled(backend)
        failures = backend.raw.execute("SELECT count(*) FROM assignment_failure").fetchone()[0]
        clock.look()
        backend.is_down = False
        for day in open_windows(now, rules):
            able = not look.database_down and not look.nobody_active and not paused
            if able and not failures and day.weekday() in rules.weekdays and day not in before:
                # A look takes the first of the open dates; the dates before it must have been settled.
                possible.setdefault(day, True)
                break
    return backend, possible


def open_windows(now: datetime, rules: Settings) -> list[date]:
    """The business dates with an open window, computed apart from the product from the definition of local time."""
    today = now.astimezone(rules.timezone).date()
    days = (today - timedelta(days=1), today)
    return [day for day in days if scheduled_at(day, rules) <= now < closes_at(day, rules)]


def settled(backend: InMemory) -> dict[date, list[str]]:
    """The outcomes of each business date, from all records."""
    found: dict[date, list[str]] = {}
    rows = backend.raw.execute(
        """
        SELECT business_date, status FROM assignment_run WHERE "trigger" = 'schedule' AND status <> 'failed'
        UNION ALL SELECT business_date, outcome FROM schedule_outcome
        """
    )
    for day, outcome in rows:
        found.setdefault(date.fromisoformat(day), []).append(outcome)
    return found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(simulated_years())
def test_each_business_date_ends_in_exactly_one_way(case: SimulatedYears) -> None:
    backend, possible = simulate(case)
    with closing(backend.raw):
        last = case.first + timedelta(days=len(case.nights) - 1)
        # At the end there is no trouble for long enough that each window has closed.
        now = closes_at(last, case.settings) + timedelta(hours=2)
        Clock(backend, case.settings, lambda: now).look()

        ended = settled(backend)
        assert {day: outcomes for day, outcomes in ended.items() if len(outcomes) != 1} == {}
        days = {case.first + timedelta(days=night) for night in range(len(case.nights))}
        # A clock that was wrong by an hour may have settled the day before the first.
        assert days - set(ended) == set()
        assert all(outcomes[0] in ("succeeded", "missed", "failed", "holiday", "paused") for outcomes in ended.values())
        for day, outcomes in ended.items():
            assert (outcomes == ["holiday"]) <= (day.weekday() not in case.settings.weekdays)
            assert (outcomes == ["succeeded"]) <= (day.weekday() in case.settings.weekdays)
        for day in possible:
            assert ended[day] == ["succeeded"], day


@pytest.mark.parametrize("zone", ZONES)
def test_every_night_of_two_years_is_scheduled_once_at_a_time_that_exists(zone: str) -> None:
    for run_at in ("20:40", "00:00", "00:30", "02:30", "23:59"):
        rules = load(timezone=zone, run_at=run_at)
        instants = [scheduled_at(date(2025, 1, 1) + timedelta(days=offset), rules) for offset in range(730)]
        assert sorted(set(instants)) == instants
        for offset, instant in enumerate(instants):
            local = instant.astimezone(ZoneInfo(zone))
            day = date(2025, 1, 1) + timedelta(days=offset)
            wanted = datetime.combine(day, rules.run_at)
            # At the configured time; if the zone skips it, at the first instant after; if it repeats it, at the first.
            assert local.replace(tzinfo=None) >= wanted
            before = (instant - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            assert before < wanted
            assert not local.fold or local.replace(tzinfo=None) != wanted
            assert next_run(instant - timedelta(seconds=1), rules).astimezone(UTC) == instant


@pytest.mark.parametrize("kind", ["succeeded", "missed", "failed", "holiday", "paused"])
def test_the_generated_cases_reach_every_outcome(kind: str) -> None:
    def ends(case: SimulatedYears) -> bool:
        backend, _ = simulate(case)
        with closing(backend.raw):
            return any(kind in outcomes for outcomes in settled(backend).values())

    # `find` raises if no case does.
    find(
        simulated_years(),
        ends,
        settings=settings(max_examples=400, phases=[Phase.generate], deadline=None, database=None),
    )


def test_a_week_with_every_outcome_ends_as_expected() -> None:
    def look(*, down: bool = False, nobody: bool = False, pause: bool | None = None) -> Look:
        return Look(timedelta(minutes=1), timedelta(0), down, nobody, pause)

    # From Wednesday to Sunday, and the Monday after:
    week = (look(),), (look(down=True),), (look(nobody=True),), (look(),), (look(),), (look(pause=True),)
    rules = load(timezone="Europe/Berlin", weekdays="mon-fri")
    backend, possible = simulate(SimulatedYears(rules, date(2024, 12, 4), week))
    with closing(backend.raw):
        Clock(backend, rules, lambda: datetime(2024, 12, 10, 12, tzinfo=UTC)).look()
        ended = [outcomes for _, outcomes in sorted(settled(backend).items())]
    assert ended == [["succeeded"], ["missed"], ["failed"], ["holiday"], ["holiday"], ["paused"]]
    assert list(possible) == [date(2024, 12, 4)]
