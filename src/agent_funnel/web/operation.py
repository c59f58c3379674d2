"""An operation of the API: its name, role and responses, and its place in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Literal

from flask import Response, request
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel

from agent_funnel.access.keys import Role
from agent_funnel.characters import visible_json
from agent_funnel.web.errors import problem
from agent_funnel.web.idempotency import idempotent
from agent_funnel.web.routing import Rate, route

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
# Errors that every operation may respond with:
ALWAYS = {
    401: "The request has no key in use.",
    403: "The key's role may not do that, or the request comes from a page of another site.",
    413: "The body is larger than allowed.",
    422: "The request is wrong; `faults` says where.",
    429: "Too many requests; Retry-After says when to try again.",
    500: "There was an unexpected error; the log of the service has the details.",
    503: "The database cannot be used now; nothing was changed.",
}
IDEMPOTENCY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "Any text. A request that repeats it within 24 hours gets the first response again.",
}


def operation(
    blueprint: APIBlueprint,
    method: Literal["get", "post", "delete"],
    rule: str,
    *,
    role: Role,
    answer: type[BaseModel],
    problems: dict[int, str] | None = None,
    status: int = 200,
    polled: bool = False,
    takes_file: bool = False,
    rate: Rate | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a view. `answer` is the model of its response; `problems` are the errors that only this operation has.

    A POST takes an `Idempotency-Key`. A `polled` operation responds with 304 if the client has this version already.
    """
    responses: dict[Any, Any] = {
        str(code): {"description": why, "content": PROBLEM} for code, why in {**ALWAYS, **(problems or {})}.items()
    }
    responses[str(status)] = answer
    if "<" in rule:
        # The address has something other than a number, such as /api/runs/last.
        responses.setdefault("404", {"description": "There is nothing at this address.", "content": PROBLEM})
    if polled:
        responses["304"] = {"description": "The response with this ETag is still current."}

    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        name, wrapped = view.__name__, view
        if method == "post":
            wrapped = idempotent(wrapped)
        wrapped = route(role, takes_file=takes_file, rate=rate)(_unambiguous(wrapped))
        summary = (view.__doc__ or "").strip().split("\n")[0]
        register_with = getattr(blueprint, method)
        register_with(
            rule,
            endpoint=name,
            operation_id=name,
            summary=summary,
            description="",
            responses=responses,
            security=[{"key": []}],
            openapi_extensions={"x-role": role},
        )(wrapped)
        return view

    return register


def _unambiguous(view: Callable[..., Any]) -> Callable[..., Any]:
    """Refuses a parameter that is given twice, since it is unclear which of the values counts."""

    @wraps(view)
    def checked(**arguments: Any) -> Any:
        if any(len(values) > 1 for _, values in request.args.lists()):
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "A parameter is given more than once; nothing was changed.")
        return view(**arguments)

    return checked


def json(value: BaseModel, status: int = 200) -> Response:
    """A model as a response."""
    return Response(visible_json(value.model_dump_json()), status, content_type="application/json")
