"""Dates whose scheduled run is skipped because a person said so, perhaps with a deal by hand that is made instead.

A skip ends when somebody reopens the date, or undoes that deal before the window of the date has closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agent_funnel import deal
from agent_funnel.database import Database
from agent_funnel.deal import NewRun
from agent_funnel.errors import AlreadyRun, NotFound, ParameterOutOfRange
from agent_funnel.schedule.calendar import closes_at, current_date, is_workday, scheduled_at
from agent_funnel.schedule.store import find_night, list_holidays, outcome_name
from agent_funnel.schedule.terms import database_now, holding
from agent_funnel.sentences import sentence
from agent_funnel.settings import Settings
from agent_funnel.values import Day, Moment, Record, write_moment


@dataclass(frozen=True)
class Skip(Record):
    """A business date whose scheduled run is skipped, who said so, and the run that was made instead (UTC)."""

    business_date: Day
    skipped_at: Moment
    skipped_by: str | None
    run_id: int | None


def list_skips(database: Database, *, since: date) -> list[Skip]:
    """The skips from a day on, that day first."""
    return [Skip.from_row(row) for row in database.all("skips", since=since.isoformat())]


def find_skip(database: Database, business_date: date) -> Skip | None:
    """The skip of a business date; None if it is not skipped."""
    return next(
        (each for each in list_skips(database, since=business_date) if each.business_date == business_date), None
    )


def skip_of_run(database: Database, run_id: int, *, since: date) -> Skip | None:
    """The skip that a run asked for, of a date from a day on; None if there is none."""
    return next((each for each in list_skips(database, since=since) if each.run_id == run_id), None)


def skipped_dates(database: Database, now: datetime) -> set[date]:
    """The skipped dates from about a day before a moment on."""
    return {each.business_date for each in list_skips(database, since=now.date() - timedelta(days=1))}


def tonight_to_skip(database: Database, settings: Settings, *, now: datetime) -> tuple[date, datetime] | None:
    """The business date whose scheduled run is still to come today, and its instant; None if there is none to skip."""
    now = database_now(database) or now
    rules = holding(database, settings)
    day = current_date(now, rules)
    return None if _fault(database, rules, day, now) else (day, scheduled_at(day, rules))


def skip(database: Database, settings: Settings, business_date: date, *, now: datetime, actor: str | None) -> None:
    """Skips the scheduled run of a business date.

    Raises NotFound if none is to come, and AlreadyRun if the date has its run or has none already.
    """
    now = database_now(database) or now
    rules = holding(database, settings)
    _check(database, rules, business_date, now)
    row = database.one(
        "skip_date",
        business_date=business_date.isoformat(),
        now=write_moment(now),
        actor=actor,
        closes_at=write_moment(closes_at(business_date, rules)),
    )
    if not row or not row["skipped"]:
        raise AlreadyRun(
            sentence(
                "The automatic deal of %(business_date)s was made in the meantime; nothing was changed.",
                business_date=business_date,
            )
        )


def deal_and_skip(
    database: Database,
    settings: Settings,
    business_date: date,
    *,
    now: datetime,
    actor: str | None,
    again: bool,
    skip_date: date | None = None,
) -> NewRun:
    """Deals by hand, and skips the scheduled run that is still to come tonight, in one transaction.

    With `skip_date`, only if that is tonight's business date, else it raises ParameterOutOfRange. Also raises what
    `deal` and `skip` raise.
    """
    at = database_now(database) or now
    rules = holding(database, settings)
    tonight = current_date(at, rules)
    if skip_date not in (None, tonight):
        raise ParameterOutOfRange(
            sentence(
                "Tonight is %(tonight)s, not %(skip_date)s; nothing was changed. Look again.",
                tonight=tonight,
                skip_date=skip_date,
            )
        )
    _check(database, rules, tonight, at)
    return deal.deal(
        database, settings, business_date=business_date, actor=actor, again=again,
        skip_date=tonight, skip_until=closes_at(tonight, rules),
    )  # fmt: skip


def _check(database: Database, rules: Settings, day: date, now: datetime) -> None:
    if night := find_night(database, day):
        raise AlreadyRun(_ended(day, night.outcome))
    if fault := _fault(database, rules, day, now):
        raise NotFound(fault)


def _ended(day: date, outcome: str) -> str:
    if outcome in ("succeeded", "undone"):
        return sentence(
            "The automatic deal of %(day)s was made already, so there is none to skip; nothing was changed.", day=day
        )
    return sentence(
        "The date %(day)s is recorded as %(outcome)s already, so there is none to skip; nothing was changed.",
        day=day,
        outcome=outcome_name(outcome),
    )


def _fault(database: Database, rules: Settings, day: date, now: datetime) -> str | None:
    """Why there is no scheduled run of a date to skip, as a sentence."""
    if night := find_night(database, day):
        return _ended(day, night.outcome)
    if closes_at(day, rules) <= now:
        return sentence(
            "The time of the automatic deal of %(day)s has passed, so there is none to skip; nothing was changed.",
            day=day,
        )
    if not is_workday(day, rules) or any(each.day == day for each in list_holidays(database, since=day)):
        return sentence("No automatic deal is due on %(day)s, so there is none to skip; nothing was changed.", day=day)
    return None
