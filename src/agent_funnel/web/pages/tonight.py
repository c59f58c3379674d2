"""Tonight: did the deal happen, was it fair, when is the next one?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from flask import Blueprint, Response, make_response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.do_not_contact import old_lists
from agent_funnel.fairness import Fairness, judge
from agent_funnel.hand_backs import handed_back_by_agent
from agent_funnel.runs import Run, RunRecord, Share, deal_version, find_run, last_run, list_runs, run_limits
from agent_funnel.schedule import store
from agent_funnel.schedule.brakes import UnusualPool, pool_in, usual_length
from agent_funnel.schedule.calendar import closes_at, current_date, is_workday, scheduled_at
from agent_funnel.schedule.forecast import Forecast
from agent_funnel.schedule.nights import (
    FailureReason,
    LaterDeal,
    failure_reasons,
    held_nights,
    is_broken,
    is_held,
    repairs,
)
from agent_funnel.schedule.runway import Runway
from agent_funnel.schedule.skips import Skip, find_skip
from agent_funnel.schedule.status import NIGHTS_SHOWN, Tonight, tonight
from agent_funnel.schedule.store import NightRecord
from agent_funnel.sentences import counted, joined, sentence
from agent_funnel.settings import Settings
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.charts import tallest_column
from agent_funnel.web.counts import Pending
from agent_funnel.web.format import MOST_NAMED
from agent_funnel.web.negotiation import conditional
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice, render_page
from agent_funnel.web.pages.start import first_steps
from agent_funnel.web.pages.tonight_lists import list_of_each, lists_now
from agent_funnel.web.request_models import Reason
from agent_funnel.web.requester import actor, mask_texts, masked_text
from agent_funnel.web.services import services

blueprint = Blueprint("tonight", __name__)

# No forecast is made for this long before a scheduled run:
NO_FORECAST_BEFORE = timedelta(minutes=1)
# The strip of a young service has at least so many nights:
FEWEST_NIGHTS = 14
# The amounts of the last nights are looked for among this many runs: some failed, some were made by hand.
RUNS_SEARCHED = 3 * NIGHTS_SHOWN
# In these states, the box of the headline also says who made up for the night before:
TELLS_REPAIR = ("due", "off", "running", "paused", "skipped", "late")
# A run is slow if it takes this many times as long as usual, and at least this long; or this long if none is usual:
SLOW_FACTOR, SHORTEST_SLOW, SLOW_IF_UNKNOWN = 10, timedelta(seconds=15), timedelta(minutes=1)


def _notes() -> list[str]:
    """What the schedule says of other copies of the service, with the names that people gave to them."""
    running = services().schedule
    return [] if running is None else [masked_text(each) for each in running.notes.values()]


def _old_lists(now: datetime) -> list[str]:
    """A sentence about each do-not-contact list that is too old."""
    return [mask_texts(each).text for each in old_lists(services().database, now)]


def _running_since(is_running: bool, now: datetime) -> datetime | None:
    """The moment since which a run has been in progress at least, as pages or the schedule have seen it; None without
    one."""
    given = services()
    seen = given.counts.running_since(is_running, now)
    noted = given.schedule.running_since if given.schedule else None
    return min(seen, noted) if seen and noted else seen


@page(blueprint, "/", role="viewer")
def show() -> Response:
    """The state of tonight's deal; `?partial` is the part that the page fetches to stay fresh."""
    given = services()
    now = given.now()
    run = last_run(given.database)
    night = tonight(given.database, given.settings, now, run)
    forecast = start_forecast(night, now, run)
    runway = start_runway(night, now, run)
    version = deal_version(given.database)
    counting = given.counts.start_leads_in_hand(version) if run and run.assigned else None
    shares = given.counts.known_shares([run.run_id]).get(run.run_id) if run else None
    limits = run_limits(given.database, run.run_id) if run else {}
    made_up = repairs(given.database, given.settings, night.nights)
    wanted = {each.run_id for each in night.nights} | {each.run_id for each in made_up.values()}
    night_runs = {each.run_id: each for each in list_runs(given.database, count=RUNS_SEARCHED) if each.run_id in wanted}
    strip = night_strip(night)
    columns = strip_columns(strip, made_up, night_runs)
    reasons = failure_reasons(given.database, night.business_date) if night.state == "failed" else []
    held_days = held_nights(given.database, night.nights)
    if is_held(reasons):
        held_days.add(night.business_date)
    running_since = _running_since(night.state == "running", now)
    usual = usual_length(given.database) if running_since else None
    window = window_of(night.business_date)
    skipped_on = skipped_today(night, now)
    ahead = runway.get() if runway else None
    held = counting.get() if counting else None
    handed_back = handed_back_by_agent(given.database, run.run_id) if run else []
    steps = [] if run else first_steps()
    fairness = fairness_of(run, shares, limits) if run else None
    last_done = done_before(night)
    skip = find_skip(given.database, skipped_on) if skipped_on else None
    told_in = place_of(run, night, made_up, skip, last_done) if run else None
    response = make_response(
        render_page(
            "tonight.html",
            "tonight_now.html",
            night=night,
            state=night.state,
            now=now,
            run=find_run(given.database, run.run_id) if run else None,
            steps=steps,
            is_first_start=any(each.nothing_there for each in steps),
            is_tonight=night.next_at.date() == now.astimezone(given.settings.timezone).date(),
            window=window,
            is_workday=is_workday(night.business_date, given.settings),
            skipped_on=skipped_on,
            skip=skip,
            reasons=reasons,
            is_held=is_held(reasons),
            held_pool=held_pool(reasons),
            held_days=held_days,
            informed=informed(given.settings, "held" if is_held(reasons) else night.state),
            has_addresses=bool(given.settings.notify_urls),
            made_up=made_up,
            tells_repair=night.state in TELLS_REPAIR,
            before=night_before(night),
            done_before=last_done,
            is_old=is_old(night, run),
            dealt_meanwhile=night.state == "failed" and run is not None and run.finished_at > window[0],
            running_since=running_since,
            usual=usual,
            is_slow=running_since is not None and now - running_since >= slow_after(usual),
            shares=shares,
            limits=limits,
            handed_back=handed_back,
            lists=lists_now(run, held, handed_back) if run and held else None,
            list_of_each=list_of_each(held, shares) if held and shares else [],
            MOST_NAMED=MOST_NAMED,
            fairness=fairness,
            told_in=told_in,
            # The verdict that the box of the headline tells:
            fairness_told=fairness if told_in else None,
            stage_counts=given.counts.stage_counts(version),
            forecast=forecast.get() if forecast else None,
            is_forecasting=forecast is not None,
            runway=ahead,
            short=ahead.warning(given.settings.runway_nights) if ahead else None,
            strip=strip,
            kinds=strip_kinds(strip, night, now, held_days),
            columns=columns,
            tallest=tallest_column(columns) if columns else None,
            differences=[*_notes(), *_old_lists(now)],
        )
    )
    return conditional(response) if "partial" in request.args else response


