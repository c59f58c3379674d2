"""Exports what the database has as CSV or XLSX, in constant memory. What can be imported comes in the form of imports.

CSV is for programs. `excel-csv` is for people who open a CSV file in a spreadsheet: with the byte order mark by which
Excel knows UTF-8, with the separator that the spreadsheets of the sales floor's country expect, and with numbers that
stay texts. Otherwise Excel shows +5511999990001 as 5.512E+12, and drops leading zeros.
"""

from __future__ import annotations

import csv
import heapq
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from itertools import islice
from operator import attrgetter
from typing import IO, Any, Literal

from agent_funnel.agents import list_limits, roster, stream_assignments
from agent_funnel.call_backs import stream_call_backs
from agent_funnel.database import Database
from agent_funnel.do_not_contact import stream_do_not_contact
from agent_funnel.files.formulas import without_formula
from agent_funnel.leads import stream_pool
from agent_funnel.masking import last_digits, mask_digits
from agent_funnel.outcomes import stream_outcomes
from agent_funnel.results import GROUPS, RATES, count_results
from agent_funnel.runs import RunRecord, list_runs, stream_dealt_leads
from agent_funnel.settings import Settings
from agent_funnel.values import NO_LIMIT, read_date, read_lead_date

Kind = Literal[
    "assignments", "pool", "run", "do-not-contact", "outcomes", "call-backs", "results", "leads", "agents", "limits",
    "holidays", "runs", "history",
]  # fmt: skip
Format = Literal["csv", "excel-csv", "xlsx"]
# The columns of rates and of the ends of their intervals, which a workbook has as fractions:
FRACTIONS = tuple(f"{rate}{end}" for rate in RATES for end in ("", "_low", "_high"))
# The columns of each export. Those of what can be imported are named as the import names them first:
COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    "assignments": ("agent", "number", "stage", "date"),
    "run": ("agent", "number", "stage_before", "date"),
    "pool": ("place", "class", "number", "stage", "date", "age_days", "call_back_on"),
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
    "call-backs": ("agent", "number", "call_back_on", "same_agent", "state", "note", "reported_at", "run"),
    "results": (
        "by",
        "name",
        "file",
        "dealt",
        "not_worked",
        "reported",
        "reached",
        "won",
        *FRACTIONS,
        "best_place",
        "worst_place",
    ),
    "leads": ("number", "stage", "date"),
    "agents": ("agent", "status"),
    "limits": ("agent", "max_records", "starts_on", "ends_on"),
    "holidays": ("day", "name"),
    "runs": tuple(each.name for each in fields(RunRecord)),
    "history": ("run_id", "business_date", "agent", "number", "stage_before", "date"),
}
# The columns that a workbook has as whole numbers:
STAGES = (
    "stage", "stage_before", "max_records", "place", "age_days", "dealt", "not_worked", "reported", "reached", "won",
    "best_place", "worst_place",
)  # fmt: skip
# The classes of a deal, for people:
CALL_BACK = "call-back"
STAGE_CLASSES = {1: "never called", 2: "called once", 3: "called twice"}
# The columns of texts that people write, and that may have numbers in them:
FREE_TEXTS = ("reason", "list", "name", "file", "note", "reported_by", "actor", "undone_by")
# The countries whose spreadsheets separate columns with commas; where commas separate decimals, semicolons do:
WITH_COMMAS = ("US", "CA", "GB", "MX")
# A text that a spreadsheet can keep as ="0170…", which is no more than that text:
PLAIN = re.compile(r"\+?[0-9A-Za-z.]+")
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


@dataclass(frozen=True)
class Part:
    """The part of a kind that is wanted: the run, the agent, the do-not-contact list or the business dates.

    Call-backs are due, or to come, on the last one of the dates.
    """

    run_id: int | None = None
    agent: str | None = None
    list_name: str | None = None
    settings: Settings | None = None
    business_date: date | None = None
    dates: tuple[date, date] = (date.min, date.max)


