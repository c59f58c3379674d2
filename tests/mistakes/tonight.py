"""Mistakes on the page Tonight (its forecast, a night without its deal, the repair) and on the pages about errors."""

from __future__ import annotations

from mistakes.places import (
    ON_ERRORS,
    ON_FAIRNESS,
    ON_FORECAST,
    ON_HELD,
    ON_NIGHT_TROUBLE,
    ON_RUNWAY,
    ON_RUNWAY_COUNTS,
    ON_RUNWAY_NOTICES,
    ON_STATUS,
    ON_TONIGHT,
    ON_VERDICTS,
    ON_WARNING,
    P_BRAKES,
    P_FAIRNESS,
    P_FORECAST,
    P_NIGHTS,
    P_RUNWAY,
    P_SCHEDULER,
    P_STATUS,
    P_STORED,
    PLAN,
    T_ASSIGN,
    W_APP,
    W_COUNTS,
    W_DEAL_PAGE,
    W_ERRORS,
    W_LAYOUT,
    W_TONIGHT,
    W_TONIGHT_LISTS,
    Mistake,
)

MISTAKES = (
    Mistake(
        "status: a failed night is not shown in the morning",
        P_NIGHTS, 'BROKEN = ("missed", "failed")', 'BROKEN = ("missed",)',
        ON_STATUS, "in_the_morning",
    ),
    Mistake(
        "status: only a deal after the record of a bad night makes up for it",
        P_STATUS, "dealt_at > scheduled_at(before.business_date, settings)", "dealt_at > before.at",
        ON_STATUS, "in_the_morning",
    ),
    Mistake(
        "status: a pause hides a failed night",
        P_STATUS, 'found in ("due", "off", "paused", "skipped")', 'found in ("due", "off")',
        ON_STATUS, "in_the_morning",
    ),
    Mistake(
        "nights: the next night's deal makes up for a bad night",
        P_NIGHTS, 'if deal is not None and deal.trigger == "manual"', "if deal is not None",
        ON_NIGHT_TROUBLE, "next_nights_deal", "sqlite",
    ),
    Mistake(
        "held: a deal that a brake held has failed",
        P_NIGHTS, "reasons[0].held_because is not None", "False",
        ON_HELD, "waits_for_a_person", "sqlite",
    ),
    Mistake(
        "held: the first attempt says whether a deal is held",
        P_NIGHTS, "is_held(failure_reasons(database, day))", "is_held(failure_reasons(database, day)[1:])",
        ON_HELD, "morning", "sqlite",
    ),
    Mistake(
        "held: leads are asked for where there are more than usual",
        P_BRAKES, "return self.pool < self.usual", "return True",
        ON_HELD, "more_leads_than_usual", "sqlite",
    ),
    Mistake(
        "held: amounts of recorded reasons stay English",
        P_STORED, r"(?:,\d{3})+", r"(?:_\d{3})+",
        ON_HELD, "list_and_the_deal", "sqlite",
    ),
    Mistake(
        "forecast: a brake on the pool is not foreseen",
        P_FORECAST, "    if held:", "    if False:",
        ON_FORECAST, "brake", "sqlite",
    ),
    Mistake(
        "forecast: agents who are away are not named",
        P_FORECAST, "agent.active and agent.room == 0", "agent.active and agent.room == -1",
        ON_FORECAST, "night_to_come", "sqlite",
    ),
    Mistake(
        "forecast: a change on a page does not count at once",
        W_APP, "counts.forget_forecast()", "counts.stage_counts('')",
        ON_FORECAST, "counts_at_once", "sqlite",
    ),
    Mistake(
        "forecast: it is made while a deal is about to begin",
        W_TONIGHT, "night.next_at - now < NO_FORECAST_BEFORE", "night.next_at < now",
        ON_FORECAST, "about_to_begin", "sqlite",
    ),
    Mistake(
        "forecast: the page waits for it to the end",
        W_COUNTS, "self._thread.join(max(0.0, self._deadline - time.monotonic()))", "self._thread.join()",
        ON_FORECAST, "slow_forecast", "sqlite",
    ),
    Mistake(
        "forecast: people are warned at any time of the day",
        P_SCHEDULER, "or not due_at - self._settings.warn_before <= now < due_at:", "or now >= due_at:",
        ON_WARNING, "two_hours_before", "sqlite",
    ),
    Mistake(
        "forecast: each copy of the service warns",
        P_SCHEDULER, 'if warning and store.note_notice(self._database, business_date, "forecast"',
        'if warning or store.note_notice(self._database, business_date, "forecast"',
        ON_WARNING, "two_hours_before", "sqlite",
    ),
    Mistake(
        "forecast: an unusual pool without a brake is a warning before the deal",
        P_FORECAST, "if self.trouble not in SERIOUS:", "if self.trouble is None:",
        ON_WARNING, "warns_of_nothing", "sqlite",
    ),
    Mistake(
        "runway: a lead is dealt twice in a night",
        P_RUNWAY, "dealt.append((stage + 1, day, leads))",
        "dealt.append((stage + 1, day, leads)); left[min(stage + 1, 3)][day] += leads",
        ON_RUNWAY_COUNTS, "lead_by_lead",
    ),
    Mistake(
        "runway: the newest leads come first in any case",
        P_RUNWAY, "sorted(left[stage], reverse=newest_first)", "sorted(left[stage], reverse=True)",
        ON_RUNWAY_COUNTS, "dealt_first",
    ),
    Mistake(
        "runway: leads stay one day longer than the window",
        P_RUNWAY, "for day in days if day < oldest]", "for day in days if day < oldest - ONE_DAY]",
        ON_RUNWAY_COUNTS, "lead_by_lead",
    ),
    Mistake(
        "runway: today's leads count again among the new ones",
        P_RUNWAY, "there = arrived.get(day, 0) if day == today else 0", "there = 0",
        ON_RUNWAY, "the_rest_of_todays_new_leads", "sqlite",
    ),
    Mistake(
        "runway: limits are those of the first night",
        P_RUNWAY, "limited = limits_in_force(limits, day)", "limited = limits_in_force(limits, first)",
        ON_RUNWAY, "days_off_pauses", "sqlite",
    ),
    Mistake(
        "runway: each copy of the service warns",
        P_SCHEDULER, 'if warning and store.note_notice(self._database, business_date, "runway"',
        'if warning or store.note_notice(self._database, business_date, "runway"',
        ON_RUNWAY_NOTICES, "told_once_a_day", "sqlite",
    ),
    Mistake(
        "fairness: an agent below their own limit has it as an excuse",
        P_FAIRNESS, "if rooms.get(name, largest) <= leads < largest}", "if name in rooms and leads < largest}",
        ON_VERDICTS, "explains_nothing",
    ),
    Mistake(
        "fairness: agents who got nothing are forgotten",
        P_FAIRNESS, "smallest = 0 if agents > len(shares) else min(others)", "smallest = min(others)",
        ON_VERDICTS, "without_a_lead",
    ),
    Mistake(
        "deal: the run does not keep who was away",
        PLAN, "WHERE r.room < u.max_per_agent;", "WHERE r.room < u.max_per_agent AND r.room > 0;",
        ON_FAIRNESS, "keeps_the_limits", "sqlite",
    ),
    Mistake(
        "T-SQL deal: the run does not keep who was away",
        T_ASSIGN, "WHERE r.room < @max_per_agent;", "WHERE r.room < @max_per_agent AND r.room > 0;",
        ON_FAIRNESS, "keeps_the_limits", "sqlserver",
    ),
    Mistake(
        "deal page: a deal while the schedule still tries is one more",
        W_DEAL_PAGE, 'if request.form.get("scheduled"):', "if False:",
        ON_NIGHT_TROUBLE, "while_the_deal_fails", "sqlite",
    ),
    Mistake(
        "deal page: the scheduled deal is made at any time",
        W_DEAL_PAGE, 'if request.form["scheduled"] != str(state["scheduled"]):', "if False:",
        ON_NIGHT_TROUBLE, "only_while_that_deal_waits", "sqlite",
    ),
    Mistake(
        "tonight: old leads are not marked",
        W_TONIGHT, "return any(window_of(day)[0] > run.finished_at for day in without)", "return False",
        ON_NIGHT_TROUBLE, "failed_night", "sqlite",
    ),
    Mistake(
        "tonight: a slow deal looks like any other",
        W_TONIGHT, "max(SLOW_FACTOR * usual, SHORTEST_SLOW)", "timedelta.max",
        ON_NIGHT_TROUBLE, "longer_than_usual", "sqlite",
    ),
    Mistake(
        "tonight: two deals are one long one",
        W_COUNTS, "since if now - seen <= LONGEST_UNSEEN else now", "since",
        ON_NIGHT_TROUBLE, "longer_than_usual", "sqlite",
    ),
    Mistake(
        "tonight: what was handed back counts as taken off, too",
        W_TONIGHT_LISTS, "run.assigned - leads - back", "run.assigned - leads",
        ON_TONIGHT, "how_far_the_lists_are", "sqlite",
    ),
    Mistake(
        "tonight: agents who have done some of their list have not begun",
        W_TONIGHT_LISTS, "if each.to_call == each.leads]", "if each.to_call]",
        ON_TONIGHT, "how_far_the_lists_are", "sqlite",
    ),
    Mistake(
        "errors: a page names a command",
        W_ERRORS, '"words": detail and translated(detail)', '"words": detail',
        ON_ERRORS, "names_no_command", "sqlite",
    ),
    Mistake(
        "errors: an address that leads nowhere loses the navigation",
        W_LAYOUT, "recognized() if request.endpoint is None else identity_or_none()", "identity_or_none()",
        ON_ERRORS, "leads_nowhere", "sqlite",
    ),
    Mistake(
        "brakes: the usual length counts failed attempts",
        P_BRAKES, 'if run.finished_at and run.status != "failed"', "if run.finished_at",
        ON_NIGHT_TROUBLE, "longer_than_usual", "sqlite",
    ),
)  # fmt: skip
