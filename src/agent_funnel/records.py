"""What travels between the rooms: plain facts, without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Self

Row = Mapping[str, Any]


def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _moment(value: datetime | str) -> datetime:
    """A moment in UTC; databases keep it without a zone, SQLite as text."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    """One execution of the deal: the summary row of the procedure, column by column.

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
        values["started_at"] = _moment(row["started_at"])
        values["finished_at"] = _moment(row["finished_at"])
        return cls(**values)

    @property
    def seconds(self) -> float:
        """How long the run took."""
        return (self.finished_at - self.started_at).total_seconds()


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
        return cls(number=row["number"], reason=row["reason"], added_at=_moment(row["added_at"]))


@dataclass(frozen=True)
class BadRow:
    """A row of a file that cannot be imported: its line (1 is the header) and why."""

    line: int
    reason: str


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
