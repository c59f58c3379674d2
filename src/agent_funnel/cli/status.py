"""The command that shows how the scheduled deals are going."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import Result, render, reports, say, second
from agent_funnel.cli.schedule import next_deal_line, pause_text
from agent_funnel.runs import Run, last_run
from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.store import NightRecord, Pause, current_pause, list_nights

# How many of the newest business dates are shown:
DATES_SHOWN = 14


@dataclass(frozen=True)
class Overview(Result):
    """The next scheduled deal, in the configured time zone, the last run, the pause, and the newest business dates."""

    next_run: datetime
    last_run: Run | None
    pause: Pause | None
    dates: list[NightRecord]


@click.command("status")
@pass_context
@reports
def show_status(context: Context) -> Overview:
    """Show the last run, the next scheduled deal and any pause.

    Also show the outcomes of the last two weeks.
    """
    database = context.database
    return Overview(
        next_run=next_run(datetime.now(UTC), context.settings),
        last_run=last_run(database),
        pause=current_pause(database),
        dates=list_nights(database, count=DATES_SHOWN),
    )


@render.register
def _(overview: Overview) -> None:
    last, zone = overview.last_run, overview.next_run.tzinfo
    if last:
        say(
            f"Last run: {last.run_id} for {last.business_date}, {last.assigned} of {last.pool} leads to {last.agents} "
            f"agents, finished {second(last.finished_at.astimezone(zone))} ({zone})."
        )
    else:
        say("There has been no run yet.")
    say(next_deal_line(overview.next_run))
    if overview.pause:
        say(f"The schedule has been PAUSED since {pause_text(overview.pause)}.")
    for date in overview.dates:
        say(f"  {date.business_date}  {date.outcome}")
