"""Runs, previews and undo."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import RootModel

from agent_funnel import floor, service
from agent_funnel.records import DealtLead, Preview, Run, Undone
from agent_funnel.web.access import about
from agent_funnel.web.api import shapes
from agent_funnel.web.api.common import actor, file, page, sees_numbers, shown, today, with_rules
from agent_funnel.web.operation import json, operation
from agent_funnel.web.wiring import wiring

TAGS = [Tag(name="runs", description="Deals: made, previewed, undone.")]
blueprint = APIBlueprint("runs", __name__, url_prefix="/api", abp_tags=TAGS)
# The brief's address of the same:
short = APIBlueprint("short", __name__, abp_tags=TAGS)


class RunNow(RootModel[Run]):
    """The run, as the procedure's summary row has it."""


class PreviewAnswer(RootModel[Preview]):
    """What a run would do."""


class UndoAnswer(RootModel[Undone]):
    """What was undone, and how."""


REFUSED = {409: "Another run is in progress (50001); nothing was changed."}


def _assign() -> Response:
    given = wiring()
    run = service.assign(given.backend, given.settings, business_date=today(), actor=actor())
    about(f"run {run.run_id}")
    return json(RunNow(run))


@operation(short, "post", "/run-now", role="operator", answer=RunNow, problems=REFUSED)
def run_now() -> Response:
    """Deal the pool out now: a deliberate extra run, with the settings as they are."""
    return _assign()


@operation(blueprint, "post", "/runs", role="operator", answer=RunNow, problems=REFUSED)
def make_run() -> Response:
    """Deal the pool out now; the same as /run-now."""
    return _assign()


@operation(blueprint, "get", "/runs", role="viewer", answer=shapes.RunsPage)
def list_runs(query: shapes.Page) -> Response:
    """List the runs, the newest first."""
    before = shapes.keys_of(query.cursor, shapes.AFTER_ROW)
    found = service.runs(wiring().backend, count=query.count, before=before[0] if before else None)
    following = shapes.cursor(found[-1].run_id) if len(found) == query.count else None
    return json(shapes.RunsPage(items=found, next=following))


@operation(
    blueprint, "get", "/runs/<int:run_id>", role="viewer", answer=shapes.RunAnswer, problems={404: "No such run."}
)
def show_run(path: shapes.RunPath) -> Response:
    """Show a run, and who got how much."""
    backend = wiring().backend
    run = service.run(backend, path.run_id)
    return json(shapes.RunAnswer(run=run, shares=service.shares(backend, path.run_id)))


@operation(
    blueprint, "get", "/runs/<int:run_id>/assignments", role="viewer", answer=shapes.DealtPage,
    problems={404: "No such run."},
)  # fmt: skip
def run_assignments(path: shapes.RunPath, query: shapes.DealtQuery) -> Response:
    """List what a run dealt, by number; or get all of it as a file."""
    if query.format != "json":
        return file("run", query.format, path.run_id)
    kind: Any = shapes.AFTER_NUMBER if sees_numbers() else shapes.AFTER_COUNT
    after = shapes.keys_of(query.cursor, kind)
    backend = wiring().backend

    def fetch(after: tuple[str] | None, count: int) -> list[DealtLead]:
        return floor.run_assignments(backend, path.run_id, after=after[0] if after else None, count=count)

    found, last = page(after, query.count, fetch, lambda row: (row.number,))
    following = shapes.cursor(*last) if last else None
    return json(shapes.DealtPage(items=shown(found), next=following))


@operation(blueprint, "get", "/preview", role="viewer", answer=PreviewAnswer)
def preview(query: shapes.Rules) -> Response:
    """Say what a run would do now, and what would change hands; changes nothing."""
    given = wiring()
    rules = query.model_dump(exclude={"business_date"})
    found = service.preview(
        given.backend, with_rules(given.settings, **rules), business_date=query.business_date or today()
    )
    return json(PreviewAnswer(found))


@operation(
    blueprint, "post", "/runs/<int:run_id>/undo", role="operator", answer=UndoAnswer,
    problems={409: "That is not the run which can be undone (50005), or a run is in progress (50001)."},
)  # fmt: skip
def undo_run(path: shapes.RunPath) -> Response:
    """Take the last run back, if it is this one: its stages, and the assignments as they were before it."""
    about(f"run {path.run_id}")
    return json(UndoAnswer(service.undo(wiring().backend, path.run_id, actor=actor())))
