"""The commands about agents and their personal links."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click

from agent_funnel import agents
from agent_funnel.access.links import link_of_agent, list_links, make_link, revoke_link
from agent_funnel.agents import (
    MOST_DEALS,
    Agent,
    Renamed,
    activate_inactive_agents,
    add_agent,
    alike_agents,
    rename_agent,
    set_agent_status,
)
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.options import actor_option
from agent_funnel.cli.output import Listing, Reply, cells, minute, render, reports, say
from agent_funnel.hand_backs import HandBack, hand_back_leads, list_hand_backs, undo_hand_back
from agent_funnel.names import spell
from agent_funnel.settings import Settings

# The consequence of two names of one person:
ONE_PERSON = "If they are one person, deactivate one of them: otherwise each gets a share."

# Why --all activates nobody, without --recent and with it:
ALL_ACTIVE = "all agents are active already."
NOBODY_RECENT = "no inactive agent got leads in one of the last {deals} deals."


@click.group("agents")
def agents_group() -> None:
    """List, add, rename, activate and deactivate agents.

    Also hand their leads back, and make and revoke their personal links.
    """


@agents_group.command("list")
@pass_context
@reports
def list_agents(context: Context) -> Listing:
    """List the agents with the leads they have now and their limit of today."""
    return Listing(agents.list_agents(context.database, context.today), "There are no agents.")


@agents_group.command("add")
@click.argument("agent")
@click.option("--inactive", is_flag=True, help="Add the agent as inactive.")
@pass_context
@reports
def add(context: Context, agent: str, inactive: bool) -> Reply:
    """Add AGENT, who gets leads from the next deal on."""
    add_agent(context.database, agent, active=not inactive)
    status = "inactive" if inactive else "active"
    alike = alike_agents(context.database, agent)
    lines = [f"Added {agent} ({status})."]
    if alike:
        lines.append(f"Warning: this name is easily taken for {' or '.join(map(spell, alike))}. {ONE_PERSON}")
    return Reply(lines, {"agent": agent, "status": status, "alike": alike})


@agents_group.command("rename")
@click.argument("agent")
@click.argument("new_name")
@actor_option
@pass_context
@reports
def rename(context: Context, agent: str, new_name: str, actor: str) -> Reply:
    """Rename AGENT to NEW_NAME, with limits, personal link, present leads and history.

    If only the row in the table agents was renamed, this renames the rest.
    """
    renamed = rename_agent(context.database, agent, new_name, actor=actor)
    return Reply(_sentence(agent, new_name.strip(), renamed), {"agent": new_name.strip(), **asdict(renamed)})


def _sentence(agent: str, new_name: str, renamed: Renamed) -> str:
    return (
        f"Renamed {agent} to {new_name}, with {_count(renamed.limits, 'limit')}, "
        f"{_count(renamed.links, 'personal link')}, {_count(renamed.assignments, 'present lead')} and "
        f"{_count(renamed.dealt, 'lead')} in the history."
    )


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'s' if number > 1 else ''}"


@agents_group.command("activate")
@click.argument("agent", required=False)
@click.option("--all", "everybody", is_flag=True, help="Activate all inactive agents, instead of one.")
@click.option("--recent", is_flag=True, help="With --all: only those who got leads in one of the last thirty deals.")
@click.option(
    "--deals",
    type=click.IntRange(1, MOST_DEALS),
    metavar="N",
    help="With --recent: in one of the last N deals instead, at most thirty.",
)
@pass_context
@reports
def activate(context: Context, agent: str | None, everybody: bool, recent: bool, deals: int | None) -> Reply:
    """Activate AGENT, or all inactive agents, who get leads from the next deal on.

    A personal link that was not revoked meanwhile opens the agent's list again.
    """
    if (agent is not None) == everybody:
        raise click.UsageError("Give either AGENT or --all.")
    if recent and not everybody:
        raise click.UsageError("--recent goes with --all.")
    if deals and not recent:
        raise click.UsageError("--deals goes with --recent.")
    if agent is None:
        activated = activate_inactive_agents(context.database, deals=(deals or MOST_DEALS) if recent else None)
        lines = [f"Activated {_count(len(activated), 'agent')}:", *(f"  {name}" for name in activated)]
        if linked := len({*activated} & {*list_links(context.database)}):
            lines.append(f"Personal links that open a list again: {linked}.")
        why_nobody = NOBODY_RECENT.format(deals=deals or "thirty") if recent else ALL_ACTIVE
        return Reply(
            lines if activated else f"Nothing was changed: {why_nobody}",
            {"activated": activated, "status": "active"},
        )
    set_agent_status(context.database, agent, active=True)
    return Reply(f"Activated {agent}.", {"agent": agent, "status": "active"})


@agents_group.command("deactivate")
@click.argument("agent")
@pass_context
@reports
def deactivate(context: Context, agent: str) -> Reply:
    """Deactivate AGENT, who keeps the present leads until the next deal and gets no more.

    The agent's personal link opens nothing until the agent is active again.
    """
    set_agent_status(context.database, agent, active=False)
    has_link = link_of_agent(context.database, agent) is not None
    lines = [f"Deactivated {agent}."]
    if has_link:
        lines.append(
            "The personal link opens nothing while the agent is inactive. To revoke it for good: agent-funnel agents "
            "unlink"
        )
    return Reply(lines, {"agent": agent, "status": "inactive", "has_link": has_link})


@agents_group.command("hand-back")
@click.argument("agent")
@click.option("--run", "run_id", type=int, help="Refuse the leads of any other run than this one.")
@click.option("--undo", is_flag=True, help="Undo the newest hand-back of AGENT, until the next deal.")
@actor_option
@pass_context
@reports
def hand_back(context: Context, agent: str, run_id: int | None, undo: bool, actor: str) -> HandBack:
    """Hand back the leads that AGENT has now and nobody has reported an outcome of.

    Their stages go back to those of before the deal, and the next deal deals them again.
    """
    now = datetime.now(UTC)
    if undo:
        if run_id is not None:
            raise click.UsageError("--run and --undo exclude each other.")
        return undo_hand_back(context.database, agent=agent, actor=actor, now=now)
    return hand_back_leads(
        context.database, agent, actor=actor, now=now, zone=context.settings.timezone, run_id=run_id
    )  # fmt: skip


@agents_group.command("hand-backs")
@click.option("--agent", metavar="NAME", help="Only the hand-backs of this agent.")
@click.option("--run", "run_id", type=int, help="Only the hand-backs of this run.")
@click.option("--count", type=click.IntRange(min=1), default=100, show_default=True, help="The most to list.")
@pass_context
@reports
def show_hand_backs(context: Context, agent: str | None, run_id: int | None, count: int) -> Listing:
    """List the newest hand-backs, newest first."""
    return Listing(
        list_hand_backs(context.database, run_id=run_id, agent=agent, count=count), "There is no such hand-back."
    )


@agents_group.command("link")
@click.argument("agent")
@actor_option
@pass_context
@reports
def link(context: Context, agent: str, actor: str) -> Reply:
    """Make a personal link with which AGENT opens their own list.

    The link is shown only once. An earlier link of the agent is revoked.
    """
    made, secret = make_link(context.database, agent, actor=actor)
    path = f"/mine/{secret}"
    url = f"{_address(context.settings)}{path}"
    lines = [
        f"The personal link of {agent}. Copy it now; it is not shown again:",
        path,
        "Put it after the address at which agents reach the service. On this machine:",
        url,
    ]
    return Reply(lines, {**asdict(made), "path": path, "url": url})


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


@agents_group.command("unlink")
@click.argument("agent")
@actor_option
@pass_context
@reports
def unlink(context: Context, agent: str, actor: str) -> Reply:
    """Revoke AGENT's personal link, at once and for good."""
    revoke_link(context.database, agent, actor=actor)
    return Reply(f"Revoked the personal link of {agent}.", {"agent": agent, "revoked": True})


@cells.register
def _(agent: Agent) -> dict[str, object]:
    return {
        "Agent": agent.agent,
        "Status": "active" if agent.active else "inactive",
        "Leads": agent.leads,
        "Limit today": "away" if agent.room == 0 else agent.room,
        "Last dealt to": agent.last_dealt,
    }


@render.register
def _(done: HandBack) -> None:
    leads = _count(done.leads, "lead")
    if done.undone_at:
        say(f"Undid the hand-back of {leads} by {done.agent}: {done.returned or 'none'} came back to the agent.")
        return
    say(f"{done.agent} handed back {leads} of run {done.run_id}; the next deal deals them again.")
    if done.put_back < done.leads:
        say(f"The stages of {done.put_back or 'none'} of them went back; somebody had changed the others.")
    say(f"To undo this before the next deal: agent-funnel agents hand-back {done.agent!r} --undo")


@cells.register
def _(done: HandBack) -> dict[str, object]:
    return {
        "Run": done.run_id,
        "Agent": done.agent,
        "Leads": done.leads,
        "Handed back (UTC)": minute(done.handed_back_at),
        "By": done.handed_back_by,
        "Undone (UTC)": done.undone_at and minute(done.undone_at),
        "Undone by": done.undone_by,
    }
