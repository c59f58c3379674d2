"""A file as a table of one kind: what was understood of it, and its rows with checked values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from agent_funnel.errors import ImportRefused
from agent_funnel.files.cells import (
    BadCell,
    Values,
    date_cell,
    listed_cell,
    name_cell,
    number_cell,
    stage_cell,
    status_cell,
)
from agent_funnel.files.columns import FIELDS, MOST_COLUMNS, candidates, count_known
from agent_funnel.files.dates import DateOrder
from agent_funnel.files.delimited import DELIMITER_NAMES, delimited_text, encoding_name
from agent_funnel.files.sources import encoding_of, kind_of, seekable, sha256_of
from agent_funnel.files.surveys import Survey
from agent_funnel.files.workbooks import sheet_of
from agent_funnel.masking import mask_digits


@dataclass(frozen=True)
class Choices:
    """How a person wants a file to be read. What is not chosen is found out from the file.

    `columns` has the name of the column of a field; an empty name leaves the field out.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    dates: DateOrder | None = None
    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None


AS_IT_IS = Choices()


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


class CheckedRow(NamedTuple):
    """A row of a file: its line, its fields as they are, and its values; or in place of these the reason of a fault."""

    line: int
    fields: Sequence[str]
    values: Values
    fault: str | None = None


class Source(Protocol):
    """The rows of a file, which can be read as often as is needed."""

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The rows, each with its line."""


@contextmanager
def open_table(
    file: Path | IO[bytes],
    kind: str,
    name: str,
    choices: Choices = AS_IT_IS,
    *,
    zone: tzinfo = UTC,
    today: date | None = None,
) -> Iterator[Table]:
    """Opens a file of `leads`, `agents`, `holidays` or `numbers`, and reads it once to find out how it is written.

    Dates with a zone are converted to `zone`; leads of a file without dates have `today`. Raises ImportRefused if the
    file cannot be read, or if it can be understood in several ways.
    """
    with seekable(file, name) as source:
        yield _table(source, kind, name, choices, zone, today)


def _table(file: IO[bytes], kind: str, name: str, choices: Choices, zone: tzinfo, today: date | None) -> Table:
    book = kind_of(file, name)
    encoding = delimiter = sheet = None
    rows: Source
    if book == "text":
        encoding = _checked_encoding(choices.encoding) or encoding_of(file)
        rows = text = delimited_text(
            file, name, encoding, choices.delimiter, lambda header: _count_known(kind, header, choices)
        )
        encoding, delimiter = encoding_name(encoding), DELIMITER_NAMES.get(text.form.delimiter, text.form.delimiter)
    else:
        rows = found = sheet_of(file, name, book, choices.sheet)
        sheet = found.title
    header = _header(rows, kind, name, choices, sheet)
    survey = Survey(kind, header, candidates(kind, header, choices.columns, name), choices.columns)
    for _, fields in _data(rows, header):
        survey.add(fields)
    columns = survey.columns(name)
    order = choices.dates or survey.date_order(columns, name)
    used = set(columns.values())
    # The first line may be no header, and have numbers.
    shown = [mask_digits(each[:80]) for each in header]
    understood = Understood(
        format="CSV" if book == "text" else book.upper(),
        sheet=sheet,
        encoding=encoding,
        delimiter=delimiter,
        dates=order if survey.has_parts(columns) else None,
        columns={each: shown[index] for each, index in columns.items()} if any(header) else {},
        left_out=tuple(
            each or f"column {index + 1}"
            for index, each in enumerate(shown)
            if index not in used and index in survey.filled
        ),
        notes=tuple(map(mask_digits, _notes(kind, columns, survey, today))),
    )
    if kind == "leads" and "date" not in columns and today is None:
        raise ImportRefused(f"{name} has no dates. Nothing was imported.")
    return Table(name, kind, understood, sha256_of(file), rows, tuple(header), columns, order, zone, today)


def _count_known(kind: str, header: Sequence[str], choices: Choices) -> int:
    chosen = {each.strip() for each in choices.columns.values() if each}
    return count_known(kind, header) + sum(each.strip() in chosen for each in header)


def _checked_encoding(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        # Other codecs, such as rot13, are no encodings of text.
        "".encode(encoding)
        encoding_name(encoding)
    except (LookupError, UnicodeError, ValueError, TypeError) as error:
        raise ImportRefused(f"There is no encoding {encoding[:40]!r}. Nothing was imported.") from error
    return encoding


def _header(rows: Source, kind: str, name: str, choices: Choices, sheet: str | None) -> list[str]:
    """The names of the columns. A file of nothing but numbers needs none: then its only name is empty."""
    first = next(rows.rows(), None)
    if first is None:
        place = f"{name} has no rows" if sheet is None else f"{name} has no rows on its sheet {sheet!r}"
        raise ImportRefused(f"{place}. Nothing was imported.")
    header = [each.strip() for each in first[1]]
    while header and not header[-1]:
        header.pop()
    if len(header) > MOST_COLUMNS:
        raise ImportRefused(
            f"{name} has {len(header):,} columns; at most {MOST_COLUMNS:,} are read. Nothing was imported."
        )
    if _count_known(kind, header, choices):
        return header
    if len(header) == 1 and (
        kind == "numbers" or (kind == "leads" and not isinstance(number_cell(header[0]), BadCell))
    ):
        return [""]
    needed = FIELDS[kind][0]
    begins = mask_digits(",".join(header)[:80])
    raise ImportRefused(
        f"{name} begins with {begins!r}, and none of these is a usual name of the column {needed}. The first line must "
        f"name the columns, such as {','.join(FIELDS[kind])}; or choose its column with --column {needed}=NAME. "
        "Nothing was imported."
    )


def _data(rows: Source, header: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows after the header, if there is one."""
    found = rows.rows()
    if any(header):
        next(found, None)
    return found


