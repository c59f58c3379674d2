"""Results: what came of the leads that were dealt."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel.results import count_results, usual_span
from agent_funnel.web.api import models
from agent_funnel.web.files import download
from agent_funnel.web.operation import json, operation
from agent_funnel.web.request_models import ResultsQuery
from agent_funnel.web.requester import mask_results, sees_numbers, today
from agent_funnel.web.services import services

blueprint = APIBlueprint(
    "results", __name__, abp_tags=[Tag(name="results", description="Rates, by agent, stage, class, night and import.")]
)


@operation(blueprint, "get", "/results", role="viewer", answer=models.ResultsAnswer)
def show_results(query: ResultsQuery) -> Response:
    """Count what came of the leads that were dealt, by agent, stage, class, night and import, with intervals."""
    dates = usual_span(today(), query.date_from, query.date_to)
    if query.format != "json":
        return download("results", query.format, name="results", dates=dates, mask=not sees_numbers())
    given = services()
    with given.previews.take():
        found = count_results(given.database, *dates)
    return json(models.ResultsAnswer(mask_results(found)))
