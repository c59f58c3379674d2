"""The commands about the do-not-contact lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import Listing, Reply, cells, minute, reports
from agent_funnel.do_not_contact import (
    LONGEST_BOUND_DAYS,
    OWN_REQUESTS,
    USUAL_BOUND_DAYS,
    DoNotContact,
    NumberList,
    add_do_not_contact,
    add_number_list,
    add_several,
    list_do_not_contact,
    look_up_several,
    number_lists,
    remove_do_not_contact,
    remove_several,
)

list_option = click.option(
    "--list", "list_name", default=OWN_REQUESTS, show_default=True, metavar="NAME", help="The list."
)

file_option = click.option(
    "--file", type=click.File("r", encoding="utf-8-sig"), metavar="FILE",
    help="A file with a number a line; - is standard input.",
)  # fmt: skip


@click.group("do-not-contact")
def do_not_contact_group() -> None:
    """Manage the numbers that are never dealt."""


@do_not_contact_group.command("list")
@click.option("--list", "list_name", metavar="NAME", help="Only the numbers of this list. Default: of all lists.")
@pass_context
@reports
def list_numbers(context: Context, list_name: str | None) -> Listing:
    """List the numbers that are never dealt."""
    name = "do-not-contact list" if list_name is None else f"list {list_name}"
    return Listing(list_do_not_contact(context.database, list_name=list_name), f"The {name} is empty.")


@do_not_contact_group.command("lists")
@pass_context
@reports
def show_lists(context: Context) -> Listing:
    """List the do-not-contact lists, with their sizes and ages."""
    return Listing(number_lists(context.database, datetime.now(UTC)), "There is no do-not-contact list.")


@do_not_contact_group.command("create")
@click.argument("name")
@click.option("--reason", help="Why these numbers are never dealt.")
@click.option("--source", help="Where the numbers come from.")
@click.option(
    "--bound-days", type=click.IntRange(0, LONGEST_BOUND_DAYS), default=USUAL_BOUND_DAYS, show_default=True,
    help="The greatest age of the last import, before you are warned; 0 if the list never ages.",
)  # fmt: skip
@pass_context
@reports
def create(context: Context, name: str, reason: str | None, source: str | None, bound_days: int) -> Reply:
    """Create the do-not-contact list NAME."""
    add_number_list(context.database, name, reason=reason, source=source, bound_days=bound_days or None)
    return Reply(f"Created the do-not-contact list {name}.", {"created": name})


@do_not_contact_group.command("add")
@click.argument("numbers", nargs=-1, metavar="NUMBER...")
@file_option
@click.option("--reason", help="The reason to record.")
@list_option
@pass_context
@reports
def add(context: Context, numbers: Sequence[str], file: TextIO | None, reason: str | None, list_name: str) -> Reply:
    """Add one NUMBER or several to a list, all or none, and remove them from the present assignments at once."""
    numbers = _given(numbers, file)
    if len(numbers) == 1:
        found = add_do_not_contact(context.database, numbers[0], reason, list_name=list_name)
        return Reply(_sentences(numbers[0], found), found)
    taken = add_several(context.database, numbers, reason, list_name=list_name)
    counts = {name: getattr(taken, name) for name in ("numbers", "kept", "assignments", "leads")}
    return Reply(
        [
            f"Added {taken.numbers - taken.kept} numbers to the list {list_name}; {taken.kept} were on it already.",
            f"They match {taken.leads} stored leads and {taken.assignments} present assignments, which were removed.",
        ],
        counts,
    )


def _given(numbers: Sequence[str], file: TextIO | None) -> list[str]:
    """The numbers of the arguments, and of the lines of a file."""
    try:
        found = [*numbers, *(line.strip() for line in file or () if line.strip())]
    except UnicodeDecodeError as error:
        raise click.UsageError("The file is not UTF-8 text; save it as UTF-8. Nothing was changed.") from error
    if not found:
        raise click.UsageError("Name at least one number, or a file with --file.")
    return found


@do_not_contact_group.command("look-up")
@click.argument("numbers", nargs=-1, metavar="NUMBER...")
@file_option
@pass_context
@reports
def look_up(context: Context, numbers: Sequence[str], file: TextIO | None) -> Listing:
    """Show on which lists each NUMBER is, in any spelling."""
    return Listing(look_up_several(context.database, _given(numbers, file)), "No list has any of these numbers.")


def _sentences(number: str, found: Mapping[str, int]) -> list[str]:
    if found["listed"]:
        lines = [f"{number} was on the do-not-contact list already."]
    else:
        lines = [f"Added {number} to the do-not-contact list."]
    if found["assignments"]:
        lines.append("Removed it from the present assignments.")
    if not found["leads"]:
        lines.append("No lead has this number, in any spelling.")
    return lines


@do_not_contact_group.command("remove")
@click.argument("numbers", nargs=-1, metavar="NUMBER...")
@file_option
@list_option
@pass_context
@reports
def remove(context: Context, numbers: Sequence[str], file: TextIO | None, list_name: str) -> Reply:
    """Remove one NUMBER or several from a list. Those on no other list may be assigned again by the next deal."""
    numbers = _given(numbers, file)
    if len(numbers) > 1:
        removed = remove_several(context.database, numbers, list_name=list_name)
        return Reply(f"Removed {removed} of {len(numbers)} numbers from the list {list_name}.", {"removed": removed})
    remove_do_not_contact(context.database, numbers[0], list_name=list_name)
    return Reply(f"Removed {numbers[0]} from the do-not-contact list.", {"removed": 1})


@cells.register
def _(each: NumberList) -> dict[str, object]:
    return {
        "List": each.name,
        "Numbers": each.entries,
        "Imported": each.imported,
        "Last import (UTC)": minute(each.imported_at),
        "Age in days": each.age_days,
        "Bound in days": "" if each.bound_days is None else each.bound_days,
        "Reason": each.reason,
        "Source": each.source,
    }


@cells.register
def entry_cells(entry: DoNotContact) -> dict[str, object]:
    """The cells of a number on a list, for a person's commands, too."""
    return {
        "Number": entry.number,
        "List": entry.list_name,
        "Reason": entry.reason,
        "Since (UTC)": minute(entry.added_at),
    }
