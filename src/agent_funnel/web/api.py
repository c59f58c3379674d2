"""JSON: parse, call the service, answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify

from agent_funnel import service
from agent_funnel.backends import Backend
from agent_funnel.records import Run
from agent_funnel.settings import Settings

blueprint = Blueprint("api", __name__)


@dataclass(frozen=True)
class Wiring:
    """What the factory gave the app."""

    settings: Settings
    backend: Backend
    now: Callable[[], datetime]


def wiring() -> Wiring:
    return cast(Wiring, current_app.extensions["agent_funnel"])


@blueprint.post("/run-now")
def run_now() -> Response:
    """A deliberate extra run, with the settings as they are."""
    given = wiring()
    business_date = given.now().astimezone(given.settings.timezone).date()
    return jsonify(as_json(service.assign(given.backend, given.settings, business_date=business_date, actor="http")))


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process lives."""
    return jsonify({"status": "ok"})


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
