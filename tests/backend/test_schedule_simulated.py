"""Years of nights, simulated: whatever happens, each business date ends in exactly one way, and never in two runs.

The clock is the product's and so is the SQL; only the time is simulated, and the database is SQLite in memory, so
that a night takes milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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

# So many nights in an example, and so many examples: 103,200 nights in the long version, in some 2 years of 12 zones.
NIGHTS = 86 if LONG else 30
EXAMPLES = 1_200 if LONG else 60

pytestmark = pytest.mark.timeout(3600)

# With and without daylight saving time, by an hour and by half an hour, in the evening and at midnight, in both
# hemispheres, and with a pause of it in the month of fasting:
ZONES = (
    *("UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Santiago"),
    *("Africa/Casablanca", "Asia/Kathmandu", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia"),
)


class InMemory(SQLite):
    """SQLite in memory, on one connection, which can be down."""

    def __init__(self) -> None:
        super().__init__(load(database_url="sqlite:///none.db", lock_wait=timedelta(seconds=1)))
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
    """The connection, for those who would close it."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Look:
    """A copy of the service wakes up: how long after the run was due, how wrong its clock is, and what is wrong."""

    after: timedelta
    wrong: timedelta
    database_down: bool
    nobody_active: bool
    pause: bool | None  # somebody pauses or resumes the clock just before


@dataclass(frozen=True)
class SimulatedYears:
    settings: Settings
    first: date
    nights: tuple[tuple[Look, ...], ...]


# Around the edges of the window, within it, and long after it; in minutes, and a little beside them in seconds.
AFTER = st.one_of(
    st.sampled_from([timedelta(seconds=seconds) for seconds in (-31, -1, 0, 1, 29, 30, 31)]),
    st.integers(-120, 1_300).map(lambda minutes: timedelta(minutes=minutes)),
)
# Clocks are up to two minutes apart, and sometimes one has been set wrong by up to an hour.
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
    # Minutes past midnight and before it, the hours that daylight saving time skips or has twice, and the evening:
    run_at = draw(st.sampled_from(["20:40", "20:40", "00:00", "00:30", "02:00", "02:30", "03:00", "23:59", "12:00"]))
    rules = load(
        timezone=draw(st.sampled_from(ZONES)), run_at=run_at, catch_up=catch_up,
        weekdays=draw(st.sampled_from(["mon-sun", "mon-sun", "mon-fri"])),
    )  # fmt: skip
    first = date(2024, 12, 1) + timedelta(days=draw(st.integers(0, 730 - NIGHTS)))
    nights = draw(st.lists(st.lists(LOOK, max_size=5).map(tuple), min_size=NIGHTS, max_size=NIGHTS).map(tuple))
    return SimulatedYears(rules, first, nights)


def simulate(case: SimulatedYears) -> tuple[InMemory, dict[date, bool]]:
    """Plays the nights; says of which business dates some copy could have made the run, and saw nothing against it."""
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
                # Of the dates that are open, a look takes the first; the ones before it must have been settled.
                possible.setdefault(day, True)
                break
    return backend, possible


def open_windows(now: datetime, rules: Settings) -> list[date]:
    """The business dates whose windows are open, written apart from the product: by the definition of a local time."""
    today = now.astimezone(rules.timezone).date()
    days = (today - timedelta(days=1), today)
    return [day for day in days if scheduled_at(day, rules) <= now < closes_at(day, rules)]


def settled(backend: InMemory) -> dict[date, list[str]]:
    """What each business date ended as, by all that is on record."""
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
        # In the end everything is well again, for long enough that each window has closed.
        now = closes_at(last, case.settings) + timedelta(hours=2)
        Clock(backend, case.settings, lambda: now).look()

        ended = settled(backend)
        assert {day: outcomes for day, outcomes in ended.items() if len(outcomes) != 1} == {}
        days = {case.first + timedelta(days=night) for night in range(len(case.nights))}
        # A clock that was an hour early may have settled the day before the first.
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
            # At its time, or, where the zone skips that, at the first instant after it; and the first of two.
            assert local.replace(tzinfo=None) >= wanted
            before = (instant - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            assert before < wanted
            assert not local.fold or local.replace(tzinfo=None) != wanted
            assert next_run(instant - timedelta(seconds=1), rules).astimezone(UTC) == instant


@pytest.mark.parametrize("kind", ["succeeded", "missed", "failed", "holiday", "paused"])
def test_the_cases_reach_every_kind_of_end(kind: str) -> None:
    def ends(case: SimulatedYears) -> bool:
        backend, _ = simulate(case)
        with closing(backend.raw):
            return any(kind in outcomes for outcomes in settled(backend).values())

    # Raises if none of them does.
    find(
        simulated_years(),
        ends,
        settings=settings(max_examples=400, phases=[Phase.generate], deadline=None, database=None),
    )


def test_a_week_with_every_kind_of_end_ends_as_it_should() -> None:
    def look(*, down: bool = False, nobody: bool = False, pause: bool | None = None) -> Look:
        return Look(timedelta(minutes=1), timedelta(0), down, nobody, pause)

    # From a Wednesday to a Sunday, and the Monday after it:
    week = (look(),), (look(down=True),), (look(nobody=True),), (look(),), (look(),), (look(pause=True),)
    rules = load(timezone="Europe/Berlin", weekdays="mon-fri")
    backend, possible = simulate(SimulatedYears(rules, date(2024, 12, 4), week))
    with closing(backend.raw):
        Clock(backend, rules, lambda: datetime(2024, 12, 10, 12, tzinfo=UTC)).look()
        ended = [outcomes for _, outcomes in sorted(settled(backend).items())]
    assert ended == [["succeeded"], ["missed"], ["failed"], ["holiday"], ["holiday"], ["paused"]]
    assert list(possible) == [date(2024, 12, 4)]
