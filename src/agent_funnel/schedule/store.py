"""The schedule's records: failed attempts, dates without a run, pauses and holidays.

They are in the database, so all copies of the service share them. A function that raises an error of the tree in
`errors` has changed nothing. Moments are arguments, so that tests can set them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from agent_funnel.database import Database
from agent_funnel.errors import FunnelError, NotFound, ParameterOutOfRange
from agent_funnel.rules import DEFAULTS, effective
from agent_funnel.sentences import sentence, with_hint
from agent_funnel.settings import Settings
from agent_funnel.values import (
    Day,
    Moment,
    Record,
    Row,
    check_characters,
    read_date,
    read_moment,
    shortened,
    write_moment,
)

# Outcomes of nights in sentences:
OUTCOME_NAMES = {
    "succeeded": sentence("succeeded"),
    "undone": sentence("undone"),
    "missed": sentence("missed"),
    "failed": sentence("failed"),
    "holiday": sentence("holiday"),
    "paused": sentence("paused"),
    "skipped": sentence("skipped"),
    "void": sentence("void"),
}
# The longest message that the table of failures holds, in characters:
LONGEST_MESSAGE = 1_000


def outcome_name(outcome: str) -> str:
    """The outcome of a night as a word in a sentence."""
    return OUTCOME_NAMES.get(outcome, outcome)


@dataclass(frozen=True)
class ScheduleState(Record):
    """The recorded state of the schedule for one business date.

    `settled` is the newest of all business dates that had a scheduled run or are recorded as passed without one.
    `failures`, `failed_at` (the last failure) and `holiday` belong to the one business date. Moments are in UTC.
    """

    settled: date | None
    installed_at: datetime | None
    paused: bool
    failures: int
    failed_at: datetime | None
    holiday: bool

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """The state from a row, whose `pause_id` is not NULL during a pause."""
        settled, installed_at, failed_at = row["settled"], row["installed_at"], row["failed_at"]
        return cls(
            settled=None if settled is None else read_date(settled),
            installed_at=None if installed_at is None else read_moment(installed_at),
            paused=row["pause_id"] is not None,
            failures=row["failures"],
            failed_at=None if failed_at is None else read_moment(failed_at),
            holiday=bool(row["holiday"]),
        )


@dataclass(frozen=True)
class Pause(Record):
    """A pause of the schedule; it lasts while `resumed_at` (UTC) is None."""

    pause_id: int
    paused_at: Moment
    paused_by: str | None
    reason: str | None
    resumed_at: Moment | None
    resumed_by: str | None


@dataclass(frozen=True)
class Holiday(Record):
    """A day without a scheduled run."""

    day: Day
    name: str | None


@dataclass(frozen=True)
class NoticeRecord(Record):
    """A notice of a kind that was noted for a business date."""

    business_date: Day
    kind: str
    noted_at: Moment


@dataclass(frozen=True)
class NightRecord(Record):
    """The outcome of a business date: `succeeded` or `undone`, by a run; or the reason why there was no run.

    The reason is `missed`, `failed`, `holiday`, `paused`, `skipped`, or `void` if a person voided the outcome later.
    """

    business_date: Day
    outcome: str
    run_id: int | None
    at: Moment


def schedule_state(database: Database, business_date: date) -> ScheduleState:
    """The state of the schedule, with the failures of a business date."""
    row = database.one("schedule_state", business_date=business_date.isoformat())
    assert row is not None
    return ScheduleState.from_row(row)


def record_failure(
    database: Database,
    settings: Settings,
    business_date: date,
    error: FunnelError,
    *,
    attempt: int,
    started_at: datetime,
    finished_at: datetime,
    actor: str,
) -> bool:
    """Records a failed attempt as a run with the status `failed`; False if another copy has recorded that attempt.

    If a rule is recorded wrongly in the database, the attempt has the default rules.
    """
    try:
        rules = effective(database, settings)
    except ParameterOutOfRange:
        rules = DEFAULTS
    row = database.one(
        "record_failure",
        business_date=business_date.isoformat(),
        attempt=attempt,
        error_number=error.number,
        message=shortened(str(error), LONGEST_MESSAGE),
        actor=actor,
        max_per_agent=rules.max_per_agent,
        window_days=rules.window_days,
        newest_first=int(rules.newest_first),
        country=rules.country,
        voice=rules.voice,
        started_at=write_moment(started_at),
        finished_at=write_moment(finished_at),
    )
    return bool(row and row["recorded"])


def settle_date(
    database: Database, business_date: date, *, workday: bool, closes_at: datetime, now: datetime
) -> str | None:
    """Records why a business date passed without a scheduled run. Returns the reason; None if it was on record."""
    row = database.one(
        "settle_date",
        business_date=business_date.isoformat(),
        workday=int(workday),
        closes_at=write_moment(closes_at),
        now=write_moment(now),
    )
    return str(row["outcome"]) if row else None


def note_notice(database: Database, business_date: date, kind: str, *, now: datetime, actor: str) -> bool:
    """Notes that people get a notice of a kind for a business date; False if a copy of the service has sent it."""
    row = database.one(
        "note_notice", business_date=business_date.isoformat(), kind=kind, now=write_moment(now), actor=shortened(actor)
    )
    return bool(row and row["noted"])


def notices_since(database: Database, since: datetime) -> list[NoticeRecord]:
    """The notices that were noted after a moment."""
    return [NoticeRecord.from_row(row) for row in database.all("notices_since", since=write_moment(since))]


def list_nights(database: Database, *, count: int = 60) -> list[NightRecord]:
    """The outcomes of the newest business dates, newest first."""
    return [NightRecord.from_row(row) for row in database.all("outcomes", count=count)]


def nights_without_run(database: Database, *, after: date, before: date) -> list[NightRecord]:
    """The business dates between two others that passed without a scheduled run, newest first."""
    rows = database.all("nights_without_run", after=after.isoformat(), before=before.isoformat())
    return [NightRecord.from_row(row) for row in rows]


def find_night(database: Database, business_date: date) -> NightRecord | None:
    """The outcome of a business date; None if none is on record."""
    row = database.one("outcome_of_date", business_date=business_date.isoformat())
    return None if row is None else NightRecord.from_row(row)


def failure_counts(database: Database) -> dict[str, int]:
    """How many attempts at scheduled runs failed, by error number; `other` for errors without a number."""
    return {str(row["error_number"] or "other"): row["failures"] for row in database.all("failure_counts")}


def outcome_counts(database: Database) -> dict[str, int]:
    """How many business dates passed without a scheduled run, by reason."""
    return {row["outcome"]: row["dates"] for row in database.all("outcome_counts")}


def list_pauses(database: Database, *, count: int = 10) -> list[Pause]:
    """The newest pauses, newest first. If the first one has no end, the schedule is paused now."""
    return [Pause.from_row(row) for row in database.all("pauses", count=count)]


def current_pause(database: Database) -> Pause | None:
    """The pause in force; None if the schedule is not paused."""
    return next((each for each in list_pauses(database, count=1) if each.resumed_at is None), None)


def pause(database: Database, *, now: datetime, actor: str | None, reason: str | None) -> bool:
    """Pauses the schedule for all copies of the service; False if it is paused already."""
    check_characters("reason", reason)
    row = database.one("pause", now=write_moment(now), actor=actor, reason=reason)
    return bool(row and row["changed"])


def resume(database: Database, *, now: datetime, actor: str | None) -> bool:
    """Resumes the schedule; False if it is not paused."""
    row = database.one("resume", now=write_moment(now), actor=actor)
    return bool(row and row["changed"])


def next_run_on_record(database: Database) -> tuple[date, datetime] | None:
    """The business date and the instant of the next scheduled run; None during a pause."""
    row = database.one("next_run")
    return None if row is None else (read_date(row["business_date"]), read_moment(row["due_at"]))


def record_next_run(database: Database, found: tuple[date, datetime] | None) -> None:
    """Records the next scheduled run, or that none is to come. Does not wait for another writer."""
    if found is None:
        database.sets("remove_next_run")
    else:
        database.sets("record_next_run", business_date=found[0].isoformat(), due_at=write_moment(found[1]))


def list_holidays(database: Database, *, since: date) -> list[Holiday]:
    """The holidays from a day on."""
    return [Holiday.from_row(row) for row in database.all("holidays", since=since.isoformat())]


def add_holiday(database: Database, day: date, name: str | None = None) -> None:
    """Adds a holiday, or changes its name."""
    check_characters("name", name)
    database.one("add_holiday", day=day.isoformat(), label=name)


def remove_holiday(database: Database, day: date) -> None:
    """Removes a holiday. Raises NotFound if that day is not one."""
    row = database.one("remove_holiday", day=day.isoformat())
    if not row or not row["removed"]:
        raise NotFound(
            with_hint(sentence("%(day)s is not a holiday.", day=day), "`agent-funnel holidays list` shows all.")
        )
