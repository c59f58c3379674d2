"""Tonight: did the deal happen, was it fair, what is coming."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, Response, make_response, request
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel import glance, planning, service
from agent_funnel.records import Outcome
from agent_funnel.web.access import about
from agent_funnel.web.api.common import actor
from agent_funnel.web.api.shapes import Reason
from agent_funnel.web.pages.shell import done, form, page, sent, shown_as
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("tonight", __name__)


@page(blueprint, "/", role="viewer")
def show() -> Response:
    """The night at a glance; `?partial` is what the page fetches to stay fresh."""
    given = wiring()
    now = given.now()
    run = service.last_run(given.backend)
    night = glance.tonight(given.backend, given.settings, now, run)
    shares = given.figures.known_shares([run.run_id]).get(run.run_id) if run else None
    response = make_response(
        shown_as(
            "tonight.html",
            "tonight_now.html",
            night=night,
            now=now,
            run=run,
            shares=shares,
            limited=_limited(run.business_date) if run else {},
            funnel=given.figures.funnel(),
            strip=strip(night),
        )
    )
    if "partial" in request.args:
        response.add_etag()
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response


@form(blueprint, "/pause", role="operator", shows=show)
def pause() -> BaseResponse:
    """Pauses the clock, for all copies of the service."""
    given = wiring()
    asked = sent(Reason)
    about(asked.reason or "")
    changed = planning.pause(given.backend, now=given.now(), actor=actor(), reason=asked.reason)
    told = "The clock is paused: nothing is dealt by itself until it goes on."
    return done(told if changed else "The clock was paused already.", "tonight.show")


@form(blueprint, "/resume", role="operator", shows=show)
def resume() -> BaseResponse:
    """Has the clock go on."""
    given = wiring()
    changed = planning.resume(given.backend, now=given.now(), actor=actor())
    return done("The clock goes on." if changed else "The clock was not paused.", "tonight.show")


def _limited(business_date: date) -> dict[str, int]:
    """The agents who have a limit of their own on a business date."""
    covering = service.covering(service.limits(wiring().backend), business_date)
    return {agent: limit.max_records for agent, limit in covering.items()}


def strip(night: glance.Night) -> list[tuple[date, Outcome | None]]:
    """The last nights, the oldest first, each with what became of it; None where nothing is known."""
    found = {outcome.business_date: outcome for outcome in night.nights}
    newest = max([night.business_date, *found])
    days = [newest - timedelta(days=back) for back in reversed(range(glance.NIGHTS))]
    return [(day, found.get(day)) for day in days]
