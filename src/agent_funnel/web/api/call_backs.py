"""Call-backs to come."""

from __future__ import annotations

from datetime import date

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel.call_backs import list_call_backs
from agent_funnel.web.api import models
from agent_funnel.web.files import download
from agent_funnel.web.operation import json, operation
from agent_funnel.web.paging import AFTER_CALL_BACK, decode_cursor, encode_cursor
from agent_funnel.web.request_models import CallBacksQuery
from agent_funnel.web.requester import mask_outcome, sees_numbers, today
from agent_funnel.web.services import services

blueprint = APIBlueprint(
    "call_backs", __name__, abp_tags=[Tag(name="outcomes", description="What came of the leads that were dealt.")]
)


@operation(blueprint, "get", "/call-backs", role="viewer", answer=models.CallBacksPage)
def list_open_call_backs(query: CallBacksQuery) -> Response:
    """List the call-backs that no deal has handed out, by their day; or download all of them as a file."""
    if query.format != "json":
        return download(
            "call-backs", query.format, name="call-backs", agent=query.agent, dates=(date.min, today()),
            mask=not sees_numbers(),
        )  # fmt: skip
    rows = list_call_backs(
        services().database, today(), agent=query.agent, after=decode_cursor(query.cursor, AFTER_CALL_BACK),
        count=query.count,
    )  # fmt: skip
    following = encode_cursor(*rows[-1].place) if len(rows) == query.count else None
    return json(models.CallBacksPage(items=[mask_outcome(row) for row in rows], next=following))
