"""The clock: is a business date due that has no scheduled run?

APScheduler only wakes it: at the time of the run, every half minute, and at the start. The database decides: the claim
of a business date is the record of its run, written in the deal's own transaction, so nothing is left behind by a copy
of the service that dies, and any number of copies may look at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Lock

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from agent_funnel import planning
from agent_funnel.backends import Backend
from agent_funnel.errors import (
    AlreadyRun,
    BrakeApplied,
    CheckFailed,
    DatabaseUnavailable,
    FunnelError,
    RunInProgress,
)
from agent_funnel.notify import Notifier
from agent_funnel.records import Run, ScheduleState
from agent_funnel.settings import Settings

log = structlog.get_logger(__name__)

# How often the clock looks, besides the time of the run itself:
EVERY = timedelta(seconds=30)
# The pauses between attempts grow from this to that:
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
# How far back passed business dates are recorded; a clock that is years off shall not fill the table.
FARTHEST_BACK = 400
# How often the clock shows that it is alive, and after how long without that it counts as dead:
BEAT_SECONDS, DEAD_SECONDS = 5, 60


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


def closes_at(business_date: date, settings: Settings) -> datetime:
    """The instant (UTC) from which on the run of a business date is not made any more.

    Its window is open from its scheduled instant for `catch_up`, or for the half minute between two looks if that is
    longer.
    """
    return scheduled_at(business_date, settings) + max(settings.catch_up, EVERY)


def due(now: datetime, settings: Settings, settled: date | None = None) -> date | None:
    """The first business date that is not settled and whose window is open now; near midnight it may be yesterday."""
    today = now.astimezone(settings.timezone).date()
    for business_date in (today - timedelta(days=1), today):
        if settled is not None and business_date <= settled:
            continue
        if scheduled_at(business_date, settings) <= now < closes_at(business_date, settings):
            return business_date
    return None


def passed(now: datetime, settings: Settings, settled: date | None, installed_at: datetime | None) -> list[date]:
    """The business dates whose windows have closed since the newest one that is settled, the oldest first.

    Where none is settled yet, those whose windows have closed since the installation.
    """
    if settled is None and installed_at is None:
        return []
    today = now.astimezone(settings.timezone).date()
    first = today - timedelta(days=FARTHEST_BACK)
    if settled is not None:
        first = max(first, settled + timedelta(days=1))
    days = (first + timedelta(days=offset) for offset in range((today - first).days + 1))
    return [
        day
        for day in days
        if closes_at(day, settings) <= now
        and (settled is not None or installed_at is None or closes_at(day, settings) > installed_at)
    ]


def is_workday(business_date: date, settings: Settings) -> bool:
    """Whether runs are made on this weekday."""
    return business_date.weekday() in settings.weekdays


def wants_run(business_date: date, now: datetime, settings: Settings, state: ScheduleState) -> bool:
    """Whether the run of a business date that is due is to be tried now."""
    if state.paused or state.holiday or not is_workday(business_date, settings):
        return False
    if state.failed_at is None:
        return True
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(state.failures - 1, 16), LONGEST_PAUSE)
    # A failure that lies ahead was written by a copy whose clock is, and is as good as just now.
    return not timedelta(0) <= now - state.failed_at < pause


def next_run(now: datetime, settings: Settings) -> datetime:
    """The next scheduled instant after now, in the configured zone; the database may know of a holiday or a pause."""
    today = now.astimezone(settings.timezone).date()
    days = (today + timedelta(days=offset) for offset in range(-1, 9))
    instants = (scheduled_at(day, settings) for day in days if is_workday(day, settings))
    return min(at for at in instants if at > now).astimezone(settings.timezone)


def _now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Wakes up, asks what is due, and has it dealt. Looks never overlap, and none raises."""

    def __init__(
        self,
        backend: Backend,
        settings: Settings,
        now: Callable[[], datetime] = _now,
        notifier: Notifier | None = None,
    ) -> None:
        self._backend = backend
        self._settings = settings
        self._notifier = notifier or Notifier(settings)
        self._now = now
        self._looking = Lock()
        self._scheduler = BackgroundScheduler(timezone=settings.timezone)
        self._beat_at = time.monotonic()
        # Business dates of which people have been told that their run does not work:
        self._told: set[date] = set()

    def start(self) -> None:
        """Begins to look, at once and from now on."""
        at = self._settings.run_at
        # A wake-up is never too late to be of use: what is due is asked anew each time.
        always = {"misfire_grace_time": None, "coalesce": True}
        cron = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=self._settings.timezone)
        self._scheduler.add_job(self.look, cron, **always)
        self._scheduler.add_job(self.look, IntervalTrigger(seconds=int(EVERY.total_seconds())), **always)
        self._scheduler.add_job(self.look, **always)
        self._scheduler.add_job(self._beat, IntervalTrigger(seconds=BEAT_SECONDS), **always)
        self._beat()
        self._scheduler.start()

    def stop(self) -> None:
        """Lets a deal that runs finish, then stops."""
        self._scheduler.shutdown(wait=True)

    def _beat(self) -> None:
        self._beat_at = time.monotonic()

    @property
    def beat_age(self) -> float:
        """Seconds since the scheduler's thread has last shown that it is alive."""
        return time.monotonic() - self._beat_at

    @property
    def is_alive(self) -> bool:
        """By its heartbeat, since APScheduler's own flag stays up when its thread has died."""
        return self.beat_age < DEAD_SECONDS

    def look(self) -> None:
        """Deals, if a business date is due that has no scheduled run. Never raises: the next look tries again."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._look()
        except DatabaseUnavailable as error:
            self._tell_of_failure(due(self._now(), self._settings), error)
        except RunInProgress:
            log.info("another run is in progress; looking again", seconds=EVERY.total_seconds())
        except FunnelError as error:
            log.error("the clock could not look", error=str(error))
        except Exception:
            log.exception("the clock could not look")
        finally:
            self._looking.release()

    def _look(self) -> None:
        now = self._now()
        today = now.astimezone(self._settings.timezone).date()
        state = planning.state(self._backend, today)
        self._settle_passed(now, state)
        business_date = due(now, self._settings, state.settled)
        if business_date is None:
            return
        if business_date != today:
            state = planning.state(self._backend, business_date)
        if wants_run(business_date, now, self._settings, state):
            self._try(business_date, now, state)

    def _settle_passed(self, now: datetime, state: ScheduleState) -> None:
        for day in passed(now, self._settings, state.settled, state.installed_at):
            outcome = planning.settle(
                self._backend,
                day,
                workday=is_workday(day, self._settings),
                closes_at=closes_at(day, self._settings),
                now=now,
            )
            if outcome is not None:
                log.warning("a business date passed without a scheduled run", business_date=str(day), outcome=outcome)
            if outcome == "missed":
                self._notifier.notice("missed", f"The scheduled run of {day} was missed: nobody could make it in time.")
            elif outcome == "failed":
                self._notifier.notice("missed", f"The scheduled run of {day} failed each time, and is not tried again.")

    def _try(self, business_date: date, began: datetime, state: ScheduleState) -> None:
        self._notifier.signal("start")
        try:
            run = planning.scheduled_run(
                self._backend, self._settings, business_date, now=began, actor="schedule", overrule=False
            )
        except AlreadyRun:
            log.info("the scheduled run was made by another copy of the service", business_date=str(business_date))
            self._notifier.signal("success")
        except RunInProgress:
            raise
        except FunnelError as error:
            self._notifier.signal("fail", str(error))
            self._record_failure(business_date, began, state, error)
        else:
            self._finished(run, state)

    def _record_failure(self, business_date: date, began: datetime, state: ScheduleState, error: FunnelError) -> None:
        attempt = state.failures + 1
        log.error("the scheduled run failed", business_date=str(business_date), attempt=attempt, error=str(error))
        self._tell_of_failure(business_date, error)
        planning.record_failure(
            self._backend,
            self._settings,
            business_date,
            error,
            attempt=attempt,
            started_at=began,
            finished_at=self._now(),
            actor="schedule",
        )

    def _tell_of_failure(self, business_date: date | None, error: FunnelError) -> None:
        """Tells people once a business date; the log has each failure."""
        if not isinstance(error, BrakeApplied):
            log.error("the clock could not deal", error=str(error))
        if business_date is None or business_date in self._told:
            return
        self._told.add(business_date)
        kind = "refused" if isinstance(error, BrakeApplied) else "failed"
        until = closes_at(business_date, self._settings).astimezone(self._settings.timezone)
        more = "" if isinstance(error, CheckFailed | BrakeApplied) else f" It is tried again until {until:%H:%M}."
        self._notifier.notice(kind, f"The scheduled run of {business_date} did not work: {error}{more}")

    def _finished(self, run: Run, state: ScheduleState) -> None:
        log.info(
            "dealt", run_id=run.run_id, business_date=str(run.business_date), assigned=run.assigned, pool=run.pool,
            left_over=run.left_over, agents=run.agents, seconds=run.seconds,
        )  # fmt: skip
        done = f"Run {run.run_id} of {run.business_date}: {run.assigned} of {run.pool} leads to {run.agents} agents."
        self._notifier.signal("success", done)
        self._notifier.notice("finished", done)
        if state.failures or run.business_date in self._told:
            self._notifier.notice("recovered", f"{done} Earlier attempts had failed.")
        if run.pool == 0:
            self._notifier.notice("warning", f"Run {run.run_id} of {run.business_date} found no lead to deal.")
        elif warning := planning.unusual(self._backend, self._settings, run.pool, before=run.run_id):
            self._notifier.notice("warning", f"Run {run.run_id} of {run.business_date}: {warning}")
        if warning := planning.changed_procedure(self._backend, now=self._now()):
            self._notifier.notice("warning", f"Run {run.run_id} of {run.business_date}: {warning}")