def _notes(kind: str, columns: Mapping[str, int], survey: Survey, today: date | None) -> Iterator[str]:
    yield from survey.notes(columns)
    if kind == "leads" and "stage" not in columns:
        yield "The file has no stages, so every lead has stage 1."
    if kind == "leads" and "date" not in columns and today is not None:
        yield f"The file has no dates, so every lead has today's, {today}."
    if kind == "agents" and "status" not in columns:
        yield "The file has no status, so every agent is active."


@dataclass(frozen=True)
class Table:
    """A file of one kind, which was understood. Its rows can be read as often as is needed."""

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

    def rows(self) -> Iterator[CheckedRow]:
        """The rows after the header, with their values in the order of FIELDS."""
        checks: dict[str, Callable[..., Values | BadCell]] = {
            "leads": self._lead,
            "agents": self._agent,
            "holidays": self._holiday,
            "numbers": self._number,
        }
        check = checks[self.kind]
        places = [self.columns.get(each) for each in FIELDS[self.kind]]
        width, needed = len(self.header), max(self.columns.values()) + 1
        for line, fields in _data(self.source, self.header):
            count = len(fields)
            if count < needed or (count > width and any(map(str.strip, fields[width:]))):
                yield CheckedRow(line, fields, (), f"has {count} fields; {width} are needed")
                continue
            values = check(*[None if place is None else fields[place] for place in places])
            if isinstance(values, BadCell):
                # If columns are swapped, any value may be a phone number, so mask the whole reason.
                yield CheckedRow(line, fields, (), mask_digits(values.reason))
            else:
                yield CheckedRow(line, fields, values)

    def _lead(self, number: str, stage: str | None, created: str | None) -> Values | BadCell:
        found = number_cell(number.strip())
        if isinstance(found, BadCell):
            return found
        level = "1" if stage is None else stage_cell(stage)
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

    def _holiday(self, day: str, name: str | None) -> Values | BadCell:
        moment = date_cell("day", day, self.order, self.zone)
        found = name_cell("name", name or "")
        if isinstance(moment, BadCell):
            return moment
        return found if isinstance(found, BadCell) else (moment.date().isoformat(), found)

    def _number(self, number: str, reason: str | None) -> Values | BadCell:
        listed = listed_cell(number)
        found = name_cell("reason", reason or "")
        if isinstance(listed, BadCell):
            return listed
        return found if isinstance(found, BadCell) else (listed, found)
