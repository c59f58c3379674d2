"""An operation of the API: what it is called, who may use it, what it answers; its place in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Literal

from flask import Response, request
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel

from agent_funnel.access import Role
from agent_funnel.web import access, once
from agent_funnel.web.problem import problem

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
# What each operation may answer besides its own, and why:
ALWAYS = {
    401: "Who asks has no key in use.",
    403: "The key's role may not do that, or the request comes from a page of another site.",
    413: "The body is larger than allowed.",
    422: "The request is wrong; `faults` says where.",
    429: "Too many requests; Retry-After says when to come again.",
    500: "Something went wrong that should not have.",
    503: "The database cannot be used now; nothing was changed.",
}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "A text of the client's own. The same one gets the first answer again, for 24 hours.",
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
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a view: `answer` is the model of its body; `problems` are errors that only this operation has.

    A POST takes an `Idempotency-Key`. What is `polled` answers 304 to who has the answer already.
    """
    responses: dict[Any, Any] = {
        str(code): {"description": why, "content": PROBLEM} for code, why in {**ALWAYS, **(problems or {})}.items()
    }
    responses[str(status)] = answer
    if "<" in rule:
        # Where an address is to have a number, and has something else.
        responses.setdefault("404", {"description": "There is nothing at this address.", "content": PROBLEM})
    if polled:
        responses["304"] = {"description": "The answer is the one with this ETag, still."}

    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        name, wrapped = view.__name__, view
        if method == "post":
            wrapped = once.per_key(wrapped)
        wrapped = _unambiguous(wrapped)
        access.allow(f"{blueprint.name}.{name}", role)
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
    """Refuses a parameter that is given twice: nobody should have to guess which of them counts."""

    @wraps(view)
    def checked(**arguments: Any) -> Any:
        if any(len(values) > 1 for _, values in request.args.lists()):
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "A parameter is given more than once; nothing was changed.")
        return view(**arguments)

    return checked


def json(value: BaseModel, status: int = 200) -> Response:
    """An answer as its model writes it."""
    return Response(value.model_dump_json(), status, content_type="application/json")
