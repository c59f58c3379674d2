"""The letter about a night: what was dealt and left over, who was away or full, repeats, and what changes next.

A letter has names of agents, of lists and of holidays, and reasons of failures. The numbers in these are masked, so
that no letter has a lead's number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

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
from agent_funnel.schedule.news import HOW_TO_ACTIVATE, HOW_TO_DEAL, HOW_TO_END_ABSENCES
from agent_funnel.schedule.nights import failure_reasons, is_held
from agent_funnel.schedule.runway import count_by_day
from agent_funnel.schedule.skips import list_skips
from agent_funnel.schedule.store import current_pause, find_night, list_holidays
from agent_funnel.sentences import Localized, Sentence, amount, counted, joined, joined_amounts, localized, sentence
from agent_funnel.settings import Settings
from agent_funnel.stored_sentences import with_sentence

if TYPE_CHECKING:
    from babel import Locale

# The most names in a sentence:
MOST_NAMES = 10
# The oldest lead left over is looked for after a deal of up to so many leads; it reads them all.
MOST_READ = 200_000
# The headings that both letters have:
LISTS, NEXT = sentence("Do-not-contact lists"), sentence("Next")

Part = tuple[str, tuple[str, ...]]


def letter_of_run(database: Database, settings: Settings, run_id: int, *, now: datetime) -> Letter:
    """The letter about a deal. Raises NotFound if there is no such run.

    What comes next, and the oldest lead left over, are only in the letter about the newest deal.
    """
    run = find_run(database, run_id)
    newest = last_run(database)
    is_newest = newest is not None and newest.run_id == run_id
    parts: list[Part] = [
        (sentence("Dealt"), _dealt(database, settings, run)),
        (sentence("Left over"), _left_over(database, settings, run, is_newest=is_newest)),
        (sentence("Away or full"), _away_or_full(database, run)),
        (sentence("Repeats"), _repeats(run)),
    ]
    if is_newest:
        parts += [(LISTS, _old_lists(database, now)), (NEXT, _next(database, settings, now))]
    return Letter(
        counted(
            "The deal of %(day)s: %(count)s lead to %(agents)s",
            "The deal of %(day)s: %(count)s leads to %(agents)s",
            run.assigned or 0,
            day=_day(run.business_date),
            agents=_agents(run.agents or 0),
        ),
        tuple((heading, lines) for heading, lines in parts if lines),
        f"/runs/{run.run_id}/letter",
    )


def letter_of_night(database: Database, settings: Settings, business_date: date, *, now: datetime) -> Letter:
    """The letter about a night whose deal was missed, failed each time, or was held by a brake."""
    night = find_night(database, business_date)
    was_missed = night is not None and night.outcome == "missed"
    was_held = not was_missed and is_held(failure_reasons(database, business_date))
    newest = last_run(database)
    later = newest if newest and newest.finished_at > scheduled_at(business_date, settings) else None
    lines: list[str] = [
        sentence("The service or its database was down while the deal was due. No leads moved.") if was_missed else
        sentence("A brake held the deal, and nobody approved it. No leads moved.") if was_held else
        sentence("Each attempt was refused. No leads moved.")
    ]  # fmt: skip
    if later:
        at = _moment(later.finished_at, settings)
        lines.append(sentence("Since then, deal %(run)s was made on %(moment)s.", run=str(later.run_id), moment=at))
    else:
        lines += [
            sentence("Agents still have the leads of %(moment)s.", moment=_moment(newest.finished_at, settings))
            if newest else sentence("Agents have no leads from a deal."),
            _remedy(database, now.astimezone(settings.timezone).date()),
        ]  # fmt: skip
    parts: tuple[Part, ...] = (
        (sentence("What happened"), tuple(lines)),
        (sentence("Why"), _reasons(database, settings, business_date)),
        (LISTS, () if later else _old_lists(database, now)),
        (NEXT, () if later else _next(database, settings, now)),
    )
    title = (
        sentence("The deal of %(day)s was missed", day=_day(business_date)) if was_missed else
        sentence("The deal of %(day)s was held, and nobody approved it", day=_day(business_date)) if was_held else
        sentence("The deal of %(day)s failed", day=_day(business_date))
    )  # fmt: skip
    return Letter(
        title, tuple((heading, found) for heading, found in parts if found), f"/nights/{business_date}/letter"
    )


def _remedy(database: Database, today: date) -> Sentence:
    """How to make up for a night: a deal by hand is refused as long as nobody would get leads."""
    rooms = [each.room for each in roster(database, today) if each.active]
    if not rooms:
        return HOW_TO_ACTIVATE
    return HOW_TO_END_ABSENCES if all(room == 0 for room in rooms) else HOW_TO_DEAL


def _dealt(database: Database, settings: Settings, run: RunRecord) -> tuple[str, ...]:
    amounts: dict[str, object] = {"ready": run.pool or 0, "agents": _agents(run.agents or 0)}
    lines: list[str] = [
        counted(
            "%(count)s lead of %(ready)s that were ready went to %(agents)s, automatically.",
            "%(count)s leads of %(ready)s that were ready went to %(agents)s, automatically.",
            run.assigned or 0, **amounts,
        ) if run.trigger == "schedule" else counted(
            "%(count)s lead of %(ready)s that were ready went to %(agents)s, by hand.",
            "%(count)s leads of %(ready)s that were ready went to %(agents)s, by hand.",
            run.assigned or 0, **amounts,
        )
    ]  # fmt: skip
    if fairness := fairness_of_run(database, run, shares(database, run.run_id)):
        masked = replace(
            fairness,
            limited={mask_digits(name): leads for name, leads in fairness.limited.items()},
            away=tuple(map(mask_digits, fairness.away)),
        )
        lines.append(verdict(masked))
    if run.undone_at is not None:
        undone_at = _moment(run.undone_at, settings)
        lines.insert(0, sentence("It was undone on %(moment)s: agents no longer have these leads.", moment=undone_at))
    return tuple(lines)


def _left_over(database: Database, settings: Settings, run: RunRecord, *, is_newest: bool) -> tuple[str, ...]:
    """How many leads were not dealt, by reason."""
    lines: list[str] = []
    if count := run.left_over:
        lines.append(
            counted(
                "%(count)s left for another night, as all agents were full.",
                "%(count)s left for another night, as all agents were full.",
                count,
            )
        )
    if count := run.duplicates:
        lines.append(
            counted(
                "%(count)s duplicate of the same number.",
                "%(count)s duplicates of the same number.",
                count,
            )
        )
    if count := run.suppressed:
        lines.append(
            counted("%(count)s on a do-not-contact list.", "%(count)s on a do-not-contact list.", count)
        )  # fmt: skip
    if count := run.kept_out:
        lines.append(
            counted("%(count)s kept out by what agents reported.", "%(count)s kept out by what agents reported.", count)
        )
    if is_newest and run.left_over and not run.duplicates and (run.assigned or 0) <= MOST_READ:
        oldest = _oldest_left(database, effective(database, settings), run)
        if oldest is not None:
            lines.append(sentence("The oldest lead left over is of %(day)s.", day=_day(oldest)))
    return tuple(lines) or (sentence("Nothing: every lead that was ready was dealt."),)


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
    full = {name: room for name, room in rooms.items() if 0 < room <= got.get(name, 0)}
    lines = [sentence("Away: %(names)s.", names=_names(away))] if away else []
    if full:
        lines.append(sentence("Full at a limit of their own: %(names)s.", names=_names(full)))
    if run.left_over and run.largest_share == run.max_per_agent:
        lines.append(
            sentence("The others are full, too: nobody gets more than %(most)s.", most=run.max_per_agent)
        )  # fmt: skip
    return tuple(lines)


def _repeats(run: RunRecord) -> tuple[str, ...]:
    if not run.came_round:
        return ()
    before = counted("%(count)s lead had been dealt before.", "%(count)s leads had been dealt before.", run.came_round)
    if run.same_agent:
        again = counted(
            "%(count)s of these met the same agent again.",
            "%(count)s of these met the same agent again.",
            run.same_agent,
        )
    else:
        again = sentence("None of these met the same agent again.")
    stayed = counted(
        "%(count)s lead stayed with the agent who talked to it or is to call back.",
        "%(count)s leads stayed with the agent who talked to them or is to call back.",
        run.stayed or 0,
    )
    return (joined_amounts(before, again, stayed),)


def _reasons(database: Database, settings: Settings, business_date: date) -> tuple[str, ...]:
    return tuple(
        counted(
            "%(count)s attempt from %(first)s to %(last)s: %(reason)s",
            "%(count)s attempts from %(first)s to %(last)s: %(reason)s",
            each.attempts,
            first=_moment(each.first_at, settings),
            last=_moment(each.last_at, settings),
            reason=mask_digits(with_sentence(each.message)),
        )
        for each in failure_reasons(database, business_date)
    )


def _old_lists(database: Database, now: datetime) -> tuple[str, ...]:
    return tuple(mask_digits(each.text) for each in old_lists(database, now))


def _next(database: Database, settings: Settings, now: datetime) -> tuple[str, ...]:
    """When the next deal is due, the days without one before it, and who is away then and was not today."""
    today = now.astimezone(settings.timezone).date()
    holidays = {each.day: each.name for each in list_holidays(database, since=today)}
    skipped = {each.business_date for each in list_skips(database, since=today)}
    due = next_run(now, settings, {*holidays, *skipped})
    if current_pause(database) is not None:
        return (sentence("Automatic deals are paused: there is no deal until somebody resumes them."),)
    lines = [sentence("The next deal is due on %(moment)s.", moment=_moment(due, settings))]
    day = today + timedelta(days=1)
    while day < due.date() and len(lines) <= MOST_NAMES:
        if holiday := holidays.get(day):
            name = mask_digits(holiday)
            lines.append(sentence("There is none on %(day)s: %(holiday)s.", day=_day(day), holiday=name))
        elif day in holidays:
            lines.append(sentence("There is none on %(day)s: holiday.", day=_day(day)))
        elif day in skipped:
            lines.append(sentence("There is none on %(day)s: skipped.", day=_day(day)))
        elif not is_workday(day, settings):
            lines.append(sentence("There is none on %(day)s: not a working day.", day=_day(day)))
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
    limited = {name: room for name, room in after.items() if room > 0 and before.get(name) != room}
    if away:
        yield sentence("Away then: %(names)s.", names=_names(away))
    if back:
        yield sentence("Back then: %(names)s.", names=_names(back))
    if limited:
        yield sentence("With a new limit then: %(names)s.", names=_names(limited))


def _names(names: Sequence[str] | Mapping[str, int]) -> Sequence[str]:
    """Names in a sentence, the first ones by name, each with its limit behind it; numbers in them are masked."""
    # A name is masked alone, since digits behind it would count as more of its number.
    shown: list[str] = [
        joined(mask_digits(name), joined("(", amount(names[name]), ")", by=""))
        if isinstance(names, Mapping) else mask_digits(name)
        for name in sorted(names, key=by_name)[:MOST_NAMES]
    ]  # fmt: skip
    more = len(names) - len(shown)
    return (sentence("%(names)s and %(more)s more", names=shown, more=more),) if more else shown


def _agents(count: int) -> Sentence:
    return counted("%(count)s agent", "%(count)s agents", count)


def _day(day: date) -> Localized:
    return localized(f"{day:%a} {day.day} {day:%b %Y}", partial(_write_day, day))


def _moment(moment: datetime, settings: Settings) -> Localized:
    local = moment.astimezone(settings.timezone).replace(tzinfo=None)
    return localized(f"{_day(local.date())}, {local:%H:%M}", partial(_write_moment, local))


def _write_day(day: date, locale: Locale) -> str:
    from babel.dates import format_skeleton

    return str(format_skeleton("yMMMEd", day, locale=locale))


def _write_moment(local: datetime, locale: Locale) -> str:
    from babel.dates import format_time

    return f"{_write_day(local.date(), locale)}, {format_time(local, 'short', locale=locale)}"
