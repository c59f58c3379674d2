"""Date arithmetic of the schedule: when the run of a business date is due, and when its window closes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from agent_funnel.settings import Settings

# The scheduler checks this often whether a run is due, and also at the time of the run itself:
LOOK_INTERVAL = timedelta(seconds=30)
# Business dates without a run are recorded for this many days back, so that a clock that is years off cannot fill the
# table.
MOST_DAYS_BACK = 400


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


def due(now: datetime, settings: Settings, settled: date | None = None) -> date | None:
    """The first business date after `settled` whose window is open now; near midnight it may be yesterday."""
    today = now.astimezone(settings.timezone).date()
    for business_date in (today - timedelta(days=1), today):
        if settled is not None and business_date <= settled:
            continue
        if scheduled_at(business_date, settings) <= now < closes_at(business_date, settings):
            return business_date
    return None


def passed(now: datetime, settings: Settings, settled: date | None, installed_at: datetime | None) -> list[date]:
    """The business dates after `settled` whose windows have closed, oldest first.

    If no date is settled yet, these are the dates whose windows have closed since the installation.
    """
    if settled is None and installed_at is None:
        return []
    today = now.astimezone(settings.timezone).date()
    first = today - timedelta(days=MOST_DAYS_BACK)
    if settled is not None:
        first = max(first, settled + timedelta(days=1))
    days = (first + timedelta(days=offset) for offset in range((today - first).days + 1))
    return [
        day
        for day in days
        if closes_at(day, settings) <= now
        and (settled is not None or installed_at is None or closes_at(day, settings) > installed_at)
    ]


def current_date(now: datetime, settings: Settings) -> date:
    """The business date of a moment: yesterday while yesterday's run may still be made, otherwise today."""
    return due(now, settings) or now.astimezone(settings.timezone).date()


def is_workday(business_date: date, settings: Settings) -> bool:
    """Whether scheduled runs are made on this weekday."""
    return business_date.weekday() in settings.weekdays


def next_run(now: datetime, settings: Settings) -> datetime:
    """The next scheduled instant after now, in the configured zone; holidays and pauses are not considered."""
    today = now.astimezone(settings.timezone).date()
    days = (today + timedelta(days=offset) for offset in range(-1, 9))
    instants = (scheduled_at(day, settings) for day in days if is_workday(day, settings))
    return min(at for at in instants if at > now).astimezone(settings.timezone)
