"""A file as a table of one kind: what was understood of it, and its rows with checked values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from agent_funnel.errors import ImportRefused
from agent_funnel.files.cells import (
    BadCell,
    Values,
    amount_cell,
    date_cell,
    inner_text,
    listed_cell,
    name_cell,
    number_cell,
    stage_cell,
    status_cell,
)
from agent_funnel.files.columns import (
    FIELDS,
    MOST_COLUMNS,
    candidates,
    count_known,
    header_key,
    partner_of,
    shown_names,
    without_column,
)
from agent_funnel.files.completion import completion
from agent_funnel.files.dates import DateOrder
from agent_funnel.files.delimited import DELIMITER_NAMES, delimited_text, encoding_name
from agent_funnel.files.formulas import with_formula
from agent_funnel.files.headers import Known, Source, below_title, data_rows, header_of
from agent_funnel.files.notes import notes_on
from agent_funnel.files.outcomes import OUTCOME_CODES, outcome_of
from agent_funnel.files.sources import encoding_of, kind_of, seekable, sha256_of
from agent_funnel.files.surveys import Survey
from agent_funnel.files.workbooks import sheet_of
from agent_funnel.masking import mask_digits
from agent_funnel.sentences import sentence, shown_as


@dataclass(frozen=True)
class Choices:
    """How a person wants a file to be read. What is not chosen is found out from the file.

    `columns` has the name of the column of a field; an empty name leaves the field out. With `forget_columns`, what was
    chosen before for files with this header does not count, and is forgotten when the file is imported.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    dates: DateOrder | None = None
    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    forget_columns: bool = False


AS_IT_IS = Choices()
# Columns that people chose before, by the key of the header; each choice as in Choices:
Remembered = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Understood:
    """How a file was read: its format, its column of each field, the columns that are left out, and more to know."""

    format: str
    sheet: str | None
    encoding: str | None
    delimiter: str | None
    dates: DateOrder | None
    columns: dict[str, str]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Glance:
    """The beginning of a file as it is: the sheets of a workbook, the names of the columns, and the first rows."""

    sheets: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


class CheckedRow(NamedTuple):
    """A row of a file: its line, its fields as they are, and its values; or in place of these the reason of a fault."""

    line: int
    fields: Sequence[str]
    values: Values
    fault: str | None = None


@contextmanager
def open_table(
    file: Path | IO[bytes],
    kind: str,
    name: str,
    choices: Choices = AS_IT_IS,
    *,
    zone: tzinfo = UTC,
    today: date | None = None,
    remembered: Remembered | None = None,
    updates: bool = False,
) -> Iterator[Table]:
    """Opens a file of a kind of FIELDS, such as `leads`, and reads it once to find out how it is written.

    Dates with a zone are converted to `zone`; leads of a file without dates have `today`. `remembered` are the columns
    that people chose before, by the key of the header. A lead with an empty stage has stage 1; not if the file
    `updates` leads, which would lose theirs. Raises ImportRefused if the file cannot be read, or if it can be
    understood in several ways.
    """
    with seekable(file, name) as source:
        known = {} if choices.forget_columns or remembered is None else remembered
        yield _table(source, kind, name, choices, zone, today, known, updates)


def glance_at(
    file: Path | IO[bytes], kind: str, name: str, choices: Choices, *, remembered: Remembered, most: int
) -> Glance:
    """The beginning of a file, with its first rows, each with its line, also if it is not clear what they are.

    Raises ImportRefused if the file cannot be read at all.
    """
    with seekable(file, name) as source:
        rows, form, sheets = _rows(source, kind, name, choices, remembered)
        try:
            header = header_of(rows, kind, name, _known(kind, choices, remembered), form, ())
        except ImportRefused:
            header = [each.strip() for each in next(rows.rows(), (1, []))[1]][:MOST_COLUMNS]
        first = tuple((line, tuple(fields[: len(header)])) for line, fields in islice(data_rows(rows, header), most))
        return Glance(sheets, tuple(header), first)


def _rows(
    file: IO[bytes], kind: str, name: str, choices: Choices, remembered: Remembered
) -> tuple[Source, dict[str, str | None], tuple[str, ...]]:
    """The rows of a file, what was understood of its form, and the names of the sheets of a workbook."""
    known = _known(kind, choices, remembered)
    book = kind_of(file, name)
    if book != "text":
        sheet = sheet_of(file, name, book, choices.sheet)
        form = {"format": book.upper(), "sheet": sheet.title, "encoding": None, "delimiter": None}
        return below_title(sheet, known), form, (sheet.title, *sheet.others)
    encoding = _checked_encoding(choices.encoding) or encoding_of(file)
    text = delimited_text(file, name, encoding, choices.delimiter, known)
    delimiter = DELIMITER_NAMES.get(text.form.delimiter, text.form.delimiter)
    form = {"format": "CSV", "sheet": None, "encoding": encoding_name(encoding), "delimiter": delimiter}
    return below_title(text, known), form, ()


