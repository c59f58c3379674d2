"""The web service: the factory of the Flask app."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider
from flask_compress import Compress
from flask_limiter import Limiter
from flask_openapi3 import OpenAPI
from werkzeug.exceptions import HTTPException

from agent_funnel.database import Database
from agent_funnel.errors import FunnelError
from agent_funnel.schedule.clock import Clock
from agent_funnel.settings import Settings
from agent_funnel.web import api, auth, errors, health, openapi, pages, sign_in
from agent_funnel.web.counts import BackgroundCounts
from agent_funnel.web.files import LARGEST_FILE
from agent_funnel.web.pages import layout
from agent_funnel.web.proxies import Request, TrustProxies
from agent_funnel.web.readiness import ReadinessProbe
from agent_funnel.web.routing import PUBLIC, current_route, route, route_of
from agent_funnel.web.services import Services

# The largest body, in bytes, of a request that takes no file:
LARGEST_BODY = 1_000_000
# A page loads nothing but our own files, and no other page may frame it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
POLICY_WITH_INLINE_STYLES = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with that, browsers send Origin: null with our own forms, too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(
    settings: Settings,
    database: Database,
    beat_age: Callable[[], float] | None = None,
    schedule: Clock | None = None,
) -> Flask:
    """The service as a WSGI application. Making it starts no thread and opens no connection.

    `beat_age` returns the seconds since the clock thread of this process last showed that it is alive, and `schedule`
    is its schedule.
    """
    app = openapi.make_app(__name__)
    app.request_class = Request
    _configure(app, settings)
    layout.set_up(app)
    # Flask calls the functions after a request in reverse order: each sees the response of those set up after it.
    _guard(app)
    limiter = _limit(app, settings)
    app.after_request(auth.record_in_audit)
    app.after_request(_secure)
    Compress(app)
    _register_routes(app)
    _limit_routes(app, limiter)
    _register_errors(app)
    app.extensions["agent_funnel"] = Services(
        settings=settings,
        database=database,
        now=lambda: datetime.now(UTC),
        readiness=ReadinessProbe(database),
        beat_age=beat_age,
        schedule=schedule,
        limiter=limiter.limiter,
        counts=BackgroundCounts(database),
    )
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["COMPRESS_ALGORITHM"] = ["gzip"]
    # Downloads are streamed and may be large; compressing them is not worth the time.
    app.config["COMPRESS_STREAMS"] = False
    app.json = _Json(app)
    if hops := settings.proxy_hops:
        app.wsgi_app = TrustProxies(app.wsgi_app, hops)  # type: ignore[method-assign]


class _Json(DefaultJSONProvider):
    # The fields of a run stay in the order of the procedure's row.
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            # Handle it like any other text that is not valid JSON.
            raise ValueError("It is nested too deeply.") from error


def _guard(app: Flask) -> None:
    app.before_request(_allow_files)
    app.before_request(auth.guard)


def _allow_files() -> None:
    if current_route().takes_file:
        request.max_content_length = LARGEST_FILE


def _limit(app: Flask, settings: Settings) -> Limiter:
    """Limits the rate of all requests together, for each key, or each address without a key."""
    # Set up before the limiter, so that it runs after it.
    app.after_request(_remove_needless_retry_after)
    limiter = Limiter(
        _key_or_address,
        app=app,
        storage_uri="memory://",
        strategy="moving-window",
        application_limits=[settings.rate_limit],
        headers_enabled=True,
    )
    limiter.request_filter(lambda: current_route().unlimited)
    return limiter


def _key_or_address() -> str:
    """The client that a request counts for: its key, or its address if it has none."""
    found = auth.identity_or_none()
    return auth.address() if found is None or found.key_id is None else f"key {found.key_id}"


def _remove_needless_retry_after(response: Response) -> Response:
    """Removes Retry-After, which the limiter always adds, from responses that need no retry."""
    if response.status_code < HTTPStatus.BAD_REQUEST:
        response.headers.pop("Retry-After", None)
    return response


def _secure(response: Response) -> Response:
    """Adds the security headers to a response."""
    policy = POLICY_WITH_INLINE_STYLES if current_route().inline_styles else POLICY
    response.headers.setdefault("Content-Security-Policy", policy)
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    # A response may hold numbers. Polled ones set Cache-Control themselves.
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _register_routes(app: OpenAPI) -> None:
    for described in api.BLUEPRINTS:
        app.register_api(described)
    for blueprint in (openapi.blueprint, *pages.BLUEPRINTS, sign_in.blueprint, health.blueprint):
        app.register_blueprint(blueprint)
    route(PUBLIC)(app.view_functions["static"])


def _limit_routes(app: Flask, limiter: Limiter) -> None:
    """Limits the rate of the routes that have a rate of their own."""
    views: dict[str, Any] = app.view_functions
    for endpoint, view in views.items():
        if rate := route_of(view).rate:
            key = auth.address if rate.by_address else _key_or_address
            views[endpoint] = limiter.shared_limit(rate.limit, rate.name, key_func=key)(view)


def _register_errors(app: Flask) -> None:
    app.register_error_handler(FunnelError, errors.response_to_error)
    app.register_error_handler(HTTPException, errors.response_to_http_error)
    app.register_error_handler(Exception, errors.response_to_any_error)
