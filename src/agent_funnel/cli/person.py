"""The commands about a person's rights: show all that is kept of a number, and erase it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.do_not_contact import entry_cells
from agent_funnel.cli.exit_codes import ExitCode
from agent_funnel.cli.options import actor_option
from agent_funnel.cli.output import Result, cells, minute, print_table, render, reports, say
from agent_funnel.do_not_contact import DoNotContact
from agent_funnel.import_records import LeadImport
from agent_funnel.person import (
    Erasure,
    Person,
    PersonAssignment,
    PersonDealt,
    PersonEdit,
    PersonLead,
    PersonOutcome,
    find_person,
    forget,
    would_forget,
)


@dataclass(frozen=True)
class Forgotten(Result):
    """An erasure, or what it would remove; `needs_yes` if it was only not made because nobody confirmed it."""

    erasure: Erasure
    needs_yes: bool

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.NOT_CONFIRMED if self.needs_yes else ExitCode.SUCCESS

    def answer(self) -> Any:
        return asdict(self.erasure)


@click.command("person")
@click.argument("number")
@pass_context
@reports
def show_person(context: Context, number: str) -> Person:
    """Show all that is kept of a person, by NUMBER in any spelling."""
    return find_person(context.database, number)


@click.command("forget")
@click.argument("number")
@click.option("--yes", "confirmed", is_flag=True, help="Erase it. Nothing brings it back.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@actor_option
@pass_context
@reports
def forget_person(context: Context, number: str, confirmed: bool, dry_run: bool, actor: str) -> Forgotten:
    """Erase all that is kept of a person, by NUMBER in any spelling.

    Runs keep their totals. A hash keeps the number out of deals when somebody stores it again.
    """
    if dry_run or not confirmed:
        return Forgotten(would_forget(context.database, number), needs_yes=not dry_run)
    return Forgotten(forget(context.database, number, actor=actor), needs_yes=False)


@render.register
def _(person: Person) -> None:
    if person.forgotten_at:
        say(f"Forgotten on {minute(person.forgotten_at)} UTC. All else has come since then.")
    say(f"Spellings: {', '.join(person.spellings) or 'none'}")
    tables: tuple[tuple[str, Sequence[Any]], ...] = (
        ("Leads", person.leads),
        ("Present assignments", person.assignments),
        ("Dealt before", person.dealt),
        ("Edits of assignments, for an undo", person.edits),
        ("Reported outcomes", person.outcomes),
        ("Do-not-contact lists", person.do_not_contact),
        ("Imports", person.imports),
    )
    for title, rows in tables:
        if rows:
            say("")
            say(f"{title}:")
            print_table([cells(row) for row in rows])
    if person.answers:
        say("")
        say(f"Stored responses to repeated requests, for a day at most: {person.answers}")


@render.register
def _(result: Forgotten) -> None:
    found = result.erasure
    say("Erased:" if found.applied else "An erasure would remove:")
    for count, meaning in (
        (found.leads, "leads"),
        (found.assignments, "present assignments"),
        (found.dealt, f"dealt leads in the history of {found.runs} runs, which keep their totals"),
        (found.edits, "edits of assignments"),
        (found.outcomes, "reported outcomes"),
        (found.listed, "entries of do-not-contact lists"),
        (found.imports, "leads on the records of imports"),
        (found.answers, "stored responses"),
    ):
        say(f"  {count} {meaning}")
    if found.forgotten_at:
        say(f"The number was forgotten before, on {minute(found.forgotten_at)} UTC.")
    if found.applied:
        say(f"  the last digits of the number in {found.audit_entries} entries of the audit")
        say(f"The certificate, which is in the audit, too: {found.certificate}")
    else:
        say("Nothing was changed." + (" To erase it, say --yes. Nothing brings it back." if result.needs_yes else ""))


# The module of that command is loaded only when somebody uses it, or here.
cells.register(DoNotContact, entry_cells)


@cells.register
def _(lead: PersonLead) -> dict[str, object]:
    return {"Number": lead.number, "Stage": lead.stage, "Date": minute(lead.date), "Rows": lead.copies}


@cells.register
def _(assignment: PersonAssignment) -> dict[str, object]:
    return {"Agent": assignment.agent, "Number": assignment.number, "Rows": assignment.copies}


@cells.register
def _(dealt: PersonDealt) -> dict[str, object]:
    return {
        "Run": f"{dealt.run_id} (undone)" if dealt.status == "undone" else dealt.run_id,
        "For": dealt.business_date,
        "Agent": dealt.agent,
        "Number": dealt.number,
        "Date": minute(dealt.date),
        "Stage before": dealt.stage,
    }


@cells.register
def _(edit: PersonEdit) -> dict[str, object]:
    return {"Before run": edit.run_id, "Agent": edit.agent, "Number": edit.number, "Rows": edit.copies}


@cells.register
def _(outcome: PersonOutcome) -> dict[str, object]:
    return {
        "Run": outcome.run_id,
        "Agent": outcome.agent,
        "Number": outcome.number,
        "Outcome": outcome.outcome,
        "Call back on": outcome.call_back_on,
        "Reported (UTC)": minute(outcome.reported_at),
        "Taken back (UTC)": minute(outcome.taken_back_at),
        "Note": outcome.note,
    }


@cells.register
def _(found: LeadImport) -> dict[str, object]:
    return {
        "Import": found.import_id,
        "Made (UTC)": minute(found.imported_at),
        "File": found.file_name,
        "Number": found.number,
        "What": "changed" if found.is_changed else "added",
        "Stage": found.stage,
        "Date": minute(found.date),
        "Before": f"{found.stage_before}, {minute(found.date_before)}" if found.is_changed else "",
    }
