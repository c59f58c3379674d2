"""Imports of agents, limits and holidays are undone as far as their rows are as they wrote them; on both engines."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

from agent_funnel.access.links import make_link
from agent_funnel.agents import add_limit, list_agents, list_limits
from agent_funnel.import_records import UndoneImport, find_import, undo_import, would_undo_import
from agent_funnel.imports import import_file
from agent_funnel.schedule.store import list_holidays
from support.databases import TestedDatabase, snapshot
from support.nights import TODAY, active_agents, fresh, put_agents, put_leads, run_deal


def imported(database: TestedDatabase, kind: str, text: str, **options: Any) -> int:
    """The id of an import of this file."""
    found = import_file(database.backend, kind, BytesIO(text.encode()), name="a.csv", **options).import_id
    assert found is not None
    return found


def undone(database: TestedDatabase, import_id: int) -> UndoneImport:
    """The undo of an import, which its preview says before and which changes nothing itself."""
    before = snapshot(database)
    would = would_undo_import(database.backend, import_id)
    assert snapshot(database) == before
    assert undo_import(database.backend, import_id, actor="Eva") == would
    assert find_import(database.backend, import_id).undone_by == "Eva"
    return would


def test_agents_go_if_nothing_else_has_their_name_and_get_their_status_back(database: TestedDatabase) -> None:
    put_agents(database, [("Ana", "inactive"), ("Bia", "active")])
    import_id = imported(
        database, "agents",
        "agent,status\nAna,active\nBia,inactive\nRui,active\nLia,active\nIda,active\nMia,active\nTia,inactive\n",
        update=True,
    )  # fmt: skip
    put_leads(database, fresh(2))
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent IN ('Rui', 'Mia')")
    add_limit(database.backend, "Ida", starts_on=TODAY, ends_on=None, max_records=0)
    make_link(database.backend, "Tia", actor="Eva")
    run_deal(database)
    assert undone(database, import_id) == UndoneImport(import_id, taken_back=0, put_back=2, left_alone=5)
    there = {each.agent: each.active for each in list_agents(database.backend, TODAY)}
    assert there == {
        "Ana": False, "Bia": True, "Rui": False, "Lia": True, "Ida": True, "Mia": False, "Tia": False,
    }  # fmt: skip
    import_id = imported(database, "agents", "agent\nZoe\nMax\n")
    assert undone(database, import_id) == UndoneImport(import_id, taken_back=2, put_back=0, left_alone=0)
    assert not {"Zoe", "Max"} & {each.agent for each in list_agents(database.backend, TODAY)}


def test_limits_and_holidays_go_if_they_are_as_the_import_wrote_them(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana"))
    add_limit(database.backend, "Ana", starts_on=date(2026, 12, 1), ends_on=None, max_records=60)
    text = "agent,most leads,from,to\nAna,0,2026-12-21,2026-12-31\nAna,5,2026-12-01,\nAna,5,2027-01-01,\n"
    import_id = imported(database, "limits", text)
    add_limit(database.backend, "Ana", starts_on=date(2027, 1, 1), ends_on=None, max_records=9)
    assert undone(database, import_id) == UndoneImport(import_id, taken_back=2, put_back=0, left_alone=0)
    left = {str(each.starts_on): each.max_records for each in list_limits(database.backend)}
    assert left == {"2026-12-01": 60, "2027-01-01": 9}
    database.execute("INSERT INTO dbo.holiday (day, name) VALUES ('2026-12-24', NULL)")
    import_id = imported(
        database, "holidays", "day,name\n2026-12-24,Eve\n2026-12-25,Natal\n2026-12-26,\n2027-01-01,Ano\n"
    )
    database.execute("UPDATE dbo.holiday SET name = 'Year' WHERE day = '2027-01-01'")
    assert undone(database, import_id) == UndoneImport(import_id, taken_back=2, put_back=0, left_alone=1)
    assert [str(each.day) for each in list_holidays(database.backend, since=date(2026, 1, 1))] == [
        "2026-12-24",
        "2027-01-01",
    ]
