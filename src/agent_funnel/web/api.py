"""JSON: parse, call the service, answer."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify

from agent_funnel import service
from agent_funnel.records import Run
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("api", __name__)


@blueprint.post("/run-now")
def run_now() -> Response:
    """A deliberate extra run, with the settings as they are."""
    given = wiring()
    business_date = given.now().astimezone(given.settings.timezone).date()
    return jsonify(as_json(service.assign(given.backend, given.settings, business_date=business_date, actor="http")))


def as_json(run: Run) -> dict[str, Any]:
    """A run as JSON: dates and moments (UTC) as ISO 8601."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in asdict(run).items()}


def problem(status: HTTPStatus, detail: str | None, code: int | None = None) -> Response:
    """An error as application/problem+json (RFC 9457); `code` is the SQL number where there is one."""
    body: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    if code is not None:
        body["code"] = code
    response = jsonify(body)
    response.status_code = status.value
    response.mimetype = "application/problem+json"
    return response
