"""The command that shows how long the leads last."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import print_table, print_warning, render, reports, say
from agent_funnel.runs import DEALT_STAGES
from agent_funnel.schedule.runway import Runway, RunwayNight, RunwayTotals, Scenario, runway

# Why a date has no deal:
OFF_NAMES = {
    "holiday": "holiday",
    "weekday": "no deal that day",
    "skipped": "skipped",
    "paused": "paused",
    "nobody": "nobody has room",
}


@click.command("runway")
@pass_context
@reports
def show_runway(context: Context) -> Runway:
    """Show how long the leads last: the deals of the next two weeks.

    They are computed at tonight's roster, with the limits and absences of each date. New leads are expected as on the
    same weekdays of the last four weeks: a range is from few to many new leads.
    """
    return runway(context.database, context.settings, now=datetime.now(UTC))


@render.register
def _(found: Runway) -> None:
    print_table([_cells(night) for night in found.nights])
    low, high = found.as_is.low, found.as_is.high
    if found.has_deals:
        say(_how_long(found))
    else:
        say(f"There is no deal in the next {len(found.nights)} days.")
    say(
        f"{_range(low.expired, high.expired)} leads become older than {found.window_days} days with calls left, "
        f"{_range(low.never_called, high.never_called)} of them never called."
    )
    say(_change("One agent more", found.as_is, found.one_more))
    if found.one_fewer:
        say(_change("One agent fewer", found.as_is, found.one_fewer))
    if found.weeks < 4:
        print_warning(f"New leads are expected by those of {found.weeks} whole weeks; there are no older leads.")


def _cells(night: RunwayNight) -> dict[str, object]:
    low, high = night.low, night.high
    return {
        "Date": night.business_date,
        "Agents": OFF_NAMES[night.off] if night.off else str(night.agents),
        **{f"Stage {stage}": _range(low.by_stage[stage], high.by_stage[stage]) for stage in DEALT_STAGES},
        "Pool": _range(low.pool, high.pool),
        "Dealt": _range(low.dealt, high.dealt),
        "Left over": _range(low.left_over, high.left_over),
        "Too old": _range(low.expired, high.expired),
    }


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{min(low, high)} to {max(low, high)}"


def _how_long(found: Runway) -> str:
    """How long the leads last, in the words of the pages."""
    alone, low, high = found.without_new, found.as_is.low, found.as_is.high
    without = f"the leads last {_lasting(alone, found)}"
    if not found.weeks:
        return f"Without new leads, {without}."
    if alone.lasts == low.lasts == high.lasts:
        return f"With or without new leads, {without}."
    weeks = "week" if found.weeks == 1 else f"{found.weeks} weeks"
    expected = _lasting(low, found, at_least=low.lasts != high.lasts)
    return f"Without new leads, {without}; with as many as in the last {weeks}, {expected}."


def _lasting(totals: RunwayTotals, found: Runway, *, at_least: bool = False) -> str:
    if totals.lasts is None:
        return f"for all of the next {len(found.nights)} days"
    if totals.lasts == 0:
        return "not even for the next deal"
    return f"{'at least ' if at_least else ''}until {totals.lasts_until}"


def _change(name: str, before: Scenario, after: Scenario) -> str:
    dealt = _range(after.low.dealt - before.low.dealt, after.high.dealt - before.high.dealt)
    expired = _range(after.low.expired - before.low.expired, after.high.expired - before.high.expired)
    return f"{name}: {dealt} more leads dealt, {expired} more leads too old."
