"""Imports: a file of leads, checked or imported, with its bad rows."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, g, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from agent_funnel.errors import ImportRefused
from agent_funnel.files.dates import ORDER_NAMES
from agent_funnel.imports import BadRows
from agent_funnel.values import LONGEST_TEXT
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.errors import problem
from agent_funnel.web.files import LARGEST_FILE, bad_rows_of_upload, import_upload, upload_origin
from agent_funnel.web.pages.layout import form, page, read_form
from agent_funnel.web.request_models import ImportQuery

blueprint = Blueprint("imports", __name__)

LARGEST_MEGABYTES = LARGEST_FILE // 1_000_000


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
        skip_bad="skip_bad" in request.values,
        chosen=request.form,
        ORDER_NAMES=ORDER_NAMES,
    )


@form(blueprint, "/leads/import", role="operator", shows=show, takes_file=True)
def import_file() -> Any:
    """Checks a file, which imports nothing, or imports it; the response itself shows the result."""
    try:
        file = request.files.get("file")
    except RequestEntityTooLarge:
        return problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The file has more than {LARGEST_MEGABYTES} MB; nothing was imported. Split it, or use the "
            "command agent-funnel import.",
        )
    g.checked = request.form.get("what") != "import"
    wants_bad_rows = request.form.get("what") == "bad_rows"
    set_audit_target("dry run" if g.checked else "import")
    if file is None or not file.filename:
        raise ImportRefused("No file was chosen; nothing was imported.")
    g.file_name = file.filename
    if wants_bad_rows:
        return bad_rows_of_upload(file.stream, read_form(ImportQuery).choices())
    try:
        g.imported = import_upload(
            file.stream, read_form(ImportQuery).choices(), skip_bad="skip_bad" in request.form, dry_run=g.checked,
            origin=upload_origin("page", file.filename[:LONGEST_TEXT]),
        )  # fmt: skip
    except BadRows as error:
        g.bad_rows, g.bad_count = error.bad, error.count
        # The page shows the rows themselves in a table.
        raise ImportRefused(str(error).partition("\n")[0]) from error
    g.bad_rows, g.bad_count = g.imported.bad, g.imported.bad_rows
    return show()
