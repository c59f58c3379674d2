"""JSON: parse, call the service, answer. A file for each part of it; the OpenAPI document is made of them."""

from __future__ import annotations

from agent_funnel.web.api import admin, agents, leads, runs, schedule

BLUEPRINTS = (runs.blueprint, runs.short, agents.blueprint, leads.blueprint, schedule.blueprint, admin.blueprint)
