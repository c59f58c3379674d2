"""The commands that deal leads, show a preview, and undo a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

import click

from agent_funnel import deal
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.facts import facts_of, print_shares, print_verdict, share_cells
from agent_funnel.cli.options import actor_option, rule_options
from agent_funnel.cli.output import Result, print_facts, render, reports, say
from agent_funnel.deal import NewRun, Preview, PreviewShare, Undone
from agent_funnel.fairness import Fairness, fairness_of_preview, fairness_of_run
from agent_funnel.runs import Share, shares
from agent_funnel.schedule.brakes import scheduled_run
from agent_funnel.schedule.skips import deal_and_skip

# The columns of a preview for the age groups of `deal.AGE_GROUPS`:
AGE_COLUMNS = {"0_to_7": "0 to 7 days", "8_to_30": "8 to 30", "31_and_more": "31 and more"}


@dataclass(frozen=True)
class DealResult(Result):
    """A run that was just made, the share of each agent, and the verdict."""

    database: str
    run: NewRun
    shares: list[Share]
    fairness: Fairness | None

    def answer(self) -> dict[str, Any]:
        return {**asdict(self.run), "shares": self.shares, "fairness": self.fairness}


@dataclass(frozen=True)
class PreviewResult(Result):
    """A preview, the database it was made on, and the verdict."""

    database: str
    preview: Preview
    fairness: Fairness | None

    def answer(self) -> dict[str, Any]:
        return {**asdict(self.preview), "fairness": self.fairness}


@click.command("run")
@rule_options
@actor_option
@click.option("--scheduled", is_flag=True, help="Make the scheduled run of the date, even if a brake holds it.")
@click.option("--skip-scheduled", is_flag=True, help="Skip the scheduled deal that is still to come tonight.")
@click.option("--again", is_flag=True, help="Deal even where a run is refused as a probable mistake.")
@pass_context
@reports
def run(
    context: Context, day: date | None, actor: str, scheduled: bool, skip_scheduled: bool, again: bool, **rules: Any
) -> DealResult:
    """Deal leads now.

    The run is an extra one: the next scheduled deal still happens, unless you skip it. Just after another run, just
    before the scheduled one, or if it would only empty all lists, the run is refused without --again.
    """
    context = context.with_flags(**rules)
    database, settings = context.database, context.settings
    business_date = day or context.today
    now = datetime.now(UTC)
    if scheduled and skip_scheduled:
        raise click.UsageError("Use either --scheduled or --skip-scheduled.")
    if scheduled:
        done = scheduled_run(database, settings, business_date, now=now, actor=actor, overrule=True)
    elif skip_scheduled:
        done = deal_and_skip(database, settings, business_date, now=now, actor=actor, again=again)
    else:
        done = deal.deal(database, settings, business_date=business_date, actor=actor, again=again)
    found = shares(database, done.run_id)
    return DealResult(database.name, done, found, fairness_of_run(database, done, found))


@click.command("preview")
@rule_options
@pass_context
@reports
def preview(context: Context, day: date | None, **rules: Any) -> PreviewResult:
    """Show what a deal would do now, without changing anything."""
    context = context.with_flags(**rules)
    database = context.database
    found = deal.preview(database, context.settings, business_date=day or context.today)
    return PreviewResult(database.name, found, fairness_of_preview(database, found))


@click.command("undo")
@click.argument("run_id", type=int, required=False)
@actor_option
@pass_context
@reports
def undo(context: Context, run_id: int | None, actor: str) -> Undone:
    """Undo the last run.

    Its leads go back by one stage, and the assignments from before it return. With RUN_ID, undo only if that is the run
    that would be undone. A second undo takes back the run before, as far as the history goes.
    """
    return deal.undo(context.database, run_id, actor=actor)


@render.register
def _(result: DealResult) -> None:
    done = result.run
    say(f"Run {done.run_id} for {done.business_date} on {result.database}: {done.status} in {done.seconds:.2f} s")
    print_shares([share_cells(share) for share in result.shares])
    print_verdict(result.fairness)
    print_facts(facts_of(done))
    if done.notice:
        say(done.notice)


@render.register
def _(result: PreviewResult) -> None:
    found = result.preview
    say(f"Preview for {found.run.business_date} on {result.database}; nothing was changed.")
    if found.refusal:
        say(f"Without --again, this deal would be refused. {found.refusal}")
    if found.run.notice:
        say(found.run.notice)
    any_call_backs = any(share.call_backs for share in found.shares)
    print_shares([_preview_cells(share, any_call_backs) for share in found.shares])
    print_verdict(result.fairness, would=True)
    print_facts(
        [
            *facts_of(found.run, preview=True),
            (found.stay, "leads would stay with the agent who has them now"),
            (found.change_hands, "leads would change hands"),
            (found.come, "leads would be new: no agent has them now"),
            (found.leave, "leads would drop out of the lists that have them now"),
        ]
    )


def _preview_cells(share: PreviewShare, any_call_backs: bool) -> dict[str, object]:
    return {
        **share_cells(share),
        **({"Call-backs": share.call_backs, "Kept": share.kept_call_backs} if any_call_backs else {}),
        **{title: share.by_age[group] for group, title in AGE_COLUMNS.items()},
    }


@render.register
def _(undone: Undone) -> None:
    say(f"Undid run {undone.run_id} of {undone.business_date}.")
    print_facts(
        [
            (undone.restored, "leads went back by one stage"),
            (undone.changed_since, "leads kept their stage, because somebody has changed it since the run"),
            (undone.assignments, "assignments from before the run returned"),
            (undone.suppressed, "assignments did not return, because their number is now on the do-not-contact list"),
        ]
    )
