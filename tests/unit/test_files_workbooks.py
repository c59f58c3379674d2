"""Workbooks: their cells, their sheets, and those that would fill the memory."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest

from agent_funnel.errors import ImportRefused
from support.tables import read, workbook

ROWS: list[list[Any]] = [["number", "stage", "date"], ["+5521970000001", 2, datetime(2026, 10, 5, 8, 15)]]
LEAD = ("+5521970000001", "2", "2026-10-05 08:15:00.000")


def changed(book: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """A workbook with another text in one of its parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == part:
                assert old in content
                content = content.replace(old, new)
            target.writestr(name, content)
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_a_workbook_is_read_as_it_is() -> None:
    book = workbook(
        *ROWS, [None, None, None], [21970000002, "3", date(2026, 10, 6)], ["21970000003", 1.0, "25/10/2026"]
    )
    understood, rows = read(book)
    assert (understood.format, understood.sheet) == ("XLSX", "Leads")
    assert rows == [
        (2, LEAD),
        (4, ("21970000002", "3", "2026-10-06 00:00:00.000")),
        (5, ("21970000003", "1", "2026-10-25 00:00:00.000")),
    ]


def test_empty_rows_and_columns_around_the_cells_are_nothing() -> None:
    book = workbook([], [], [None, *ROWS[0]], [None, *ROWS[1]])
    assert read(book)[1] == [(4, LEAD)]


def test_the_first_visible_sheet_is_read_or_the_one_that_is_chosen() -> None:
    book = workbook(["nothing"], title="Notes", Leads=ROWS)
    assert read(book, sheet="Leads")[1] == [(2, LEAD)]
    with pytest.raises(ImportRefused, match="no sheet 'Lead'; its sheets are 'Notes', 'Leads'"):
        read(book, sheet="Lead")
    hidden = changed(
        book, "xl/workbook.xml", b'name="Notes" sheetId="1" state="visible"', b'name="Notes" sheetId="1" state="hidden"'
    )
    assert read(hidden)[1] == [(2, LEAD)]
    with pytest.raises(ImportRefused, match="no rows on its sheet 'Leads'"):
        read(workbook())


def ods(rows: str) -> bytes:
    """A workbook (ODS) with these rows."""
    names = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    names += ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    names += ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="Leads">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return file.getvalue()


def ods_row(*texts: str, attributes: str = "") -> str:
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>' for text in texts
    )
    last = '<table:table-cell table:number-columns-repeated="16381"/>'
    return f"<table:table-row{attributes}>{cells}{last}</table:table-row>"


def test_a_workbook_of_libreoffice_is_read() -> None:
    empty = '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    empty = f'<table:table-row table:number-rows-repeated="1048570">{empty}'
    rows = ods_row("number", "stage", "date") + ods_row("+5521970000001", "2", "2026-10-05 08:15") + empty
    understood, found = read(ods(rows))
    assert (understood.format, found) == ("ODS", [(2, LEAD)])


FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'


@pytest.mark.parametrize(
    "far",
    [
        FAR,
        FAR.replace(b' r="XFD1048576"', b' t="n"  r = "XFD1048576" '),
        FAR.replace(b"<c r", b'<c t="a>b" r'),
        FAR.replace(b"<c r", b'<c t="x/>" r'),
        b'<row r="1048576">' + b"<c><v>1</v></c>" * 2_000 + b"</row></sheetData>",
    ],
)
def test_a_cell_far_away_from_the_others_is_refused_before_it_fills_the_memory(far: bytes) -> None:
    with pytest.raises(ImportRefused, match="has a sheet of more than 4,000,000 cells"):
        read(changed(workbook(*ROWS), SHEET, b"</sheetData>", far))


def test_empty_cells_far_away_are_no_reason_to_refuse() -> None:
    far = b'<row r="1048576" spans="1:3"><c r="XFD1048576" s="1"/></row></sheetData>'
    assert read(changed(workbook(*ROWS), SHEET, b"</sheetData>", far))[1] == [(2, LEAD)]


# Rows and cells that are repeated so often that they would fill the memory:
ROW_OF_MANY = (
    '<table:table-row table:number-rows-repeated="600000">'
    '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="16000">'
    "<text:p>1</text:p></table:table-cell></table:table-row>"
)


@pytest.mark.parametrize(
    "rows",
    [
        ods_row("number") + ods_row("1", attributes=' table:number-rows-repeated="10000000"'),
        ods_row("number") + ROW_OF_MANY,
    ],
)
def test_repeated_rows_and_cells_are_counted(rows: str) -> None:
    with pytest.raises(ImportRefused, match="more than 4,000,000 cells"):
        read(ods(rows))


def test_a_sheet_has_at_most_as_many_cells_as_the_limit_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.files.workbooks.MOST_CELLS", 12)
    sheets = {
        count: ods(ods_row("number") + ods_row("1", attributes=f' table:number-rows-repeated="{count}"'))
        for count in (11, 12)
    }
    assert len(read(sheets[11])[1]) == 11
    with pytest.raises(ImportRefused, match="more than 12 cells"):
        read(sheets[12])


def test_a_workbook_that_unpacks_to_too_much_or_defines_entities_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    book = workbook(*ROWS)
    entities = changed(book, SHEET, b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet')
    with pytest.raises(ImportRefused, match="is a damaged workbook"):
        read(entities)
    with pytest.raises(ImportRefused, match="damaged workbook"):
        read(changed(book, SHEET, b"<sheetData>", b"<sheetData" + b" " * 2_500_000 + b">"))
    monkeypatch.setattr("agent_funnel.files.workbooks.LARGEST_UNPACKED", 1_000_000)
    with pytest.raises(ImportRefused, match="has more than 1 MB when it is unpacked"):
        read(changed(book, SHEET, b"<sheetData>", b" " * 2_000_000 + b"<sheetData>"))


@pytest.mark.parametrize("cut", [30, 200, 2_000, -30])
def test_a_damaged_workbook_is_refused(cut: int) -> None:
    with pytest.raises(ImportRefused, match="damaged"):
        read(workbook(*ROWS)[:cut])


def test_archives_of_other_kinds_are_named() -> None:
    kinds = {
        "leads.csv": "is a ZIP archive; unpack it",
        "word/document.xml": "text document",
        "xl/workbook.bin": "binary workbook",
        "Index/Document.iwa": "Apple Numbers",
    }
    for name, kind in kinds.items():
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(ImportRefused, match=kind):
            read(file.getvalue())
