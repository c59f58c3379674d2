"""What the parts of the API share: who asks, masked numbers, files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import IO, Any, Literal, TypeVar

from flask import Response, send_file

from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.export import export
from agent_funnel.records import last_digits
from agent_funnel.settings import Settings
from agent_funnel.web.access import identity
from agent_funnel.web.api.shapes import PAGE, XLSX
from agent_funnel.web.wiring import wiring

T = TypeVar("T")
K = TypeVar("K")

TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX}
# How many rows of a list one may go on for who may not see the numbers in it:
FAR = 10_000
# What stays in memory of a file on its way out:
IN_MEMORY = 1_000_000


def today() -> date:
    """Today on the floor."""
    given = wiring()
    return given.now().astimezone(given.settings.timezone).date()


def actor() -> str:
    """Who asks, for the record of a run."""
    return f"http: {identity().name}"


def sees_numbers() -> bool:
    """Whether who asks may see whole numbers; viewers see their last three digits."""
    return identity().may("operator")


def shown(records: Iterable[T]) -> list[T]:
    """Records with a `number`, as who asks may see them."""
    if sees_numbers():
        return list(records)
    return [replace(record, number=last_digits(record.number)) for record in records]  # type: ignore[type-var, attr-defined]


def page(after: Any, count: int, fetch: Callable[[Any, int], list[T]], key: Callable[[T], K]) -> tuple[list[T], Any]:
    """A page of a list by number, and after what the next one begins; None if there is none.

    Whoever sees numbers goes on after the key of the last row. For others that would tell the number, so they go on
    after a count of rows, and not too far, since the rows before are read each time.
    """
    if sees_numbers():
        rows = fetch(after, count)
        return rows, key(rows[-1]) if len(rows) == count else None
    skipped = after[0] if after else 0
    if skipped > FAR:
        raise ParameterOutOfRange(
            f"Without the right to see numbers a list goes on for {FAR} rows; look for less, or take it as a file."
        )
    position, left = None, skipped
    while left:
        passed = fetch(position, min(left, PAGE))
        if not passed:
            return [], None
        position, left = key(passed[-1]), left - len(passed)
    rows = fetch(position, count)
    return rows, (skipped + count,) if len(rows) == count else None


def file(what: Literal["assignments", "run"], format: Literal["csv", "xlsx"], run_id: int | None = None) -> Response:
    """An export as an answer. It is whole, on disk, before the first byte leaves: a slow client holds nothing up."""
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 the answer closes it
    export(wiring().backend, what, spool, format, run_id=run_id, mask=not sees_numbers())
    spool.seek(0)
    name = f"{what}-{run_id}.{format}" if run_id else f"{what}.{format}"
    return send_file(spool, mimetype=TYPES[format], as_attachment=True, download_name=name, max_age=0)


def with_rules(settings: Settings, **rules: object) -> Settings:
    """The settings, with those parameters of the deal that are given."""
    return settings.model_copy(update={name: value for name, value in rules.items() if value is not None})
