"""An agent's own list, opened by a personal link: the leads that they have now, to call from a phone or from paper, and
to report what came of them.

The secret of the link needs no key, and opens nothing else. Links that open nothing are counted for each address, but
apart from wrong keys: an office may have one address, and a few old links in it must not keep people from signing in.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask_babel import gettext
from pydantic import RootModel, ValidationError
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.access.links import Link, look_up_link, note_link_use
from agent_funnel.errors import FunnelError, NotFound, RunInProgress
from agent_funnel.files.formulas import without_formula
from agent_funnel.outcomes import ReportedOutcome
from agent_funnel.runs import last_run
from agent_funnel.sentences import sentence
from agent_funnel.web.auth import count_wrong_secret, note_recent_use, refuse_strangers, set_audit_actor
from agent_funnel.web.errors import DEAD_LINK, response_to_bad_request, response_to_error
from agent_funnel.web.format import REPORTED
from agent_funnel.web.languages import translated
from agent_funnel.web.operation import json
from agent_funnel.web.outcome_models import NewOwnOutcome, NewOwnOutcomes, OutcomeToTakeBack
from agent_funnel.web.outcomes import notice_in_words, report_all, report_one, take_back
from agent_funnel.web.own_list import HEADINGS, deals_to_come, own_list, rows, script_texts, state_of_list
from agent_funnel.web.pages.layout import form, read_form, redirect_with_notice
from agent_funnel.web.routing import PUBLIC, WRONG_LINKS, route
from agent_funnel.web.services import services

blueprint = Blueprint("own_list", __name__)

LEADS_PER_PAGE = 1_000
# The fields that only a call-back has; without a script, a form sends them with every outcome:
CALL_BACK_FIELDS = ("call_back_on", "same_agent")


@blueprint.get("/mine/<secret>")
@route(PUBLIC)
def show(secret: str) -> Response:
    """The list, in pages if it is very long."""
    link = open_link(secret)
    found = own_list(link.agent)
    pages = max(1, -(-len(found) // LEADS_PER_PAGE))
    page = max(1, min(request.args.get("page", 1, type=int), pages))
    now = services().now()
    deals = deals_to_come(now)
    shown = render_template(
        "own_list.html",
        secret=secret,
        agent=link.agent,
        link_id=link.link_id,
        whole=found,
        shown=found.page((page - 1) * LEADS_PER_PAGE, LEADS_PER_PAGE),
        headings=HEADINGS,
        outcomes={code: translated(name) for code, name in REPORTED.items()},
        texts={**script_texts(), "dead_link": translated(DEAD_LINK)},
        state=state_of_list(link.agent, found.run, now=now, deals=deals),
        page=page,
        pages=pages,
        run=found.run,
        next_at=deals.next_at,
    )
    # The address is a secret, even from our own proxy if it logs the Referer header. With no-referrer, browsers send
    # Origin: null with our own forms, too.
    return make_response(shown, {"Referrer-Policy": "strict-origin"})


@blueprint.get("/mine/<secret>/state")
@route(PUBLIC)
def show_state(secret: str) -> Response:
    """Which list is the present one, and when it changes, for a page that is open."""
    link = open_link(secret)
    now = services().now()
    return jsonify(state_of_list(link.agent, last_run(services().database), now=now, deals=deals_to_come(now)))


@blueprint.get("/mine/<secret>/list.csv")
@route(PUBLIC)
def download(secret: str) -> Response:
    """The whole list as a file."""
    link = open_link(secret)
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([without_formula(cell) for cell in row] for row in rows(own_list(link.agent)))
    return Response(
        text.getvalue(), mimetype="text/csv", headers={"Content-Disposition": "attachment; filename=list.csv"}
    )


@form(blueprint, "/mine/<secret>/report", role=PUBLIC, shows=show)
def report(secret: str) -> BaseResponse:
    """Keeps what came of a lead of the list."""
    link = open_link(secret)
    given = read_form(NewOwnOutcome, leave_out=() if request.form.get("outcome") == "call_back" else CALL_BACK_FIELDS)
    with told_when_busy():
        found = report_one(given.reported(link.agent), actor=actor_of(link))
    return _back_to_list(secret, gettext("Saved: %(outcome)s.", outcome=translated(REPORTED[found.outcome])), found)


@form(blueprint, "/mine/<secret>/take-back", role=PUBLIC, shows=show)
def take_outcome_back(secret: str) -> BaseResponse:
    """Takes back what was reported of a lead."""
    link = open_link(secret)
    with told_when_busy():
        found = take_back(read_form(OutcomeToTakeBack).report, actor=actor_of(link), agent=link.agent)
    said = gettext("Taken back: %(outcome)s.", outcome=translated(REPORTED[found.outcome]))
    return _back_to_list(secret, said, found)


@contextmanager
def told_when_busy() -> Iterator[None]:
    """Lets the list say it if too many reports wait for a deal, so that the agent does not lose sight of the list."""
    try:
        yield
    except TooManyRequests as error:
        raise RunInProgress(
            sentence("Other reports wait for a deal; nothing was kept. Send it again in a moment.")
        ) from error


def _back_to_list(secret: str, said: str, found: ReportedOutcome) -> BaseResponse:
    page = request.args.get("page", type=int)
    return redirect_with_notice(
        f"{said} {notice_in_words(found.notice) or ''}".strip(), "own_list.show", secret=secret, page=page
    )


def actor_of(link: Link) -> str:
    """The name of the link's agent, for the record and the audit."""
    name = f"link: {link.agent}"
    set_audit_actor(name)
    return name


