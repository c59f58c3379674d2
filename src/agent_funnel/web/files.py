"""Exports as downloads.

A download is complete, in a temporary file, before its first byte leaves: a slow client then holds space on the disk,
and no thread.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import IO, Any, cast
from weakref import finalize

from flask import Response, request, send_file
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from agent_funnel.exports import BYTES_IN_MEMORY, Format, Kind, export
from agent_funnel.sentences import sentence
from agent_funnel.web.bounds import RETRY_SECONDS
from agent_funnel.web.requester import today
from agent_funnel.web.services import services

# Exports that are made at the same time, in the whole service:
EXPORTS_AT_ONCE = 2
# The bytes of all complete exports that clients have not yet taken:
DOWNLOADS_BYTES = 200_000_000
# How long the making of an export may take, in seconds; a million leads as XLSX take about two minutes:
EXPORT_SECONDS = 600.0
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "excel-csv": "text/csv; charset=utf-8", "xlsx": XLSX}


class _Download:
    """The temporary file of a complete export. Its bytes count until it is closed, when the client has taken it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        downloads = services().downloads
        if not downloads.take(size):
            raise TooManyRequests(
                sentence(
                    "Other exports wait for their clients to take them, and this one found no room beside them; try "
                    "again soon."
                ),
                retry_after=RETRY_SECONDS,
            )
        # Without close, as with HEAD, they count until the object is gone.
        self._give_back = finalize(self, downloads.give_back, size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._file)

    def close(self) -> None:
        """Removes the file."""
        self._give_back()
        self._file.close()


def _check_that_it_is_worth_while() -> Callable[[], None]:
    """A function that ends an export that nobody waits for, or that takes too long."""
    is_gone: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    end = time.monotonic() + EXPORT_SECONDS

    def check() -> None:
        if is_gone():
            raise ServiceUnavailable("The client has gone; the export was not finished.")
        if time.monotonic() > end:
            raise ServiceUnavailable(
                f"The export took more than {EXPORT_SECONDS:.0f} s, and was ended; use the command agent-funnel export."
            )

    return check


def download(
    what: Kind,
    format: Format,
    *,
    name: str,
    run_id: int | None = None,
    agent: str | None = None,
    list_name: str | None = None,
    dates: tuple[date, date] = (date.min, date.max),
    mask: bool = False,
) -> Response:
    """An export as a download. Raises TooManyRequests if as many as are made at a time are being made."""
    with ExitStack() as stack:
        spool: IO[bytes] = stack.enter_context(tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY))
        with services().exports.take():
            export(
                services().database, what, spool, format, run_id=run_id, agent=agent, list_name=list_name,
                settings=services().settings, business_date=today(), dates=dates,
                mask=mask, check=_check_that_it_is_worth_while(),
            )  # fmt: skip
        complete = _Download(spool, spool.tell())
        spool.seek(0)
        # From here on, the response closes it.
        stack.pop_all()
    response = send_file(
        cast(IO[bytes], complete),
        mimetype=CONTENT_TYPES[format].partition(";")[0],
        as_attachment=True,
        download_name=f"{name}.{format.removeprefix('excel-')}",
    )
    # send_file allows caches to store the file, which holds numbers.
    response.headers["Cache-Control"] = "no-store"
    return response
