"""Files out: the present assignments, or what a run dealt, as CSV or XLSX, in constant memory."""

from __future__ import annotations

import csv
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import IO, Any, Literal

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from agent_funnel.backends import Backend
from agent_funnel.records import Assignment, DealtLead, last_digits
from agent_funnel.service import run

# The columns of each export:
COLUMNS = {
    "assignments": ("agent", "number", "stage", "date"),
    "run": ("agent", "number", "stage_before", "date"),
}
# Where a spreadsheet would begin to run a text as a formula: at its beginning, or where a cell begins for who has
# another mark than the comma between cells. Some take the wide forms of the signs, too.
FORMULA = re.compile(r"(^|[;\t][\" ]*)(?=[=+\-@\t\r\n＝＋－＠])")
# What is safe all the same, and has to stay as it is:
PHONE = re.compile(r"\+?[0-9]+")
# A stage; SQLite keeps any other text in its place, too.
INTEGER = re.compile(r"-?[0-9]{1,9}")
# As many as the queries take, which is all:
ALL = 2**31 - 1
# Rows that a sheet can hold, its head included:
SHEET_ROWS = 1_048_576
# What goes to memory before it goes to a file of the system's:
IN_MEMORY = 1_000_000

Values = tuple[str, str, str, str]


def export(
    backend: Backend,
    what: Literal["assignments", "run"],
    file: IO[bytes],
    format: Literal["csv", "xlsx"],
    *,
    run_id: int | None = None,
    agent: str | None = None,
    mask: bool = False,
) -> int:
    """Writes the present assignments, or what the run `run_id` dealt, to a file; answers how many rows, its head aside.

    With `agent`, that agent's present ones only; with `mask`, of each number the last three digits only. Everything is
    read, by one statement, before anything is written to `file`, so that a slow one holds no lock, and an error leaves
    it as it was. Raises NotFound if there is no such run.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        text = io.TextIOWrapper(spool, encoding="utf-8", newline="")
        # Only what a spreadsheet reads as a text needs a mark against formulas; XLSX says what is a text.
        keep = _plain if format == "xlsx" else _harmless
        writer = csv.writer(text)
        writer.writerow(COLUMNS[what])
        count = 0
        for holder, number, stage, date in _rows(backend, what, run_id, agent):
            writer.writerow((keep(holder), keep(last_digits(number) if mask else number), keep(stage), date))
            count += 1
        text.flush()
        spool.seek(0)
        if format == "csv":
            shutil.copyfileobj(spool, file)
        else:
            _write_xlsx(csv.reader(text), file)
        text.detach()
    return count


def _rows(backend: Backend, what: str, run_id: int | None, agent: str | None) -> Iterator[Values]:
    if what == "run":
        assert run_id is not None
        run(backend, run_id)
        chunks = backend.stream("run_assignments", run_id=run_id, after=None, count=ALL)
    else:
        chunks = backend.stream("assignments", agent=agent, after_number=None, after_agent="", count=ALL)
    record: type[DealtLead | Assignment] = DealtLead if what == "run" else Assignment
    with closing(chunks):  # type: ignore[type-var]
        for rows in chunks:
            for row in rows:
                lead = record.from_row(row)
                stage = "" if lead.stage is None else str(lead.stage)
                yield lead.agent, lead.number, stage, lead.date.isoformat(" ", "seconds") if lead.date else ""


def _plain(text: str) -> str:
    return text


def _harmless(text: str) -> str:
    """A text as a cell that no spreadsheet runs as a formula: with an apostrophe before what looks like one."""
    return text if PHONE.fullmatch(text) else FORMULA.sub(r"\1'", text)


def _write_xlsx(rows: Iterator[list[str]], file: IO[bytes]) -> None:
    """Writes rows of agent, number, stage and date, the head first, on as many sheets as they need."""
    book = Workbook(write_only=True)
    head = next(rows)
    full = SHEET_ROWS - 1
    count = full
    while count == full:
        sheet = book.create_sheet()
        sheet.append(head)
        count = 0
        for count, (agent, number, stage, date) in enumerate(islice(rows, full), start=1):  # noqa: B007
            sheet.append([_text(sheet, agent), _text(sheet, number), _stage(sheet, stage), date])
    book.save(file)


def _stage(sheet: Any, value: str) -> Any:
    return int(value) if INTEGER.fullmatch(value) else _text(sheet, value)


def _text(sheet: Any, value: str) -> Any:
    """A cell that is a text, whatever it begins with; without characters that XML cannot hold."""
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("�", value))
    cell.data_type = "s"
    return cell
