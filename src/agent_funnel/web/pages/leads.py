"""Leads: the search, and the page of a number with its history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.do_not_contact import MOST_AT_ONCE, OPTED_OUT, OWN_REQUESTS, DoNotContact, do_not_contact_of
from agent_funnel.errors import NotFound
from agent_funnel.leads import Lead, lead_history, search_leads
from agent_funnel.numbers import StillCalled, find_still_called, spellings, stored_alike, stored_with_country
from agent_funnel.outcomes import Outcome, list_outcomes
from agent_funnel.runs import deal_version
from agent_funnel.sentences import sentence
from agent_funnel.values import LONGEST_TEXT, text_length
from agent_funnel.web.errors import faults_of
from agent_funnel.web.fields import SearchText
from agent_funnel.web.format import REPORTED
from agent_funnel.web.languages import translated
from agent_funnel.web.numbers import floor_country, shown_number
from agent_funnel.web.outcome_models import OutcomeToTakeBack
from agent_funnel.web.outcomes import notice_in_words, take_back
from agent_funnel.web.pages.layout import fault_in_words, form, page, read_form, redirect_with_notice
from agent_funnel.web.paging import (
    AFTER_COUNT,
    AFTER_LEAD,
    LONGEST_MASKED_LIST,
    TooManyMasked,
    decode_requester_cursor,
    encode_cursor,
    fetch_page,
)
from agent_funnel.web.request_models import LeadsQuery
from agent_funnel.web.requester import actor, sees_numbers
from agent_funnel.web.services import services

blueprint = Blueprint("leads", __name__)

LEADS_PER_PAGE = 50
# The newest outcomes that the page of a number shows; few numbers were ever dealt as often:
OUTCOMES_SHOWN = 100
# The conditions of the search, with their labels in the form:
CONDITIONS = {
    "number": sentence("Number"),
    "stage": sentence("Calls"),
    "date_from": sentence("From"),
    "date_to": sentence("To"),
    "import_id": sentence("Import"),
}
# A number, the agent who has it now, and since when if that is known:
Held = tuple[str, str | None, datetime | None]
NUMBER: TypeAdapter[str] = TypeAdapter(SearchText)


@page(blueprint, "/leads", role="viewer")
def show() -> Any:
    """The leads that meet the conditions, page by page, or all of them with `?all`; without either, their counts.

    The counts come first because sorting a million numbers may take seconds on an engine that stores them in another
    order.
    """
    filled_in = {name: text for name in CONDITIONS if (text := request.args.get(name, "").strip())}
    try:
        query = LeadsQuery.model_validate_strings(filled_in)
    except ValidationError as error:
        return _show_mistakes(filled_in, error)
    if query.number is not None and not sees_numbers():
        raise Forbidden(sentence("A search by number needs the role operator. Nothing was searched."))
    if not filled_in and not {"all", "after"} & {*request.args}:
        counts = services().counts.stage_counts(deal_version(services().database))
        return render_template("leads.html", filled_in=filled_in, stage_counts=counts, is_landing=True)
    return _show_list(filled_in, query)


def _show_mistakes(filled_in: dict[str, str], error: ValidationError) -> Response:
    wrong = [(CONDITIONS[fault.field], fault_in_words(fault.detail)) for fault in faults_of(error)]
    return make_response(
        render_template("leads.html", filled_in=filled_in, wrong=wrong), HTTPStatus.UNPROCESSABLE_ENTITY
    )


def with_holders(numbers: Sequence[str]) -> list[Held]:
    """Some stored numbers, each with the agent who has it, so that nobody has to open them all."""
    return [_with_holder(number) for number in numbers]


def _with_holder(number: str) -> Held:
    try:
        lead = lead_history(services().database, number)
    except NotFound:
        # Somebody has just deleted it.
        return number, None, None
    since = (each.held_from for each in lead.holders if each.held_until is None and each.agent == lead.agent)
    return number, lead.agent, next(since, None) if lead.agent else None


def _show_list(filled_in: dict[str, str], query: LeadsQuery) -> str:
    conditions = query.model_dump(include=set(CONDITIONS))

    def fetch(after: Any, count: int) -> list[Lead]:
        return search_leads(services().database, after=after, count=count, **conditions)

    begun = decode_requester_cursor(request.args.get("after"), AFTER_LEAD, AFTER_COUNT)
    try:
        found, last = fetch_page(begun, LEADS_PER_PAGE, fetch, lambda row: (row.number, row.stage, row.date))
    except TooManyMasked:
        return render_template("leads.html", filled_in=filled_in, longest=LONGEST_MASKED_LIST)
    alike = stored_alike(services().database, query.number) if query.number and begun is None and not found else []
    return render_template(
        "leads.html",
        filled_in=filled_in,
        alike=with_holders(alike),
        rows=found,
        spellings=_spellings(query.number) if query.number else (),
        begins=begun is None,
        after=encode_cursor(*last) if last else None,
    )


def _spellings(number: str) -> tuple[str, ...]:
    """The ways to write a number that the tables can hold, the given one first."""
    return tuple(
        text for text in dict.fromkeys(spellings(number)) if text.strip() and text_length(text) <= LONGEST_TEXT
    )


@page(blueprint, "/leads/of", role="operator")
def show_lead() -> Any:
    """A number, in any spelling: who has it, what agents reported, its records, and whether it may be called.

    A number that is unknown can be put on the do-not-contact list in advance, unless a stored number ends alike: that
    one is probably meant.
    """
    try:
        number = NUMBER.validate_python(request.values.get("number", ""))
    except ValidationError:
        return redirect(url_for("leads.show"))
    usual = _spellings(number)
    if not usual:
        return redirect(url_for("leads.show"))
    try:
        lead = lead_history(services().database, number)
    except NotFound:
        lead = None
    outcomes = list_outcomes(services().database, number=number, count=OUTCOMES_SHOWN)
    alike = [] if lead or outcomes else stored_alike(services().database, number)
    others = dict.fromkeys(record.number for record in lead.records if record.number != lead.number) if lead else {}
    entries = lead.do_not_contact if lead else ()
    otherwise = [] if entries else listed_with_country(lead.number if lead else number)
    return render_template(
        "lead.html",
        written=number,
        lead=lead,
        shown=shown_number(lead.number if lead else number, floor_country()),
        others=list(others),
        has_country=floor_country() is not None,
        listed_otherwise=otherwise,
        still_called=still_called(number) if entries else [],
        most=MOST_AT_ONCE,
        same_list=same_list(entries or otherwise),
        alike=alike,
        spellings=usual[1:] or usual,
        outcomes=outcomes,
        holding=_holding(outcomes),
        is_wrong=any(each.stands and each.outcome == "wrong_number" for each in outcomes),
        REPORTED=REPORTED,
        now=services().now(),
    )


def listed_with_country(number: str) -> list[DoNotContact]:
    """The entries of do-not-contact lists for this number with, or without, its country code, if no country is set."""
    others = stored_with_country(services().database, number) if floor_country() is None else []
    return list(dict.fromkeys(each for stored in others for each in do_not_contact_of(services().database, stored)))


def still_called(*numbers: str) -> list[StillCalled]:
    """The stored numbers on no list that are one of these with, or without, its country code, if no country is set."""
    return find_still_called(services().database, numbers) if floor_country() is None else []


def same_list(entries: Sequence[DoNotContact]) -> dict[str, str | None]:
    """The list and the reason of a number's entries, for the same number in another spelling.

    Only outcomes add to their own list, so such a number gets on the list of direct requests.
    """
    found = next((each for each in entries if each.list_name != OPTED_OUT), None)
    return {"list_name": found.list_name, "reason": found.reason} if found else {"list_name": OWN_REQUESTS}


def _holding(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The outcome that decides: that the number is wrong, whenever it was reported, or else the newest that holds."""
    holding = [each for each in outcomes if each.stands]
    return next((each for each in holding if each.outcome == "wrong_number"), holding[0] if holding else None)


@form(blueprint, "/leads/outcomes/take-back", role="operator", shows=show_lead)
def take_outcome_back() -> BaseResponse:
    """Takes an outcome of a number back."""
    found = take_back(read_form(OutcomeToTakeBack, leave_out=("taken_back_at",)).report, actor=actor())
    said = gettext("Taken back: %(outcome)s.", outcome=translated(REPORTED[found.outcome]))
    notice = f"{said} {notice_in_words(found.notice) or ''}".strip()
    return redirect_with_notice(notice, "leads.show_lead", number=request.form.get("number", ""))
