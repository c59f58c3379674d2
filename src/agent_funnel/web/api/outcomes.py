"""Outcomes: what came of the leads that were dealt."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.exceptions import Forbidden

from agent_funnel import outcomes
from agent_funnel.web.api import models
from agent_funnel.web.files import download
from agent_funnel.web.operation import json, operation
from agent_funnel.web.outcome_models import NewOutcome, NewOutcomes, OutcomesQuery, OutcomeToTakeBack
from agent_funnel.web.outcomes import ReportAnswers, report_all, report_one, take_back
from agent_funnel.web.paging import AFTER_ROW_ID, decode_cursor, encode_cursor
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
    return json(models.OutcomeAnswer(report_one(body.reported(body.agent), actor=actor())))


@operation(blueprint, "post", "/outcomes/several", role="operator", answer=ReportAnswers)
def report_several_outcomes(body: NewOutcomes) -> Response:
    """Report up to a thousand outcomes, each by itself: a refused one stops no other."""
    return json(report_all([each.reported(each.agent) for each in body.reports], actor=actor()))


@operation(
    blueprint, "post", "/outcomes/take-back", role="operator", answer=models.OutcomeAnswer,
    problems={409: "A run was in progress all the time (50001); nothing was changed."},
)  # fmt: skip
def take_back_outcome(body: OutcomeToTakeBack) -> Response:
    """Take an outcome back, by the id of its report: the one before it holds again."""
    return json(models.OutcomeAnswer(take_back(body.report, actor=actor(), taken_back_at=body.taken_back_at)))


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
