"""The command that shows what came of the leads that were dealt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.options import DAY
from agent_funnel.cli.output import Result, print_table, render, reports, say
from agent_funnel.results import (
    FEWEST,
    GROUPS,
    RATES,
    USUAL_DAYS,
    Estimate,
    GroupResult,
    Results,
    count_results,
    usual_span,
)

# The names of the groups, and of the columns of the rates:
NAMES = {"agents": "Agent", "stages": "Stage", "classes": "Class", "nights": "Night", "imports": "Import"}
RATE_NAMES = {
    "penetration": "Penetration", "contact_rate": "Contact rate", "conversion": "Conversion",
    "list_conversion": "Won of dealt",
}  # fmt: skip


@dataclass(frozen=True)
class ShownResults(Result):
    """Results, of which people see one group."""

    results: Results
    by: str

    def answer(self) -> Any:
        return self.results


@click.command("results")
@click.option("--from", "date_from", type=DAY, help=f"The first business date. Default: {USUAL_DAYS} dates in all.")
@click.option("--to", "date_to", type=DAY, help="The last business date. Default: today in the configured time zone.")
@click.option("--by", type=click.Choice(GROUPS), default="agents", show_default=True, help="One row for each of these.")
@pass_context
@reports
def show_results(context: Context, date_from: date | None, date_to: date | None, by: str) -> ShownResults:
    """Show what came of the leads that were dealt, with rates.

    Penetration is reported of dealt, contact rate reached of reported, conversion won of reached. Each rate has its
    95 % interval. A place from 2 to 5 means that the intervals cannot tell these places apart.
    """
    today = datetime.now(UTC).astimezone(context.settings.timezone).date()
    return ShownResults(count_results(context.database, *usual_span(today, date_from, date_to)), by)


@render.register
def _(shown: ShownResults) -> None:
    found = shown.results
    rows: tuple[GroupResult, ...] = getattr(found, shown.by)
    say(f"{found.deals} deal{'' if found.deals == 1 else 's'} from {found.date_from} to {found.date_to}.")
    if rows:
        rows = (*rows, replace(found.total, name="All"))
        print_table([_amounts(each, shown.by) for each in rows])
        # Apart, because a terminal has no room for both.
        print_table([_rates(each, shown.by) for each in rows])
        say(f"Rates are in percent, with their intervals. –: fewer than {FEWEST}, so not enough yet.")
    if found.called_now is not None:
        say(f"Agents are still calling the leads of run {found.called_now}.")
    for leads, why in ((found.undone, "were undone"), (found.purged, "have no history any longer")):
        if leads:
            say(f"{leads} runs do not count: they {why}.")


def _amounts(row: GroupResult, by: str) -> dict[str, object]:
    cells: dict[str, object] = {
        NAMES[by]: row.name or "none on record",
        **({"File": row.label} if by == "imports" else {}),
        "Dealt": row.dealt,
        "Handed back": row.not_worked,
        "Reported": row.reported,
        "Reached": row.reached,
        "Won": row.won,
    }
    if by == "agents":
        cells["Place"] = _place(row)
    return cells


def _rates(row: GroupResult, by: str) -> dict[str, object]:
    return {NAMES[by]: row.name or "none", **{RATE_NAMES[rate]: _rate(getattr(row, rate)) for rate in RATES}}


def _rate(rate: Estimate | None) -> str:
    return f"{100 * rate.rate:.1f} ({100 * rate.low:.1f}–{100 * rate.high:.1f})" if rate else "–"


def _place(row: GroupResult) -> str:
    if row.best_place is None or row.best_place == row.worst_place:
        return "–" if row.best_place is None else str(row.best_place)
    return f"{row.best_place}–{row.worst_place}"
