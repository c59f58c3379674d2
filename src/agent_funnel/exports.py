"""Exports of the present assignments, or of the leads that a run dealt, as CSV or XLSX, in constant memory."""

from __future__ import annotations

import csv
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
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
# Where a spreadsheet would run a text as a formula: at its beginning, or after another separator than the comma, which
# the reader's spreadsheet may use. Some also take the wide forms of the signs.
FORMULA = re.compile(r"(^|[;\t][\" ]*)(?=[=+\-@\t\r\n＝＋－＠])")
# Phone numbers are safe, and have to stay as they are:
PHONE = re.compile(r"\+?[0-9]+")
# A stage; SQLite may keep any other text in its place.
INTEGER = re.compile(r"-?[0-9]{1,9}")
# Rows that a sheet can hold, its header included:
SHEET_ROWS = 1_048_576
# Bytes that are kept in memory before they go to a temporary file:
IN_MEMORY = 1_000_000

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
) -> int:
    """Writes the present assignments, or the leads that the run `run_id` dealt, to a file; returns the number of rows
    without the header.

    With `agent`, only that agent's present assignments; with `mask`, only the last three digits of each number. One
    statement reads everything before anything is written to `file`: a slow file holds no lock, and an error leaves it
    as it was. Raises NotFound if there is no such run.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        text = io.TextIOWrapper(spool, encoding="utf-8", newline="")
        # CSV needs a mark against formulas; in XLSX each cell says that it is a text.
        clean: Callable[[str], str] = str if format == "xlsx" else _without_formula
        writer = csv.writer(text)
        writer.writerow(COLUMNS[what])
        count = 0
        for holder, number, stage, date in _rows(database, what, run_id, agent):
            writer.writerow((clean(holder), clean(last_digits(number) if mask else number), clean(stage), date))
            count += 1
        text.flush()
        spool.seek(0)
        if format == "csv":
            shutil.copyfileobj(spool, file)
        else:
            _write_xlsx(csv.reader(text), file)
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


def _without_formula(text: str) -> str:
    """A text that no spreadsheet runs as a formula: with an apostrophe before anything that looks like one."""
    return text if PHONE.fullmatch(text) else FORMULA.sub(r"\1'", text)


def _write_xlsx(rows: Iterator[list[str]], file: IO[bytes]) -> None:
    """Writes rows of agent, number, stage and date, the header first, on as many sheets as they need."""
    # It takes long to import, and only this function needs it.
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    header = next(rows)
    full = SHEET_ROWS - 1
    count = full
    while count == full:
        sheet = book.create_sheet()
        sheet.append(header)
        count = 0
        for count, (agent, number, stage, date) in enumerate(islice(rows, full), start=1):  # noqa: B007
            sheet.append([_text(sheet, agent), _text(sheet, number), _stage(sheet, stage), date])
    book.save(file)


def _stage(sheet: Any, value: str) -> Any:
    return int(value) if INTEGER.fullmatch(value) else _text(sheet, value)


def _text(sheet: Any, value: str) -> Any:
    """A cell that is a text, whatever it begins with; without characters that XML cannot hold."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("�", value))
    cell.data_type = "s"
    return cell
