"""Runs, which people know as deals: the list, one of them, all of a night, and undo."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel import deal
from agent_funnel.agents import limits_in_force, list_limits
from agent_funnel.errors import NotFound
from agent_funnel.runs import LARGEST_RUN_ID, RunRecord, failure_of, find_run, last_run, list_runs, run_limits
from agent_funnel.schedule import skips, voids
from agent_funnel.schedule.calendar import current_date, is_workday
from agent_funnel.schedule.nights import LaterDeal, failure_reasons, is_held, nights_by_repair, repairs
from agent_funnel.schedule.runway import NIGHTS_AHEAD
from agent_funnel.schedule.skips import Skip, find_skip, skip_of_run
from agent_funnel.schedule.status import NIGHTS_SHOWN, tonight
from agent_funnel.schedule.store import NightRecord, current_pause, find_night, list_holidays, nights_without_run
from agent_funnel.sentences import sentence
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.format import day, moment, number
from agent_funnel.web.languages import locale, translated
from agent_funnel.web.pages.layout import form, page, redirect_with_notice
from agent_funnel.web.pages.tonight import fairness_of, held_pool, night_to_mend, start_forecast, window_of
from agent_funnel.web.requester import actor
from agent_funnel.web.routing import RUNS
from agent_funnel.web.services import services

blueprint = Blueprint("runs", __name__)

RUNS_PER_PAGE = 50
# The amounts by which the list can be sorted, and the most runs, the newest, that are sorted at once:
SORTS = ("pool", "assigned", "left_over", "agents", "largest_share")
MOST_SORTED = 1_000
# A deal that ended later than this after its time is not as usual:
USUAL_DELAY = timedelta(minutes=5)
# The most runs that the page of a night shows:
RUNS_PER_NIGHT = 200


@page(blueprint, "/runs", role="viewer")
def show() -> str:
    """The runs, the newest first, or sorted by an amount; `before` is the last run of the page before."""
    order = request.args.get("sort", "")
    if order in SORTS:
        return _show_sorted(order)
    before = request.args.get("before", type=int)
    found = list_runs(
        services().database,
        count=RUNS_PER_PAGE + 1,
        before=None if before is None else max(1, min(before, LARGEST_RUN_ID)),
    )
    is_last, found = len(found) <= RUNS_PER_PAGE, found[:RUNS_PER_PAGE]
    nights = _nights_between(found, before, is_last=is_last)
    return render_template(
        "runs.html",
        runs=found,
        left_some=_left_some(found),
        **_attempts(found),
        nights_before=_placed(nights, found),
        nights_after=[night for night in nights if found and night.business_date < found[-1].business_date],
        order="newest",
        first=url_for("runs.show") if before else None,
        following=None if is_last else url_for("runs.show", before=found[-1].run_id),
    )


def _nights_between(runs: list[RunRecord], before: int | None, *, is_last: bool) -> list[NightRecord]:
    """The nights without a run of their date from the page before, which ends with `before`, to the end of this one."""
    given = services()
    newer = list_runs(given.database, count=1, before=max(1, min(before, LARGEST_RUN_ID - 1)) + 1) if before else []
    end = newer[0].business_date if newer else current_date(given.now(), given.settings) + timedelta(days=1)
    begin = date.min if is_last else runs[-1].business_date
    made = {run.business_date for run in runs}
    return [
        night for night in nights_without_run(given.database, after=begin, before=end)
        if night.business_date not in made
    ]  # fmt: skip


def _placed(nights: list[NightRecord], runs: list[RunRecord]) -> dict[int, list[NightRecord]]:
    """The nights by the run above which they stand: the newest of an earlier date."""
    placed: dict[int, list[NightRecord]] = {}
    for night in nights:
        below = next((run for run in runs if run.business_date < night.business_date), None)
        if below:
            placed.setdefault(below.run_id, []).append(night)
    return placed


def _left_some(runs: list[RunRecord]) -> bool:
    """Whether one of these runs left leads over. Otherwise all have the same amounts left over, none, and as many leads
    ready as assigned, so that these columns would say nothing."""
    return any(run.left_over for run in runs)


def _attempts(runs: list[RunRecord]) -> dict[str, Any]:
    """What the list adds to runs: how many times a night failed in a row, by its newest attempt; the attempts that are
    folded into that one; why it failed; the nights that deals made up for; and the deals of the schedule that ended at
    about its time."""
    attempts: dict[int, int] = {}
    folded: set[int] = set()
    for _, same in groupby(runs, key=lambda run: (run.status, run.business_date)):
        newest, *older = same
        if older and newest.status == "failed":
            attempts[newest.run_id] = 1 + len(older)
            folded.update(run.run_id for run in older)
    database = services().database
    failed = [run.run_id for run in runs if run.status == "failed" and run.run_id not in folded]
    return {
        "attempts": attempts,
        "folded": folded,
        "failures": {run_id: failure_of(database, run_id) for run_id in failed},
        "made_up_nights": _made_up_nights(),
        "on_time": {run.run_id for run in runs if _is_on_time(run)},
    }


def _is_on_time(run: RunRecord) -> bool:
    """Whether a deal of the schedule ended soon after the time at which deals are made."""
    if run.trigger != "schedule" or run.status == "failed" or run.finished_at is None:
        return False
    return timedelta() <= run.finished_at - window_of(run.business_date)[0] <= USUAL_DELAY


def _made_up_nights() -> dict[int, list[date]]:
    """The nights that deals made up for, by the run of the deal, as far back as Tonight shows nights."""
    given = services()
    return nights_by_repair(given.database, given.settings, count=NIGHTS_SHOWN)


def _show_sorted(order: str) -> str:
    """The newest runs by an amount, the largest first; of equal ones, the newer first."""
    begin = max(0, request.args.get("begin", 0, type=int))
    found = list_runs(services().database, count=MOST_SORTED)
    found.sort(key=lambda run: -(getattr(run, order) or 0))
    end = begin + RUNS_PER_PAGE
    return render_template(
        "runs.html",
        runs=found[begin:end],
        # The list is sorted by one of these columns.
        left_some=order in ("left_over", "pool") or _left_some(found[begin:end]),
        **_attempts(found[begin:end]),
        nights_before={},
        nights_after=[],
        order=order,
        first=url_for("runs.show", sort=order) if begin else None,
        following=url_for("runs.show", sort=order, begin=end) if end < len(found) else None,
        is_cut=len(found) == MOST_SORTED,
        most_sorted=MOST_SORTED,
    )


@page(blueprint, "/runs/<int:run_id>", role="viewer")
def show_run(run_id: int) -> str:
    """One run: the amounts, the shares, and why it failed if it did."""
    given = services()
    found = find_run(given.database, run_id)
    last = last_run(given.database)
    outcome = find_night(given.database, found.business_date) if found.status == "failed" else None
    shares = given.counts.known_shares([run_id]).get(run_id)
    limits = run_limits(given.database, run_id)
    return render_template(
        "run.html",
        run=found,
        outcome=outcome,
        made_up_for=_made_up_for(outcome),
        made_up_nights=_made_up_nights().get(run_id, []),
        shares=shares,
        limits=limits,
        fairness=fairness_of(found, shares, limits),
        failure=failure_of(given.database, run_id),
        is_last=last is not None and last.run_id == run_id,
    )


@page(blueprint, "/nights/<day>", role="viewer")
def show_night(day: str) -> str:
    """A night: its outcome, and every run of that business date, the failed ones too."""
    given = services()
    business_date = business_date_of(day)
    found = list_runs(given.database, count=RUNS_PER_NIGHT, business_date=business_date)
    outcome = find_night(given.database, business_date)
    # Failed attempts that count for the schedule; a void attempt stays on record as a failed run.
    reasons = failure_reasons(given.database, business_date)
    window = window_of(business_date)
    now = given.now()
    is_future = now < window[0]
    last = last_run(given.database)
    night = tonight(given.database, given.settings, now, last) if is_future else night_to_mend(now)
    mends = not is_future and night is not None and night.business_date == business_date
    # Only the next deal is forecast, and not while another one is due.
    is_next = is_future and night is not None and not night.closes_at and night.next_at.date() == business_date
    pending = start_forecast(night, now, last) if night and (mends or is_next) else None
    return render_template(
        "night.html",
        # Tonight's card about this night, and the forecast from which it chooses its remedy; or that of the next deal.
        night=night,
        mends=mends,
        is_next=is_next,
        run=last,
        told_in=None,
        fairness_told=None,
        forecast=pending.get() if pending else None,
        is_forecasting=pending is not None,
        business_date=business_date,
        outcome=outcome,
        skip=find_skip(given.database, business_date),
        window=window,
        runs=[run for run in found if run.status != "failed" or not reasons],
        attempts=[run for run in found if run.status == "failed" and reasons],
        reasons=reasons,
        # A deal that was made after all is no longer held.
        is_held=is_held(reasons) and (outcome is None or outcome.outcome == "failed"),
        held_pool=held_pool(reasons),
        made_up_for=_made_up_for(outcome),
        is_future=is_future,
        # The next deal is forecast; of those after it, the runway has the amounts.
        has_runway=is_future
        and not is_next
        and (business_date - current_date(now, given.settings)).days < NIGHTS_AHEAD,
        is_workday=is_workday(business_date, given.settings),
        **_planned(business_date, is_future=is_future),
        is_open=window[0] <= now < window[1],
        is_tonight=business_date == current_date(now, given.settings),
        # Right after somebody had the deal made after all:
        can_skip_again="reopened" in request.args and outcome is None and now < window[1],
    )


def _planned(business_date: date, *, is_future: bool) -> dict[str, Any]:
    """What is known of a night to come: who is away, and the holiday."""
    if not is_future:
        return {"away": [], "holiday": None}
    database = services().database
    limits = limits_in_force(list_limits(database), business_date)
    holidays = list_holidays(database, since=business_date)
    return {
        "away": [agent for agent, limit in limits.items() if limit.max_records == 0],
        "holiday": next((each for each in holidays if each.day == business_date), None),
    }


def _made_up_for(outcome: NightRecord | None) -> LaterDeal | None:
    """The deal by hand that made up for a night."""
    given = services()
    return next(iter(repairs(given.database, given.settings, [outcome]).values()), None) if outcome else None


def business_date_of(day: str) -> date:
    """The business date that an address names. Raises NotFound if it is no day."""
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise NotFound(sentence("There is no such day; write it as 2026-01-31.")) from None


@form(blueprint, "/nights/<day>/reopen", role="operator", shows=show_night)
def reopen(day: str) -> BaseResponse:
    """Takes back the record that a business date passed without its automatic deal."""
    given = services()
    set_audit_target(day)
    done = voids.reopen(given.database, given.settings, business_date_of(day), now=given.now(), actor=actor())
    if done.outcome != "skipped" or done.window_closed:
        return redirect_with_notice(translated(done.text), "runs.show_night", day=day)
    return redirect_with_notice(_on_again(done.business_date), "runs.show_night", day=day, reopened=1)


def _on_again(business_date: date) -> str:
    """A sentence for the person who had the deal of a skipped date made after all."""
    given = services()
    now, begins, last = given.now(), window_of(business_date)[0], last_run(given.database)
    time = moment(begins, given.settings.timezone, locale(), form="time").striptags()
    text: str
    if business_date != current_date(now, given.settings):
        text = gettext("The automatic deal of %(day)s is on again.", day=day(business_date, locale()))
    elif current_pause(given.database):
        text = gettext("Tonight’s deal is not skipped any more, but automatic deals are paused.")
    elif now >= begins:
        text = gettext("Tonight’s deal will be made in a moment.")
    elif last is None:
        text = gettext("Tonight’s deal will be made at %(time)s.", time=time)
    else:
        text = gettext(
            "Tonight’s deal will be made at %(time)s, and replaces the lists of deal %(run_id)s.",
            time=time,
            run_id=last.run_id,
        )
    return text


@form(blueprint, "/nights/<day>/skip", role="operator", shows=show_night)
def skip_night(day: str) -> BaseResponse:
    """Skips the automatic deal of a business date again, after somebody had it made after all."""
    given = services()
    set_audit_target(day)
    skips.skip(given.database, given.settings, business_date_of(day), now=given.now(), actor=actor())
    return redirect_with_notice(gettext("Tonight’s automatic deal is skipped."), "tonight.show")


@page(blueprint, "/runs/<int:run_id>/undo", role="operator")
def show_undo(run_id: int) -> str:
    """The effect that an undo of a run would have, and the button for it."""
    given = services()
    run = find_run(given.database, run_id)
    last = last_run(given.database)
    return render_template(
        "undo.html",
        run=run,
        last=last,
        before=last_run(given.database, before=run_id),
        now=given.now(),
        skip=_skip_that_ends(run),
    )


def _skip_that_ends(run: RunRecord) -> Skip | None:
    """The skip that ends with an undo of a run: its window has not closed yet."""
    given = services()
    found = skip_of_run(given.database, run.run_id, since=run.business_date)
    return found if found and given.now() < window_of(found.business_date)[1] else None


@form(blueprint, "/runs/<int:run_id>/undo", role="operator", shows=show_undo, rate=RUNS)
def undo(run_id: int) -> BaseResponse:
    """Undoes a run, if it is the last one."""
    set_audit_target(f"run {run_id}")
    skip = _skip_that_ends(find_run(services().database, run_id))
    undone = deal.undo(services().database, run_id, actor=actor())
    restored, left, back = undone.restored, undone.changed_since, undone.assignments
    notices = [
        ngettext(
            "Deal %(run_id)s is undone: %(n)s lead counts one call less.",
            "Deal %(run_id)s is undone: %(n)s leads count one call less.",
            restored,
            run_id=run_id,
            n=number(restored, locale()),
        )
        if not left
        else ngettext(
            "Deal %(run_id)s is undone: %(n)s lead counts one call less; %(left)s were left, as they had been changed "
            "since.",
            "Deal %(run_id)s is undone: %(n)s leads count one call less; %(left)s were left, as they had been changed "
            "since.",
            restored,
            run_id=run_id,
            n=number(restored, locale()),
            left=number(left, locale()),
        ),
    ]
    if back:
        is_back = ngettext(
            "%(n)s lead from before it is back on a list.",
            "%(n)s leads from before it are back on their lists.",
            back,
            n=number(back, locale()),
        )
        notices.append(is_back)
    if skip:
        skipped = day(skip.business_date, locale())
        notices.append(gettext("The automatic deal of %(day)s, which it had skipped, is on again.", day=skipped))
    return redirect_with_notice(" ".join(notices), "runs.show_run", run_id=run_id)
