"""Agents: the list with their shares and marks, and the forms that add, activate and deactivate them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote

from babel.lists import format_list
from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.access.links import link_of_agent
from agent_funnel.agents import (
    add_agent,
    alike_agents,
    leads_in_hand,
    limits_in_force,
    list_limits,
    roster,
    set_agent_status,
)
from agent_funnel.names import by_name, folded, spell
from agent_funnel.runs import RunRecord
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.languages import locale
from agent_funnel.web.pages import agent
from agent_funnel.web.pages.agent_marks import DEALS_SHOWN, KINDS, Deals, Mark, chart, last_deals, marks_of
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice
from agent_funnel.web.request_models import NewAgent
from agent_funnel.web.requester import today
from agent_funnel.web.services import services

blueprint = Blueprint("agents", __name__)


AGENTS_PER_PAGE = 100
# The fields of the list that stay as they are after a form:
KEPT_FIELDS = ("find", "show", "sort", "begin")


@dataclass(frozen=True)
class ListedAgent:
    """An agent in the list. `leads` they have now, of which they have still `to_call` some. `share` is that of the last
    deal, None if there was none, and `recent` that of the last deals together, as far as it is known."""

    agent: str
    active: bool
    marks: tuple[Mark, ...]
    leads: int
    to_call: int
    share: int | None
    recent: int
    chart: Markup
    last: RunRecord | None

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of the filter that include the agent."""
        return frozenset([mark.kind for mark in self.marks] + ["active"] * self.active)

    @property
    def in_address(self) -> str:
        """The name, quoted for an address."""
        return _quoted(self.agent)


# The orders of the list; agents who are equal in an order stay sorted by name.
SORTS: dict[str, Callable[[ListedAgent], int]] = {
    "name": lambda each: 0,
    "leads": lambda each: -each.leads,
    "to_call": lambda each: -each.to_call,
    "share": lambda each: -(each.share or 0),
    "recent": lambda each: -each.recent,
    "last": lambda each: -each.last.run_id if each.last else 0,
    "unusual": lambda each: -len(each.marks),
}
# A page has a thousand names, and the next page the same ones.
_quoted = lru_cache(maxsize=20_000)(quote)


@page(blueprint, "/agents", role="viewer")
def show() -> str:
    """All agents, or those that the filter includes, with their marks."""
    find, kind = request.values.get("find", "").strip(), request.values.get("show", "")
    deals = last_deals()
    everybody = _list_agents(deals)
    wanted = folded(find)
    found = [each for each in everybody if wanted in folded(each.agent) and (kind not in KINDS or kind in each.kinds)]
    counts = Counter(name for each in everybody for name in each.kinds)
    order = request.values.get("sort", "")
    order = order if order in SORTS else "name"
    found.sort(key=SORTS[order])
    begin = max(0, request.values.get("begin", 0, type=int))
    # What stays the same on the other pages of the list, and after a form:
    kept = {"find": find, "show": kind if kind in KINDS else "", "sort": "" if order == "name" else order}
    # If more than half are at the cap, say so once above the table.
    crowded = counts["full"] > counts["active"] / 2
    # Whom a form has just deactivated, by a tap that perhaps was not meant:
    undoable = next((each for each in everybody if each.agent == request.args.get("undo") and not each.active), None)
    return render_template(
        "agents.html",
        undoable=undoable,
        found=found[begin : begin + AGENTS_PER_PAGE],
        matching=len(found),
        begin=begin,
        following=begin + AGENTS_PER_PAGE if begin + AGENTS_PER_PAGE < len(found) else None,
        everybody=len(everybody),
        kinds=[(name, label, counts[name]) for name, (_, label) in KINDS.items() if counts[name]],
        kept={name: value for name, value in kept.items() if value},
        order=order,
        newest=deals.runs[0] if deals.runs else None,
        DEALS_SHOWN=DEALS_SHOWN,
        crowd=counts["full"] if crowded else 0,
        page_of_agent=url_for("agent.show", agent=""),
    )


def _list_agents(deals: Deals) -> list[ListedAgent]:
    """All agents, by name."""
    database = services().database
    limits = limits_in_force(list_limits(database), today())
    newest, own_locale, held = deals.newest, locale(), leads_in_hand(database)
    listed = []
    for entry in sorted(roster(database, today()), key=lambda each: by_name(each.agent)):
        share = newest.get(entry.agent) if newest else None
        dealt = share.leads if share else 0
        now = held.get(entry.agent)
        amounts = deals.amounts_of(entry.agent)
        listed.append(
            ListedAgent(
                entry.agent,
                entry.active,
                marks_of(entry, dealt, limits.get(entry.agent), deals, amounts, now.leads if now else 0),
                now.leads if now else 0,
                now.to_call if now else 0,
                None if newest is None else dealt,
                sum(leads for leads in amounts if leads),
                chart(amounts, deals.largest, own_locale),
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
    return _redirect_to_sender(notice, name)


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


def _redirect_to_sender(notice: str, name: str, *, undo: str | None = None) -> BaseResponse:
    if request.form.get("page") == "agent":
        return redirect_with_notice(notice, "agent.show", agent=name)
    kept = {field: request.form[field] for field in KEPT_FIELDS if request.form.get(field)}
    return redirect_with_notice(notice, "agents.show", undo=undo, **kept)
