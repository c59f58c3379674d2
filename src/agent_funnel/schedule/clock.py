"""The scheduler: a thread that wakes up, finds out which business date is due, and makes its run.

APScheduler only wakes it: at the start, at the time of the run, and every half minute. The database decides which copy
of the service deals: the transaction of the deal also writes the record of the run, and there is only one scheduled run
for each date. So a copy that dies leaves nothing behind, and any number of copies may wake up at the same time.
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

from agent_funnel.database import Database
from agent_funnel.errors import (
    AlreadyRun,
    BrakeApplied,
    CheckFailed,
    DatabaseUnavailable,
    FunnelError,
    RunInProgress,
)
from agent_funnel.notify import Notifier
from agent_funnel.runs import Run
from agent_funnel.schedule import store
from agent_funnel.schedule.brakes import changed_procedure, scheduled_run, unusual_pool
from agent_funnel.schedule.calendar import LOOK_INTERVAL, closes_at, due, is_workday, passed
from agent_funnel.schedule.store import ScheduleState
from agent_funnel.settings import Settings

log = structlog.get_logger(__name__)

# The pauses between attempts grow from the first length to the second:
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
# The seconds between two heartbeats of the scheduler's thread:
BEAT_SECONDS = 5
# After this many seconds without a heartbeat, the thread counts as dead:
DEAD_SECONDS = 60


def wants_run(business_date: date, now: datetime, settings: Settings, state: ScheduleState) -> bool:
    """Whether to try the run of a due business date now: not on a day off, in a pause, or just after a failure."""
    if state.paused or state.holiday or not is_workday(business_date, settings):
        return False
    if state.failed_at is None:
        return True
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(state.failures - 1, 16), LONGEST_PAUSE)
    # A failure in the future comes from a copy whose clock is ahead; treat it as just now.
    return not timedelta(0) <= now - state.failed_at < pause


def _now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Wakes up, finds out which business date is due, and makes its run. Looks never overlap and never raise."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        now: Callable[[], datetime] = _now,
        notifier: Notifier | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._notifier = notifier or Notifier(settings)
        self._now = now
        self._looking = Lock()
        self._scheduler = BackgroundScheduler(timezone=settings.timezone)
        self._beat_at = time.monotonic()
        # Business dates with a failure that a notice was sent about:
        self._notified: set[date] = set()

    def start(self) -> None:
        """Starts the thread, which looks at once and then again and again."""
        at = self._settings.run_at
        # A late wake-up is still useful, because each look finds out which date is due.
        always = {"misfire_grace_time": None, "coalesce": True}
        cron = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=self._settings.timezone)
        self._scheduler.add_job(self.look, cron, **always)
        self._scheduler.add_job(self.look, IntervalTrigger(seconds=int(LOOK_INTERVAL.total_seconds())), **always)
        self._scheduler.add_job(self.look, **always)
        self._scheduler.add_job(self._beat, IntervalTrigger(seconds=BEAT_SECONDS), **always)
        self._beat()
        self._scheduler.start()

    def stop(self) -> None:
        """Lets a deal in progress finish, then stops."""
        self._scheduler.shutdown(wait=True)

    def _beat(self) -> None:
        self._beat_at = time.monotonic()

    @property
    def beat_age(self) -> float:
        """Seconds since the last heartbeat of the scheduler's thread."""
        return time.monotonic() - self._beat_at

    @property
    def is_alive(self) -> bool:
        """Whether the last heartbeat is recent. APScheduler's own flag stays True after its thread has died."""
        return self.beat_age < DEAD_SECONDS

    def look(self) -> None:
        """Makes the run of a business date that is due and has none. Never raises: the next look tries again."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._look()
        except DatabaseUnavailable as error:
            self._notify_of_failure(due(self._now(), self._settings), error)
        except RunInProgress:
            log.info("another run is in progress; will look again", seconds=LOOK_INTERVAL.total_seconds())
        except FunnelError as error:
            log.error("the schedule could not be checked", error=str(error))
        except Exception:
            log.exception("the schedule could not be checked")
        finally:
            self._looking.release()

    def _look(self) -> None:
        now = self._now()
        today = now.astimezone(self._settings.timezone).date()
        state = store.schedule_state(self._database, today)
        self._settle_passed(now, state)
        business_date = due(now, self._settings, state.settled)
        if business_date is None:
            return
        if business_date != today:
            state = store.schedule_state(self._database, business_date)
        if wants_run(business_date, now, self._settings, state):
            self._try(business_date, now, state)

    def _settle_passed(self, now: datetime, state: ScheduleState) -> None:
        for day in passed(now, self._settings, state.settled, state.installed_at):
            outcome = store.settle_date(
                self._database,
                day,
                workday=is_workday(day, self._settings),
                closes_at=closes_at(day, self._settings),
                now=now,
            )
            if outcome is not None:
                log.warning("a business date passed without a scheduled run", business_date=str(day), outcome=outcome)
            if outcome == "missed":
                self._notifier.notice(
                    "missed",
                    f"The deal of {day} was missed: the service or its database was down while it was due. To deal "
                    "now, use `agent-funnel run`.",
                )
            elif outcome == "failed":
                self._notifier.notice("missed", f"The deal of {day} failed each time, and will not be tried again.")

    def _try(self, business_date: date, began: datetime, state: ScheduleState) -> None:
        self._notifier.signal("start")
        try:
            run = scheduled_run(
                self._database, self._settings, business_date, now=began, actor="schedule", overrule=False
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
        self._notify_of_failure(business_date, error)
        store.record_failure(
            self._database,
            self._settings,
            business_date,
            error,
            attempt=attempt,
            started_at=began,
            finished_at=self._now(),
            actor="schedule",
        )

    def _notify_of_failure(self, business_date: date | None, error: FunnelError) -> None:
        """Logs a failure, and sends a notice about the first one of each business date."""
        if not isinstance(error, BrakeApplied):
            log.error("the scheduled deal failed", error=str(error))
        if business_date is None or business_date in self._notified:
            return
        self._notified.add(business_date)
        kind = "refused" if isinstance(error, BrakeApplied) else "failed"
        until = closes_at(business_date, self._settings).astimezone(self._settings.timezone)
        more = "" if isinstance(error, CheckFailed | BrakeApplied) else f" It will be tried again until {until:%H:%M}."
        self._notifier.notice(kind, f"The deal of {business_date} failed: {error}{more}")

    def _finished(self, run: Run, state: ScheduleState) -> None:
        log.info(
            "dealt", run_id=run.run_id, business_date=str(run.business_date), assigned=run.assigned, pool=run.pool,
            left_over=run.left_over, agents=run.agents, seconds=run.seconds,
        )  # fmt: skip
        done = f"Deal {run.run_id} of {run.business_date}: {run.assigned} of {run.pool} leads to {run.agents} agents."
        self._notifier.signal("success", done)
        self._notifier.notice("finished", done)
        if state.failures or run.business_date in self._notified:
            self._notifier.notice("recovered", f"{done} Earlier attempts had failed.")
        if run.pool == 0:
            self._notifier.notice("warning", f"Deal {run.run_id} of {run.business_date} found no lead to deal.")
        elif warning := unusual_pool(self._database, self._settings, run.pool, before=run.run_id):
            self._notifier.notice("warning", f"Deal {run.run_id} of {run.business_date}: {warning}")
        if warning := changed_procedure(self._database, now=self._now()):
            self._notifier.notice("warning", f"Deal {run.run_id} of {run.business_date}: {warning}")
