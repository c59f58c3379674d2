"""Agents: the list with their shares and marks, and the forms that add, activate and deactivate them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from babel.lists import format_list
from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext, ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.access.links import link_of_agent, list_links
from agent_funnel.agents import (
    InactiveAgent,
    LeadsInHand,
    RosterEntry,
    activate_inactive_agents,
    add_agent,
    alike_agents,
    inactive_agents,
    leads_in_hand,
    limits_in_force,
    list_limits,
    roster,
    set_agent_status,
)
from agent_funnel.names import folded, spell
from agent_funnel.runs import RunRecord, deal_version
from agent_funnel.web.auth import set_audit_agents, set_audit_target
from agent_funnel.web.counts import LeadsInHandOfAll, Pending
from agent_funnel.web.ends import RangeEnd, ends_of
from agent_funnel.web.format import MOST_NAMED, number
from agent_funnel.web.idempotency import idempotent
from agent_funnel.web.languages import locale
from agent_funnel.web.pages import agent
from agent_funnel.web.pages.agent_marks import DEALS_SHOWN, KINDS, Deals, Mark, chart, kinds_of, last_deals, marks_of
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice
from agent_funnel.web.pages.tonight import night_to_mend
from agent_funnel.web.request_models import InactiveAgents, NewAgent
from agent_funnel.web.requester import today
from agent_funnel.web.services import services

blueprint = Blueprint("agents", __name__)


AGENTS_PER_PAGE = 100
# The most agents that are named whom the button for the recent ones leaves out: a name is looked for among them.
MOST_LEFT_OUT = 20
# Who had no leads in this many of the newest deals has perhaps left, though a deal before gave them some:
FEW_DEALS = 3
# The fields of the list that stay as they are after a form:
KEPT_FIELDS = ("find", "show", "sort", "begin")


class FoundAgent(NamedTuple):
    """An agent of the roster, as the list finds and sorts them all. They got these leads in the last deal."""

    entry: RosterEntry
    dealt: int
    kinds: tuple[str, ...]

    def is_of(self, kind: str) -> bool:
        """Whether the filter of a kind includes the agent."""
        return kind in self.kinds or (kind == "active" and self.entry.active)


@dataclass(frozen=True)
class ListedAgent:
    """An agent on the page. `leads` they have now, of which they have still `to_call` some. `share` is that of the last
    deal, None if there was none."""

    agent: str
    active: bool
    marks: tuple[Mark, ...]
    leads: int
    to_call: int
    share: int | None
    chart: Markup
    last: RunRecord | None

    @property
    def in_address(self) -> str:
        """The name, quoted for an address."""
        return quote(self.agent)


@dataclass(frozen=True)
class Summary:
    """Who has most and fewest, `to_call` or in the last deal, and the agents with a mark other than inactive.

    The amounts are the leads that are still to call where those of all agents are counted for the page anyway, and else
    the shares of the last deal, which are known: to count a thousand agents' leads takes too long.
    """

    to_call: bool
    most: RangeEnd | None
    fewest: RangeEnd | None
    unusual: tuple[str, ...]


@dataclass(frozen=True)
class Activation:
    """The inactive agents that a button activates at once: the `recent` ones, who had leads in the newest `deals`.

    The `others` had none, perhaps because they have left. Where nobody or everybody is recent, `recent` has all. Some
    of each have a personal link, which then opens their list again.
    """

    recent: list[InactiveAgent]
    others: list[InactiveAgent]
    deals: int
    recent_with_link: int
    others_with_link: int

    @property
    def everybody(self) -> int:
        return len(self.recent) + len(self.others)


# The orders of the list; agents who are equal in an order stay sorted by name.
SORTS: dict[str, Callable[[FoundAgent, Deals], int]] = {
    "name": lambda each, deals: 0,
    "share": lambda each, deals: -each.dealt,
    "recent": lambda each, deals: -sum(leads for leads in deals.amounts_of(each.entry.agent) if leads),
    "last": lambda each, deals: -last.run_id if (last := deals.last_of(each.entry.agent)) else 0,
    "unusual": lambda each, deals: -len(each.kinds),
}
# Those for which the leads of all agents are counted, and not only those of the agents on the page. If they need more
# pages than one, that takes long, so it is done in the background:
SORTS_BY_LEADS: dict[str, Callable[[LeadsInHand], int]] = {
    "leads": lambda each: -each.leads,
    "to_call": lambda each: -each.to_call,
}
NO_LEADS = LeadsInHand("", 0, 0)


@page(blueprint, "/agents", role="viewer")
def show() -> str:
    """All agents, or those that the filter includes, with their marks."""
    find, kind = request.values.get("find", "").strip(), request.values.get("show", "")
    deals = last_deals()
    everybody = _roster_by_name(deals)
    wanted = folded(find)
    counting = _start_counting(everybody)
    found = [
        each for each in everybody if wanted in folded(each.entry.agent) and (kind not in KINDS or each.is_of(kind))
    ]
    counts = Counter(kind for each in everybody for kind in each.kinds)
    counts["active"] = sum(each.entry.active for each in everybody)
    order = request.values.get("sort", "")
    order = order if order in {*SORTS, *SORTS_BY_LEADS} else "name"
    held, counted_at = _sort(found, order, deals, counting)
    begin = max(0, request.values.get("begin", 0, type=int))
    # What stays the same on the other pages of the list, and after a form:
    kept = {"find": find, "show": kind if kind in KINDS else "", "sort": "" if order == "name" else order}
    # If more than half are at the cap, say so once above the table.
    crowded = counts["full"] > counts["active"] / 2
    # Whom a form has just deactivated, by a tap that perhaps was not meant:
    undoable = next(
        (entry for entry, *_ in everybody if entry.agent == request.args.get("undo") and not entry.active), None
    )
    # Where the list shows those who are inactive, or nobody else is there. One agent has a button in the list.
    asks_for_all = counts["inactive"] > 1 and not wanted and (kind == "inactive" or not counts["active"])
    shown = found[begin : begin + AGENTS_PER_PAGE]
    is_counting = held is None and order in SORTS_BY_LEADS
    is_whole = held is not None or len(shown) == len(everybody)
    if held is None:
        held = leads_in_hand(services().database, [each.entry.agent for each in shown])
    return render_template(
        "agents.html",
        undoable=undoable,
        # A form has just activated somebody: then a deal by hand may work that failed.
        to_mend=night_to_mend(services().now()) if request.args.get("activated") else None,
        activation=_activation() if asks_for_all else None,
        is_any_active=counts["active"] > 0,
        # It speaks of everybody, so not where a search shows a few.
        summary=None if wanted or kind in KINDS else _summary(everybody, held, crowded, is_whole=is_whole),
        MOST_NAMED=MOST_NAMED,
        MOST_LEFT_OUT=MOST_LEFT_OUT,
        FEW_DEALS=FEW_DEALS,
        found=_list_agents(shown, deals, held),
        # A column with the same word in each row would say nothing.
        last_differs=order == "last" or len({deals.last_of(each.entry.agent) for each in shown}) > 1,
        matching=len(found),
        begin=begin,
        following=begin + AGENTS_PER_PAGE if begin + AGENTS_PER_PAGE < len(found) else None,
        everybody=len(everybody),
        kinds=[(name, label, counts[name]) for name, (_, label) in KINDS.items() if counts[name]],
        kept={name: value for name, value in kept.items() if value},
        # The list is not in this order yet.
        order="" if is_counting else order,
        is_counting=is_counting,
        counted_at=counted_at,
        newest=deals.runs[0] if deals.runs else None,
        DEALS_SHOWN=DEALS_SHOWN,
        crowd=counts["full"] if crowded else 0,
        page_of_agent=url_for("agent.show", agent=""),
    )


def _roster_by_name(deals: Deals) -> list[FoundAgent]:
    """All agents, by name."""
    newest, found = deals.newest or {}, []
    for entry in roster(services().database, today()):
        dealt = share.leads if (share := newest.get(entry.agent)) else 0
        found.append(FoundAgent(entry, dealt, kinds_of(entry, dealt, deals)))
    return found


def _activation() -> Activation | None:
    """The inactive agents whom a button activates; None if they have just been activated."""
    found = inactive_agents(services().database)
    if not found:
        return None
    # The few newest deals tell who is there now; where nobody had leads in these, all that are searched do.
    deals = found[0].deals
    if any(each.back and each.back <= FEW_DEALS for each in found):
        deals = min(deals, FEW_DEALS)
    recent = [each for each in found if each.back and each.back <= deals]
    others = [each for each in found if each not in recent]
    if not recent:
        recent, others = others, recent
    links = {*list_links(services().database)}
    with_link, others_with_link = (len(links & {each.agent for each in some}) for some in (recent, others))
    return Activation(recent, others, deals, with_link, others_with_link)


def _start_counting(everybody: list[FoundAgent]) -> Pending[LeadsInHandOfAll] | None:
    """Has the leads of all agents counted, so that the list can be sorted by them; None if they are on one page."""
    if len(everybody) <= AGENTS_PER_PAGE:
        return None
    return services().counts.start_leads_in_hand(deal_version(services().database))


def _sort(
    found: list[FoundAgent], order: str, deals: Deals, counting: Pending[LeadsInHandOfAll] | None
) -> tuple[Mapping[str, LeadsInHand] | None, datetime | None]:
    """Sorts agents. If the order needs the leads of all of them, returns these, and when they were counted before.

    Until they are counted, the agents are sorted by their shares of the last deal.
    """
    held: Mapping[str, LeadsInHand] | None = None
    counted_at = None
    if order in SORTS_BY_LEADS:
        if counting is None:
            held = leads_in_hand(services().database)
        elif counted := counting.get():
            held, counted_at = counted.agents, counted.at
    if held is None:
        found.sort(key=lambda each: SORTS.get(order, SORTS["share"])(each, deals))
    else:
        found.sort(key=lambda each: SORTS_BY_LEADS[order](held.get(each.entry.agent, NO_LEADS)))
    return held, counted_at


def _summary(everybody: list[FoundAgent], held: Mapping[str, LeadsInHand], crowded: bool, *, is_whole: bool) -> Summary:
    """Who has most and fewest of the active agents, and who is not as usual. If it `is_whole`, `held` has all."""
    active = [each for each in everybody if each.entry.active]
    usual = {"full"} if crowded else set()
    unusual = tuple(each.entry.agent for each in active if set(each.kinds) - usual)
    if is_whole:
        amounts = [(now.to_call, now.agent, now.leads) for each in active if (now := held.get(each.entry.agent))]
    else:
        amounts = [(each.dealt, each.entry.agent, each.dealt) for each in active if each.dealt]
    most, fewest = ends_of(amounts)
    return Summary(is_whole, most, fewest, unusual)


def _list_agents(shown: list[FoundAgent], deals: Deals, held: Mapping[str, LeadsInHand]) -> list[ListedAgent]:
    """The agents on a page, with all that it shows of them."""
    limits = limits_in_force(list_limits(services().database), today())
    own_locale, listed = locale(), []
    for entry, dealt, _ in shown:
        now = held.get(entry.agent, NO_LEADS)
        listed.append(
            ListedAgent(
                entry.agent,
                entry.active,
                marks_of(entry, dealt, limits.get(entry.agent), deals, now.leads),
                now.leads,
                now.to_call,
                None if deals.newest is None else dealt,
                chart(deals.amounts_of(entry.agent), deals.largest, own_locale),
                deals.last_of(entry.agent),
            )
        )
    return listed


@form(blueprint, "/agents/add", role="operator", shows=show)
def add() -> BaseResponse:
    """Adds an agent."""
    filled_in = read_form(NewAgent)
    set_audit_target(filled_in.agent)
    add_agent(services().database, filled_in.agent, active=filled_in.active)
    name = filled_in.agent
    if filled_in.active:
        notice = gettext("Added %(agent)s, who is active, and gets leads from the next deal on.", agent=name)
    else:
        notice = gettext("Added %(agent)s, who is inactive, and gets no leads yet.", agent=name)
    if alike := alike_agents(services().database, name):
        text = gettext(
            "This name is easily taken for %(names)s. If they are one person, deactivate one of them: otherwise each "
            "gets a share.",
            names=format_list([spell(each) for each in alike[:3]], "or", locale()),
        )
        notice = f"{notice} {text}"
    return redirect_with_notice(notice, "agent.show", agent=filled_in.agent)


def _show_sender() -> Any:
    """The page that has the form: it is on the list, and on the page of an agent."""
    return agent.show() if request.form.get("page") == "agent" else show()


@form(blueprint, "/agents/activate", role="operator", shows=_show_sender)
def activate() -> BaseResponse:
    """Activates an agent, who takes part from the next deal on."""
    name = agent.requested_agent().agent
    set_audit_target(name)
    set_agent_status(services().database, name, active=True)
    notice = gettext("%(agent)s is active, and gets leads from the next deal on.", agent=name)
    return _redirect_to_sender(notice, name, activated=1)


@form(blueprint, "/agents/activate-all", role="operator", shows=show)
@idempotent
def activate_all() -> BaseResponse:
    """Activates all inactive agents, or those who had leads of late, if they are as many as the page has said."""
    filled_in = read_form(InactiveAgents)
    activated = activate_inactive_agents(
        services().database, deals=filled_in.deals, expected=filled_in.inactive
    )  # fmt: skip
    set_audit_agents(activated)
    notice = ngettext(
        "Activated %(n)s agent, who gets leads from the next deal on.",
        "Activated %(n)s agents, who get leads from the next deal on.",
        len(activated),
        n=number(len(activated), locale()),
    )
    return redirect_with_notice(notice, "agents.show", activated=1)


@form(blueprint, "/agents/deactivate", role="operator", shows=_show_sender)
def deactivate() -> BaseResponse:
    """Deactivates an agent, who keeps their leads until the next deal."""
    name = agent.requested_agent().agent
    set_audit_target(name)
    set_agent_status(services().database, name, active=False)
    notice = gettext("%(agent)s is inactive, and gets no leads from the next deal on.", agent=name)
    notice = f"{notice} {agent.kept_leads(name)}"
    if link_of_agent(services().database, name):
        notice += f" {gettext('Their personal link opens nothing until they are active again.')}"
    return _redirect_to_sender(notice, name, undo=name)


def _redirect_to_sender(notice: str, name: str, **values: object) -> BaseResponse:
    if request.form.get("page") == "agent":
        return redirect_with_notice(notice, "agent.show", agent=name)
    kept = {field: request.form[field] for field in KEPT_FIELDS if request.form.get(field)}
    return redirect_with_notice(notice, "agents.show", **values, **kept)
