"""What happened on a night without its deal: the reasons of the failed attempts, and the deal that made up for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from agent_funnel.database import Database
from agent_funnel.runs import held_because
from agent_funnel.schedule.calendar import scheduled_at
from agent_funnel.schedule.store import NightRecord, list_nights
from agent_funnel.settings import Settings
from agent_funnel.values import Day, Moment, Record, write_moment

# The outcomes of a night on which the deal should have been made and was not:
BROKEN = ("missed", "failed")


@dataclass(frozen=True)
class FailureReason(Record):
    """A reason why `attempts` at the scheduled run of a date failed; `run_id` is the record of the last one.

    Moments are in UTC.
    """

    error_number: int | None
    message: str
    attempts: int
    first_at: Moment
    last_at: Moment
    run_id: int

    @property
    def held_because(self) -> str | None:
        """The reason of the brake that held the run; None if the attempts failed for another reason."""
        return held_because(self.message)


@dataclass(frozen=True)
class LaterDeal(Record):
    """A run that was made after a moment, and is not undone."""

    run_id: int
    business_date: Day
    trigger: str
    actor: str | None
    finished_at: Moment


def failure_reasons(database: Database, business_date: date) -> list[FailureReason]:
    """The reasons of the failed attempts at the scheduled run of a date, the newest first."""
    rows = database.all("failure_reasons", business_date=business_date.isoformat())
    return [FailureReason.from_row(row) for row in rows]


def deals_since(database: Database, since: datetime) -> list[LaterDeal]:
    """The runs that ended after a moment and are not undone, the oldest first."""
    return [LaterDeal.from_row(row) for row in database.all("later_deals", since=write_moment(since))]


def repairs(database: Database, settings: Settings, nights: Iterable[NightRecord]) -> dict[date, LaterDeal]:
    """The deals by hand that made up for nights that were missed or failed, by the date of the night.

    A night is made up for if the next deal after its time was made by hand; otherwise the next night's deal just came.
    """
    begins = {night.business_date: scheduled_at(night.business_date, settings) for night in nights if is_broken(night)}
    if not begins:
        return {}
    deals = deals_since(database, min(begins.values()))
    first = {day: next((deal for deal in deals if deal.finished_at > at), None) for day, at in begins.items()}
    return {day: deal for day, deal in first.items() if deal is not None and deal.trigger == "manual"}


def nights_by_repair(database: Database, settings: Settings, *, count: int) -> dict[int, list[date]]:
    """The nights among the newest `count` that deals by hand made up for, the oldest first, by the run of the deal."""
    found: dict[int, list[date]] = {}
    for day, deal in sorted(repairs(database, settings, list_nights(database, count=count)).items()):
        found.setdefault(deal.run_id, []).append(day)
    return found


def held_nights(database: Database, nights: Iterable[NightRecord]) -> set[date]:
    """The dates of the nights that failed because a brake held their deal at the last attempt."""
    failed = [night.business_date for night in nights if night.outcome == "failed"]
    return {day for day in failed if is_held(failure_reasons(database, day))}


def is_held(reasons: Sequence[FailureReason]) -> bool:
    """Whether a brake held the last of some attempts; the newest reason comes first."""
    return bool(reasons) and reasons[0].held_because is not None


def is_broken(night: NightRecord) -> bool:
    """Whether the deal of a night should have been made, and was not."""
    return night.outcome in BROKEN
