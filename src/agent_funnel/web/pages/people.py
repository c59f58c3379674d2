"""Agents."""

from __future__ import annotations

from flask import Blueprint

from agent_funnel.web.pages.shell import page

blueprint = Blueprint("people", __name__)


@page(blueprint, "/agents", role="viewer")
def show() -> str:
    return "agents"
