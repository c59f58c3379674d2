"""Date arithmetic of the schedule: when the run of a business date is due, and when its window closes."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from agent_funnel.settings import Settings

# The scheduler checks this often whether a run is due, and also at the time of the run itself:
LOOK_INTERVAL = timedelta(seconds=30)
# Business dates without a run are recorded for this many days back, so that a clock that is years off cannot fill the
# table.
MOST_DAYS_BACK = 400
ONE_DAY = timedelta(days=1)


def scheduled_at(business_date: date, settings: Settings) -> datetime:
    """The instant (UTC) at which the run of a business date is due.

    A time that the zone skips is due when the gap ends; a time that it has twice is due the first time.
    """
    local = datetime.combine(business_date, settings.run_at, settings.timezone)
    instant = local.astimezone(UTC)
    if instant.astimezone(settings.timezone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    # In a gap, the two readings of the time lie on either side of it.
    before, after = local.replace(fold=1).astimezone(UTC), instant
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(settings.timezone).utcoffset() == before.astimezone(settings.timezone).utcoffset():
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def closes_at(business_date: date, settings: Settings) -> datetime:
    """The instant (UTC) at which the window of a business date closes. From then on, its run is no longer made.

    The window is open for `catch_up` from the scheduled instant, or for LOOK_INTERVAL if that is longer.
    """
    return scheduled_at(business_date, settings) + max(settings.catch_up, LOOK_INTERVAL)


@dataclass(frozen=True)
class Period:
    """Settings with the terms that held for a time: from `since` (None: always) until `until` (None: still)."""

    rules: Settings
    since: datetime | None = None
    until: datetime | None = None

    def had_open(self, business_date: date) -> bool:
        """Whether the window of a business date was open at any time in this period."""
        opens, closes = scheduled_at(business_date, self.rules), closes_at(business_date, self.rules)
        return (self.until is None or opens < self.until) and (self.since is None or closes > self.since)


@dataclass(frozen=True)
class PassedDate:
    """A business date that passed without a scheduled run, and the end of its window."""

    business_date: date
    is_workday: bool
    closes_at: datetime


def due(now: datetime, settings: Settings, ended: Container[date] = ()) -> date | None:
    """The first business date that has not ended and whose window is open now; near midnight it may be yesterday."""
    today = now.astimezone(settings.timezone).date()
    for business_date in (today - timedelta(days=1), today):
        if business_date in ended:
            continue
        if scheduled_at(business_date, settings) <= now < closes_at(business_date, settings):
            return business_date
    return None


def passed(
    now: datetime, periods: Sequence[Period], ended: Container[date], installed_at: datetime | None
) -> list[PassedDate]:
    """The business dates that have passed since the installation and have not ended, oldest first.

    `periods` have the terms that held, newest first. A date has passed when the last of its windows has closed: the one
    by the terms of today, and those that were open while their terms held. If none was, because the time of the deal
    was changed that day, no run was due; this is known when the run of the next date is due.
    """
    if installed_at is None:
        return []
    rules = periods[0].rules
    today = now.astimezone(rules.timezone).date()
    first = max(today - timedelta(days=MOST_DAYS_BACK), installed_at.astimezone(rules.timezone).date() - ONE_DAY)
    days = (first + timedelta(days=offset) for offset in range((today - first).days + 1))
    found = (_passed(day, now, periods) for day in days if day not in ended)
    return [date for date in found if date is not None and date.closes_at > installed_at]


def _passed(day: date, now: datetime, periods: Sequence[Period]) -> PassedDate | None:
    """A business date, if it has passed."""
    rules = periods[0].rules
    closes = closes_at(day, rules)
    if closes > now:
        return None
    held = [period.rules for period in periods if period.had_open(day)]
    if not held:
        return PassedDate(day, False, closes) if scheduled_at(day + ONE_DAY, rules) <= now else None
    closes = max(closes_at(day, rules) for rules in held)
    workday = any(is_workday(day, rules) for rules in held)
    return PassedDate(day, workday, closes) if closes <= now else None


def next_due(
    now: datetime, settings: Settings, ended: Container[date], days_off: Container[date]
) -> tuple[date, datetime] | None:
    """The next business date that gets a scheduled run, and its instant, which has passed if the run is late."""
    today = now.astimezone(settings.timezone).date()
    for offset in range(-1, MOST_DAYS_BACK):
        day = today + timedelta(days=offset)
        if day not in ended and day not in days_off and is_workday(day, settings) and now < closes_at(day, settings):
            return day, scheduled_at(day, settings)
    return None


def current_date(now: datetime, settings: Settings) -> date:
    """The business date of a moment: yesterday while yesterday's run may still be made, otherwise today."""
    return due(now, settings) or now.astimezone(settings.timezone).date()


def is_workday(business_date: date, settings: Settings) -> bool:
    """Whether scheduled runs are made on this weekday."""
    return business_date.weekday() in settings.weekdays


def next_run(now: datetime, settings: Settings, days_off: Container[date] = ()) -> datetime:
    """The next scheduled instant after now, in the configured zone; pauses are not considered.

    If all days for more than a year are days off, it is that of the next weekday that has a run.
    """
    today = now.astimezone(settings.timezone).date()
    first: datetime | None = None
    for day in (today + timedelta(days=offset) for offset in range(-1, MOST_DAYS_BACK)):
        at = scheduled_at(day, settings)
        if at <= now or not is_workday(day, settings):
            continue
        first = first or at
        if day not in days_off:
            return at.astimezone(settings.timezone)
    assert first is not None, "a schedule without a weekday"
    return first.astimezone(settings.timezone)
