"""Idempotency-Key: a client that is not sure whether its request arrived makes it again, and it happens once.

A form of a page has the key in a field: who clicks twice, or goes back and sends it again, is shown what the first time
did.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from flask import Response, g, make_response, redirect, request

from agent_funnel import answers
from agent_funnel.errors import ConnectionLost, FunnelError
from agent_funnel.web.access import identity
from agent_funnel.web.problem import problem
from agent_funnel.web.wiring import wiring

HEADER = "Idempotency-Key"
FIELD = "once"
# What an answer may tell once only, and so is not to be kept as it is, has its other form here:
_KEPT = "answer_to_keep"
ALLOWED = re.compile(r"[!-~]{1,255}")


def per_key(view: Callable[..., Any]) -> Callable[..., Any]:
    """Has a view happen once per Idempotency-Key, holder and path; an answer that changed nothing is not kept."""

    @wraps(view)
    def once(**arguments: Any) -> Any:
        key = request.headers.get(HEADER)
        if key is None and request.mimetype == "application/x-www-form-urlencoded":
            # Kept, since reading the form would leave nothing of it to compare.
            request.get_data()
            key = request.form.get(FIELD)
        if key is None:
            return view(**arguments)
        if not ALLOWED.fullmatch(key):
            return problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{HEADER} must have 1 to 255 visible ASCII characters; nothing was done.",
            )
        backend, who = wiring().backend, identity()
        # A run that is under way answers before a key is claimed: who waits for it would only deal once more.
        backend.refuse_during_run()
        scope = f"{who.key_id} {request.method} {request.path}"
        content = request.query_string + b"\0" + request.get_data()
        claimed = answers.claim(backend, scope=scope, key=key, content=content)
        if not claimed.mine:
            return _on_record(claimed)
        try:
            response = make_response(view(**arguments))
        except FunnelError as error:
            if not isinstance(error, ConnectionLost):
                answers.release(backend, claimed)
            raise
        if response.status_code < HTTPStatus.BAD_REQUEST:
            answers.keep(backend, claimed, answers.Answer(response.status_code, _kept(response)))
        else:
            answers.release(backend, claimed)
        return response

    return once


def _on_record(claimed: answers.Claim) -> Response:
    if not claimed.same:
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"This {HEADER} was used for another request; nothing was done."
        )
    if claimed.answer is None:
        return problem(
            HTTPStatus.CONFLICT,
            f"The request of this {HEADER} is being answered, or was cut off; see the audit for what became of it.",
        )
    if claimed.answer.status == HTTPStatus.SEE_OTHER:
        return cast(Response, redirect(claimed.answer.text, HTTPStatus.SEE_OTHER))
    response = Response(claimed.answer.text, claimed.answer.status, content_type="application/json")
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _kept(response: Response) -> str:
    """What is kept of an answer: all of it, but for what it was asked not to keep, a new key."""
    kept: str | None = g.get(_KEPT) or response.location
    return kept if kept is not None else response.get_data(as_text=True)


def keep_instead(text: str) -> None:
    """Says what to answer to who asks once more, where that is not what is answered now."""
    setattr(g, _KEPT, text)
