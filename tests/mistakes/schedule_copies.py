"""Mistakes in the schedule: wrong clocks, copies with other terms, records that are void, and trouble that is told."""

from __future__ import annotations

from mistakes.places import (
    ON_ATTEMPTS,
    ON_COPIES,
    ON_STANDSTILL,
    ON_TROUBLE,
    ON_YEARS,
    P_ALARM,
    P_CALENDAR,
    P_CLOCK,
    P_COPIES,
    P_SCHEDULER,
    P_TERMS,
    P_VOIDS,
    VOIDS,
    Mistake,
)

MISTAKES = (
    Mistake(
        "clock: what is due is asked of the copy's own clock",
        P_SCHEDULER, "- found\n        return found", "- found\n        return before",
        ON_COPIES, "server_decides", "sqlserver",
    ),
    Mistake(
        "clock: a clock before the installation deals",
        P_SCHEDULER, "state.installed_at - now > MOST_DIFFERENCE",
        "state.installed_at > datetime.max.replace(tzinfo=UTC)",
        ON_TROUBLE, "before_the_installation", "sqlite",
    ),
    Mistake(
        "clock: a clock that was behind for a moment makes a second deal",
        P_SCHEDULER, "            self._seen[business_date] = self._clock_stands(began)\n", "",
        ON_COPIES, "behind_for_a_moment", "sqlite",
    ),
    Mistake(
        "clock: what a wrong clock saw counts",
        P_SCHEDULER, "- self._seen[day]) < MOST_EARLY", "- self._seen[day]) < timedelta(days=9_999)",
        ON_YEARS, "wrong_each_night", "sqlite",
    ),
    Mistake(
        "voids: a record of a date to come holds",
        P_VOIDS, "closes_at(end.business_date, rules) > now or", "closes_at(end.business_date, rules) < now or",
        ON_COPIES, "window_is_open_is_void", "sqlite",
    ),
    Mistake(
        "voids: a deal of a date to come holds",
        P_VOIDS, "- now > MOST_EARLY for rules in lately)", "- now > 1_000 * MOST_EARLY for rules in lately)",
        ON_COPIES, "date_to_come_is_void", "sqlite",
    ),
    Mistake(
        "voids: a deal is made again after its time was moved",
        P_VOIDS, "if each.until is None or each.until > now - RECENT]", "if each.until is None]",
        ON_COPIES, "not_made_again", "sqlite",
    ),
    Mistake(
        "voids: a failure of a date to come counts",
        P_VOIDS, "if scheduled_at(each.business_date, settings) > now or each.at", "if each.at",
        ON_COPIES, "delays_nothing", "sqlite",
    ),
    Mistake(
        "voids: a person's word about an old date does not last",
        VOIDS, "WHERE v.window_closed = 1 AND", "WHERE v.window_closed = 2 AND",
        ON_COPIES, "becomes_void", "sqlite",
    ),
    Mistake(
        "terms: a copy that differs adopts its own at once",
        P_TERMS, "for other in others if other.is_running(now))", "for other in others if not other.name)",
        ON_COPIES, "both_say_so", "sqlite",
    ),
    Mistake(
        "terms: any other copy keeps the old terms",
        P_TERMS, "return all(other.terms == own for other", "return all(other.terms is own for other",
        ON_COPIES, "all_have_the_new_terms", "sqlite",
    ),
    Mistake(
        "terms: a copy that differs deals",
        P_SCHEDULER, "if not agreed.deals:", "if agreed is None:",
        ON_COPIES, "both_say_so", "sqlite",
    ),
    Mistake(
        "terms: nobody deals if nobody has the terms that hold",
        P_COPIES, "deals = own == holds or not any(", "deals = own == holds and not any(",
        ON_COPIES, "others_deal_by_them", "sqlite",
    ),
    Mistake(
        "terms: a date is missed because its time was moved",
        P_CALENDAR, "if not held:", "if False:",
        ON_ATTEMPTS, "moved_to_an_earlier",
    ),
    Mistake(
        "alarm: trouble at noon is not told",
        P_ALARM, 'if self._told == "no" and not short:', 'if self._told == "never" and not short:',
        ON_TROUBLE, "at_noon", "sqlite",
    ),
    Mistake(
        "alarm: an error that nobody expects leaves the service ready",
        P_ALARM, 'self._look_problem = f"could not look', 'text = f"could not look',
        ON_TROUBLE, "time_of_the_deal", "sqlite",
    ),
    Mistake(
        "alarm: a run that does not end is not told",
        P_SCHEDULER, "if now - self._waiting[1] >= LONG_RUN:", "if now - self._waiting[1] >= 99 * LONG_RUN:",
        ON_TROUBLE, "does_not_end", "sqlite",
    ),
    Mistake(
        "watch: a process that stood still is dead",
        P_CLOCK, "if passed > STILL_SECONDS or abs(moved) > MOVED_SECONDS:", "if abs(moved) > MOVED_SECONDS:",
        ON_STANDSTILL, "new_wake_ups",
    ),
    Mistake(
        "watch: a clock that is set back is not noticed",
        P_CLOCK, "or abs(moved) > MOVED_SECONDS:", "or moved > MOVED_SECONDS:",
        ON_STANDSTILL, "new_wake_ups",
    ),
)  # fmt: skip
