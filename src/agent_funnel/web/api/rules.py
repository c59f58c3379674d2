"""The rules of the deal."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import rules
from agent_funnel.rules import record_rules, rule_problems
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.operation import json, operation
from agent_funnel.web.request_models import NewRules
from agent_funnel.web.requester import actor
from agent_funnel.web.services import services

blueprint = APIBlueprint(
    "rules",
    __name__,
    abp_tags=[Tag(name="rules", description="The rules of the deal: country, cap, window, order, voice.")],
)


@operation(blueprint, "get", "/rules", role="admin", answer=models.RulesAnswer)
def show_rules() -> Response:
    """Show the rules that hold, where each comes from, and the value that is recorded in the database."""
    return json(_answer())


@operation(
    blueprint, "post", "/rules", role="admin", answer=models.RulesAnswer,
    problems={409: "Another country needs confirm, since people are forgotten; nothing was changed."},
)  # fmt: skip
def change_rules(body: NewRules) -> Response:
    """Record rules in the database. They hold at once, for every deal that names no value."""
    given = body.model_dump(exclude_none=True, exclude={"confirm"})
    set_audit_target(", ".join(f"{name} {value}" for name, value in given.items()))
    record_rules(services().database, given, actor=actor(), confirmed=body.confirm)
    return json(_answer())


def _answer() -> models.RulesAnswer:
    found = rules.list_rules(services().database, services().settings)
    return models.RulesAnswer(items=found, problems=rule_problems(found))
