"""The command that lists call-backs."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from agent_funnel.call_backs import CallBack, list_call_backs
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import Listing, cells, minute, reports


@click.command("call-backs")
@click.option("--agent", metavar="NAME", help="Only those that this agent reported.")
@click.option("--count", type=click.IntRange(min=1), default=100, show_default=True, help="The most to list.")
@pass_context
@reports
def show_call_backs(context: Context, agent: str | None, count: int) -> Listing:
    """List the call-backs that no deal has handed out, by their day.

    Each is to come, due, or passed over because no agent had room; or the list says why no deal hands it out.
    """
    today = datetime.now(UTC).astimezone(context.settings.timezone).date()
    found = list_call_backs(context.database, today, agent=agent, count=count)
    return Listing(found, "There are no call-backs to come.")


@cells.register
def _(each: CallBack) -> dict[str, object]:
    return {
        "Day": each.call_back_on,
        "Number": each.number,
        "Agent": each.agent,
        "Goes to": "the same" if each.same_agent else "anybody",
        "Now": each.state.replace("_", " "),
        "Reported (UTC)": minute(each.reported_at),
        "Note": each.note,
    }
