"""The commands about outcomes: what came of the leads that were dealt."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.options import DAY, actor_option
from agent_funnel.cli.output import Listing, cells, minute, render, reports, say
from agent_funnel.outcomes import (
    OUTCOMES,
    Outcome,
    OutcomeReport,
    ReportedOutcome,
    list_outcomes,
    report_outcome,
    take_back_outcome,
)


@click.group("outcomes")
def outcomes_group() -> None:
    """Report, take back and list what came of leads."""


@outcomes_group.command("report")
@click.argument("number")
@click.argument("outcome", type=click.Choice(OUTCOMES))
@click.option("--on", "call_back_on", type=DAY, help="The day of a call-back, at most 90 days ahead.")
@click.option("--same-agent", is_flag=True, help="The call-back goes to the same agent if possible.")
@click.option("--note", help="A note of up to 1,000 characters.")
@click.option("--run", "run_id", type=int, help="The run that dealt the lead. Default: the last one.")
@click.option("--agent", metavar="NAME", help="Refuse the leads of other agents.")
@click.option("--report", metavar="ID", help="Your own id of this report: the same report again is one outcome.")
@actor_option
@pass_context
@reports
def report(
    context: Context, number: str, outcome: str, call_back_on: date | None, same_agent: bool, note: str | None,
    run_id: int | None, agent: str | None, report: str | None, actor: str,
) -> ReportedOutcome:  # fmt: skip
    """Report the OUTCOME of the lead with this NUMBER, in any spelling."""
    reported = OutcomeReport(
        number, outcome, report=report, run_id=run_id, agent=agent, call_back_on=call_back_on, same_agent=same_agent,
        note=note,
    )  # fmt: skip
    return report_outcome(
        context.database, reported, actor=actor, now=datetime.now(UTC), zone=context.settings.timezone
    )


@outcomes_group.command("take-back")
@click.argument("report")
@actor_option
@pass_context
@reports
def take_back(context: Context, report: str, actor: str) -> ReportedOutcome:
    """Take an outcome back, by the id of its REPORT: the one before it holds again."""
    return take_back_outcome(context.database, report, actor=actor, now=datetime.now(UTC))


@outcomes_group.command("list")
@click.option("--run", "run_id", type=int, help="Only the outcomes of this run.")
@click.option("--agent", metavar="NAME", help="Only the outcomes of this agent's leads.")
@click.option("--number", help="Only the outcomes of this number, in any spelling.")
@click.option("--standing", is_flag=True, help="Only the outcomes that hold.")
@click.option("--count", type=click.IntRange(min=1), default=100, show_default=True, help="The most outcomes to list.")
@pass_context
@reports
def show(
    context: Context, run_id: int | None, agent: str | None, number: str | None, standing: bool, count: int
) -> Listing:
    """List the newest outcomes, newest first."""
    found = list_outcomes(context.database, run_id=run_id, agent=agent, number=number, standing=standing, count=count)
    return Listing(found, "There is no such outcome.")


@render.register
def _(told: ReportedOutcome) -> None:
    done = "Took back" if told.taken_back_at else "Kept"
    day = f" on {told.call_back_on}" if told.call_back_on else ""
    say(f"{done} {told.outcome}{day} of {told.number}, which run {told.run_id} dealt to {told.agent}.")
    if told.notice:
        say(told.notice)
    if not told.taken_back_at:
        say(f"To take it back: agent-funnel outcomes take-back {told.report!r}")


@cells.register
def _(outcome: Outcome) -> dict[str, object]:
    return {
        "Run": outcome.run_id,
        "Agent": outcome.agent,
        "Number": outcome.number,
        "Outcome": f"{outcome.outcome} {outcome.call_back_on or ''}".strip(),
        "Now": "taken back" if outcome.taken_back_at else "holds" if outcome.stands else "replaced",
        "Reported (UTC)": minute(outcome.reported_at),
        "Note": outcome.note,
        "Report": outcome.report,
    }
