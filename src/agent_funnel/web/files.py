"""Uploaded files of leads, and exports as downloads."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Literal

from flask import Response, send_file

from agent_funnel.exports import BYTES_IN_MEMORY, export
from agent_funnel.imports import Imported, import_file
from agent_funnel.web.services import services

# The largest file that is accepted, in bytes; a million leads are half of it:
LARGEST_FILE = 64_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX}


def import_upload(save: Callable[[Path], object], *, skip_bad: bool, dry_run: bool) -> Imported:
    """Imports an uploaded file of leads, which `save` writes to a path.

    With `dry_run` it only checks the file, past all bad rows. Raises ImportRefused.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "leads.csv"
        save(path)
        return import_file(
            services().database, "leads", path, name="The file", skip_bad=skip_bad or dry_run, dry_run=dry_run
        )


def download(
    what: Literal["assignments", "run"],
    format: Literal["csv", "xlsx"],
    *,
    name: str,
    run_id: int | None = None,
    agent: str | None = None,
    mask: bool = False,
) -> Response:
    """An export as a download. It is complete before the first byte leaves, so that a slow client blocks nothing."""
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY)  # noqa: SIM115 the response closes it
    export(services().database, what, spool, format, run_id=run_id, agent=agent, mask=mask)
    spool.seek(0)
    response = send_file(spool, mimetype=CONTENT_TYPES[format], as_attachment=True, download_name=f"{name}.{format}")
    # send_file allows caches to store the file, which holds numbers.
    response.headers["Cache-Control"] = "no-store"
    return response
