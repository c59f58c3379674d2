"""The thread that makes the scheduler look: at the start, at the time of the run, and every half minute.

Between looks it takes in the numbers that others have inserted, so that they are found in every spelling. APScheduler
only wakes it. The main thread watches it: a process that stood still looks again before anybody thinks
that the thread is dead, and after the clock of the machine was moved, the wake-ups are set anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from agent_funnel.database import Database
from agent_funnel.errors import FunnelError, RunInProgress
from agent_funnel.notify import Notifier
from agent_funnel.numbers import take_in
from agent_funnel.schedule.calendar import LOOK_INTERVAL
from agent_funnel.schedule.scheduler import Scheduler, utc_now
from agent_funnel.settings import Settings

log = structlog.get_logger(__name__)

# The seconds between two looks for new numbers; in time for a search a minute after they were inserted:
TAKE_IN_SECONDS = 45
# The seconds between two heartbeats of the scheduler's thread:
BEAT_SECONDS = 5
# After this many seconds without a heartbeat, the thread counts as dead:
DEAD_SECONDS = 60
# A main thread that was not on for this many seconds stood still, with the whole process:
STILL_SECONDS = 10
# A clock that is off by more than this, in seconds, from the time that passed was moved:
MOVED_SECONDS = 2


class Clock:
    """Makes the scheduler look. Looks never overlap and never raise. Tests set the time, as for Scheduler."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        now: Callable[[], datetime] = utc_now,
        notifier: Notifier | None = None,
        **given: Any,
    ) -> None:
        self._settings = settings
        self._now = now
        self._database = database
        # Only the first time, numbers of past runs are looked for, too: an older version of the tables has no keys.
        self._took_in_history = False
        self.scheduler = Scheduler(database, settings, notifier or Notifier(settings), now=now, **given)
        self._looking = Lock()
        # When the look that is in progress began, and since when looks have seen a run in progress:
        self._look_began: datetime | None = None
        self._seen_running: datetime | None = None
        self._thread = BackgroundScheduler(timezone=settings.timezone)
        self._beat()
        # When the main thread last watched, by the clock of the machine and by one that nobody can move:
        self._watched = (now(), time.monotonic())

    def start(self) -> None:
        """Starts the thread, which looks at once and then again and again."""
        self._set_wake_ups()
        self._beat()
        self._watched = (self._now(), time.monotonic())
        self._thread.start()

    def stop(self) -> None:
        """Lets a deal in progress finish, then stops."""
        self._thread.shutdown(wait=True)
        self.scheduler.leave()

    def note_sent_letters(self) -> None:
        """Notes what the notifier has sent since the last look; for the end, after that of the notifier."""
        self.scheduler.note_sent_letters()

    def _set_wake_ups(self) -> None:
        at = self._settings.run_at
        # A late wake-up is still useful, because each look finds out which date is due.
        always = {"misfire_grace_time": None, "coalesce": True}
        cron = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=self._settings.timezone)
        self._thread.remove_all_jobs()
        self._thread.add_job(self.look, cron, **always)
        self._thread.add_job(self.look, IntervalTrigger(seconds=int(LOOK_INTERVAL.total_seconds())), **always)
        self._thread.add_job(self.look, **always)
        self._thread.add_job(self.take_in_numbers, IntervalTrigger(seconds=TAKE_IN_SECONDS), **always)
        self._thread.add_job(self._beat, IntervalTrigger(seconds=BEAT_SECONDS), **always)

    def _beat(self) -> None:
        self._beat_at = time.monotonic()

    @property
    def beat_age(self) -> float:
        """Seconds since the last heartbeat of the scheduler's thread."""
        return time.monotonic() - self._beat_at

    def watch(self) -> bool:
        """Whether the thread is alive; the main thread asks again and again.

        APScheduler's own flag stays True after its thread has died. If the process stood still or the clock was moved,
        the thread gets new wake-ups and the time for a new heartbeat: it would sleep until the old time otherwise.
        """
        wall, steady = self._watched
        self._watched = (self._now(), time.monotonic())
        passed = self._watched[1] - steady
        moved = (self._watched[0] - wall).total_seconds() - passed
        if passed > STILL_SECONDS or abs(moved) > MOVED_SECONDS:
            log.warning("the process stood still or its clock was moved", still=round(passed), moved=round(moved))
            self._beat()
            self._set_wake_ups()
        return self.beat_age < DEAD_SECONDS

    @property
    def problem(self) -> str | None:
        """Why the schedule cannot look or deal, as a code; None if it can."""
        return self.scheduler.alarm.problem

    @property
    def notes(self) -> Mapping[str, str]:
        """How the copies of the service differ in their clocks and terms, as sentences."""
        return self.scheduler.alarm.notes

    @property
    def running_since(self) -> datetime | None:
        """The moment since which a run has been in progress at least, if one is; perhaps it is that of this look."""
        return self._seen_running or self._look_began

    def look(self) -> None:
        """Makes the run of a business date that is due and has none. Never raises: the next look tries again."""
        if not self._looking.acquire(blocking=False):
            return
        self._look_began = self._now()
        try:
            if not self._database.run_in_progress():
                self._seen_running = None
            elif self._seen_running is None:
                self._seen_running = self._look_began
            self.scheduler.look()
        except RunInProgress:
            log.info("another run is in progress; will look again", seconds=LOOK_INTERVAL.total_seconds())
        except FunnelError as error:
            self.scheduler.tell_of_failed_look(error)
        except Exception as error:
            log.exception("the schedule could not be checked")
            self.scheduler.tell_of_failed_look(error)
        finally:
            self._look_began = None
            self._looking.release()

    def take_in_numbers(self) -> None:
        """Keeps the match keys of new numbers. Never raises: the next time tries again, and a deal needs no help."""
        try:
            taken = take_in(self._database, with_history=not self._took_in_history)
            self._took_in_history = True
        except FunnelError as error:
            log.info("new numbers could not be taken in; will try again", reason=str(error), seconds=TAKE_IN_SECONDS)
        except Exception:
            log.exception("new numbers could not be taken in")
        else:
            if taken:
                log.info("took in new numbers", numbers=taken)
