"""The commands about the schedule and the holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.options import DAY, actor_option
from agent_funnel.cli.output import Listing, Reply, Result, cells, minute, render, reports, say, second
from agent_funnel.schedule import store, terms, voids
from agent_funnel.schedule.calendar import next_run
from agent_funnel.schedule.skips import Skip, list_skips, skip
from agent_funnel.schedule.store import Holiday, Pause, add_holiday, list_pauses, pause, resume
from agent_funnel.schedule.voids import VoidRecord


@dataclass(frozen=True)
class Timetable(Result):
    """The next scheduled deal, in the zone of the terms that hold, the dates that are skipped, and the newest pauses.

    `differences` are sentences about copies of the service that are running with other terms or a wrong clock, and
    `voids` the newest records that were taken back.
    """

    next_run: datetime
    terms: str
    skips: list[Skip]
    pauses: list[Pause]
    differences: list[str]
    voids: list[VoidRecord]


@click.group("schedule")
def schedule_group() -> None:
    """Show, pause and correct the schedule."""


@schedule_group.command("show")
@pass_context
@reports
def show(context: Context) -> Timetable:
    """Show the next scheduled deal, the terms that hold, and the newest pauses."""
    now, rules = datetime.now(UTC), terms.holding(context.database, context.settings)
    skipped = list_skips(context.database, since=now.date() - timedelta(days=1))
    return Timetable(
        next_run(now, rules, {each.business_date for each in skipped}),
        str(terms.Terms.of(rules)),
        skipped,
        list_pauses(context.database),
        terms.known_differences(context.database, now=now),
        voids.list_voids(context.database, count=10),
    )


@schedule_group.command("pause")
@click.option("--reason", help="The reason; everyone will see it.")
@actor_option
@pass_context
@reports
def pause_schedule(context: Context, reason: str | None, actor: str) -> Reply:
    """Pause the scheduled deals of all copies of the service. Deals by hand still work."""
    paused = pause(context.database, now=datetime.now(UTC), actor=actor, reason=reason)
    return Reply("Paused the schedule." if paused else "The schedule was paused already.", {"paused": paused})


@schedule_group.command("resume")
@actor_option
@pass_context
@reports
def resume_schedule(context: Context, actor: str) -> Reply:
    """Resume the scheduled deals. A date whose window is still open is dealt at once."""
    resumed = resume(context.database, now=datetime.now(UTC), actor=actor)
    return Reply("Resumed the schedule." if resumed else "The schedule was not paused.", {"resumed": resumed})


@schedule_group.command("adopt")
@actor_option
@pass_context
@reports
def adopt_terms(context: Context, actor: str) -> Reply:
    """Make the time, zone, weekdays and catch-up of these settings hold for all copies of the service, at once.

    Restart a copy with other settings soon: on its own, it would record its terms again.
    """
    adopted = terms.adopt(context.database, context.settings, now=datetime.now(UTC), actor=actor)
    own = terms.Terms.of(context.settings)
    return Reply(f"These terms hold {'now' if adopted else 'already'}: {own}.", {"adopted": adopted, "terms": str(own)})


@schedule_group.command("reopen")
@click.argument("day", metavar="DATE", type=DAY)
@actor_option
@pass_context
@reports
def reopen_date(context: Context, day: date, actor: str) -> Reply:
    """Take back the record that DATE passed without its scheduled deal.

    While its window is open, the schedule deals at its next look. An older record becomes void; then make the deal by
    hand.
    """
    done = voids.reopen(context.database, context.settings, day, now=datetime.now(UTC), actor=actor)
    return Reply(done.text, {"business_date": day, "outcome": done.outcome, "window_closed": done.window_closed})


@schedule_group.command("skip")
@click.argument("day", metavar="DATE", type=DAY)
@actor_option
@pass_context
@reports
def skip_date(context: Context, day: date, actor: str) -> Reply:
    """Skip the scheduled deal of DATE, which is still to come.

    Only that deal: the next one comes as usual. To take it back, use `schedule reopen DATE`.
    """
    skip(context.database, context.settings, day, now=datetime.now(UTC), actor=actor)
    return Reply(f"The scheduled deal of {day} is skipped.", {"business_date": day, "skipped": True})


@click.group("holidays")
def holidays_group() -> None:
    """Manage the days without a scheduled deal."""


@holidays_group.command("list")
@click.option("--since", type=DAY, help="The first day to list. Default: today.")
@pass_context
@reports
def list_holidays(context: Context, since: date | None) -> Listing:
    """List the holidays."""
    first = since or context.today
    return Listing(store.list_holidays(context.database, since=first), f"There are no holidays from {first} on.")


@holidays_group.command("add")
@click.argument("days", type=DAY, nargs=-1, required=True)
@click.option("--name", help="The name of the holiday.")
@pass_context
@reports
def add_holidays(context: Context, days: tuple[date, ...], name: str | None) -> Reply:
    """Add DAYS, each written as 2026-12-24."""
    for day in days:
        add_holiday(context.database, day, name)
    word = "holiday" if len(days) == 1 else "holidays"
    return Reply(f"Added {word} {', '.join(map(str, days))}.", {"added": len(days)})


@holidays_group.command("remove")
@click.argument("day", type=DAY)
@pass_context
@reports
def remove_holiday(context: Context, day: date) -> Reply:
    """Remove the holiday on DAY."""
    store.remove_holiday(context.database, day)
    return Reply(f"Removed holiday {day}.", {"removed": 1})


def next_deal_line(at: datetime) -> str:
    """Returns the line about the next scheduled deal."""
    return f"Next scheduled deal: {minute(at)} ({at.tzinfo})."


def pause_text(pause: Pause) -> str:
    """Returns a text that says when the schedule was paused, by whom and why."""
    by = f" by {pause.paused_by}" if pause.paused_by else ""
    why = f": {pause.reason}" if pause.reason else ""
    return f"{second(pause.paused_at)} UTC{by}{why}"


@render.register
def _(timetable: Timetable) -> None:
    say(next_deal_line(timetable.next_run))
    say(f"The terms of the schedule: {timetable.terms}.")
    for text in timetable.differences:
        say(text)
    for skipped in timetable.skips:
        by = f" by {skipped.skipped_by}" if skipped.skipped_by else ""
        instead = f"; run {skipped.run_id} was made instead" if skipped.run_id else ""
        say(f"  skipped the deal of {skipped.business_date}, {second(skipped.skipped_at)} UTC{by}{instead}")
    for each in timetable.pauses:
        end = f"resumed {second(each.resumed_at)} UTC" if each.resumed_at else "STILL PAUSED"
        say(f"  paused {pause_text(each)}; {end}")
    for void in timetable.voids:
        say(
            f"  void since {second(void.voided_at)} UTC, by {void.voided_by}: the record {void.outcome} of "
            f"{void.business_date}. {void.reason}"
        )


@cells.register
def _(holiday: Holiday) -> dict[str, object]:
    return {"Day": holiday.day, "Name": holiday.name}
