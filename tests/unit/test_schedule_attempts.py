"""When the schedule tries a run, which dates have passed, and when the next run is: pure functions of the time."""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, date, datetime, timedelta

import pytest

from agent_funnel.schedule.calendar import Period, closes_at, due, is_workday, next_due, next_run, passed, scheduled_at
from agent_funnel.schedule.scheduler import wants_run
from agent_funnel.schedule.store import ScheduleState
from agent_funnel.settings import load

DAY = date(2026, 11, 23)  # a Monday
OPENS = datetime(2026, 11, 23, 20, 40, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=3)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HOUR, SECOND, MOMENT = timedelta(hours=1), timedelta(seconds=1), timedelta(microseconds=1)


def state(failures: int = 0, failed_at: datetime | None = None, **changed: bool) -> ScheduleState:
    given = {"paused": False, "holiday": False, **changed}
    return ScheduleState(None, None, given["paused"], failures, failed_at, given["holiday"])


def test_a_failure_in_the_future_prevents_no_attempt() -> None:
    # It comes from a copy whose clock is ahead.
    assert wants_run(DAY, OPENS, load(), state(1, OPENS + HOUR))
    assert wants_run(DAY, OPENS, load(), state(9, OPENS + MOMENT))


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (7, 600), (99, 600)]
)
def test_after_each_failure_an_attempt_waits_twice_as_long_up_to_ten_minutes(failures: int, seconds: int) -> None:
    pause = seconds * SECOND
    assert not wants_run(DAY, OPENS, load(), state(failures, OPENS))
    assert not wants_run(DAY, OPENS + pause - MOMENT, load(), state(failures, OPENS))
    assert wants_run(DAY, OPENS + pause, load(), state(failures, OPENS))


def test_without_a_failure_a_run_is_tried_unless_the_day_is_off_or_the_schedule_paused() -> None:
    assert wants_run(DAY, OPENS, load(), state())
    assert not wants_run(DAY, OPENS, load(), state(paused=True))
    assert not wants_run(DAY, OPENS, load(), state(holiday=True))
    assert not wants_run(DAY, OPENS, load(weekdays="tue-sun"), state())
    assert is_workday(DAY, load(weekdays="mon"))


def passed_dates(
    now: datetime, *periods: Period, ended: Container[date] = (), since: datetime = LONG_AGO
) -> list[date]:
    return [each.business_date for each in passed(now, periods or [Period(load())], ended, since)]


def test_a_date_has_passed_as_soon_as_its_window_closes() -> None:
    before = DAY - timedelta(days=1)
    assert closes_at(DAY, load()) == CLOSES
    yesterday = CLOSES - timedelta(days=1)
    assert passed_dates(CLOSES - MOMENT, ended=[before], since=yesterday) == []
    assert passed_dates(CLOSES, ended=[before], since=yesterday - MOMENT) == [DAY]
    # Dates that have ended do not pass again; the gaps between them do, the oldest first.
    two_before, three_before = DAY - timedelta(days=2), DAY - timedelta(days=3)
    since = CLOSES - timedelta(days=4)
    assert passed_dates(CLOSES, ended=[DAY, two_before], since=since) == [three_before, before]


def test_the_first_dates_to_pass_are_those_whose_window_was_open_after_the_installation() -> None:
    now = CLOSES + timedelta(days=1)
    assert passed_dates(now, since=CLOSES - MOMENT) == [DAY, DAY + timedelta(days=1)]
    assert passed_dates(now, since=CLOSES) == [DAY + timedelta(days=1)]
    assert passed(now, [Period(load())], (), None) == []


def test_a_clock_that_is_years_ahead_settles_four_hundred_days_and_today() -> None:
    now = CLOSES + timedelta(days=2_000)
    found = passed_dates(now, since=OPENS)
    assert len(found) == 401
    assert found[-1] == now.date()