def export(
    database: Database,
    what: Kind,
    file: IO[bytes],
    format: Format,
    *,
    run_id: int | None = None,
    agent: str | None = None,
    list_name: str | None = None,
    settings: Settings | None = None,
    business_date: date | None = None,
    dates: tuple[date, date] = (date.min, date.max),
    mask: bool = False,
    check: Callable[[], None] = lambda: None,
) -> int:
    """Writes all rows of a kind to `file`; of `run`, the leads that the run `run_id` dealt.

    Returns the number of rows without the header. The `pool` needs `settings`, for the rules of the deal, and the
    `business_date`. With `agent`, writes only that agent's present assignments; with `list_name`, only that list; with
    `dates`, only the results of these business dates, and the call-backs as they stand on the last one; with `mask`,
    only the last three digits of each number, also of those in texts, and sorted by the values that the file shows,
    because the order of the numbers would reveal them. One statement reads all rows before anything is written to
    `file`. So a slow file holds no lock, and an error leaves the file as it was.
    `check` is called again and again while rows are read and cells are made; it ends the export by raising an error.
    Raises NotFound if there is no such run or list.
    """
    columns = COLUMNS[what]
    with tempfile.SpooledTemporaryFile(BYTES_IN_MEMORY) as spool:
        # Excel needs the byte order mark to read UTF-8.
        text = io.TextIOWrapper(spool, encoding="utf-8-sig" if format == "excel-csv" else "utf-8", newline="")
        writer = csv.writer(text, delimiter=_delimiter(database) if format == "excel-csv" else ",")
        writer.writerow(columns)
        # CSV needs an apostrophe against formulas; in XLSX each cell says that it is a text.
        clean: Callable[[str], str] = str if format == "xlsx" else without_formula
        cleaners = [_kept_as_text if format == "excel-csv" and name == "number" else clean for name in columns]
        count = 0
        with closing(ROWS[what](database, Part(run_id, agent, list_name, settings, business_date, dates))) as found:
            for row in _masked(found, columns) if mask else found:
                writer.writerow([cleaned(value) for cleaned, value in zip(cleaners, row, strict=True)])
                count += 1
                if count % CHECK_ROWS == 0:
                    check()
        text.flush()
        spool.seek(0)
        if format == "xlsx":
            _write_xlsx(csv.reader(text), file, check)
        else:
            shutil.copyfileobj(spool, file)
        text.detach()
    return count


def _delimiter(database: Database) -> str:
    """The separator that spreadsheets expect in the country of the sales floor."""
    row = database.one("exported_country")
    assert row is not None
    return "," if row["country"] in ("", "none", *WITH_COMMAS) else ";"


def _kept_as_text(number: str) -> str:
    """A number in the form in which spreadsheets keep its digits, its plus and its zeros; imports read that form."""
    return f'="{number}"' if PLAIN.fullmatch(number) else without_formula(number)


def _assignments(database: Database, part: Part) -> Iterator[Values]:
    with closing(stream_assignments(database, part.agent)) as leads:
        for lead in leads:
            yield lead.agent, lead.number, _shown(lead.stage), _shown(lead.date)


def _pool(database: Database, part: Part) -> Iterator[Values]:
    assert part.settings is not None
    assert part.business_date is not None
    with closing(stream_pool(database, part.settings, part.business_date)) as leads:
        for place, lead in enumerate(leads, start=1):
            kind = CALL_BACK if lead.call_back_on else STAGE_CLASSES.get(lead.stage, "")
            age = (part.business_date - lead.date.date()).days
            yield (
                str(place), kind, lead.number, str(lead.stage), _shown(lead.date), str(age), _shown(lead.call_back_on),
            )  # fmt: skip


def _dealt(database: Database, part: Part) -> Iterator[Values]:
    assert part.run_id is not None
    with closing(stream_dealt_leads(database, part.run_id)) as leads:
        for lead in leads:
            yield lead.agent, lead.number, _shown(lead.stage), _shown(lead.date)


def _do_not_contact(database: Database, part: Part) -> Iterator[Values]:
    with closing(stream_do_not_contact(database, part.list_name)) as entries:
        for entry in entries:
            imported = "yes" if entry.imported else "no"
            yield entry.number, entry.reason or "", entry.list_name, _shown(entry.added_at), imported


def _outcomes(database: Database, part: Part) -> Iterator[Values]:
    for each in stream_outcomes(database, run_id=part.run_id, agent=part.agent, standing=True):
        yield (
            each.agent, each.number, each.outcome, _shown(each.call_back_on), "yes" if each.same_agent else "",
            each.note or "", _shown(each.reported_at), each.reported_by or "", _shown(each.run_id),
        )  # fmt: skip


