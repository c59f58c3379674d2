"""Agents, their limits and absences, and what they have now."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import floor, service
from agent_funnel.errors import AlreadyExists
from agent_funnel.records import Assignment
from agent_funnel.web.access import about
from agent_funnel.web.api import shapes
from agent_funnel.web.api.common import file, page, sees_numbers, shown, today
from agent_funnel.web.operation import json, operation
from agent_funnel.web.wiring import wiring

blueprint = APIBlueprint(
    "agents", __name__, url_prefix="/api", abp_tags=[Tag(name="agents", description="Who sells, and what they have.")]
)
NO_AGENT = {404: "No such agent."}


def polled(response: Response) -> Response:
    """An answer that is asked for again and again: a client that has it already is told so, in a few bytes."""
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


@operation(blueprint, "get", "/agents", role="viewer", answer=shapes.Agents, polled=True)
def list_agents() -> Response:
    """List the agents, with the leads that they have now."""
    return polled(json(shapes.Agents(items=floor.agents(wiring().backend, today()))))


@operation(
    blueprint, "post", "/agents", role="operator", answer=shapes.Done, status=201,
    problems={409: "There is an agent of this name."},
)  # fmt: skip
def add_agent(body: shapes.NewAgent) -> Response:
    """Add an agent."""
    about(body.agent)
    floor.add_agent(wiring().backend, body.agent, active=body.active)
    return json(shapes.Done(), 201)


@operation(blueprint, "post", "/agents/activate", role="operator", answer=shapes.Done, problems=NO_AGENT)
def activate_agent(body: shapes.AgentName) -> Response:
    """Have an agent take part from the next run on."""
    return _set_status(body.agent, active=True)


@operation(blueprint, "post", "/agents/deactivate", role="operator", answer=shapes.Done, problems=NO_AGENT)
def deactivate_agent(body: shapes.AgentName) -> Response:
    """Have an agent take part no more; what they have now stays theirs until the next run."""
    return _set_status(body.agent, active=False)


def _set_status(agent: str, *, active: bool) -> Response:
    about(agent)
    floor.set_agent_status(wiring().backend, agent, active=active)
    return json(shapes.Done())


@operation(blueprint, "get", "/assignments", role="viewer", answer=shapes.AssignmentsPage, polled=True,
           problems={409: "Another deal came between two pages; begin again without a cursor."})  # fmt: skip
def list_assignments(query: shapes.AssignmentsQuery) -> Response:
    """List the present assignments, all or an agent's, by number; or get all of them as a file."""
    backend = wiring().backend
    if query.format != "json":
        return file("assignments", query.format)
    kind: Any = shapes.AFTER_ASSIGNMENT if sees_numbers() else shapes.AFTER_COUNT_OF_DEAL
    begun = shapes.keys_of(query.cursor, kind)

    def fetch(after: tuple[str, str] | None, count: int) -> list[Assignment]:
        return floor.assignments(backend, agent=query.agent, after=after, count=count)

    deal = None
    # The page is of the deal that was there before and after it, or it is asked for again.
    while (now := floor.deal_version(backend)) != deal:
        deal = now
        found, last = page(begun[1:] if begun else None, query.count, fetch, lambda row: (row.number, row.agent))
    if begun and begun[0] != deal:
        raise AlreadyExists("Another deal came since the page before; begin again without a cursor.")
    following = shapes.cursor(deal, *last) if last else None
    return polled(json(shapes.AssignmentsPage(items=shown(found), next=following, deal=deal)))


@operation(blueprint, "get", "/limits", role="viewer", answer=shapes.Limits)
def list_limits() -> Response:
    """List all limits and absences."""
    return json(shapes.Limits(items=service.limits(wiring().backend)))


@operation(blueprint, "post", "/limits", role="operator", answer=shapes.LimitAnswer, status=201)
def add_limit(body: shapes.NewLimit) -> Response:
    """Add a limit, or with 0 leads an absence."""
    about(body.agent)
    limit, known = service.add_limit(
        wiring().backend, body.agent, starts_on=body.starts_on, ends_on=body.ends_on, max_records=body.max_records
    )
    return json(shapes.LimitAnswer(limit=limit, agent_known=known), 201)


@operation(
    blueprint, "delete", "/limits/<int:limit_id>", role="operator", answer=shapes.Done, problems={404: "No such limit."}
)
def remove_limit(path: shapes.LimitPath) -> Response:
    """Remove a limit or an absence."""
    about(f"limit {path.limit_id}")
    service.remove_limit(wiring().backend, path.limit_id)
    return json(shapes.Done())