@form(blueprint, "/pause", role="operator", shows=show)
def pause() -> BaseResponse:
    """Pauses automatic deals, for all copies of the service."""
    given = services()
    filled_in = read_form(Reason)
    set_audit_target(filled_in.reason or "")
    changed = store.pause(given.database, now=given.now(), actor=actor(), reason=filled_in.reason)
    paused = gettext("Automatic deals are paused until somebody resumes them.")
    return redirect_with_notice(paused if changed else gettext("Automatic deals were paused already."), "tonight.show")


@form(blueprint, "/resume", role="operator", shows=show)
def resume() -> BaseResponse:
    """Resumes automatic deals."""
    given = services()
    changed = store.resume(given.database, now=given.now(), actor=actor())
    return redirect_with_notice(
        gettext("Automatic deals are on again.") if changed else gettext("Automatic deals were not paused."),
        "tonight.show",
    )


def start_forecast(night: Tonight, now: datetime, last: Run | None) -> Pending[Forecast] | None:
    """Has the next scheduled run forecast: that of tonight while it may still be made, otherwise the next one.

    None while a run is in progress or about to begin, so that the forecast never delays a deal. In a pause, it is
    that of the run that would be made if somebody resumed.
    """
    is_due = night.closes_at is not None
    if night.state == "running" or (not is_due and night.next_at - now < NO_FORECAST_BEFORE):
        return None
    business_date = night.business_date if is_due else night.next_at.date()
    return services().counts.start_forecast(business_date, last.run_id if last else None)


