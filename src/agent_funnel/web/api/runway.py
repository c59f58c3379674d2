"""The runway: the deals of the next two weeks."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel.schedule.runway import runway
from agent_funnel.web.api import models
from agent_funnel.web.operation import json, operation
from agent_funnel.web.services import services

blueprint = APIBlueprint("runway", __name__, abp_tags=[Tag(name="schedule", description="Automatic deals.")])


@operation(blueprint, "get", "/runway", role="viewer", answer=models.RunwayAnswer)
def show_runway() -> Response:
    """Compute the deals of the next two weeks at tonight's roster: how long the leads last, and how many expire."""
    given = services()
    return json(models.RunwayAnswer(runway(given.database, given.settings, now=given.now())))
