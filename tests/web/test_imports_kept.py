"""The import page keeps a file that was checked, so that its reading is corrected and that file is imported."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from agent_funnel.access.audit import list_entries
from agent_funnel.import_records import list_imports
from agent_funnel.web.kept_files import KEEP_SECONDS
from support.databases import TestedDatabase
from support.pages import Page, Reader, client_of, key_of, reader_of, sign_in
from support.tables import workbook

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

PATH = "/leads/import"
TEXT = "Kunde;Ort;Angelegt\n+5521970000001;Rio;03/04/2026\n+5521970000002;Bonn;05/04/2026\nx;y;06/04/2026\n"


def check(reader: Reader, text: str = TEXT, name: str = "fair.csv", status: int = 200) -> str:
    """Checks a file, and returns the token of the file that is kept."""
    answer = reader.send(PATH, what="check", file=(BytesIO(text.encode()), name))
    assert answer.status_code == status
    return kept(answer.text)


def kept(source: str) -> str:
    return Page(source).forms[PATH].get("kept", "")


def numbers(database: TestedDatabase) -> list[str]:
    return [number for (number,) in database.execute("SELECT number FROM dbo.wafunnel ORDER BY number")]


def test_a_file_is_corrected_and_imported_without_choosing_it_again(database: TestedDatabase) -> None:
    reader = reader_of(database, "operator")
    # Its columns are not known; the page shows them, with the first rows.
    answer = reader.send(PATH, what="check", file=(BytesIO(TEXT.encode()), "fair.csv"))
    told, token = Page(answer.text), kept(answer.text)
    assert answer.status_code == 422
    assert "Its first rows Line Kunde Ort Angelegt 2 +5521970000001 Rio 03/04/2026 3" in told
    assert '<option value="Angelegt">' in answer.text
    chosen = {"kept": token, "number_column": "Kunde", "date_column": "Angelegt"}
    told = reader.refused(422, PATH, what="check", **chosen)
    assert "none of them shows whether the day or the month comes first" in told
    answer = reader.send(PATH, what="check", dates="dmy", **chosen)
    told = Page(answer.text)
    assert "Would be added 2" in told
    assert "Line Kunde (number) Ort Angelegt (date)" in told
    assert kept(answer.text) == token
    bad = reader.send(PATH, what="bad_rows", dates="dmy", **chosen)
    assert bad.headers["Content-Disposition"] == "attachment; filename=bad-rows.csv"
    assert "1 bad row" in reader.refused(422, PATH, what="import", dates="dmy", **chosen)
    answer = reader.send(PATH, what="import", skip_bad="on", dates="dmy", **chosen)
    assert (answer.status_code, kept(answer.text)) == (200, "")
    assert "fair.csv has 3 rows of data. Added 2" in Page(answer.text)
    assert numbers(database) == ["+5521970000001", "+5521970000002"]
    assert database.execute("SELECT MIN(date) FROM dbo.wafunnel")[0][0].startswith("2026-04-03")
    assert [(each.file_name, each.source) for each in list_imports(database.backend, count=9)] == [("fair.csv", "page")]
    # It is gone then.
    assert "no longer kept" in reader.refused(422, PATH, what="import", **chosen)
    assert {entry.target for entry in list_entries(database.backend, count=9)} == {"dry run", "import"}


def test_a_column_can_be_left_out_and_another_sheet_be_chosen(database: TestedDatabase) -> None:
    reader = reader_of(database, "operator")
    token = check(reader, "Phone;Date\n+5521970000001;2026-04-03\n")
    answer = reader.send(PATH, what="check", kept=token, date_column="–")
    assert "The file has no dates" in Page(answer.text)
    assert '<option value="–" selected>' in answer.text
    book = workbook(["Phone"], [21970000001])
    answer = reader.send(PATH, what="check", file=(BytesIO(book), "leads.xlsx"))
    sheets = answer.text.partition('<select id="sheet"')[2].partition("</select>")[0]
    (sheet,) = re.findall(r'<option value="([^"]+)"', sheets)
    answer = reader.send(PATH, what="import", kept=kept(answer.text), sheet=sheet)
    assert "Added 1" in Page(answer.text)


def test_a_file_is_kept_for_its_session_or_key_alone_one_at_a_time_and_for_half_an_hour(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = key_of(database, "operator")
    client = client_of(database)
    first, other = Reader(client, secret), Reader(client, key_of(database, "admin"))
    text = "Phone\n+5521970000001\n"
    token = check(first, text)
    # The same key in the session of a browser is another one.
    browser = Reader(client.application.test_client())
    sign_in(browser.client, secret)
    for stranger in (other, browser):
        assert "no longer kept" in stranger.refused(422, PATH, what="import", kept=token)
    assert numbers(database) == []
    again = check(first, text)
    assert again != token
    assert "no longer kept" in first.refused(422, PATH, what="import", kept=token)
    files = client.application.extensions["agent_funnel"].kept_files
    files._files[again].until -= KEEP_SECONDS
    assert "no longer kept" in first.refused(422, PATH, what="import", kept=again)
    assert numbers(database) == []
    held = check(other, text)
    assert len(files._files) == 1
    # Without space, a file is not kept, and has to be chosen again.
    monkeypatch.setattr(files._space, "_size", 30)
    answer = first.send(PATH, what="check", file=(BytesIO(text.encode()), "fair.csv"))
    assert kept(answer.text) == ""
    assert "The file is in order. Choose it again, and import it." in Page(answer.text)
    assert "Added 1" in Page(other.send(PATH, what="import", kept=held).text)
    assert files._space.used == 0


def test_a_file_that_is_being_read_is_not_imported_twice(database: TestedDatabase) -> None:
    reader = reader_of(database, "operator")
    token = check(reader, "Phone\n+5521970000001\n")
    files = reader.client.application.extensions["agent_funnel"].kept_files
    (owner,) = {each.owner for each in files._files.values()}
    with files.borrowed(token, owner):
        assert "is being read already" in reader.refused(422, PATH, what="import", kept=token)
    assert "Added 1" in Page(reader.send(PATH, what="import", kept=token).text)