@blueprint.post("/mine/<secret>/outcomes")
@route(PUBLIC)
def report_several(secret: str) -> Response:
    """Keeps what came of several leads, for a script: the same as the API's, of the agent's own leads."""
    link = open_link(secret)
    try:
        given = NewOwnOutcomes.model_validate_json(request.get_data())
    except ValidationError as error:
        return response_to_bad_request(error)
    answers = report_all([each.reported(link.agent) for each in given.reports], actor=actor_of(link))
    # The page shows what the answers say.
    answers.items = [
        replace(
            each,
            refusal=each.refusal and translated(each.refusal),
            outcome=each.outcome and replace(each.outcome, notice=notice_in_words(each.outcome.notice)),
        )
        for each in answers.items
    ]
    return json(answers)


@blueprint.post("/mine/<secret>/outcomes/take-back")
@route(PUBLIC)
def take_one_back(secret: str) -> Response:
    """Takes an outcome of the agent's own back, for a script."""
    link = open_link(secret)
    try:
        given = OutcomeToTakeBack.model_validate_json(request.get_data())
    except ValidationError as error:
        return response_to_bad_request(error)
    try:
        found = take_back(given.report, actor=actor_of(link), agent=link.agent, taken_back_at=given.taken_back_at)
    except FunnelError as error:
        refusal: Response = response_to_error(error)
        if not refusal.is_json:
            return refusal
        # The page shows it to the agent.
        body = {**refusal.get_json(), "detail": translated(refusal.get_json()["detail"])}
        return make_response(body, refusal.status_code)
    return json(RootModel[ReportedOutcome](replace(found, notice=notice_in_words(found.notice))))


def open_link(secret: str) -> Link:
    """The active link with this secret. While no key exists, it opens only where the service answers without keys."""
    given = services()
    found = look_up_link(given.database, secret)
    if not found.any_keys:
        refuse_strangers(given.settings)
    if found.link is None:
        # A valid link opens even so: the wrong ones may come from somebody else at the same address.
        count_wrong_secret(WRONG_LINKS)
        raise NotFound(DEAD_LINK)
    note_recent_use("link", found.link.link_id, found.link.last_used_at, note_link_use)
    return found.link
