"""Agents: who gets how much, who is away, who gets too much or nothing; and one of them, with a calendar."""

from __future__ import annotations

from calendar import Calendar
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

from babel import Locale
from flask import Blueprint, render_template, request, url_for
from markupsafe import Markup
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel import floor, links, planning, service
from agent_funnel.errors import NotFound
from agent_funnel.records import Assignment, Limit, RunRecord, Seat, Share
from agent_funnel.schedule import is_workday
from agent_funnel.web.access import about
from agent_funnel.web.api import shapes
from agent_funnel.web.api.common import actor, sees_numbers, shown, today
from agent_funnel.web.api.common import page as page_of
from agent_funnel.web.format import day, number, sparkline
from agent_funnel.web.pages.shell import done, form, page, sent
from agent_funnel.web.reader import locale
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("people", __name__)

# The deals that a sparkline shows, and how many runs are looked at for them: some failed, some were undone.
DEALS = 30
LOOKED_AT = 120
# Leads on a page of an agent's list:
COUNT = 100
# What an agent may stand out by, in the order of the filter: the shape, and what the filter calls it.
KINDS = {
    "active": ("", "active"),
    "full": ("▲", "at the cap"),
    "limited": ("▼", "with a limit today"),
    "away": ("◐", "away today"),
    "never": ("!", "active, but not dealt to"),
    "inactive": ("○", "inactive"),
}
FIRST, LAST = date(2000, 1, 1), date(9998, 12, 31)


class Mark(NamedTuple):
    """What an agent stands out by."""

    kind: str
    text: str

    @property
    def shape(self) -> str:
        return KINDS[self.kind][0]


@dataclass(frozen=True)
class Deals:
    """The last deals, the newest first, and who got how much in those that were counted so far."""

    runs: Sequence[RunRecord]
    shares: Mapping[int, Mapping[str, Share]]
    # Whether all the deals there ever were are among them.
    are_all: bool

    def of(self, agent: str) -> tuple[int | None, ...]:
        """What an agent got, the oldest first; None where that is not known."""
        return tuple(
            [
                None if shares is None else share.leads if (share := shares.get(agent)) else 0
                for shares in self._oldest_first
            ]
        )

    @cached_property
    def _oldest_first(self) -> list[Mapping[str, Share] | None]:
        return [self.shares.get(run.run_id) for run in reversed(self.runs)]

    @property
    def newest(self) -> Mapping[str, Share] | None:
        """Who got how much in the newest deal; None without one, or before it was counted."""
        return self.shares.get(self.runs[0].run_id) if self.runs else None

    def last_of(self, agent: str) -> RunRecord | None:
        """The newest deal that gave the agent something."""
        return next((run for run in self.runs if agent in self.shares.get(run.run_id, ())), None)


