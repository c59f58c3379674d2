"""HTTP: the factory of the Flask app."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider
from flask_compress import Compress
from flask_limiter import Limiter
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from agent_funnel.backends import Backend
from agent_funnel.errors import FunnelError
from agent_funnel.settings import Settings
from agent_funnel.web import access, api, document, health, pages, problem, sign_in
from agent_funnel.web.api.leads import LARGEST_FILE
from agent_funnel.web.figures import Figures
from agent_funnel.web.pages import shell
from agent_funnel.web.probe import Probe
from agent_funnel.web.wiring import Wiring

# The largest body, in bytes, but for those that take a file:
LARGEST_BODY = 1_000_000
TAKES_FILES = {"leads.import_leads", "search.import_file"}
# How often somebody may try to sign in, and start a run:
SIGN_INS = "10 per minute"
RUNS = "20 per minute"
# Answers that are watched over by machines, often and from one address:
UNLIMITED = {"health.healthz", "health.readyz", "static"}
# Nothing but our own files, and no other page around ours.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with that, browsers say Origin: null of our own forms, too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(settings: Settings, backend: Backend, beat_age: Callable[[], float] | None = None) -> Flask:
    """The service as a WSGI application. Nothing starts by making it: no clock, no connection.

    `beat_age` tells how many seconds ago the clock of this process last showed that it is alive.
    """
    app = document.make_app(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["COMPRESS_ALGORITHM"] = ["gzip"]
    # Files that go out in pieces have been made before, and may be large: they are not packed.
    app.config["COMPRESS_STREAMS"] = False
    app.json = _Json(app)
    app.extensions["agent_funnel"] = Wiring(
        settings,
        backend,
        lambda: datetime.now(UTC),
        Probe(backend),
        beat_age,
        MovingWindowRateLimiter(MemoryStorage()),
        Figures(backend),
    )
    shell.set_up(app)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.before_request(_allow_files)
    app.before_request(access.guard)
    # Before the limiter, and so after it in the way of an answer.
    app.after_request(_retry_only_what_was_refused)
    limiter = Limiter(
        _who,
        app=app,
        storage_uri="memory://",
        application_limits=[settings.rate_limit],
        headers_enabled=True,
    )
    limiter.request_filter(lambda: request.endpoint in UNLIMITED)
    # Each of these sees the answer of those below it.
    app.after_request(access.record)
    app.after_request(_secure)
    Compress(app)
    for blueprint in api.BLUEPRINTS:
        app.register_api(blueprint)
    for plain in (document.blueprint, *pages.BLUEPRINTS, sign_in.blueprint, health.blueprint):
        app.register_blueprint(plain)
    views: dict[str, Any] = app.view_functions
    for endpoint in ("short.run_now", "runs.make_run"):
        views[endpoint] = limiter.shared_limit(RUNS, "runs")(views[endpoint])
    views["sign_in.sign_in"] = limiter.limit(SIGN_INS, key_func=access.address)(views["sign_in.sign_in"])
    app.register_error_handler(FunnelError, problem.of_error)
    app.register_error_handler(HTTPException, problem.of_http)
    app.register_error_handler(Exception, problem.of_any)
    return app


class _Json(DefaultJSONProvider):
    # The fields of a run stay in the order of the procedure's row.
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            # As wrong as any other text that is no JSON of ours, and no more trouble.
            raise ValueError("It is nested too deeply.") from error


def _allow_files() -> None:
    if request.endpoint in TAKES_FILES:
        request.max_content_length = LARGEST_FILE


def _who() -> str:
    """Whose requests are counted together: those of a key; of an address, where there is none."""
    found = access.identity_or_none()
    return access.address() if found is None or found.key_id is None else f"key {found.key_id}"


def _retry_only_what_was_refused(response: Response) -> Response:
    """Takes Retry-After, with which the limiter comes each time, off what was answered."""
    if response.status_code < HTTPStatus.BAD_REQUEST:
        response.headers.pop("Retry-After", None)
    return response


def _secure(response: Response) -> Response:
    """Says what browsers must not do with an answer."""
    policy = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") if _is_documentation() else POLICY
    response.headers.setdefault("Content-Security-Policy", policy)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    # An answer may hold numbers; what is polled says for itself who may keep it.
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _is_documentation() -> bool:
    # Its page styles itself as it goes.
    return request.endpoint == "document.page"
