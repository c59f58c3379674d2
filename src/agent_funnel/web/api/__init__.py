"""The JSON API, with a file for each subject. A view parses, calls and responds; the OpenAPI document is made from it."""

from __future__ import annotations

from flask_openapi3 import APIBlueprint

from agent_funnel.web.api import admin, agents, leads, runs, schedule

blueprint = APIBlueprint("api", __name__, url_prefix="/api")
for part in (runs, agents, leads, schedule, admin):
    blueprint.register_api(part.blueprint)

BLUEPRINTS = (blueprint, runs.run_now_blueprint)
