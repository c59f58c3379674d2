"""The ends of business dates, and records of the schedule that are void because they came before their time.

A clock that is ahead makes such records: dates to come without a run, deals long before their time, and failures. Each
look voids them, so that a wrong clock costs no night. A person voids a record with `reopen`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agent_funnel.database import Database
from agent_funnel.errors import NotFound
from agent_funnel.schedule.calendar import Period, closes_at, scheduled_at
from agent_funnel.schedule.store import find_night, outcome_name
from agent_funnel.schedule.terms import MOST_DIFFERENCE, database_now, holding
from agent_funnel.sentences import joined, sentence
from agent_funnel.settings import Settings
from agent_funnel.values import Day, Flag, Moment, Record, shortened, write_moment

# A deal this long before its time counts as the deal of its date: it came early, but agents have their new leads. A
# deal that came earlier is void, and the date gets another one.
MOST_EARLY = timedelta(hours=1)
# Terms that held within this time tell whether a deal came early:
RECENT = timedelta(days=2)
CAME_TOO_EARLY = sentence(
    "It was recorded before its time: a clock was ahead, or the time of the deal was moved."
)  # fmt: skip
TAKEN_BACK = sentence("A person took it back.")


@dataclass(frozen=True)
class End(Record):
    """The end of a business date: the status of its scheduled run, or the reason why there was none.

    A run with `is_void` was made long before its time; the date gets another one.
    """

    business_date: Day
    outcome: str
    run_id: int | None
    at: Moment | None
    is_void: Flag


@dataclass(frozen=True)
class Attempt(Record):
    """A failed attempt at the scheduled run of a business date."""

    run_id: int
    business_date: Day
    at: Moment


@dataclass(frozen=True)
class VoidRecord(Record):
    """A record of the schedule that holds no more, and who voided it: a copy of the service, or a person."""

    business_date: Day
    outcome: str
    run_id: int | None
    recorded_at: Moment | None
    voided_at: Moment
    voided_by: str | None
    reason: str


@dataclass(frozen=True)
class Reopened:
    """A business date whose outcome was voided. If `window_closed`, the schedule does not deal for it any more."""

    business_date: date
    outcome: str
    window_closed: bool

    @property
    def text(self) -> str:
        """The sentence for the person who did it."""
        then = (
            sentence(
                "Its window has closed, so the schedule does not deal for it: make a deal by hand if you want one."
            )
            if self.window_closed
            else sentence("The schedule deals for it as soon as it may: not in a pause or on a day off.")
        )
        void = sentence(
            "The record that %(date)s is %(outcome)s is void.",
            date=self.business_date,
            outcome=outcome_name(self.outcome),
        )
        return joined(void, then)


def list_ends(database: Database, *, since: date) -> list[End]:
    """The ends of the business dates from a date on."""
    return [End.from_row(row) for row in database.all("ends", since=since.isoformat())]


def list_voids(database: Database, *, count: int = 60) -> list[VoidRecord]:
    """The newest void records, newest first."""
    return [VoidRecord.from_row(row) for row in database.all("voids", count=count)]


def came_too_early(end: End, now: datetime, periods: Sequence[Period]) -> bool:
    """Whether an end cannot hold at this moment.

    An outcome cannot hold while the window is open or to come, nor if it was recorded in the future; a skip can, since
    a person made it. A run cannot hold long before its time by any terms that held lately.
    """
    rules = periods[0].rules
    if end.run_id is None:
        return end.outcome not in ("void", "skipped") and (
            closes_at(end.business_date, rules) > now or (end.at is not None and end.at - now > MOST_DIFFERENCE)
        )
    lately = [each.rules for each in periods if each.until is None or each.until > now - RECENT]
    return not end.is_void and all(scheduled_at(end.business_date, rules) - now > MOST_EARLY for rules in lately)


def void_early_ends(
    database: Database, ends: Sequence[End], *, now: datetime, periods: Sequence[Period], actor: str
) -> list[End]:
    """Voids the ends that came too early, and returns them."""
    early = [end for end in ends if came_too_early(end, now, periods)]
    return [end for end in early if _void(database, end, now=now, actor=actor)]


def _void(database: Database, end: End, *, now: datetime, actor: str) -> bool:
    given: Mapping[str, object] = {"now": write_moment(now), "actor": shortened(actor), "reason": CAME_TOO_EARLY}
    if end.run_id is None:
        row = database.one("void_outcome", business_date=end.business_date.isoformat(), window_closed=0, **given)
    else:
        row = database.one("void_run", run_id=end.run_id, **given)
    return bool(row and row["voided"])


def void_early_attempts(database: Database, settings: Settings, *, now: datetime, actor: str) -> list[Attempt]:
    """Voids the failed attempts at dates to come, and those recorded in the future; returns them."""
    today = now.astimezone(settings.timezone).date()
    since, until = (today - timedelta(days=1)).isoformat(), write_moment(now + MOST_DIFFERENCE)
    found = [Attempt.from_row(row) for row in database.all("attempts", since=since, now=until)]
    early = [
        each for each in found if scheduled_at(each.business_date, settings) > now or each.at - now > MOST_DIFFERENCE
    ]
    given: Mapping[str, object] = {"now": write_moment(now), "actor": shortened(actor), "reason": CAME_TOO_EARLY}
    return [
        each for each in early if (row := database.one("void_attempt", run_id=each.run_id, **given)) and row["voided"]
    ]


def release_date(database: Database, business_date: date) -> None:
    """Makes the void run of a business date a run by hand, so that the date can have its scheduled run."""
    database.sets("release_date", business_date=business_date.isoformat())


def _nothing_recorded(day: date) -> str:
    return sentence("The date %(day)s has no outcome on record; nothing was changed.", day=day)


def reopen(
    database: Database, settings: Settings, business_date: date, *, now: datetime, actor: str | None
) -> Reopened:
    """Voids the recorded outcome of a business date, for a person.

    While the window is open, the next look deals. Later the date stays without an outcome, and a deal is made by hand.
    Raises NotFound if no outcome is on record, or if the date had its deal.
    """
    now = database_now(database) or now
    night = find_night(database, business_date)
    if night is None or night.outcome == "void":
        raise NotFound(
            sentence("The date %(business_date)s is void already; nothing was changed.", business_date=business_date)
            if night
            else _nothing_recorded(business_date)
        )
    if night.run_id is not None:
        raise NotFound(
            sentence(
                "The automatic deal of %(business_date)s was made (deal %(run_id)s); nothing was changed. To take it "
                "back, undo it; to deal again, make a deal by hand.",
                business_date=business_date,
                run_id=str(night.run_id),
            )
        )
    window_closed = closes_at(business_date, holding(database, settings)) <= now
    row = database.one(
        "void_outcome",
        business_date=business_date.isoformat(),
        window_closed=int(window_closed),
        now=write_moment(now),
        actor=actor,
        reason=TAKEN_BACK,
    )
    if not row or not row["voided"]:
        raise NotFound(_nothing_recorded(business_date))
    return Reopened(business_date, night.outcome, window_closed)
