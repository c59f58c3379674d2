"""Runs, previews and undo."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel import deal, runs
from agent_funnel.fairness import fairness_of_preview, fairness_of_run
from agent_funnel.runs import DealtLead, dealt_leads, find_run, shares
from agent_funnel.schedule.skips import deal_and_skip
from agent_funnel.web.api import models
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.files import download
from agent_funnel.web.operation import json, operation
from agent_funnel.web.paging import (
    AFTER_COUNT,
    AFTER_NUMBER,
    AFTER_ROW_ID,
    decode_cursor,
    decode_requester_cursor,
    encode_cursor,
    fetch_page,
)
from agent_funnel.web.request_models import DealtQuery, PageQuery, PreviewQuery, RunPath, RunRequest
from agent_funnel.web.requester import actor, mask_texts, sees_numbers, today
from agent_funnel.web.routing import RUNS
from agent_funnel.web.services import services

TAGS = [Tag(name="runs", description="Make, preview and undo deals.")]
blueprint = APIBlueprint("runs", __name__, abp_tags=TAGS)
# The same operation at its short address, outside /api:
run_now_blueprint = APIBlueprint("run_now", __name__, abp_tags=TAGS)
REFUSED = {
    404: "There is no scheduled deal to skip tonight; nothing was changed.",
    409: "A run or an undo is in progress (50001), or the run is almost surely a mistake and the request does not say "
    "`again` (50008), or there is no scheduled deal to skip (50003); nothing was changed.",
}


def _deal_now(body: RunRequest) -> Response:
    given = services()
    if body.skip_scheduled:
        run = deal_and_skip(
            given.database, given.settings, today(), now=given.now(), actor=actor(), again=body.again
        )  # fmt: skip
    else:
        run = deal.deal(given.database, given.settings, business_date=today(), actor=actor(), again=body.again)
    set_audit_target(f"run {run.run_id}")
    return json(models.RunNow(run))


@operation(run_now_blueprint, "post", "/run-now", role="operator", answer=models.RunNow, problems=REFUSED, rate=RUNS)
def run_now(body: RunRequest) -> Response:
    """Deal the pool now: a deliberate extra run, with the settings as they are."""
    return _deal_now(body)


@operation(blueprint, "post", "/runs", role="operator", answer=models.RunNow, problems=REFUSED, rate=RUNS)
def make_run(body: RunRequest) -> Response:
    """Deal the pool now, as /run-now does."""
    return _deal_now(body)


@operation(blueprint, "get", "/runs", role="viewer", answer=models.RunsPage)
def list_runs(query: PageQuery) -> Response:
    """List the runs, the newest first."""
    before = decode_cursor(query.cursor, AFTER_ROW_ID)
    found = runs.list_runs(services().database, count=query.count, before=before[0] if before else None)
    following = encode_cursor(found[-1].run_id) if len(found) == query.count else None
    return json(models.RunsPage(items=[mask_texts(run) for run in found], next=following))


@operation(
    blueprint, "get", "/runs/<int:run_id>", role="viewer", answer=models.RunAnswer, problems={404: "No such run."}
)
def show_run(path: RunPath) -> Response:
    """Show a run, the share of each agent, and the verdict."""
    database = services().database
    run = mask_texts(find_run(database, path.run_id))
    found = shares(database, path.run_id)
    return json(models.RunAnswer(run=run, shares=found, fairness=fairness_of_run(database, run, found)))


@operation(
    blueprint, "get", "/runs/<int:run_id>/assignments", role="viewer", answer=models.DealtPage,
    problems={404: "No such run."},
)  # fmt: skip
def run_assignments(path: RunPath, query: DealtQuery) -> Response:
    """List the leads that a run dealt, by number; or download all of them as a file."""
    if query.format != "json":
        name = f"run-{path.run_id}"
        return download("run", query.format, name=name, run_id=path.run_id, mask=not sees_numbers())

    def fetch(after: tuple[str] | None, count: int) -> list[DealtLead]:
        return dealt_leads(services().database, path.run_id, after=after[0] if after else None, count=count)

    begun = decode_requester_cursor(query.cursor, AFTER_NUMBER, AFTER_COUNT)
    found, last = fetch_page(begun, query.count, fetch, lambda row: (row.number,))
    following = encode_cursor(*last) if last else None
    return json(models.DealtPage(items=found, next=following))


@operation(blueprint, "get", "/preview", role="viewer", answer=models.PreviewAnswer)
def preview(query: PreviewQuery) -> Response:
    """Preview a run: the share of each agent, and how many leads would change hands. Changes nothing."""
    given = services()
    rules = query.model_dump(exclude={"business_date"}, exclude_none=True)
    settings = given.settings.model_copy(update=rules)
    with given.previews.take():
        found = deal.preview(given.database, settings, business_date=query.business_date or today())
    fairness = fairness_of_preview(given.database, found)
    return json(models.PreviewAnswer(**vars(found), fairness=fairness))


@operation(
    blueprint, "post", "/runs/<int:run_id>/undo", role="operator", answer=models.UndoAnswer,
    problems={409: "Only the last run can be undone (50005), or a run is in progress (50001)."},
    rate=RUNS,
)  # fmt: skip
def undo_run(path: RunPath) -> Response:
    """Undo a run, if it is the last one: restore the stages, and the assignments as they were before it."""
    set_audit_target(f"run {path.run_id}")
    return json(models.UndoAnswer(deal.undo(services().database, path.run_id, actor=actor())))
