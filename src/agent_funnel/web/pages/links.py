"""The personal links of all agents: who has one, and new ones with QR codes, to print and to send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Blueprint, render_template, request

from agent_funnel.access.links import list_links
from agent_funnel.agents import no_such_agent, roster
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.sentences import counted, sentence
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.new_links import NewLink, leads_to_this_machine, new_link
from agent_funnel.web.pages.layout import form, page
from agent_funnel.web.requester import actor, today
from agent_funnel.web.services import services

blueprint = Blueprint("links", __name__)

# The most links that one form makes; a printed page has nine of them:
MOST_LINKS = 200


@page(blueprint, "/agents/links", role="operator")
def show(made: Sequence[NewLink] = ()) -> str:
    """All agents with their links; and those that were just made, which nobody sees again."""
    database = services().database
    links = list_links(database)
    entries = roster(database, today())
    return render_template(
        "links.html",
        made=made,
        here_only=leads_to_this_machine(),
        entries=[(each, links.get(each.agent)) for each in entries],
        without=sum(each.active and each.agent not in links for each in entries),
        most=MOST_LINKS,
        now=datetime.now(UTC),
    )


@form(blueprint, "/agents/links", role="operator", shows=show)
def make() -> str:
    """Makes links for the agents that were chosen. They are shown only in this response, and stored nowhere."""
    chosen = list(dict.fromkeys(request.form.getlist("agent")))
    if not chosen:
        raise ParameterOutOfRange(
            sentence("No agents are chosen; choose 1 to %(most)s at once. No link was made.", most=MOST_LINKS)
        )
    if len(chosen) > MOST_LINKS:
        raise ParameterOutOfRange(
            counted(
                "%(count)s agent is chosen; choose 1 to %(most)s at once. No link was made.",
                "%(count)s agents are chosen; choose 1 to %(most)s at once. No link was made.",
                len(chosen),
                most=MOST_LINKS,
            )
        )
    known = {each.agent for each in roster(services().database, today())}
    # Before the first link is made: a link that is made and not shown would lock its agent out.
    for name in chosen:
        if name not in known:
            raise no_such_agent(services().database, name)
    set_audit_target(chosen[0] if len(chosen) == 1 else f"{len(chosen)} links")
    return show([new_link(name, actor=actor()) for name in chosen])
