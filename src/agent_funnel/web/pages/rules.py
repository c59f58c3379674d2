"""The form for the rules of the deal, which is on the page of the settings."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.rules import read_rule, record_rules
from agent_funnel.settings import DEFAULT_RULES
from agent_funnel.settings_types import written
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.pages.admin import show_settings
from agent_funnel.web.pages.layout import form, redirect_with_notice
from agent_funnel.web.requester import actor
from agent_funnel.web.services import services
from agent_funnel.web.setting_words import rule_in_words

blueprint = Blueprint("rules", __name__)

# The rules as the beginning of a sentence about their values:
RULES = {
    "country": "country of numbers without one:",
    "max_per_agent": "most leads for an agent:",
    "window_days": "days that a lead is dealt:",
    "newest_first": "leads with the same number of calls:",
    "voice": "leads that were dealt before",
}


@form(blueprint, "/rules", role="admin", shows=show_settings)
def change() -> BaseResponse:
    """Records the rules that differ from those in the database."""
    texts = {name: request.form.get(name, "").strip() for name in DEFAULT_RULES}
    given = {name: read_rule(name, text) for name, text in texts.items() if text}
    confirmed = "confirm" in request.form
    changed = record_rules(services().database, given, actor=actor(), confirmed=confirmed)
    now = ", ".join(f"{name} {written(given[name])}" for name in changed)
    set_audit_target(now or "no change")
    shown = "; ".join(f"{RULES[name]} {rule_in_words(name, given[name])}" for name in changed)
    notice = f"Recorded: {shown}. It holds from now on." if changed else "Every rule was recorded like this already."
    return redirect_with_notice(notice, "admin.show_settings")
