"""The letter about a night: what was dealt and left over, who was away or full, repeats, and what changes next.

A letter has names of agents, of lists and of holidays, and reasons of failures. The numbers in these are masked, so
that no letter has a lead's number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta

from agent_funnel.agents import limits_in_force, list_limits, roster
from agent_funnel.database import Database
from agent_funnel.do_not_contact import old_lists
from agent_funnel.fairness import fairness_of_run, verdict
from agent_funnel.masking import mask_digits
from agent_funnel.names import by_name
from agent_funnel.notify import Letter
from agent_funnel.rules import Rules, effective
from agent_funnel.runs import RunRecord, find_run, last_run, run_limits, shares, stream_dealt_leads
from agent_funnel.schedule.calendar import is_workday, next_run, scheduled_at
from agent_funnel.schedule.nights import failure_reasons
from agent_funnel.schedule.runway import count_by_day
from agent_funnel.schedule.skips import list_skips
from agent_funnel.schedule.store import current_pause, find_night, list_holidays
from agent_funnel.settings import Settings

# The most names in a sentence:
MOST_NAMES = 10
# The oldest lead left over is looked for after a deal of up to so many leads; it reads them all.
MOST_READ = 200_000

Part = tuple[str, tuple[str, ...]]


def letter_of_run(database: Database, settings: Settings, run_id: int, *, now: datetime) -> Letter:
    """The letter about a deal. Raises NotFound if there is no such run.

    What comes next, and the oldest lead left over, are only in the letter about the newest deal.
    """
    run = find_run(database, run_id)
    newest = last_run(database)
    is_newest = newest is not None and newest.run_id == run_id
    parts: list[Part] = [
        ("Dealt", _dealt(database, settings, run)),
        ("Left over", _left_over(database, settings, run, is_newest=is_newest)),
        ("Away or full", _away_or_full(database, run)),
        ("Repeats", _repeats(run)),
    ]
    if is_newest:
        parts += [("Do-not-contact lists", _old_lists(database, now)), ("Next", _next(database, settings, now))]
    agents = _amount(run.agents or 0, "agent")
    return Letter(
        f"The deal of {_day(run.business_date)}: {_amount(run.assigned or 0, 'lead')} to {agents}",
        tuple((heading, lines) for heading, lines in parts if lines),
        f"/runs/{run.run_id}/letter",
    )


def letter_of_night(database: Database, settings: Settings, business_date: date, *, now: datetime) -> Letter:
    """The letter about a night whose deal was missed, or failed each time."""
    night = find_night(database, business_date)
    was_missed = night is not None and night.outcome == "missed"
    newest = last_run(database)
    later = newest if newest and newest.finished_at > scheduled_at(business_date, settings) else None
    lines = ["The service or its database was down while the deal was due. No leads moved." if was_missed else
             "Each attempt was refused. No leads moved."]  # fmt: skip
    if later:
        lines.append(f"Since then, deal {later.run_id} was made on {_moment(later.finished_at, settings)}.")
    else:
        lines += [
            f"Agents still have the leads of {_moment(newest.finished_at, settings)}." if newest else
            "Agents have no leads from a deal.",
            "To deal now, open the dashboard and press Deal now, or use the command agent-funnel run.",
        ]  # fmt: skip
    parts: tuple[Part, ...] = (
        ("What happened", tuple(lines)),
        ("Why", _reasons(database, settings, business_date)),
        ("Do-not-contact lists", () if later else _old_lists(database, now)),
        ("Next", () if later else _next(database, settings, now)),
    )
    return Letter(
        f"The deal of {_day(business_date)} {'was missed' if was_missed else 'failed'}",
        tuple((heading, found) for heading, found in parts if found),
        f"/nights/{business_date}/letter",
    )


def _dealt(database: Database, settings: Settings, run: RunRecord) -> tuple[str, ...]:
    how = "automatically" if run.trigger == "schedule" else "by hand"
    lines = [
        f"{_amount(run.assigned or 0, 'lead')} of {(run.pool or 0):,} that were ready went to "
        f"{_amount(run.agents or 0, 'agent')}, {how}."
    ]
    if fairness := fairness_of_run(database, run, shares(database, run.run_id)):
        masked = replace(
            fairness,
            limited={mask_digits(name): leads for name, leads in fairness.limited.items()},
            away=tuple(map(mask_digits, fairness.away)),
        )
        lines.append(verdict(masked, number=lambda value: f"{value:,}"))
    if run.undone_at is not None:
        lines.insert(
            0, f"It was undone on {_moment(run.undone_at, settings)}: agents do not have these leads any more."
        )
    return tuple(lines)


def _left_over(database: Database, settings: Settings, run: RunRecord, *, is_newest: bool) -> tuple[str, ...]:
    """How many leads were not dealt, by reason."""
    reasons = (
        (run.left_over, "left for another night, as all agents were full"),
        (run.duplicates, "waiting behind another entry of the same number"),
        (run.suppressed, "on a do-not-contact list"),
        (run.kept_out, "kept out by what agents reported"),
    )
    lines = [f"{count:,} {why}." for count, why in reasons if count]
    if is_newest and run.left_over and not run.duplicates and (run.assigned or 0) <= MOST_READ:
        oldest = _oldest_left(database, effective(database, settings), run)
        if oldest is not None:
            lines.append(f"The oldest lead left over is of {_day(oldest)}.")
    return tuple(lines) or ("Nothing: every lead that was ready was dealt.",)


def _oldest_left(database: Database, rules: Rules, run: RunRecord) -> date | None:
    """The day of the oldest lead that was ready and that the run did not deal, as far as it is there now."""
    first = run.business_date
    left, _ = count_by_day(database, rules, first, since=first)
    dealt: Counter[tuple[int, date]] = Counter()
    with closing(stream_dealt_leads(database, run.run_id)) as leads:
        for lead in leads:
            if lead.date is not None:
                dealt[lead.stage + 1, lead.date.date()] += 1
    return min((day for _, day in (Counter(left) - dealt)), default=None)


def _away_or_full(database: Database, run: RunRecord) -> tuple[str, ...]:
    rooms = run_limits(database, run.run_id)
    got = {share.agent: share.leads for share in shares(database, run.run_id)} if rooms else {}
    away = [name for name, room in rooms.items() if room <= 0]
    full = {name: f" ({room:,})" for name, room in rooms.items() if 0 < room <= got.get(name, 0)}
    lines = [f"Away: {_names(away)}."] if away else []
    if full:
        lines.append(f"Full at a limit of their own: {_names(full)}.")
    if run.left_over and run.largest_share == run.max_per_agent:
        lines.append(f"The others are full, too: nobody gets more than {run.max_per_agent:,}.")
    return tuple(lines)


def _repeats(run: RunRecord) -> tuple[str, ...]:
    if not run.came_round:
        return ()
    return (
        f"{_amount(run.came_round, 'lead')} had been dealt before: {(run.same_agent or 0):,} met the same agent again, "
        f"and {(run.stayed or 0):,} stayed with the agent who talked to them.",
    )


def _reasons(database: Database, settings: Settings, business_date: date) -> tuple[str, ...]:
    return tuple(
        f"{_amount(each.attempts, 'attempt')} from {_moment(each.first_at, settings)} to "
        f"{_moment(each.last_at, settings)}: {mask_digits(each.message)}"
        for each in failure_reasons(database, business_date)
    )


def _old_lists(database: Database, now: datetime) -> tuple[str, ...]:
    return tuple(mask_digits(str(each)) for each in old_lists(database, now))


def _next(database: Database, settings: Settings, now: datetime) -> tuple[str, ...]:
    """When the next deal is due, the days without one before it, and who is away then and was not today."""
    today = now.astimezone(settings.timezone).date()
    holidays = {each.day: each.name or "holiday" for each in list_holidays(database, since=today)}
    skipped = {each.business_date for each in list_skips(database, since=today)}
    due = next_run(now, settings, {*holidays, *skipped})
    if current_pause(database) is not None:
        return ("Automatic deals are paused: there is no deal until somebody resumes them.",)
    lines = [f"The next deal is due on {_moment(due, settings)}."]
    day = today + timedelta(days=1)
    while day < due.date() and len(lines) <= MOST_NAMES:
        why = mask_digits(holidays[day]) if day in holidays else "skipped" if day in skipped else "not a working day"
        if day in holidays or day in skipped or not is_workday(day, settings):
            lines.append(f"There is none on {_day(day)}: {why}.")
        day += timedelta(days=1)
    return (*lines, *_changes(database, today, due.date()))


def _changes(database: Database, today: date, then: date) -> Iterable[str]:
    """Who is away or limited at the next deal, and was not today, and the other way round."""
    limits = list_limits(database)
    active = {each.agent for each in roster(database, then) if each.active}

    def rooms(day: date) -> dict[str, int]:
        return {name: limit.max_records for name, limit in limits_in_force(limits, day).items() if name in active}

    before, after = rooms(today), rooms(then)
    away = [name for name, room in after.items() if room == 0 and before.get(name) != 0]
    back = [name for name, room in before.items() if room == 0 and after.get(name) != 0]
    limited = {name: f" ({room:,})" for name, room in after.items() if room > 0 and before.get(name) != room}
    if away:
        yield f"Away then: {_names(away)}."
    if back:
        yield f"Back then: {_names(back)}."
    if limited:
        yield f"With a new limit then: {_names(limited)}."


def _names(names: Iterable[str] | Mapping[str, str]) -> str:
    """Names in a sentence, the first ones by name, each with its text behind it; numbers in them are masked."""
    behind = names if isinstance(names, Mapping) else dict.fromkeys(names, "")
    # A name is masked alone, since digits behind it would count as more of its number.
    shown = [mask_digits(name) + text for name, text in sorted(behind.items(), key=lambda each: by_name(each[0]))]
    shown = shown[:MOST_NAMES]
    more = len(behind) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _amount(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def _moment(moment: datetime, settings: Settings) -> str:
    local = moment.astimezone(settings.timezone)
    return f"{_day(local.date())}, {local:%H:%M}"
