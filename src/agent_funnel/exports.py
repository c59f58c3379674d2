"""Exports the present assignments, or the leads that a run dealt, as CSV or XLSX, in constant memory."""

from __future__ import annotations

import csv
import heapq
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from typing import IO, Any, Literal

from agent_funnel.agents import Assignment, stream_assignments
from agent_funnel.database import Database
from agent_funnel.masking import last_digits
from agent_funnel.runs import DealtLead, stream_dealt_leads

# The columns of each export:
COLUMNS = {
    "assignments": ("agent", "number", "stage", "date"),
    "run": ("agent", "number", "stage_before", "date"),
}
# The places where a spreadsheet may run a text as a formula: at its beginning, and after a semicolon or a tab, which
# some spreadsheets take as separators. Some spreadsheets also accept the full-width forms of the signs.
FORMULA_START = re.compile(r"(^|[;\t][\" ]*)(?=[=+\-@\t\r\n＝＋－＠])")
# Phone numbers are safe, and have to stay as they are:
PHONE = re.compile(r"\+?[0-9]+")
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

Values = tuple[str, str, str, str]


def export(
    database: Database,
    what: Literal["assignments", "run"],
    file: IO[bytes],
    format: Literal["csv", "xlsx"],
    *,
    run_id: int | None = None,
    agent: str | None = None,
    mask: bool = False,
    check: Callable[[], None] = lambda: None,
) -> int:
    """Writes the present assignments, or the leads that the run `run_id` dealt, to `file`.

    Returns the number of rows without the header. With `agent`, writes only that agent's present assignments; with
    `mask`, only the last three digits of each number, and sorted by the values that the file shows, because the order
    of the numbers would reveal them. One statement reads all rows before anything is written to `file`. So a slow file
    holds no lock, and an error leaves the file as it was. `check` is called again and again while rows are read and
    cells are made; it ends the export by raising an error. Raises NotFound if there is no such run.
    """
    with tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY) as spool:
        text = io.TextIOWrapper(spool, encoding="utf-8", newline="")
        # CSV needs an apostrophe against formulas; in XLSX each cell says that it is a text.
        clean: Callable[[str], str] = str if format == "xlsx" else _without_formula
        writer = csv.writer(text)
        writer.writerow(COLUMNS[what])
        count = 0
        rows = _rows(database, what, run_id, agent)
        for row in _sorted(map(_masked, rows)) if mask else rows:
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


def _rows(database: Database, what: str, run_id: int | None, agent: str | None) -> Iterator[Values]:
    leads: Generator[DealtLead | Assignment]
    if what == "run":
        assert run_id is not None
        leads = stream_dealt_leads(database, run_id)
    else:
        leads = stream_assignments(database, agent)
    with closing(leads):
        for lead in leads:
            stage = "" if lead.stage is None else str(lead.stage)
            yield lead.agent, lead.number, stage, lead.date.isoformat(" ", "seconds") if lead.date else ""


def _masked(row: Values) -> Values:
    holder, number, stage, date = row
    return holder, last_digits(number), stage, date


def _sorted(rows: Iterable[Values]) -> Iterator[Values]:
    """Sorts rows in constant memory: parts of them go to temporary files, which are then merged."""
    rows = iter(rows)
    with ExitStack() as files:
        parts: list[Iterable[Values]] = []
        while part := sorted(islice(rows, SORTED_IN_MEMORY), key=_shown_order):
            file = files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline=""))
            csv.writer(file).writerows(part)
            file.seek(0)
            parts.append((agent, number, stage, date) for agent, number, stage, date in csv.reader(file))
        yield from heapq.merge(*parts, key=_shown_order)


def _shown_order(row: Values) -> Values:
    holder, number, stage, date = row
    return holder, stage, date, number


def _without_formula(text: str) -> str:
    """Puts an apostrophe before anything that a spreadsheet may run as a formula."""
    return text if PHONE.fullmatch(text) else FORMULA_START.sub(r"\1'", text)


def _write_xlsx(rows: Iterator[list[str]], file: IO[bytes], check: Callable[[], None]) -> None:
    """Writes rows of agent, number, stage and date, the header first, on as many sheets as they need."""
    # Imported here because it takes long, and only this function needs it.
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    header = next(rows)
    full = SHEET_ROWS - 1
    count = full
    try:
        while count == full:
            sheet = book.create_sheet()
            sheet.append(header)
            count = 0
            for count, (agent, number, stage, date) in enumerate(islice(rows, full), start=1):
                sheet.append([_text(sheet, agent), _text(sheet, number), _stage(sheet, stage), date])
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
