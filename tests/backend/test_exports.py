"""Exports to files, and the stream they are written from; on both engines."""

from __future__ import annotations

import csv
import io
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from agent_funnel.database.sqlserver import SQLServer
from agent_funnel.errors import DatabaseError, NotFound
from agent_funnel.exports import export
from agent_funnel.settings import load
from support import LONG
from support.command import answer, run_command
from support.databases import TestedDatabase
from support.nights import RECENT, active_agents, fresh, put_agents, put_assignments, put_leads, run_deal
from support.processes import run_program

ROWS = 1_000_000 if LONG else 200_000
# The memory that an export may add to a process that has loaded its modules; a list of all rows would need several
# times as much:
MOST_MB = 150 if LONG else 110

# Names that a spreadsheet would run as a formula, and names that only look like one:
DANGEROUS = ["=1+1", "+1+1", "-2", "@SUM(1)", "\tx", "\r=1", '=HYPERLINK("http://x","y")', "+49 151", "+"]
HARMLESS = ["Zoë, \"the\" 'best'", "a=b", "漢字", " =1"]


def exported(
    database: TestedDatabase, what: Any = "assignments", format: Any = "csv", **options: Any
) -> list[list[Any]]:
    """The rows of an export."""
    file = io.BytesIO()
    rows = export(database.backend, what, file, format, **options)
    if format == "csv":
        # Without newline translation, which would change a \r in a cell.
        found: list[list[Any]] = list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))
    else:
        file.seek(0)
        found = [list(row) for sheet in load_workbook(file) for row in sheet.iter_rows(values_only=True)]
    assert rows == len(found) - 1
    return found


@pytest.fixture
def dealt(database: TestedDatabase) -> TestedDatabase:
    """A database with three leads dealt, and an assignment whose lead has been deleted."""
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, fresh(3))
    run_deal(database)
    put_assignments(database, ("Al", "+4915112345678"))
    return database


def test_the_present_assignments_are_exported(dealt: TestedDatabase) -> None:
    created = RECENT.isoformat(" ")
    for format, stage, nothing in (("csv", "2", ""), ("xlsx", 2, None)):
        assert exported(dealt, format=format) == [
            ["agent", "number", "stage", "date"],
            ["Al", "+4915112345678", nothing, nothing],
            ["Al", "000001", stage, created],
            ["Bo", "000002", stage, created],
            ["Al", "000003", stage, created],
        ]


def test_what_a_run_dealt_is_exported(dealt: TestedDatabase) -> None:
    run_id = dealt.execute("SELECT MAX(run_id) FROM dbo.assignment_run")[0][0]
    run_deal(dealt)
    for format, stage in (("csv", "1"), ("xlsx", 1)):
        head, *rows = exported(dealt, "run", format, run_id=run_id)
        assert head == ["agent", "number", "stage_before", "date"]
        assert [(number, before) for _, number, before, _ in rows] == [(f"{n:06}", stage) for n in (1, 2, 3)]
    file = io.BytesIO()
    with pytest.raises(NotFound):
        export(dealt.backend, "run", file, "csv", run_id=run_id + 100)
    assert file.getvalue() == b""


def test_masked_numbers_keep_three_digits(dealt: TestedDatabase) -> None:
    put_assignments(dealt, ("Al", "12"))
    for format in ("csv", "xlsx"):
        numbers = [row[1] for row in exported(dealt, format=format, mask=True)[1:]]
        # They are not in the order of the numbers.
        assert sorted(numbers) == sorted(["…678", "…001", "…002", "…003", "…"])


def test_no_cell_is_a_formula_and_phone_numbers_stay_text(database: TestedDatabase) -> None:
    names = [*DANGEROUS, *HARMLESS]
    put_assignments(database, *((name, f"+49{index:02}") for index, name in enumerate(names)), ("Al", "+49=1"))
    found = {number: agent for agent, number, *_ in exported(database)[1:]}
    assert found == {
        **{f"+49{index:02}": f"'{name}" for index, name in enumerate(DANGEROUS)},
        **{f"+49{index:02}": name for index, name in enumerate(HARMLESS, start=len(DANGEROUS))},
        "'+49=1": "Al",
    }
    file = io.BytesIO()
    export(database.backend, "assignments", file, "xlsx")
    (sheet,) = load_workbook(file)
    cells = [cell for row in sheet.iter_rows(min_row=2, max_col=2) for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.value for cell in cells} >= {"=1+1", "@SUM(1)", "+4900", "+49=1"}


