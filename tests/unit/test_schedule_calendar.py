"""Which date is due, as a pure function of the time and the settings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_funnel.schedule.calendar import due, next_run, scheduled_at
from agent_funnel.settings import Settings, load

ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]


def settings(zone: str = "UTC", run_at: str = "20:40", catch_up: str = "3h") -> Settings:
    return load(timezone=zone, run_at=run_at, catch_up=catch_up)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def test_the_same_time_is_another_instant_in_each_zone() -> None:
    day = date(2026, 11, 23)
    assert scheduled_at(day, settings("UTC")) == utc(2026, 11, 23, 20, 40)
    assert scheduled_at(day, settings("America/Sao_Paulo")) == utc(2026, 11, 23, 23, 40)
    assert scheduled_at(day, settings("Asia/Kolkata")) == utc(2026, 11, 23, 15, 10)


def test_a_date_is_due_from_its_instant_until_the_window_ends() -> None:
    rules = settings("America/Sao_Paulo")
    opens = utc(2026, 11, 23, 23, 40)
    assert due(opens - timedelta(microseconds=1), rules) is None
    assert due(opens, rules) == date(2026, 11, 23)
    # Past midnight the run still belongs to the date of its evening.
    assert due(opens + timedelta(hours=3, microseconds=-1), rules) == date(2026, 11, 23)
    assert due(opens + timedelta(hours=3), rules) is None


def test_without_catch_up_a_date_is_due_for_half_a_minute_only() -> None:
    rules = settings(catch_up="0")
    assert due(utc(2026, 11, 23, 20, 40, 29), rules) == date(2026, 11, 23)
    assert due(utc(2026, 11, 23, 20, 40, 30), rules) is None


def test_a_time_in_a_daylight_saving_gap_is_due_when_the_gap_ends() -> None:
    assert scheduled_at(date(2026, 3, 29), settings("Europe/Berlin", "02:30")) == utc(2026, 3, 29, 1, 0)
    assert scheduled_at(date(2026, 10, 4), settings("Australia/Lord_Howe", "02:10")) == utc(2026, 10, 3, 15, 30)


def test_a_time_in_a_daylight_saving_overlap_is_due_the_first_time() -> None:
    assert scheduled_at(date(2026, 10, 25), settings("Europe/Berlin", "02:30")) == utc(2026, 10, 25, 0, 30)


def test_the_next_run_is_given_in_the_configured_zone() -> None:
    found = next_run(utc(2026, 11, 23, 23, 40), settings("America/Sao_Paulo"))
    assert found == utc(2026, 11, 24, 23, 40)
    assert found.isoformat() == "2026-11-24T20:40:00-03:00"


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(ZONES),
    run_at=st.times().map(lambda time: time.strftime("%H:%M")),
    hours=st.integers(0, 23),
)
def test_a_date_is_due_exactly_while_its_window_is_open(now: datetime, zone: str, run_at: str, hours: int) -> None:
    rules = settings(zone, run_at, f"{hours}h")
    window = max(timedelta(hours=hours), timedelta(seconds=30))
    today = now.astimezone(rules.timezone).date()
    open_dates = [
        day
        for day in (today + timedelta(days=offset) for offset in (1, 0, -1, -2))
        if scheduled_at(day, rules) <= now < scheduled_at(day, rules) + window
    ]
    assert due(now, rules) == (open_dates[0] if open_dates else None)
    assert next_run(now, rules) > now


@pytest.mark.parametrize("zone", ZONES)
def test_over_a_year_the_instants_of_the_dates_are_about_a_day_apart(zone: str) -> None:
    rules = settings(zone, "02:30")
    instants = [scheduled_at(date(2026, 1, 1) + timedelta(days=day), rules) for day in range(366)]
    steps = {after - before for before, after in pairwise(instants)}
    assert all(timedelta(hours=22) <= step <= timedelta(hours=26) for step in steps)
