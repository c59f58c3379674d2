"""Mistakes in the schedule: its calendar, its attempts, its tables, and its notices."""

from __future__ import annotations

from mistakes.places import (
    ON_ATTEMPTS,
    ON_CALENDAR,
    ON_LOCKS,
    ON_NOTICES,
    ON_NOTIFY,
    ON_RANGES,
    ON_SCHEDULE,
    ON_STANDSTILL,
    ON_STATUS,
    P_ALARM,
    P_BRAKES,
    P_CALENDAR,
    P_CLOCK,
    P_NOTIFY,
    P_SCHEDULER,
    P_STATUS,
    P_STORE,
    SCHEDULE,
    T_SCHEDULE,
    Mistake,
)

MISTAKES = (
    Mistake(
        "calendar: a date is due a moment too late",
        P_CALENDAR, "if scheduled_at(business_date, settings) <= now <",
        "if scheduled_at(business_date, settings) < now <",
        ON_CALENDAR, "from_its_instant",
    ),
    Mistake(
        "calendar: a window is open at its end",
        P_CALENDAR, "<= now < closes_at(business_date, settings):", "<= now <= closes_at(business_date, settings):",
        ON_CALENDAR, "from_its_instant",
    ),
    Mistake(
        "calendar: a window may be shorter than the time between two looks",
        P_CALENDAR, "max(settings.catch_up, LOOK_INTERVAL)", "settings.catch_up",
        ON_ATTEMPTS, "never_shorter",
    ),
    Mistake(
        "calendar: past midnight yesterday's run is not due",
        P_CALENDAR, "for business_date in (today - timedelta(days=1), today):", "for business_date in (today,):",
        ON_ATTEMPTS, "yesterdays_run",
    ),
    Mistake(
        "calendar: what is settled is due again",
        P_CALENDAR, "if business_date in ended:", "if False:",
        ON_ATTEMPTS, "yesterdays_run",
    ),
    Mistake(
        "calendar: a date passes a moment too late",
        P_CALENDAR, "return PassedDate(day, workday, closes) if closes <= now",
        "return PassedDate(day, workday, closes) if closes < now",
        ON_ATTEMPTS, "date_has_passed",
    ),
    Mistake(
        "calendar: a date that closed with the installation has passed",
        P_CALENDAR, "date.closes_at > installed_at", "date.closes_at >= installed_at",
        ON_ATTEMPTS, "first_dates_to_pass",
    ),
    Mistake(
        "calendar: a date that has ended passes again",
        P_CALENDAR, "for day in days if day not in ended)", "for day in days)",
        ON_ATTEMPTS, "date_has_passed",
    ),
    Mistake(
        "calendar: years are settled",
        P_CALENDAR, "MOST_DAYS_BACK = 400", "MOST_DAYS_BACK = 4_000",
        ON_ATTEMPTS, "years_ahead",
    ),
    Mistake(
        "calendar: the next run is the one that is due now",
        P_CALENDAR, "if at <= now or not is_workday", "if at < now or not is_workday",
        ON_ATTEMPTS, "next_run_is_after_now",
    ),
    Mistake(
        "calendar: the next run may be on a day off",
        P_CALENDAR, "if at <= now or not is_workday(day, settings):", "if at <= now:",
        ON_ATTEMPTS, "next_run_is_after_now",
    ),
    Mistake(
        "calendar: the next run may be on a holiday",
        P_CALENDAR, "if day not in days_off:", "if True:",
        ON_ATTEMPTS, "next_run_is_after_now",
    ),
    Mistake(
        "calendar: a time that a zone skips is due before the gap",
        P_CALENDAR, "return after.replace(microsecond=0)", "return before.replace(microsecond=0)",
        ON_CALENDAR, "gap",
    ),
    Mistake(
        "clock: a failure that lies ahead stops all attempts",
        P_SCHEDULER, "return not timedelta(0) <= now - state.failed_at < pause",
        "return now - state.failed_at >= pause",
        ON_ATTEMPTS, "failure_in_the_future",
    ),
    Mistake(
        "clock: the pauses do not grow",
        P_SCHEDULER, "FIRST_PAUSE * 2 ** min(state.failures - 1, 16)", "FIRST_PAUSE * min(state.failures, 16)",
        ON_ATTEMPTS, "twice_as_long",
    ),
    Mistake(
        "clock: the pauses grow beyond ten minutes",
        P_SCHEDULER, "LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)",
        "LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=11)",
        ON_ATTEMPTS, "twice_as_long",
    ),
    Mistake(
        "clock: a paused schedule deals",
        P_SCHEDULER, "if state.paused or state.holiday or not", "if state.holiday or not",
        ON_ATTEMPTS, "unless_the_day_is_off",
    ),
    Mistake(
        "clock: no notice that the database is away",
        P_ALARM, "            self.attempt_failed(business_date, error, until)\n",
        "            log.error(str(error))\n",
        ON_NOTICES, "away_at_run_time", "sqlite",
    ),
    Mistake(
        "clock: a notice at each look that the database is away",
        P_ALARM, "if business_date in self._dates:\n            return", "if not business_date:\n            return",
        ON_NOTICES, "away_at_run_time", "sqlite",
    ),
    Mistake(
        "clock: no notice that it works again",
        P_SCHEDULER, "if self.alarm.deal_ended(run.business_date) or state.failures:", "if state.failures:",
        ON_NOTICES, "after_a_failed_notice", "sqlite",
    ),
    Mistake(
        "clock: no notice that it works after another copy's failures",
        P_SCHEDULER, "if self.alarm.deal_ended(run.business_date) or state.failures:",
        "if self.alarm.deal_ended(run.business_date):",
        ON_NOTICES, "failures_of_another_copy", "sqlite",
    ),
    Mistake(
        "clock: no notice of a night that failed to its end",
        P_SCHEDULER, 'if outcome in ("missed", "failed")]', 'if outcome in ("missed",)]',
        ON_NOTICES, "one_notice_per_date", "sqlite",
    ),
    Mistake(
        "clock: a missed notice for a holiday",
        P_SCHEDULER, 'if outcome in ("missed", "failed")]', 'if outcome in ("missed", "failed", "holiday")]',
        ON_NOTICES, "nights_off", "sqlite",
    ),
    Mistake(
        "clock: a failed notice for a brake",
        P_ALARM, 'self._notifier.notice("held", held)', 'self._notifier.notice("failed", held)',
        ON_NOTICES, "brake_that_stops", "sqlite",
    ),
    Mistake(
        "clock: a night that was held counts as failed each time",
        P_SCHEDULER, "was_held=day in held", "was_held=False",
        ON_NOTICES, "nobody_approved", "sqlite",
    ),
    Mistake(
        "clock: a failed check promises another attempt",
        P_ALARM, "told if isinstance(error, CheckFailed) else joined(told, more)", "joined(told, more)",
        ON_NOTICES, "without_a_promise", "sqlite",
    ),
    Mistake(
        "clock: the switch does not hear of another copy's run",
        P_SCHEDULER, 'business_date=str(business_date))\n            self._notifier.signal("success")',
        "business_date=str(business_date))",
        ON_NOTICES, "another_copy_made", "sqlite",
    ),
    Mistake(
        "clock: another run in the way is a failure",
        P_SCHEDULER, "            self._wait(business_date, began, error)\n            raise\n",
        "            self._fail(business_date, began, state, error)\n",
        ON_NOTICES, "finds_another_in_progress", "sqlite",
    ),
    Mistake(
        "clock: an empty pool is no warning",
        P_SCHEDULER, "if run.pool == 0:", "if run.pool < 0:",
        ON_SCHEDULE, "empty_pool", "sqlite",
    ),
    Mistake(
        "clock: it is dead after five minutes only",
        P_CLOCK, "DEAD_SECONDS = 60", "DEAD_SECONDS = 300",
        ON_STANDSTILL, "without_a_heartbeat",
    ),
    Mistake(
        "brakes: a usual pool is that of all runs",
        P_BRAKES, "if run.pool is not None][:USUAL_RUNS]", "if run.pool is not None]",
        ON_NOTICES, "last_fourteen", "sqlite",
    ),
    Mistake(
        "brakes: runs that were undone say what is usual",
        P_BRAKES, ' if run.status == "succeeded"', "",
        ON_NOTICES, "after_three_runs or fourteen", "sqlite",
    ),
    Mistake(
        "brakes: two runs say what is usual",
        P_BRAKES, "FEWEST_RUNS = 3", "FEWEST_RUNS = 2",
        ON_NOTICES, "after_three_runs", "sqlite",
    ),
    Mistake(
        "brakes: a pool at the factor is unusual",
        P_BRAKES, "<= pool <= usual * settings.pool_factor", "<= pool < usual * settings.pool_factor",
        ON_NOTICES, "factor_of_an_unusual", "sqlite",
    ),
    Mistake(
        "brakes: a person cannot overrule the brake",
        P_BRAKES, "if not overrule and (warning", "if (warning",
        ON_SCHEDULE, "until_a_person_overrules", "sqlite",
    ),
    Mistake(
        "store: a message is longer than its column",
        P_STORE, "message=shortened(str(error), LONGEST_MESSAGE)", "message=str(error)",
        ON_RANGES, "too_long_for_its_column", "sqlite",
    ),
    Mistake(
        "store: an attempt is recorded by each copy",
        SCHEDULE, "WHERE :attempt = 1 + (SELECT", "WHERE :attempt <= 1 + (SELECT",
        ON_LOCKS, "eight_copies", "sqlite",
    ),
    Mistake(
        "T-SQL store: an attempt is recorded by each copy",
        T_SCHEDULE, "@attempt = 1 + (", "@attempt <= 1 + (",
        ON_SCHEDULE, "recorded_once", "sqlserver",
    ),
    Mistake(
        "store: the first failure is taken for the newest",
        SCHEDULE, "SELECT max(r.finished_at)", "SELECT min(r.finished_at)",
        ON_RANGES, "newest_failure_of_a_date", "sqlite",
    ),
    Mistake(
        "T-SQL store: the first failure is taken for the newest",
        T_SCHEDULE, "SELECT MAX(r.finished_at)", "SELECT MIN(r.finished_at)",
        ON_RANGES, "newest_failure_of_a_date", "sqlserver",
    ),
    Mistake(
        "store: a pause that began as the window closed does not count",
        SCHEDULE, "p.paused_at <= :closes_at", "p.paused_at < :closes_at",
        ON_RANGES, "counts_as_paused", "sqlite",
    ),
    Mistake(
        "T-SQL store: a pause that ended as the window closed is one",
        T_SCHEDULE, "p.resumed_at > @closes_at", "p.resumed_at >= @closes_at",
        ON_RANGES, "counts_as_paused", "sqlserver",
    ),
    Mistake(
        "store: a holiday on the day itself is not listed",
        SCHEDULE, "WHERE h.day >= :since", "WHERE h.day > :since",
        ON_RANGES, "holidays_are_listed", "sqlite",
    ),
    Mistake(
        "T-SQL store: a holiday on the day itself is not listed",
        T_SCHEDULE, "WHERE h.day >= CAST(%(since)s AS DATE)", "WHERE h.day > CAST(%(since)s AS DATE)",
        ON_RANGES, "holidays_are_listed", "sqlserver",
    ),
    Mistake(
        "store: the schedule is paused twice",
        SCHEDULE, "WHERE NOT EXISTS (SELECT 1 FROM schedule_pause AS p WHERE p.resumed_at IS NULL);", "WHERE 1 = 1;",
        ON_SCHEDULE, "a_pause_stops_all_copies", "sqlite",
    ),
    Mistake(
        "status: a run is late at once",
        P_STATUS, "LATE_AFTER = timedelta(minutes=1)", "LATE_AFTER = timedelta(seconds=1)",
        ON_STATUS, "state_fits",
    ),
    Mistake(
        "notices: kinds that nobody wants are sent",
        P_NOTIFY, "if apprise is None or kind not in self._settings.notify_on:", "if apprise is None:",
        ON_NOTIFY, "chosen_kinds",
    ),
    Mistake(
        "notices: what could not be sent is not sent again",
        P_NOTIFY, "ATTEMPTS = 4", "ATTEMPTS = 1",
        ON_NOTIFY, "sent_again",
    ),
    Mistake(
        "notices: a success is a failure to the switch",
        P_NOTIFY, '"success": ""', '"success": "/fail"',
        ON_NOTIFY, "dead_mans_switch",
    ),
    Mistake(
        "clock: a finished run is no notice",
        P_SCHEDULER, 'self._notifier.notice("finished", done)', 'log.info("finished", done=done)',
        ON_NOTICES, "works_at_once", "sqlite",
    ),
    Mistake(
        "clock: an unusual pool is no warning",
        P_SCHEDULER,
        "elif warning := unusual_pool(self._database, self._settings, run.pool, before=run.run_id):",
        "elif warning := unusual_pool(self._database, self._settings, run.pool, before=1):",
        ON_NOTICES, "without_the_brake", "sqlite",
    ),
    Mistake(
        "brakes: a run is compared with itself",
        P_BRAKES, "count=4 * USUAL_RUNS, before=before)", "count=4 * USUAL_RUNS)",
        ON_NOTICES, "only_with_those_before_it", "sqlite",
    ),
)  # fmt: skip
