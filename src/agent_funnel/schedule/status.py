"""The state of tonight's scheduled run, for the dashboard headline."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from agent_funnel.database import Database
from agent_funnel.runs import Run
from agent_funnel.schedule.calendar import closes_at, current_date, is_workday, next_run, scheduled_at
from agent_funnel.schedule.nights import is_broken
from agent_funnel.schedule.skips import list_skips
from agent_funnel.schedule.store import (
    Holiday,
    NightRecord,
    Pause,
    ScheduleState,
    current_pause,
    list_holidays,
    list_nights,
    schedule_state,
)
from agent_funnel.settings import Settings

State = Literal["done", "undone", "due", "running", "late", "failed", "missed", "paused", "skipped", "off"]
# The number of past nights on the dashboard:
NIGHTS_SHOWN = 60
# The scheduler looks every half minute. A run that has not begun this long after its time is late:
LATE_AFTER = timedelta(minutes=1)
# The state of a night with an outcome on record:
STATE_OF_OUTCOME: dict[str, State] = {
    "succeeded": "done",
    "undone": "undone",
    "missed": "missed",
    "failed": "failed",
    "paused": "paused",
    "holiday": "off",
    "skipped": "skipped",
    "void": "off",
}


@dataclass(frozen=True)
class Tonight:
    """The state of the scheduled run of `business_date`.

    `state` is "done", "undone", "due" (its time is still to come), "running" (any run is in progress), "late" (its time
    has come and nothing has happened), "failed" (it is tried again until `closes_at`, or no more if that is None),
    "missed" (it was not made in time), "paused", "skipped" (a person said so), or "off" (no run is due that day).
    `next_at` is the next scheduled instant, in the configured zone. `holiday` is that of today, and `next_holiday` the
    next one after today.
    `nights` are the outcomes of past dates, newest first. Until the time of tonight's run, a night before that was
    missed or failed and not made up for is the state, also in a pause.
    """

    state: State
    business_date: date
    next_at: datetime
    holiday: Holiday | None
    next_holiday: Holiday | None
    closes_at: datetime | None
    run_id: int | None
    pause: Pause | None
    nights: tuple[NightRecord, ...]


def tonight(database: Database, settings: Settings, now: datetime, last: Run | None) -> Tonight:
    """The state of tonight at a moment. `last` is the last run that is not undone."""
    business_date = current_date(now, settings)
    return assess(
        now,
        settings,
        state=schedule_state(database, business_date),
        nights=list_nights(database, count=NIGHTS_SHOWN),
        pause=current_pause(database),
        running=database.run_in_progress(),
        dealt_at=None if last is None else last.finished_at,
        holidays=list_holidays(database, since=business_date),
        skipped={each.business_date for each in list_skips(database, since=business_date)},
    )


def assess(
    now: datetime,
    settings: Settings,
    *,
    state: ScheduleState,
    nights: Sequence[NightRecord],
    pause: Pause | None,
    running: bool,
    dealt_at: datetime | None,
    holidays: Sequence[Holiday] = (),
    skipped: Collection[date] = (),
) -> Tonight:
    """The state of tonight, from the records of the current business date.

    `dealt_at` (UTC) is the end of the last run that is not undone, and `holidays` and `skipped` dates are those from
    today on, the holidays in order.
    """
    business_date = current_date(now, settings)
    begins, closes = scheduled_at(business_date, settings), closes_at(business_date, settings)
    outcome = next((night for night in nights if night.business_date == business_date), None)
    rules: tuple[tuple[bool, State | None], ...] = (
        (running, "running"),
        (outcome is not None, STATE_OF_OUTCOME[outcome.outcome] if outcome else None),
        (pause is not None, "paused"),
        (state.holiday or not is_workday(business_date, settings), "off"),
        (now < begins, "due"),
        (state.failures > 0, "failed"),
        (now >= closes, "missed"),
        (now - begins > LATE_AFTER, "late"),
        (True, "due"),
    )
    found = next(name for holds, name in rules if holds and name)
    broken = _broken_night_before(business_date, nights, settings, dealt_at)
    # A pause, or a deal that is skipped, mends no night.
    if broken is not None and found in ("due", "off", "paused", "skipped") and now < begins:
        found, outcome, business_date = STATE_OF_OUTCOME[broken.outcome], broken, broken.business_date
    return Tonight(
        state=found,
        business_date=business_date,
        next_at=next_run(now, settings, {*(holiday.day for holiday in holidays), *skipped}),
        holiday=next((each for each in holidays if each.day == current_date(now, settings)), None),
        next_holiday=next((each for each in holidays if each.day > current_date(now, settings)), None),
        closes_at=closes if begins <= now < closes and outcome is None else None,
        run_id=outcome.run_id if outcome else None,
        pause=pause,
        nights=tuple(nights),
    )


def _broken_night_before(
    business_date: date, nights: Sequence[NightRecord], settings: Settings, dealt_at: datetime | None
) -> NightRecord | None:
    """The night before, if it was missed or failed and no deal has been made since its time."""
    before = next((night for night in nights if night.business_date < business_date), None)
    if before is None or not is_broken(before):
        return None
    return None if dealt_at and dealt_at > scheduled_at(before.business_date, settings) else before
