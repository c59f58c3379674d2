"""The commands that import files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from agent_funnel.agents import agent_names
from agent_funnel.cli import import_records
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.exit_codes import ExitCode
from agent_funnel.cli.options import actor_option
from agent_funnel.cli.output import Result, render, reports, say
from agent_funnel.cli.progress import row_progress
from agent_funnel.do_not_contact_files import ImportedNumbers, import_numbers
from agent_funnel.files.columns import FIELDS
from agent_funnel.files.dates import ORDER_NAMES, DateOrder
from agent_funnel.files.rejects import Rejects
from agent_funnel.files.tables import Choices, Understood
from agent_funnel.files.tally import BadRow
from agent_funnel.import_records import Origin
from agent_funnel.imports import Imported, import_file
from agent_funnel.names import alike_names, spell
from agent_funnel.numbers import EndsAlike
from agent_funnel.outcomes_files import ImportedOutcomes, import_outcomes

# How many bad rows are printed; the others are only counted:
MOST_BAD_ROWS = 20
# How many bad rows a file of them has at most:
MOST_REJECTS = 100_000
# How many groups of names are printed; the doctor prints some, too:
MOST_GROUPS = 10
# The kinds of files that have a command of the same form:
KINDS = ("leads", "agents", "limits", "holidays")


@dataclass(frozen=True)
class ImportedAgents(Result):
    """An import of agents, and the groups of names, of all agents, that are easily taken for one another."""

    imported: Imported
    alike: list[tuple[str, ...]]

    def answer(self) -> Mapping[str, Any]:
        return {**asdict(self.imported), "alike": self.alike}


@dataclass(frozen=True)
class OutcomesAnswer(Result):
    """An import of outcomes. It fails if rows were refused."""

    imported: ImportedOutcomes

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.FAILED if self.imported.refused else ExitCode.SUCCESS

    def answer(self) -> Any:
        return asdict(self.imported)


@click.group("import")
def import_group() -> None:
    """Import leads, agents, limits, holidays, outcomes or do-not-contact numbers, or undo an import.

    Rows that are in the database already are left unchanged.
    """


class ColumnChoice(click.ParamType[Any]):
    """The column of a field on the command line, such as number=Telefone."""

    name = "field=name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        field, equals, column = value.partition("=")
        if not equals or not field:
            self.fail(f"{value!r} is not like number=Telefone", param, ctx)
        return field.strip(), column.strip()


class Delimiter(click.ParamType[Any]):
    """A delimiter on the command line: a character, or the word tab."""

    name = "character"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = "\t" if value in ("tab", "\\t") else str(value)
        if len(found) != 1 or found in "\"'\r\n":
            self.fail(f"{value!r} is not a single character or the word tab", param, ctx)
        return found


def file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say how to read a file; the command gets them as its argument `choices`."""

    @wraps(command)
    def with_choices(
        *arguments: Any,
        columns: tuple[tuple[str, str], ...],
        dates: DateOrder | None,
        sheet: str | None,
        delimiter: str | None,
        encoding: str | None,
        forget_columns: bool,
        file: Path,
        bad_rows: Path | None,
        **options: Any,
    ) -> Any:
        choices = Choices(dict(columns), dates, sheet, delimiter, encoding, forget_columns)
        with _rejects(bad_rows, file) as rejects:
            return command(*arguments, file=file, choices=choices, rejects=rejects, **options)

    decorated: Callable[..., Any] = with_choices
    for option in (
        click.option(
            "--bad-rows", "bad_rows", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
            help="Write the bad rows to this CSV file, each with its reason, to correct and import them.",
        ),
        click.option("--encoding", help="The encoding of a text file, such as cp1252."),
        click.option("--delimiter", type=Delimiter(), help="The delimiter of a text file: a character, or tab."),
        click.option("--sheet", metavar="NAME", help="The sheet of a workbook. Default: the first one."),
        click.option(
            "--dates", type=click.Choice(["dmy", "mdy", "ymd"]), help="The order of day, month and year in dates."
        ),
        click.option(
            "--forget-columns", is_flag=True,
            help="Forget the columns that were chosen before for files with these names of columns.",
        ),
        click.option(
            "--column", "columns", type=ColumnChoice(), multiple=True, metavar="FIELD=NAME",
            help="The column of a field, such as number=Telefone; without a name, the field is left out. Repeat it for "
            "other fields.",
        ),
    ):  # fmt: skip
        decorated = option(decorated)
    return decorated


