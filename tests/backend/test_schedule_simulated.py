"""Years of simulated nights: each business date ends in exactly one way, and never in two runs.

The clock and the SQL are the product's own; the time is simulated, and the database is SQLite in memory, so that a
night takes milliseconds.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from agent_funnel.schedule.calendar import closes_at, next_run, scheduled_at
from agent_funnel.schedule.voids import MOST_EARLY
from agent_funnel.settings import load
from support import LONG
from support.simulation import (
    Look,
    SimulatedYears,
    Simulation,
    Spell,
    outcomes_on_record,
    runs,
    settled,
    void_runs,
)

# Nights per example, and examples: 25,800 nights in the long version, in about 2 years of 12 time zones.
NIGHTS = 86 if LONG else 14
EXAMPLES = 300 if LONG else 40

pytestmark = pytest.mark.timeout(3600)

# Zones with and without daylight saving time: by an hour and by half an hour, changing in the evening and at midnight,
# in both hemispheres, and with an interruption in the month of fasting:
ZONES = (
    *("UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Santiago"),
    *("Africa/Casablanca", "Asia/Kathmandu", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia"),
)


# Minutes at the edges of the window, within it and long after it; some seconds are added or subtracted.
AFTER = st.one_of(
    st.sampled_from([timedelta(seconds=seconds) for seconds in (-31, -1, 0, 1, 29, 30, 31)]),
    st.integers(-120, 1_300).map(lambda minutes: timedelta(minutes=minutes)),
)
# Clocks are off by seconds, minutes, hours, days or years.
SECONDS = st.integers(-120, 120).map(lambda seconds: timedelta(seconds=seconds))
FAR_OFF = st.one_of(
    st.integers(-60, 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(-30, 30).map(lambda hours: timedelta(hours=hours)),
    st.sampled_from([-10, -3, -2, -1, 1, 2, 3, 10]).map(lambda days: timedelta(days=days)),
    st.sampled_from([timedelta(days=365), timedelta(days=3_652), timedelta(days=-3_652)]),
)
RIGHT = st.just(timedelta(0))
WRONG = st.one_of(RIGHT, RIGHT, RIGHT, SECONDS, FAR_OFF)
RARELY = st.sampled_from([False, False, False, True])
THREE_MINUTES = st.sampled_from([timedelta(minutes=minutes) for minutes in (0, 0, 0, -3, 3)])
LOOK = st.builds(
    Look, AFTER, WRONG, RARELY, RARELY, st.sampled_from([None] * 8 + [True, False]), st.integers(0, 2), RARELY,
    THREE_MINUTES, st.sampled_from([False] * 15 + [True]),
)  # fmt: skip
SPELL = st.builds(
    Spell,
    st.sampled_from([None, 0, 1]),
    st.tuples(st.integers(0, NIGHTS), st.integers(1, 5)).map(lambda given: range(given[0], sum(given))),
    FAR_OFF,
)


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
    spells = draw(st.lists(SPELL, max_size=3).map(tuple))
    return SimulatedYears(rules, first, nights, draw(st.booleans()), spells)


OUTCOMES = ("succeeded", "missed", "failed", "holiday", "paused", "skipped")


def test_each_business_date_ends_in_exactly_one_way_and_the_cases_reach_every_outcome() -> None:
    missing = {(outcome, has_server) for outcome in OUTCOMES for has_server in (False, True)}

    def played(case: SimulatedYears) -> Simulation:
        simulation = Simulation(case)
        simulation.play()
        for outcomes in settled(simulation.backend).values():
            missing.difference_update((outcome, case.has_server) for outcome in outcomes)
        return simulation

    # The short version repeats its cases, so that a rare one does not stop a change that it is not about.
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=not LONG)
    @given(simulated_years())
    def each(case: SimulatedYears) -> None:
        simulation = played(case)
        with closing(simulation.backend.raw):
            check_the_end(simulation)

    def reaches_the_last(case: SimulatedYears) -> bool:
        played(case).backend.raw.close()
        return not missing

    each()
    if missing:
        # A rare outcome may take more cases; this raises an error if none of them reaches it.
        more = settings(max_examples=400, phases=[Phase.generate], deadline=None, database=None)
        find(simulated_years(), reaches_the_last, settings=more, random=Random(2))


def check_the_end(played: Simulation) -> None:
    """Looks once more when all windows have closed, and checks the end of each date."""
    case = played.case
    ended = played.end()
    assert {day: outcomes for day, outcomes in ended.items() if len(outcomes) != 1} == {}
    days = {case.first + timedelta(days=night) for night in range(len(case.nights))}
    assert days - set(ended) == set()
    assert all(outcomes[0] in OUTCOMES for outcomes in ended.values())
    for day, outcomes in ended.items():
        assert (outcomes == ["holiday"]) <= (day.weekday() not in case.settings.weekdays)
        assert (outcomes == ["succeeded"]) <= (day.weekday() in case.settings.weekdays)
    # A date that somebody has skipped stays so, whatever the clocks of copies show.
    assert {day for day, outcomes in ended.items() if outcomes == ["skipped"]} == played.skipped
    for day in played.possible - played.in_doubt:
        assert ended[day] == ["succeeded"], day
    voided = void_runs(played.backend)
    if case.has_server:
        # Whatever the clocks of the copies show, each date is dealt in its window, and once.
        assert not played.in_doubt
        assert not voided & set(played.made)
        slack = timedelta(minutes=3)
        for run_id, day in runs(played.backend):
            opens, closes = scheduled_at(day, case.settings), closes_at(day, case.settings)
            assert opens - slack <= played.made[run_id] < closes + slack
    for run_id, day in runs(played.backend):
        # A deal of a date to come is void: that date gets another one.
        assert scheduled_at(day, case.settings) - played.now <= MOST_EARLY or run_id in voided
    assert all(closes_at(day, case.settings) <= played.now for day in outcomes_on_record(played.backend))


@pytest.mark.parametrize("zone", ZONES)
def test_every_night_is_scheduled_once_at_a_time_that_exists(zone: str) -> None:
    for run_at in ("20:40", "00:00", "00:30", "02:30", "23:59"):
        rules = load(timezone=zone, run_at=run_at)
        days = 730 if LONG else 366
        instants = [scheduled_at(date(2025, 1, 1) + timedelta(days=offset), rules) for offset in range(days)]
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


def test_a_week_with_every_outcome_ends_as_expected() -> None:
    def look(**given: Any) -> tuple[Look, ...]:
        return (Look(timedelta(minutes=1), **given),)

    # From Wednesday to Sunday, and the Monday after:
    week = look(), look(database_down=True), look(nobody_active=True), look(), look(), look(pause=True)
    rules = load(timezone="Europe/Berlin", weekdays="mon-fri")
    played = Simulation(SimulatedYears(rules, date(2024, 12, 4), week))
    with closing(played.backend.raw):
        played.play()
        ended = [outcomes for _, outcomes in sorted(played.end().items())]
    assert ended == [["succeeded"], ["missed"], ["failed"], ["holiday"], ["holiday"], ["paused"]]
    assert played.possible == {date(2024, 12, 4)}


YEARS = timedelta(days=3_652)


@pytest.mark.parametrize("has_server", [False, True])
@pytest.mark.parametrize("wrong", [timedelta(days=1), timedelta(days=3), YEARS, -timedelta(days=3), -YEARS])
@pytest.mark.parametrize("copy", [0, 1])
def test_after_one_look_of_a_clock_that_is_wrong_each_night_is_dealt(
    wrong: timedelta, copy: int, has_server: bool
) -> None:
    # The wrong look is at noon, or just after the deal; copy 0 is right otherwise.
    for after in (timedelta(hours=-8), timedelta(minutes=1)):
        night = (Look(timedelta(0)),)
        third = (Look(after, wrong, copy=copy), Look(timedelta(minutes=2)), *night)
        case = SimulatedYears(load(), date(2024, 12, 4), (night, night, third, *[night] * 6), has_server)
        played = Simulation(case)
        with closing(played.backend.raw):
            played.play()
            ended = played.end()
            days = [case.first + timedelta(days=number) for number in range(9)]
            # A deal of a date to come is void, and that date is still to come.
            assert {day: ended[day] for day in ended if day <= days[-1]} == {day: ["succeeded"] for day in days}
            assert played.possible == set(days)
            opened = sorted(
                played.made[run_id] - scheduled_at(day, case.settings)
                for run_id, day in runs(played.backend)
                if day <= days[-1]
            )
            # Each in its own evening.
            assert timedelta(0) <= opened[0] <= opened[-1] <= timedelta(minutes=2)
