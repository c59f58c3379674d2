"""Hand-backs: an agent on their own list, or an operator for any agent, gives the rest of a list back.

A page says how many leads would go back, and the next page has a button that undoes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.hand_backs import HandBack, leads_to_hand_back, list_hand_backs
from agent_funnel.web.format import number
from agent_funnel.web.hand_back_models import HandBackToUndo, ListToHandBack
from agent_funnel.web.hand_backs import hand_back_and_note, undo_and_note
from agent_funnel.web.languages import locale
from agent_funnel.web.pages.agent import requested_agent
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice
from agent_funnel.web.pages.own_list import actor_of, open_link, told_when_busy
from agent_funnel.web.requester import actor
from agent_funnel.web.routing import PUBLIC, route
from agent_funnel.web.services import services

blueprint = Blueprint("hand_backs", __name__)

# The hand-backs of an agent in one run that a page shows; nobody makes more by hand:
SHOWN = 20


@dataclass(frozen=True)
class RestOfList:
    """How many leads of the last run an agent could hand back now, and what they handed back of it."""

    leads: int
    run_id: int | None
    handed_back: list[HandBack]


def rest_of_list(agent: str, run_id: int) -> RestOfList:
    """The rest of an agent's list, and the hand-backs of this run, if it is the last one."""
    database = services().database
    rest = leads_to_hand_back(database, agent)
    handed_back = list_hand_backs(database, run_id=run_id, agent=agent, count=SHOWN)
    return RestOfList(rest.leads, rest.run_id, [each for each in handed_back if each.undone_at is None])


@blueprint.app_context_processor
def for_templates() -> dict[str, Any]:
    """The functions that the templates of lists and runs call, where they show hand-backs."""
    return {"rest_of_list": rest_of_list, "hand_backs_of": hand_backs_of}


def hand_backs_of(run_id: int) -> list[HandBack]:
    """The newest hand-backs of a run."""
    return list_hand_backs(services().database, run_id=run_id, count=SHOWN)


# ---- For operators


@page(blueprint, "/agents/hand-back", role="operator")
def show() -> str:
    """Asks whether the rest of an agent's list is to go back."""
    agent = requested_agent().agent
    return _question(
        agent, target=url_for("hand_backs.hand_back_for"), back=url_for("agent.show", agent=agent), own=False
    )  # fmt: skip


@form(blueprint, "/agents/hand-back", role="operator", shows=show)
def hand_back_for() -> BaseResponse:
    """Hands back the rest of an agent's list."""
    agent = requested_agent().agent
    done = hand_back_and_note(agent, run_id=read_form(ListToHandBack).run_id, actor=actor())
    notice = ngettext(
        "%(agent)s handed back %(n)s lead; the next deal deals it again.",
        "%(agent)s handed back %(n)s leads; the next deal deals them again.",
        done.leads,
        agent=agent,
        n=number(done.leads, locale()),
    )
    return redirect_with_notice(notice, "agent.show", agent=agent)


@form(blueprint, "/agents/hand-back/undo", role="operator", shows=show)
def undo_for() -> BaseResponse:
    """Undoes a hand-back of an agent."""
    agent = requested_agent().agent
    done = undo_and_note(actor=actor(), agent=agent, hand_back_id=read_form(HandBackToUndo).hand_back_id)
    return redirect_with_notice(_undone(done), "agent.show", agent=agent)


# ---- For the agents themselves


@blueprint.get("/mine/<secret>/hand-back")
@route(PUBLIC)
def show_own(secret: str) -> Response:
    """Asks an agent whether the rest of their list is to go back."""
    agent = open_link(secret).agent
    shown = _question(
        agent,
        target=url_for("hand_backs.hand_back_own", secret=secret),
        back=url_for("own_list.show", secret=secret),
        own=True,
    )
    # As on the list: the address is a secret.
    return make_response(shown, {"Referrer-Policy": "strict-origin"})


@form(blueprint, "/mine/<secret>/hand-back", role=PUBLIC, shows=show_own)
def hand_back_own(secret: str) -> BaseResponse:
    """Hands back the rest of the agent's own list."""
    link = open_link(secret)
    run_id = read_form(ListToHandBack).run_id
    with told_when_busy():
        done = hand_back_and_note(link.agent, run_id=run_id, actor=actor_of(link))
    notice = ngettext(
        "You handed back %(n)s lead; the next deal deals it again.",
        "You handed back %(n)s leads; the next deal deals them again.",
        done.leads,
        n=number(done.leads, locale()),
    )
    return redirect_with_notice(notice, "own_list.show", secret=secret)


@form(blueprint, "/mine/<secret>/hand-back/undo", role=PUBLIC, shows=show_own)
def undo_own(secret: str) -> BaseResponse:
    """Undoes a hand-back of the agent's own."""
    link = open_link(secret)
    hand_back_id = read_form(HandBackToUndo).hand_back_id
    with told_when_busy():
        done = undo_and_note(actor=actor_of(link), agent=link.agent, hand_back_id=hand_back_id)
    return redirect_with_notice(_undone(done), "own_list.show", secret=secret)


def _question(agent: str, *, target: str, back: str, own: bool) -> str:
    rest = leads_to_hand_back(services().database, agent)
    # Only the agent's phone knows this, and the script of the list puts it into the link to this page.
    put_off = max(0, min(request.args.get("put_off", 0, type=int), rest.leads)) if own else 0
    return render_template("hand_back.html", agent=agent, rest=rest, target=target, back=back, own=own, put_off=put_off)


def _undone(done: HandBack) -> str:
    returned = done.returned or 0
    if returned == 1 == done.leads:
        return str(gettext("The lead is back on the list."))
    text: str = ngettext(
        "%(returned)s of %(n)s lead is back on the list.",
        "%(returned)s of %(n)s leads are back on the list.",
        done.leads,
        returned=number(returned, locale()),
        n=number(done.leads, locale()),
    )
    if returned == done.leads:
        return text
    return f"{text} {gettext('The others are on a do-not-contact list, or somebody has them.')}"
