"""What travels between the rooms: plain facts, without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import WithJsonSchema

Row = Mapping[str, Any]
# A lead's date, local to the floor: without a zone it is not what JSON Schema calls a date-time.
Local = Annotated[
    datetime, WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3,6})?$"})
]

# The longest name, number or reason that every table can hold, in characters:
LONGEST = 255


def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def moment(value: datetime | str) -> datetime:
    """A moment in UTC; databases keep it without a zone, SQLite as text."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC)


def length(text: str) -> int:
    """How long a text is where T-SQL keeps it: what is beyond the first 65536 characters counts twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def last_digits(number: str) -> str:
    """What one who may not call a number sees of it: its last three digits, and nothing of one that has no more."""
    return f"…{number[-3:] if len(number) > 3 else ''}"


def _created(value: datetime | str | None) -> datetime | None:
    """A lead's date, to the millisecond; None also for what is no date, which SQLite keeps as any other text."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


@dataclass(frozen=True)
class Run:
    """One execution of the deal: the summary row of the procedure, column by column. A preview has the run_id 0.

    All amounts are leads, except `agents` (people). `per_agent` is the even share before limits of single agents;
    `duplicates` are eligible records that wait behind another record of their number, `suppressed` those kept out by
    `do_not_contact`. Moments are in UTC.
    """

    run_id: int
    business_date: date
    trigger: str
    status: str
    agents: int
    pool: int
    per_agent: int
    assigned: int
    left_over: int
    duplicates: int
    suppressed: int
    smallest_share: int
    largest_share: int
    started_at: datetime
    finished_at: datetime

    @classmethod
    def from_row(cls, row: Row) -> Self:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        values["business_date"] = _date(row["business_date"])
        values["started_at"] = moment(row["started_at"])
        values["finished_at"] = moment(row["finished_at"])
        return cls(**values)

    @property
    def seconds(self) -> float:
        """How long the run took."""
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class RunRecord:
    """A run as it is kept, with what became of it. The amounts are None in a run that never got to count.

    `restored` and `changed_since` are the leads that its undo took back and left; `purged_at` says since when its
    history is gone. Moments are in UTC.
    """

    run_id: int
    business_date: date
    trigger: str
    actor: str | None
    status: str
    agents: int | None
    pool: int | None
    per_agent: int | None
    assigned: int | None
    left_over: int | None
    duplicates: int | None
    suppressed: int | None
    smallest_share: int | None
    largest_share: int | None
    started_at: datetime
    finished_at: datetime | None
    max_per_agent: int
    window_days: int
    newest_first: bool
    undone_at: datetime | None
    undone_by: str | None
    restored: int | None
    changed_since: int | None
    purged_at: datetime | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        values["business_date"] = _date(row["business_date"])
        values["newest_first"] = bool(row["newest_first"])
        for name in ("started_at", "finished_at", "undone_at", "purged_at"):
            values[name] = None if row[name] is None else moment(row[name])
        return cls(**values)


@dataclass(frozen=True)
class Failure:
    """Why a run failed: which attempt of its date it was, the SQL number of its error, if it has one, and its text."""

    attempt: int
    error_number: int | None
    message: str


@dataclass(frozen=True)
class Undone:
    """An undo: the run it took back, and how.

    `restored` leads went back by one stage, `changed_since` were left, as somebody had changed their stage;
    `assignments` came back, `suppressed` ones did not, as their number is on the do-not-contact list now.
    """

    run_id: int
    business_date: date
    undone_at: datetime
    actor: str | None
    restored: int
    changed_since: int
    assignments: int
    suppressed: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        values["business_date"] = _date(row["business_date"])
        values["undone_at"] = moment(row["undone_at"])
        return cls(**values)


