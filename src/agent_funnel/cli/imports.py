"""The commands that import files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from agent_funnel.agents import agent_names
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import Result, render, reports, say
from agent_funnel.cli.progress import row_progress
from agent_funnel.do_not_contact_files import ImportedNumbers, import_numbers
from agent_funnel.imports import HEADERS, Imported, import_file
from agent_funnel.names import alike_names, spell

# How many bad rows are printed; the others are only counted:
MOST_BAD_ROWS = 20
# How many groups of names are printed; the doctor prints some, too:
MOST_GROUPS = 10


@dataclass(frozen=True)
class ImportedAgents(Result):
    """An import of agents, and the groups of names, of all agents, that are easily taken for one another."""

    imported: Imported
    alike: list[tuple[str, ...]]

    def answer(self) -> Mapping[str, Any]:
        return {**asdict(self.imported), "alike": self.alike}


@click.group("import")
def import_group() -> None:
    """Import leads, agents, holidays or do-not-contact numbers from a file.

    Rows that are in the database already are left unchanged.
    """


def import_command(kind: str) -> click.Command:
    """Makes the command that imports one kind of file."""
    header = ",".join(HEADERS[kind])

    @click.command(kind, help=f"Import {kind} from a CSV file (UTF-8) with the header {header}.")
    @click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
    @click.option("--skip-bad", is_flag=True, help="Import the good rows even if the file has bad ones.")
    @pass_context
    @reports
    def command(context: Context, file: Path, skip_bad: bool) -> Imported | ImportedAgents:
        with row_progress() as advance:
            imported = import_file(context.database, kind, file, skip_bad=skip_bad, progress=advance)
        if kind != "agents":
            return imported
        return ImportedAgents(imported, alike_names(agent_names(context.database)))

    return command


for kind in HEADERS:
    import_group.add_command(import_command(kind))


@import_group.command("do-not-contact")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--list", "list_name", required=True, metavar="NAME", help="The do-not-contact list.")
@click.option("--replace", "replaces", is_flag=True, help="Remove what an import put there and the file lacks.")
@click.option("--yes", "confirmed", is_flag=True, help="Replace even if that removes more than a tenth of it.")
@click.option("--skip-bad", is_flag=True, help="Import the good rows even if the file has bad ones.")
@click.option("--dry-run", is_flag=True, help="Only say what the import would do.")
@pass_context
@reports
def import_do_not_contact_file(
    context: Context, file: Path, list_name: str, replaces: bool, confirmed: bool, skip_bad: bool, dry_run: bool
) -> ImportedNumbers:
    """Import numbers that are never dealt from FILE: CSV with a column number and perhaps reason, or a number a line.

    They leave the present assignments at once. What a person put on the list stays there in any case.
    """
    with row_progress() as advance:
        return import_numbers(
            context.database,
            file,
            list_name=list_name,
            replaces=replaces,
            confirmed=confirmed,
            skip_bad=skip_bad or dry_run,
            dry_run=dry_run,
            progress=advance,
        )


@render.register
def _(imported: Imported) -> None:
    say(f"{imported.rows} rows: {imported.added} added, {imported.kept} already there, {imported.bad_rows} bad.")
    _say_bad_rows(imported)


def _say_bad_rows(imported: Imported | ImportedNumbers) -> None:
    for row in imported.bad[:MOST_BAD_ROWS]:
        say(f"  line {row.line}: {row.reason}")
    if imported.bad_rows > MOST_BAD_ROWS:
        say(f"  and {imported.bad_rows - MOST_BAD_ROWS} more bad rows")


@render.register
def _(imported: ImportedNumbers) -> None:
    if imported.dry_run:
        say("Nothing was changed. The import would do this:")
    counts = f"{imported.added} added, {imported.kept} already there, {imported.bad_rows} bad"
    say(f"{imported.rows} rows for the list {imported.list_name}: {counts}; {imported.removed} removed from the list.")
    say(
        f"The numbers of the file match {imported.leads} stored leads and {imported.assignments} present assignments"
        f"{'.' if imported.dry_run else ', which were removed.'}"
    )
    if imported.needs_confirmation and imported.dry_run:
        say("That removes more than a tenth of what imports put on the list, so the import needs --yes.")
    _say_bad_rows(imported)


@render.register
def _(result: ImportedAgents) -> None:
    render(result.imported)
    if not result.alike:
        return
    say(
        "Warning: these names differ only in case, blanks, accents or Unicode form. If they are one person, deactivate "
        "all but one: otherwise each gets a share."
    )
    for group in result.alike[:MOST_GROUPS]:
        say(f"  {', '.join(map(spell, group))}")
    if len(result.alike) > MOST_GROUPS:
        say(f"  and {len(result.alike) - MOST_GROUPS} more groups")
