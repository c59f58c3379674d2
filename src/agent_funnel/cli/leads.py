"""The commands about the do-not-contact list."""

from __future__ import annotations

from collections.abc import Mapping

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import Done, Listing, cells, minute, reports
from agent_funnel.leads import DoNotContact, add_do_not_contact, list_do_not_contact, remove_do_not_contact


@click.group("do-not-contact")
def do_not_contact_group() -> None:
    """Manage the numbers that are never dealt."""


@do_not_contact_group.command("list")
@pass_context
@reports
def list_numbers(context: Context) -> Listing:
    """List the numbers that are never dealt."""
    return Listing(list_do_not_contact(context.database), "The do-not-contact list is empty.")


@do_not_contact_group.command("add")
@click.argument("number")
@click.option("--reason", help="The reason to record.")
@pass_context
@reports
def add(context: Context, number: str, reason: str | None) -> Done:
    """Add NUMBER to the list, and remove it from the present assignments at once."""
    found = add_do_not_contact(context.database, number, reason)
    return Done(_sentences(number, found), found)


def _sentences(number: str, found: Mapping[str, int]) -> str:
    if found["listed"]:
        lines = [f"{number} was on the do-not-contact list already."]
    else:
        lines = [f"Added {number} to the do-not-contact list."]
    if found["assignments"]:
        lines.append("Removed it from the present assignments.")
    if not found["leads"]:
        lines.append("No lead has exactly this number; numbers are compared as they are written in `wafunnel`.")
    return "\n".join(lines)


@do_not_contact_group.command("remove")
@click.argument("number")
@pass_context
@reports
def remove(context: Context, number: str) -> Done:
    """Remove NUMBER from the list. The next deal may assign it again."""
    remove_do_not_contact(context.database, number)
    return Done(f"Removed {number} from the do-not-contact list.", {"removed": 1})


@cells.register
def _(entry: DoNotContact) -> dict[str, object]:
    return {"Number": entry.number, "Reason": entry.reason, "Since (UTC)": minute(entry.added_at)}