@dataclass(frozen=True)
class PreviewShare:
    """What one agent would get: `by_stage` and `by_age` (whole days before the business date) count leads."""

    agent: str
    room: int
    leads: int
    by_stage: Mapping[int, int]
    by_age: Mapping[str, int]

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(
            agent=row["agent"],
            room=row["room"],
            leads=row["leads"],
            by_stage={stage: row[f"stage_{stage}"] for stage in (1, 2, 3)},
            by_age={age: row[f"days_{age}"] for age in ("0_to_7", "8_to_30", "31_and_more")},
        )


@dataclass(frozen=True)
class Preview:
    """What a run would do. Leads would `stay` with their agent, `change_hands`, `come` (nobody has them) or `leave`."""

    run: Run
    shares: tuple[PreviewShare, ...]
    stay: int
    change_hands: int
    come: int
    leave: int


@dataclass(frozen=True)
class Holder:
    """Who held a number: from the end of the run that dealt it (UTC) until the next deal or its undo; None = still."""

    run_id: int
    business_date: date
    agent: str
    stage: int
    held_from: datetime
    held_until: datetime | None
    status: str

    @classmethod
    def from_row(cls, row: Row) -> Self:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        values["business_date"] = _date(row["business_date"])
        values["held_from"] = moment(row["held_from"])
        values["held_until"] = None if row["held_until"] is None else moment(row["held_until"])
        return cls(**values)


@dataclass(frozen=True)
class Purged:
    """What a purge removed: the history of so many runs, in so many rows."""

    runs: int
    rows: int


@dataclass(frozen=True)
class Share:
    """What one agent got in a run: `by_stage` counts leads by their stage before the run."""

    agent: str
    leads: int
    by_stage: Mapping[int, int]


@dataclass(frozen=True)
class Limit:
    """An agent gets at most `max_records` leads a night from `starts_on` to `ends_on`, both inclusive; 0 = away.

    `ends_on` is None for an open end.
    """

    limit_id: int
    agent: str
    starts_on: date
    ends_on: date | None
    max_records: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        ends_on = row["ends_on"]
        return cls(
            limit_id=row["limit_id"],
            agent=row["agent"],
            starts_on=_date(row["starts_on"]),
            ends_on=None if ends_on is None else _date(ends_on),
            max_records=row["max_records"],
        )


@dataclass(frozen=True)
class DoNotContact:
    """A number that is never dealt, since `added_at` (UTC)."""

    number: str
    reason: str | None
    added_at: datetime

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(number=row["number"], reason=row["reason"], added_at=moment(row["added_at"]))


@dataclass(frozen=True)
class AgentRow:
    """An agent: how many `leads` they have now, in rows of the present assignments; `room`, the leads that a limit
    leaves them on the business date (None without one); and the date of the newest run that dealt to them, as far as
    the newest runs tell."""

    agent: str
    active: bool
    leads: int
    room: int | None
    last_dealt: date | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        last_dealt = row["last_dealt"]
        return cls(
            agent=row["agent"],
            active=bool(row["active"]),
            leads=row["leads"],
            room=row["room"],
            last_dealt=None if last_dealt is None else _date(last_dealt),
        )


@dataclass(frozen=True)
class Seat:
    """An agent, and the leads that a limit leaves them on a business date, None without a limit."""

    agent: str
    active: bool
    room: int | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(agent=row["agent"], active=bool(row["active"]), room=row["room"])


@dataclass(frozen=True)
class Assignment:
    """Who has which number now, with the lead's stage and date (local to the floor); None where the lead is gone."""

    agent: str
    number: str
    stage: int | None
    date: Local | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(row["agent"], str(row["number"]), row["stage"], _created(row["date"]))


@dataclass(frozen=True)
class DealtLead:
    """A lead that a run dealt, with its date (local to the floor) and its stage before the run."""

    agent: str
    number: str
    date: Local | None
    stage: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(row["agent"], row["number"], _created(row["date"]), row["stage"])


