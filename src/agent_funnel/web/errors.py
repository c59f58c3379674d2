"""Errors as responses: application/problem+json (RFC 9457), or a page that says the same to a person."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from flask import Response, current_app, g, jsonify, make_response, render_template, request
from flask_babel import gettext
from pydantic import BaseModel, Field, ValidationError
from werkzeug.exceptions import HTTPException

from agent_funnel.access.keys import Role
from agent_funnel.errors import (
    AlreadyExists,
    AlreadyRun,
    BrakeApplied,
    CheckFailed,
    DatabaseError,
    DatabaseUnavailable,
    FunnelError,
    ImportRefused,
    NoActiveAgent,
    NotConfirmed,
    NotFound,
    NothingToUndo,
    ParameterOutOfRange,
    PoolChanged,
    RuleNotConfirmed,
    RunError,
    RunInProgress,
    WrongVersion,
)
from agent_funnel.masking import mask_digits
from agent_funnel.sentences import Sentence, sentence, text_in
from agent_funnel.web.languages import translated
from agent_funnel.web.negotiation import prefers_html

log = structlog.get_logger(__name__)

# The status of each error, which is also that of its subclasses:
STATUS: dict[type, HTTPStatus] = {
    RunInProgress: HTTPStatus.CONFLICT,  # 50001
    NoActiveAgent: HTTPStatus.UNPROCESSABLE_ENTITY,  # 50002
    AlreadyRun: HTTPStatus.CONFLICT,  # 50003
    PoolChanged: HTTPStatus.SERVICE_UNAVAILABLE,  # 50004
    NothingToUndo: HTTPStatus.CONFLICT,  # 50005
    ParameterOutOfRange: HTTPStatus.UNPROCESSABLE_ENTITY,  # 50006
    CheckFailed: HTTPStatus.INTERNAL_SERVER_ERROR,  # 50007
    NotConfirmed: HTTPStatus.CONFLICT,  # 50008
    NotFound: HTTPStatus.NOT_FOUND,
    AlreadyExists: HTTPStatus.CONFLICT,
    RuleNotConfirmed: HTTPStatus.CONFLICT,
    BrakeApplied: HTTPStatus.CONFLICT,
    ImportRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    DatabaseError: HTTPStatus.SERVICE_UNAVAILABLE,
    FunnelError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
# Errors whose message is safe to show to clients; others may reveal details of the database.
SHOW_MESSAGE_OF = (
    RunError, DatabaseUnavailable, WrongVersion, NotFound, AlreadyExists, RuleNotConfirmed, BrakeApplied, ImportRefused,
)  # fmt: skip
# The detail of an address that leads nowhere:
NOTHING_HERE = "There is nothing at this address."
# The detail of a personal link that opens nothing:
DEAD_LINK = sentence(
    "This link opens nothing: it is incomplete, it was replaced or revoked, or the agent is inactive. Ask your team "
    "lead for a new one."
)
# What pages say instead of the names of the statuses:
HEADINGS = {
    400: sentence("This cannot be read."),
    401: sentence("Please sign in."),
    403: sentence("This is not allowed."),
    404: sentence("This does not exist."),
    405: sentence("This page cannot be opened like this."),
    413: sentence("This is too large."),
    429: sentence("Too much at a time."),
    500: sentence("Something went wrong."),
    503: sentence("This does not work now."),
}
# What pages say below that, where an error has no message of ours:
WORDS = {
    400: sentence("Nothing was changed. Go back, load the page again, and try once more."),
    405: sentence("It belongs to a button on another page. Nothing was changed."),
    413: sentence("Nothing was changed. Send less at a time."),
    429: sentence("Nothing was done. Wait a minute, and try again."),
}
# What a page says to the holder of a key, by its role and by the one that is needed:
REFUSALS: dict[tuple[Role, Role], Sentence] = {
    ("viewer", "operator"): sentence(
        "It is the key of a viewer, and this needs an operator. Nothing was changed. Ask an operator to do it."
    ),
    ("viewer", "admin"): sentence(
        "It is the key of a viewer, and this needs an admin. Nothing was changed. Ask an admin to do it."
    ),
    ("operator", "admin"): sentence(
        "It is the key of an operator, and this needs an admin. Nothing was changed. Ask an admin to do it."
    ),
}
# Names under which pydantic gives the limit of a field that was exceeded:
LIMITS_OF_FIELDS = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "expected")


class Fault(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="A field of the body, or a parameter.")
    detail: str = Field(description="What is wrong with it.")
    limit: str | None = Field(None, description="What is allowed, if that is a number, a length or a pattern.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="A URI that names the kind of problem; about:blank if the status says it all.")
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The status, again.")
    detail: str | None = Field(None, description="What happened, and what was not changed.")
    code: int | None = Field(None, description="The SQL number of an error of the deal, from 50001 to 50008.")
    faults: list[Fault] | None = Field(None, description="What is wrong with the request, field by field.")


def problem(
    status: HTTPStatus, detail: str | None, code: int | None = None, faults: list[Fault] | None = None
) -> Response:
    """An error as a response, for a browser as a page. `code` is the SQL number if there is one."""
    body = Problem(
        type="about:blank",
        title=status.phrase,
        status=status.value,
        detail=None if detail is None else str(detail),
        code=code,
        faults=faults,
    )
    # For the audit of the request, too.
    g.detail = body.detail
    if prefers_html():
        page = render_template("problem.html", problem=body, **_words_for_people(status.value, detail))
        return make_response(page, status.value)
    always = {"type", "title", "status", "detail"} | body.model_fields_set
    values = {name: value for name, value in body.model_dump().items() if name in always and value is not None}
    response = jsonify(values)
    response.status_code = status.value
    response.mimetype = "application/problem+json"
    return response


def _words_for_people(status: int, detail: str | None) -> dict[str, str | None]:
    """The heading and the sentence of the page about a problem, in the language of the page."""
    if detail == NOTHING_HERE:
        return {"heading": gettext("There is no such page."), "words": gettext("Check the address.")}
    if detail == DEAD_LINK:
        return {"heading": gettext("This link no longer works."), "words": translated(DEAD_LINK)}
    if role := g.get("missing_role"):
        own: Role = g.identity.role
        return {"heading": gettext("Your key does not allow this."), "words": translated(REFUSALS[own, role])}
    heading = translated(HEADINGS.get(status, sentence("That was not done.")))
    return {"heading": heading, "words": detail and translated(detail)}


def status_of(error: FunnelError) -> HTTPStatus:
    """The status of an error: its own, or that of the nearest class above it."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def response_to_error(error: FunnelError) -> Any:
    """An error of this product as a response."""
    return problem(status_of(error), shown_message(error), error.number)


