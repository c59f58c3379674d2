"""Files in: CSV of leads, agents and holidays, checked row by row, imported in one transaction or not at all."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path

from agent_funnel.backends import Backend
from agent_funnel.errors import ImportRefused
from agent_funnel.records import LONGEST, BadRow, Imported, length

# Rows that travel to the database at a time:
CHUNK = 20_000
# Bad rows that are kept word for word; a file of another kind has nothing but bad rows.
KEPT_BAD_ROWS = 1_000
NUMBER = re.compile(r"\+?[0-9]{4,20}")
# What of a number nobody need read in a message: all but its last three digits.
LONG_DIGITS = re.compile(r"\d{4,}(?=\d{3})")
STAGES = ("1", "2", "3", "4")
# What a DATETIME of SQL Server can hold, with room for the window:
YEARS = range(1900, 9999)
STATUSES = ("active", "inactive")
HEADERS = {"leads": ("number", "stage", "date"), "agents": ("agent", "status"), "holidays": ("day", "name")}

Values = tuple[str, ...]


def import_file(
    backend: Backend,
    kind: str,
    path: Path,
    *,
    name: str | None = None,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Imports a CSV file of `leads` (number, stage, date), `agents` (agent, status) or `holidays` (day, name).

    What is in the database already is kept as it is. `name` is what the file is called in messages. A `dry_run` does it
    all, and takes it back. Raises ImportRefused, with `bad` naming rows by line and reason,
    if a row is bad, unless `skip_bad`; then nothing is imported.
    """
    bad: list[BadRow] = []
    count = {"rows": 0, "bad": 0}

    def good() -> Iterator[Values]:
        for row in _read(kind, path, name or str(path)):
            count["rows"] += 1
            if isinstance(row, BadRow):
                count["bad"] += 1
                if len(bad) < KEPT_BAD_ROWS:
                    bad.append(row)
            elif skip_bad or not bad:
                yield row
        if bad and not skip_bad:
            raise BadRows(name or str(path), bad, count["bad"])

    added = load(backend, kind, good(), dry_run=dry_run, progress=progress)
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


class _TakenBack(Exception):
    """Ends a transaction that was only to show what it would do."""


def load(
    backend: Backend,
    kind: str,
    rows: Iterable[Values],
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Adds checked rows, those whose number, agent or day is not there yet, in one transaction; answers how many.

    A `dry_run` takes them back. `progress` is called with the number of rows that a chunk had.
    """
    rows = iter(rows)
    row = None
    try:
        with backend.transaction() as session:
            session.one("begin_import")
            while chunk := list(islice(rows, CHUNK)):
                session.one("stage_rows", rows=json.dumps(chunk, ensure_ascii=False, separators=(",", ":")))
                if progress:
                    progress(len(chunk))
            row = session.one(f"import_{kind}")
            session.one("end_import")
            if dry_run:
                raise _TakenBack
    except _TakenBack:
        pass
    assert row is not None
    return int(row["added"])


def _read(kind: str, path: Path, name: str) -> Iterator[Values | BadRow]:
    """The rows of a file, checked, in the order of the header."""
    header = HEADERS[kind]
    check = CHECKS[kind]
    seen: dict[str, int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            if sorted(names) != sorted(header):
                # Without its header, a file begins with a number.
                begins = LONG_DIGITS.sub("…", ",".join(names)[:80])
                raise ImportRefused(
                    f"{name} begins with {begins!r}; the header must be {','.join(header)}. Nothing was imported."
                )
            order = [names.index(name) for name in header]
            line = reader.line_num + 1
            for fields in reader:
                begun, line = line, reader.line_num + 1
                if not fields:
                    continue
                if len(fields) != len(header):
                    yield BadRow(begun, f"has {len(fields)} fields; {len(header)} are needed")
                    continue
                checked = check(*(fields[index].strip() for index in order))
                if isinstance(checked, str):
                    # Columns that were swapped have numbers in every place.
                    yield BadRow(begun, LONG_DIGITS.sub("…", checked))
                elif first := seen.get(checked[0]):
                    yield BadRow(begun, f"{header[0]} stands on line {first} already")
                else:
                    seen[checked[0]] = begun
                    yield checked
    except OSError as error:
        raise ImportRefused(f"{name} cannot be read: {error.strerror}. Nothing was imported.") from error
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{name} is not UTF-8 text; save it as UTF-8. Nothing was imported.") from error
    except csv.Error as error:
        raise ImportRefused(f"{name} is broken at line {reader.line_num}: {error}. Nothing was imported.") from error


def _lead(number: str, stage: str, created: str) -> Values | str:
    """The values of a lead as the database takes them, or what is wrong with them."""
    if not NUMBER.fullmatch(number):
        return f"number is not 4 to 20 digits with an optional + before them, but {len(number)} characters"
    if stage not in STAGES:
        return f"stage {stage[:40]!r} is not 1, 2, 3 or 4"
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return f"date {created[:40]!r} is not an ISO 8601 date such as 2026-01-31 or 2026-01-31 20:40:00"
    if moment.tzinfo is not None:
        return f"date {created[:40]!r} has a time zone; dates are local to the floor and have none"
    if moment.year not in YEARS:
        return f"date {created[:40]!r} is not from {YEARS.start} to {YEARS.stop - 1}"
    return number, stage, moment.isoformat(" ", "milliseconds")


def _agent(agent: str, status: str) -> Values | str:
    """The values of an agent as the database takes them, or what is wrong with them."""
    if not agent or length(agent) > LONGEST:
        return f"agent has {length(agent)} characters; it needs 1 to {LONGEST}"
    if status.lower() not in STATUSES:
        return f"status {status[:40]!r} is not active or inactive"
    return agent, status.lower()


def _holiday(day: str, name: str) -> Values | str:
    """The values of a holiday as the database takes them, or what is wrong with them."""
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return f"day {day[:40]!r} is not an ISO 8601 date such as 2026-12-24"
    if found.year not in YEARS:
        return f"day {day[:40]!r} is not from {YEARS.start} to {YEARS.stop - 1}"
    if length(name) > LONGEST:
        return f"name has {length(name)} characters; at most {LONGEST} are allowed"
    return found.isoformat(), name


# What looks at a row, and answers with its values or with what is wrong with them:
CHECKS: dict[str, Callable[..., Values | str]] = {"leads": _lead, "agents": _agent, "holidays": _holiday}
