"""Rows of a sheet of a workbook: XLSX and ODS.

The reader of workbooks holds a sheet in the memory as a full rectangle. So the parts of the archive are measured first:
how large they are when they are unpacked, and how large a rectangle their cells need.
"""

from __future__ import annotations

import codecs
import datetime
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from agent_funnel.errors import ImportRefused
from agent_funnel.files.sources import BLOCK, SAVE_AS
from agent_funnel.sentences import sentence

# The most bytes of a workbook when it is unpacked; a million leads need 200 MB:
LARGEST_UNPACKED = 400_000_000
# The most cells of a sheet, empty ones within the rectangle included. While a sheet is read, each needs 100 bytes: a
# hundred thousand rows of ten columns fit into 150 MB, and a million leads with four columns into 450 MB.
MOST_CELLS = 4_000_000
# The part of XLSX with the texts of the cells:
SHARED_STRINGS = "xl/sharedstrings.xml"
# The most of these texts; each needs 50 bytes and more, however short it is:
MOST_TEXTS = 2_000_000
# Excel has no larger sheets:
MOST_ROWS, MOST_COLUMNS = 1 << 20, 1 << 14
# Spreadsheets keep 15 digits of a number:
EXACT = 10**15
# An attribute list up to the end of an empty element, which cannot hold a value:
_EMPTY = rb"(?=(?:\s+[\w:.-]+=\"[^\"<>]*\")*\s*/>)"
# In a sheet of XLSX: the beginning of a row or a cell, and the place of a row or cell that has contents.
_XLSX = re.compile(
    rb"<(?:\w+:)?(?P<tag>row|c)(?=[\s>/])|(?<![\w:])r\s*=\s*[\"'](?P<column>[A-Za-z]*)(?P<row>[0-9]+)[\"'](?P<empty>%s)?"
    % _EMPTY
)
_TEXT = re.compile(rb"<(?:\w+:)?si(?=[\s>/])")
# In the contents of ODS: a row or a cell, with its attributes.
_ODS = re.compile(
    rb"<table:(?P<tag>table-row|table-cell|covered-table-cell|table)(?=[\s>/])(?P<attributes>(?:[^<>\"]|\"[^\"<]*\")*)>"
)
_REPEATED = re.compile(rb"number-(?:rows|columns)-repeated\s*=\s*\"([0-9]{1,9})\"")


@dataclass(frozen=True)
class Sheet:
    """A sheet, whose rows can be read as often as is needed."""

    title: str
    others: tuple[str, ...]
    _sheet: Any

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The rows, each with its line in the sheet; those without any value are left out."""
        if self._sheet.start is None:
            return
        for line, cells in enumerate(self._sheet.iter_rows(), start=1):
            fields = [_text(cell) for cell in cells]
            if any(map(str.strip, fields)):
                yield line, fields


def sheet_of(file: IO[bytes], name: str, kind: str, wanted: str | None) -> Sheet:
    """The sheet of this name, or the first visible one. Raises ImportRefused if it cannot be read within bounds."""
    _measure(file, name, kind)
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    try:
        file.seek(0)
        book = CalamineWorkbook.from_filelike(file)
        titles = [
            each.name
            for each in sorted(book.sheets_metadata, key=lambda each: each.visible != SheetVisibleEnum.Visible)
            if each.typ == SheetTypeEnum.WorkSheet
        ]
        if not titles:
            raise ImportRefused(sentence("%(name)s has no sheet with cells. Nothing was imported.", name=name))
        if wanted is not None and wanted not in titles:
            shown = ", ".join(map(repr, titles[:20]))
            raise ImportRefused(
                sentence(
                    "%(name)s has no sheet %(wanted)s; its sheets are %(shown)s. Nothing was imported.",
                    name=name,
                    wanted=repr(wanted),
                    shown=shown,
                )
            )
        title = titles[0] if wanted is None else wanted
        return Sheet(title, tuple(each for each in titles if each != title), book.get_sheet_by_name(title))
    except ImportRefused:
        raise
    except (CalamineError, OSError, ValueError) as error:
        raise _damaged(name) from error
    except BaseException as error:
        # A panic of the reader, which is written in Rust, is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(name) from error


def _damaged(name: str) -> ImportRefused:
    return ImportRefused(
        sentence("%(name)s is a damaged workbook, or protected by a password. %(save_as)s", name=name, save_as=SAVE_AS)
    )


def _text(cell: Any) -> str:
    """A cell as text. A number is written with all its digits; one with more digits than a spreadsheet keeps is not."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        if cell.is_integer():
            return str(int(cell)) if abs(cell) < EXACT else f"{cell:.9E}"
        return repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ", "milliseconds" if cell.microsecond else "seconds")
    return str(cell)


