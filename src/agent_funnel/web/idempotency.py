"""Idempotency-Key: a request that is repeated with the same key gets the first response, and changes nothing.

A form of a page has the key in a hidden field: a person who clicks twice, or goes back and sends it again, sees the
result of the first time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial, wraps
from http import HTTPStatus
from itertools import chain
from typing import Any, cast

from flask import Response, g, make_response, redirect, request
from werkzeug.exceptions import HTTPException

from agent_funnel.access.idempotency import Claim, StoredResponse, claim_request, release_request, store_response
from agent_funnel.errors import ConnectionLost, FunnelError
from agent_funnel.web.auth import identity
from agent_funnel.web.errors import problem
from agent_funnel.web.routing import current_route
from agent_funnel.web.services import services
from agent_funnel.web.uploads import uploaded_body

HEADER = "Idempotency-Key"
FORM_FIELD = "idempotency_key"
# Key in `flask.g` for a redacted response to store when the real one contains a secret:
_REDACTED = "redacted_response"
# The bytes of a file that are read at a time:
CHUNK_BYTES = 1_000_000
ALLOWED = re.compile(r"[!-~]{1,255}")


def idempotent(view: Callable[..., Any]) -> Callable[..., Any]:
    """Runs a view once per Idempotency-Key, key holder and path. A response that changed nothing is not stored."""

    @wraps(view)
    def run_once(**arguments: Any) -> Any:
        key = _requested_key()
        if key is None:
            return view(**arguments)
        if not ALLOWED.fullmatch(key):
            return problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{HEADER} must have 1 to 255 visible ASCII characters; nothing was done.",
            )
        database, requester = services().database, identity()
        # No key is claimed while a run is in progress: a request that waited for its end would only deal once more.
        database.refuse_during_run()
        scope = f"{requester.key_id} {request.method} {request.path}"
        content = chain((request.query_string, b"\0"), _body())
        claimed = claim_request(database, scope=scope, key=key, content=content)
        if not claimed.mine:
            return _stored_response(claimed)
        return _respond(claimed, lambda: view(**arguments))

    return run_once


def _body() -> Iterable[bytes]:
    """The body of the request, in parts. A file is not read into memory, and can be read again from its beginning."""
    if not current_route().takes_file:
        return (request.get_data(),)
    return iter(partial(uploaded_body().read, CHUNK_BYTES), b"")


def _requested_key() -> str | None:
    key = request.headers.get(HEADER)
    if key is None and request.mimetype == "application/x-www-form-urlencoded":
        # Reading the form would leave no body to compare, so the body is read first, which caches it.
        request.get_data()
        key = request.form.get(FORM_FIELD)
    return key


def _respond(claimed: Claim, view: Callable[[], Any]) -> Response:
    """Runs the view, and stores its response, or releases the key if nothing was changed."""
    database = services().database
    try:
        response = make_response(view())
    except (FunnelError, HTTPException) as error:
        if not _may_have_changed_something(error):
            release_request(database, claimed)
        raise
    if response.status_code < HTTPStatus.BAD_REQUEST:
        store_response(database, claimed, StoredResponse(response.status_code, _text_to_store(response)))
    else:
        release_request(database, claimed)
    return response


def _may_have_changed_something(error: FunnelError | HTTPException) -> bool:
    if isinstance(error, HTTPException):
        return error.code is None or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, ConnectionLost)


def _stored_response(claimed: Claim) -> Response:
    if not claimed.same:
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"This {HEADER} was used for another request; nothing was done."
        )
    if claimed.response is None:
        return problem(
            HTTPStatus.CONFLICT,
            f"The request with this {HEADER} is still being answered, or was cut off; the audit shows its result.",
        )
    if claimed.response.status == HTTPStatus.SEE_OTHER:
        return cast(Response, redirect(claimed.response.text, HTTPStatus.SEE_OTHER))
    response = Response(claimed.response.text, claimed.response.status, content_type="application/json")
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _text_to_store(response: Response) -> str:
    """The redacted response if there is one, the address of a redirect, otherwise the whole body."""
    stored: str | None = g.get(_REDACTED) or response.location
    return stored if stored is not None else response.get_data(as_text=True)


def store_instead(text: str) -> None:
    """Sets the response for a repeated request, where it must differ from the first one."""
    setattr(g, _REDACTED, text)
