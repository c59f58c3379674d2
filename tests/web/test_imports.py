"""The import page: a file of leads is checked, then refused or imported; on each engine."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from agent_funnel.access.audit import list_entries
from support.databases import TestedDatabase, seed_tables
from support.pages import Page, reader_of
from support.tables import workbook

# tests/backend runs the queries of these pages on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long


def file(text: str, name: str = "leads.csv") -> tuple[BytesIO, str]:
    return BytesIO(text.encode()), name


def hidden(page: Page) -> dict[str, str]:
    """The hidden fields of the form in the result."""
    box = page.source[page.source.index("<main") : page.source.index('id="choose"')]
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', box))


def test_a_file_is_checked_then_refused_or_imported(database: TestedDatabase) -> None:
    seed_tables(database, leads=1)
    reader = reader_of(database, "operator")
    bad = (
        "number,stage,date\n+49300000000,1,2026-11-20\n+49300000001,1,2026-11-20\n+493,1,2026-11-20\n"
        "+49300000002,<b>7,2026-11-20\n+49300000003,1,soon\n"
    )

    def leads() -> int:
        return int(database.execute("SELECT COUNT(*) FROM dbo.wafunnel")[0][0])

    page = reader.send("/leads/import", what="check", file=file(bad, "<img src=x>.csv"))
    told = Page(page.text)
    assert page.status_code == 200
    assert "Checked: nothing was imported yet <img src=x>.csv has 5 rows" in told
    assert "Would be added 1 Already there 1 Bad rows 3" in told
    assert "4 '+493' is too short for a number: it has 3 digits, and a number has 4 to 20" in told
    assert "5 stage '<b>7' is not 1, 2, 3 or 4 6 date 'soon' is not" in told
    assert leads() == 1

    assert "Download the 3 bad rows" in told
    rejected = reader.send("/leads/import", what="bad_rows", file=file(bad))
    assert rejected.headers["Content-Disposition"] == "attachment; filename=bad-rows.csv"
    assert "+493,1,2026-11-20,4,\"'+493' is too short" in rejected.text
    assert (len(rejected.text.splitlines()), leads()) == (4, 1)

    page = reader.send("/leads/import", what="import", file=file(bad, "<img src=x>.csv"))
    told = Page(page.text)
    assert (page.status_code, leads()) == (422, 1)
    assert "That was not done. The file has 3 bad rows; nothing was imported." in told
    assert "Nothing was imported from <img src=x>.csv." in told
    assert "6 date 'soon'" in told

    page = reader.send("/leads/import", what="import", skip_bad="on", file=file(bad))
    assert (page.status_code, leads()) == (200, 2)
    assert "Added 1 Already there, not changed 1 Bad rows, left out 3" in Page(page.text)

    for text, why in (
        ("", "The file is empty"),
        ("+49300000009,1,2026-11-20\n", "begins with '…009,1,2026-11-20'"),
        ("number,stage,date\n1\n", "has 1 bad row;"),
    ):
        refused = reader.send("/leads/import", what="import", file=file(text))
        assert (refused.status_code, why in Page(refused.text)) == (422, True), Page(refused.text)
    for nothing in ({}, {"file": file("", "")}):
        refused = reader.send("/leads/import", what="import", **nothing)
        assert (refused.status_code, "No file was chosen" in Page(refused.text)) == (422, True)
    assert leads() == 2
    entries = list_entries(database.backend, count=9)
    assert [entry.target for entry in reversed(entries)][:4] == ["dry run", "dry run", "import", "import"]
    assert not [entry for entry in entries if re.search(r"\d{5}", entry.detail or "")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_that_is_there_is_changed_unless_a_person_ticks_that(database: TestedDatabase) -> None:
    reader = reader_of(database, "operator")
    box = '<input id="update" name="update" type="checkbox" value="true"'
    for kind in ("leads", "agents"):
        assert f"{box}>" in reader.get(f"/{kind}/import").source
    answer = reader.send("/leads/import", what="check", file=file("number\n+49300000001\n"), update="true")
    assert f"{box} checked>" in answer.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_after_a_clean_check_one_button_in_the_result_names_what_it_imports(database: TestedDatabase) -> None:
    reader = reader_of(database, "operator")

    def check(kind: str, text: str, **choices: str) -> Page:
        return Page(reader.send(f"/{kind}/import", what="check", file=file(text), **choices).text)

    good = "number,stage,date\n+49300000001,1,2026-11-20\n+49300000002,2,2026-11-20\n"
    page = check("leads", good, skip_bad="on")
    assert '<section class="notice" role="status"' in page.source
    assert "Bad rows 0 Import 2 new leads The file is in order." in page
    assert "Import another file" in page
    assert "Import this file" not in page
    # It imports what was checked, as it was checked.
    sent = hidden(page)
    assert sent["skip_bad"] == "on"
    assert "Added 2" in Page(reader.send("/leads/import", what="import", **sent).text)
    assert "Import: add 0, change 1" in check("leads", good.replace("001,1", "001,3"), update="true")
    assert "Import 1 new agent " in check("agents", "agent\nAna\n")
    assert "Import 1 new holiday " in check("holidays", "day\n2026-12-24\n")
    assert "Import 2 new numbers " in check("numbers", "number\n+49301111111\n+49301111112\n", list_name="own requests")
    assert "Import 1 new limit " in check(
        "limits", "agent,starts_on,max_records\nAna,2026-12-01,3\n", new_agents="true"
    )
    # With bad rows, it names these, too, and leaves them out.
    page = check("leads", f"{good}abc,1,2026-11-20\n+49300000003,1,2026-11-20\n")
    assert '<section class="notice careful" role="status"' in page.source
    assert "4 “abc” is not a phone number" in page
    assert "Bad rows 1 Import 1 new lead, leave 1 row out Download the 1 bad row" in page
    # The columns were recognised, so nobody needs to choose them.
    assert "<details>" in page.source
    assert "<details open>" not in page.source
    sent = hidden(page)
    assert sent["skip_bad"] == "on"
    rejected = reader.send("/leads/import", what="bad_rows", **sent).text
    assert (len(rejected.splitlines()), "abc,1,2026-11-20,4," in rejected) == (2, True)
    assert "Added 1" in Page(reader.send("/leads/import", what="import", **sent).text)
    # Where nothing would be imported, or all rows are bad, there is no such button.
    page = check("leads", f"{good}abc,1,2026-11-20\n")
    assert "leave 1 row out" not in page
    assert "Correct the bad rows, and check the file again." in page
    page = check("leads", "number,date\nabc,2026-11-20\n")
    assert "row out" not in page
    assert "<details open>" in page.source
    # An import that was refused for its bad rows is one press away from one without them.
    kept = hidden(check("leads", f"{good}abc,1,2026-11-20\n+49300000004,1,2026-11-20\n"))["kept"]
    refused = Page(reader.send("/leads/import", what="import", kept=kept).text)
    assert "Import it without the 1 bad row Download the 1 bad row" in refused
    assert "<details open>" not in refused.source
    assert "Added 1" in Page(reader.send("/leads/import", what="import", **hidden(refused)).text)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_page_says_how_a_file_was_read_and_takes_choices(database: TestedDatabase) -> None:
    reader = reader_of(database, "operator")
    text = "Kunde;Datum;E-mail\n(21) 97000-0001;05.10.2026;a@example.org\n"
    page = reader.send("/leads/import", what="check", file=file(text))
    assert "it has 'Kunde', 'Datum', 'E-mail'. Choose it" in Page(page.text)
    page = reader.send("/leads/import", what="check", number_column="Kunde", dates="dmy", file=file(text))
    told = Page(page.text)
    assert (
        "The number is in the column Kunde . The date is in the column Datum . Dates were read with the day first."
        in told
    )
    assert "Left out: E-mail. The file has no number of calls, so every lead counts as never called." in told
    # The choices are there for the next button.
    assert '<option value="Kunde" selected>' in page.text
    assert '<option value="dmy" selected>' in page.text
    page = reader.send(
        "/leads/import", what="import", number_column="Kunde", dates="dmy",
        file=(BytesIO(workbook(["Kunde", "Datum"], [21970000001, "05.10.2026"])), "leads.xlsx"),
    )  # fmt: skip
    assert "Added 1" in Page(page.text)
    assert database.execute("SELECT number, date FROM dbo.wafunnel") == [("21970000001", "2026-10-05 00:00:00.000")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_up_to_a_thousand_bad_rows_are_shown_and_a_file_may_be_large(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_of(database)
    rows = "".join(f"nobody,1,2026-11-{1 + index % 30:02},{'remark ' * 40}\n" for index in range(5_000))
    page = reader.send("/leads/import", what="check", file=file(f"number,stage,date,remark\n{rows}"))
    assert "The first 1,000 of 5,000." in Page(page.text)
    assert page.text.count("“nobody” is not a phone number") == 1_000
    # Every other form has a limit below the size of that file; imports have their own limit.
    assert reader.send("/leads/do-not-contact", number="1" * 1_100_000).status_code == 413
    monkeypatch.setattr("agent_funnel.web.LARGEST_FILE", 1_000)
    refused = reader.send("/leads/import", what="check", file=file(rows))
    assert (refused.status_code, "nothing was imported" in Page(refused.text)) == (413, True)
