"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


class Day(click.DateTime):
    """A date on the command line, such as 2026-12-24; commands get it as a `date`."""

    def __init__(self) -> None:
        super().__init__(formats=["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(value, param, ctx).date()


DAY = Day()

actor_option = click.option(
    "--actor", default="command line", show_default=True, help="The name of the person, for the records."
)


def rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options for the parameters of a deal. Without a rule's option, the rule that holds is taken."""
    for option in (
        click.option(
            "--newest-first/--oldest-first",
            default=None,
            help="Which leads of a stage to deal first.",
        ),
        click.option("--window-days", type=int, help="Leave out leads older than this."),
        click.option("--max-per-agent", type=int, help="Most leads for one agent."),
        click.option("--voice", help="Leads that were dealt before: fresh, or as-dealt."),
        click.option("--country", help="The country of numbers that are written without one, such as BR; or none."),
        click.option("--date", "day", type=DAY, help="The business date. Default: today in the configured time zone."),
    ):
        command = option(command)
    return command
