"""How the present night stands, in a word, for who looks rather than reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from agent_funnel import planning
from agent_funnel.backends import Backend
from agent_funnel.records import Outcome, Pause, Run, ScheduleState
from agent_funnel.schedule import closes_at, due, is_workday, next_run, scheduled_at
from agent_funnel.settings import Settings

Word = Literal["done", "undone", "due", "running", "late", "failed", "missed", "paused", "off"]
# How many nights are looked back at:
NIGHTS = 60
# The clock looks every half minute; a run that has not begun after this is late:
PUNCTUAL = timedelta(minutes=1)
# What each outcome of a business date is here:
WORDS: dict[str, Word] = {
    "succeeded": "done",
    "undone": "undone",
    "missed": "missed",
    "failed": "failed",
    "paused": "paused",
    "holiday": "off",
}


@dataclass(frozen=True)
class Night:
    """How a night stands.

    `word` is about the run of `business_date`: "done"; "undone"; "due" at the end of the wait; "running", whichever run
    it is; "late", it is time and nothing has happened; "failed", it is tried again until `closes_at`, or not at all
    where that is None; "missed", nobody made it in time; "paused"; "off", no run is due that day, a holiday say.
    `next_at` is when the clock deals next, in the zone of the floor.
    """

    word: Word
    business_date: date
    next_at: datetime
    closes_at: datetime | None
    run_id: int | None
    pause: Pause | None
    nights: tuple[Outcome, ...]


def tonight(backend: Backend, settings: Settings, now: datetime, last: Run | None) -> Night:
    """How the night stands at a moment, and what became of the last ones, the newest first.

    `last` is the last run that is not undone.
    """
    return judge(
        now,
        settings,
        state=planning.state(backend, current(now, settings)),
        nights=planning.outcomes(backend, count=NIGHTS),
        pause=planning.current_pause(backend),
        running=backend.run_in_progress(),
        dealt_at=None if last is None else last.finished_at,
    )


def current(now: datetime, settings: Settings) -> date:
    """The business date that a moment belongs to: yesterday's while its run may still be made, otherwise today's."""
    return due(now, settings) or now.astimezone(settings.timezone).date()


def judge(
    now: datetime,
    settings: Settings,
    *,
    state: ScheduleState,
    nights: Sequence[Outcome],
    pause: Pause | None,
    running: bool,
    dealt_at: datetime | None,
) -> Night:
    """The same, from what the database knows: `state` is that of the current business date, `dealt_at` (UTC) when the
    last run ended that is not undone."""
    business_date = current(now, settings)
    begins, closes = scheduled_at(business_date, settings), closes_at(business_date, settings)
    outcome = next((night for night in nights if night.business_date == business_date), None)
    # Who comes in the morning wants to know of last night; a deal that was made since has made up for it.
    before = next((night for night in nights if night.business_date < business_date), None)
    if before is not None and (before.outcome not in ("missed", "failed") or (dealt_at and dealt_at > before.at)):
        before = None
    word: Word
    if running:
        word = "running"
    elif outcome is not None:
        word = WORDS[outcome.outcome]
    elif pause is not None:
        word = "paused"
    elif state.holiday or not is_workday(business_date, settings):
        word = "off"
    elif now < begins:
        word = "due"
    elif now < closes:
        word = "failed" if state.failures else "late" if now - begins > PUNCTUAL else "due"
    else:
        word = "failed" if state.failures else "missed"
    if before is not None and word in ("due", "off") and now < begins:
        word, outcome, business_date = WORDS[before.outcome], before, before.business_date
    return Night(
        word,
        business_date,
        next_run(now, settings),
        closes if begins <= now < closes and outcome is None else None,
        outcome.run_id if outcome else None,
        pause,
        tuple(nights),
    )