@dataclass(frozen=True)
class Lead:
    """A record of `wafunnel`, `copies` equal rows: its date (local to the floor, to the millisecond), who has its
    number now, and whether the number is on the do-not-contact list."""

    number: str
    stage: int | None
    date: Local | None
    agent: str | None
    do_not_contact: bool
    copies: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        values["number"] = str(row["number"])
        values["date"] = _created(row["date"])
        values["do_not_contact"] = bool(row["do_not_contact"])
        return cls(**values)


@dataclass(frozen=True)
class LeadHistory:
    """What is known of a number: its records, its entry in the do-not-contact list, who has it now and who held it, the
    newest first."""

    number: str
    records: tuple[Lead, ...]
    do_not_contact: DoNotContact | None
    agent: str | None
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class PoolReport:
    """Each row of `wafunnel`, counted once, in rows; the others add up to `total`.

    Of what holds for a row, the first counts, in this order: `unusable` (a blank number, no stage, no date), `dealt`
    (its number is in the present assignments), `at_stage_4` (or more), `too_old`, `do_not_contact`, `duplicate` (it
    waits behind another record of its number), `left_over` (in the pool, and nobody has it).
    """

    business_date: date
    dealt: int
    left_over: int
    at_stage_4: int
    too_old: int
    do_not_contact: int
    duplicate: int
    unusable: int
    total: int


@dataclass(frozen=True)
class BadRow:
    """A row of a file that cannot be imported: its line (1 is the header) and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class ScheduleState:
    """What the database knows of the schedule: `settled` is the newest business date that had a scheduled run, or is
    recorded as having passed without one; `failures` and `failed_at` (the last one, UTC) are those of the business date
    that was asked for, and `holiday` whether it is one. Moments are in UTC.
    """

    settled: date | None
    installed_at: datetime | None
    paused: bool
    failures: int
    failed_at: datetime | None
    holiday: bool

    @classmethod
    def from_row(cls, row: Row) -> Self:
        settled, installed_at, failed_at = row["settled"], row["installed_at"], row["failed_at"]
        return cls(
            settled=None if settled is None else _date(settled),
            installed_at=None if installed_at is None else moment(installed_at),
            paused=row["pause_id"] is not None,
            failures=row["failures"],
            failed_at=None if failed_at is None else moment(failed_at),
            holiday=bool(row["holiday"]),
        )


@dataclass(frozen=True)
class Pause:
    """A pause of the clock; it lasts while `resumed_at` (UTC) is None."""

    pause_id: int
    paused_at: datetime
    paused_by: str | None
    reason: str | None
    resumed_at: datetime | None
    resumed_by: str | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        values["paused_at"] = moment(row["paused_at"])
        values["resumed_at"] = None if row["resumed_at"] is None else moment(row["resumed_at"])
        return cls(**values)


@dataclass(frozen=True)
class Holiday:
    """A day on which no scheduled run is due."""

    day: date
    name: str | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(day=_date(row["day"]), name=row["name"])


@dataclass(frozen=True)
class Outcome:
    """What became of a business date: `succeeded` or `undone`, by a run; or `missed`, `failed`, `holiday`, `paused`."""

    business_date: date
    outcome: str
    run_id: int | None
    at: datetime

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(_date(row["business_date"]), row["outcome"], row["run_id"], moment(row["at"]))


@dataclass(frozen=True)
class Imported:
    """What an import did, in rows of the file: `rows` = `added` + `kept` (in the database already) + `bad_rows`.

    `bad` has the bad rows themselves, up to a thousand.
    """

    rows: int
    added: int
    kept: int
    bad_rows: int
    bad: tuple[BadRow, ...]


@dataclass(frozen=True)
class Installed:
    """What an installation did: names of objects that it made, found and left alone, and replaced."""

    made: tuple[str, ...]
    kept: tuple[str, ...]
    replaced: tuple[str, ...]


Level = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """What `doctor` found in one of its checks, in a sentence, and what to do about it.

    A note is worth knowing, a warning worth looking at; an error keeps the deal from working, or means that records
    contradict each other.
    """

    check: str
    level: Level
    text: str
    remedy: str | None = None
