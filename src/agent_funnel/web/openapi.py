"""The OpenAPI document, and a page to read it and try it. The page loads nothing from another host."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, render_template, request, send_from_directory
from flask_openapi3 import Info, OpenAPI
from flask_openapi3.models.security_scheme import SecurityScheme

from agent_funnel import __version__
from agent_funnel.web.errors import Problem, response_to_bad_request
from agent_funnel.web.operation import IDEMPOTENCY_HEADER
from agent_funnel.web.routing import PUBLIC, route

blueprint = Blueprint("openapi", __name__, url_prefix="/api")
SWAGGER = Path(str(files("flask_openapi3_swagger"))) / "templates" / "swagger"
DESCRIPTION = (
    "Deals the eligible phone leads evenly to the active agents, once every evening. Errors are "
    "application/problem+json. Lists come in pages: `next` is the cursor of the next page. Viewers see the last three "
    "digits of numbers."
)


def make_app(name: str) -> OpenAPI:
    """An app that adds its operations to the OpenAPI document as they are registered."""
    return OpenAPI(
        name,
        info=Info(title="Agent Funnel", version=__version__, description=DESCRIPTION),
        security_schemes={"key": SecurityScheme(type="http", scheme="bearer", description="A key of the service.")},
        validation_error_model=Problem,
        validation_error_callback=response_to_bad_request,
        doc_ui=False,
    )


def document() -> dict[str, Any]:
    """The OpenAPI document of the app."""
    app = cast(OpenAPI, current_app)
    written: dict[str, Any] = app.api_doc
    for operations in written["paths"].values():
        posted = operations.get("post")
        if posted is not None and "requestBody" in posted:
            # The library leaves this out for a file.
            posted["requestBody"].setdefault("required", True)
        if posted is not None and IDEMPOTENCY_HEADER not in posted.setdefault("parameters", []):
            posted["parameters"].append(IDEMPOTENCY_HEADER)
    return written


@blueprint.get("/openapi.json")
@route(PUBLIC)
def show() -> Response:
    """The document as JSON."""
    written = document()
    if request.root_path:
        # A proxy shows the service under a path of another site.
        written = {**written, "servers": [{"url": request.root_path}]}
    return jsonify(written)


@blueprint.get("/docs")
@route(PUBLIC, inline_styles=True)
def docs() -> str:
    """The page to read the document and try the operations."""
    return render_template("docs.html")


@blueprint.get("/docs/<path:name>")
@route(PUBLIC)
def docs_file(name: str) -> Response:
    """A file of the page, from its package."""
    return send_from_directory(SWAGGER, name)
