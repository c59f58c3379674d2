"""The search at the top of every page: agents by their names, and leads by their numbers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import TypeAdapter, ValidationError

from agent_funnel.agents import agent_names
from agent_funnel.errors import NotFound
from agent_funnel.leads import lead_history
from agent_funnel.names import by_name, folded
from agent_funnel.numbers import ending, fault_in_number, stored_alike
from agent_funnel.web.fields import SearchText
from agent_funnel.web.pages.layout import page
from agent_funnel.web.pages.leads import with_holders
from agent_funnel.web.requester import sees_numbers
from agent_funnel.web.services import services

blueprint = Blueprint("search", __name__)

# The most agents that one search shows; the page of all agents finds the others:
MOST_AGENTS = 20
TEXT: TypeAdapter[str] = TypeAdapter(SearchText)


@page(blueprint, "/search", role="viewer")
def show() -> Any:
    """The agents and numbers that a text finds; if that is only one, its page, also for a number that ends with it.

    Viewers find no numbers: with their last three digits alone, each search would tell more of a number.
    """
    text = request.args.get("q", "").strip()
    try:
        wanted = TEXT.validate_python(text)
    except ValidationError:
        return render_template("search.html", sought=text[:100], is_bad=bool(text))
    agents = _find_agents(wanted)
    may_be_number = ending(wanted) is not None or fault_in_number(wanted) is None
    lead, alike = _find_numbers(wanted) if may_be_number and sees_numbers() else (None, [])
    if len(agents) == 1 and not (lead or alike):
        return redirect(url_for("agent.show", agent=agents[0]))
    if not lead and len(alike) == 1 and _ends_with(alike[0], wanted):
        lead, alike = alike[0], []
    if lead and not agents:
        return redirect(url_for("leads.show_lead", number=lead))
    return render_template(
        "search.html",
        sought=wanted,
        agents=agents[:MOST_AGENTS],
        more_agents=max(0, len(agents) - MOST_AGENTS),
        numbers=with_holders([lead] if lead else alike),
        are_alike=bool(alike),
        may_be_number=may_be_number,
    )


def _find_agents(text: str) -> list[str]:
    """The agents whose names have the text, in any case and without accents; those who begin with it come first."""
    wanted = folded(text)
    found = [name for name in agent_names(services().database) if wanted in folded(name)]
    return sorted(found, key=lambda name: (folded(name) != wanted, not folded(name).startswith(wanted), by_name(name)))


def _find_numbers(text: str) -> tuple[str | None, list[str]]:
    """The stored number that the text is, in any spelling, or else the stored numbers that end like it."""
    try:
        return lead_history(services().database, text).number, []
    except NotFound:
        return None, stored_alike(services().database, text)


def _ends_with(stored: str, text: str) -> bool:
    """Whether a stored number ends with the digits of a text; those that are only alike may have others before them."""
    return (ending(stored) or "").endswith(ending(text) or stored)
