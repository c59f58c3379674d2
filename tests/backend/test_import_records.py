"""Imports on record: what was imported, by whom, from where and how; what became of it; an undo of what it added."""

from __future__ import annotations

import io
from hashlib import sha256
from typing import Any

import pytest

from agent_funnel.do_not_contact_files import import_numbers
from agent_funnel.errors import NotFound, NothingToUndo, ParameterOutOfRange
from agent_funnel.files.tables import Choices
from agent_funnel.import_records import (
    Batch,
    Origin,
    UndoneImport,
    batch_of,
    find_import,
    imports_of_number,
    list_imports,
    undo_import,
    would_undo_import,
)
from agent_funnel.imports import import_file
from agent_funnel.leads import lead_history, search_leads
from agent_funnel.numbers import take_in
from agent_funnel.person import find_person, forget
from support.databases import TestedDatabase, all_rows, snapshot
from support.nights import active_agents, put_agents, run_deal, run_numbers, stored_leads, undo
from support.tables import TODAY

EVA = Origin("Eva", "page", "192.0.2.7", "C:\\Neue Leads 20261126 +5511987654321.csv")
FILE = (
    "Telefone,stage,date\n+5521970000001,1,2026-11-01 08:30:00.007\n+5521970000002,2,02/11/2026\n+5521970000003,1,x\n"
)


def imported(
    database: TestedDatabase, text: str, kind: str = "leads", *, origin: Origin = EVA, **options: Any
) -> int | None:
    """Imports a file, and returns the id of its record."""
    file = io.BytesIO(text.encode())
    done = import_file(database.backend, kind, file, name="/there/file.csv", today=TODAY, origin=origin, **options)
    return done.import_id


def leads_of(*numbers: str, stage: int = 1) -> str:
    return "number,stage,date\n" + "".join(f"{number},{stage},2026-11-10\n" for number in numbers)


def test_an_import_is_on_record_with_who_when_from_where_and_how(database: TestedDatabase) -> None:
    choices = Choices({"number": "Telefone"}, dates="dmy")
    first = imported(database, FILE, choices=choices, skip_bad=True)
    second = imported(database, "agent,status\nAna,active\n", "agents", origin=Origin(), update=True)
    assert first is not None
    assert second is not None
    newest, oldest = list_imports(database.backend, count=5)
    assert [each.import_id for each in list_imports(database.backend, count=5, before=second)] == [first]
    assert (newest.import_id, newest.kind, newest.actor, newest.source) == (second, "agents", None, "program")
    assert newest.file_name == "file.csv"
    assert oldest == find_import(database.backend, first)
    assert (oldest.kind, oldest.actor, oldest.source, oldest.address) == ("leads", "Eva", "page", "192.0.2.7")
    # A day stays in the file's name, and a phone number does not.
    assert oldest.file_name == "C:\\Neue Leads 20261126 ….csv"
    assert oldest.sha256 == sha256(FILE.encode()).hexdigest()
    assert oldest.rules == {
        "format": "CSV", "encoding": "UTF-8", "delimiter": "comma", "dates": "dmy", "zone": "UTC",
        "columns": {"number": "Telefone", "stage": "stage", "date": "date"}, "skip_bad": True, "update": False,
    }  # fmt: skip
    assert (oldest.rows, oldest.added, oldest.changed, oldest.kept, oldest.bad_rows) == (3, 2, 0, 0, 1)
    assert oldest.undone_at is None
    with pytest.raises(NotFound):
        find_import(database.backend, second + 1)


def test_numbers_for_a_do_not_contact_list_are_on_record_unless_nothing_was_changed(database: TestedDatabase) -> None:
    file = io.BytesIO(b"+5521970000001\n+5521970000002\n21\n")
    options: dict[str, Any] = {"list_name": "own requests", "name": "dnc.txt", "skip_bad": True}
    import_numbers(database.backend, file, dry_run=True, **options)
    assert list_imports(database.backend, count=5) == []
    import_numbers(database.backend, file, origin=EVA, **options)
    (found,) = list_imports(database.backend, count=5)
    assert (found.kind, found.actor, found.rules["list"]) == ("do-not-contact", "Eva", "own requests")
    assert (found.rows, found.added, found.kept, found.removed, found.bad_rows) == (3, 2, 0, 0, 1)
    with pytest.raises(NothingToUndo, match="only imports of leads, agents, limits and holidays can be undone"):
        undo_import(database.backend, found.import_id, actor="Eva")