@dataclass(frozen=True)
class Standing:
    """An agent in the list. `share` is that of the last deal, None where there was none."""

    agent: str
    active: bool
    marks: tuple[Mark, ...]
    share: int | None
    deals: Markup
    last: RunRecord | None

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Those of KINDS that the agent is."""
        return frozenset([mark.kind for mark in self.marks] + ["active"] * self.active)

    @property
    def in_address(self) -> str:
        return in_address(self.agent)


# A page has a thousand of these, and the next one the same.
in_address = lru_cache(maxsize=20_000)(quote)


@page(blueprint, "/agents", role="viewer")
def show() -> str:
    """All agents, or those that are looked for, with what they stand out by."""
    find, kind = request.values.get("find", "").strip(), request.values.get("show", "")
    everybody = _everybody()
    wanted = find.casefold()
    found = [
        each for each in everybody if wanted in each.agent.casefold() and (kind not in KINDS or kind in each.kinds)
    ]
    counts = Counter(name for each in everybody for name in each.kinds)
    # What holds for most is said once, and not of each.
    crowded = counts["full"] > counts["active"] / 2
    return render_template(
        "agents.html",
        found=found,
        everybody=len(everybody),
        kinds=[(name, label, counts[name]) for name, (_, label) in KINDS.items() if counts[name]],
        find=find,
        kind=kind if kind in KINDS else "",
        crowd=counts["full"] if crowded else 0,
        page_of_agent=url_for("people.agent_page", agent=""),
    )


def _everybody() -> list[Standing]:
    backend = wiring().backend
    deals = last_deals()
    limits = service.covering(service.limits(backend), today())
    tonight, own = deals.newest, locale()
    standings = []
    for seat in floor.roster(backend, today()):
        share = tonight.get(seat.agent) if tonight else None
        leads = share.leads if share else 0
        standings.append(
            Standing(
                seat.agent,
                seat.active,
                _marks(seat, leads, limits.get(seat.agent), deals, got := deals.of(seat.agent)),
                None if tonight is None else leads,
                drawn(got, own),
                deals.last_of(seat.agent),
            )
        )
    return standings


def last_deals() -> Deals:
    """The last deals that are not undone; they are counted while nobody waits."""
    given = wiring()
    looked_at = service.runs(given.backend, count=LOOKED_AT)
    dealt = [run for run in looked_at if run.status == "succeeded"]
    runs = dealt[:DEALS]
    kept = [run.run_id for run in runs if run.purged_at is None]
    return Deals(runs, given.figures.known_shares(kept), len(looked_at) < LOOKED_AT and len(dealt) <= DEALS)


def _marks(seat: Seat, leads: int, limit: Limit | None, deals: Deals, got: Sequence[int | None]) -> tuple[Mark, ...]:
    """What an agent stands out by, in words; `got` is what they got in the last deals."""
    until = _until(limit)
    if not seat.active:
        still = f", still has {number(leads, locale())} until the next run" if leads else ""
        return (Mark("inactive", f"inactive{still}"),)
    marks = []
    if seat.room == 0:
        marks.append(Mark("away", f"away{until}"))
    elif seat.room is not None:
        reached = ", reached" if leads >= seat.room else ""
        marks.append(Mark("limited", f"limit {number(seat.room, locale())}{until}{reached}"))
    cap = deals.runs[0].max_per_agent if deals.runs else None
    if cap is not None and leads >= cap:
        marks.append(Mark("full", f"at the cap of {number(cap, locale())}"))
    if seat.room != 0 and deals.runs and not leads and set(got) == {0}:
        marks.append(
            Mark("never", "never dealt to" if deals.are_all else f"nothing in the last {len(deals.runs)} deals")
        )
    return tuple(marks)


def _until(limit: Limit | None) -> str:
    if limit is None:
        return ""
    return " until further notice" if limit.ends_on is None else f" until {day(limit.ends_on, locale())}"


@lru_cache(maxsize=4_000)
def drawn(deals: tuple[int | None, ...], locale: Locale) -> Markup:
    """A sparkline, and the same in words for who does not see it. Few are different: a deal is even."""
    if not deals:
        return Markup("–")
    # Right beside today, also where there were few.
    columns = sparkline((None,) * (DEALS - len(deals)) + deals)
    return columns + Markup('<span class="hidden">{}</span>').format(in_words(deals, locale))


def in_words(deals: Sequence[int | None], locale: Locale) -> str:
    """What a sparkline shows: last 30 deals: 412 to 420."""
    known = [leads for leads in deals if leads is not None]
    begin = f"last {len(deals)} deals" if len(deals) > 1 else "last deal"
    if not known:
        return f"{begin}: not known any more, or not counted yet"
    low, high = number(min(known), locale), number(max(known), locale)
    of = "" if len(known) == len(deals) else f", of which {len(known)} are known"
    return f"{begin}{of}: {low if low == high else f'{low} to {high}'}"


def _back(agent: str) -> dict[str, str]:
    """Where to go on after a form that is on both pages: to the one that it was sent from."""
    if request.form.get("page") == "agent":
        return {"endpoint": "people.agent_page", "agent": agent}
    kept = {name: request.form[name] for name in ("find", "show") if request.form.get(name)}
    return {"endpoint": "people.show", **kept}


def _reshown() -> Any:
    return agent_page() if request.form.get("page") == "agent" else show()


@form(blueprint, "/agents/add", role="operator", shows=show)
def add() -> BaseResponse:
    """Adds an agent."""
    given = sent(shapes.NewAgent)
    about(given.agent)
    floor.add_agent(wiring().backend, given.agent, active=given.active)
    when = "gets leads from the next run on" if given.active else "is inactive, and gets no leads until activated"
    return done(f"{given.agent} is there, and {when}.", "people.agent_page", agent=given.agent)


@form(blueprint, "/agents/activate", role="operator", shows=_reshown)
def activate() -> BaseResponse:
    """Has an agent take part from the next run on."""
    agent = _seat().agent
    about(agent)
    floor.set_agent_status(wiring().backend, agent, active=True)
    return done(f"{agent} is active, and gets leads from the next run on.", **_back(agent))


@form(blueprint, "/agents/deactivate", role="operator", shows=_reshown)
def deactivate() -> BaseResponse:
    """Has an agent take part no more; what they have stays theirs until the next run."""
    agent = _seat().agent
    about(agent)
    floor.set_agent_status(wiring().backend, agent, active=False)
    return done(f"{agent} is inactive, and gets no leads from the next run on. {_keeps(agent)}", **_back(agent))


def _keeps(agent: str) -> str:
    leads = links.count(wiring().backend, agent)
    if not leads:
        return "They have none now."
    return f"What they have now, {number(leads, locale())}, stays theirs until the next run."


def _seat() -> Seat:
    """The agent whom the request names."""
    name = request.values.get("agent", "")
    found = floor.roster(wiring().backend, today(), name)
    if not found:
        raise NotFound(f"There is no agent {name[:255]!r}.")
    return found[0]


@page(blueprint, "/agents/of", role="viewer")
def agent_page(made: str | None = None) -> str:
    """One agent: `made` is the address of a personal link that was made just now."""
    backend = wiring().backend
    seat = _seat()
    deals = last_deals()
    limits = [limit for limit in service.limits(backend) if limit.agent == seat.agent]
    limit = service.covering(limits, today()).get(seat.agent)
    tonight = deals.newest
    share = tonight.get(seat.agent) if tonight else None
    values = deals.of(seat.agent)
    return render_template(
        "agent.html",
        agent=seat.agent,
        active=seat.active,
        marks=_marks(seat, share.leads if share else 0, limit, deals, values),
        count=links.count(backend, seat.agent),
        run=deals.runs[0] if deals.runs else None,
        counted=tonight is not None,
        share=share,
        nights=list(zip(deals.runs, reversed(values), strict=True)),
        deals=sparkline(values),
        told=in_words(values, locale()) if values else "",
        now=[limit for limit in limits if limit.ends_on is None or limit.ends_on >= today()],
        past=[limit for limit in limits if limit.ends_on is not None and limit.ends_on < today()],
        today=today(),
        link=links.of_agent(backend, seat.agent),
        made=made,
        **_calendar(limits),
    )


@dataclass(frozen=True)
class CalendarDay:
    """A day of the calendar: what it looks like, and what it is in words."""

    date: date
    kind: str
    shape: str
    text: str


def _calendar(limits: Sequence[Limit]) -> dict[str, Any]:
    """A month in weeks, each day with what it is for the agent; None for the days of other months."""
    month = _month(request.values.get("month", ""))
    given = wiring()
    holidays = {holiday.day: holiday.name for holiday in planning.holidays(given.backend, since=month)}

    def judged(date: date) -> CalendarDay:
        covering = service.covering(limits, date)
        limit = next(iter(covering.values()), None)
        told = []
        if limit is not None and limit.max_records == 0:
            told.append(("away", "✕", "away"))
        elif limit is not None:
            most = number(limit.max_records, locale())
            told.append(("limited", f"≤{most}", f"at most {most}"))
        if date in holidays:
            told.append(("holiday", "○", f"holiday{': ' + (holidays[date] or '') if holidays[date] else ''}"))
        if not is_workday(date, given.settings):
            told.append(("off", "○", "no deal on this weekday"))
        kind, shape, _ = told[0] if told else ("", "", "")
        return CalendarDay(date, kind, shape, "; ".join(text for _, _, text in told))

    weeks = Calendar(locale().first_week_day).monthdatescalendar(month.year, month.month)
    before, after = month - timedelta(days=1), (month + timedelta(days=31)).replace(day=1)
    return {
        "month": month,
        "weekdays": weeks[1],
        "weeks": [[judged(date) if date.month == month.month else None for date in week] for week in weeks],
        "month_before": f"{before:%Y-%m}" if before >= FIRST else None,
        "month_after": f"{after:%Y-%m}" if after <= LAST else None,
    }


def _month(text: str) -> date:
    """The first day of a month such as 2026-11; of this month for what is none."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today().replace(day=1)
    return month if FIRST <= month <= LAST else today().replace(day=1)


