"""Imports leads, agents and holidays from CSV files. Each row is checked; one transaction imports all rows or none."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path

from agent_funnel.characters import invisible_in
from agent_funnel.database import Database
from agent_funnel.errors import ImportRefused
from agent_funnel.leads import STAGES
from agent_funnel.masking import mask_digits
from agent_funnel.values import LONGEST_TEXT, text_length

# Rows that are sent to the database at a time:
CHUNK = 20_000
# The most bad rows that are reported one by one; in a file of the wrong kind, every row is bad.
REPORTED_BAD_ROWS = 1_000
NUMBER = re.compile(r"\+?[0-9]{4,20}")
STAGE_TEXTS = tuple(map(str, STAGES))
# The years that a DATETIME of SQL Server can hold, with room for the window:
YEARS = range(1900, 9999)
STATUSES = ("active", "inactive")
HEADERS = {"leads": ("number", "stage", "date"), "agents": ("agent", "status"), "holidays": ("day", "name")}

Values = tuple[str, ...]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be imported: its line in the file (1 is the header) and the reason."""

    line: int
    reason: str


@dataclass(frozen=True)
class Imported:
    """The result of an import.

    Of the `rows` of the file, `added` are new, `kept` were in the database already, and `bad_rows` are bad. `bad` lists
    the bad rows, at most a thousand.
    """

    rows: int
    added: int
    kept: int
    bad_rows: int
    bad: tuple[BadRow, ...]


