"""Who may: for now, that a page of another site cannot make a browser on this machine start a run."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request
from werkzeug.exceptions import Forbidden

# A browser says where a request comes from; programs say nothing, and are let through.
OWN = ("same-origin", "none")


def refuse_cross_site() -> None:
    """Refuses, with 403, what a page of another site sends, unless it only reads."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if (site is not None and site not in OWN) or (origin is not None and urlsplit(origin).netloc != request.host):
        raise Forbidden("The request comes from a page of another site; nothing was changed.")