class LimitForm(shapes.NewLimit):
    """A limit as a form sends it: its number is a text."""

    max_records: Annotated[int, Field(ge=0, le=1_000_000)] = 0


@form(blueprint, "/agents/limits", role="operator", shows=agent_page)
def add_limit() -> BaseResponse:
    """Adds an absence or a limit."""
    agent = _seat().agent
    about(agent)
    given = sent(LimitForm)
    limit, _ = service.add_limit(
        wiring().backend, agent, starts_on=given.starts_on, ends_on=given.ends_on, max_records=given.max_records
    )
    what = "is away" if limit.max_records == 0 else f"gets at most {number(limit.max_records, locale())} a night"
    end = "until further notice" if limit.ends_on is None else f"to {day(limit.ends_on, locale())}"
    return done(
        f"Noted: {agent} {what} from {day(limit.starts_on, locale())} {end}, both days inclusive. {_keeps(agent)}",
        "people.agent_page",
        agent=agent,
        month=f"{limit.starts_on:%Y-%m}",
    )


@form(blueprint, "/agents/limits/remove", role="operator", shows=agent_page)
def remove_limit() -> BaseResponse:
    """Removes an absence or a limit."""
    agent = _seat().agent
    given = shapes.LimitPath.model_validate_strings({"limit_id": request.form.get("limit_id", "")})
    about(f"limit {given.limit_id}")
    service.remove_limit(wiring().backend, given.limit_id)
    return done("Removed; it counts no more from the next run on.", "people.agent_page", agent=agent)


