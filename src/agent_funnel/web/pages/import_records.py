"""Imports on record: the list, one of them, and its undo."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel import import_records
from agent_funnel.errors import NothingToUndo
from agent_funnel.files.columns import field_word
from agent_funnel.files.dates import ORDER_NAMES
from agent_funnel.import_records import (
    LARGEST_IMPORT_ID,
    UNDOABLE,
    batch_of,
    find_import,
    list_imports,
    would_undo_import,
)
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.format import number
from agent_funnel.web.languages import locale
from agent_funnel.web.pages.import_kinds import DELIMITERS, KIND_NAMES, RULE_NAMES, WAYS, amount_of
from agent_funnel.web.pages.layout import form, page, redirect_with_notice
from agent_funnel.web.requester import actor, mask_import
from agent_funnel.web.services import services

blueprint = Blueprint("import_records", __name__)

IMPORTS_PER_PAGE = 50


@page(blueprint, "/imports", role="viewer")
def show() -> str:
    """The imports, the newest first; `before` is the last import of the page before."""
    before = request.args.get("before", type=int)
    found = list_imports(
        services().database,
        count=IMPORTS_PER_PAGE,
        before=None if before is None else max(1, min(before, LARGEST_IMPORT_ID)),
    )
    return render_template(
        "import_list.html",
        records=[mask_import(each) for each in found],
        before=before,
        more=len(found) == IMPORTS_PER_PAGE,
        KIND_NAMES=KIND_NAMES,
    )


@page(blueprint, "/imports/<int:import_id>", role="viewer")
def show_import(import_id: int) -> str:
    """One import: its file, its rules, its amounts, and what became of its leads."""
    database = services().database
    found = find_import(database, import_id)
    batch = batch_of(database, import_id) if found.kind == "leads" else None
    return render_template(
        "import.html",
        record=mask_import(found),
        batch=batch,
        field_word=field_word,
        DELIMITERS=DELIMITERS,
        KIND_NAMES=KIND_NAMES,
        ORDER_NAMES=ORDER_NAMES,
        RULE_NAMES=RULE_NAMES,
        UNDOABLE=UNDOABLE,
        WAYS=WAYS,
    )


@page(blueprint, "/imports/<int:import_id>/undo", role="operator")
def show_undo(import_id: int) -> str:
    """The effect that an undo of an import would have, and the button for it."""
    database = services().database
    try:
        would = would_undo_import(database, import_id)
    except NothingToUndo:
        would = None
    return render_template(
        "import_undo.html", record=find_import(database, import_id), would=would, amount_of=amount_of
    )


@form(blueprint, "/imports/<int:import_id>/undo", role="operator", shows=show_undo)
def undo(import_id: int) -> BaseResponse:
    """Undoes an import."""
    set_audit_target(f"import {import_id}")
    undone = import_records.undo_import(services().database, import_id, actor=actor())
    parts = [
        gettext("Import %(import_id)s is undone.", import_id=import_id),
        gettext("Taken back: %(n)s.", n=number(undone.taken_back, locale())),
    ]
    if undone.put_back:
        parts.append(gettext("Put back: %(n)s.", n=number(undone.put_back, locale())))
    if undone.left_alone:
        left = number(undone.left_alone, locale())
        parts.append(gettext("Left, as they had been changed or used since: %(n)s.", n=left))
    notice = " ".join(parts)
    return redirect_with_notice(notice, "import_records.show_import", import_id=import_id)
