"""Uploaded files of leads and numbers, and exports as downloads.

An upload is read where it is: waitress, or the parser of the form, has put it into a temporary file. A download is
complete, in a temporary file, before its first byte leaves: a slow client then holds room on the disk, and no thread.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import IO, Any, Literal, cast
from weakref import finalize

from flask import Response, request, send_file
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests, UnsupportedMediaType

from agent_funnel.do_not_contact_files import ImportedNumbers, import_numbers
from agent_funnel.errors import ImportRefused
from agent_funnel.exports import BYTES_IN_MEMORY, Format, Kind, export
from agent_funnel.files.rejects import Rejects
from agent_funnel.files.tables import Choices, Glance, glance_at
from agent_funnel.import_records import Origin, chosen_columns
from agent_funnel.imports import Imported, import_file
from agent_funnel.web.auth import address
from agent_funnel.web.bounds import RETRY_SECONDS
from agent_funnel.web.requester import actor, today
from agent_funnel.web.services import services

# The largest file that is accepted, in bytes; a million leads are half of it:
LARGEST_FILE = 64_000_000
# Exports and imports that are made at the same time, in the whole service:
EXPORTS_AT_ONCE = 2
IMPORTS_AT_ONCE = 2
# The bytes of all complete exports that clients have not yet taken:
DOWNLOADS_BYTES = 200_000_000
# How long the making of an export may take, in seconds; a million leads as XLSX take about two minutes:
EXPORT_SECONDS = 600.0
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
# The types under which browsers and programs send the files that are read; Windows calls CSV a type of Excel:
FILE_TYPES = (
    "text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/vnd.ms-excel", XLSX, ODS,
    "application/octet-stream",
)  # fmt: skip
# The most bad rows of a file of them:
MOST_REJECTS = 10_000
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "excel-csv": "text/csv; charset=utf-8", "xlsx": XLSX}


def upload_origin(way: Literal["api", "page"], file_name: str | None) -> Origin:
    """Who uploads a file, and from where. A file of a request without its name is called an upload."""
    return Origin(actor(), way, address(), file_name or "upload")


def import_upload(
    file: IO[bytes], choices: Choices, *, skip_bad: bool, update: bool, dry_run: bool, origin: Origin
) -> Imported:
    """Imports an uploaded file of leads, which is read by these choices.

    With `dry_run` it only checks the file, past all bad rows. Raises ImportRefused, and TooManyRequests if as many
    imports as are made at a time are being made.
    """
    with services().imports.take():
        return import_file(
            services().database, "leads", file, name="The file", choices=choices, zone=services().settings.timezone,
            today=today(), skip_bad=skip_bad or dry_run, update=update, dry_run=dry_run, origin=origin,
        )  # fmt: skip


def glance_at_upload(file: IO[bytes], choices: Choices, *, most: int) -> Glance | None:
    """The beginning of an uploaded file of leads; None if it cannot be read."""
    remembered = {} if choices.forget_columns else chosen_columns(services().database, "leads")
    try:
        return glance_at(file, "leads", "The file", choices, remembered=remembered, most=most)
    except ImportRefused:
        return None


def bad_rows_of_upload(file: IO[bytes], choices: Choices) -> Response:
    """The bad rows of an uploaded file of leads as a CSV file, the first thousands of them. Nothing is imported."""
    with tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY) as spool:
        rejects = Rejects(cast(IO[bytes], spool), MOST_REJECTS)
        with services().imports.take():
            import_file(
                services().database, "leads", file, name="The file", choices=choices,
                zone=services().settings.timezone, today=today(), skip_bad=True, dry_run=True, rejects=rejects,
            )  # fmt: skip
        rejects.end()
        spool.seek(0)
        response = Response(spool.read(), content_type=CONTENT_TYPES["csv"])
    response.headers["Content-Disposition"] = "attachment; filename=bad-rows.csv"
    # It holds numbers.
    response.headers.set("Cache-Control", "no-store")
    return response


def import_numbers_upload(
    file: IO[bytes], list_name: str, choices: Choices, *, replaces: bool, confirmed: bool, skip_bad: bool,
    dry_run: bool, origin: Origin,
) -> ImportedNumbers:  # fmt: skip
    """Imports an uploaded file of numbers to a do-not-contact list, as one of the imports that are made at a time."""
    with services().imports.take():
        return import_numbers(
            services().database, file, list_name=list_name, name="The file", choices=choices, replaces=replaces,
            confirmed=confirmed, skip_bad=skip_bad or dry_run, dry_run=dry_run, origin=origin,
        )  # fmt: skip


def uploaded_body() -> IO[bytes]:
    """The body of the request as a file, from its beginning; waitress keeps a large one in a temporary file.

    Raises UnsupportedMediaType if it is sent as something that is not read, and RequestEntityTooLarge if it is larger
    than the route allows.
    """
    if request.mimetype not in FILE_TYPES:
        raise UnsupportedMediaType("Send the file as text/csv, or as a workbook (XLSX, ODS); nothing was imported.")
    _ = request.stream
    file = cast(IO[bytes], request.environ["wsgi.input"])
    file.seek(0)
    return file


class _Download:
    """The temporary file of a complete export. Its bytes count until it is closed, when the client has taken it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        downloads = services().downloads
        if not downloads.take(size):
            raise TooManyRequests(
                "Other exports wait for their clients to take them, and this one found no room beside them; try again "
                "soon.",
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
                dates=dates, mask=mask, check=_check_that_it_is_worth_while(),
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
