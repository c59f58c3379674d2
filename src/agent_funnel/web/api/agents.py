"""Agents, their limits and absences, and the present assignments."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import agents
from agent_funnel.agents import Assignment, alike_agents, assignments_of_deal, set_agent_status
from agent_funnel.errors import AlreadyExists
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_agents, set_audit_target
from agent_funnel.web.files import download
from agent_funnel.web.negotiation import conditional
from agent_funnel.web.operation import json, operation
from agent_funnel.web.paging import (
    AFTER_ASSIGNMENT,
    AFTER_COUNT_OF_DEAL,
    decode_requester_cursor,
    encode_cursor,
    fetch_page,
)
from agent_funnel.web.request_models import (
    ActivationQuery,
    AgentName,
    AssignmentsQuery,
    LimitPath,
    NewAgent,
    NewLimit,
    NewName,
)
from agent_funnel.web.requester import actor, sees_numbers, today
from agent_funnel.web.services import services

blueprint = APIBlueprint(
    "agents", __name__, abp_tags=[Tag(name="agents", description="Agents, their limits, and their leads.")]
)
NO_AGENT = {404: "No such agent."}


@operation(blueprint, "get", "/agents", role="viewer", answer=models.Agents, polled=True)
def list_agents() -> Response:
    """List the agents, with the number of leads that they have now."""
    return conditional(json(models.Agents(items=agents.list_agents(services().database, today()))))


@operation(
    blueprint, "post", "/agents", role="operator", answer=models.AddedAgent, status=201,
    problems={409: "An agent of this name exists already."},
)  # fmt: skip
def add_agent(body: NewAgent) -> Response:
    """Add an agent. `alike` has the other agents whose names are easily taken for this one."""
    set_audit_target(body.agent)
    agents.add_agent(services().database, body.agent, active=body.active)
    return json(models.AddedAgent(alike=alike_agents(services().database, body.agent)), 201)


@operation(
    blueprint, "post", "/agents/rename", role="operator", answer=models.RenamedAgent,
    problems={404: "No such agent.", 409: "An agent of the new name exists already, or a run takes too long."},
)  # fmt: skip
def rename_agent(body: NewName) -> Response:
    """Rename an agent, with their limits, link, assignments and history."""
    set_audit_target(f"{body.agent} → {body.new_name}")
    renamed = agents.rename_agent(services().database, body.agent, body.new_name, actor=actor(), recorded=True)
    services().counts.forget_shares()
    return json(models.RenamedAgent(renamed=renamed))


@operation(blueprint, "post", "/agents/activate", role="operator", answer=models.Done, problems=NO_AGENT)
def activate_agent(body: AgentName) -> Response:
    """Activate an agent: they take part from the next run on. Their link, if not revoked, works again."""
    return _set_status(body.agent, active=True)


@operation(blueprint, "post", "/agents/activate-all", role="operator", answer=models.ActivatedAgents)
def activate_all_agents(query: ActivationQuery) -> Response:
    """Activate all inactive agents: they take part from the next run on. Their links, if not revoked, work again.
    `activated` has their names."""
    activated = agents.activate_inactive_agents(services().database, deals=query.deals if query.recent else None)
    set_audit_agents(activated)
    return json(models.ActivatedAgents(activated=activated))


@operation(blueprint, "post", "/agents/deactivate", role="operator", answer=models.Done, problems=NO_AGENT)
def deactivate_agent(body: AgentName) -> Response:
    """Deactivate an agent: they keep their leads until the next run, then get no more. Their link opens nothing."""
    return _set_status(body.agent, active=False)


def _set_status(agent: str, *, active: bool) -> Response:
    set_audit_target(agent)
    set_agent_status(services().database, agent, active=active)
    return json(models.Done())


@operation(blueprint, "get", "/assignments", role="viewer", answer=models.AssignmentsPage, polled=True,
           problems={409: "Another deal came between two pages; begin again without a cursor."})  # fmt: skip
def list_assignments(query: AssignmentsQuery) -> Response:
    """List the present assignments, all or an agent's, by number; or download all of them as a file."""
    database = services().database
    if query.format != "json":
        return download("assignments", query.format, name="assignments", mask=not sees_numbers())
    begun = decode_requester_cursor(query.cursor, AFTER_ASSIGNMENT, AFTER_COUNT_OF_DEAL)

    version = ""

    def fetch(after: tuple[str, str] | None, count: int) -> list[Assignment]:
        nonlocal version
        rows, version = assignments_of_deal(database, agent=query.agent, after=after, count=count)
        return rows

    found, last = fetch_page(begun[1:] if begun else None, query.count, fetch, lambda row: (row.number, row.agent))
    if begun and begun[0] != version:
        raise AlreadyExists("Another deal came since the page before; begin again without a cursor.")
    following = encode_cursor(version, *last) if last else None
    return conditional(json(models.AssignmentsPage(items=found, next=following, deal=version)))


@operation(blueprint, "get", "/limits", role="viewer", answer=models.Limits)
def list_limits() -> Response:
    """List all limits and absences."""
    return json(models.Limits(items=agents.list_limits(services().database)))


@operation(
    blueprint, "post", "/limits", role="operator", answer=models.LimitAnswer, status=201, problems=NO_AGENT
)  # fmt: skip
def add_limit(body: NewLimit) -> Response:
    """Add a limit, or with 0 leads an absence."""
    set_audit_target(body.agent)
    limit = agents.add_limit(
        services().database,
        body.agent,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        max_records=body.max_records,
        new_agent=body.new_agent,
    )
    return json(models.LimitAnswer(limit=limit, agent_known=limit.known), 201)


@operation(
    blueprint, "delete", "/limits/<int:limit_id>", role="operator", answer=models.Done, problems={404: "No such limit."}
)
def remove_limit(path: LimitPath) -> Response:
    """Remove a limit or an absence."""
    set_audit_target(f"limit {path.limit_id}")
    agents.remove_limit(services().database, path.limit_id)
    return json(models.Done())
