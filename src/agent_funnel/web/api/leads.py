"""Leads: search, history, and the pool."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.exceptions import Forbidden

from agent_funnel.leads import Lead, lead_history, pool_report, search_leads
from agent_funnel.web.api import models
from agent_funnel.web.operation import json, operation
from agent_funnel.web.paging import AFTER_COUNT, AFTER_LEAD, decode_requester_cursor, encode_cursor, fetch_page
from agent_funnel.web.request_models import LeadsQuery, NumberQuery
from agent_funnel.web.requester import sees_numbers, today
from agent_funnel.web.services import services

blueprint = APIBlueprint("leads", __name__, abp_tags=[Tag(name="leads", description="Leads, and the pool.")])


@operation(blueprint, "get", "/leads", role="viewer", answer=models.LeadsPage)
def list_leads(query: LeadsQuery) -> Response:
    """Search leads: by number, in any common way of writing it (for operators), by stage, by date."""
    if query.number is not None and not sees_numbers():
        # Whether a number is on record is something that a viewer must not learn, one number at a time.
        raise Forbidden("A search by number needs the role operator. Nothing was searched.")
    conditions = query.model_dump(include={"number", "stage", "date_from", "date_to", "import_id"})

    def fetch(after: Any, count: int) -> list[Lead]:
        return search_leads(services().database, after=after, count=count, **conditions)

    after = decode_requester_cursor(query.cursor, AFTER_LEAD, AFTER_COUNT)
    found, last = fetch_page(after, query.count, fetch, lambda row: (row.number, row.stage, row.date))
    following = encode_cursor(*last) if last else None
    return json(models.LeadsPage(items=found, next=following))


@operation(
    blueprint, "get", "/lead", role="operator", answer=models.LeadAnswer,
    problems={404: "Nothing is known of the number."},
)  # fmt: skip
def show_lead(query: NumberQuery) -> Response:
    """Show a number, exactly as it is written: its records, who has it, who held it, whether it may be called."""
    return json(models.LeadAnswer(lead_history(services().database, query.number)))


@operation(blueprint, "get", "/pool", role="viewer", answer=models.PoolAnswer)
def pool() -> Response:
    """Count the leads by their part in tonight's deal: dealt, left over, or out of the pool, and why."""
    given = services()
    return json(models.PoolAnswer(pool_report(given.database, given.settings, today())))
