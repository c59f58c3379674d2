"""The progress bar of long commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def row_progress(total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Shows a progress bar for rows on standard error. Without a total, it only counts. Silent in a pipe."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rows", total=total)
        yield lambda count: bar.advance(task, count)
