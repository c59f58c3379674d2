"""Health checks and metrics."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from agent_funnel import metrics
from agent_funnel.runs import last_run
from agent_funnel.schedule.clock import DEAD_SECONDS
from agent_funnel.web.routing import PUBLIC, route
from agent_funnel.web.services import services

blueprint = Blueprint("health", __name__)

NOTES = {
    "clock": "a clock is off by more than two minutes",
    "terms": "copies of the service have different terms of the schedule",
}


@blueprint.get("/healthz")
@route(PUBLIC, unlimited=True)
def healthz() -> Response:
    """Liveness: the process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
@route(PUBLIC, unlimited=True)
def readyz() -> Response:
    """Readiness: the database answers, the schema is installed, and the schedule works; otherwise 503 and why.

    Notes are worth knowing, but the service works: the copies differ in their clocks or settings.
    """
    given = services()
    problems = given.readiness.problems()
    if given.beat_age is not None and (age := given.beat_age()) > DEAD_SECONDS:
        problems["clock"] = f"gave no sign of life for {age:.0f} s"
    answer: dict[str, object] = {"status": "ok", "problems": problems}
    if given.schedule is not None:
        if problem := given.schedule.problem:
            problems["schedule"] = problem
        # Only what differs: names of machines are not for everybody. The log and the page have the sentences.
        if notes := {what: NOTES[what] for what in NOTES if any(key.startswith(what) for key in given.schedule.notes)}:
            answer["notes"] = notes
    answer["status"] = "not ready" if problems else "ok"
    response = jsonify(answer)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    return response


@blueprint.get("/metrics")
@route("viewer")
def prometheus() -> Response:
    """Metrics for Prometheus."""
    given = services()
    beat_age = None if given.beat_age is None else given.beat_age()
    last = last_run(given.database)
    ahead = given.counts.start_runway(given.now(), last.run_id if last else None)
    text = metrics.render(given.database, given.settings, now=given.now(), beat_age=beat_age, runway=ahead.get())
    return Response(text, content_type=metrics.CONTENT_TYPE)