def test_a_date_does_not_pass_because_the_time_was_moved_to_an_earlier_one() -> None:
    noon = OPENS - timedelta(hours=8, minutes=40)
    morning, evening = load(run_at="08:30"), load()
    moved = (Period(morning, since=noon), Period(evening, until=noon))
    yesterday = CLOSES - timedelta(days=1)
    # Neither window was open while its terms held.
    assert passed_dates(CLOSES, *moved, since=yesterday) == []
    # The next morning no run was due for that date; and the next date passes as usual.
    (first,) = passed(noon + timedelta(hours=20, minutes=30), moved, (), yesterday)
    assert (first.business_date, first.is_workday) == (DAY, False)
    assert passed_dates(noon + timedelta(hours=23), *moved, since=yesterday) == [DAY]
    assert passed_dates(noon + timedelta(hours=23, minutes=30), *moved, since=yesterday) == [
        DAY,
        DAY + timedelta(days=1),
    ]


def test_a_date_passes_when_the_last_of_its_windows_has_closed() -> None:
    late = OPENS + timedelta(minutes=30)
    to_morning = (Period(load(run_at="08:30"), since=late), Period(load(), until=late))
    assert passed_dates(CLOSES - MOMENT, *to_morning, since=OPENS) == []
    (found,) = passed(CLOSES, to_morning, (), OPENS)
    assert (found.business_date, found.is_workday, found.closes_at) == (DAY, True, CLOSES)
    to_night = (Period(load(run_at="22:00"), since=late), Period(load(), until=late))
    assert passed_dates(CLOSES, *to_night, since=OPENS) == []
    assert passed_dates(CLOSES + HOUR + timedelta(minutes=20), *to_night, since=OPENS) == [DAY]


def test_the_next_run_is_that_of_the_first_date_with_an_open_window() -> None:
    tomorrow = DAY + timedelta(days=1)
    assert next_due(OPENS - HOUR, load(), (), ()) == (DAY, OPENS)
    assert next_due(OPENS + HOUR, load(), (), ()) == (DAY, OPENS)
    assert next_due(CLOSES, load(), (), ()) == (tomorrow, OPENS + timedelta(days=1))
    assert next_due(OPENS - HOUR, load(), [DAY], ()) == (tomorrow, OPENS + timedelta(days=1))
    assert next_due(OPENS - HOUR, load(), (), [DAY]) == (tomorrow, OPENS + timedelta(days=1))
    assert next_due(OPENS - HOUR, load(weekdays="sun"), (), ()) == (DAY + timedelta(days=6), OPENS + timedelta(days=6))


def test_yesterdays_run_comes_before_todays_while_both_windows_are_open() -> None:
    settings = load(run_at="20:40", catch_up="23h")
    early = OPENS + 22 * HOUR
    assert due(early, settings) == DAY
    assert due(early, settings, [DAY]) is None
    late = load(run_at="00:10", catch_up="23h")
    opened = datetime(2026, 11, 23, 0, 10, tzinfo=UTC)
    assert due(opened, late) == DAY
    assert due(opened, late, [DAY]) is None


def test_the_next_run_is_after_now_and_neither_on_a_weekday_off_nor_on_a_holiday() -> None:
    assert next_run(OPENS, load()) == OPENS + 24 * HOUR
    assert next_run(OPENS - MOMENT, load()) == OPENS
    assert next_run(OPENS, load(weekdays="mon")) == OPENS + 7 * 24 * HOUR
    assert next_run(OPENS - MOMENT, load(weekdays="mon")) == OPENS
    assert next_run(OPENS - MOMENT, load(), {OPENS.date()}) == OPENS + 24 * HOUR
    assert next_run(OPENS - MOMENT, load(weekdays="mon"), {OPENS.date()}) == OPENS + 7 * 24 * HOUR


def test_a_window_is_never_shorter_than_the_time_between_two_looks() -> None:
    assert closes_at(DAY, load(catch_up="0")) == OPENS + 30 * SECOND
    assert closes_at(DAY, load(catch_up="29s")) == OPENS + 30 * SECOND
    assert closes_at(DAY, load(catch_up="31s")) == OPENS + 31 * SECOND
    assert scheduled_at(DAY, load(run_at="20:40:30")) == OPENS + 30 * SECOND
