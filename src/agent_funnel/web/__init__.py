"""The web service: the factory of the Flask app."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, current_app, g, request
from flask.json.provider import DefaultJSONProvider
from flask_compress import Compress
from flask_openapi3 import OpenAPI
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, TooManyRequests

from agent_funnel.database import Database
from agent_funnel.errors import FunnelError
from agent_funnel.schedule.clock import Clock
from agent_funnel.sentences import sentence
from agent_funnel.settings import Settings
from agent_funnel.web import api, auth, errors, health, languages, openapi, pages, rates, sign_in
from agent_funnel.web.bounds import RETRY_SECONDS, Places, Space
from agent_funnel.web.connections import ADMISSION, ADMITTED, SMALL_BODY
from agent_funnel.web.counts import BackgroundCounts
from agent_funnel.web.files import DOWNLOADS_BYTES, EXPORTS_AT_ONCE
from agent_funnel.web.import_jobs import ImportJobs
from agent_funnel.web.kept_files import KeptFiles
from agent_funnel.web.outcomes import REPORTS_AT_ONCE
from agent_funnel.web.pages import layout
from agent_funnel.web.proxies import Request, TrustProxies
from agent_funnel.web.readiness import ReadinessProbe
from agent_funnel.web.routing import PUBLIC, current_route, route
from agent_funnel.web.services import Services
from agent_funnel.web.uploads import IMPORTS_AT_ONCE, LARGEST_FILE

# The largest body, in bytes, of a request that takes no file:
LARGEST_BODY = 1_000_000
# Previews and results that are made at the same time, in the whole service; each reads all leads, or the history:
PREVIEWS_AT_ONCE = 4
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
    languages.translate_pages(app)
    layout.set_up(app)
    # Flask calls the functions after a request in reverse order: each sees the response of those set up after it.
    _guard(app)
    limiter = rates.limit_requests(app, settings)
    _admit_bodies(app)
    app.after_request(auth.record_in_audit)
    app.after_request(_forget_forecast)
    app.after_request(_secure)
    Compress(app)
    _register_routes(app)
    rates.limit_routes(app, limiter)
    _register_errors(app)
    app.extensions["agent_funnel"] = Services(
        settings=settings,
        database=database,
        now=lambda: datetime.now(UTC),
        readiness=ReadinessProbe(database),
        beat_age=beat_age,
        schedule=schedule,
        limiter=limiter.limiter,
        counts=BackgroundCounts(database, settings),
        exports=Places(
            EXPORTS_AT_ONCE,
            sentence(
                "The service is busy with %(count)s exports already, and does no more at a time; try again soon.",
                count=str(EXPORTS_AT_ONCE),
            ),
        ),
        imports=Places(
            IMPORTS_AT_ONCE,
            sentence(
                "The service is busy with %(count)s imports already, and does no more at a time; try again soon.",
                count=str(IMPORTS_AT_ONCE),
            ),
        ),
        previews=Places(
            PREVIEWS_AT_ONCE,
            sentence(
                "The service is busy with %(count)s previews or results already, and does no more at a time; try "
                "again soon.",
                count=str(PREVIEWS_AT_ONCE),
            ),
        ),
        reports=Places(
            REPORTS_AT_ONCE,
            sentence(
                "The service is busy with %(count)s reports of outcomes already, and does no more at a time; try "
                "again soon.",
                count=str(REPORTS_AT_ONCE),
            ),
        ),
        downloads=Space(DOWNLOADS_BYTES),
        kept_files=KeptFiles(),
        import_jobs=ImportJobs(),
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
    app.before_request(rates.check_request)


def _allow_files() -> None:
    # A form without a file is read into memory, even where a file may come.
    if current_route().takes_file and request.mimetype != "application/x-www-form-urlencoded":
        request.max_content_length = LARGEST_FILE


def _admit_bodies(app: Flask) -> None:
    """Answers for the server whether the body of a request may come; runs after the guard and the rate limits."""
    app.before_request(_admit)


def _admit() -> Response | None:
    asked = request.environ.get(ADMISSION)
    if asked is None or request.endpoint is None:
        return None
    largest = request.max_content_length or LARGEST_BODY
    if current_route().role == PUBLIC:
        largest = SMALL_BODY
    length = request.content_length
    if length is not None and length > largest:
        raise RequestEntityTooLarge(
            sentence(
                "The body has %(length)s bytes; at most %(largest)s are allowed here. Nothing was changed.",
                length=length,
                largest=largest,
            )
        )
    if not asked.reserve(length or largest):
        raise TooManyRequests(
            sentence("Other files are being sent, and there is no room for this one beside them; try again soon."),
            retry_after=RETRY_SECONDS,
        )
    # The request itself comes next, and has an entry of its own in the audit.
    g.pop("identity", None)
    return Response(status=ADMITTED)


def _forget_forecast(response: Response) -> Response:
    """Has tonight's deal forecast again after a change; a refused request has changed nothing."""
    if request.method not in ("GET", "HEAD", "OPTIONS") and response.status_code < 400:
        current_app.extensions["agent_funnel"].counts.forget_forecast()
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
    for blueprint in (openapi.blueprint, *pages.BLUEPRINTS, sign_in.blueprint, languages.blueprint, health.blueprint):
        app.register_blueprint(blueprint)
    route(PUBLIC)(app.view_functions["static"])


def _register_errors(app: Flask) -> None:
    app.register_error_handler(FunnelError, errors.response_to_error)
    app.register_error_handler(HTTPException, errors.response_to_http_error)
    app.register_error_handler(Exception, errors.response_to_any_error)
