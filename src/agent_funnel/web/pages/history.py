"""Runs: the list, one of them, and all that became of a night."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template, request

from agent_funnel import planning, service
from agent_funnel.errors import NotFound
from agent_funnel.web.pages.shell import page
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("history", __name__)

# Runs on a page, and how many nights back it is known what became of them:
COUNT = 50
NIGHTS = 1_000


@page(blueprint, "/runs", role="viewer")
def show() -> str:
    """The runs, the newest first; `before` is the run that the page before ended with."""
    before = request.args.get("before", type=int)
    backend = wiring().backend
    runs = service.runs(backend, count=COUNT, before=None if before is None else max(1, min(before, 2**53)))
    return render_template("runs.html", runs=runs, before=before, more=len(runs) == COUNT)


@page(blueprint, "/runs/<int:run_id>", role="viewer")
def run(run_id: int) -> str:
    """One run: what it did, for whom, and what became of it."""
    given = wiring()
    found = service.run(given.backend, min(run_id, 2**53))
    last = service.last_run(given.backend)
    return render_template(
        "run.html",
        run=found,
        shares=given.figures.known_shares([run_id]).get(run_id),
        failure=service.failure(given.backend, run_id),
        is_last=last is not None and last.run_id == run_id,
    )


@page(blueprint, "/nights/<day>", role="viewer")
def night(day: str) -> str:
    """A night: its outcome, and every run of that business date, those that failed too."""
    given = wiring()
    try:
        business_date = date.fromisoformat(day)
    except ValueError:
        raise NotFound("There is no such day; write it as 2026-01-31.") from None
    outcomes = planning.outcomes(given.backend, count=NIGHTS)
    runs = service.runs(given.backend, count=200, business_date=business_date)
    return render_template(
        "night.html",
        business_date=business_date,
        outcome=next((each for each in outcomes if each.business_date == business_date), None),
        runs=runs,
        failures={run.run_id: service.failure(given.backend, run.run_id) for run in runs if run.status == "failed"},
    )
