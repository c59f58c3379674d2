"""Errors as responses: application/problem+json (RFC 9457), or a page that says the same to a person."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import structlog
from flask import Response, current_app, g, jsonify, make_response, render_template, request
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
# What pages say instead of the names of the statuses:
HEADINGS = {
    400: "This request cannot be read.",
    401: "Please sign in.",
    403: "This is not allowed.",
    404: "This does not exist.",
    405: "This address takes no such request.",
    413: "This is too large.",
    429: "Too many requests at a time.",
    500: "Something went wrong.",
    503: "This does not work now.",
}
# The end of a message that names a command, which is no help on a page:
COMMAND_HINT = re.compile(r"[;.] `agent-funnel [^`]*`[^.]*\.")
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
        type="about:blank", title=status.phrase, status=status.value, detail=detail, code=code, faults=faults
    )
    # For the audit of the request, too.
    g.detail = detail
    if prefers_html():
        return make_response(render_template("problem.html", problem=body, **_words_for_people(body)), status.value)
    always = {"type", "title", "status", "detail"} | body.model_fields_set
    values = {name: value for name, value in body.model_dump().items() if name in always and value is not None}
    response = jsonify(values)
    response.status_code = status.value
    response.mimetype = "application/problem+json"
    return response


def _words_for_people(body: Problem) -> dict[str, str | None]:
    """The heading and the sentence of the page about a problem."""
    if body.detail == NOTHING_HERE:
        return {"heading": "There is no such page.", "words": "Check the address."}
    if role := g.get("missing_role"):
        own: Role = g.identity.role
        return {
            "heading": "Your key does not allow this.",
            "words": f"It is the key of {_role_in_words(own)}, and this needs {_role_in_words(role)}. Nothing was "
            f"changed. Ask {_role_in_words(role)} to do it.",
        }
    words = COMMAND_HINT.sub(".", body.detail) if body.detail else None
    return {"heading": HEADINGS.get(body.status, "That was not done."), "words": words}


def _role_in_words(role: Role) -> str:
    """A role with its article."""
    return f"{'a' if role == 'viewer' else 'an'} {role}"


def status_of(error: FunnelError) -> HTTPStatus:
    """The status of an error: its own, or that of the nearest class above it."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def response_to_error(error: FunnelError) -> Any:
    """An error of this product as a response."""
    detail = str(error) if _may_be_shown(error) else type(error).__doc__
    if isinstance(error, DatabaseError) and detail != str(error):
        log.warning("a request failed", operation=request.endpoint, reason=str(error))
    return problem(status_of(error), detail, error.number)


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
        HTTPStatus.INTERNAL_SERVER_ERROR, "There was an unexpected error; the log of the service has the details."
    )


def response_to_bad_request(error: ValidationError) -> Response:
    """The mistakes in a request as a response, field by field."""
    faults = faults_of(error)
    named = ", ".join(sorted({fault.field for fault in faults}))
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"The request is wrong in {named}; nothing was changed.", None, faults
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
