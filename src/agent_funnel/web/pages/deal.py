"""Dealing by hand: first a preview, then a button that names its effect, then the result."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext, ngettext
from werkzeug.exceptions import MethodNotAllowed, TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.agents import roster
from agent_funnel.deal import NewRun, deal, preview
from agent_funnel.errors import AlreadyExists, FunnelError, NoActiveAgent, ParameterOutOfRange, RunError
from agent_funnel.fairness import fairness_of_preview
from agent_funnel.runs import deal_version, last_run
from agent_funnel.schedule.brakes import reason_to_hold, scheduled_run, unusual_pool
from agent_funnel.schedule.forecast import Forecast, refused
from agent_funnel.schedule.skips import deal_and_skip, tonight_to_skip
from agent_funnel.schedule.status import tonight
from agent_funnel.sentences import counted, sentence, text_in
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.format import number
from agent_funnel.web.idempotency import idempotent
from agent_funnel.web.languages import locale, translated
from agent_funnel.web.negotiation import prefers_html
from agent_funnel.web.pages.layout import form, page, redirect_with_notice
from agent_funnel.web.pages.start import first_steps
from agent_funnel.web.pages.tonight import start_forecast
from agent_funnel.web.requester import actor, today
from agent_funnel.web.routing import RUNS
from agent_funnel.web.services import services

blueprint = Blueprint("deal", __name__)


@page(blueprint, "/run-now", role="viewer")
def show() -> str:
    """The page around the preview, which a script fetches. A program gets 405, since only POST deals."""
    if not prefers_html():
        raise MethodNotAllowed(["POST"], "GET changes nothing; POST /run-now deals the pool.")
    state = _tonight()
    # Tonight has usually counted it before; the preview asks for itself.
    pending = start_forecast(state["night"], state["now"], state["last"])
    forecast = pending.get() if pending else None
    return render_template(
        "deal.html", forecast=forecast, is_held=bool(forecast and forecast.trouble == "held"), **state
    )


@page(blueprint, "/run-now/preview", role="viewer")
def show_preview() -> str:
    """The preview, with the button; `?partial` is the preview alone."""
    given = services()
    found, why_not, forecast = None, None, None
    # Read before the preview: if a run comes in between, the button notices it.
    version = deal_version(given.database)
    state = _tonight()
    business_date = state["scheduled"] or today()
    try:
        with given.previews.take():
            found = preview(given.database, given.settings, business_date=business_date)
    except RunError as error:
        forecast = refused(error, roster(given.database, business_date), business_date)
        why_not = _why_not(error, forecast)
    except FunnelError as error:
        why_not = text_in(error)
    except TooManyRequests as error:
        why_not = error.description
    unusual = unusual_pool(given.database, given.settings, found.run.pool) if found else None
    steps = first_steps() if forecast and not state["last"] else []
    return render_template(
        "deal_preview.html" if "partial" in request.args else "deal.html",
        preview=found,
        fairness=fairness_of_preview(given.database, found) if found else None,
        limits={share.agent: share.room for share in found.shares if share.room < found.run.per_agent} if found else {},
        unusual=unusual if found and found.run.pool else None,
        is_held=bool(found and reason_to_hold(given.database, given.settings, lambda: unusual, now=state["now"])),
        why_not=why_not,
        # What the deal of tonight would do, too, if this one is refused; Tonight offers the same remedy:
        forecast=forecast,
        is_first_start=any(each.nothing_there for each in steps),
        version=version,
        **state,
    )


def _why_not(error: RunError, forecast: Forecast) -> str:
    """Why there is no preview. Where nobody can get leads, whether nobody is active, or everybody is away."""
    if not isinstance(error, NoActiveAgent):
        return text_in(error)
    if not forecast.active:
        return sentence("Nobody can get leads tonight: no agent is active.")
    return counted(
        "Nobody can get leads tonight: the only active agent is away.",
        "Nobody can get leads tonight: all %(count)s active agents are away.",
        forecast.active,
    )


def _tonight() -> dict[str, Any]:
    given = services()
    now = given.now()
    last = last_run(given.database)
    night = tonight(given.database, given.settings, now, last)
    broken = night.state in ("failed", "late") and night.closes_at is not None
    skippable = None if broken else tonight_to_skip(given.database, given.settings, now=now)
    return {
        # The date of a scheduled run that the service could not make so far: this deal is then that run.
        "scheduled": night.business_date if broken else None,
        "now": now,
        "last": last,
        "night": night,
        "is_running": night.state == "running",
        # The date of tonight's automatic deal, which this deal can be made instead of.
        "skippable": skippable,
        "is_due_tonight": skippable is not None,
    }


@form(blueprint, "/deal", role="operator", shows=show_preview, rate=RUNS)
@idempotent
def deal_now() -> BaseResponse:
    """Deals, unless another run or an undo came after the preview above the button."""
    given = services()
    if request.form.get("version") != deal_version(given.database):
        raise AlreadyExists(
            sentence("Another deal, or an undo, came since this preview. Nothing was changed; look again below.")
        )
    skipped = None
    if request.form.get("scheduled"):
        run = _deal_as_scheduled()
    else:
        again, skipped = "again" in request.form, request.form.get("skip")
        run = _deal_and_skip(skipped, again) if skipped else deal(
            given.database, given.settings, business_date=today(), actor=actor(), again=again
        )  # fmt: skip
    set_audit_target(f"run {run.run_id}")
    notices = [
        gettext(
            "Dealt: %(assigned)s of %(pool)s leads to %(agents)s.",
            assigned=number(run.assigned, locale()),
            pool=number(run.pool, locale()),
            agents=ngettext("%(n)s agent", "%(n)s agents", run.agents, n=number(run.agents, locale())),
        )
    ]
    if skipped:
        notices.append(gettext("Tonight’s automatic deal is skipped."))
    parts = run.notice_parts
    notices += [translated(each) for each in (parts.earlier_run, parts.no_room) if each]
    return redirect_with_notice(" ".join(notices), "runs.show_run", run_id=run.run_id)


def _deal_and_skip(skipped: str, again: bool) -> NewRun:
    """Deals, and skips the automatic deal that the person saw on the page."""
    given = services()
    try:
        skip_date = date.fromisoformat(skipped)
    except ValueError:
        raise ParameterOutOfRange(sentence("skip is not a date such as 2026-01-31; nothing was changed.")) from None
    return deal_and_skip(
        given.database, given.settings, today(), now=given.now(), actor=actor(), again=again, skip_date=skip_date
    )


def _deal_as_scheduled() -> NewRun:
    """Makes tonight's scheduled run, which the service could not make so far, so that it does not deal once more."""
    given = services()
    state = _tonight()
    if request.form["scheduled"] != str(state["scheduled"]):
        raise AlreadyExists(
            sentence("Tonight’s deal no longer waits to be made. Nothing was changed; look again below.")
        )
    business_date: date = state["scheduled"]
    return scheduled_run(given.database, given.settings, business_date, now=state["now"], actor=actor(), overrule=True)