def test_characters_that_a_workbook_cannot_hold_are_replaced(database: TestedDatabase) -> None:
    put_assignments(database, ("A\x01l", "1"))
    assert exported(database, format="xlsx")[1][0] == "A�l"


def test_a_table_without_a_key_is_exported(bare_database: TestedDatabase) -> None:
    put_leads(bare_database, [("1", None, None), ("1", 2, RECENT), ("1", 2, RECENT)])
    put_assignments(bare_database, ("Al", "1"), ("Al", "1"), (None, "1"), ("Al", None), (None, None))
    for format, stage in (("csv", "2"), ("xlsx", 2)):
        assert [row[:3] for row in exported(bare_database, format=format)[1:]] == [
            ["" if format == "csv" else None, "1", stage], ["Al", "1", stage],
        ]  # fmt: skip


def test_a_workbook_has_as_many_sheets_as_the_rows_need(dealt: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.exports.SHEET_ROWS", 4)
    file = io.BytesIO()
    assert export(dealt.backend, "assignments", file, "xlsx") == 4
    sheets = [[row[1] for row in sheet.iter_rows(values_only=True)] for sheet in load_workbook(file)]
    assert sheets == [["number", "+4915112345678", "000001", "000002"], ["number", "000003"]]


# ---- The stream


def add_assignments(database: TestedDatabase, count: int) -> None:
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("Al", f"{n:06}") for n in range(count)])


def stream(database: TestedDatabase, size: int = 10) -> Iterator[list[Any]]:
    return database.backend.stream("assignments", size=size, agent=None, after_number=None, after_agent="", count=10**6)


def in_use(database: TestedDatabase) -> bool:
    """Whether a connection of the backend is in use; on SQLite, whether one is reading."""
    if isinstance(database.backend, SQLServer):
        return database.backend._pool.checkedout() > 0
    database.execute("PRAGMA busy_timeout = 0")
    try:
        # A reader keeps the write-ahead log from being emptied.
        ((busy, *_),) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        database.execute("PRAGMA busy_timeout = 30000")
    return bool(busy)


def test_a_stream_returns_all_rows_in_chunks(database: TestedDatabase) -> None:
    add_assignments(database, 25)
    parts = list(stream(database))
    assert [len(part) for part in parts] == [10, 10, 5]
    assert [row["number"] for part in parts for row in part] == [f"{n:06}" for n in range(25)]
    database.clear()
    assert list(stream(database)) == []


def test_a_stream_that_is_closed_early_releases_its_connection(database: TestedDatabase) -> None:
    if database.engine == "sqlite":
        # With many rows of other tests in it, the log might be copied just when these rows are, and no reader would
        # keep it.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    add_assignments(database, 2_000)
    with closing(stream(database)) as rows:  # type: ignore[type-var]
        assert len(next(rows)) == 10
        assert in_use(database)
    assert not in_use(database)
    # No lock remains: the table can be written, and the backend still works.
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment")
    assert list(stream(database)) == []
    assert not in_use(database)


def test_an_error_of_a_stream_is_an_error_of_the_product(database: TestedDatabase) -> None:
    with pytest.raises(DatabaseError):
        list(database.backend.stream("run_assignments", run_id="no number", after=None, count="nor that"))
    assert database.backend.one("ping")


# ---- Memory and the command


def large_database(path: Path, rows: int) -> None:
    """Makes an installed SQLite database with this many assignments."""
    answer("--database-url", f"sqlite:///{path}", "install", cwd=path.parent)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"""
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
            INSERT INTO wafunnel (number, stage, date) SELECT printf('+49%09d', i), 2, '2026-11-13 12:00:00.000' FROM n;
            INSERT INTO agent_wafunnel_assignment (agent, number)
            SELECT 'agent ' || abs(random() % 500), w.number FROM wafunnel AS w;
            """
        )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.timeout(1800 if LONG else 300)
