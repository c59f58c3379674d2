"""HTTP: the factory of the Flask app."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, current_app
from werkzeug.exceptions import HTTPException

from agent_funnel.backends import Backend
from agent_funnel.errors import DatabaseError, DatabaseUnavailable, FunnelError, RunError
from agent_funnel.settings import Settings
from agent_funnel.web import access, api, health, pages
from agent_funnel.web.probe import Probe
from agent_funnel.web.wiring import Wiring

# What each error of the deal is in HTTP; any other is a 500.
STATUS = {
    50001: HTTPStatus.CONFLICT,
    50002: HTTPStatus.UNPROCESSABLE_ENTITY,
    50003: HTTPStatus.CONFLICT,
    50004: HTTPStatus.SERVICE_UNAVAILABLE,
    50005: HTTPStatus.CONFLICT,
    50006: HTTPStatus.UNPROCESSABLE_ENTITY,
    50007: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def create_app(settings: Settings, backend: Backend, beat_age: Callable[[], float] | None = None) -> Flask:
    """The service as a WSGI application. Nothing starts by making it: no clock, no connection.

    `beat_age` tells how many seconds ago the clock of this process last showed that it is alive.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    # The fields of a run stay in the order of the procedure's row.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["agent_funnel"] = Wiring(settings, backend, lambda: datetime.now(UTC), Probe(backend), beat_age)
    app.before_request(access.refuse_cross_site)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(health.blueprint)
    app.register_error_handler(FunnelError, _funnel_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _any_error)
    return app


def _funnel_error(error: FunnelError) -> Any:
    if isinstance(error, RunError):
        status = STATUS[error.number]
    elif isinstance(error, DatabaseError):
        status = HTTPStatus.SERVICE_UNAVAILABLE
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    detail = str(error) if isinstance(error, RunError | DatabaseUnavailable) else type(error).__doc__
    return api.problem(status, detail, error.number)


def _http_error(error: HTTPException) -> Any:
    response = api.problem(HTTPStatus(error.code or 500), error.description)
    # A 405 says what is allowed.
    response.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
    return response


def _any_error(error: Exception) -> Any:
    current_app.logger.error("unexpected error", exc_info=error)
    return api.problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong that should not have; the log says what."
    )
