"""The bad rows of a file as a CSV file: as they were, each with its line and the reason why it is bad.

People correct this file and import it: its own two columns are left out then.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import IO

from agent_funnel.files.columns import LINE, REASON
from agent_funnel.files.formulas import without_formula


class Rejects:
    """Takes bad rows and writes them to a file, the first `most` of them."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self.most = most
        # Excel needs the byte order mark to read UTF-8.
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self.count = 0

    def begin(self, header: Sequence[str], field: str) -> None:
        """Writes the names of the columns; a file without names has one column, of this field."""
        names = list(header) if any(header) else [field]
        # A file that was made here gets its own two columns again, not twice.
        if names[-2:] == [LINE, REASON]:
            names = names[:-2]
        self._width = len(names)
        self._own = len(header) - len(names)
        self._writer.writerow([*names, LINE, REASON])

    def add(self, line: int, fields: Sequence[str], reason: str) -> None:
        """Writes a bad row. A row of another width is filled up, or its last fields are joined."""
        if self.count == self.most:
            return
        self.count += 1
        if self._own and len(fields) == self._width + self._own:
            fields = fields[: self._width]
        row = [*fields, *[""] * (self._width - len(fields))]
        if len(row) > self._width:
            row = [*row[: self._width - 1], " ".join(row[self._width - 1 :]).strip()]
        self._writer.writerow([*map(without_formula, row), line, reason])

    def end(self) -> None:
        """Leaves the file open, for its owner."""
        self._text.detach()