@contextmanager
def _rejects(path: Path | None, source: Path) -> Iterator[Rejects | None]:
    """Opens the file for the bad rows, at `path`. It is written only if there are any, also if the import fails."""
    if path is None:
        yield None
        return
    if path.resolve() == source.resolve():
        raise click.UsageError("--bad-rows names the file that is imported; name another one.")
    with tempfile.TemporaryFile() as file:
        rejects = Rejects(file, MOST_REJECTS)
        try:
            yield rejects
        finally:
            rejects.end()
            if rejects.count:
                file.seek(0)
                try:
                    with path.open("wb") as target:
                        shutil.copyfileobj(file, target)
                except OSError as error:
                    raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error


def import_command(kind: str) -> click.Command:
    """Makes the command that imports one kind of file."""

    @click.command(
        kind,
        help=f"Import {kind} from a file: CSV or TSV in any usual form, XLSX or ODS, with the columns "
        f"{', '.join(FIELDS[kind])} under their usual names.",
    )
    @click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
    @file_options
    @click.option("--skip-bad", is_flag=True, help="Import the good rows even if the file has bad ones.")
    @actor_option
    @pass_context
    @reports
    def command(
        context: Context, file: Path, choices: Choices, rejects: Rejects | None, skip_bad: bool, actor: str,
        update: bool = False, new_agents: bool = False,
    ) -> Imported | ImportedAgents:  # fmt: skip
        with row_progress() as advance:
            imported = import_file(
                context.database,
                kind,
                file,
                choices=choices,
                zone=context.settings.timezone,
                today=context.today,
                update=update,
                skip_bad=skip_bad,
                rejects=rejects,
                progress=advance,
                origin=Origin(actor, "command"),
                new_agents=new_agents,
            )
        if kind != "agents":
            return imported
        return ImportedAgents(imported, alike_names(agent_names(context.database)))

    updates = {
        "agents": "Give agents that are there the status that the file has.",
        "leads": "Give leads that are there, in one record each, the stage and the date that the file has.",
    }
    if kind in updates:
        command.params.append(click.Option(["--update"], is_flag=True, help=updates[kind]))
    if kind == "limits":
        command.params.append(
            click.Option(["--new-agents"], is_flag=True, help="Take limits of agents who are yet to come, too.")
        )
    return command


for kind in KINDS:
    import_group.add_command(import_command(kind))


@import_group.command("do-not-contact")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@file_options
@click.option("--list", "list_name", required=True, metavar="NAME", help="The do-not-contact list.")
@click.option("--replace", "replaces", is_flag=True, help="Remove what an import put there and the file lacks.")
@click.option("--yes", "confirmed", is_flag=True, help="Replace even if that removes more than a tenth of it.")
@click.option("--skip-bad", is_flag=True, help="Import the good rows even if the file has bad ones.")
@click.option("--dry-run", is_flag=True, help="Only say what the import would do.")
@actor_option
@pass_context
@reports
def import_do_not_contact_file(
    context: Context, file: Path, choices: Choices, rejects: Rejects | None, list_name: str, replaces: bool,
    confirmed: bool, skip_bad: bool, dry_run: bool, actor: str,
) -> ImportedNumbers:  # fmt: skip
    """Import numbers that are never dealt from FILE: a column of numbers and perhaps of reasons, or a number a line.

    They leave the present assignments at once. What a person put on the list stays there in any case.
    """
    with row_progress() as advance:
        return import_numbers(
            context.database,
            file,
            list_name=list_name,
            choices=choices,
            replaces=replaces,
            confirmed=confirmed,
            skip_bad=skip_bad or dry_run,
            dry_run=dry_run,
            rejects=rejects,
            progress=advance,
            origin=Origin(actor, "command"),
        )


import_group.add_command(import_records.undo_import)