def _measure(file: IO[bytes], name: str, kind: str) -> None:
    """Raises ImportRefused if the workbook is larger, when it is unpacked, than the reader may see."""
    left = LARGEST_UNPACKED
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            if len(archive.namelist()) != len(set(archive.namelist())):
                raise _damaged(name)
            for part in archive.infolist():
                # The others need memory to be unpacked, as much as the archive wants.
                if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise _damaged(name)
                bound = _bound_of(part.filename, kind)
                tail = rest = b""
                is_xml: bool | None = None
                with archive.open(part) as content:
                    while block := content.read(BLOCK):
                        left -= len(block)
                        if left < 0:
                            raise ImportRefused(
                                sentence(
                                    "%(name)s has more than %(megabytes)s MB when it is unpacked. %(save_as)s",
                                    name=name,
                                    megabytes=str(LARGEST_UNPACKED // 1_000_000),
                                    save_as=SAVE_AS,
                                )
                            )
                        if is_xml is None:
                            is_xml = block.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<"
                        # Workbooks define no entities, which could grow without bounds.
                        if is_xml and b"<!DOCTYPE" in tail + block:
                            raise _damaged(name)
                        tail = block[-16:]
                        if bound is not None and is_xml:
                            rest = bound.take(rest + block)
                            if isinstance(bound, _TextsBound) and bound.texts > MOST_TEXTS:
                                raise ImportRefused(
                                    sentence(
                                        "%(name)s has more than %(most_texts)s different texts. Copy the columns "
                                        "that are needed to a new workbook, or save it as CSV. Nothing was imported.",
                                        name=name,
                                        most_texts=MOST_TEXTS,
                                    )
                                )
                            if bound.cells > MOST_CELLS:
                                raise ImportRefused(
                                    sentence(
                                        "%(name)s has a sheet of more than %(most_cells)s cells, empty ones "
                                        "included: one cell may be far away from the others. Copy the rows and the "
                                        "columns that are needed to a new workbook, or save it as CSV, and import "
                                        "that. Nothing was imported.",
                                        name=name,
                                        most_cells=MOST_CELLS,
                                    )
                                )
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise _damaged(name) from error


def _bound_of(part: str, kind: str) -> _XlsxBound | _OdsBound | _TextsBound | None:
    if kind == "ods":
        return _OdsBound() if part == "content.xml" else None
    # A sheet may be any part: other parts say which. Those that are no sheets have no cells.
    return _TextsBound() if part.lower() == SHARED_STRINGS else _XlsxBound()


class _TextsBound:
    """The number of texts in the part that has those of all cells."""

    cells = 0

    def __init__(self) -> None:
        self.texts = 0

    def take(self, text: bytes) -> bytes:
        """Takes a part of the texts. Returns its end, which is to come again before the next part."""
        end = text.rfind(b"<")
        if end < 0:
            return b""
        self.texts += sum(1 for _ in _TEXT.finditer(text, 0, end))
        return text[end:] if len(text) - end <= BLOCK else text[end : end + 1]


class _XlsxBound:
    """The rectangle that the cells of a sheet need; a cell without a place comes next to the one before it."""

    def __init__(self) -> None:
        self._rows = self._columns = self._row = self._column = 0

    @property
    def cells(self) -> int:
        return self._rows * self._columns

    def take(self, text: bytes) -> bytes:
        """Takes a part of the sheet. Returns its end, which is to come again before the next part."""
        end = _whole_tags(text)
        for found in _XLSX.finditer(text, 0, end):
            tag, column = found["tag"], found["column"]
            if tag == b"row":
                self._row, self._column = self._row + 1, 0
            elif tag == b"c":
                self._column += 1
                self._columns = max(self._columns, self._column)
                self._rows = max(self._rows, self._row)
            elif found["empty"] is None:
                if column:
                    self._column = _number_of(column)
                    self._columns = max(self._columns, self._column)
                self._row = int(found["row"][:9])
                self._rows = max(self._rows, self._row)
        return text[end:]


def _number_of(column: bytes) -> int:
    """The number of a column, such as 28 for AB."""
    number = 0
    for letter in column[:7].upper():
        number = number * 26 + letter - 64
    return number


class _OdsBound:
    """The rectangle that the cells of the sheets need, whose rows and cells may be repeated."""

    def __init__(self) -> None:
        self.cells = self._rows = self._column = self._columns = 0
        self._repeated = 1

    def take(self, text: bytes) -> bytes:
        """Takes a part of the contents. Returns its end, which is to come again before the next part."""
        end = _whole_tags(text)
        for found in _ODS.finditer(text, 0, end):
            tag, attributes = found["tag"], found["attributes"]
            repeated = _REPEATED.search(attributes)
            count = int(repeated[1]) if repeated else 1
            if tag == b"table":
                self._rows = self._columns = 0
            elif tag == b"table-row":
                self._repeated, self._column = count, 0
                # Empty rows at the end need no room, and those before a row with a value are few in honest files.
                self._rows += count if count < MOST_ROWS // 2 else 0
            else:
                self._column += count
                if not attributes.endswith(b"/") or b"value" in attributes:
                    # As many rows as are repeated have this cell.
                    if self._repeated >= MOST_ROWS // 2:
                        self._rows += self._repeated
                        self._repeated = 1
                    self._columns = max(self._columns, self._column)
                    self.cells = max(self.cells, self._rows * self._columns)
        return text[end:]


def _whole_tags(text: bytes) -> int:
    """The length of the text up to its last tag, which may go on in the next part.

    Raises ValueError if that tag is longer than any of an honest workbook.
    """
    end = text.rfind(b"<")
    if len(text) - end > BLOCK:
        raise ValueError
    return end
