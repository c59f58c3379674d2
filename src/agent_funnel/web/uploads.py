"""Uploaded files that are imported, or only checked.

An upload is read where it is: waitress, or the parser of the form, has put it into a temporary file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, Literal, cast

from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from agent_funnel.do_not_contact import OWN_REQUESTS
from agent_funnel.do_not_contact_files import ImportedNumbers, import_numbers
from agent_funnel.errors import ImportRefused
from agent_funnel.exports import BYTES_IN_MEMORY
from agent_funnel.files.rejects import Rejects
from agent_funnel.files.tables import Choices, Glance, glance_at
from agent_funnel.import_records import Origin, chosen_columns
from agent_funnel.imports import BadRows, Imported, import_file
from agent_funnel.sentences import sentence
from agent_funnel.web.auth import address
from agent_funnel.web.files import CONTENT_TYPES, XLSX
from agent_funnel.web.requester import actor, today
from agent_funnel.web.services import services

# The name of an uploaded file in messages:
THE_FILE = sentence("The file")
# The largest file that is accepted, in bytes; a million leads are half of it:
LARGEST_FILE = 64_000_000
# Imports that are made at the same time, in the whole service:
IMPORTS_AT_ONCE = 2
ODS = "application/vnd.oasis.opendocument.spreadsheet"
# The types under which browsers and programs send the files that are read; Windows calls CSV a type of Excel:
FILE_TYPES = (
    "text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/vnd.ms-excel", XLSX, ODS,
    "application/octet-stream",
)  # fmt: skip
# The most bad rows of a file of them:
MOST_REJECTS = 10_000


def upload_origin(way: Literal["api", "page"], file_name: str | None) -> Origin:
    """Who uploads a file, and from where. A file of a request without its name is called an upload."""
    return Origin(actor(), way, address(), file_name or "upload")


def import_upload(
    kind: str,
    file: IO[bytes],
    choices: Choices,
    *,
    skip_bad: bool,
    dry_run: bool,
    origin: Origin,
    progress: Callable[[int], None] | None = None,
    **rules: Any,
) -> Imported:
    """Imports an uploaded file of a kind, such as leads, which is read by these choices.

    `rules` are `update` or `new_agents`, where the kind has them. With `dry_run` it only checks the file, past all bad
    rows. Raises ImportRefused, and TooManyRequests if as many imports as are made at a time are being made.
    """
    with services().imports.take():
        return import_file(
            services().database, kind, file, name=THE_FILE, choices=choices, zone=services().settings.timezone,
            today=today(), skip_bad=skip_bad or dry_run, dry_run=dry_run, origin=origin, progress=progress, **rules,
        )  # fmt: skip


def glance_at_upload(kind: str, file: IO[bytes], choices: Choices, *, most: int) -> Glance | None:
    """The beginning of an uploaded file of a kind; None if it cannot be read."""
    remembered = {} if choices.forget_columns else chosen_columns(services().database, kind)
    try:
        return glance_at(file, kind, THE_FILE, choices, remembered=remembered, most=most)
    except ImportRefused:
        return None


def bad_rows_of_upload(kind: str, file: IO[bytes], choices: Choices, **rules: Any) -> Response:
    """The bad rows of an uploaded file of a kind as CSV, the first thousands of them. Nothing is imported."""
    with tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY) as spool:
        rejects = Rejects(cast(IO[bytes], spool), MOST_REJECTS)
        with services().imports.take(), suppress(BadRows):
            _check(kind, file, choices, rejects, rules)
        rejects.end()
        spool.seek(0)
        response = Response(spool.read(), content_type=CONTENT_TYPES["csv"])
    response.headers["Content-Disposition"] = "attachment; filename=bad-rows.csv"
    # It holds numbers.
    response.headers.set("Cache-Control", "no-store")
    return response


def _check(kind: str, file: IO[bytes], choices: Choices, rejects: Rejects, rules: Mapping[str, Any]) -> None:
    if kind == "numbers":
        import_numbers(
            services().database, file, list_name=OWN_REQUESTS, name=THE_FILE, choices=choices, skip_bad=True,
            dry_run=True, rejects=rejects,
        )  # fmt: skip
        return
    import_file(
        services().database, kind, file, name=THE_FILE, choices=choices, zone=services().settings.timezone,
        today=today(), skip_bad=True, dry_run=True, rejects=rejects, **rules,
    )  # fmt: skip


def import_numbers_upload(
    file: IO[bytes], list_name: str, choices: Choices, *, replaces: bool, confirmed: bool, skip_bad: bool,
    dry_run: bool, origin: Origin, progress: Callable[[int], None] | None = None,
) -> ImportedNumbers:  # fmt: skip
    """Imports an uploaded file of numbers to a do-not-contact list, as one of the imports that are made at a time."""
    with services().imports.take():
        return import_numbers(
            services().database, file, list_name=list_name, name=THE_FILE, choices=choices, replaces=replaces,
            confirmed=confirmed, skip_bad=skip_bad or dry_run, dry_run=dry_run, origin=origin, progress=progress,
        )  # fmt: skip


def uploaded_body() -> IO[bytes]:
    """The body of the request as a file, from its beginning; waitress keeps a large one in a temporary file.

    Raises UnsupportedMediaType if it is sent as something that is not read, and RequestEntityTooLarge if it is larger
    than the route allows.
    """
    if request.mimetype not in FILE_TYPES:
        raise UnsupportedMediaType(
            sentence("Send the file as text/csv, or as a workbook (XLSX, ODS); nothing was imported.")
        )
    _ = request.stream
    file = cast(IO[bytes], request.environ["wsgi.input"])
    file.seek(0)
    return file
