"""The rows of a file by what becomes of them: how many there are, how many are bad, and the first bad ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter

from agent_funnel.files.cells import Values
from agent_funnel.files.columns import FIELDS
from agent_funnel.files.rejects import Rejects
from agent_funnel.files.tables import CheckedRow, Table

# The most bad rows that are reported one by one; in a file of the wrong kind, every row is bad.
REPORTED_BAD_ROWS = 1_000


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be imported: its line in the file (1 is the header) and the reason."""

    line: int
    reason: str


class Tally:
    """Counts the rows of a file, keeps the first bad ones, and writes them to `rejects`, if that is wanted.

    The reasons there are English, in every language of a page: the command line writes the same file, and a program
    may read either.
    """

    def __init__(self, rejects: Rejects | None = None) -> None:
        self.rows = self.bad_rows = 0
        self._bad: list[BadRow] = []
        self._rejects = rejects

    @property
    def bad(self) -> tuple[BadRow, ...]:
        """The first bad rows, in the order of their lines."""
        return tuple(sorted(self._bad, key=attrgetter("line"))[:REPORTED_BAD_ROWS])

    @property
    def most(self) -> int:
        """The most bad rows of a kind that are of use."""
        return REPORTED_BAD_ROWS if self._rejects is None else max(REPORTED_BAD_ROWS, self._rejects.most)

    def begin(self, table: Table) -> None:
        """Writes the names of the columns."""
        if self._rejects is not None:
            self._rejects.begin(table.header, FIELDS[table.kind][0])

    def good(self, rows: Iterator[CheckedRow]) -> Iterator[tuple[int, Values]]:
        """The good rows, each with its line; the others are counted and kept."""
        for row in rows:
            self.rows += 1
            if row.fault is None:
                yield row.line, row.values
                continue
            self.bad_rows += 1
            if len(self._bad) < REPORTED_BAD_ROWS:
                self._bad.append(BadRow(row.line, row.fault))
            if self._rejects is not None:
                self._rejects.add(row.line, row.fields, row.fault)

    def reject(self, table: Table, reasons: Mapping[int, str], count: int) -> None:
        """Takes more rows as bad: `count` of them, of which these lines are the first."""
        self.bad_rows += count
        self._bad += [BadRow(line, reason) for line, reason in islice(reasons.items(), REPORTED_BAD_ROWS)]
        if self._rejects is not None:
            for row in table.rows():
                if row.line in reasons:
                    self._rejects.add(row.line, row.fields, reasons[row.line])
