"""The do-not-contact list: numbers are added and removed on the page of a lead."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.do_not_contact import add_do_not_contact, do_not_contact_of, remove_do_not_contact
from agent_funnel.errors import NotFound
from agent_funnel.leads import lead_history
from agent_funnel.masking import last_digits
from agent_funnel.web import format
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.negotiation import locale
from agent_funnel.web.pages.layout import form, redirect_with_notice
from agent_funnel.web.pages.leads import show_lead
from agent_funnel.web.request_models import ListedNumber, NewDoNotContact
from agent_funnel.web.services import services

blueprint = Blueprint("do_not_contact", __name__)


@form(blueprint, "/leads/do-not-contact", role="operator", shows=show_lead)
def add() -> BaseResponse:
    """Puts a number on the list, and takes it out of the present assignments."""
    filled_in = NewDoNotContact.model_validate(
        {"number": request.form.get("number", ""), "reason": request.form.get("reason", "").strip() or None}
    )
    set_audit_target(last_digits(filled_in.number))
    holder = _holder_of(filled_in.number)
    found = add_do_not_contact(services().database, filled_in.number, filled_in.reason)
    notice = _notice(bool(found["listed"]), found["assignments"], holder)
    return redirect_with_notice(notice, "leads.show_lead", number=filled_in.number)


def _holder_of(number: str) -> str | None:
    """The agent who has a number now."""
    try:
        return lead_history(services().database, number).agent
    except NotFound:
        return None


def _notice(was_listed: bool, removed: int, holder: str | None) -> str:
    listed = "The number was on the list already" if was_listed else "This number will not be dealt again"
    if not removed:
        return f"{listed}. No agent had it."
    if removed == 1:
        return f"{listed}. It was removed from the list of {holder or 'the agent who had it'}."
    return f"{listed}. {format.number(removed, locale())} assignments of it were removed."


@form(blueprint, "/leads/do-not-contact/remove", role="operator", shows=show_lead)
def remove() -> BaseResponse:
    """Takes a number off the list."""
    given = {name: request.form[name] for name in ("number", "list_name") if request.form.get(name)}
    filled_in = ListedNumber.model_validate({"number": "", **given})
    set_audit_target(last_digits(filled_in.number))
    remove_do_not_contact(services().database, filled_in.number, list_name=filled_in.list_name)
    others = ", ".join(each.list_name for each in do_not_contact_of(services().database, filled_in.number))
    return redirect_with_notice(
        f"The number is off the list {filled_in.list_name}, and still on {others}: it is not dealt."
        if others
        else "The number is off the do-not-contact list; a deal may give it to an agent again.",
        "leads.show_lead",
        number=filled_in.number,
    )
