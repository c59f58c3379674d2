"""The clock: is a business date due that has no scheduled run?

APScheduler only wakes it: at the time of the run, every half minute, and at the start. The database decides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Lock

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from agent_funnel import service
from agent_funnel.backends import Backend
from agent_funnel.errors import AlreadyRun, FunnelError, RunInProgress
from agent_funnel.settings import Settings

log = logging.getLogger(__name__)

# How often the clock looks, besides the time of the run itself:
EVERY = timedelta(seconds=30)


def scheduled_at(business_date: date, settings: Settings) -> datetime:
    """The instant (UTC) at which the run of a business date is due.

    A time that a zone skips is due when the gap ends; one that it has twice is due the first time.
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


def due(now: datetime, settings: Settings) -> date | None:
    """The business date whose run should happen now, None outside of every window.

    The window of a date is open from its scheduled instant for `catch_up`, or for the half minute between two looks if
    that is longer; near midnight it may belong to yesterday.
    """
    today = now.astimezone(settings.timezone).date()
    for business_date in (today, today - timedelta(days=1)):
        opens = scheduled_at(business_date, settings)
        if opens <= now < opens + max(settings.catch_up, EVERY):
            return business_date
    return None


def next_run(now: datetime, settings: Settings) -> datetime:
    """The next scheduled instant after now, in the configured zone."""
    today = now.astimezone(settings.timezone).date()
    days = (today + timedelta(days=offset) for offset in range(-1, 3))
    return min(at for at in (scheduled_at(day, settings) for day in days) if at > now).astimezone(settings.timezone)


def _now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Runs the deal when it is due. `now` can be given, so that a test can set it."""

    def __init__(self, backend: Backend, settings: Settings, now: Callable[[], datetime] = _now) -> None:
        self._backend = backend
        self._settings = settings
        self._now = now
        self._looking = Lock()
        self._scheduler = BackgroundScheduler(timezone=settings.timezone)

    def start(self) -> None:
        """Begins to look, at once and from now on."""
        at = self._settings.run_at
        # A wake-up is never too late to be of use: what is due is asked anew each time.
        always = {"misfire_grace_time": None, "coalesce": True}
        cron = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=self._settings.timezone)
        self._scheduler.add_job(self.look, cron, **always)
        self._scheduler.add_job(self.look, IntervalTrigger(seconds=int(EVERY.total_seconds())), **always)
        self._scheduler.add_job(self.look, **always)
        self._scheduler.start()

    def stop(self) -> None:
        """Lets a deal that runs finish, then stops."""
        self._scheduler.shutdown(wait=True)

    def look(self) -> None:
        """Deals, if a business date is due that has no scheduled run. Never raises: the next look tries again."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            business_date = due(self._now(), self._settings)
            if business_date is None or service.is_scheduled_run_done(self._backend, business_date):
                return
            run = service.assign(
                self._backend, self._settings, business_date=business_date, trigger="schedule", actor="schedule"
            )
            log.info("run %d of %s: %d of %d leads assigned", run.run_id, business_date, run.assigned, run.pool)
        except AlreadyRun:
            log.info("the scheduled run was made by another copy of the service")
        except RunInProgress:
            log.info("another run is in progress; looking again in %d s", EVERY.total_seconds())
        except FunnelError as error:
            log.error("the scheduled run failed, trying again in %d s: %s", EVERY.total_seconds(), error)
        except Exception:
            log.exception("the scheduled run failed, trying again in %d s", EVERY.total_seconds())
        finally:
            self._looking.release()
