"""Imports on record: the list, one of them, and its undo."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import import_records
from agent_funnel.import_records import batch_of, find_import, would_undo_import
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.operation import json, operation
from agent_funnel.web.paging import AFTER_ROW_ID, decode_cursor, encode_cursor
from agent_funnel.web.request_models import ImportPath, PageQuery, UndoImportQuery
from agent_funnel.web.requester import actor, mask_import
from agent_funnel.web.services import services

blueprint = APIBlueprint(
    "import_records",
    __name__,
    abp_tags=[Tag(name="imports", description="Imports of files, their records, and their undo.")],
)


@operation(blueprint, "get", "/imports", role="viewer", answer=models.ImportsPage)
def list_imports(query: PageQuery) -> Response:
    """List the imports, the newest first."""
    before = decode_cursor(query.cursor, AFTER_ROW_ID)
    # No import has a larger id than the table can hold.
    last = min(before[0], import_records.LARGEST_IMPORT_ID) if before else None
    found = import_records.list_imports(services().database, count=query.count, before=last)
    following = encode_cursor(found[-1].import_id) if len(found) == query.count else None
    return json(models.ImportsPage(items=[mask_import(each) for each in found], next=following))


@operation(
    blueprint, "get", "/imports/<int:import_id>", role="viewer", answer=models.ImportDetailsAnswer,
    problems={404: "No such import."},
)  # fmt: skip
def show_import(path: ImportPath) -> Response:
    """Show an import, and what became of its leads. `GET /api/leads` with its id lists them."""
    database = services().database
    record = find_import(database, path.import_id)
    batch = batch_of(database, path.import_id) if record.kind == "leads" else None
    return json(models.ImportDetailsAnswer(record=mask_import(record), batch=batch))


@operation(
    blueprint, "post", "/imports/<int:import_id>/undo", role="operator", answer=models.ImportUndoAnswer,
    problems={
        404: "No such import.",
        409: "It is undone already, or cannot be undone (50005), or a run was in progress all the time (50001).",
    },
)  # fmt: skip
def undo_import(path: ImportPath, query: UndoImportQuery) -> Response:
    """Undo an import, as far as nobody changed its rows or dealt its leads since; or only say what that would do."""
    set_audit_target(f"import {path.import_id}{', dry run' if query.dry_run else ''}")
    database = services().database
    if query.dry_run:
        return json(models.ImportUndoAnswer(would_undo_import(database, path.import_id)))
    return json(models.ImportUndoAnswer(import_records.undo_import(database, path.import_id, actor=actor())))
