"""Exports assignments, dealt leads, outcomes and do-not-contact lists, as CSV or XLSX, in constant memory."""

from __future__ import annotations

import csv
import heapq
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from itertools import islice
from typing import IO, Any, Literal

from agent_funnel.agents import Assignment, stream_assignments
from agent_funnel.database import Database
from agent_funnel.do_not_contact import stream_do_not_contact
from agent_funnel.files.formulas import without_formula
from agent_funnel.masking import last_digits, mask_digits
from agent_funnel.outcomes import stream_outcomes
from agent_funnel.runs import DealtLead, stream_dealt_leads

Kind = Literal["assignments", "run", "do-not-contact", "outcomes"]
# The columns of each export:
COLUMNS: dict[Kind, tuple[str, ...]] = {
    "assignments": ("agent", "number", "stage", "date"),
    "run": ("agent", "number", "stage_before", "date"),
    "outcomes": (
        "agent",
        "number",
        "outcome",
        "call_back_on",
        "same_agent",
        "note",
        "reported_at",
        "reported_by",
        "run",
    ),
    "do-not-contact": ("number", "reason", "list", "added_at", "imported"),
}
# The columns that a workbook has as whole numbers:
STAGES = ("stage", "stage_before")
# The columns of texts that people write, and that may have numbers in them:
FREE_TEXTS = ("reason", "list", "note", "reported_by")
# A stage that is a number; SQLite keeps any other text, too.
INTEGER = re.compile(r"-?[0-9]{1,9}")
# Rows that a sheet of XLSX can hold, including its header:
SHEET_ROWS = 1_048_576
# After so many rows, an export checks whether it is still wanted:
CHECK_ROWS = 2_000
# Bytes that stay in memory; a larger export goes through a temporary file:
BYTES_IN_MEMORY = 1_000_000
# Masked rows that are sorted in memory; more of them go through temporary files of this length:
SORTED_IN_MEMORY = 50_000

Values = tuple[str, ...]


def export(
    database: Database,
    what: Kind,
    file: IO[bytes],
    format: Literal["csv", "xlsx"],
    *,
    run_id: int | None = None,
    agent: str | None = None,
    list_name: str | None = None,
    mask: bool = False,
    check: Callable[[], None] = lambda: None,
) -> int:
    """Writes the present assignments, the leads that the run `run_id` dealt, the outcomes that hold, or do-not-contact
    lists to `file`.

    Returns the number of rows without the header. With `agent`, writes only that agent's present assignments; with
    `list_name`, only that list; with `mask`, only the last three digits of each number, also of those in texts, and
    sorted by the values that the file shows, because the order of the numbers would reveal them. One statement reads
    all rows before anything is written to `file`. So a slow file holds no lock, and an error leaves the file as it was.
    `check` is called again and again while rows are read and cells are made; it ends the export by raising an error.
    Raises NotFound if there is no such run or list.
    """
    with tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY) as spool:
        text = io.TextIOWrapper(spool, encoding="utf-8", newline="")
        # CSV needs an apostrophe against formulas; in XLSX each cell says that it is a text.
        clean: Callable[[str], str] = str if format == "xlsx" else without_formula
        writer = csv.writer(text)
        writer.writerow(COLUMNS[what])
        count = 0
        rows = _rows(database, what, run_id, agent, list_name)
        for row in _masked(rows, COLUMNS[what]) if mask else rows:
            writer.writerow(map(clean, row))
            count += 1
            if count % CHECK_ROWS == 0:
                check()
        text.flush()
        spool.seek(0)
        if format == "csv":
            shutil.copyfileobj(spool, file)
        else:
            _write_xlsx(csv.reader(text), file, check)
        text.detach()
    return count


def _rows(
    database: Database, what: Kind, run_id: int | None, agent: str | None, list_name: str | None
) -> Iterator[Values]:
    if what == "do-not-contact":
        with closing(stream_do_not_contact(database, list_name)) as entries:
            for entry in entries:
                imported = "yes" if entry.imported else "no"
                yield entry.number, entry.reason or "", entry.list_name, _moment(entry.added_at), imported
        return
    if what == "outcomes":
        for each in stream_outcomes(database, run_id=run_id, agent=agent, standing=True):
            yield (
                each.agent, each.number, each.outcome, str(each.call_back_on or ""), "yes" if each.same_agent else "",
                each.note or "", _moment(each.reported_at.replace(tzinfo=None)), each.reported_by or "",
                str(each.run_id),
            )  # fmt: skip
        return
    leads: Generator[DealtLead | Assignment]
    if what == "run":
        assert run_id is not None
        leads = stream_dealt_leads(database, run_id)
    else:
        leads = stream_assignments(database, agent)
    with closing(leads):
        for lead in leads:
            stage = "" if lead.stage is None else str(lead.stage)
            yield lead.agent, lead.number, stage, _moment(lead.date)


def _moment(value: datetime | None) -> str:
    return value.isoformat(" ", "seconds") if value else ""


def _masked(rows: Iterable[Values], columns: tuple[str, ...]) -> Iterator[Values]:
    """Rows with masked numbers, sorted by the values that they show, those of the numbers last."""
    masks = [last_digits if name == "number" else mask_digits if name in FREE_TEXTS else str for name in columns]
    number_at = columns.index("number")

    def shown_order(row: Values) -> Values:
        return *row[:number_at], *row[number_at + 1 :], row[number_at]

    masked = (tuple(mask(text) for mask, text in zip(masks, row, strict=True)) for row in rows)
    return _sorted(masked, shown_order)


def _sorted(rows: Iterator[Values], key: Callable[[Values], Values]) -> Iterator[Values]:
    """Sorts rows in constant memory: parts of them go to temporary files, which are then merged."""
    with ExitStack() as files:
        parts: list[Iterable[Values]] = []
        while part := sorted(islice(rows, SORTED_IN_MEMORY), key=key):
            file = files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline=""))
            csv.writer(file).writerows(part)
            file.seek(0)
            parts.append(tuple(row) for row in csv.reader(file))
        yield from heapq.merge(*parts, key=key)


def _write_xlsx(rows: Iterator[list[str]], file: IO[bytes], check: Callable[[], None]) -> None:
    """Writes rows, the header first, on as many sheets as they need."""
    # Imported here because it takes long, and only this function needs it.
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    header = next(rows)
    cells = [_stage if name in STAGES else _text for name in header]
    full = SHEET_ROWS - 1
    count = full
    try:
        while count == full:
            sheet = book.create_sheet()
            sheet.append(header)
            count = 0
            for count, row in enumerate(islice(rows, full), start=1):
                sheet.append([cell(sheet, value) for cell, value in zip(cells, row, strict=True)])
                if count % CHECK_ROWS == 0:
                    check()
    except BaseException:
        _remove_temporary_files(book)
        raise
    book.save(file)


def _remove_temporary_files(book: Any) -> None:
    """Removes the temporary files of an unfinished workbook, which openpyxl would keep until the process ends."""
    for sheet in book.worksheets:
        sheet.close()
        sheet._writer.cleanup()


def _stage(sheet: Any, value: str) -> Any:
    return int(value) if INTEGER.fullmatch(value) else _text(sheet, value)


def _text(sheet: Any, value: str) -> Any:
    """Makes a cell that is a text, whatever it begins with. Characters that XML cannot hold are replaced."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("�", value))
    cell.data_type = "s"
    return cell
