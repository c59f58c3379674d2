"""A look of the scheduler: finds out which business date is due, and has its run made.

The time is that of the database's clock, and the terms are those on record, so all copies of the service agree. The
database decides which copy deals: the transaction of the deal also writes the record of the run, and there is only one
scheduled run for each date. So a copy that dies leaves nothing behind, and any number of copies may look together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import structlog

from agent_funnel.database import Database
from agent_funnel.do_not_contact import note_old_list, old_lists
from agent_funnel.errors import AlreadyRun, DatabaseBusy, DatabaseError, FunnelError, RunInProgress, WrongClock
from agent_funnel.masking import mask_digits
from agent_funnel.notify import Notifier
from agent_funnel.runs import Run
from agent_funnel.schedule import news, store, terms, voids
from agent_funnel.schedule.alarm import Alarm, text_of
from agent_funnel.schedule.brakes import changed_procedure, scheduled_run, unusual_pool
from agent_funnel.schedule.calendar import (
    MOST_DAYS_BACK,
    PassedDate,
    Period,
    closes_at,
    due,
    is_workday,
    next_due,
    passed,
)
from agent_funnel.schedule.copies import Copies
from agent_funnel.schedule.forecast import forecast
from agent_funnel.schedule.letters import Letters
from agent_funnel.schedule.nights import failure_reasons, is_held
from agent_funnel.schedule.runway import runway
from agent_funnel.schedule.store import ScheduleState
from agent_funnel.schedule.terms import MOST_DIFFERENCE
from agent_funnel.schedule.voids import MOST_EARLY, End
from agent_funnel.sentences import joined, sentence
from agent_funnel.settings import Settings

log = structlog.get_logger(__name__)

# The pauses between attempts grow from the first length to the second:
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
# If a run is in progress for this long when a deal is due, people are told:
LONG_RUN = timedelta(minutes=10)
# How many business dates a copy remembers:
MOST_SEEN = 10
# One look sends a notice for each missed date, if there are no more than this:
MOST_MISSED_NOTICES = 7


def utc_now() -> datetime:
    """The time by the clock of this machine."""
    return datetime.now(UTC)


def wants_run(business_date: date, now: datetime, settings: Settings, state: ScheduleState) -> bool:
    """Whether to try the run of a due business date now: not on a day off, in a pause, or just after a failure."""
    if state.paused or state.holiday or not is_workday(business_date, settings):
        return False
    if state.failed_at is None:
        return True
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(state.failures - 1, 16), LONGEST_PAUSE)
    # A failure in the future comes from a copy whose clock is ahead; treat it as just now.
    return not timedelta(0) <= now - state.failed_at < pause


class Scheduler:
    """The looks of one copy of the service. Only one may be made at a time.

    `now` is the clock of this machine, and `database_now` asks for the database's; tests set both. `monotonic` only
    tells whether the first one was moved.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        notifier: Notifier,
        *,
        now: Callable[[], datetime] = utc_now,
        database_now: Callable[[Database], datetime | None] = terms.database_now,
        monotonic: Callable[[], float] = time.monotonic,
        name: str | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._notifier = notifier
        self._now = now
        self._database_now = database_now
        self._monotonic = monotonic
        self.name = name or terms.copy_name(settings)
        self.alarm = Alarm(notifier)
        self._letters = Letters(database, notifier, self.name)
        self._copies = Copies(database, settings, notifier, self.name)
        # The settings with the terms that hold, as far as the last look knows them:
        self._rules = settings
        # By how much the clock of this machine is ahead of the database's:
        self._difference = timedelta(0)
        # The business dates that had ended at the last look:
        self._ended: set[date] = set()
        # Business dates whose run this copy has seen in their windows, and where its clock stood then:
        self._seen: dict[date, timedelta] = {}
        # The business date whose run this copy has forecast:
        self._foreseen: date | None = None
        # The business date before whose run this copy has measured how long the leads last:
        self._measured: date | None = None
        # The due business date that waits for another run, and since when:
        self._waiting: tuple[date, datetime] | None = None

    def moment(self) -> datetime:
        """The time by the database's clock, as far as it is known."""
        return self._now() - self._difference

    def tell_of_failed_look(self, error: Exception) -> None:
        """Tells people that a look failed."""
        now = self.moment()
        business_date = due(now, self._rules, self._ended)
        if business_date is not None and not is_workday(business_date, self._rules):
            business_date = None
        self.alarm.look_failed(error, now=now, business_date=business_date, until=self._until(business_date))

    def leave(self) -> None:
        """Says that this copy ends, so that its terms hold nobody up."""
        try:
            terms.remove_copy(self._database, self.name)
        except FunnelError as error:
            log.info("this copy could not leave the record of copies", error=str(error))

    def note_sent_letters(self) -> None:
        """Notes the letters that were sent since the last look, so that no other copy sends them again."""
        try:
            self._letters.note_sent(self._ask_time())
        except FunnelError as error:
            log.info("this copy could not note the letters that it sent", error=str(error))

    def look(self) -> None:
        """Makes the run of a business date that is due and has none. Raises what went wrong."""
        now = self._ask_time()
        agreed = self._copies.agree(now, self._difference)
        self.alarm.copies_differ(agreed.differences)
        periods = agreed.periods
        rules = self._rules = periods[0].rules
        today = now.astimezone(rules.timezone).date()
        state = store.schedule_state(self._database, today)
        self._check_clock(now, state)
        ends = self._void_early(now, periods, voids.list_ends(self._database, since=_first_date(today)))
        ended = {end.business_date for end in ends if not end.is_void}
        self._settle_passed(now, periods, {end.business_date for end in ends}, state)
        self._remember_runs(now, ends)
        ended |= {day for day in self._seen if self._was_seen(day, now)}
        self._ended = ended
        coming = self._record_next_run(now, ended, state)
        self.alarm.look_worked()
        business_date = due(now, rules, ended)
        if business_date is None:
            self.alarm.nothing_is_due()
            self._waiting = None
            self._letters.send_of_deals(rules, now)
            self._warn_of_old_lists(now)
            if coming is not None:
                self._warn_of_coming_run(*coming, now)
                self._warn_of_short_runway(coming[0], now)
            return
        if not agreed.deals:
            log.warning("a deal is due; this copy does not make it, because its terms do not hold")
            return
        # Asked again, because failed attempts may have been voided, or it may be yesterday.
        state = store.schedule_state(self._database, business_date)
        if wants_run(business_date, now, rules, state):
            if any(end.is_void and end.business_date == business_date for end in ends):
                voids.release_date(self._database, business_date)
            self._try(business_date, now, state)

    def _warn_of_old_lists(self, now: datetime) -> None:
        """Tells people of do-not-contact lists that are too old: once a day, whichever copy looks first."""
        for old in old_lists(self._database, now):
            if note_old_list(self._database, old.name, now=now):
                self.alarm.list_is_old(mask_digits(old.text))

    def _warn_of_coming_run(self, business_date: date, due_at: datetime, now: datetime) -> None:
        """Tells people once, some time before a run, that it would not deal as things stand."""
        if business_date == self._foreseen or not due_at - self._settings.warn_before <= now < due_at:
            return
        try:
            warning = forecast(self._database, self._rules, business_date, now=now).warning
        except DatabaseError as error:
            log.info("the next run could not be forecast; the next look tries again", error=str(error))
            return
        self._foreseen = business_date
        if warning and store.note_notice(self._database, business_date, "forecast", now=now, actor=self.name):
            self.alarm.will_not_deal(mask_digits(warning))

    def _warn_of_short_runway(self, business_date: date, now: datetime) -> None:
        """Tells people that leads fall short: once for each date, as soon as the run before it is made."""
        if business_date == self._measured or not self._settings.runway_nights:
            return
        try:
            warning = runway(self._database, self._rules, now=now).warning(self._settings.runway_nights)
        except FunnelError as error:
            log.info("the next runs could not be computed; the next look tries again", error=str(error))
            return
        self._measured = business_date
        if warning and store.note_notice(self._database, business_date, "runway", now=now, actor=self.name):
            self.alarm.leads_fall_short(warning)

    # ---- The time and the terms

    def _ask_time(self) -> datetime:
        before = self._now()
        found = self._database_now(self._database)
        if found is None:
            self._difference = timedelta(0)
            return before
        # The server read its clock about halfway between the question and the answer.
        self._difference = before + max(self._now() - before, timedelta(0)) / 2 - found
        return found

    def _check_clock(self, now: datetime, state: ScheduleState) -> None:
        """Raises WrongClock before the installation: such a clock knows of no date, and would void all records."""
        if state.installed_at is not None and state.installed_at - now > MOST_DIFFERENCE:
            raise WrongClock(
                sentence(
                    "The clock says %(now)s UTC, but Agent Funnel was installed here on %(installed)s UTC. No deal is "
                    "made before the clock is set right.",
                    now=f"{now:%Y-%m-%d %H:%M}",
                    installed=f"{state.installed_at:%Y-%m-%d %H:%M}",
                )
            )

    # ---- Dates that have ended

    def _void_early(self, now: datetime, periods: Sequence[Period], ends: list[End]) -> list[End]:
        """Voids what came too early; returns the ends that hold, and void runs as such."""
        attempts = voids.void_early_attempts(self._database, periods[0].rules, now=now, actor=self.name)
        if attempts:
            log.warning(
                "failed attempts are void: their time is still to come", runs=[each.run_id for each in attempts]
            )
        early = voids.void_early_ends(self._database, ends, now=now, periods=periods, actor=self.name)
        if not early:
            return ends
        days = sorted(end.business_date for end in early)
        log.warning("records are void", dates=len(days), first=str(days[0]), last=str(days[-1]))
        self._notifier.notice("warning", news.void_records(early))
        return voids.list_ends(self._database, since=_first_date(now.astimezone(periods[0].rules.timezone).date()))

    def _settle_passed(self, now: datetime, periods: Sequence[Period], ended: set[date], state: ScheduleState) -> None:
        settled: list[tuple[PassedDate, str]] = []
        waiting = list(passed(now, periods, ended, state.installed_at))
        # Read first: if that fails, no date is settled, and the next look tells people.
        held = {
            day for day in (each.business_date for each in waiting) if is_held(failure_reasons(self._database, day))
        }
        for each in waiting:
            outcome = store.settle_date(
                self._database, each.business_date, workday=each.is_workday, closes_at=each.closes_at, now=now
            )
            if outcome is not None:
                settled.append((each, outcome))
        for each, outcome in settled:
            log.warning(
                "a business date passed without a scheduled run",
                business_date=str(each.business_date), outcome=outcome,
            )  # fmt: skip
        lost = [(each.business_date, outcome) for each, outcome in settled if outcome in ("missed", "failed")]
        if len(lost) > MOST_MISSED_NOTICES:
            self._notifier.notice("missed", news.lost_dates([day for day, _ in lost]))
            return
        for day, outcome in lost:
            # One message for each night: the letter says it, too.
            if not self._letters.send_of_night(self._rules, day, now):
                self._notifier.notice("missed", news.lost_date(day, outcome, was_held=day in held))

    def _remember_runs(self, now: datetime, ends: Sequence[End]) -> None:
        """Remembers which runs this copy has seen in their windows.

        A clock that was behind for a moment has voided them; they count all the same. What this copy saw while its own
        clock was elsewhere counts for nothing.
        """
        for end in ends:
            if end.run_id is not None and not end.is_void and end.business_date == due(now, self._rules):
                self._seen[end.business_date] = self._clock_stands(now)
        for day in sorted(self._seen)[:-MOST_SEEN]:
            del self._seen[day]

    def _was_seen(self, day: date, now: datetime) -> bool:
        return abs(self._clock_stands(now) - self._seen[day]) < MOST_EARLY

    def _clock_stands(self, now: datetime) -> timedelta:
        """How far the clock is ahead of one that nobody can move."""
        return now - datetime.min.replace(tzinfo=UTC) - timedelta(seconds=self._monotonic())

    # ---- The next run

    def _record_next_run(self, now: datetime, ended: set[date], state: ScheduleState) -> tuple[date, datetime] | None:
        """Records the next run, which a deal by hand asks for, and returns it; None in a pause."""
        found = None
        if not state.paused:
            yesterday = now.astimezone(self._rules.timezone).date() - timedelta(days=1)
            holidays = {holiday.day for holiday in store.list_holidays(self._database, since=yesterday)}
            found = next_due(now, self._rules, ended, holidays)
        if found == store.next_run_on_record(self._database):
            return found
        try:
            store.record_next_run(self._database, found)
        except DatabaseBusy:
            log.debug("another program is writing; the next look records the next run")
        except DatabaseError as error:
            # Another copy records the same at this moment.
            log.info("the next run was not recorded", error=str(error))
        return found

    # ---- The deal

    def _until(self, business_date: date | None) -> str:
        if business_date is None:
            return ""
        return f"{closes_at(business_date, self._rules).astimezone(self._rules.timezone):%H:%M}"

    def _try(self, business_date: date, began: datetime, state: ScheduleState) -> None:
        self._notifier.signal("start")
        try:
            run = scheduled_run(self._database, self._rules, business_date, now=began, actor="schedule", overrule=False)
        except AlreadyRun:
            log.info("the scheduled run was made by another copy of the service", business_date=str(business_date))
            self._notifier.signal("success")
        except RunInProgress as error:
            self._wait(business_date, began, error)
            raise
        except FunnelError as error:
            self._fail(business_date, began, state, error)
        except Exception as error:
            log.exception("the scheduled deal failed in a way that nobody expected")
            self._fail(business_date, began, state, error)
        else:
            self._seen[business_date] = self._clock_stands(began)
            self._finished(run, state)

    def _wait(self, business_date: date, now: datetime, error: FunnelError) -> None:
        """Another run is in progress. If that lasts, the deal may be lost, and people are told."""
        if self._waiting is None or self._waiting[0] != business_date:
            self._waiting = (business_date, now)
        if now - self._waiting[1] >= LONG_RUN:
            self.alarm.attempt_failed(business_date, error, self._until(business_date))

    def _fail(self, business_date: date, began: datetime, state: ScheduleState, error: Exception) -> None:
        """Tells people of a failed attempt, and records it."""
        attempt = state.failures + 1
        text = text_of(error)
        log.error("the scheduled run failed", business_date=str(business_date), attempt=attempt, error=text)
        self._notifier.signal("fail", text)
        self.alarm.attempt_failed(business_date, error, self._until(business_date))
        store.record_failure(
            self._database,
            self._rules,
            business_date,
            error if isinstance(error, FunnelError) else FunnelError(text),
            attempt=attempt,
            started_at=began,
            finished_at=self.moment(),
            actor="schedule",
        )

    def _finished(self, run: Run, state: ScheduleState) -> None:
        log.info(
            "dealt", run_id=run.run_id, business_date=str(run.business_date), assigned=run.assigned, pool=run.pool,
            left_over=run.left_over, agents=run.agents, seconds=run.seconds,
        )  # fmt: skip
        done = news.dealt(run)
        self._notifier.signal("success", done)
        self._notifier.notice("finished", done)
        if self.alarm.deal_ended(run.business_date) or state.failures:
            self._notifier.notice("recovered", joined(done, sentence("Earlier attempts had dealt nothing.")))
        try:
            self._warn_of(run)
        except Exception:
            log.exception("the deal was made; whether it was unusual is not known")

    def _warn_of(self, run: Run) -> None:
        """Sends a notice if the pool of a run was empty or unusual, or a procedure was changed."""
        if run.pool == 0:
            self._notifier.notice("warning", news.found_nothing(run))
        elif warning := unusual_pool(self._database, self._settings, run.pool, before=run.run_id):
            self._notifier.notice("warning", news.about(run, warning))
        if warning := changed_procedure(self._database, now=self.moment()):
            self._notifier.notice("warning", news.about(run, warning))


def _first_date(today: date) -> date:
    return today - timedelta(days=MOST_DAYS_BACK + 1)
