"""What the parts of the API share: who asks, masked numbers, files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import IO, Literal, TypeVar

from flask import Response, send_file

from agent_funnel.export import export
from agent_funnel.records import last_digits
from agent_funnel.settings import Settings
from agent_funnel.web.access import identity
from agent_funnel.web.api.shapes import XLSX
from agent_funnel.web.wiring import wiring

T = TypeVar("T")

TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX}
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
