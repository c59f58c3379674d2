"""Health: is the process alive, and is it of use?"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from agent_funnel import metrics
from agent_funnel.schedule import DEAD_SECONDS
from agent_funnel.web.access import allow
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("health", __name__)
allow("health.prometheus", "viewer")


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process lives."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """The database answers, the schema is installed, and the clock is alive; otherwise 503, and which is not."""
    given = wiring()
    problems = given.probe.ask()
    if given.beat_age is not None and (age := given.beat_age()) > DEAD_SECONDS:
        problems["clock"] = f"has not shown for {age:.0f} s that it is alive"
    response = jsonify({"status": "not ready" if problems else "ok", "problems": problems})
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    return response


@blueprint.get("/metrics")
def prometheus() -> Response:
    """Metrics for Prometheus."""
    given = wiring()
    beat_age = None if given.beat_age is None else given.beat_age()
    text = metrics.render(given.backend, given.settings, now=given.now(), beat_age=beat_age)
    return Response(text, content_type=metrics.CONTENT_TYPE)
