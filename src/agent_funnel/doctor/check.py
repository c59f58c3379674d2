"""Checks and their findings, and the examination that every check works with."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from agent_funnel.database import Database
from agent_funnel.errors import DatabaseBusy, DatabaseDamaged, DatabaseError, DatabaseUnavailable
from agent_funnel.masking import mask_quoted_numbers
from agent_funnel.sql import in_schema, queries
from agent_funnel.values import Row

Level = Literal["ok", "note", "warning", "error"]
# A finding before it has the name of its check: level, sentence, and a remedy or None.
Result = tuple[Level, str, str | None]


@dataclass(frozen=True)
class Finding:
    """A finding of one check: a sentence, and a remedy that says what to do about it.

    A note is worth knowing, and a warning is worth looking at. An error means that the deal cannot work, or that
    records contradict each other.
    """

    check: str
    level: Level
    text: str
    remedy: str | None = None


@dataclass(frozen=True)
class Examination:
    """A database under examination. `now` is the local time at the start, `began` the `time.monotonic()` of then."""

    database: Database
    schema: str | None
    babelfish: bool
    now: datetime
    began: float

    def one(self, name: str, **parameters: Any) -> Row:
        """The row of a query that always has one."""
        row = self.database.one(name, **parameters)
        if row is None:
            raise DatabaseError(f"The database returned no row for {name}.")
        return row

    def here(self, text: str) -> str:
        """A text that is written for the schema `dbo`, adapted to the schema of this database."""
        return text.replace("dbo.", "") if self.schema is None else in_schema(text, self.schema)

    def remedy(self, name: str) -> str:
        """A statement from `remedies.sql`, on one line."""
        lines = queries(self.database.dialect)[f"remedy_{name}"].splitlines()
        text = self.here(" ".join(line.strip() for line in lines if line.strip() and not line.startswith("--")))
        return text.replace("<country>", self.country().replace("'", "''")) if "<country>" in text else text

    def country(self) -> str:
        """The country whose match keys hold, in two letters; empty without one."""
        return str(self.one("doctor_country")["country"])

    def clock(self) -> datetime:
        """The time at the sales floor now."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


# A check yields its results; it yields one also if all is well.
Check = Callable[[Examination], Iterator[Result]]


def findings(name: str, check: Check, examination: Examination) -> Iterator[Finding]:
    """Runs a check and yields its results as findings."""
    for level, text, remedy in check(examination):
        yield Finding(name, level, text, remedy)


def guarded(name: str, ask: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Runs a check. A database error becomes a note that the check could not be made; damage to its file is an error.

    Raises DatabaseUnavailable when the connection is gone.
    """
    try:
        return list(ask())
    except DatabaseError as error:
        if isinstance(error, DatabaseUnavailable) and not isinstance(error, DatabaseBusy):
            raise
        level: Level = "error" if isinstance(error, DatabaseDamaged) else "note"
        return [Finding(name, level, f"Could not be checked: {mask_quoted_numbers(str(error).rstrip('.'))}.")]


def count_of(count: int, one: str, many: str | None = None) -> str:
    """An amount with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def examples(values: Iterable[object], total: int) -> str:
    """The values, separated by commas; with an ellipsis if they are not all of the `total`."""
    shown = [str(value) for value in values]
    return ", ".join([*shown, "…"] if total > len(shown) else shown)


def version_tuple(text: str) -> tuple[int, ...]:
    """The numbers of a version, for comparisons."""
    return tuple(int(part) for part in re.findall(r"\d+", text))
