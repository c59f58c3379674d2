"""An agent's own list: its leads in the order in which to call them, and what an open page asks for again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from babel.dates import format_date, format_time
from flask_babel import get_locale, gettext, ngettext

from agent_funnel.agents import Assignment, assignments, count_assignments
from agent_funnel.outcomes import LONGEST_CALL_BACK, Outcome, PromisedCall, call_backs_of_list, outcomes_of_list
from agent_funnel.runs import Run, last_run
from agent_funnel.schedule.calendar import is_workday, next_run
from agent_funnel.schedule.skips import skipped_dates
from agent_funnel.schedule.store import current_pause, list_holidays
from agent_funnel.schedule.terms import holding
from agent_funnel.sentences import sentence
from agent_funnel.values import NO_LIMIT
from agent_funnel.web.format import REPORTED, number
from agent_funnel.web.languages import locale, translated
from agent_funnel.web.messages import messages
from agent_funnel.web.numbers import ShownNumber, floor_country, shown_number
from agent_funnel.web.services import services

# The headings of the list, in the order in which to call:
HEADINGS = {
    "call_back": sentence("Call-backs"),
    "first": sentence("First call"),
    "second": sentence("Second call"),
    "third": sentence("Third call"),
    "other": sentence("Other leads"),
}
# The heading of a lead, by its stage after the deal:
HEADING_OF_STAGE = {2: "first", 3: "second", 4: "third"}
# The days after the last one of a call-back that a page knows, too, to say when the lead comes:
DAYS_AFTER = 15
# The columns of the list as a file, in the words of the page:
COLUMNS = (
    sentence("call"),
    sentence("number"),
    sentence("lead from"),
    sentence("outcome"),
    sentence("call back on"),
    sentence("note"),
)


@dataclass(frozen=True)
class Call:
    """A lead as an agent sees it. `heading` is a key of HEADINGS, and `place` counts through the whole list.

    `is_own` is whether the outcome is of the present list, so that the agent can take it back.
    """

    heading: str
    number: ShownNumber
    stored: str
    date: date | None
    promise: PromisedCall | None
    outcome: Outcome | None
    is_own: bool
    place: int = 0

    @property
    def is_gone(self) -> bool:
        """Whether the person does not want to be called."""
        return self.outcome is not None and self.outcome.outcome == "opted_out"

    @property
    def reported(self) -> dict[str, Any]:
        """The fields of a report of the outcome, so that a script can report it again."""
        given = self.outcome
        if given is None:
            return {}
        note = {"note": given.note} if given.note else {}
        day = {"call_back_on": str(given.call_back_on), "same_agent": given.same_agent} if given.call_back_on else {}
        return {"outcome": given.outcome, **day, **note}


@dataclass(frozen=True)
class OwnList:
    """The list of an agent after a run: the leads to call, and those that are done, the last one first.

    A person who does not want to be called has left the assignments, and is among those that are done.
    """

    run: Run | None
    to_call: list[Call]
    done: list[Call]

    def page(self, first: int, count: int) -> OwnList:
        """A part of the list: so many leads from the one with this index, 0 for the first."""
        after = max(0, first - len(self.to_call))
        shown = self.to_call[first : first + count]
        return OwnList(self.run, shown, self.done[after : after + count - len(shown)])

    def tally(self) -> list[tuple[str, int]]:
        """How many leads have each outcome, the best first."""
        found = Counter(call.outcome.outcome for call in self.done if call.outcome)
        best = ("won", "talked", "call_back")
        return [(outcome, found[outcome]) for outcome in (*best, *(each for each in REPORTED if each not in best))]

    def __len__(self) -> int:
        return len(self.to_call) + len(self.done)


def own_list(agent: str) -> OwnList:
    """The present list of an agent."""
    database = services().database
    run = last_run(database)
    outcomes = {} if run is None else outcomes_of_list(database, run.run_id, agent)
    promises = {} if run is None else {each.number: each for each in call_backs_of_list(database, run.run_id, agent)}
    leads = assignments(database, agent=agent, count=NO_LIMIT)
    there = {lead.number for lead in leads}
    leads += [
        Assignment(agent, each.number, None, None)
        for each in outcomes.values()
        if each.outcome == "opted_out" and each.number not in there
    ]
    found = [_call(lead, outcomes.get(lead.number), promises.get(lead.number), run) for lead in leads]
    calls = [replace(call, place=place) for place, call in enumerate(sorted(found, key=_order))]
    done = [(call.outcome.reported_at, call) for call in calls if call.outcome]
    return OwnList(
        run,
        [call for call in calls if call.outcome is None],
        [call for _, call in sorted(done, key=lambda each: each[0], reverse=True)],
    )


def _call(lead: Assignment, outcome: Outcome | None, promise: PromisedCall | None, run: Run | None) -> Call:
    heading = "other"
    if promise:
        heading = "call_back"
    elif lead.stage is not None:
        # A lead that was not called has the stage of before the deal again.
        stage = lead.stage + 1 if outcome and outcome.stage_back else lead.stage
        heading = HEADING_OF_STAGE.get(stage, heading)
    return Call(
        heading=heading,
        number=shown_number(lead.number, floor_country()),
        stored=lead.number,
        date=None if lead.date is None else lead.date.date(),
        promise=promise,
        outcome=outcome,
        is_own=bool(run and outcome and outcome.run_id == run.run_id),
    )


def _order(call: Call) -> tuple[int, date, date, str]:
    """The order of the deal: call-backs by their day, then each call, the leads of the oldest date first."""
    promised = call.promise.call_back_on if call.promise else date.min
    return list(HEADINGS).index(call.heading), promised, call.date or date.max, call.stored


def rows(found: OwnList) -> Iterator[tuple[str, ...]]:
    """The list as rows of a file in the language of the page, which its agent reads, with the columns of COLUMNS."""
    yield tuple(map(translated, COLUMNS))
    for call in (*found.to_call, *found.done):
        outcome = call.outcome
        yield (
            translated(HEADINGS[call.heading]),
            call.stored,
            str(call.date or ""),
            translated(REPORTED[outcome.outcome]) if outcome else "",
            str((outcome and outcome.call_back_on) or ""),
            (outcome and outcome.note) or "",
        )


@dataclass(frozen=True)
class DealsToCome:
    """The next scheduled deal, in the zone of the floor, and the days without one, from today past the last call-back.

    `next_at` is None while automatic deals are paused.
    """

    next_at: datetime | None
    days_off: list[date]


def deals_to_come(now: datetime) -> DealsToCome:
    """The deals to come, by the rules, the holidays and the skipped dates of the floor."""
    given = services()
    rules = holding(given.database, given.settings)
    holidays = list_holidays(given.database, since=now.date() - timedelta(days=1))
    off = {each.day for each in holidays} | skipped_dates(given.database, now)
    today = now.astimezone(given.settings.timezone).date()
    days = [today + timedelta(days=ahead) for ahead in range(LONGEST_CALL_BACK.days + DAYS_AFTER)]
    return DealsToCome(
        None if current_pause(given.database) else next_run(now, rules, off),
        [day for day in days if day in off or not is_workday(day, rules)],
    )


def state_of_list(agent: str, run: Run | None, *, now: datetime, deals: DealsToCome) -> dict[str, Any]:
    """What an open page has to know: which list is the present one, when it changes, and what depends on the day."""
    given = services()
    local = now.astimezone(given.settings.timezone)
    leads = count_assignments(given.database, agent)
    return {
        "agent": agent,
        "run_id": run and run.run_id,
        "leads": leads,
        "now": now.astimezone(UTC).isoformat(timespec="milliseconds"),
        "next_at": deals.next_at and deals.next_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "news": _news(leads, deals.next_at),
        "days": call_back_days(local.date(), None if run is None else run.business_date, deals.days_off),
        "messages": messages(given.settings, agent=agent, country=floor_country(), now=local),
    }


def _news(leads: int, next_at: datetime | None) -> dict[str, str]:
    """What an open page says when its list is replaced, when it was due to be, and shortly before."""
    time = "" if next_at is None else format_time(next_at.replace(tzinfo=None), "short", locale=locale())
    return {
        "replaced": ngettext(
            "There is a new list: %(n)s lead. This one takes no more reports.",
            "There is a new list: %(n)s leads. This one takes no more reports.",
            leads,
            n=number(leads, locale()),
        ),
        "overdue": gettext("Your list was due to change at %(time)s. Connect to see the new one.", time=time),
        "soon": gettext("Your list changes at %(time)s.", time=time),
    }


def script_texts() -> dict[str, Any]:
    """What the script of the list says in the language of the page. It fills in what is in braces."""
    return {
        "call_back_on": gettext("Call back on %(day)s", day="{day}"),
        "taken_back": gettext("Taken back"),
        "undo": gettext("Undo"),
        "change": gettext("Change"),
        "show_row": gettext("Show"),
        "later": gettext("Later, on this list"),
        "time_of_day": gettext("Time of day (optional)"),
        "back_to_list": gettext("Back to the list"),
        "one_due": gettext("Call at %(time)s: %(number)s", time="{time}", number="{number}"),
        "several_due": gettext("%(n)s to call now", n="{n}"),
        "too_late": gettext("The list changes at %(time)s. Choose a call-back instead.", time="{time}"),
        "put_off": gettext("Put off to later: %(n)s.", n="{n}"),
        "no_deal": gettext("No deal on that day; it comes on %(day)s.", day="{day}"),
        "called": gettext("called %(time)s", time="{time}"),
        "messaged": gettext("WhatsApp %(time)s", time="{time}"),
        "copied": gettext("Copied"),
        "offline": gettext("No connection: do not reload this page."),
        "earlier": gettext("A report of an earlier list was refused."),
        "less": gettext("Some of these leads have been taken off your list."),
        "renamed": gettext("Your name here is now %(agent)s.", agent="{agent}"),
        "show": gettext("Show it"),
        "to_call": gettext("%(n)s to call", n="{n}"),
        # For one, and for several: these languages have one form for all greater amounts.
        "done": [ngettext("%(n)s done", "%(n)s done", count, n="{n}") for count in (1, 2)],
        "waiting": [_waiting(1), _waiting(2)],
    }


def _waiting(count: int) -> dict[str, str]:
    """What the page says of reports that wait, by what they wait for."""
    return {
        "service": ngettext(
            "One report waits on this phone until the service answers.",
            "%(n)s reports wait on this phone until the service answers.",
            count,
            n="{n}",
        ),
        "connection": ngettext(
            "One report waits on this phone until there is a connection.",
            "%(n)s reports wait on this phone until there is a connection.",
            count,
            n="{n}",
        ),
        "link": ngettext(
            "One report waits on this phone until you have a link that works.",
            "%(n)s reports wait on this phone until you have a link that works.",
            count,
            n="{n}",
        ),
    }


def call_back_days(today: date, dealt_on: date | None, days_off: Sequence[date] = ()) -> dict[str, Any]:
    """The first and the last day of a call-back that is reported today, and the days that are offered first.

    `dealt_on` is the business date of the last run. The procedure has the same bounds. A day without a deal may be
    chosen, since the lead comes in the next one then, but it is not offered.
    """
    first = today if dealt_on is None else max(today, dealt_on + timedelta(days=1))
    offered = {today + timedelta(days=1): gettext("Tomorrow"), today + timedelta(days=7): gettext("In a week")}
    # On a Sunday, Monday is tomorrow; on a Monday, it is in a week.
    if 1 <= today.weekday() <= 5:
        offered[today + timedelta(days=7 - today.weekday())] = gettext("Monday")
    # If tomorrow has no deal, the next day that has one is offered.
    next_days = (today + timedelta(days=ahead) for ahead in range(1, DAYS_AFTER))
    next_day = next((day for day in next_days if day not in days_off), None)
    if next_day and today + timedelta(days=1) in days_off:
        offered.setdefault(next_day, format_date(next_day, "EEEE", locale=get_locale() or "en").capitalize())
    choices = [(name, str(day)) for day, name in sorted(offered.items()) if day >= first and day not in days_off]
    return {
        "first": str(first),
        "last": str(today + LONGEST_CALL_BACK),
        "choices": choices,
        "off": [str(day) for day in days_off],
        "known": str(today + LONGEST_CALL_BACK + timedelta(days=DAYS_AFTER - 1)),
    }
