"""Exports of the do-not-contact lists: whole or masked, safe in spreadsheets, and fit to be imported again."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from agent_funnel.do_not_contact import OWN_REQUESTS, add_do_not_contact, add_number_list, list_do_not_contact
from agent_funnel.do_not_contact_files import import_numbers
from agent_funnel.errors import NotFound
from agent_funnel.exports import export
from agent_funnel.files.formulas import with_formula
from support.command import answer, run_command
from support.databases import TestedDatabase, sqlite_database

REGISTER = "national register"
# Numbers and reasons as people write them, also such as a spreadsheet would run as a formula:
ENTRIES = [
    ("+55 11 98765-4321", "=1+1"), ("(11) 98765-4322", "asked us, twice"), ("-11 98765-4323", '"no"; =2'),
    ("5511987654324", None), ("+5511987654325", "@home"), ("\u202a+55 11 98765\u20114326\u202c", "'quoted"),
    ("BR.1502512345678901", "+55 11 4444-5555 called"), ("003Dn00000AbCdE", None),
]  # fmt: skip


@pytest.fixture
def listed(database: TestedDatabase) -> TestedDatabase:
    """A register with these entries, and one own request."""
    add_number_list(database.backend, REGISTER)
    for number, reason in ENTRIES:
        add_do_not_contact(database.backend, number, reason, list_name=REGISTER)
    import_numbers(database.backend, BytesIO(b"5511987654329"), list_name=OWN_REQUESTS)
    return database


def exported(database: TestedDatabase, format: Any = "csv", **options: Any) -> bytes:
    file = BytesIO()
    export(database.backend, "do-not-contact", file, format, **options)
    return file.getvalue()


def rows_of(file: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(file.decode(), newline="")))


def test_an_export_can_be_imported_again(listed: TestedDatabase, tmp_path: Path) -> None:
    file = exported(listed, list_name=REGISTER)
    head, *rows = rows_of(file)
    assert head == ["number", "reason", "list", "added_at", "imported"]
    assert {(row[2], row[4]) for row in rows} == {(REGISTER, "no")}
    # A spreadsheet would take the unchanged texts for formulas.
    assert {"'+55 11 98765-4321", "'-11 98765-4323", "+5511987654325"} <= {row[0] for row in rows}
    assert {"'=1+1", '"no"; \'=2', "'@home"} <= {row[1] for row in rows}
    with sqlite_database(tmp_path, "other") as other:
        done = import_numbers(other.backend, BytesIO(file), list_name=OWN_REQUESTS)
        assert (done.rows, done.added, done.bad_rows) == (len(ENTRIES), len(ENTRIES), 0)
        entries = list_do_not_contact(other.backend)
        assert {(entry.number, entry.reason) for entry in entries} == set(ENTRIES)


def test_an_export_has_one_list_or_all(listed: TestedDatabase) -> None:
    rows = rows_of(exported(listed))[1:]
    assert [row[0] for row in rows if row[2] == OWN_REQUESTS] == ["5511987654329"]
    assert (len(rows), len(rows_of(exported(listed, list_name=REGISTER)))) == (9, 9)
    assert next(row[4] for row in rows if row[2] == OWN_REQUESTS) == "yes"
    (sheet,) = load_workbook(BytesIO(exported(listed, "xlsx", list_name=REGISTER)))
    cells = [cell for row in sheet.iter_rows(min_row=2, max_col=3) for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {"=1+1", "+55 11 98765-4321"} <= {cell.value for cell in cells}
    with pytest.raises(NotFound, match="There is no do-not-contact list nobody's"):
        exported(listed, list_name="nobody's")


def test_a_masked_export_shows_three_digits_of_each_number_and_not_their_order(listed: TestedDatabase) -> None:
    rows = rows_of(exported(listed, mask=True))[1:]
    assert {row[0] for row in rows} == {
        "…321", "…322", "…323", "…324", "…325", "…26\u202c", "…901", "…CdE", "…329",
    }  # fmt: skip
    assert [row[1] for row in rows if row[0] == "…901"] == ["…555 called"]
    # By all other columns first.
    shown = [[with_formula(text) for text in (*row[1:], row[0])] for row in rows]
    assert shown == sorted(shown)


def test_the_command_writes_a_list(tmp_path: Path) -> None:
    answer("install", cwd=tmp_path)
    answer("do-not-contact", "add", "+5511987654321", "--reason", "asked us", cwd=tmp_path)
    file = str(tmp_path / "list.csv")
    assert answer("export", "do-not-contact", "-o", file, cwd=tmp_path)["rows"] == 1
    assert answer("export", "do-not-contact", "--list", OWN_REQUESTS, "-o", file, cwd=tmp_path)["rows"] == 1
    assert rows_of(Path(file).read_bytes())[1][:3] == ["+5511987654321", "asked us", OWN_REQUESTS]
    for words, message in (
        (("run", "1", "--list", OWN_REQUESTS), "Only `export do-not-contact` takes --list."),
        (("do-not-contact", "1"), "`export run` needs RUN_ID, `export outcomes` may have one; the others take none."),
        (("do-not-contact", "--list", "nobody's"), "There is no do-not-contact list nobody's; nothing was changed."),
    ):
        done = run_command("export", *words, cwd=tmp_path)
        assert (done.returncode in (1, 2), message in " ".join(done.stderr.split())) == (True, True), done.stderr
