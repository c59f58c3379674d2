"""The commands about agents' limits and absences."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import click

from agent_funnel import agents
from agent_funnel.agents import Limit, add_limit, remove_limit
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.options import DAY
from agent_funnel.cli.output import Listing, Reply, cells, reports


@click.group("limits")
def limits_group() -> None:
    """Manage agents' limits and absences.

    A limit is the most leads that an agent gets in a night, from one day to another. A limit of 0 is an absence.
    """


@limits_group.command("list")
@pass_context
@reports
def list_limits(context: Context) -> Listing:
    """List all limits and absences, and whether there is such an agent."""
    return Listing(agents.list_limits(context.database), "There are no limits.")


@limits_group.command("add")
@click.argument("agent")
@click.argument("max_records", type=int)
@click.option("--from", "starts_on", type=DAY, help="The first day. Default: today.")
@click.option("--to", "ends_on", type=DAY, help="The last day. Default: no end.")
@click.option("--new-agent", is_flag=True, help="The agent is yet to come; take a name that no agent has now.")
@pass_context
@reports
def add(
    context: Context, agent: str, max_records: int, starts_on: date | None, ends_on: date | None, new_agent: bool
) -> Reply:
    """Limit AGENT to MAX_RECORDS leads a night. Use 0 for an absence."""
    limit = add_limit(
        context.database,
        agent,
        starts_on=starts_on or context.today,
        ends_on=ends_on,
        max_records=max_records,
        new_agent=new_agent,
    )
    return Reply(_sentences(limit), asdict(limit))


def _sentences(limit: Limit) -> list[str]:
    until = f"to {limit.ends_on}" if limit.ends_on else "on, without an end date"
    most = f"gets at most {limit.max_records} leads a night" if limit.max_records else "is away"
    added = f"Added limit {limit.limit_id}: {limit.agent} {most} from {limit.starts_on} {until}."
    unknown = "There is no agent of this name yet; the limit counts once there is one."
    return [added] if limit.known else [added, unknown]


@limits_group.command("remove")
@click.argument("limit_id", type=int)
@pass_context
@reports
def remove(context: Context, limit_id: int) -> Reply:
    """Remove the limit with this number."""
    remove_limit(context.database, limit_id)
    return Reply(f"Removed limit {limit_id}.", {"removed": limit_id})


@cells.register
def _(limit: Limit) -> dict[str, object]:
    return {
        "No.": limit.limit_id,
        "Agent": limit.agent if limit.known else f"{limit.agent} (no such agent)",
        "From": limit.starts_on,
        "To": limit.ends_on or "no end",
        "Leads per night": limit.max_records or "away",
    }