def night_to_mend(now: datetime) -> Tonight | None:
    """The night of Tonight's headline if it has no deal, though it should have one, and nobody has made up for it."""
    given = services()
    night = tonight(given.database, given.settings, now, last_run(given.database))
    if night.state not in ("failed", "missed", "late"):
        return None
    return None if night.business_date in repairs(given.database, given.settings, night.nights) else night


def start_runway(night: Tonight, now: datetime, last: Run | None) -> Pending[Runway] | None:
    """Has the next two weeks computed; None while a run is in progress or about to begin."""
    if night.state == "running" or night.next_at <= now + NO_FORECAST_BEFORE:
        return None
    return services().counts.start_runway(now, last.run_id if last else None)


def window_of(business_date: date) -> tuple[datetime, datetime]:
    """The begin and the end of the time in which the schedule may deal for a business date."""
    settings = services().settings
    return scheduled_at(business_date, settings), closes_at(business_date, settings)


def slow_after(usual: timedelta | None) -> timedelta:
    """The length from which on a run counts as much longer than usual."""
    return SLOW_IF_UNKNOWN if usual is None else max(SLOW_FACTOR * usual, SHORTEST_SLOW)


def skipped_today(night: Tonight, now: datetime) -> date | None:
    """Tonight's date if its deal is skipped, whatever the headline is about."""
    today = current_date(now, services().settings)
    outcome = next((each.outcome for each in night.nights if each.business_date == today), None)
    return today if outcome == "skipped" else None


def night_before(night: Tonight) -> NightRecord | None:
    """The last night before the one that the headline is about."""
    return next((each for each in night.nights if each.business_date < night.business_date), None)


def done_before(night: Tonight) -> NightRecord | None:
    """The last night before one without a deal yet that should have had a deal, if its deal was made and holds."""
    if night.state not in ("due", "off", "paused"):
        return None
    days = (each for each in night.nights if each.business_date < night.business_date and each.outcome != "holiday")
    last = next(days, None)
    return last if last and last.outcome == "succeeded" else None


def place_of(
    run: Run, night: Tonight, made_up: Mapping[date, LaterDeal], skip: Skip | None, last_done: NightRecord | None
) -> Literal["headline", "before"] | None:
    """Where the box of the headline tells the run whose leads agents have: below the headline, if that is about it, or
    in the sentence about the night before. None if the box is about other runs only."""
    before = night_before(night)
    repair = made_up.get(before.business_date) if before and night.state in TELLS_REPAIR else None
    own = made_up.get(night.business_date) if night.state in ("failed", "missed") else None
    headline = {
        night.run_id if night.state == "done" else None,
        skip.run_id if skip and night.state == "skipped" else None,
        own.run_id if own else None,
    }
    if run.run_id in headline:
        return "headline"
    return "before" if run.run_id in {each.run_id for each in (repair, last_done) if each} else None


def is_old(night: Tonight, run: Run | None) -> bool:
    """Whether agents should have got new leads since a run: a later night has no deal that holds."""
    if run is None:
        return False
    without = [each.business_date for each in night.nights if is_broken(each) or each.outcome in ("paused", "undone")]
    if night.state in ("failed", "missed", "late"):
        without.append(night.business_date)
    return any(window_of(day)[0] > run.finished_at for day in without)