@form(blueprint, "/agents/link", role="operator", shows=agent_page)
def make_link() -> str:
    """Makes a personal link, and shows it this once: it is on this answer, and nowhere else."""
    agent = _seat().agent
    about(agent)
    _, secret = links.make(wiring().backend, agent, actor=actor())
    return agent_page(made=url_for("mine.show", secret=secret, _external=True))


@form(blueprint, "/agents/link/revoke", role="operator", shows=agent_page)
def revoke_link() -> BaseResponse:
    """Revokes a personal link."""
    agent = _seat().agent
    about(agent)
    links.revoke(wiring().backend, agent, actor=actor())
    return done(f"The link of {agent} opens nothing any more.", "people.agent_page", agent=agent)


@page(blueprint, "/agents/list", role="viewer")
def agent_list() -> str:
    """What an agent has now, page by page; a page of another deal begins anew."""
    backend = wiring().backend
    agent = _seat().agent
    kind: Any = shapes.AFTER_ASSIGNMENT if sees_numbers() else shapes.AFTER_COUNT_OF_DEAL
    begun = shapes.keys_of(request.args.get("after"), kind)
    deal = floor.deal_version(backend)
    is_new = begun is not None and begun[0] != deal

    def fetch(after: tuple[str, str] | None, count: int) -> list[Assignment]:
        return floor.assignments(backend, agent=agent, after=after, count=count)

    position = begun[1:] if begun and not is_new else None
    found, last = page_of(position, COUNT, fetch, lambda row: (row.number, row.agent))
    return render_template(
        "agent_list.html",
        agent=agent,
        count=links.count(backend, agent),
        assignments=shown(found),
        begins=position is None,
        is_new=is_new,
        after=shapes.cursor(deal, *last) if last else None,
    )
