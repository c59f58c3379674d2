"""HTML, for people."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel import planning, service
from agent_funnel.schedule import next_run
from agent_funnel.web.access import COOKIE, allow
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("pages", __name__)
allow("pages.home", "viewer")
allow("pages.run_now", "viewer")


@blueprint.get("/")
def home() -> BaseResponse:
    return redirect(url_for("pages.run_now"))


@blueprint.get("/run-now")
def run_now() -> Response | str:
    """A page with a button for a browser; a program is told to use POST. Neither changes anything."""
    if request.accept_mimetypes.best_match(["application/json", "text/html"], "application/json") != "text/html":
        raise MethodNotAllowed(["POST"], "GET changes nothing; POST /run-now deals the pool out.")
    given = wiring()
    return render_template(
        "run_now.html",
        settings=given.settings,
        run=service.last_run(given.backend),
        pause=planning.current_pause(given.backend),
        next_run=next_run(given.now(), given.settings),
        signed_in=COOKIE in request.cookies,
    )
