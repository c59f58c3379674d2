"""Hand-backs: the rest of an agent's list goes back."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import hand_backs
from agent_funnel.web.api import models
from agent_funnel.web.hand_back_models import HandBacksQuery, HandBackToUndo, NewHandBack
from agent_funnel.web.hand_backs import hand_back_and_note, undo_and_note
from agent_funnel.web.operation import json, operation
from agent_funnel.web.requester import actor, mask_texts
from agent_funnel.web.services import services

blueprint = APIBlueprint(
    "hand_backs", __name__, abp_tags=[Tag(name="hand-backs", description="Leads that agents hand back.")]
)
BUSY = {409: "A run was in progress all the time (50001); nothing was changed."}


@operation(blueprint, "get", "/hand-backs", role="viewer", answer=models.HandBacks)
def list_hand_backs(query: HandBacksQuery) -> Response:
    """List the newest hand-backs, newest first: all, or those of a run or an agent."""
    found = hand_backs.list_hand_backs(
        services().database, run_id=query.run_id, agent=query.agent, count=query.count
    )  # fmt: skip
    return json(models.HandBacks(items=list(map(mask_texts, found))))


@operation(blueprint, "post", "/hand-backs", role="operator", answer=models.HandBackAnswer, problems=BUSY)
def hand_back_leads(body: NewHandBack) -> Response:
    """Hand back the leads that an agent has now and nobody has reported an outcome of."""
    return json(models.HandBackAnswer(hand_back_and_note(body.agent, run_id=body.run_id, actor=actor())))


@operation(blueprint, "post", "/hand-backs/undo", role="operator", answer=models.HandBackAnswer, problems=BUSY)
def undo_hand_back_of_leads(body: HandBackToUndo) -> Response:
    """Undo a hand-back, until the next run. A second time, it changes nothing and has the same answer."""
    return json(models.HandBackAnswer(undo_and_note(actor=actor(), hand_back_id=body.hand_back_id)))
