"""Files of numbers for a do-not-contact list: CSV with a column `number` and perhaps `reason`, or a number a line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TextIO

from agent_funnel.characters import invisible_in
from agent_funnel.database import Database
from agent_funnel.do_not_contact import import_do_not_contact
from agent_funnel.errors import ImportRefused
from agent_funnel.exports import with_formula
from agent_funnel.imports import REPORTED_BAD_ROWS, BadRow, BadRows, opened_file
from agent_funnel.masking import mask_digits
from agent_funnel.numbers import fault_in_listed
from agent_funnel.values import LONGEST_TEXT, text_length

NumberRow = tuple[int, str, str | None]


@dataclass(frozen=True)
class ImportedNumbers:
    """The result of an import to the do-not-contact list `list_name`.

    Of the `rows` of the file, `added` are new on that list, `kept` were there already or on an earlier line, and
    `bad_rows` are bad; `bad` lists these, at most a thousand. `removed` numbers were put there by an import, and are
    not in the file. `leads` rows of `wafunnel` and `assignments` have numbers of the file. After a `dry_run`, nothing
    is changed, and with `needs_confirmation` the same import is refused unless it is confirmed.
    """

    list_name: str
    dry_run: bool
    rows: int
    added: int
    kept: int
    removed: int
    bad_rows: int
    leads: int
    assignments: int
    needs_confirmation: bool
    bad: tuple[BadRow, ...]


class TooManyRemoved(ImportRefused):
    """The import would remove many numbers from the list; nothing was changed."""

    def __init__(self, list_name: str, removed: int, imports: int) -> None:
        super().__init__(
            f"The import would remove {removed:,} of the {imports:,} numbers that imports put on the list {list_name}, "
            "more than a tenth; nothing was changed. If the file is complete, confirm it (--yes)."
        )


def import_numbers(
    database: Database,
    file: Path | IO[bytes],
    *,
    list_name: str,
    name: str | None = None,
    replaces: bool = False,
    confirmed: bool = False,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ImportedNumbers:
    """Imports a file of numbers to a do-not-contact list; they leave the present assignments at once.

    With `replaces`, numbers that an import put there and that are not in the file are removed; more than a tenth of
    them only if that is `confirmed`. `name` is the file's name in messages. Raises NotFound if there is no such list,
    BadRows if all rows are bad, or one is and `skip_bad` is not set, TooManyRemoved, and ImportRefused if the file
    cannot be imported at all.
    """
    name = name or str(file)
    bad: list[BadRow] = []
    count = {"rows": 0, "bad": 0}

    def good_rows(rows: Iterator[NumberRow | BadRow]) -> Iterator[NumberRow]:
        for row in rows:
            count["rows"] += 1
            if not isinstance(row, BadRow):
                yield row
                continue
            count["bad"] += 1
            if len(bad) < REPORTED_BAD_ROWS:
                bad.append(row)

    def check() -> None:
        # A file of nothing but bad rows is probably of another kind, whatever was asked for.
        if bad and (not skip_bad or count["bad"] == count["rows"]):
            raise BadRows(name, bad, count["bad"])

    with opened_file(file, name) as text:
        taken = import_do_not_contact(
            database,
            good_rows(_read(text, name)),
            list_name=list_name,
            replaces=replaces,
            confirmed=confirmed,
            dry_run=dry_run,
            check=check,
            progress=progress,
        )
    if not taken.applied and not dry_run:
        raise TooManyRemoved(list_name, taken.removed, taken.imports)
    added = taken.numbers - taken.kept
    return ImportedNumbers(
        list_name=list_name,
        dry_run=dry_run,
        rows=count["rows"],
        added=added,
        kept=count["rows"] - count["bad"] - added,
        removed=taken.removed,
        bad_rows=count["bad"],
        leads=taken.leads,
        assignments=taken.assignments,
        needs_confirmation=taken.removed * 10 > taken.imports,
        bad=tuple(bad),
    )


def _read(file: TextIO, name: str) -> Iterator[NumberRow | BadRow]:
    """Reads and checks the rows of a file: each with its line, its number and its reason."""
    try:
        first = file.readline()
        header = [field.strip().lower() for field in next(csv.reader([first]), [])]
        lines = chain((first,), file)
        if "number" in header:
            yield from _read_csv(csv.reader(lines, strict=True), header)
            return
        for line, text in enumerate(lines, start=1):
            if number := text.strip():
                fault = fault_in_listed(number)
                yield BadRow(line, mask_digits(fault)) if fault else (line, number, None)
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{name} is not UTF-8 text; save it as UTF-8. Nothing was imported.") from error
    except csv.Error as error:
        raise ImportRefused(f"{name} is no CSV file: {error}. Nothing was imported.") from error


def _read_csv(reader: Iterator[list[str]], header: list[str]) -> Iterator[NumberRow | BadRow]:
    """The rows after the header. Columns other than `number` and `reason` are left out."""
    number_at = header.index("number")
    reason_at = header.index("reason") if "reason" in header else None
    next(reader)
    line = reader.line_num + 1  # type: ignore[attr-defined]
    for fields in reader:
        row_line, line = line, reader.line_num + 1  # type: ignore[attr-defined]
        if not fields:
            continue
        if len(fields) != len(header):
            yield BadRow(row_line, f"has {len(fields)} fields; {len(header)} are needed")
            continue
        # A file that was exported can be imported again.
        number = with_formula(fields[number_at].strip())
        reason = with_formula(fields[reason_at].strip()) if reason_at is not None else ""
        fault = fault_in_listed(number) or _fault_in_reason(reason)
        yield BadRow(row_line, mask_digits(fault)) if fault else (row_line, number, reason or None)


def _fault_in_reason(reason: str) -> str | None:
    if text_length(reason) > LONGEST_TEXT:
        return f"reason has {text_length(reason)} characters; at most {LONGEST_TEXT} are allowed"
    found = invisible_in(reason)
    return f"reason has the character {found}, which does not show" if found else None
