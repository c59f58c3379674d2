"""The commands that import files."""

from __future__ import annotations

from pathlib import Path

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import render, reports, say
from agent_funnel.cli.progress import row_progress
from agent_funnel.imports import HEADERS, Imported, import_file

# How many bad rows are printed; the others are only counted:
MOST_BAD_ROWS = 20


@click.group("import")
def import_group() -> None:
    """Import leads, agents or holidays from a CSV file.

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
    def command(context: Context, file: Path, skip_bad: bool) -> Imported:
        with row_progress() as advance:
            return import_file(context.database, kind, file, skip_bad=skip_bad, progress=advance)

    return command


for kind in HEADERS:
    import_group.add_command(import_command(kind))


@render.register
def _(imported: Imported) -> None:
    say(f"{imported.rows} rows: {imported.added} added, {imported.kept} already there, {imported.bad_rows} bad.")
    for row in imported.bad[:MOST_BAD_ROWS]:
        say(f"  line {row.line}: {row.reason}")
    if imported.bad_rows > MOST_BAD_ROWS:
        say(f"  and {imported.bad_rows - MOST_BAD_ROWS} more bad rows")