def _call_backs(database: Database, part: Part) -> Iterator[Values]:
    for each in stream_call_backs(database, part.dates[1], agent=part.agent):
        yield (
            each.agent, each.number, _shown(each.call_back_on), "yes" if each.same_agent else "", each.state,
            each.note or "", _shown(each.reported_at), _shown(each.run_id),
        )  # fmt: skip


def _results(database: Database, part: Part) -> Iterator[Values]:
    found = count_results(database, *part.dates)
    for by in GROUPS:
        for each in getattr(found, by):
            rates = [getattr(each, rate) for rate in RATES]
            yield (
                by, each.name or "", each.label or "", _shown(each.dealt), _shown(each.not_worked),
                _shown(each.reported), _shown(each.reached), _shown(each.won),
                *(_shown(value) for rate in rates for value in (astuple(rate) if rate else (None, None, None))),
                _shown(each.best_place), _shown(each.worst_place),
            )  # fmt: skip


def _leads(database: Database, _: Part) -> Iterator[Values]:
    for rows in database.stream("exported_leads"):
        for row in rows:
            yield _shown(row["number"]), _shown(row["stage"]), _shown(read_lead_date(row["date"]))


def _history(database: Database, _: Part) -> Iterator[Values]:
    for rows in database.stream("exported_history"):
        for row in rows:
            moment = read_lead_date(row["date"])
            yield (
                _shown(row["run_id"]), _shown(read_date(row["business_date"])), row["agent"], _shown(row["number"]),
                _shown(row["stage"]), _shown(moment),
            )  # fmt: skip


def _agents(database: Database, _: Part) -> Iterator[Values]:
    # The day only decides their room; their limits are an export of their own.
    for entry in roster(database, date.max):
        yield entry.agent, "active" if entry.active else "inactive"


def _limits(database: Database, _: Part) -> Iterator[Values]:
    for limit in list_limits(database):
        yield limit.agent, _shown(limit.max_records), _shown(limit.starts_on), _shown(limit.ends_on)


def _holidays(database: Database, _: Part) -> Iterator[Values]:
    for rows in database.stream("exported_holidays"):
        for row in rows:
            yield _shown(read_date(row["day"])), row["name"] or ""


def _runs(database: Database, _: Part) -> Iterator[Values]:
    take = attrgetter(*COLUMNS["runs"])
    for run in list_runs(database, count=NO_LIMIT):
        yield tuple(map(_shown, take(run)))


ROWS: Mapping[Kind, Callable[[Database, Part], Any]] = {
    "assignments": _assignments,
    "pool": _pool,
    "run": _dealt,
    "do-not-contact": _do_not_contact,
    "outcomes": _outcomes,
    "call-backs": _call_backs,
    "results": _results,
    "leads": _leads,
    "agents": _agents,
    "limits": _limits,
    "holidays": _holidays,
    "runs": _runs,
    "history": _history,
}


def _shown(value: Any) -> str:
    """A value as text; a moment without its zone, and with milliseconds if it has some."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "milliseconds" if value.microsecond else "seconds")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _masked(rows: Iterable[Values], columns: tuple[str, ...]) -> Iterator[Values]:
    """Rows with masked numbers, sorted by the values that they show, those of the numbers last."""
    masks: list[Callable[[str], str]] = [
        # The place of a lead would show the order of numbers that are equal in all else.
        last_digits if name == "number" else _nothing if name == "place" else mask_digits if name in FREE_TEXTS else str
        for name in columns
    ]
    masked = (tuple(mask(text) for mask, text in zip(masks, row, strict=True)) for row in rows)
    if "number" not in columns:
        return masked
    number_at = columns.index("number")

    def shown_order(row: Values) -> Values:
        return *row[:number_at], *row[number_at + 1 :], row[number_at]

    return _sorted(masked, shown_order)


def _nothing(_: str) -> str:
    return ""


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
    cells = [_stage if name in STAGES else _fraction if name in FRACTIONS else _text for name in header]
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


def _fraction(_: Any, value: str) -> Any:
    return float(value) if value else None


def _text(sheet: Any, value: str) -> Any:
    """Makes a cell that is a text, whatever it begins with. Characters that XML cannot hold are replaced."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("�", value))
    cell.data_type = "s"
    return cell
