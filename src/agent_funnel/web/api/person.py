"""A person's rights: all that is kept of a number, and its erasure."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import person
from agent_funnel.masking import last_digits
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.operation import json, operation
from agent_funnel.web.request_models import NumberToForget, OneNumber
from agent_funnel.web.requester import actor
from agent_funnel.web.services import services

blueprint = APIBlueprint(
    "person", __name__, abp_tags=[Tag(name="person", description="A person's rights: access and erasure.")]
)


# The number is in the body, since proxies write addresses into their logs.
@operation(
    blueprint, "post", "/person", role="admin", answer=models.PersonAnswer,
    problems={404: "Nothing is kept of the number.", 409: "A run was in progress all the time (50001)."},
)  # fmt: skip
def show_person(body: OneNumber) -> Response:
    """Show all that is kept of a person, by a number in any spelling. It changes nothing."""
    set_audit_target(last_digits(body.number))
    return json(models.PersonAnswer(person.find_person(services().database, body.number)))


@operation(
    blueprint, "post", "/person/forget", role="admin", answer=models.ErasureAnswer,
    problems={409: "A run was in progress all the time (50001); nothing was changed."},
)  # fmt: skip
def forget_person(body: NumberToForget) -> Response:
    """Erase all that is kept of a person, by a number in any spelling, or with dry_run only say what would go."""
    # The entry of an erasure must not have any of the number's digits.
    set_audit_target("dry run" if body.dry_run else "erasure")
    if body.dry_run:
        return json(models.ErasureAnswer(person.would_forget(services().database, body.number)))
    found = person.forget(services().database, body.number, actor=actor())
    set_audit_target(f"erasure, {found.certificate}")
    return json(models.ErasureAnswer(found))
