"""One shape for every error: application/problem+json (RFC 9457), or for a person a page that says the same."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, current_app, g, jsonify, make_response, render_template
from pydantic import BaseModel, Field, ValidationError
from werkzeug.exceptions import HTTPException

from agent_funnel.errors import (
    AlreadyExists,
    BrakeApplied,
    DatabaseError,
    DatabaseUnavailable,
    FunnelError,
    ImportRefused,
    NotFound,
    RunError,
)
from agent_funnel.web.reader import prefers_html

# What each error of the deal is in HTTP:
STATUS = {
    50001: HTTPStatus.CONFLICT,
    50002: HTTPStatus.UNPROCESSABLE_ENTITY,
    50003: HTTPStatus.CONFLICT,
    50004: HTTPStatus.SERVICE_UNAVAILABLE,
    50005: HTTPStatus.CONFLICT,
    50006: HTTPStatus.UNPROCESSABLE_ENTITY,
    50007: HTTPStatus.INTERNAL_SERVER_ERROR,
}
# And the others, of which a subclass comes before its parent; any other is a 500:
STATUS_OF_CLASS: tuple[tuple[type[FunnelError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (AlreadyExists, HTTPStatus.CONFLICT),
    (BrakeApplied, HTTPStatus.CONFLICT),
    (ImportRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (DatabaseError, HTTPStatus.SERVICE_UNAVAILABLE),
)
# Whose text is for the reader; that of the others may tell more than one who asks over the network should know.
TOLD = (RunError, DatabaseUnavailable, NotFound, AlreadyExists, BrakeApplied, ImportRefused)
# What a rule of a model allows, by what pydantic calls it:
LIMITS = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "expected")


class Fault(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Where: a field of the body, or a parameter.")
    detail: str = Field(description="What is wrong with it.")
    limit: str | None = Field(None, description="What is allowed, where that is a number, a length or a pattern.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="A URI that names the kind of problem; about:blank where the status says it all.")
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The status, again.")
    detail: str | None = Field(None, description="What happened, and what was not changed.")
    code: int | None = Field(None, description="The SQL number of an error of the deal, from 50001 to 50007.")
    faults: list[Fault] | None = Field(None, description="What is wrong with the request, field by field.")


def problem(
    status: HTTPStatus, detail: str | None, code: int | None = None, faults: list[Fault] | None = None
) -> Response:
    """An error as an answer, to a browser as a page; `code` is the SQL number where there is one."""
    body = Problem(
        type="about:blank", title=status.phrase, status=status.value, detail=detail, code=code, faults=faults
    )
    # For the record of the request, too.
    g.detail = detail
    if prefers_html():
        return make_response(render_template("problem.html", problem=body), status.value)
    keep = {"type", "title", "status", "detail"} | body.model_fields_set
    response = jsonify({name: value for name, value in body.model_dump().items() if name in keep and value is not None})
    response.status_code = status.value
    response.mimetype = "application/problem+json"
    return response


def of_error(error: FunnelError) -> Any:
    """An error of ours as an answer."""
    if isinstance(error, RunError):
        status = STATUS[error.number]
    else:
        found = (status for kind, status in STATUS_OF_CLASS if isinstance(error, kind))
        status = next(found, HTTPStatus.INTERNAL_SERVER_ERROR)
    detail = str(error) if isinstance(error, TOLD) else type(error).__doc__
    return problem(status, detail, error.number)


def of_http(error: HTTPException) -> Any:
    """An error of HTTP as an answer; one that is an answer already stays it."""
    if error.response is not None:
        return error.response
    response = problem(HTTPStatus(error.code or 500), error.description)
    # A 405 says what is allowed, a 401 how to ask, a 429 when to come again.
    told = ("Allow", "WWW-Authenticate", "Retry-After")
    response.headers.extend((name, value) for name, value in error.get_headers() if name in told)
    return response


def of_any(error: Exception) -> Any:
    """An error that should not happen as an answer, which tells nothing of it."""
    current_app.logger.error("unexpected error", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong that should not have; the log says what.")


def of_validation(error: ValidationError) -> Response:
    """What is wrong with a request as an answer, field by field."""
    faults = faults_of(error)
    named = ", ".join(sorted({fault.field for fault in faults}))
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"The request is wrong in {named}; nothing was changed.", None, faults
    )


def faults_of(error: ValidationError) -> list[Fault]:
    """What is wrong with a request: the rule, never the value, which may be a number or a key."""
    faults = []
    for each in error.errors(include_url=False, include_input=False):
        limits = [str(value) for name, value in each.get("ctx", {}).items() if name in LIMITS]
        faults.append(
            Fault(
                field=".".join(str(part) for part in each["loc"]) or "body",
                detail=str(each["msg"]).removeprefix("Value error, "),
                limit=limits[0] if limits else None,
            )
        )
    return faults
