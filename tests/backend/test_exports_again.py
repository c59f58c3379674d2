"""What was exported can be imported again, unchanged, into an empty database; for people and for programs."""

from __future__ import annotations

import csv
import io
from typing import Any, cast

import pytest

from agent_funnel.do_not_contact import add_number_list
from agent_funnel.do_not_contact_files import import_numbers
from agent_funnel.exports import Format, Kind, export
from agent_funnel.imports import Imported, import_file
from agent_funnel.rules import record_rules
from support.databases import TestedDatabase
from support.nights import active_agents, fresh, put_agents, put_leads, run_deal

# Names that a spreadsheet would run or change, and that are awkward for CSV:
NAMES = [
    "=1+1", "+1+1", "-2", "@SUM(1)", '=HYPERLINK("http://x","y")', "'Al", "Zoë, \"the\" 'best'", "a;b", "漢字", "007",
    'a \\"quoted\\" one', "back\\slash",
    "TRUE", "1e5", "line\u2003end", "x" * 255,
]  # fmt: skip
LEADS = [
    ("+5511987654321", 1, "2026-11-01 08:15:30.250"), ("0170123456", 2, "2026-11-02 00:00:00.000"),
    ("000123456", 3, "2026-02-03 04:05:06.000"), ("5512E9", 4, "2026-03-04 23:59:59.999"),
    ("003Dn00000AbCdE", 1, "2026-11-05 12:00:00.000"), ("BR.1502512345678901", 2, "2026-11-06 12:00:00.000"),
    ("00551133334444", 1, "2026-12-07 12:00:00.000"), ("12345678901234567890", 1, "1999-01-02 12:00:00.000"),
]  # fmt: skip
FORMATS: list[Any] = ["csv", "excel-csv", pytest.param("xlsx", marks=pytest.mark.sqlserver_if_long)]


def file_of(database: TestedDatabase, what: Kind, format: Format) -> io.BytesIO:
    file = io.BytesIO()
    export(database.backend, what, file, format)
    file.seek(0)
    return file


def again(database: TestedDatabase, kind: str, file: io.BytesIO) -> Imported:
    """Imports an exported file twice; the second time adds nothing, and finds no difference."""
    first = import_file(database.backend, kind, file, name="export")
    second = import_file(database.backend, kind, file, name="export")
    assert (second.added, second.kept, second.differing, second.respelled) == (0, first.rows, 0, 0)
    return first


@pytest.mark.parametrize("format", FORMATS)
def test_exported_leads_are_imported_again_unchanged(database: TestedDatabase, format: Format) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), LEADS)
    file = file_of(database, "leads", format)
    expected = sorted(database.execute("SELECT number, stage, date FROM dbo.wafunnel"))
    database.clear()
    assert again(database, "leads", file).added == len(LEADS)
    assert sorted(database.execute("SELECT number, stage, date FROM dbo.wafunnel")) == expected


@pytest.mark.parametrize("format", FORMATS)
def test_exported_agents_are_imported_again_unchanged(database: TestedDatabase, format: Format) -> None:
    names = NAMES
    rows = [(name, ("active", "inactive")[index % 2]) for index, name in enumerate(names)]
    database.insert("agents", ("agent", "status"), rows)
    file = file_of(database, "agents", format)
    database.clear()
    assert again(database, "agents", file).added == len(names)
    assert sorted(map(tuple, database.execute("SELECT agent, status FROM dbo.agents"))) == sorted(rows)


@pytest.mark.parametrize("format", FORMATS)
def test_exported_limits_are_imported_again_unchanged(database: TestedDatabase, format: Format) -> None:
    names = NAMES
    rows = [(name, "2026-12-01", ("2026-12-31", None)[index % 2], index) for index, name in enumerate(names)]
    database.insert("agent_limit", ("agent", "starts_on", "ends_on", "max_records"), rows)
    file = file_of(database, "limits", format)
    database.clear()
    database.insert("agents", ("agent", "status"), [(name, "active") for name in names])
    assert again(database, "limits", file).added == len(names)
    found = database.execute("SELECT agent, starts_on, ends_on, max_records FROM dbo.agent_limit")
    shown = [(agent, str(begin), None if end is None else str(end), most) for agent, begin, end, most in found]
    assert sorted(shown, key=str) == sorted(rows, key=str)


