"""An import that sets stages and dates of leads that are there, in one record each, and its undo."""

from __future__ import annotations

import io
from typing import Any

import pymssql
import pytest

from agent_funnel.errors import RunInProgress
from agent_funnel.import_records import UndoneImport, find_import, imports_of_number, undo_import
from agent_funnel.imports import BadRows, Imported, import_file
from agent_funnel.numbers import take_in
from support.databases import TestedDatabase, snapshot
from support.nights import stored_leads
from support.tables import TODAY

ROWS = [
    ("+5521970000001", 3, "2026-11-01 08:30:00.007"), ("5521970000002", 1, "2026-11-02 00:00:00.000"),
    ("5521970000003", 1, "2026-11-03 00:00:00.000"), ("+5521970000003", 2, "2026-11-03 00:00:00.000"),
    ("+5521970000004", 2, "2026-11-04 00:00:00.000"),
]  # fmt: skip


def imported(database: TestedDatabase, text: str, **options: Any) -> Imported:
    file = io.BytesIO(text.encode())
    return import_file(database.backend, "leads", file, name="file", today=TODAY, update=True, **options)


def plain(database: TestedDatabase, *, bare: bool = False) -> list[tuple[Any, ...]]:
    return sorted(
        (number, stage, str(date)[:23] if date else None) for number, stage, date in stored_leads(database, bare=bare)
    )


def test_an_update_sets_what_the_file_has_and_its_undo_puts_back_what_is_still_so(database: TestedDatabase) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), ROWS)
    take_in(database.backend)
    before = snapshot(database)["wafunnel"]
    # Another spelling, another stage, the same, and a new one.
    text = "number,stage\n005521970000001,1\n5521970000002,4\n+5521970000004,2\n+5521970000005,1\n"
    checked = imported(database, text, dry_run=True)
    assert snapshot(database)["wafunnel"] == before
    done = imported(database, text)
    assert (done.rows, done.added, done.changed, done.kept, done.differing) == (4, 1, 2, 1, 0)
    assert (checked.changed, checked.added) == (2, 1)
    by_number = {number: (stage, date) for number, stage, date in plain(database)}
    assert by_number["+5521970000001"] == (1, "2026-11-01 08:30:00.007")
    assert by_number["5521970000002"][0] == 4
    assert done.import_id is not None
    assert (find_import(database.backend, done.import_id).changed, done.bad_rows) == (2, 0)
    (known,) = imports_of_number(database.backend, "5521970000001")
    assert (known.number, known.is_changed, known.stage, known.stage_before) == ("+5521970000001", True, 1, 3)
    database.execute("UPDATE dbo.wafunnel SET stage = 3 WHERE number = '5521970000002'")
    undone = undo_import(database.backend, done.import_id, actor="Eva")
    assert undone == UndoneImport(done.import_id, taken_back=1, put_back=1, left_alone=1)
    database.execute("UPDATE dbo.wafunnel SET stage = 1 WHERE number = '5521970000002'")
    assert snapshot(database)["wafunnel"] == before


def test_a_lead_in_several_records_is_a_bad_row_of_an_update(database: TestedDatabase) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), ROWS)
    before = snapshot(database)["wafunnel"]
    text = "number,date\n21970000002,2026-11-09\n005521970000003,2026-11-09\n5521970000002,2026-11-09 12:00\n"
    with pytest.raises(BadRows) as refused:
        imported(database, text)
    reason = "number is in 2 entries there; an update changes only a number that is in one"
    assert [(row.line, row.reason) for row in refused.value.bad] == [(3, reason)]
    assert snapshot(database)["wafunnel"] == before
    done = imported(database, text, skip_bad=True)
    assert (done.rows, done.added, done.changed, done.kept, done.bad_rows) == (3, 1, 1, 0, 1)
    assert ("5521970000002", 1, "2026-11-09 12:00:00") in plain(database)


def test_an_update_knows_tables_of_others(bare_database: TestedDatabase) -> None:
    # Equal rows are one record; a lead without a stage gets no date alone, since nothing could put that back.
    rows = [("+5521970000001", 3, "2026-11-01 08:30:00.007")] * 2 + [
        ("+5521970000002", None, "2026-11-01 00:00:00.000")
    ]
    bare_database.insert("wafunnel", ("number", "stage", "date"), rows)
    done = imported(bare_database, "number,date\n+5521970000001,2026-11-05\n+5521970000002,2026-11-05\n")
    assert (done.changed, done.differing) == (1, 1)
    assert plain(bare_database, bare=True) == [
        ("+5521970000001", 3, "2026-11-05 00:00:00"), ("+5521970000001", 3, "2026-11-05 00:00:00"),
        ("+5521970000002", None, "2026-11-01 00:00:00"),
    ]  # fmt: skip


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_an_update_waits_for_the_lock_of_runs(database: TestedDatabase, connected: Any) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), ROWS)
    take_in(database.backend)
    impatient = connected(database, lock_wait="1s")
    database.execute("BEGIN TRANSACTION")
    try:
        database.execute(
            "DECLARE @lock INT, @name NVARCHAR(255) = CONCAT(N'agent_funnel:', DB_NAME(), N':', %s, N':records'); "
            "EXECUTE @lock = sp_getapplock @Resource = @name, @LockMode = 'Exclusive', @LockOwner = 'Transaction'",
            database.schema,
        )
        file = io.BytesIO(b"number,stage\n5521970000002,4\n")
        with pytest.raises(RunInProgress, match="nothing was imported"):
            import_file(impatient, "leads", file, name="file", today=TODAY, update=True)
    finally:
        database.execute("ROLLBACK TRANSACTION")
    assert database.execute("SELECT stage FROM dbo.wafunnel WHERE number = '5521970000002'") == [(1,)]
    assert database.execute("SELECT COUNT(*) FROM dbo.import_record") == [(0,)]


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_nobody_updates_leads_by_the_procedure_alone(database: TestedDatabase) -> None:
    with pytest.raises(pymssql.Error, match="outside the transaction of an import"):
        database.execute("EXECUTE dbo.sp_update_leads @import_id = 1, @with_stage = 1, @with_date = 1")
