"""What every check works with."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agent_funnel.backends import Backend
from agent_funnel.errors import DatabaseBusy, DatabaseError, DatabaseUnavailable
from agent_funnel.records import Finding, Level, Row
from agent_funnel.sql import in_schema, queries

Said = tuple[Level, str, str | None]


@dataclass(frozen=True)
class Case:
    """The database under examination. `now` is the time on the floor at the moment when the stopwatch said `began`."""

    backend: Backend
    schema: str | None
    babelfish: bool
    now: datetime
    began: float

    def one(self, name: str, **parameters: Any) -> Row:
        """The row of a query that always has one."""
        row = self.backend.one(name, **parameters)
        if row is None:
            raise DatabaseError(f"The database gave no answer to {name}.")
        return row

    def here(self, text: str) -> str:
        """A text written for the schema `dbo`, as it must be written for this database."""
        return text.replace("dbo.", "") if self.schema is None else in_schema(text, self.schema)

    def remedy(self, name: str) -> str:
        """A statement of the file of remedies, on one line."""
        lines = queries(self.backend.dialect)[f"remedy_{name}"].splitlines()
        return self.here(" ".join(line.strip() for line in lines if line.strip() and not line.startswith("--")))

    def clock(self) -> datetime:
        """The time on the floor by now."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


Check = Callable[[Case], Iterator[Said]]


def findings(name: str, check: Check, case: Case) -> Iterator[Finding]:
    """What a check says, as findings."""
    for level, text, remedy in check(case):
        yield Finding(name, level, text, remedy)


def guarded(name: str, ask: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What was found; that it could not be asked is a note. Raises DatabaseUnavailable when the connection is gone."""
    try:
        return list(ask())
    except DatabaseError as error:
        if isinstance(error, DatabaseUnavailable) and not isinstance(error, DatabaseBusy):
            raise
        return [Finding(name, "note", f"Could not be checked: {masked(str(error).rstrip('.'))}.")]


def masked(text: str) -> str:
    """A server's own words, without the numbers of leads that it may quote."""
    return re.sub(r"(?<=['\"])\+?\d+(?=\d{3}['\"])", "…", text)


def n(count: int, one: str, many: str | None = None) -> str:
    """An amount with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def some(values: Iterable[object], total: int) -> str:
    """A few examples of a total, and whether there are more of them."""
    shown = [str(value) for value in values]
    return ", ".join([*shown, "…"] if total > len(shown) else shown)


def numbers(text: str) -> tuple[int, ...]:
    """A version, to compare it."""
    return tuple(int(part) for part in re.findall(r"\d+", text))