@pytest.mark.parametrize("format", FORMATS)
def test_exported_holidays_are_imported_again_unchanged(database: TestedDatabase, format: Format) -> None:
    names = [*NAMES, None]
    rows = [(f"2026-{1 + index % 12:02}-{10 + index:02}", name) for index, name in enumerate(names)]
    database.insert("holiday", ("day", "name"), rows)
    file = file_of(database, "holidays", format)
    database.clear()
    again(database, "holidays", file)
    found = [(str(day), name) for day, name in database.execute("SELECT day, name FROM dbo.holiday")]
    assert sorted(found) == sorted(rows)


@pytest.mark.parametrize("format", FORMATS)
def test_an_exported_do_not_contact_list_is_imported_again_unchanged(database: TestedDatabase, format: Format) -> None:
    for name in ("one", "two"):
        add_number_list(database.backend, name)
    rows = "".join(f'{number},"{index}, =1+1"\n' for index, (number, *_) in enumerate(LEADS))
    content = io.BytesIO(f"number,reason\n{rows}".encode())
    import_numbers(database.backend, content, list_name="one", name="list")
    file = file_of(database, "do-not-contact", format)
    done = import_numbers(database.backend, file, list_name="two", name="export")
    assert (done.added, done.bad_rows) == (len(LEADS), 0)
    stored = database.execute("SELECT list_id, number, reason FROM dbo.do_not_contact_entry")
    lists: dict[int, list[tuple[str, str]]] = {}
    for list_id, number, reason in stored:
        lists.setdefault(list_id, []).append((number, reason))
    first, second = (sorted(each) for each in lists.values())
    assert first == second
    assert len(first) == len(LEADS)


def test_a_csv_file_for_people_has_what_the_spreadsheet_of_their_country_needs(database: TestedDatabase) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), [("+551187654321", 1, "2026-11-01 08:15:30.000")])
    file = file_of(database, "leads", "excel-csv").getvalue().decode()
    assert file == '\ufeffnumber,stage,date\r\n"=""+551187654321""",1,2026-11-01 08:15:30\r\n'
    record_rules(database.backend, {"country": "BR"}, actor="test")
    file = file_of(database, "leads", "excel-csv").getvalue().decode()
    assert file == '\ufeffnumber;stage;date\r\n"=""+551187654321""";1;2026-11-01 08:15:30\r\n'


def test_a_number_that_is_none_is_no_formula_for_people(database: TestedDatabase) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), [("&CMD()&", 1, "2026-11-01"), ("=1+1", 1, "2026-11-01")])
    text = file_of(database, "leads", "excel-csv").getvalue().decode("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(text))] == ["number", "&CMD()&", "'=1+1"]


def test_what_runs_did_is_exported(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, fresh(3))
    first, second = run_deal(database), run_deal(database)
    rows = list(csv.DictReader(io.StringIO(file_of(database, "history", "csv").getvalue().decode())))
    ids = [str(run.run_id) for run in (first, second)]
    assert [(row["run_id"], row["number"], row["stage_before"]) for row in rows] == [
        (run_id, f"{number:06}", stage) for run_id, stage in zip(ids, "12", strict=True) for number in (1, 2, 3)
    ]
    assert {row["business_date"] for row in rows} == {str(first.business_date)}
    runs = list(csv.DictReader(io.StringIO(file_of(database, "runs", "csv").getvalue().decode())))
    assert [row["run_id"] for row in runs] == ids[::-1]
    assert {row["assigned"] for row in runs} == {"3"}
    assert cast(str, runs[0]["newest_first"]) in ("yes", "no")
