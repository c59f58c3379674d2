"""One agent: their leads, absences and limits, the last deals, and the personal link."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from flask import Blueprint, render_template, request
from flask_babel import gettext, ngettext
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel import agents
from agent_funnel.access import links
from agent_funnel.access.links import link_of_agent
from agent_funnel.agents import (
    Assignment,
    Limit,
    RosterEntry,
    assignments,
    count_assignments,
    limits_in_force,
    list_limits,
    no_such_agent,
    roster,
)
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.runs import deal_version
from agent_funnel.sentences import sentence
from agent_funnel.settings import LARGEST_SHARE
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.format import day, number, sparkline
from agent_funnel.web.languages import locale
from agent_funnel.web.new_links import NewLink, leads_to_this_machine, new_link
from agent_funnel.web.pages.agent_marks import in_words, last_deals, marks_of
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice
from agent_funnel.web.pages.month import month_of
from agent_funnel.web.paging import (
    AFTER_ASSIGNMENT,
    AFTER_COUNT_OF_DEAL,
    decode_requester_cursor,
    encode_cursor,
    fetch_page,
)
from agent_funnel.web.request_models import LimitPath, NewLimit, NewName
from agent_funnel.web.requester import actor, today
from agent_funnel.web.services import services

blueprint = Blueprint("agent", __name__)

LEADS_PER_PAGE = 100


@page(blueprint, "/agents/of", role="viewer")
def show(made: NewLink | None = None) -> str:
    """One agent. `made` is a personal link that was just made."""
    database = services().database
    entry = requested_agent()
    deals = last_deals()
    amounts = deals.amounts_of(entry.agent)
    newest = deals.newest
    share = newest.get(entry.agent) if newest else None
    limits = [limit for limit in list_limits(database) if limit.agent == entry.agent]
    limit = limits_in_force(limits, today()).get(entry.agent)
    count = count_assignments(database, entry.agent)
    return render_template(
        "agent.html",
        agent=entry.agent,
        active=entry.active,
        marks=marks_of(entry, share.leads if share else 0, limit, deals, count),
        count=count,
        run=deals.runs[0] if deals.runs else None,
        counted=newest is not None,
        share=share,
        nights=list(zip(deals.runs, reversed(amounts), strict=True)),
        chart=sparkline(amounts, deals.largest),
        in_words=in_words(amounts, locale()) if amounts else "",
        present=[limit for limit in limits if limit.ends_on is None or limit.ends_on >= today()],
        past=[limit for limit in limits if limit.ends_on is not None and limit.ends_on < today()],
        today=today(),
        largest_limit=LARGEST_SHARE,
        link=link_of_agent(database, entry.agent),
        new_link=made,
        here_only=leads_to_this_machine(),
        **month_of(limits),
    )


def requested_agent() -> RosterEntry:
    """The agent whom the request names."""
    name = request.values.get("agent", "")
    found = roster(services().database, today(), name)
    if not found:
        raise no_such_agent(services().database, name)
    return found[0]


def kept_leads(agent: str) -> str:
    """A sentence about the leads that an agent keeps until the next deal."""
    leads = count_assignments(services().database, agent)
    if not leads:
        return str(gettext("They have no leads now."))
    found: str = ngettext(
        "They keep their %(n)s current lead until the next deal.",
        "They keep their %(n)s current leads until the next deal.",
        leads,
        n=number(leads, locale()),
    )
    return found


class LimitForm(NewLimit):
    """A limit as a form sends it, with its number as a text."""

    max_records: Annotated[int, Field(ge=0, le=LARGEST_SHARE)] = 0


@form(blueprint, "/agents/limits", role="operator", shows=show)
def add_limit() -> BaseResponse:
    """Adds an absence or a limit."""
    limit, notice = save_limit(requested_agent().agent)
    return redirect_with_notice(notice, "agent.show", agent=limit.agent, month=f"{limit.starts_on:%Y-%m}")


def save_limit(agent: str) -> tuple[Limit, str]:
    """Adds the absence or limit of the form; returns it, and the notice about it."""
    set_audit_target(agent)
    filled_in = read_form(LimitForm)
    check_days(filled_in.starts_on, filled_in.ends_on)
    limit = agents.add_limit(
        services().database,
        agent,
        starts_on=filled_in.starts_on,
        ends_on=filled_in.ends_on,
        max_records=filled_in.max_records,
    )
    return limit, f"{_saved(limit)} {kept_leads(agent)}"


def _saved(limit: Limit) -> str:
    """A sentence about an absence or limit that was added."""
    values = {
        "agent": limit.agent,
        "n": number(limit.max_records, locale()),
        "first": day(limit.starts_on, locale()),
        "last": day(limit.ends_on, locale()),
    }
    if limit.max_records == 0 and limit.ends_on is None:
        text = gettext("Saved: %(agent)s is away from %(first)s with no end date.", **values)
    elif limit.max_records == 0:
        text = gettext("Saved: %(agent)s is away from %(first)s to %(last)s, both days inclusive.", **values)
    elif limit.ends_on is None:
        text = gettext("Saved: %(agent)s gets at most %(n)s a night from %(first)s with no end date.", **values)
    else:
        text = gettext(
            "Saved: %(agent)s gets at most %(n)s a night from %(first)s to %(last)s, both days inclusive.", **values
        )
    return str(text)


def check_days(first: date, last: date | None) -> None:
    """Raises ParameterOutOfRange if the last day of a form is before the first one."""
    if last is not None and last < first:
        raise ParameterOutOfRange(
            sentence(
                "The last day, %(last)s, is before the first day, %(first)s. Nothing was changed.",
                last=day(last, locale()),
                first=day(first, locale()),
            )
        )


@form(blueprint, "/agents/limits/remove", role="operator", shows=show)
def remove_limit() -> BaseResponse:
    """Removes an absence or a limit."""
    agent = requested_agent().agent
    filled_in = LimitPath.model_validate_strings({"limit_id": request.form.get("limit_id", "")})
    set_audit_target(f"limit {filled_in.limit_id}")
    agents.remove_limit(services().database, filled_in.limit_id)
    return redirect_with_notice(
        gettext("Removed; it no longer counts from the next deal on."), "agent.show", agent=agent
    )


@form(blueprint, "/agents/rename", role="operator", shows=show)
def rename() -> BaseResponse:
    """Renames an agent, with their limits, link, assignments and history."""
    filled_in = read_form(NewName)
    agent = request.form.get("agent", "")
    set_audit_target(f"{agent} → {filled_in.new_name}")
    agents.rename_agent(services().database, agent, filled_in.new_name, actor=actor(), recorded=True)
    services().counts.forget_shares()
    return redirect_with_notice(
        gettext(
            "%(agent)s is now called %(name)s, with the same leads, limits, link and history.",
            agent=agent,
            name=filled_in.new_name,
        ),
        "agent.show",
        agent=filled_in.new_name,
    )


@form(blueprint, "/agents/link", role="operator", shows=show)
def make_link() -> str:
    """Makes a personal link. It is shown only in this response, and stored nowhere."""
    agent = requested_agent().agent
    set_audit_target(agent)
    return show(new_link(agent, actor=actor()))


@form(blueprint, "/agents/link/revoke", role="operator", shows=show)
def revoke_link() -> BaseResponse:
    """Revokes a personal link."""
    agent = requested_agent().agent
    set_audit_target(agent)
    links.revoke_link(services().database, agent, actor=actor())
    notice = gettext("The link of %(agent)s is revoked; it opens nothing now.", agent=agent)
    return redirect_with_notice(notice, "agent.show", agent=agent)


@page(blueprint, "/agents/list", role="viewer")
def show_list() -> str:
    """The present leads of an agent, page by page. After a new deal it begins again."""
    database = services().database
    agent = requested_agent().agent
    begun = decode_requester_cursor(request.args.get("after"), AFTER_ASSIGNMENT, AFTER_COUNT_OF_DEAL)
    version = deal_version(database)
    is_new = begun is not None and begun[0] != version

    def fetch(after: tuple[str, str] | None, count: int) -> list[Assignment]:
        return assignments(database, agent=agent, after=after, count=count)

    position = begun[1:] if begun and not is_new else None
    found, last = fetch_page(position, LEADS_PER_PAGE, fetch, lambda row: (row.number, row.agent))
    return render_template(
        "agent_list.html",
        agent=agent,
        count=count_assignments(database, agent),
        assignments=found,
        begins=position is None,
        is_new=is_new,
        after=encode_cursor(version, *last) if last else None,
    )