def shown_message(error: FunnelError) -> str:
    """The message of an error, or that of its class, if the requester may not see more; the log then has it.

    For viewers, the numbers in it are masked: it may name lists and files as people do.
    """
    message = text_in(error) if _may_be_shown(error) else str(type(error).__doc__)
    if isinstance(error, DatabaseError) and message != str(error):
        log.warning("a request failed", operation=request.endpoint, reason=str(error))
    holder = g.get("identity")
    return message if holder is None or holder.may("operator") else mask_digits(message)


def _may_be_shown(error: FunnelError) -> bool:
    """Whether the requester may see the message. One about the database names files and servers, so it needs a key."""
    if isinstance(error, DatabaseUnavailable) and g.get("identity") is None:
        return False
    return isinstance(error, SHOW_MESSAGE_OF)


def response_to_http_error(error: HTTPException) -> Any:
    """An HTTP error as a response; one that has its own response keeps it."""
    if error.response is not None:
        return error.response
    status = HTTPStatus(error.code or 500)
    detail = NOTHING_HERE if status == HTTPStatus.NOT_FOUND else error.description
    is_theirs = detail == type(error).description or status == HTTPStatus.TOO_MANY_REQUESTS
    if prefers_html() and is_theirs and not isinstance(detail, Sentence):
        # Words of the framework, such as "5 per 1 minute".
        detail = WORDS.get(status.value, sentence("Nothing was changed."))
    response = problem(status, detail)
    # A 405 names the allowed methods, a 401 how to authenticate, a 429 when to try again.
    kept = ("Allow", "WWW-Authenticate", "Retry-After")
    response.headers.extend((name, value) for name, value in error.get_headers() if name in kept)
    if "Retry-After" in response.headers:
        g.retry_after = response.headers["Retry-After"]
    return response


def response_to_any_error(error: Exception) -> Any:
    """An unexpected error as a response, which reveals nothing of it."""
    current_app.logger.error("unexpected error", exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        sentence("There was an unexpected error; the log of the service has the details."),
    )


def response_to_bad_request(error: ValidationError) -> Response:
    """The mistakes in a request as a response, field by field."""
    faults = faults_of(error)
    named = ", ".join(sorted({fault.field for fault in faults}))
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        sentence("The request is wrong in %(fields)s; nothing was changed.", fields=named),
        None,
        faults,
    )


def faults_of(error: ValidationError) -> list[Fault]:
    """The mistakes in a request: the rule, never the value, which may be a number or a key."""
    faults = []
    for each in error.errors(include_url=False, include_input=False):
        limits = [str(value) for name, value in each.get("ctx", {}).items() if name in LIMITS_OF_FIELDS]
        faults.append(
            Fault(
                field=".".join(str(part) for part in each["loc"]) or "body",
                detail=str(each["msg"]).removeprefix("Value error, "),
                limit=limits[0] if limits else None,
            )
        )
    return faults
