"""Imports of files: leads, agents, limits and holidays, each with an operation of its own."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel.agents import agent_names
from agent_funnel.errors import ImportRefused
from agent_funnel.imports import Imported
from agent_funnel.names import alike_names
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.import_models import (
    AgentsImportQuery,
    HolidaysImportQuery,
    ImportQuery,
    LeadsImportQuery,
    LimitsImportQuery,
    TableBody,
)
from agent_funnel.web.operation import json, operation
from agent_funnel.web.services import services
from agent_funnel.web.uploads import bad_rows_of_upload, import_upload, upload_origin, uploaded_body

blueprint = APIBlueprint(
    "imports", __name__, abp_tags=[Tag(name="imports", description="Imports of files, their records, and their undo.")]
)

NO_TABLE = {415: "The body is sent as something that is no table."}


@operation(
    blueprint, "post", "/leads/import", role="operator", answer=models.ImportAnswer, takes_file=True, problems=NO_TABLE
)
def import_leads(query: LeadsImportQuery, raw: TableBody) -> Response:
    """Import leads from a file (CSV, XLSX or ODS) with a column of numbers, or with dry_run only check the file."""
    return _import("leads", query)


@operation(
    blueprint, "post", "/agents/import", role="operator", answer=models.AgentsImportAnswer, takes_file=True,
    problems=NO_TABLE,
)  # fmt: skip
def import_agents(query: AgentsImportQuery, raw: TableBody) -> Response:
    """Import agents from a file with a column of names, or with dry_run only check the file."""
    return _import("agents", query)


@operation(
    blueprint, "post", "/limits/import", role="operator", answer=models.ImportAnswer, takes_file=True,
    problems=NO_TABLE,
)  # fmt: skip
def import_limits(query: LimitsImportQuery, raw: TableBody) -> Response:
    """Import limits and absences from a file: agents, first and last days, and perhaps leads per night."""
    return _import("limits", query)


@operation(
    blueprint, "post", "/holidays/import", role="operator", answer=models.ImportAnswer, takes_file=True,
    problems=NO_TABLE,
)  # fmt: skip
def import_holidays(query: HolidaysImportQuery, raw: TableBody) -> Response:
    """Import holidays, on which the schedule does not deal, from a file with a column of days."""
    return _import("holidays", query)


def _import(kind: str, query: ImportQuery) -> Response:
    set_audit_target("dry run" if query.dry_run else "import")
    if query.bad_rows_file:
        if not query.dry_run:
            raise ImportRefused("bad_rows_file needs dry_run. Nothing was imported.")
        return bad_rows_of_upload(kind, uploaded_body(), query.choices(), **query.rules())
    result = import_upload(
        kind, uploaded_body(), query.choices(), skip_bad=query.skip_bad, dry_run=query.dry_run,
        origin=upload_origin("api", query.file_name), **query.rules(),
    )  # fmt: skip
    if kind != "agents":
        return json(models.ImportAnswer(**_fields(result, query)))
    alike = [list(group) for group in alike_names(agent_names(services().database))]
    return json(models.AgentsImportAnswer(**_fields(result, query), alike=alike))


def _fields(result: Imported, query: ImportQuery) -> dict[str, Any]:
    return {**vars(result), "bad": list(result.bad), "kept_rows": list(result.kept_rows), "dry_run": query.dry_run}
