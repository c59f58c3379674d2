"""The command that exports what the database has to a file."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, get_args

import click

from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.options import DAY
from agent_funnel.cli.output import Result, render, reports, say
from agent_funnel.exports import Format, Kind, export

# As a file name, this is standard output:
STANDARD_OUTPUT = "-"


@dataclass(frozen=True)
class Exported(Result):
    """A finished export: the number of rows, the file, and the format."""

    rows: int
    file: str
    format: str


@click.command("export")
@click.argument("what", type=click.Choice(get_args(Kind)))
@click.argument("run_id", type=int, required=False)
@click.option(
    "--format", "kind", type=click.Choice(get_args(Format)), default="csv", show_default=True,
    help="csv for programs; excel-csv for people who open it in a spreadsheet; or a workbook.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), default=STANDARD_OUTPUT, metavar="FILE",
    help="The file to write. Default: standard output.",
)  # fmt: skip
@click.option("--mask", is_flag=True, help="Write only the last three digits of each number.")
@click.option("--list", "list_name", metavar="NAME", help="Only this do-not-contact list. Default: all lists.")
@click.option("--from", "date_from", type=DAY, help="Results only: the first business date. Default: all.")
@click.option("--to", "date_to", type=DAY, help="Results only: the last business date. Default: all.")
@pass_context
@reports
def export_rows(
    context: Context,
    what: Kind,
    run_id: int | None,
    kind: Format,
    output: str,
    mask: bool,
    list_name: str | None,
    date_from: date | None,
    date_to: date | None,
) -> Exported:
    """Export the present assignments, the leads that a run dealt, and the other lists.

    `export run` needs RUN_ID; with one, `export outcomes` has only those of that run. What can be imported is exported
    in the form in which it can be imported again. An existing file is replaced only when the new one is complete.
    """
    if (what == "run" and run_id is None) or (what not in ("run", "outcomes") and run_id is not None):
        raise click.UsageError("`export run` needs RUN_ID, `export outcomes` may have one; the others take none.")
    if list_name is not None and what != "do-not-contact":
        raise click.UsageError("Only `export do-not-contact` takes --list.")
    if what != "results" and (date_from or date_to):
        raise click.UsageError("Only `export results` takes --from and --to.")
    if output == STANDARD_OUTPUT and click.get_current_context().params["as_json"]:
        raise click.UsageError("With --json, name a file with -o, because the answer goes to standard output.")
    if output == STANDARD_OUTPUT and kind == "xlsx" and sys.stdout.isatty():
        raise click.UsageError("A terminal shows no workbook: name a file with -o.")
    with _complete_file(output) as file:
        rows = export(
            context.database, what, file, kind, run_id=run_id, list_name=list_name, settings=context.settings,
            business_date=context.today, mask=mask,
            dates=(date_from or date.min, date_to or (context.today if what == "call-backs" else date.max)),
        )  # fmt: skip
    return Exported(rows, output, kind)


@contextmanager
def _complete_file(path: str) -> Iterator[IO[bytes]]:
    """Opens a file that replaces the one at `path` only when it is complete; `-` is standard output."""
    if path == STANDARD_OUTPUT:
        with _terminal() if sys.stdout.isatty() else nullcontext(sys.stdout.buffer) as file:
            yield file
        return
    target = Path(path)
    # A pipe or a device cannot be replaced by a file, so it is written to directly.
    part = target if target.exists() and not target.is_file() else target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        if part != target:
            part.replace(target)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        if part != target:
            part.unlink(missing_ok=True)


@contextmanager
def _terminal() -> Iterator[IO[bytes]]:
    """Takes CSV, and then prints its rows: each is a line, in which no character acts on the terminal."""
    with tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        row = ""
        for line in io.TextIOWrapper(file, encoding="utf-8-sig", newline="\r\n"):
            row += line
            # Within quotation marks, the end of a line is a part of a name.
            if row.count('"') % 2 == 0:
                say(row.removesuffix("\r\n"))
                row = ""


@render.register
def _(exported: Exported) -> None:
    if exported.file != STANDARD_OUTPUT:
        say(f"Wrote {exported.rows} rows to {exported.file}.")
