"""Health checks and metrics."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from agent_funnel import metrics
from agent_funnel.schedule.clock import DEAD_SECONDS
from agent_funnel.web.routing import PUBLIC, route
from agent_funnel.web.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@route(PUBLIC, unlimited=True)
def healthz() -> Response:
    """Liveness: the process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
@route(PUBLIC, unlimited=True)
def readyz() -> Response:
    """Readiness: the database answers, the schema is installed, and the clock is alive; otherwise 503 and why."""
    given = services()
    problems = given.readiness.problems()
    if given.beat_age is not None and (age := given.beat_age()) > DEAD_SECONDS:
        problems["clock"] = f"gave no sign of life for {age:.0f} s"
    response = jsonify({"status": "not ready" if problems else "ok", "problems": problems})
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    return response


@blueprint.get("/metrics")
@route("viewer")
def prometheus() -> Response:
    """Metrics for Prometheus."""
    given = services()
    beat_age = None if given.beat_age is None else given.beat_age()
    text = metrics.render(given.database, given.settings, now=given.now(), beat_age=beat_age)
    return Response(text, content_type=metrics.CONTENT_TYPE)
