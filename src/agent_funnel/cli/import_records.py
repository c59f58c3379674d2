"""The commands about imports on record: list them, show one, undo one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import click

from agent_funnel import import_records
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.options import actor_option
from agent_funnel.cli.output import Listing, Result, cells, minute, print_facts, render, reports, say, second
from agent_funnel.import_records import (
    Batch,
    ImportRecord,
    UndoneImport,
    batch_of,
    find_import,
    would_undo_import,
)


@dataclass(frozen=True)
class ImportDetails(Result):
    """An import on record, and what became of its leads; None for an import of other things."""

    record: ImportRecord
    batch: Batch | None

    def answer(self) -> Mapping[str, Any]:
        return {**asdict(self.record), "batch": self.batch}


@dataclass(frozen=True)
class ImportUndo(Result):
    """The undo of an import, or with `dry_run` what it would do."""

    undone: UndoneImport
    dry_run: bool

    def answer(self) -> Mapping[str, Any]:
        return {**asdict(self.undone), "dry_run": self.dry_run}


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options for listing imports."""
    for option in (
        click.option("--before", type=int, metavar="IMPORT_ID", help="List only imports before this one."),
        click.option("--count", type=click.IntRange(1, 1000), default=30, show_default=True, help="The most to list."),
    ):
        command = option(command)
    return command


@click.group("imports", invoke_without_command=True)
@list_options
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def imports_group(context: click.Context, /, **options: Any) -> None:
    """List the imports on record, or show one.

    Each is on record with who imported which file, how, and what became of its leads. Without a command, list the
    newest imports.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_imports, **options)


@imports_group.command("list")
@list_options
@pass_context
@reports
def list_imports(context: Context, count: int, before: int | None) -> Listing:
    """List the newest imports."""
    found = import_records.list_imports(context.database, count=count, before=before)
    return Listing(found, "There are no imports.")


@imports_group.command("show")
@click.argument("import_id", type=int)
@pass_context
@reports
def show_import(context: Context, import_id: int) -> ImportDetails:
    """Show an import: its file, the rules by which it was read, and what became of its leads."""
    found = find_import(context.database, import_id)
    return ImportDetails(found, batch_of(context.database, import_id) if found.kind == "leads" else None)


@click.command("undo")
@click.argument("import_id", type=int)
@click.option("--dry-run", is_flag=True, help="Only say what the undo would do.")
@actor_option
@pass_context
@reports
def undo_import(context: Context, import_id: int, dry_run: bool, actor: str) -> ImportUndo:
    """Take back the leads, agents, limits or holidays that an import added, and put back those that it changed.

    What somebody has changed since stays as it is, and so does a lead whose number a run has dealt since, or an agent
    who has leads, limits or a link.
    """
    if dry_run:
        return ImportUndo(would_undo_import(context.database, import_id), dry_run=True)
    return ImportUndo(import_records.undo_import(context.database, import_id, actor=actor), dry_run=False)


@cells.register
def _(record: ImportRecord) -> dict[str, object]:
    return {
        "Import": record.import_id,
        "Made (UTC)": minute(record.imported_at),
        "What": record.kind,
        "File": record.file_name,
        "By": record.actor,
        "Rows": record.rows,
        "Added": record.added,
        "Undone (UTC)": minute(record.undone_at),
    }


@render.register
def _(details: ImportDetails) -> None:
    record = details.record
    by = f" by {record.actor}" if record.actor else ""
    address = f" {record.address}" if record.address else ""
    say(f"Import {record.import_id} of {record.kind}: {record.file_name}")
    say(f"  made {second(record.imported_at)} UTC{by}, from: {record.source}{address}")
    say(f"  SHA-256 {record.sha256}")
    for name, value in record.rules.items():
        shown = ", ".join(f"{key} from {each!r}" for key, each in value.items()) if isinstance(value, dict) else value
        say(f"  {name.replace('_', ' ')}: {shown}")
    print_facts(
        [
            (record.rows, "rows of data"),
            (record.added, "added"),
            (record.changed, "changed"),
            (record.kept, "already there"),
            (record.bad_rows, "bad"),
            *([(record.removed, "removed from the list")] if record.removed else []),
        ]
    )
    if record.undone_at:
        say(
            f"Undone {second(record.undone_at)} UTC by {record.undone_by or 'somebody'}: "
            f"{record.taken_back} {record.kind} taken back, {record.put_back} put back, {record.left_alone} left."
        )
    if details.batch:
        say("Its leads now:")
        print_facts(batch_facts(details.batch))


def batch_facts(batch: Batch) -> list[tuple[object, str]]:
    """What became of the leads of an import."""
    return [
        (batch.never_called, "never called"),
        (batch.called_once, "called once"),
        (batch.called_twice, "called twice"),
        (batch.finished, "finished"),
        (batch.gone, "in the table no more"),
        *([(batch.other, "with an invalid stage")] if batch.other else []),
    ]


@render.register
def _(result: ImportUndo) -> None:
    undone = result.undone
    if result.dry_run:
        say("Nothing was changed. The undo would do this:")
    else:
        say(f"Undid import {undone.import_id}.")
    print_facts(
        [
            (undone.taken_back, "taken back"),
            (undone.put_back, "put back as they were"),
            (undone.left_alone, "left, because they were changed or used since"),
        ]
    )
