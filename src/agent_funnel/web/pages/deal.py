"""Dealing by hand, and taking a run back: first what it would do, then a button that says so, then what it did."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel import floor, glance, service
from agent_funnel.errors import FunnelError, PoolChanged
from agent_funnel.web import once
from agent_funnel.web.access import about
from agent_funnel.web.api.common import actor, today
from agent_funnel.web.format import number
from agent_funnel.web.pages.shell import done, form, page
from agent_funnel.web.reader import locale, prefers_html
from agent_funnel.web.wiring import wiring

blueprint = Blueprint("deal", __name__)


@page(blueprint, "/run-now", role="viewer")
def show() -> str:
    """What a deal would do now, or a place where a script puts that; a program is told to use POST."""
    if not prefers_html():
        raise MethodNotAllowed(["POST"], "GET changes nothing; POST /run-now deals the pool out.")
    return render_template("deal.html", **_standing())


@page(blueprint, "/run-now/preview", role="viewer")
def preview() -> str:
    """The preview, with the button; `?partial` is the preview alone."""
    given = wiring()
    refused = None
    # Before the preview: a run that comes in between is noticed when the button is pressed.
    deal = floor.deal_version(given.backend)
    try:
        found = service.preview(given.backend, given.settings, business_date=today())
    except FunnelError as error:
        found, refused = None, str(error)
    limits = {share.agent: share.room for share in found.shares if share.room < found.run.per_agent} if found else {}
    template = "deal_preview.html" if "partial" in request.args else "deal.html"
    return render_template(template, preview=found, limits=limits, why_not=refused, deal=deal, **_standing())


def _standing() -> dict[str, Any]:
    given = wiring()
    now = given.now()
    last = service.last_run(given.backend)
    return {"now": now, "last": last, "night": glance.tonight(given.backend, given.settings, now, last)}


@form(blueprint, "/deal", role="operator", shows=preview)
@once.per_key
def deal() -> BaseResponse:
    """Deals, if nobody has dealt since the preview that the button stood below."""
    given = wiring()
    if request.form.get("deal") != floor.deal_version(given.backend):
        raise PoolChanged("Another run, or an undo, came since this preview. Nothing was changed; look again below.")
    run = service.assign(given.backend, given.settings, business_date=today(), actor=actor())
    about(f"run {run.run_id}")
    sentence = (
        f"Dealt: {number(run.assigned, locale())} of {number(run.pool, locale())} leads to "
        f"{number(run.agents, locale())} agents."
    )
    return done(sentence, "history.run", run_id=run.run_id)


@page(blueprint, "/runs/<int:run_id>/undo", role="operator")
def undo_page(run_id: int) -> str:
    """What taking a run back would do, and the button for it."""
    backend = wiring().backend
    run = service.run(backend, min(run_id, 2**53))
    last = service.last_run(backend)
    return render_template("undo.html", run=run, last=last, before=_dealt_before(run_id), now=wiring().now())


def _dealt_before(run_id: int) -> Any:
    runs = service.runs(wiring().backend, count=50, before=run_id)
    return next((run for run in runs if run.status == "succeeded"), None)


@form(blueprint, "/runs/<int:run_id>/undo", role="operator", shows=undo_page)
def undo(run_id: int) -> BaseResponse:
    """Takes the last run back, if it is this one."""
    about(f"run {run_id}")
    undone = service.undo(wiring().backend, run_id, actor=actor())
    left = (
        f"; {number(undone.changed_since, locale())} were left, as their stage was changed since"
        if undone.changed_since
        else ""
    )
    sentence = (
        f"Run {run_id} is undone: {number(undone.restored, locale())} leads went back by one stage{left}. "
        f"{number(undone.assignments, locale())} assignments from before it are back."
    )
    return done(sentence, "history.run", run_id=run_id)
