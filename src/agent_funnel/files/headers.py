"""The names of the columns of a file: where they are, and the rows after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import Protocol

from agent_funnel.errors import ImportRefused
from agent_funnel.files.cells import BadCell, inner_text, number_cell
from agent_funnel.files.columns import FIELDS, MOST_COLUMNS
from agent_funnel.files.dates import moment_of
from agent_funnel.files.delimited import TITLE_ROWS, names_below_title
from agent_funnel.masking import mask_digits
from agent_funnel.sentences import Sentence, joined, sentence, shown_as

NOTHING_IMPORTED = sentence("Nothing was imported.")
# How many fields of a header are known:
Known = Callable[[Sequence[str]], int]


class Source(Protocol):
    """The rows of a file, which can be read as often as is needed."""

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The rows, each with its line."""


@dataclass(frozen=True)
class BelowTitle:
    """The rows of a file from a line on; above it is a title."""

    source: Source
    line: int

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The rows, each with its line."""
        for line, fields in self.source.rows():
            if line >= self.line:
                yield line, fields


def below_title(rows: Source, known: Known) -> Source:
    """The rows from the names of the columns on. Reports have a title above them: rows without a known name."""
    first = list(islice(rows.rows(), TITLE_ROWS))
    place = names_below_title([fields for _, fields in first], known)
    return BelowTitle(rows, first[place][0]) if place else rows


def header_of(
    rows: Source, kind: str, name: str, known: Known, form: Mapping[str, str | None], others: Sequence[str]
) -> list[str]:
    """The names of the columns. A file of nothing but numbers, or of days, needs none: then its only name is empty.

    `others` are the other sheets of a workbook.
    """
    first = next(rows.rows(), None)
    if first is None:
        place = (
            sentence("%(name)s has no rows.", name=name)
            if form["sheet"] is None
            else sentence("%(name)s has no rows on its sheet %(sheet)s.", name=name, sheet=repr(form["sheet"]))
        )
        raise ImportRefused(joined(place, *_of_other_sheets(others), NOTHING_IMPORTED))
    header = [each.strip() for each in first[1]]
    while header and not header[-1]:
        header.pop()
    if len(header) > MOST_COLUMNS:
        raise ImportRefused(
            sentence(
                "%(name)s has %(count)s columns; at most %(most_columns)s are read. Nothing was imported.",
                name=name,
                count=len(header),
                most_columns=MOST_COLUMNS,
            )
        )
    if known(header):
        return header
    if len(header) == 1 and _needs_no_name(kind, header[0]):
        return [""]
    needed = FIELDS[kind][0]
    begins = mask_digits(",".join(header)[:80])
    shown = sentence(
        "%(name)s begins with %(begins)s, and none of these is a usual name of the column %(needed)s. The first line "
        "must name the columns, such as %(columns)s; or choose its column below.",
        name=name,
        begins=repr(begins),
        needed=needed,
        columns=",".join(FIELDS[kind]),
    )
    way = shown.replace("its column below.", f"its column with --column {needed}=NAME.")
    if len(header) == 1 and not form["sheet"]:
        way += " If another character separates them, name it with --delimiter."
    raise ImportRefused(joined(shown_as(way, shown), *_of_other_sheets(others), NOTHING_IMPORTED))


def _needs_no_name(kind: str, text: str) -> bool:
    """Whether the only column of a file can begin with this value, and have no name."""
    if kind == "leads":
        return not isinstance(number_cell(text), BadCell)
    return kind == "numbers" or (kind == "holidays" and moment_of(inner_text(text), "dmy", UTC) is not None)


def _of_other_sheets(others: Sequence[str]) -> list[Sentence]:
    if not others:
        return []
    shown = sentence("It has other sheets, too: %(sheets)s; choose one below.", sheets=[*map(repr, others[:20])])
    return [shown_as(shown.replace("choose one below.", "choose one with --sheet."), shown)]


def data_rows(rows: Source, header: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows after the header, if there is one. Where files were put together, it is repeated; that is no row."""
    found = rows.rows()
    if not any(header):
        yield from found
        return
    next(found, None)
    names, width = list(header), len(header)
    for line, fields in found:
        if fields[0].strip() == names[0] and [each.strip() for each in fields[:width]] == names:
            continue
        yield line, fields
