"""The form for the rules of the deal, which is on the page of the settings."""

from __future__ import annotations

from flask import Blueprint, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.rules import read_rule, record_rules
from agent_funnel.sentences import joined, sentence
from agent_funnel.settings import DEFAULT_RULES
from agent_funnel.settings_types import written
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.languages import translated
from agent_funnel.web.pages.admin import show_settings
from agent_funnel.web.pages.layout import form, redirect_with_notice
from agent_funnel.web.requester import actor
from agent_funnel.web.services import services
from agent_funnel.web.setting_words import rule_with_value

blueprint = Blueprint("rules", __name__)


@form(blueprint, "/rules", role="admin", shows=show_settings)
def change() -> BaseResponse:
    """Records the rules that differ from those in the database."""
    texts = {name: request.form.get(name, "").strip() for name in DEFAULT_RULES}
    given = {name: read_rule(name, text) for name, text in texts.items() if text}
    confirmed = "confirm" in request.form
    changed = record_rules(services().database, given, actor=actor(), confirmed=confirmed)
    now = ", ".join(f"{name} {written(given[name])}" for name in changed)
    set_audit_target(now or "no change")
    if not changed:
        return redirect_with_notice(gettext("Every rule was recorded like this already."), "admin.show_settings")
    shown = joined(*(rule_with_value(name, given[name]) for name in changed), by="; ")
    notice = sentence("Recorded: %(rules)s. It holds from now on.", rules=shown)
    return redirect_with_notice(translated(notice), "admin.show_settings")
