"""Imports of leads, agents and holidays from files, on each engine."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agent_funnel.deal import deal
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import DatabaseUnavailable, ImportRefused
from agent_funnel.imports import BadRows, import_file
from agent_funnel.leads import lead_history, search_leads
from agent_funnel.schedule.store import add_holiday, list_holidays, schedule_state
from agent_funnel.settings import load
from support.databases import TestedDatabase, connect_to, moment, seed_tables, snapshot
from support.nights import numbers_by_agent


def leads_file(directory: Path, *rows: str, header: str = "number,stage,date") -> Path:
    path = directory / "leads.csv"
    path.write_bytes("\n".join([header, *rows, ""]).encode("utf-8"))
    return path


def sorted_leads(database: TestedDatabase) -> list[tuple[str, int, str]]:
    rows = database.execute("SELECT number, stage, date FROM dbo.wafunnel ORDER BY number, stage, date")
    return [(number, stage, moment(date).isoformat(" ", "milliseconds")) for number, stage, date in rows]


GOOD = ("+491701,1,2026-11-01", '"491702",2,"2026-11-02T08:30:00.007"', "491703,4,2026-11-03 23:59:59")
LEADS = [
    ("+491701", 1, "2026-11-01 00:00:00.000"),
    ("491702", 2, "2026-11-02 08:30:00.007"),
    ("491703", 4, "2026-11-03 23:59:59.000"),
]


def test_a_file_of_leads_is_imported(database: TestedDatabase, tmp_path: Path) -> None:
    done = import_file(database.backend, "leads", leads_file(tmp_path, *GOOD))
    assert (done.rows, done.added, done.kept, done.bad_rows, done.bad) == (3, 3, 0, 0, ())
    assert sorted_leads(database) == LEADS


@pytest.mark.sqlserver_if_long
def test_a_file_of_a_spreadsheet_program_is_imported(database: TestedDatabase, tmp_path: Path) -> None:
    path = leads_file(tmp_path, *GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    assert import_file(database.backend, "leads", path).added == 3
    assert sorted_leads(database) == LEADS


@pytest.mark.sqlserver_if_long
def test_columns_may_come_in_any_order(database: TestedDatabase, tmp_path: Path) -> None:
    import_file(database.backend, "leads", leads_file(tmp_path, "2026-11-01,+491701,1", header="date, number ,stage"))
    assert sorted_leads(database) == LEADS[:1]


def test_existing_numbers_are_kept_as_they_are(database: TestedDatabase, tmp_path: Path) -> None:
    import_file(database.backend, "leads", leads_file(tmp_path, *GOOD))
    done = import_file(database.backend, "leads", leads_file(tmp_path, "491702,1,2026-11-20", "491704,1,2026-11-20"))
    assert (done.rows, done.added, done.kept) == (2, 1, 1)
    assert sorted_leads(database) == [*LEADS, ("491704", 1, "2026-11-20 00:00:00.000")]


def test_leads_are_imported_into_existing_tables(bare_database: TestedDatabase, tmp_path: Path) -> None:
    bare_database.insert("wafunnel", ("number", "stage", "date"), [("491702", 3, "2026-01-01"), (None, None, None)])
    done = import_file(bare_database.backend, "leads", leads_file(tmp_path, *GOOD))
    assert (done.added, done.kept) == (2, 1)


# User ids of WhatsApp, and ids of other systems, up to the longest:
IDS = ("BR.1502512345678901", "US.ENT.11815799212886844830", f"DE.{'a1' * 64}", "003Dn00000AbCdE", "9Z" * 64)


def test_ids_are_imported_dealt_and_found_as_they_are_written(database: TestedDatabase, tmp_path: Path) -> None:
    database.insert("agents", ("agent", "status"), [("Ana", "active")])
    path = leads_file(tmp_path, *(f"{each},1,2026-11-20" for each in IDS))
    assert import_file(database.backend, "leads", path).added == len(IDS)
    assert import_file(database.backend, "leads", path).kept == len(IDS)
    add_do_not_contact(database.backend, IDS[4])
    assert deal(database.backend, load(), business_date=date(2026, 11, 25)).assigned == len(IDS) - 1
    assert numbers_by_agent(database) == {"Ana": sorted(IDS[:4])}
    for each in IDS[2:]:
        found = search_leads(database.backend, number=f" {each} ", count=2)
        assert [(lead.number, lead.do_not_contact) for lead in found] == [(each, each == IDS[4])]
    assert [holder.agent for holder in lead_history(database.backend, IDS[2]).holders] == ["Ana"]


def test_a_number_that_the_tables_cannot_hold_is_refused(bare_database: TestedDatabase, tmp_path: Path) -> None:
    longest = "A1" * 25
    path = leads_file(tmp_path, f"{longest},1,2026-11-20", f"{longest}7,1,2026-11-20")
    done = import_file(bare_database.backend, "leads", path, skip_bad=True)
    reasons = ["number has 51 characters; the tables hold at most 50"]
    # SQLite holds longer texts than the declaration of a column says.
    assert [row.reason for row in done.bad] == ([] if bare_database.engine == "sqlite" else reasons)
    assert done.added == 2 - len(done.bad)


BAD = {
    "": None,  # an empty line is not a row
    "12,1,2026-11-01": "'12' is too short for a number: it has 2 digits, and a number has 4 to 20",
    ",1,2026-11-01": "number is missing",
    "=1+1,1,2026-11-01": "'=1+1' is neither a number of 4 to 20 digits nor an id of 4 to 128 letters and digits",
    "4917099,0,2026-11-01": "stage '0' is not 1, 2, 3 or 4",
    "4917099,1.5,2026-11-01": "stage '1.5' is not",
    "4917099,1,": "date is missing",
    "4917099,1,31.11.2026": "date '31.11.2026' is not",
    "4917099,1,2026-02-30": "date '2026-02-30' is not",
    "4917099,1,1066-10-14": "is not from 1900 to 9998",
    "nobody,1,2026-11-01": "“nobody” is not a phone number",
    # With swapped columns, the message must not show a whole number.
    "4917099,BR.1502512345678901,2026-11-01": "stage '…901' is not",
    "1,+4917012345,2026-11-01": "'1' is too short for a number: it has 1 digit, and",
    "4917099,+4917012345,2026-11-01": "stage '…345' is not",
    "4917099,1,4917012345": "date '…345' is not",
    "4917099,1": "has 2 fields; 3 are needed",
    "4917099,1,2026-11-01,x": "has 4 fields; 3 are needed",
    "491703,1,2026-11-01": "same number as on line 4",
}


def test_bad_rows_are_named_by_line_and_reason_and_nothing_is_imported(
    database: TestedDatabase, tmp_path: Path
) -> None:
    seed_tables(database)
    before = snapshot(database)
    with pytest.raises(BadRows) as refused:
        import_file(database.backend, "leads", leads_file(tmp_path, *GOOD, *BAD))
    expected = [(5 + index, reason) for index, reason in enumerate(BAD.values()) if reason]
    assert [row.line for row in refused.value.bad] == [line for line, _ in expected]
    for row, (line, reason) in zip(refused.value.bad, expected, strict=True):
        assert reason in row.reason
        assert f"line {line}: {row.reason}" in str(refused.value)
    assert f"{len(expected)} bad rows; nothing was imported" in str(refused.value)
    assert snapshot(database) == before


@pytest.mark.sqlserver_if_long
def test_bad_rows_can_be_skipped(database: TestedDatabase, tmp_path: Path) -> None:
    done = import_file(database.backend, "leads", leads_file(tmp_path, *GOOD, *BAD), skip_bad=True)
    bad = sum(1 for reason in BAD.values() if reason)
    assert (done.rows, done.added, done.bad_rows, len(done.bad)) == (3 + bad, 3, bad, bad)
    assert sorted_leads(database) == LEADS


@pytest.mark.sqlserver_if_long
def test_the_line_number_is_right_after_a_field_of_several_lines(database: TestedDatabase, tmp_path: Path) -> None:
    path = leads_file(tmp_path, '"1\n2\n3",1,2026-11-01', "x,1,2026-11-01")
    with pytest.raises(BadRows) as refused:
        import_file(database.backend, "leads", path)
    assert [row.line for row in refused.value.bad] == [2, 5]


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n,,\n", "has no rows"),
        (b"customer,level,since\n", "none of these is a usual name of the column number"),
        (b"customer,stage,date\n", "has no column that is clearly the number"),
        (b"\xff\xfen\x00u\x00m\x00b\x00e\x00r\x00\n\x00\x00\xd8\x00\x00", "is not UTF-16 text after line 1"),
        (b'number,stage,date\n"4917,1,2026-11-01\n', "is broken at line 2"),
        (None, "cannot be read"),
    ],
)
def test_an_unreadable_file_or_a_wrong_header_is_refused(
    database: TestedDatabase, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "leads.csv"
    if content is not None:
        path.write_bytes(content)
    before = snapshot(database)
    with pytest.raises(ImportRefused, match=reason):
        import_file(database.backend, "leads", path)
    assert snapshot(database) == before


def test_a_file_of_agents_is_imported_and_existing_agents_are_kept(database: TestedDatabase, tmp_path: Path) -> None:
    database.insert("agents", ("agent", "status"), [("Zoë", "inactive")])
    path = tmp_path / "agents.csv"
    path.write_text("agent,status\nŁukasz,ACTIVE\nZoë,active\n Ana , inactive \n", "utf-8")
    done = import_file(database.backend, "agents", path)
    assert (done.rows, done.added, done.kept) == (3, 2, 1)
    agents = sorted(database.execute("SELECT agent, status FROM dbo.agents"))
    assert agents == [("Ana", "inactive"), ("Zoë", "inactive"), ("Łukasz", "active")]


@pytest.mark.sqlserver_if_long
def test_bad_agents_are_named(database: TestedDatabase, tmp_path: Path) -> None:
    path = tmp_path / "agents.csv"
    path.write_text(f"agent,status\n ,active\n{'x' * 256},active\nAna,maybe\nBo,active\nBo,active\n", "utf-8")
    with pytest.raises(BadRows) as refused:
        import_file(database.backend, "agents", path)
    assert [(row.line, row.reason) for row in refused.value.bad] == [
        (2, "agent is missing"),
        (3, "agent has 256 characters; at most 255 are allowed"),
        (4, "status 'maybe' is not active or inactive"),
        (6, "same agent as on line 5"),
    ]
    assert database.execute("SELECT agent FROM dbo.agents") == []


def test_rows_that_are_sent_in_several_chunks_are_one_transaction(
    database: TestedDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.imports.CHUNK", 10)
    rows = [f"49170{index:04d},1,2026-11-01" for index in range(35)]
    travelled: list[int] = []
    with pytest.raises(BadRows):
        import_file(database.backend, "leads", leads_file(tmp_path, *rows, "x,1,1"), progress=travelled.append)
    assert sum(travelled) >= 30
    assert sorted_leads(database) == []
    assert import_file(database.backend, "leads", leads_file(tmp_path, *rows)).added == 35
    assert len(sorted_leads(database)) == 35


def test_an_import_does_not_create_a_missing_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        import_file(connect_to(f"sqlite:///{tmp_path / 'none.db'}"), "leads", leads_file(tmp_path, *GOOD))
    assert not (tmp_path / "none.db").exists()


def test_a_file_of_holidays_is_imported_and_existing_ones_are_kept(database: TestedDatabase, tmp_path: Path) -> None:
    path = leads_file(tmp_path, "2026-12-24,Christmas Eve", "2026-12-25,", header="day,name")
    add_holiday(database.backend, date(2026, 12, 25), "as it was")
    done = import_file(database.backend, "holidays", path)
    assert (done.rows, done.added, done.kept) == (2, 1, 1)
    listed = list_holidays(database.backend, since=date(2026, 1, 1))
    assert [(each.day, each.name) for each in listed] == [
        (date(2026, 12, 24), "Christmas Eve"), (date(2026, 12, 25), "as it was"),
    ]  # fmt: skip
    assert schedule_state(database.backend, date(2026, 12, 24)).holiday


@pytest.mark.sqlserver_if_long
def test_bad_rows_of_holidays_are_named(database: TestedDatabase, tmp_path: Path) -> None:
    bad = {
        "24.13.2026,Christmas Eve": "day '24.13.2026' is not a date such as 2026-01-31",
        "1066-10-14,Hastings": "is not from 1900 to 9998",
        f"2026-12-26,{'x' * 256}": "name has 256 characters; at most 255 are allowed",
        "2026-12-24,again": "same day as on line 2",
    }
    path = leads_file(tmp_path, "2026-12-24,Christmas Eve", *bad, header="day,name")
    with pytest.raises(BadRows) as refused:
        import_file(database.backend, "holidays", path)
    assert [row.line for row in refused.value.bad] == [3, 4, 5, 6]
    assert all(reason in row.reason for row, reason in zip(refused.value.bad, bad.values(), strict=True))
    assert list_holidays(database.backend, since=date(2000, 1, 1)) == []