def _table(
    file: IO[bytes], kind: str, name: str, choices: Choices, zone: tzinfo, today: date | None, remembered: Remembered,
    updates: bool,
) -> Table:  # fmt: skip
    rows, form, sheets = _rows(file, kind, name, choices, remembered)
    header = header_of(rows, kind, name, _known(kind, choices, remembered), form, sheets[1:])
    earlier = {
        field: column
        for field, column in remembered.get(header_key(header) or "", {}).items()
        if field not in choices.columns and column not in choices.columns.values()
    }
    chosen = {**earlier, **choices.columns}
    survey = Survey(kind, header, candidates(kind, header, chosen, name), chosen)
    for _, fields in data_rows(rows, header):
        survey.add(fields)
    columns = survey.columns(name)
    order = choices.dates or survey.date_order(columns, name)
    instead = survey.instead(columns)
    partner = None if FIELDS[kind][0] in chosen else partner_of(kind, header, columns)
    used = {*columns.values(), *instead, *([partner[0]] if partner else [])}
    # The first line may be no header, and have numbers.
    shown = [mask_digits(each[:80]) for each in header]
    understood = Understood(
        format=form["format"] or "",
        sheet=form["sheet"],
        encoding=form["encoding"],
        delimiter=form["delimiter"],
        dates=order if survey.has_parts(columns) else None,
        columns={each: shown[index] for each, index in columns.items()} if any(header) else {},
        left_out=tuple(
            each or sentence("column %(place)s", place=str(index + 1))
            for index, each in enumerate(shown)
            if index not in used and index in survey.filled
        ),
        notes=tuple(
            map(
                mask_digits,
                notes_on(kind, columns, survey, today, earlier, rows, partner and header[partner[0]], updates),
            )
        ),
    )
    if kind == "leads" and "date" not in columns and today is None:
        raise ImportRefused(sentence("%(name)s has no dates. Nothing was imported.", name=name))
    if kind == "outcomes" and "outcome" not in columns:
        raise ImportRefused(without_column("outcome", name, header))
    if kind == "limits" and "starts_on" not in columns:
        raise ImportRefused(
            shown_as(
                f"{name} has no column that is clearly the starts_on, the first day of a limit; it has "
                f"{shown_names(header)}. Choose it with --column starts_on=NAME. Nothing was imported.",
                without_column("starts_on", name, header),
            )
        )
    return Table(
        name, kind, understood, sha256_of(file), rows, tuple(header), columns, order, zone, today,
        chosen if choices.columns else {}, tuple(instead), partner, updates,
    )  # fmt: skip


def _known(kind: str, choices: Choices, remembered: Remembered) -> Known:
    """How many fields of a header are known: by usual names, or because somebody chose them."""

    def count(header: Sequence[str]) -> int:
        chosen = {each.strip() for each in choices.columns.values() if each}
        if remembered:
            chosen |= {each for each in remembered.get(header_key(header) or "", {}).values() if each}
        return count_known(kind, header) + sum(each.strip() in chosen for each in header)

    return count


