"""Imports: a file of leads, checked, corrected in how it is read, and imported, with its bad rows.

A file that was checked is kept for half an hour, so that one button imports that file.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import IO, Any

from flask import Blueprint, g, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from agent_funnel.errors import ImportRefused
from agent_funnel.files.dates import ORDER_NAMES
from agent_funnel.files.tables import Choices
from agent_funnel.imports import BadRows
from agent_funnel.values import LONGEST_TEXT
from agent_funnel.web.auth import SESSION_COOKIE, identity, set_audit_target
from agent_funnel.web.errors import problem
from agent_funnel.web.files import (
    LARGEST_FILE,
    bad_rows_of_upload,
    glance_at_upload,
    import_upload,
    upload_origin,
)
from agent_funnel.web.pages.layout import form, page, read_form
from agent_funnel.web.request_models import ImportQuery
from agent_funnel.web.services import services

blueprint = Blueprint("imports", __name__)

LARGEST_MEGABYTES = LARGEST_FILE // 1_000_000
# The first rows of a file that the page shows, the most of its columns, and of the characters of a cell:
SHOWN_ROWS = 10
SHOWN_COLUMNS = 30
SHOWN_CHARACTERS = 60
# The choice of no column; as an empty text it would mean that nothing is chosen:
NO_COLUMN = "\u2013"


@page(blueprint, "/leads/import", role="operator")
def show() -> str:
    """The form for a file, with the result of the last one, or the bad rows of a refused one."""
    return render_template(
        "imports.html",
        largest=LARGEST_MEGABYTES,
        result=g.get("imported"),
        bad=g.get("bad_rows", ()),
        bad_count=g.get("bad_count", 0),
        file=g.get("file_name"),
        checked=g.get("checked", False),
        kept=g.get("kept"),
        glance=g.get("glance"),
        skip_bad="skip_bad" in request.values,
        chosen=request.form,
        ORDER_NAMES=ORDER_NAMES,
        NO_COLUMN=NO_COLUMN,
        SHOWN_COLUMNS=SHOWN_COLUMNS,
        SHOWN_CHARACTERS=SHOWN_CHARACTERS,
    )


@form(blueprint, "/leads/import", role="operator", shows=show, takes_file=True)
def import_file() -> Any:
    """Checks a file, which imports nothing, or imports it; the response itself shows the result."""
    try:
        sent = request.files.get("file")
    except RequestEntityTooLarge:
        return problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The file has more than {LARGEST_MEGABYTES} MB; nothing was imported. Split it, or use the "
            "command agent-funnel import.",
        )
    g.checked = request.form.get("what") != "import"
    set_audit_target("dry run" if g.checked else "import")
    query = read_form(ImportQuery)
    choices = _choices(query)
    token = request.form.get("kept", "")
    if sent is not None and sent.filename:
        token = services().kept_files.keep(sent.stream, sent.filename[:LONGEST_TEXT], owner()) or ""
    elif not token:
        raise ImportRefused("No file was chosen; nothing was imported.")
    with chosen_file(token, sent) as (file, name):
        g.file_name, g.kept = name, token
        if request.form.get("what") == "bad_rows":
            return bad_rows_of_upload(file, choices)
        g.glance = glance_at_upload(file, choices, most=SHOWN_ROWS)
        try:
            g.imported = import_upload(
                file, choices, skip_bad="skip_bad" in request.form, update=query.update, dry_run=g.checked,
                origin=upload_origin("page", name),
            )  # fmt: skip
        except BadRows as error:
            g.bad_rows, g.bad_count = error.bad, error.count
            # The page shows the rows themselves in a table.
            raise ImportRefused(str(error).partition("\n")[0]) from error
    if not g.checked:
        services().kept_files.drop_all_of(owner())
        g.kept = g.glance = None
    g.bad_rows, g.bad_count = g.imported.bad, g.imported.bad_rows
    return show()


@contextmanager
def chosen_file(token: str, sent: Any) -> Iterator[tuple[IO[bytes], str]]:
    """The file that was kept or, if there is no room to keep it, the one that was sent; and its name."""
    if not token:
        yield sent.stream, sent.filename[:LONGEST_TEXT]
        return
    with services().kept_files.borrowed(token, owner()) as (file, name):
        yield file, name


def owner() -> Hashable:
    """The session or key of the requester, who alone may use a file that is kept."""
    return identity().key_id, request.cookies.get(SESSION_COOKIE)


def _choices(query: ImportQuery) -> Choices:
    """The choices of the form."""
    found = query.choices()
    columns = {field: "" if column == NO_COLUMN else column for field, column in found.columns.items()}
    return replace(found, columns=columns)
