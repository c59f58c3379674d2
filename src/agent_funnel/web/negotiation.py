"""Content negotiation: page or JSON, and responses that a client may have already."""

from __future__ import annotations

from flask import Response, request


def prefers_html() -> bool:
    """Whether a browser asks for a page. A program that sends no Accept header gets JSON."""
    return request.accept_mimetypes.best_match(["application/json", "text/html"], "application/json") == "text/html"


def conditional(response: Response) -> Response:
    """Adds an ETag to a polled response, and turns it into a 304 if the client has this version already."""
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
