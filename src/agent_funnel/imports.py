"""Imports leads, agents and holidays from CSV files. Each row is checked; one transaction imports all rows or none.

The rows of a file go into a temporary table of the connection first. Only the last statement, which adds those that are
new, writes to a table of the database.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import IO, TextIO

from agent_funnel.characters import invisible_in
from agent_funnel.database import Database, Session
from agent_funnel.errors import ImportRefused, RunInProgress
from agent_funnel.leads import STAGES
from agent_funnel.masking import mask_digits
from agent_funnel.numbers import fault_in_number, take_in
from agent_funnel.values import LONGEST_TEXT, text_length

# Rows that are sent to the database at a time:
CHUNK = 20_000
# The most bad rows that are reported one by one; in a file of the wrong kind, every row is bad.
REPORTED_BAD_ROWS = 1_000
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
    file: Path | IO[bytes],
    *,
    name: str | None = None,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Imports a CSV file of `leads` (number, stage, date), `agents` (agent, status) or `holidays` (day, name).

    A lead whose number is in the database, in any spelling, is there already.

    The whole file is read, checked and staged before the transaction begins: a file that comes slowly keeps nobody
    else from writing. Rows that are already in the database stay as they are. `name` is the file's name in messages. A
    `dry_run` does everything and then rolls it back. Raises BadRows if a row is bad and `skip_bad` is not set, and
    ImportRefused if the file cannot be imported at all.
    """
    name = name or str(file)
    bad: list[BadRow] = []
    count = {"rows": 0, "bad": 0}

    def good_rows(rows: Iterator[tuple[int, Values] | BadRow]) -> Iterator[tuple[int, Values]]:
        for row in rows:
            count["rows"] += 1
            if not isinstance(row, BadRow):
                yield row
                continue
            count["bad"] += 1
            if len(bad) < REPORTED_BAD_ROWS:
                bad.append(row)

    with opened_file(file, name) as text, database.session() as session:
        read = _read(kind, text, name)
        _stage(session, kind, good_rows(_with_room(session, read) if kind == "leads" else read), progress)
        repeated, dropped = _drop_repeated(session, HEADERS[kind][0])
        count["bad"] += dropped
        bad = sorted([*bad, *repeated], key=attrgetter("line"))[:REPORTED_BAD_ROWS]
        if bad and not skip_bad:
            raise BadRows(name, bad, count["bad"])
        if kind == "leads" and not dry_run:
            # So that the leads which others have inserted are found in every spelling, too.
            take_in(database)
        added = _add_staged(session, kind, dry_run=dry_run)
    if kind == "leads" and added and not dry_run:
        # A run that is in progress takes in what it needs, and the service takes in the rest.
        with suppress(RunInProgress):
            take_in(database)
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

    The rows must have been checked, and none may come twice. A `dry_run` rolls everything back. `progress` is called
    after each chunk with its number of rows.
    """
    with database.session() as session:
        _stage(session, kind, enumerate(rows, start=1), progress)
        return _add_staged(session, kind, dry_run=dry_run)


def _stage(
    session: Session, kind: str, rows: Iterable[tuple[int, Values]], progress: Callable[[int], None] | None
) -> None:
    """Puts rows, each with its line, into a temporary table. It holds no lock that anybody else needs."""
    rows = iter(rows)
    session.one("begin_import")
    while chunk := list(islice(rows, CHUNK)):
        lines = [(line, *values) for line, values in chunk]
        session.one("stage_rows", rows=json.dumps(lines, ensure_ascii=False, separators=(",", ":")))
        if progress:
            progress(len(chunk))
    session.one("sort_staged")
    if kind == "leads":
        session.one("key_staged")


def _drop_repeated(session: Session, key: str) -> tuple[list[BadRow], int]:
    """Drops the staged rows whose key is on an earlier line. Returns the first of them, and how many there were."""
    found = session.all("repeated_rows", most=REPORTED_BAD_ROWS)
    if not found:
        return [], 0
    dropped = session.one("drop_repeated")
    assert dropped is not None
    repeated = [BadRow(row["line"], f"{key} is already on line {row['first_line']}") for row in found]
    return repeated, int(dropped["dropped"])


def _add_staged(session: Session, kind: str, *, dry_run: bool) -> int:
    """Adds the staged rows that are new. Returns how many it added."""
    row = None
    try:
        with session.transaction():
            row = session.one(f"import_{kind}")
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    assert row is not None
    return int(row["added"])


@contextmanager
def opened_file(file: Path | IO[bytes], name: str) -> Iterator[TextIO]:
    """Opens a file as text. A file that is open already stays open."""
    try:
        if isinstance(file, Path):
            with file.open(encoding="utf-8-sig", newline="") as text:
                yield text
            return
        wrapped = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            yield wrapped
        finally:
            wrapped.detach()
    except OSError as error:
        raise ImportRefused(f"{name} cannot be read: {error.strerror}. Nothing was imported.") from error


def _read(kind: str, file: TextIO, name: str) -> Iterator[tuple[int, Values] | BadRow]:
    """Reads and checks the rows of a file. Each comes with its line, its values in the order of HEADERS."""
    header = HEADERS[kind]
    check = CHECKS[kind]
    reader = csv.reader(file, strict=True)
    try:
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
            # If columns are swapped, any value may be a phone number, so mask the whole reason.
            yield BadRow(row_line, mask_digits(checked)) if isinstance(checked, str) else (row_line, checked)
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{name} is not UTF-8 text; save it as UTF-8. Nothing was imported.") from error
    except csv.Error as error:
        raise ImportRefused(f"{name} is broken at line {reader.line_num}: {error}. Nothing was imported.") from error


def _with_room(session: Session, rows: Iterator[tuple[int, Values] | BadRow]) -> Iterator[tuple[int, Values] | BadRow]:
    """The rows of leads; those whose number the tables of the deal cannot hold are bad.

    The tables may be yours. A number that the assignments cannot hold would stop every deal.
    """
    room = session.one("room_for_numbers")
    assert room is not None
    longest, whole = room["longest"], room["whole"]
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        line, (number, *_) = row
        if longest is not None and len(number) > longest:
            yield BadRow(line, f"number has {len(number)} characters; the tables hold at most {longest}")
        elif whole and not number.removeprefix("+").isdigit():
            yield BadRow(line, "number has letters; the tables hold whole numbers only")
        else:
            yield row


def _lead(number: str, stage: str, created: str) -> Values | str:
    """The values of a lead as the database takes them, or the reason why they are bad."""
    if fault := fault_in_number(number):
        return fault
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