@import_group.command("outcomes")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@file_options
@click.option("--skip-bad", is_flag=True, help="Import the good rows even if the file has bad ones.")
@click.option("--dry-run", is_flag=True, help="Only check the file.")
@actor_option
@pass_context
@reports
def import_outcomes_file(
    context: Context, file: Path, choices: Choices, rejects: Rejects | None, skip_bad: bool, dry_run: bool, actor: str
) -> OutcomesAnswer:
    """Import what came of leads from FILE: a column of numbers, one of outcomes, and perhaps more.

    The same file a second time adds nothing. A row that is refused, such as that of a lead that the last deal did not
    hand out, stops no other.
    """
    with row_progress() as advance:
        imported = import_outcomes(
            context.database, file, actor=actor, now=datetime.now(UTC), zone=context.settings.timezone,
            choices=choices, skip_bad=skip_bad or dry_run, dry_run=dry_run, rejects=rejects, progress=advance,
            origin=Origin(actor, "command"),
        )  # fmt: skip
    return OutcomesAnswer(imported)


@render.register
def _(result: OutcomesAnswer) -> None:
    imported = result.imported
    if imported.dry_run:
        say(f"Nothing was changed. Of {imported.rows} rows, {imported.bad_rows} cannot be read.")
    else:
        say(
            f"{imported.rows} rows: {imported.added} added, {imported.kept} already there, {imported.refused} refused, "
            f"{imported.bad_rows} bad."
        )
    _say_understood(imported.understood)
    _say_bad_rows(imported.bad, imported.bad_rows + imported.refused)


@render.register
def _(imported: Imported) -> None:
    changed = f"{imported.changed} changed, " if imported.changed else ""
    say(
        f"{imported.rows} rows: {imported.added} added, {changed}{imported.kept} already there, "
        f"{imported.bad_rows} bad."
    )
    _say_kept_rows(imported)
    _say_understood(imported.understood)
    _say_bad_rows(imported.bad, imported.bad_rows)
    if imported.import_id:
        say(f"It is import {imported.import_id} (agent-funnel imports show {imported.import_id}).")


def _say_kept_rows(imported: Imported) -> None:
    """Says what was there already in another way, and what no deal will hand out."""
    if imported.listed:
        say(f"{imported.listed} of them are on a do-not-contact list, and are never dealt.")
    _say_alike(imported.ends_alike)
    if imported.respelled:
        say(f"{imported.respelled} were there already in another spelling.")
    if imported.differing:
        say(f"{imported.differing} differ from the file; they were not changed.")
    for row in imported.kept_rows[:MOST_BAD_ROWS]:
        say(f"  line {row.line}: {row.there}")
    if len(imported.kept_rows) > MOST_BAD_ROWS:
        say("  and others")


def _say_alike(alike: EndsAlike | None) -> None:
    """Warns of numbers that are stored with, or without, their country code."""
    if alike is not None:
        say(f"Warning: {alike.text} Set the country, as in: agent-funnel rules set country BR.")


def _say_understood(understood: Understood) -> None:
    """Says how the file was read, where that is not plain from the file."""
    columns = ", ".join(f"{field} from {name!r}" for field, name in understood.columns.items() if field != name)
    if columns:
        say(f"Columns: {columns}.")
    if understood.left_out:
        say(f"Left out: {', '.join(map(repr, understood.left_out))}.")
    if understood.dates:
        say(f"Dates were read with the {ORDER_NAMES[understood.dates]}.")
    for note in understood.notes:
        say(note)


def _say_bad_rows(bad: Sequence[BadRow], count: int) -> None:
    for row in bad[:MOST_BAD_ROWS]:
        say(f"  line {row.line}: {row.reason}")
    if count > MOST_BAD_ROWS:
        say(f"  and {count - MOST_BAD_ROWS} more bad rows")


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
    _say_alike(imported.ends_alike)
    _say_understood(imported.understood)
    if imported.needs_confirmation and imported.dry_run:
        say("That removes more than a tenth of what imports put on the list, so the import needs --yes.")
    _say_bad_rows(imported.bad, imported.bad_rows)


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
