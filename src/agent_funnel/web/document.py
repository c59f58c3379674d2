"""The OpenAPI document, and a page to read and try it. Nothing of it is asked of another host."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, render_template, send_from_directory
from flask_openapi3 import Info, OpenAPI
from flask_openapi3.models.security_scheme import SecurityScheme

from agent_funnel import __version__
from agent_funnel.web.operation import IDEMPOTENCY
from agent_funnel.web.problem import Problem, of_validation

blueprint = Blueprint("document", __name__, url_prefix="/api")
SWAGGER = Path(str(files("flask_openapi3_swagger"))) / "templates" / "swagger"
DESCRIPTION = (
    "Deals the eligible phone leads of a sales floor out to the active agents, evenly, once every evening. Errors are "
    "application/problem+json. Lists come in pages: `next` is the cursor of the next one. Viewers see the last three "
    "digits of numbers."
)


def make_app(name: str) -> OpenAPI:
    """An app whose operations go into a document as they are registered."""
    return OpenAPI(
        name,
        info=Info(title="Agent Funnel", version=__version__, description=DESCRIPTION),
        security_schemes={"key": SecurityScheme(type="http", scheme="bearer", description="A key of the service.")},
        validation_error_model=Problem,
        validation_error_callback=of_validation,
        doc_ui=False,
    )


def document() -> dict[str, Any]:
    """The OpenAPI document of the app."""
    app = cast(OpenAPI, current_app)
    written: dict[str, Any] = app.api_doc
    for operations in written["paths"].values():
        posted = operations.get("post")
        if posted is not None and "requestBody" in posted:
            # Of a file it would not say so.
            posted["requestBody"]["required"] = True
        if posted is not None and IDEMPOTENCY not in posted.setdefault("parameters", []):
            posted["parameters"].append(IDEMPOTENCY)
    return written


@blueprint.get("/openapi.json")
def show() -> Response:
    return jsonify(document())


@blueprint.get("/docs")
def page() -> str:
    return render_template("docs.html")


@blueprint.get("/docs/<path:name>")
def part(name: str) -> Response:
    """A part of the page, as its package has it."""
    return send_from_directory(SWAGGER, name)
