"""The command that shows how the scheduled deals are going."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import Result, print_warning, render, reports, say, second
from agent_funnel.cli.schedule import next_deal_line, pause_text
from agent_funnel.hand_backs import HandedBackByAgent, handed_back_by_agent
from agent_funnel.rules import RuleState, list_rules, rule_problems, rules_in_words, rules_that_hold
from agent_funnel.runs import Run, last_run
from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.skips import skipped_dates
from agent_funnel.schedule.store import NightRecord, Pause, current_pause, list_nights
from agent_funnel.schedule.terms import holding
from agent_funnel.settings_warnings import unset_zone

# How many of the newest business dates are shown:
DATES_SHOWN = 14


@dataclass(frozen=True)
class Overview(Result):
    """The next scheduled deal, in the configured time zone, the last run, the pause, and the newest business dates.

    `handed_back` are the leads that agents have handed back since the last run. `rules` are those of the deal.
    `warnings` says if the time zone is not set, and if a rule is recorded wrongly, or differs between the settings and
    the database.
    """

    next_run: datetime
    last_run: Run | None
    handed_back: list[HandedBackByAgent]
    pause: Pause | None
    dates: list[NightRecord]
    rules: list[RuleState]
    warnings: list[str]


@click.command("status")
@pass_context
@reports
def show_status(context: Context) -> Overview:
    """Show the last run, the next scheduled deal and any pause.

    Also show the outcomes of the last two weeks.
    """
    database, settings, now = context.database, context.settings, datetime.now(UTC)
    rules, last = list_rules(database, settings), last_run(database)
    return Overview(
        next_run=next_run(now, holding(database, settings), skipped_dates(database, now)),
        last_run=last,
        handed_back=handed_back_by_agent(database, last.run_id) if last else [],
        pause=current_pause(database),
        dates=list_nights(database, count=DATES_SHOWN),
        rules=rules,
        warnings=[*unset_zone(settings, now), *rule_problems(rules)],
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
    if overview.handed_back:
        say(_handed_back_line(overview.handed_back, zone))
    say(next_deal_line(overview.next_run))
    if (holding := rules_that_hold(overview.rules)) is not None:
        say(f"The rules: {rules_in_words(holding)}.")
    for text in overview.warnings:
        print_warning(text)
    if overview.pause:
        say(f"The schedule has been PAUSED since {pause_text(overview.pause)}.")
    for date in overview.dates:
        say(f"  {date.business_date}  {date.outcome}")


def _handed_back_line(handed_back: Sequence[HandedBackByAgent], zone: tzinfo | None) -> str:
    """Returns the line about the leads that agents have handed back since the last run."""
    leads, last, many = sum(each.leads for each in handed_back), handed_back[0], len(handed_back) > 1
    who = f"{len(handed_back)} agents" if many else last.agent
    amount = f"{leads} {'lead' if leads == 1 else 'leads'}{', the last of them' if many else ''}"
    at, wait = second(last.last_at.astimezone(zone)), "It waits" if leads == 1 else "They wait"
    return f"Since then, {who} handed back {amount} on {at} ({zone}). {wait} for the next deal."
