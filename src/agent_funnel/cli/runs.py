"""The commands about runs: list them, show one, find who held a number, delete old history."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click

from agent_funnel import runs
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.facts import facts_of, print_shares, print_verdict, share_cells
from agent_funnel.cli.options import DAY
from agent_funnel.cli.output import Listing, Result, cells, minute, print_facts, render, reports, say, second
from agent_funnel.cli.progress import row_progress
from agent_funnel.fairness import Fairness, fairness_of_run
from agent_funnel.rules import Rules, rules_in_words
from agent_funnel.runs import Holder, Purged, RunRecord, Share, find_run, holders, shares
from agent_funnel.settings_types import NO_COUNTRY


@dataclass(frozen=True)
class RunDetails(Result):
    """A run on record, the share of each agent, and the verdict."""

    run: RunRecord
    shares: list[Share]
    fairness: Fairness | None

    def answer(self) -> dict[str, Any]:
        return {**asdict(self.run), "shares": self.shares, "fairness": self.fairness}


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options for listing runs."""
    for option in (
        click.option("--before", type=int, metavar="RUN_ID", help="List only runs before this one."),
        click.option("--count", type=click.IntRange(1, 1000), default=30, show_default=True, help="The most to list."),
    ):
        command = option(command)
    return command


@click.group("runs", invoke_without_command=True)
@list_options
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def runs_group(context: click.Context, /, **options: Any) -> None:
    """List runs, show one run, or find who held a number.

    Without a command, list the newest runs.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_runs, **options)


@runs_group.command("list")
@list_options
@pass_context
@reports
def list_runs(context: Context, count: int, before: int | None) -> Listing:
    """List the newest runs."""
    return Listing(runs.list_runs(context.database, count=count, before=before), "There are no runs.")


@runs_group.command("show")
@click.argument("run_id", type=int)
@pass_context
@reports
def show_run(context: Context, run_id: int) -> RunDetails:
    """Show a run: its numbers, the share of each agent, and whether it was undone or purged."""
    run, found = find_run(context.database, run_id), shares(context.database, run_id)
    return RunDetails(run, found, fairness_of_run(context.database, run, found))


@runs_group.command("who")
@click.argument("number")
@click.option("--on", "day", type=DAY, help="Only on this day, in the configured time zone.")
@pass_context
@reports
def find_holders(context: Context, number: str, day: date | None) -> Listing:
    """Find who held NUMBER, and when."""
    since = until = None
    if day:
        since = datetime.combine(day, time(), context.settings.timezone)
        until = since + timedelta(days=1)
    found = holders(context.database, number, since=since, until=until)
    return Listing(found, "The history has no agent who held this number.")


def _days(_: click.Context, __: click.Parameter, value: str) -> timedelta:
    if not re.fullmatch(r"\d{1,5}d", value):
        raise click.BadParameter(f"{value!r} is not a number of days such as 180d")
    return timedelta(days=int(value[:-1]))


@click.command("purge")
@click.option(
    "--older-than", "age", required=True, metavar="DAYS", callback=_days, help="The age in days, for example 180d."
)
@pass_context
@reports
def purge(context: Context, age: timedelta) -> Purged:
    """Delete the history of old runs.

    Deletes in small batches, so that no deal has to wait for it. The runs themselves stay on record. The history of the
    last run and of the run before it is kept, so that the last run can be undone.
    """
    with row_progress() as advance:
        return runs.purge(context.database, datetime.now(UTC) - age, progress=advance)


@cells.register
def _(run: RunRecord) -> dict[str, object]:
    return {
        "Run": run.run_id,
        "For": run.business_date,
        "Trigger": run.trigger,
        "Status": run.status,
        "Finished (UTC)": minute(run.finished_at),
        "Agents": run.agents,
        "Assigned": None if run.pool is None else f"{run.assigned} of {run.pool}",
    }


@render.register
def _(details: RunDetails) -> None:
    run = details.run
    by = f", by {run.actor}" if run.actor else ""
    say(f"Run {run.run_id} for {run.business_date}: {run.status} ({run.trigger}{by})")
    rules = Rules(run.country or NO_COUNTRY, run.max_per_agent, run.window_days, run.newest_first, run.voice)
    say(f"  rules: {rules_in_words(rules)}")
    say(f"  started {second(run.started_at)}, finished {second(run.finished_at) or 'never'} (UTC)")
    if run.undone_at:
        say(
            f"  undone {second(run.undone_at)} UTC by {run.undone_by or 'somebody'}: {run.restored} leads "
            f"went back, {run.changed_since} kept their stage, because somebody had changed it"
        )
    if run.purged_at:
        say(f"  history purged {second(run.purged_at)} UTC")
    if run.forgotten:
        say(f"  {run.forgotten} of the leads dealt have been erased since then; all amounts still count them")
    print_shares([share_cells(share) for share in details.shares])
    print_verdict(details.fairness)
    print_facts(facts_of(run))


@cells.register
def _(holder: Holder) -> dict[str, object]:
    return {
        "Agent": holder.agent,
        "From (UTC)": minute(holder.held_from),
        "To (UTC)": minute(holder.held_until) or "now",
        "Run": f"{holder.run_id} (undone)" if holder.status == "undone" else holder.run_id,
        "For": holder.business_date,
        "Stage before": holder.stage,
    }


@render.register
def _(purged: Purged) -> None:
    say(f"Deleted the history of {purged.runs} runs: {purged.rows} rows.")