def test_an_import_that_is_cut_off_or_only_checked_leaves_no_record(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(database)
    assert imported(database, leads_of("+5521970000001"), dry_run=True) is None
    assert snapshot(database) == before

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agent_funnel.imports.end_record", interrupted)
    with pytest.raises(KeyboardInterrupt):
        imported(database, leads_of("+5521970000001"))
    left = snapshot(database)
    # The match keys that it took in are no record of it.
    assert left | {"number_key": []} == before | {"number_key": []}


def test_leads_know_their_import_and_a_batch_is_counted_by_stage(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana"))
    first = imported(database, leads_of("+5521970000001", "+5521970000002"))
    second = imported(database, leads_of("+5521970000003", "+5521970000004", "+5521970000001", stage=3))
    assert first is not None
    assert second is not None
    run_deal(database)
    database.execute("DELETE FROM dbo.wafunnel WHERE number = '+5521970000004'")
    assert batch_of(database.backend, first) == Batch(0, 2, 0, 0, 0, 0)
    assert batch_of(database.backend, second) == Batch(0, 0, 0, 1, 1, 0)
    found = search_leads(database.backend, import_id=first, count=1)
    assert [lead.number for lead in found] == ["+5521970000001"]
    after = (found[0].number, found[0].stage, found[0].date)
    found = search_leads(database.backend, import_id=first, after=after, count=9)
    assert [(lead.number, lead.agent) for lead in found] == [("+5521970000002", "Ana")]
    assert search_leads(database.backend, import_id=second, stage=1, count=9) == []
    with pytest.raises(ParameterOutOfRange):
        search_leads(database.backend, import_id=second, number="+5521970000003", count=9)
    (known,) = lead_history(database.backend, "005521970000001").imports
    assert (known.import_id, known.number, known.stage, known.is_changed) == (first, "+5521970000001", 1, False)
    # A lead that is there no more is still known by its import.
    database.execute("DELETE FROM dbo.assignment_history")
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment")
    assert [each.import_id for each in lead_history(database.backend, "+5521970000004").imports] == [second]


def test_an_undo_takes_back_what_the_import_added_and_leaves_what_was_changed_or_dealt_since(
    database: TestedDatabase,
) -> None:
    put_agents(database, active_agents("Ana"))
    kept = imported(database, leads_of("+5521970000009"))
    numbers = [f"+552197000000{index}" for index in range(1, 8)]
    import_id = imported(database, leads_of(*numbers, "+5521970000009", stage=4))
    assert import_id is not None
    # Changed in stage or date, gone, and, in another spelling, dealt by a run that was undone, or with an outcome.
    database.execute("UPDATE dbo.wafunnel SET stage = 3 WHERE number = '+5521970000001'")
    database.execute("UPDATE dbo.wafunnel SET date = '2026-11-11T00:00:00' WHERE number = '+5521970000002'")
    database.execute("DELETE FROM dbo.wafunnel WHERE number = '+5521970000003'")
    others = [("005521970000004", 1, "2026-11-10T00:00:00"), ("005521970000007", 4, "2026-11-10T00:00:00")]
    database.insert("wafunnel", ("number", "stage", "date"), others)
    take_in(database.backend)
    run_deal(database, window_days=20)
    undo(database)
    (run_id,) = run_numbers(database)
    database.execute(
        "INSERT INTO dbo.assignment_outcome (report, run_id, agent, number, date, stage, outcome, same_agent, "
        "reported_at, reported_on, stands, stage_back) "
        "VALUES ('a', %s, 'Ana', '005521970000007', '2026-11-10', 1, 'lost', 0, '2999-01-01', '2999-01-01', 1, 0)",
        run_id,
    )
    before = snapshot(database)
    would = would_undo_import(database.backend, import_id)
    assert would == UndoneImport(import_id, taken_back=2, put_back=0, left_alone=5)
    assert snapshot(database) == before
    assert undo_import(database.backend, import_id, actor="Eva") == would
    left = {number for number, _, _ in stored_leads(database)}
    assert left == {
        "+5521970000001", "+5521970000002", "+5521970000004", "005521970000004", "+5521970000007", "005521970000007",
        "+5521970000009",
    }  # fmt: skip
    record = find_import(database.backend, import_id)
    assert (record.undone_by, record.taken_back, record.put_back, record.left_alone) == ("Eva", 2, 0, 5)
    assert imports_of_number(database.backend, "+5521970000005") == []
    before = snapshot(database)
    for act in (would_undo_import, undo_import):
        with pytest.raises(NothingToUndo, match=f"Import {import_id} was undone already, .* UTC by Eva; nothing"):
            act(database.backend, import_id, **({"actor": "Eva"} if act is undo_import else {}))
    assert snapshot(database) == before
    assert kept is not None
    with pytest.raises(NotFound, match="There is no import"):
        undo_import(database.backend, import_id + 1, actor="Eva")


def test_a_run_before_the_import_keeps_no_lead(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana"))
    imported(database, leads_of("+5521970000001"))
    run_deal(database)
    database.execute("DELETE FROM dbo.wafunnel")
    import_id = imported(database, leads_of("+5521970000001"))
    assert import_id is not None
    assert undo_import(database.backend, import_id, actor="Eva").taken_back == 1


def test_an_undo_knows_what_was_written_in_tables_of_others(bare_database: TestedDatabase) -> None:
    import_id = imported(bare_database, leads_of("+5521970000001", "+5521970000002", "+5521970000003"))
    assert import_id is not None
    # An equal row is a lead of somebody else.
    bare_database.insert("wafunnel", ("number", "stage", "date"), [("+5521970000002", 1, "2026-11-10 00:00:00.000")])
    assert undo_import(bare_database.backend, import_id, actor="Eva") == UndoneImport(import_id, 2, 0, 1)
    assert [number for number, _, _ in stored_leads(bare_database, bare=True)] == ["+5521970000002"] * 2


def test_an_erasure_clears_the_records_of_imports(database: TestedDatabase) -> None:
    import_id = imported(database, leads_of("+5511987654321", "+5521970000002"))
    assert import_id is not None
    database.execute("DELETE FROM dbo.wafunnel")
    database.execute("DELETE FROM dbo.number_key")
    person = find_person(database.backend, "005511987654321")
    assert [each.import_id for each in person.imports] == [import_id]
    assert forget(database.backend, "5511987654321", actor="Eva").imports == 1
    assert "87654321" not in all_rows(database)
    assert batch_of(database.backend, import_id).gone == 1
