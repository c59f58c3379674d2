"""Whole lists as files."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel.web.api import models
from agent_funnel.web.files import download
from agent_funnel.web.operation import operation
from agent_funnel.web.request_models import ExportPath, ExportQuery
from agent_funnel.web.requester import sees_numbers

blueprint = APIBlueprint("exports", __name__, abp_tags=[Tag(name="exports", description="Whole lists as files.")])


@operation(blueprint, "get", "/exports/<what>", role="viewer", answer=models.ExportedFile)
def export_list(path: ExportPath, query: ExportQuery) -> Response:
    """Download a whole list as a file; what can be imported comes in the form in which it is imported again."""
    return download(path.what, query.format, name=path.what, mask=not sees_numbers())
