"""Settings, audit and keys."""

from __future__ import annotations

from flask import Blueprint

from agent_funnel.web.pages.shell import page

blueprint = Blueprint("office", __name__)


@page(blueprint, "/settings", role="admin")
def settings() -> str:
    return "settings"


@page(blueprint, "/audit", role="admin")
def audit() -> str:
    return "audit"


@page(blueprint, "/keys", role="admin")
def keys() -> str:
    return "keys"
