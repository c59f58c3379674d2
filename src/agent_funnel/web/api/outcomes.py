"""Outcomes: what came of the leads that were dealt."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.exceptions import Forbidden

from agent_funnel import outcomes
from agent_funnel.masking import last_digits, mask_digits
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.files import download
from agent_funnel.web.operation import json, operation
from agent_funnel.web.outcomes import report_all, report_one
from agent_funnel.web.paging import AFTER_ROW_ID, decode_cursor, encode_cursor
from agent_funnel.web.request_models import NewOutcome, NewOutcomes, OutcomesQuery, OutcomeToTakeBack
from agent_funnel.web.requester import actor, mask_outcome, sees_numbers
from agent_funnel.web.services import services

blueprint = APIBlueprint(
    "outcomes", __name__, abp_tags=[Tag(name="outcomes", description="What came of the leads that were dealt.")]
)


@operation(
    blueprint, "post", "/outcomes", role="operator", answer=models.OutcomeAnswer,
    problems={409: "A run was in progress all the time (50001); nothing was kept."},
)  # fmt: skip
def report_outcome(body: NewOutcome) -> Response:
    """Report what came of a lead. The same report again is one outcome, and has the same answer."""
    set_audit_target(f"{body.outcome} {last_digits(body.number)}")
    return json(models.OutcomeAnswer(report_one(body.reported(body.agent), actor=actor())))


@operation(blueprint, "post", "/outcomes/several", role="operator", answer=models.ReportAnswers)
def report_several_outcomes(body: NewOutcomes) -> Response:
    """Report up to a thousand outcomes, each by itself: a refused one stops no other."""
    found = report_all([each.reported(each.agent) for each in body.reports], actor=actor())
    kept = sum(each.outcome is not None for each in found)
    set_audit_target(f"{kept} of {len(found)} outcomes")
    return json(models.ReportAnswers(kept=kept, refused=len(found) - kept, items=found))


@operation(
    blueprint, "post", "/outcomes/take-back", role="operator", answer=models.OutcomeAnswer,
    problems={409: "A run was in progress all the time (50001); nothing was changed."},
)  # fmt: skip
def take_back_outcome(body: OutcomeToTakeBack) -> Response:
    """Take an outcome back, by the id of its report: the one before it holds again."""
    set_audit_target(mask_digits(body.report))
    found = outcomes.take_back_outcome(
        services().database, body.report, actor=actor(), now=services().now(), taken_back_at=body.taken_back_at
    )
    set_audit_target(f"{found.outcome} {last_digits(found.number)}")
    return json(models.OutcomeAnswer(found))


@operation(blueprint, "get", "/outcomes", role="viewer", answer=models.OutcomesPage)
def list_outcomes(query: OutcomesQuery) -> Response:
    """List the outcomes of a run, an agent or a number, the newest first; or download those that hold as a file."""
    if query.number is not None and not sees_numbers():
        # Whether a number is on record is something that a viewer must not learn, one number at a time.
        raise Forbidden("A search by number needs the role operator. Nothing was searched.")
    if query.format != "json":
        return download(
            "outcomes", query.format, name="outcomes", run_id=query.run_id, agent=query.agent, mask=not sees_numbers()
        )
    after = decode_cursor(query.cursor, AFTER_ROW_ID)
    rows = outcomes.list_outcomes(
        services().database, run_id=query.run_id, agent=query.agent, number=query.number, standing=query.standing,
        before=after[0] if after else None, count=query.count,
    )  # fmt: skip
    following = encode_cursor(rows[-1].outcome_id) if len(rows) == query.count else None
    return json(models.OutcomesPage(items=[mask_outcome(row) for row in rows], next=following))
