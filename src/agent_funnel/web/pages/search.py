"""Leads."""

from __future__ import annotations

from flask import Blueprint

from agent_funnel.web.pages.shell import page

blueprint = Blueprint("search", __name__)


@page(blueprint, "/leads", role="viewer")
def show() -> str:
    return "leads"


@page(blueprint, "/leads/import", role="operator")
def import_page() -> str:
    return "import"
