"""Tonight: did the deal happen, was it fair, what is coming."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, Response, make_response, request

from agent_funnel import floor, glance, service
from agent_funnel.records import Outcome
from agent_funnel.web.pages.shell import page, shown_as
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("tonight", __name__)


@page(blueprint, "/", role="viewer")
def show() -> Response:
    """The night at a glance; `?partial` is what the page fetches to stay fresh."""
    given = wiring()
    now = given.now()
    night = glance.tonight(given.backend, given.settings, now)
    run = service.last_run(given.backend)
    shares = sorted(given.figures.shares(run.run_id).values(), key=lambda share: share.agent) if run else []
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


def _limited(business_date: date) -> dict[str, int]:
    """The agents who have a limit of their own on a business date."""
    roster = floor.roster(wiring().backend, business_date)
    return {seat.agent: seat.room for seat in roster if seat.room is not None}


def strip(night: glance.Night) -> list[tuple[date, Outcome | None]]:
    """The last nights, the oldest first, each with what became of it; None where nothing is known."""
    found = {outcome.business_date: outcome for outcome in night.nights}
    newest = max([night.business_date, *found])
    days = [newest - timedelta(days=back) for back in reversed(range(glance.NIGHTS))]
    return [(day, found.get(day)) for day in days]