def _checked_encoding(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        # Other codecs, such as rot13, are no encodings of text.
        "".encode(encoding)
        encoding_name(encoding)
    except (LookupError, UnicodeError, ValueError, TypeError) as error:
        raise ImportRefused(
            sentence("There is no encoding %(encoding)s. Nothing was imported.", encoding=repr(encoding[:40]))
        ) from error
    return encoding


def _wrong_width(count: int, width: int) -> str:
    return sentence("has %(count)s fields; %(width)s are needed", count=str(count), width=str(width))


@dataclass(frozen=True)
class Table:
    """A file of one kind, which was understood. Its rows can be read as often as is needed.

    `chosen` are the columns to remember: those that were chosen now, and others that were chosen before. Rows without
    a number have it in one of the columns `instead`. `partner` is a column that belongs to the first field.
    """

    name: str
    kind: str
    understood: Understood
    sha256: str
    source: Source
    header: tuple[str, ...]
    columns: Mapping[str, int]
    order: DateOrder | None
    zone: tzinfo
    today: date | None
    chosen: Mapping[str, str]
    instead: tuple[int, ...] = ()
    partner: tuple[int, bool] | None = None
    updates: bool = False

    def rows(self) -> Iterator[CheckedRow]:
        """The rows after the header, with their values in the order of FIELDS."""
        checks: dict[str, Callable[..., Values | BadCell]] = {
            "leads": self._lead,
            "agents": self._agent,
            "limits": self._limit,
            "holidays": self._holiday,
            "numbers": self._number,
            "outcomes": self._outcome,
        }
        check = checks[self.kind]
        places = [self.columns.get(each) for each in FIELDS[self.kind]]
        width, needed = len(self.header), max(self.columns.values()) + 1
        complete = completion(self.kind, self.header, self.columns, self.instead, self.partner)
        for line, fields in data_rows(self.source, self.header):
            count = len(fields)
            if count < needed or (count > width and any(map(str.strip, fields[width:]))):
                yield CheckedRow(line, fields, (), _wrong_width(count, width))
                continue
            given = [None if place is None else fields[place] for place in places]
            if complete:
                complete(fields, given)
            values = check(*given)
            if isinstance(values, BadCell):
                # If columns are swapped, any value may be a phone number, so mask the whole reason.
                yield CheckedRow(line, fields, (), mask_digits(values.reason))
            else:
                yield CheckedRow(line, fields, values)

    def _lead(self, number: str, stage: str | None, created: str | None) -> Values | BadCell:
        found = number_cell(number.strip())
        if isinstance(found, BadCell):
            return found
        level = "1" if stage is None or (not stage.strip() and not self.updates) else stage_cell(stage)
        if isinstance(level, BadCell):
            return level
        if created is None:
            return found, level, f"{self.today} 00:00:00.000"
        moment = date_cell("date", created, self.order, self.zone)
        if isinstance(moment, BadCell):
            return moment
        return found, level, moment.isoformat(" ", "milliseconds")

    def _agent(self, agent: str, status: str | None) -> Values | BadCell:
        name = name_cell("agent", agent, least=1)
        found = "active" if status is None else status_cell(status)
        if isinstance(name, BadCell):
            return name
        return found if isinstance(found, BadCell) else (name, found)

    def _limit(self, agent: str, most: str | None, starts_on: str, ends_on: str | None) -> Values | BadCell:
        name = name_cell("agent", agent, least=1)
        amount = "0" if most is None else amount_cell("max_records", most)
        first = date_cell("starts_on", starts_on, self.order, self.zone)
        for each in (name, amount, first):
            if isinstance(each, BadCell):
                return each
        assert isinstance(name, str)
        assert isinstance(amount, str)
        assert isinstance(first, datetime)
        if ends_on is None or not inner_text(ends_on):
            return name, amount, f"{first.date()}/"
        last = date_cell("ends_on", ends_on, self.order, self.zone)
        if isinstance(last, BadCell):
            return last
        if last.date() < first.date():
            return BadCell(
                shown_as(
                    f"ends_on {last.date()} is before starts_on {first.date()}",
                    sentence(
                        "the last day, %(last)s, is before the first day, %(first)s",
                        last=last.date(),
                        first=first.date(),
                    ),
                )
            )
        return name, amount, f"{first.date()}/{last.date()}"

    def _holiday(self, day: str, name: str | None) -> Values | BadCell:
        moment = date_cell("day", day, self.order, self.zone)
        found = name_cell("name", name or "")
        if isinstance(moment, BadCell):
            return moment
        return found if isinstance(found, BadCell) else (moment.date().isoformat(), found)

    def _outcome(
        self, number: str, outcome: str, call_back_on: str | None, same_agent: str | None, note: str | None,
        agent: str | None, run: str | None,
    ) -> Values | BadCell:  # fmt: skip
        listed = listed_cell(number)
        code = outcome_of(outcome) or BadCell(
            sentence(
                "outcome %(value)s is neither one of %(choices)s nor a usual word for one of them",
                value=repr(outcome.strip()[:40]),
                choices=OUTCOME_CODES,
            )
        )
        day_text = (call_back_on or "").strip()
        moment = date_cell("call_back_on", day_text, self.order, self.zone) if day_text else ""
        same = status_cell(same_agent or "") if (same_agent or "").strip() else ""
        run_id = (run or "").strip()
        if not isinstance(same, BadCell) and code == "call_back" and not moment:
            return BadCell(shown_as("a call_back needs its day", sentence("a call-back needs its day")))
        if run_id and not (run_id.isascii() and run_id.isdigit()):
            return BadCell(sentence("run %(run_id)s is not the number of a deal", run_id=repr(run_id[:40])))
        for found in (listed, code, moment, same):
            if isinstance(found, BadCell):
                return found
        day = moment.date().isoformat() if isinstance(moment, datetime) else ""
        return str(listed), str(code), day, str(same), with_formula((note or "").strip()), (agent or "").strip(), run_id

    def _number(self, number: str, reason: str | None) -> Values | BadCell:
        listed = listed_cell(number)
        found = name_cell("reason", reason or "")
        if isinstance(listed, BadCell):
            return listed
        return found if isinstance(found, BadCell) else (listed, found)
