"""Files of text as spreadsheets, customer databases and people write them."""

from __future__ import annotations

import pytest

from agent_funnel.errors import ImportRefused
from support.tables import leads_in, read

LEAD = ("+5521970000001", "2", "2026-10-05 00:00:00.000")
ROWS = [["number", "stage", "date"], ["+5521970000001", "2", "2026-10-05"]]


def written(delimiter: str = ",", end: str = "\n", quote: str = "") -> str:
    return "".join(delimiter.join(f"{quote}{each}{quote}" for each in row) + end for row in ROWS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_usual_delimiters_line_ends_and_quotation_marks_are_told(delimiter: str, end: str, quote: str) -> None:
    assert read(written(delimiter, end, quote))[1] == [(2, LEAD)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sep=;\n" + written(";"), 3),
        ('"sep=^"\r\n' + written("^", "\r\n"), 3),
        ("\n\n" + written(), 4),
        (written().rstrip("\n"), 2),
        ("number,stage,date,\n+5521970000001,2,2026-10-05,\n,,,\n   \n", 2),
        ('number, stage, date\n"+5521970000001", "2", "2026-10-05"\n', 2),
        ('"number,stage,date"\n"+5521970000001,2,2026-10-05"\n', 2),
        ('"number;stage;date;note"\n"+5521970000001;2;2026-10-05;""a, b"""\n', 2),
        ('number,stage,date,note\n+5521970000001,2,2026-10-05,"she said \\"no\\", then"\n', 2),
        ("note;number;stage;date\n1,5;+5521970000001;2;2026-10-05\n", 2),
    ],
)
def test_forms_of_programs_are_read(text: str, line: int) -> None:
    assert read(text)[1] == [(line, LEAD)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mac_roman"]
)
def test_usual_encodings_are_told(encoding: str) -> None:
    text = "agent;status\nInês Araújo;ativo\nJosé Conceição;inativo\n"
    assert read(text.encode(encoding), "agents")[1] == [
        (2, ("Inês Araújo", "active")),
        (3, ("José Conceição", "inactive")),
    ]


def test_an_encoding_is_found_behind_a_million_plain_characters_and_can_be_chosen() -> None:
    text = "agent\n" + "".join(f"plain {index}\n" for index in range(100_000)) + "Gonçalo\n"
    assert read(text.encode("cp1252"), "agents")[1][-1] == (100_002, ("Gonçalo", "active"))
    assert read("agent\nŁucja Żak\n".encode("cp1250"), "agents")[1] == [(2, ("Łucja Żak", "active"))]
    assert read("agent\nAyşe\n".encode("cp1254"), "agents", encoding="cp1254")[1] == [(2, ("Ayşe", "active"))]
    with pytest.raises(ImportRefused, match="no encoding 'rot13'"):
        read("agent\nAna\n", "agents", encoding="rot13")


def test_a_delimiter_can_be_chosen() -> None:
    assert leads_in("phone:stage:date\n+5521970000001:2:2026-10-05\n", delimiter=":") == [LEAD]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7 ...", "is a PDF document"),
        (b"\x1f\x8b\x08\x00", "compressed file .gzip.; unpack it first"),
        (b"<html><table><tr><td>number</td></tr></table></html>", "is a web page, although Excel opens it"),
        (b"<table border=1><tr><td>number</td></tr></table>", "is a web page"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "XML format of 2003"),
        (b'[{"number": "+5521970000001"}]', "is JSON, not a table"),
        (b"BEGIN:VCARD\nTEL:+5521970000001\n", "is a file of contacts"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Excel 97 to 2003 .XLS., or protected by a password"),
        (
            b'number,stage,date\n"+5521,1,2026-10-05\n+5522,1,2026-10-05\n',
            "is broken at line 3: unexpected end of data",
        ),
        (b'number,stage,date\n"+5521"x,1,2026-10-05\n', "is broken at line 2"),
        (b"number,stage,date\n" + b"1" * 1_100_000, "a row has more than 1,000,000 characters"),
        (b"number,stage,date\n" + b'"1\n",' * 300_000, "more than 1,000,000 characters"),
        (b"number," + b"a," * 3_000 + b"\n1,\n", "has 3,001 columns; at most 2,000 are read"),
    ],
)
def test_what_is_no_table_is_refused_for_what_it_is(content: bytes, reason: str) -> None:
    with pytest.raises(ImportRefused, match=reason) as refused:
        read(content)
    assert "othing was imported" in str(refused.value)


def test_a_program_that_saves_right_is_named() -> None:
    with pytest.raises(ImportRefused, match=r"File > Save As and the type “CSV UTF-8 \(Comma delimited\)”"):
        read(b"%PDF-1.7")


def test_rows_that_are_shifted_are_bad() -> None:
    assert read("number,stage,date\n+5521970000001,1,2026-10-05,7\n+5521970000002,1\n")[1] == [
        (2, "has 4 fields; 3 are needed"), (3, "has 2 fields; 3 are needed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (r'"Zoë \"the\", best"', 'Zoë "the", best'),
        (r'"Zoë \""the\"", best"', r"Zoë \"the\", best"),
        (r'"C:\Zoë"', r"C:\Zoë"),
    ],
)
def test_a_backslash_before_a_quotation_mark_is_a_part_of_the_text_where_the_rows_need_none(
    field: str, name: str
) -> None:
    assert read(f"agent,status\n{field},active\n", "agents")[1] == [(2, (name, "active"))]