def informed(settings: Settings, state: str) -> str:
    """A sentence about the people who get a notice of a failed, missed or late deal."""
    if not settings.notify_urls:
        nobody = sentence("Nobody was told.")
        if state == "late":
            return nobody
        called = sentence("Only the address in FUNNEL_DEAD_MAN_URL was called.")
        return joined(nobody, called) if settings.dead_man_url else nobody
    if state in ("missed", "late") and "missed" not in settings.notify_on:
        return sentence("Nobody got a notice: those of missed deals are turned off (FUNNEL_NOTIFY_ON).")
    if state == "late":
        return sentence("Nobody was told yet. If the deal is missed, a notice of it is sent.")
    if state == "held" and "held" not in settings.notify_on:
        return sentence("Nobody got a notice: those of deals that wait for a person are turned off (FUNNEL_NOTIFY_ON).")
    if state not in ("missed", "held") and "failed" not in settings.notify_on:
        return sentence("Nobody got a notice: those of failed deals are turned off (FUNNEL_NOTIFY_ON).")
    return counted(
        "A notice of it goes to %(count)s address (FUNNEL_NOTIFY_URLS).",
        "A notice of it goes to %(count)s addresses (FUNNEL_NOTIFY_URLS).",
        len(settings.notify_urls),
    )


def fairness_of(run: Run | RunRecord, shares: Mapping[str, Share] | None, limits: Mapping[str, int]) -> Fairness | None:
    """The verdict on a run with these shares; None if they are not known, or nobody got a lead."""
    if not shares or run.agents is None:
        return None
    return judge({name: share.leads for name, share in shares.items()}, run.agents, limits)


def night_strip(night: Tonight) -> list[tuple[date, NightRecord | None]]:
    """The last nights, the oldest first, each with its outcome; None if nothing is known of it.

    A service that is younger has fewer, but two weeks.
    """
    found = {outcome.business_date: outcome for outcome in night.nights}
    newest = max([night.business_date, *found])
    known = (newest - min(found, default=newest)).days + 1
    days = [newest - timedelta(days=back) for back in reversed(range(min(NIGHTS_SHOWN, max(known, FEWEST_NIGHTS))))]
    return [(day, found.get(day)) for day in days]


def held_pool(reasons: Sequence[FailureReason]) -> UnusualPool | None:
    """The pool for which a brake held a deal at the last attempt; None if no brake did, or for another reason."""
    because = reasons[0].held_because if reasons else None
    return pool_in(because) if because else None


def strip_kinds(
    strip: Sequence[tuple[date, NightRecord | None]], night: Tonight, now: datetime, held: Collection[date]
) -> dict[date, str]:
    """What is known of each night of the strip: its outcome, what the headline says of tonight, or nothing. A night
    whose deal a brake `held` did not fail."""
    today = current_date(now, services().settings)
    kinds = {day: outcome.outcome if outcome else "unknown" for day, outcome in strip}
    if kinds.get(today) == "unknown" and now < window_of(today)[1]:
        about_today = night.state if night.business_date == today else ""
        kinds[today] = {"off": "holiday", "failed": "failed", "paused": "paused"}.get(about_today, "to_come")
    return {day: "held" if kind == "failed" and day in held else kind for day, kind in kinds.items()}


def strip_columns(
    strip: Sequence[tuple[date, NightRecord | None]], made_up: Mapping[date, LaterDeal], runs: Mapping[int, RunRecord]
) -> dict[date, RunRecord]:
    """The deal of each night of the strip that has one which holds: that of the schedule, or the one that made up."""
    found = {}
    for day, outcome in strip:
        run_id = made_up[day].run_id if day in made_up else outcome.run_id if outcome else None
        if run_id is not None and run_id in runs and (outcome is None or outcome.outcome != "undone"):
            found[day] = runs[run_id]
    return found