def import_file(
    database: Database,
    kind: str,
    path: Path,
    *,
    name: str | None = None,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Imports a CSV file of `leads` (number, stage, date), `agents` (agent, status) or `holidays` (day, name).

    Rows that are already in the database stay as they are. `name` is the file's name in messages. A `dry_run` does
    everything and then rolls it back. Raises BadRows if a row is bad and `skip_bad` is not set, and ImportRefused if
    the file cannot be imported at all.
    """
    bad: list[BadRow] = []
    count = {"rows": 0, "bad": 0}

    def good_rows() -> Iterator[Values]:
        for row in _read(kind, path, name or str(path)):
            count["rows"] += 1
            if isinstance(row, BadRow):
                count["bad"] += 1
                if len(bad) < REPORTED_BAD_ROWS:
                    bad.append(row)
            elif skip_bad or not bad:
                yield row
        if bad and not skip_bad:
            raise BadRows(name or str(path), bad, count["bad"])

    added = load_rows(database, kind, good_rows(), dry_run=dry_run, progress=progress)
    rows = count["rows"]
    return Imported(rows=rows, added=added, kept=rows - count["bad"] - added, bad=tuple(bad), bad_rows=count["bad"])


class BadRows(ImportRefused):
    """The file has bad rows; nothing was imported."""

    def __init__(self, name: str, bad: Sequence[BadRow], count: int) -> None:
        first = "\n".join(f"  line {row.line}: {row.reason}" for row in bad[:20])
        more = f"\n  and {count - 20} more" if count > 20 else ""
        rows = "row" if count == 1 else "rows"
        super().__init__(f"{name} has {count} bad {rows}; nothing was imported.\n{first}{more}")
        self.bad = tuple(bad)
        self.count = count


class _DryRun(Exception):
    """Ends the transaction of a dry run, so that it is rolled back."""


def load_rows(
    database: Database,
    kind: str,
    rows: Iterable[Values],
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Adds the rows whose number, agent or day is new, in one transaction. Returns how many it added.

    The rows must have been checked. A `dry_run` rolls everything back. `progress` is called after each chunk with its
    number of rows.
    """
    rows = iter(rows)
    row = None
    try:
        with database.transaction() as session:
            session.one("begin_import")
            while chunk := list(islice(rows, CHUNK)):
                session.one("stage_rows", rows=json.dumps(chunk, ensure_ascii=False, separators=(",", ":")))
                if progress:
                    progress(len(chunk))
            row = session.one(f"import_{kind}")
            session.one("end_import")
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    assert row is not None
    return int(row["added"])


def _read(kind: str, path: Path, name: str) -> Iterator[Values | BadRow]:
    """Reads and checks the rows of a file. Their values are in the order of HEADERS."""
    header = HEADERS[kind]
    check = CHECKS[kind]
    seen: dict[str, int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            if sorted(names) != sorted(header):
                # A file without a header begins with a phone number, so mask it.
                begins = mask_digits(",".join(names)[:80])
                raise ImportRefused(
                    f"{name} begins with {begins!r}; the header must be {','.join(header)}. Nothing was imported."
                )
            order = [names.index(name) for name in header]
            line = reader.line_num + 1
            for fields in reader:
                row_line, line = line, reader.line_num + 1
                if not fields:
                    continue
                if len(fields) != len(header):
                    yield BadRow(row_line, f"has {len(fields)} fields; {len(header)} are needed")
                    continue
                checked = check(*(fields[index].strip() for index in order))
                if isinstance(checked, str):
                    # If columns are swapped, any value may be a phone number, so mask the whole reason.
                    yield BadRow(row_line, mask_digits(checked))
                elif first := seen.get(checked[0]):
                    yield BadRow(row_line, f"{header[0]} is already on line {first}")
                else:
                    seen[checked[0]] = row_line
                    yield checked
    except OSError as error:
        raise ImportRefused(f"{name} cannot be read: {error.strerror}. Nothing was imported.") from error
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{name} is not UTF-8 text; save it as UTF-8. Nothing was imported.") from error
    except csv.Error as error:
        raise ImportRefused(f"{name} is broken at line {reader.line_num}: {error}. Nothing was imported.") from error


def _lead(number: str, stage: str, created: str) -> Values | str:
    """The values of a lead as the database takes them, or the reason why they are bad."""
    if not NUMBER.fullmatch(number):
        return f"number is not 4 to 20 digits with an optional + before them (it has {len(number)} characters)"
    if stage not in STAGE_TEXTS:
        return f"stage {stage[:40]!r} is not 1, 2, 3 or 4"
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return f"date {created[:40]!r} is not an ISO 8601 date such as 2026-01-31 or 2026-01-31 20:40:00"
    if moment.tzinfo is not None:
        return f"date {created[:40]!r} has a time zone; dates are local to the sales floor and have no zone"
    if moment.year not in YEARS:
        return f"date {created[:40]!r} is not from {YEARS.start} to {YEARS.stop - 1}"
    return number, stage, moment.isoformat(" ", "milliseconds")


def _agent(agent: str, status: str) -> Values | str:
    """The values of an agent as the database takes them, or the reason why they are bad."""
    if not agent or text_length(agent) > LONGEST_TEXT:
        return f"agent has {text_length(agent)} characters; it needs 1 to {LONGEST_TEXT}"
    if found := invisible_in(agent):
        return f"agent has the character {found}, which does not show"
    if status.lower() not in STATUSES:
        return f"status {status[:40]!r} is not active or inactive"
    return agent, status.lower()


def _holiday(day: str, name: str) -> Values | str:
    """The values of a holiday as the database takes them, or the reason why they are bad."""
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return f"day {day[:40]!r} is not an ISO 8601 date such as 2026-12-24"
    if found.year not in YEARS:
        return f"day {day[:40]!r} is not from {YEARS.start} to {YEARS.stop - 1}"
    if text_length(name) > LONGEST_TEXT:
        return f"name has {text_length(name)} characters; at most {LONGEST_TEXT} are allowed"
    if char := invisible_in(name):
        return f"name has the character {char}, which does not show"
    return found.isoformat(), name


# The check of a row of each kind, which returns its values or the reason why it is bad:
CHECKS: dict[str, Callable[..., Values | str]] = {"leads": _lead, "agents": _agent, "holidays": _holiday}
