"""The limits on the rate of requests: of each key, of each address, and of the log lines about refused requests."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse
from werkzeug.exceptions import TooManyRequests, Unauthorized

from agent_funnel.sentences import sentence, shown_as
from agent_funnel.settings import Settings
from agent_funnel.web import auth
from agent_funnel.web.routing import current_route, route_of
from agent_funnel.web.services import services

# The name under which requests without a valid key are counted, by address:
STRANGERS = "without a valid key"


def check_request() -> Any:
    """Runs before each request: lets it in, or refuses it. A request that brings no key is counted before any work."""
    if current_route().unlimited or request.endpoint == "static":
        return auth.guard()
    has_secret = "Authorization" in request.headers or auth.SESSION_COOKIE in request.cookies
    # An address that leads nowhere needs no key, so none is looked at.
    if not has_secret or request.endpoint is None:
        count_stranger()
    try:
        return auth.guard()
    except Unauthorized:
        if has_secret:
            count_stranger()
        raise


def count_stranger() -> None:
    """Counts a request without a valid key by its address; raises TooManyRequests if there were too many."""
    limiter, limit = services().limiter, parse(services().settings.rate_limit)
    if not limiter.hit(limit, STRANGERS, auth.address()):
        raise TooManyRequests(
            shown_as(
                f"This address has made more requests without a valid key than are allowed ({limit}).",
                sentence("This address has made more requests without a valid key than are allowed. Wait a minute."),
            ),
            retry_after=_seconds_until_free(limit),
        )


def _seconds_until_free(limit: RateLimitItem) -> int:
    free_at = services().limiter.get_window_stats(limit, STRANGERS, auth.address()).reset_time
    return max(1, round(free_at - time.time()))


def limit_requests(app: Flask, settings: Settings) -> Limiter:
    """Limits the rate of all requests together, for each key, or each address without a key."""
    # Set up before the limiter, so that it runs after it.
    app.after_request(_correct_retry_after)
    limiter = Limiter(
        key_or_address,
        app=app,
        storage_uri="memory://",
        strategy="moving-window",
        application_limits=[settings.rate_limit],
        headers_enabled=True,
    )
    limiter.request_filter(lambda: current_route().unlimited)
    return limiter


def key_or_address() -> str:
    """The client that a request counts for: its key, or its address if it has none."""
    found = auth.identity_or_none()
    return auth.address() if found is None or found.key_id is None else f"key {found.key_id}"


def _correct_retry_after(response: Response) -> Response:
    """Corrects Retry-After, which the limiter always sets: an error may name its own time, and a success needs none."""
    if response.status_code < HTTPStatus.BAD_REQUEST:
        response.headers.pop("Retry-After", None)
    elif "retry_after" in g:
        response.headers["Retry-After"] = g.retry_after
    return response


def limit_routes(app: Flask, limiter: Limiter) -> None:
    """Limits the rate of the routes that have a rate of their own."""
    views: dict[str, Any] = app.view_functions
    for endpoint, view in views.items():
        if rate := route_of(view).rate:
            key = auth.address if rate.by_address else key_or_address
            views[endpoint] = limiter.shared_limit(rate.limit, rate.name, key_func=key)(view)
