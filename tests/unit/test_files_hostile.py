"""Files that are made to fill the memory or to take for ever: each is refused, or read, within bounds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC
from typing import IO, cast

import pytest

from agent_funnel.errors import ImportRefused
from agent_funnel.files.dates import moment_of, order_of
from agent_funnel.files.tables import open_table
from support.tables import FLOOR, TODAY, read, workbook

BOOK = workbook(["number"], ["+5521970000001"])
SHEET = "xl/worksheets/sheet1.xml"


class Long(io.RawIOBase):
    """A file of a head and then one byte, again and again; it needs no room."""

    def __init__(self, head: bytes, byte: bytes, size: int) -> None:
        self._head, self._byte, self._size, self._at = head, byte, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a place."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Reads on from the present place."""
        count = max(0, min(len(buffer), self._size - self._at))
        head = self._head[self._at : self._at + count]
        buffer[:count] = head + self._byte * (count - len(head))
        self._at += count
        return count


def refusal(file: IO[bytes]) -> str:
    """The reason why a file is refused."""
    with pytest.raises(ImportRefused) as refused, open_table(file, "leads", "file", zone=FLOOR, today=TODAY) as table:
        list(table.rows())
    return str(refused.value)


def archive(*parts: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """The workbook with more parts, or with others."""
    file, others = io.BytesIO(), dict(parts)
    with zipfile.ZipFile(io.BytesIO(BOOK)) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            if name not in others:
                target.writestr(name, source.read(name))
        for name, content in others.items():
            target.writestr(name, content, compression)
    return file.getvalue()


@pytest.mark.parametrize(
    ("head", "byte", "reason"),
    [
        (b"number\n", b"a", "a row has more than 1,000,000 characters"),
        (b"", b"a", "broken at line 1: a row has more than 1,000,000 characters"),
        (b'number\n"', b"1", "broken at line 2"),
        (b"number\n", b"\0", "broken at line 2"),
        (b"number\n", b",", "a row has more than 1,000,000 characters"),
        (b"number\n", b'"', "broken at line 2"),
    ],
)
def test_a_line_without_an_end_is_refused(head: bytes, byte: bytes, reason: str) -> None:
    assert reason in refusal(cast(IO[bytes], io.BufferedReader(Long(head, byte, 40_000_000))))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"number," + b"a," * 100_000 + b"\n1\n", "has 100,001 columns; at most 2,000 are read"),
        (b"number\n" + b'"' * 99_999 + b"\n", "broken at line 2"),
        (b'number,date\n21970000001,"' + b'""' * 70_000 + b"\n", "broken at line 2"),
        (b"number\n" + b'"a\n",' * 250_000, "a row has more than 1,000,000 characters"),
    ],
)
def test_columns_and_quotation_marks_without_number_are_refused(content: bytes, reason: str) -> None:
    assert reason in refusal(io.BytesIO(content))


def test_a_row_of_half_a_million_fields_is_a_bad_row() -> None:
    ((line, reason),) = read(b"number\n21970000001" + b",1" * 490_000 + b"\n")[1]
    assert (line, reason) == (2, "has 490001 fields; 1 are needed")


def test_zero_bytes_in_a_text_are_no_number() -> None:
    ((_, reason),) = read(b"number,stage\n2197\x000000001,1\n")[1]
    assert "is neither a number of 4 to 20 digits nor an id" in reason


def test_comments_before_what_is_no_web_page_are_passed_once() -> None:
    assert "none of these is a usual name" in refusal(io.BytesIO(b"<!---->" * 60 + b"x"))
    assert "is a web page" in refusal(io.BytesIO(b"<!-- a -- b -->\n<!---->" * 60 + b"<html>"))


@pytest.mark.parametrize("text", ["1/2/2026 10" + " " * 100_000 + "x", "1/2/2026" + " " * 80 + "10h" + " " * 8 + "x"])
def test_a_date_of_many_blanks_is_none(text: str) -> None:
    assert moment_of(text, "dmy", UTC) is None
    assert order_of(text) is None
    assert moment_of("1/2/2026" + " " * 80 + "10:15", "dmy", UTC) is not None


# Made in the test, since each test process imports this file.
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "parts": (
        lambda: archive(*((f"xl/media/{index}", b"") for index in range(20_000))),
        "too many parts for a workbook",
    ),
    "compression": (
        lambda: archive(("xl/a.xml", b"<a>" + b"x" * 500), compression=zipfile.ZIP_LZMA),
        "is a damaged workbook",
    ),
    "texts": (
        lambda: archive(("xl/sharedStrings.xml", b"<sst>" + b"<si/>" * 2_000_001 + b"</sst>")),
        "2,000,000 different texts",
    ),
    "entities": (
        lambda: archive(("xl/a", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]><a/>')),
        "is a damaged workbook",
    ),
    "sheet elsewhere": (
        lambda: archive(
            ("xl/sheet", b'<worksheet><sheetData><row r="1048576"><c r="XFD1"><v>1</v></c></row></sheetData>')
        ),
        "more than 4,000,000 cells",
    ),
    "text that is not there": (
        lambda: archive((SHEET, b'<worksheet><sheetData><row><c t="s"><v>9</v></c></row></sheetData></worksheet>')),
        "is a damaged workbook",
    ),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_workbook_is_refused(hostile: str) -> None:
    made, reason = HOSTILE[hostile]
    assert reason in refusal(io.BytesIO(made()))


def test_a_workbook_with_a_wrong_checksum_is_refused() -> None:
    content = archive(("docProps/more.xml", b"<more>01234567</more>"))
    assert read(content)[1] == [(2, ("+5521970000001", "1", "2026-11-26 00:00:00.000"))]
    at = content.index(b"01234567")
    assert "is a damaged workbook" in refusal(io.BytesIO(content[:at] + b"7" + content[at + 1 :]))
