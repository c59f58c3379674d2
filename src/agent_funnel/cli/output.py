"""Prints what commands return: as sentences and tables for people, or as JSON.

A command returns a record, a `Listing` of records, or another `Result`. Its module registers the text for people: with
`render` for the whole, with `cells` for a row of a table. Texts from the database are printed as they are; markup in
them has no effect, and characters that act on a terminal become visible, also ends of lines, so that no name can forge
a line of ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime
from functools import singledispatch, wraps
from typing import TYPE_CHECKING, Any

import click

from agent_funnel.characters import visible, visible_json
from agent_funnel.cli.exit_codes import ExitCode, exit_code
from agent_funnel.errors import FunnelError
from agent_funnel.settings_warnings import unknown_settings

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Result:
    """The result of a command that is not a plain record: it chooses its own text, JSON or exit code."""

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.SUCCESS

    def answer(self) -> Any:
        """Returns what `--json` prints."""
        return asdict(self)


@dataclass(frozen=True)
class Reply(Result):
    """A line that says what was done, or several, and its JSON."""

    text: str | Sequence[str]
    data: Mapping[str, Any]

    def answer(self) -> Any:
        return self.data


@dataclass(frozen=True)
class Listing(Result):
    """Records of one type, to print as a table, and the sentence to print if there are none."""

    rows: Sequence[Any]
    empty: str

    def answer(self) -> Any:
        return self.rows


@singledispatch
def render(result: Any) -> None:
    """Prints a command's result for people."""
    raise TypeError(f"render() knows no {type(result).__name__}")


@singledispatch
def cells(row: Any) -> Mapping[str, object]:
    """Returns the cells of a record in a table, by the names of the columns."""
    raise TypeError(f"cells() knows no {type(row).__name__}")


@render.register
def _(result: Reply) -> None:
    for line in [result.text] if isinstance(result.text, str) else result.text:
        say(line)


@render.register
def _(result: Listing) -> None:
    if result.rows:
        print_table([cells(row) for row in result.rows])
    else:
        say(result.empty)


def reports(command: Callable[..., Any]) -> Callable[..., None]:
    """Prints what a command returns, and gives the command `--json`."""

    @click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
    @wraps(command)
    def wrapper(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            # The first argument of each command is its context.
            for text in unknown_settings(args[0].settings):
                print_warning(text)
            result = command(*args, **kwargs)
        except FunnelError as error:
            if not as_json:
                raise
            detail = {"error": type(error).__name__, "detail": str(error), "code": error.number}
            click.echo(visible_json(json.dumps(detail, ensure_ascii=False)))
            sys.exit(exit_code(error))
        if as_json:
            click.echo(visible_json(json.dumps(plain(result), ensure_ascii=False, indent=2)))
        else:
            render(result)
        if isinstance(result, Result) and result.exit_code:
            sys.exit(result.exit_code)

    return wrapper


def plain(value: Any) -> Any:
    """Returns a result as JSON types. Dates and moments become ISO 8601 texts."""
    if isinstance(value, Result):
        return plain(value.answer())
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def say(text: str) -> None:
    """Prints a line on standard output. An end of a line in it is part of a name, and becomes visible."""
    click.echo(visible(text))


def say_styled(text: str, style: str, rest: str = "") -> None:
    """Prints a line on standard output. `text`, its beginning, has the style."""
    _print_styled(_console(), text, style, rest)


def print_error(text: str) -> None:
    """Prints an error on standard error. Its further lines are indented, so that no name in it begins a line."""
    first, *more = text.split("\n")
    _print_styled(_console(stderr=True), "Error:", "bold red", f" {first}")
    for line in more:
        _print_styled(_console(stderr=True), "", "", f"  {line.removeprefix('  ')}")


def print_warning(text: str) -> None:
    """Prints a warning on standard error."""
    _print_styled(_console(stderr=True), "Warning:", "yellow", f" {text}")


def print_facts(facts: Sequence[tuple[object, str]]) -> None:
    """Prints numbers with their meanings, one on each line."""
    width = max((len(str(number)) for number, _ in facts), default=0)
    for number, meaning in facts:
        say(f"{number!s:>{width}}  {meaning}")


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Prints rows of cells as a table. A column with a whole number in it is aligned to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in rows[0]:
        table.add_column(name, justify="right" if any(isinstance(row[name], int) for row in rows) else "left")
    for row in rows:
        table.add_row(*("" if cell is None else visible(str(cell)) for cell in row.values()))
    _console().print(table)


def minute(moment: datetime | None) -> str:
    """Returns a moment to the minute, or an empty text for None."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def second(moment: datetime | None) -> str:
    """Returns a moment to the second, or an empty text for None."""
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def _console(*, stderr: bool = False) -> Console:
    """Returns a console that prints every text as it is: no markup, no emoji codes, no highlighting."""
    # rich is imported where it is needed, because most commands print plain lines and start faster without it.
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def _print_styled(console: Console, text: str, style: str, rest: str) -> None:
    from rich.text import Text

    console.print(Text.assemble((visible(text), style), visible(rest)), soft_wrap=True)
