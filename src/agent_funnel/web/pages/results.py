"""Results: what came of the leads that were dealt, by agent, class, stage, night and import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Any

from flask import Blueprint, make_response, render_template, request
from pydantic import ValidationError

from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.results import FEWEST, RATES, Estimate, GroupResult, Results, usual_span
from agent_funnel.runs import deal_version
from agent_funnel.sentences import sentence
from agent_funnel.web.pages.layout import page
from agent_funnel.web.request_models import ResultsQuery
from agent_funnel.web.requester import mask_results, today
from agent_funnel.web.services import services

blueprint = Blueprint("results", __name__)

# The columns by which the agents can be sorted, except their names:
SORTS = (
    "list_conversion", "dealt", "not_worked", "reported", "reached", "won", "penetration", "contact_rate", "conversion",
)  # fmt: skip
# The groups of the page, with their headings; the agents come first and have places:
HEADINGS = {
    "agents": sentence("Agents"),
    "classes": sentence("By number of earlier calls"),
    "stages": sentence("By number of earlier calls, call-backs included"),
    "nights": sentence("Nights"),
    "imports": sentence("Imports"),
}


@page(blueprint, "/results", role="viewer")
def show() -> Any:
    """The results of the deals of some business dates: of the last four weeks, unless others are chosen."""
    given = services()
    filled_in = {name: text for name in ("date_from", "date_to") if (text := request.args.get(name, "").strip())}
    try:
        query = ResultsQuery.model_validate_strings(filled_in)
        date_from, date_to = usual_span(today(), query.date_from, query.date_to)
        if date_from > date_to:
            raise ParameterOutOfRange("The first date is after the last one.")
    except (ValidationError, ParameterOutOfRange):
        return make_response(
            render_template("results.html", span=filled_in, is_wrong=True), HTTPStatus.UNPROCESSABLE_ENTITY
        )
    found = given.counts.start_results(date_from, date_to, deal_version(given.database)).get()
    span = {"date_from": date_from.isoformat(), "date_to": date_to.isoformat()}
    order = request.args.get("sort", "")
    order = order if order in SORTS else "name"
    return render_template(
        "results.html",
        span=span,
        results=mask_results(sort_agents(found, order)) if found else None,
        order=order,
        best=_highest(found.agents) if found else 0.0,
        date_of=date.fromisoformat,
        shown_columns=shown_columns,
        HEADINGS=HEADINGS,
        FEWEST=FEWEST,
    )


def sort_agents(results: Results, order: str) -> Results:
    """The results with the agents by an amount or a rate, the largest first, then by name; no rate comes last."""
    if order == "name":
        return results

    def place(row: GroupResult) -> float:
        value = getattr(row, order)
        return -1.0 if value is None else getattr(value, "rate", value)

    return replace(results, agents=tuple(sorted(results.agents, key=place, reverse=True)))


def shown_columns(rows: Iterable[GroupResult]) -> set[str]:
    """The rates, and the leads handed back, that at least one of these rows has: another column would say nothing."""
    return {name for row in rows for name in ("not_worked", *RATES) if getattr(row, name)}


def _highest(agents: tuple[GroupResult, ...]) -> float:
    """The highest end of the intervals of list conversion: the scale of the chart."""
    rates: list[Estimate] = [each.list_conversion for each in agents if each.list_conversion]
    return max((rate.high for rate in rates), default=0.0)