def test_the_memory_of_an_export_does_not_grow_with_its_rows(tmp_path: Path) -> None:
    large_database(tmp_path / "funnel.db", ROWS)
    done = run_program("measure_export", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows, megabytes = map(int, done.stdout.split())
    assert rows == ROWS
    assert megabytes < MOST_MB
    with (tmp_path / "out").open() as file:
        assert sum(1 for _ in file) == ROWS + 1


def test_the_command_exports_to_a_file_or_to_standard_output(tmp_path: Path) -> None:
    answer("demo", "--leads", "300", cwd=tmp_path)
    run = answer("run", cwd=tmp_path)
    done = run_command("export", "assignments", cwd=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == run["assigned"] + 1
    assert done.stdout.startswith("agent,number,stage,date")
    file = str(tmp_path / "run.xlsx")
    got = answer("export", "run", str(run["run_id"]), "--format", "xlsx", "-o", file, "--mask", cwd=tmp_path)
    assert got == {"rows": run["assigned"], "file": file, "format": "xlsx"}
    assert all(row[1].value[0] == "…" for row in load_workbook(file).active.iter_rows(min_row=2))
    assert f"Wrote {run['assigned']} rows to" in run_command("export", "assignments", "-o", file, cwd=tmp_path).stdout

    for wrong in (["run"], ["assignments", "1"], ["assignments", "--json"], ["links"]):
        assert run_command("export", *wrong, cwd=tmp_path).returncode == 2
    # The file stays as it was if the export fails.
    before = Path(file).read_bytes()
    assert run_command("export", "run", "9", "-o", file, cwd=tmp_path).returncode == 1
    assert Path(file).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if "run.xlsx" in path.name) == ["run.xlsx"]


def test_the_command_lists_adds_and_changes_agents(tmp_path: Path) -> None:
    answer("install", cwd=tmp_path)
    assert "no agents" in run_command("agents", "list", cwd=tmp_path).stdout
    assert answer("agents", "add", "Al", cwd=tmp_path) == {"agent": "Al", "status": "active", "alike": []}
    assert answer("agents", "add", "Bo [x]", "--inactive", cwd=tmp_path)["status"] == "inactive"
    assert run_command("agents", "add", "Al", cwd=tmp_path).returncode == 1
    answer("agents", "deactivate", "Al", cwd=tmp_path)
    answer("agents", "activate", "Bo [x]", cwd=tmp_path)
    answer("limits", "add", "Al", "0", cwd=tmp_path)
    assert answer("agents", "list", cwd=tmp_path) == [
        {"agent": "Al", "active": False, "leads": 0, "room": 0, "last_dealt": None},
        {"agent": "Bo [x]", "active": True, "leads": 0, "room": None, "last_dealt": None},
    ]
    shown = run_command("agents", "list", cwd=tmp_path).stdout
    assert "Bo [x]" in shown
    assert "away" in shown
    assert run_command("agents", "activate", "bo", cwd=tmp_path).returncode == 1
    for wrong in ([], ["Al", "--all"], ["Al", "--recent"], ["--recent"], ["--all", "--deals", "3"]):
        assert run_command("agents", "activate", *wrong, cwd=tmp_path).returncode == 2
    # There was no deal yet, so nobody has had leads of late.
    shown = run_command("agents", "activate", "--all", "--recent", cwd=tmp_path).stdout
    assert "Nothing was changed: no inactive agent got leads in one of the last thirty deals." in shown
    assert answer("agents", "activate", "--all", cwd=tmp_path) == {"activated": ["Al"], "status": "active"}
    assert "all agents are active already" in run_command("agents", "activate", "--all", cwd=tmp_path).stdout
    answer("agents", "link", "Al", cwd=tmp_path)
    for name, said in (("Bo [x]", False), ("Al", True)):
        answer("agents", "deactivate", name, cwd=tmp_path)
        shown = run_command("agents", "activate", "--all", cwd=tmp_path).stdout
        assert (name in shown, "Personal links that open a list again: 1." in shown) == (True, said)


def test_the_pool_is_exported_in_the_order_of_the_deal(database: TestedDatabase) -> None:
    put_leads(database, [("+4915100003", 2, RECENT), ("+4915100002", 1, RECENT), ("+4915100001", 3, RECENT)])
    put_assignments(database, ("Al", "+4915100002"))
    given = {"settings": load(), "business_date": RECENT.date() + timedelta(days=2)}
    created = RECENT.isoformat(" ")
    assert exported(database, "pool", **given) == [
        ["place", "class", "number", "stage", "date", "age_days", "call_back_on"],
        ["1", "never called", "+4915100002", "1", created, "2", ""],
        ["2", "called once", "+4915100003", "2", created, "2", ""],
        ["3", "called twice", "+4915100001", "3", created, "2", ""],
    ]
    # The place would tell the order of numbers that are masked.
    assert {row[0] for row in exported(database, "pool", mask=True, **given)[1:]} == {""}
