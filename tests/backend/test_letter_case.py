"""Names and numbers that differ in letter case are different to every call, whatever the tables that were there say.

Existing columns mostly ignore case: by the collation of the database on SQL Server, by NOCASE here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from agent_funnel import floor, links, service, transfer
from agent_funnel.errors import NotFound
from agent_funnel.install import install
from agent_funnel.settings import load
from databases import Database
from nights import RECENT, TODAY, actives, deal, hands, preview, put_agents, put_leads, stages, undo

NOCASE = """
    CREATE TABLE agents (agent VARCHAR(50) COLLATE NOCASE, status VARCHAR(20) COLLATE NOCASE);
    CREATE TABLE wafunnel (number VARCHAR(50) COLLATE NOCASE, stage INT, date DATETIME);
    CREATE TABLE agent_wafunnel_assignment (agent VARCHAR(50) COLLATE NOCASE, number VARCHAR(50) COLLATE NOCASE);
"""


@pytest.fixture(scope="module")
def nocase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("nocase") / "funnel.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(NOCASE)
    with closing(Database(f"sqlite:///{path}")) as database:
        install(database.backend)
        yield database


@pytest.fixture(params=["sqlite", "sqlserver"])
def two(request: pytest.FixtureRequest) -> Database:
    """Agents, leads and assignments of each of which there are two that differ in case alone; on each engine."""
    found: Database = request.getfixturevalue("nocase" if request.param == "sqlite" else "_sqlserver_bare")
    found.clear()
    put_agents(found, actives("Ana", "ana"))
    put_leads(found, [("X1", 1, RECENT), ("x1", 2, RECENT)])
    found.insert("agent_wafunnel_assignment", ("agent", "number"), [("Ana", "X1"), ("ana", "x1")])
    return found


def test_a_listed_number_alone_leaves_the_assignments(two: Database) -> None:
    assert service.add_do_not_contact(two.backend, "X1") == {"listed": 0, "assignments": 1, "leads": 1}
    assert hands(two) == {"ana": ["x1"]}
    assert [lead.do_not_contact for lead in floor.leads(two.backend, count=9)] == [True, False]
    assert deal(two).suppressed == 1
    assert hands(two) == {"Ana": ["x1"]}
    # The other one is listed for itself, and taken off for itself.
    assert service.add_do_not_contact(two.backend, "x1")["listed"] == 0
    service.remove_do_not_contact(two.backend, "X1")
    assert [each.number for each in service.do_not_contact(two.backend)] == ["x1"]


def test_the_pool_report_counts_a_listed_and_a_dealt_number_for_itself(two: Database) -> None:
    two.execute("DELETE FROM dbo.agent_wafunnel_assignment")
    service.add_do_not_contact(two.backend, "X1")
    report = floor.pool_report(two.backend, load(), TODAY)
    assert (report.do_not_contact, report.left_over, report.duplicate) == (1, 1, 0)
    two.insert("agent_wafunnel_assignment", ("agent", "number"), [("Ana", "x1")])
    report = floor.pool_report(two.backend, load(), TODAY)
    assert (report.do_not_contact, report.left_over, report.dealt) == (1, 0, 1)


def test_an_agent_is_changed_and_counted_alone(two: Database) -> None:
    floor.set_agent_status(two.backend, "Ana", active=False)
    assert [(each.agent, each.active, each.leads) for each in floor.agents(two.backend, TODAY)] == [
        ("Ana", False, 1),
        ("ana", True, 1),
    ]
    assert floor.agent(two.backend, "ana", TODAY).leads == 1
    assert [seat.agent for seat in floor.roster(two.backend, TODAY, "ana")] == ["ana"]
    assert floor.roster(two.backend, TODAY, "ANA") == []
    with pytest.raises(NotFound):
        floor.set_agent_status(two.backend, "ANA", active=True)
    with pytest.raises(NotFound):
        floor.agent(two.backend, "ANA", TODAY)


def test_an_agent_of_another_case_can_be_added(two: Database) -> None:
    floor.add_agent(two.backend, "ANA")
    assert [each.agent for each in floor.agents(two.backend, TODAY)] == ["ANA", "Ana", "ana"]


def test_a_limit_is_that_of_one_agent(two: Database) -> None:
    day = {"starts_on": TODAY, "ends_on": None}
    assert not service.add_limit(two.backend, "ANA", **day, max_records=7)[1]  # type: ignore[arg-type]
    assert service.add_limit(two.backend, "Ana", **day, max_records=0)[1]  # type: ignore[arg-type]
    assert [(each.agent, each.room) for each in floor.agents(two.backend, TODAY)] == [("Ana", 0), ("ana", None)]
    assert [(each.agent, each.room) for each in floor.roster(two.backend, TODAY)] == [("Ana", 0), ("ana", None)]
    assert [share.agent for share in preview(two).shares] == ["ana"]
    deal(two)
    assert hands(two) == {"ana": ["X1", "x1"]}


def test_a_link_opens_the_list_of_one_agent(two: Database) -> None:
    link, secret = links.make(two.backend, "ana")
    other, _ = links.make(two.backend, "Ana")
    assert links.opened(two.backend, secret).link == link
    assert links.of_agent(two.backend, "Ana") == other
    assert [each.number for each in floor.assignments(two.backend, agent="ana", count=9)] == ["x1"]
    assert links.count(two.backend, "ana") == 1
    assert links.count(two.backend, "ANA") == 0
    with pytest.raises(NotFound):
        links.make(two.backend, "ANA")
    links.revoke(two.backend, "Ana")
    assert links.opened(two.backend, secret).link == link


def test_a_number_has_its_own_record_holder_and_history(two: Database) -> None:
    assert [(each.number, each.agent) for each in floor.leads(two.backend, count=9)] == [("X1", "Ana"), ("x1", "ana")]
    assert [each.number for each in floor.leads(two.backend, number="x1", count=9)] == ["x1"]
    after = ("X1", 1, RECENT)
    assert [each.number for each in floor.leads(two.backend, after=after, count=9)] == ["x1"]
    told = floor.lead(two.backend, "x1")
    assert (told.agent, [record.stage for record in told.records]) == ("ana", [2])
    deal(two)
    assert [each.agent for each in service.holders(two.backend, "x1")] == ["ana"]
    assert [each.stage for each in floor.assignments(two.backend, count=9)] == [2, 3]
    assert [each.number for each in floor.assignments(two.backend, after=("X1", "Ana"), count=9)] == ["x1"]


def test_a_preview_takes_no_number_and_no_agent_for_another(two: Database) -> None:
    two.execute("DELETE FROM dbo.agent_wafunnel_assignment")
    two.insert("agent_wafunnel_assignment", ("agent", "number"), [("ANA", "X1"), ("Ana", "Y1"), ("ana", "x1")])
    # X1 changes hands from ANA to Ana, x1 stays, and Y1, which is not a lead, leaves.
    seen = preview(two)
    assert (seen.stay, seen.change_hands, seen.come, seen.leave) == (1, 1, 0, 1)


def test_an_undo_brings_back_edits_of_the_other_case_as_they_were(two: Database) -> None:
    deal(two)
    assert hands(two) == {"Ana": ["X1"], "ana": ["x1"]}
    # Beside the pair that was dealt, one that differs from it in case alone.
    edited = [("ANA", "X1"), ("Ana", "X1"), ("ana", "x1")]
    two.insert("agent_wafunnel_assignment", ("agent", "number"), edited[:1])
    deal(two, TODAY + timedelta(days=1))
    undo(two)
    assert sorted(two.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")) == edited
    assert stages(two) == {"X1": 2, "x1": 3}


def test_a_file_adds_what_differs_in_case(two: Database) -> None:
    created = "2026-11-10 00:00:00.000"
    two.execute("DELETE FROM dbo.wafunnel WHERE stage = 2")
    assert transfer.load(two.backend, "leads", [("X1", "1", created), ("x1", "1", created)]) == 1
    assert stages(two) == {"X1": 1, "x1": 1}
    assert transfer.load(two.backend, "agents", [("ana", "active"), ("ANA", "inactive")]) == 1
    assert [each.agent for each in floor.agents(two.backend, TODAY)] == ["ANA", "Ana", "ana"]
