"""Every call distinguishes names and numbers by letter case, even if the existing tables ignore it.

Most existing columns do: by the collation of the database on SQL Server, by NOCASE here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from agent_funnel.access.links import link_of_agent, look_up_link, make_link, revoke_link
from agent_funnel.agents import (
    add_agent,
    add_limit,
    assignments,
    count_assignments,
    list_agents,
    roster,
    set_agent_status,
)
from agent_funnel.do_not_contact import add_do_not_contact, list_do_not_contact, remove_do_not_contact
from agent_funnel.errors import NotFound
from agent_funnel.imports import load_rows
from agent_funnel.install import install
from agent_funnel.leads import lead_history, pool_report, search_leads
from agent_funnel.runs import holders
from agent_funnel.settings import load
from support.databases import TestedDatabase, agent_named
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    numbers_by_agent,
    preview,
    put_agents,
    put_leads,
    run_deal,
    stages,
    undo,
)

NOCASE = """
    CREATE TABLE agents (agent VARCHAR(50) COLLATE NOCASE, status VARCHAR(20) COLLATE NOCASE);
    CREATE TABLE wafunnel (number VARCHAR(50) COLLATE NOCASE, stage INT, date DATETIME);
    CREATE TABLE agent_wafunnel_assignment (agent VARCHAR(50) COLLATE NOCASE, number VARCHAR(50) COLLATE NOCASE);
"""


@pytest.fixture(scope="module")
def nocase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestedDatabase]:
    path = tmp_path_factory.mktemp("nocase") / "funnel.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(NOCASE)
    with closing(TestedDatabase(f"sqlite:///{path}")) as database:
        install(database.backend)
        yield database


@pytest.fixture(params=["sqlite", "sqlserver"])
def two(request: pytest.FixtureRequest) -> TestedDatabase:
    """A database with two agents, leads and assignments each that differ only in case; on each engine."""
    found: TestedDatabase = request.getfixturevalue("nocase" if request.param == "sqlite" else "_sqlserver_bare")
    found.clear()
    put_agents(found, active_agents("Ana", "ana"))
    put_leads(found, [("X1", 1, RECENT), ("x1", 2, RECENT)])
    found.insert("agent_wafunnel_assignment", ("agent", "number"), [("Ana", "X1"), ("ana", "x1")])
    return found


def test_listing_a_number_removes_only_its_own_assignments(two: TestedDatabase) -> None:
    assert add_do_not_contact(two.backend, "X1") == {"listed": 0, "assignments": 1, "leads": 1}
    assert numbers_by_agent(two) == {"ana": ["x1"]}
    assert [lead.do_not_contact for lead in search_leads(two.backend, count=9)] == [True, False]
    assert run_deal(two).suppressed == 1
    assert numbers_by_agent(two) == {"Ana": ["x1"]}
    # The other one is listed and removed separately.
    assert add_do_not_contact(two.backend, "x1")["listed"] == 0
    remove_do_not_contact(two.backend, "X1")
    assert [each.number for each in list_do_not_contact(two.backend)] == ["x1"]


def test_the_pool_report_counts_a_listed_and_a_dealt_number_separately(two: TestedDatabase) -> None:
    two.execute("DELETE FROM dbo.agent_wafunnel_assignment")
    add_do_not_contact(two.backend, "X1")
    report = pool_report(two.backend, load(), TODAY)
    assert (report.do_not_contact, report.left_over, report.duplicate) == (1, 1, 0)
    two.insert("agent_wafunnel_assignment", ("agent", "number"), [("Ana", "x1")])
    report = pool_report(two.backend, load(), TODAY)
    assert (report.do_not_contact, report.left_over, report.dealt) == (1, 0, 1)


def test_an_agent_is_changed_and_counted_separately(two: TestedDatabase) -> None:
    set_agent_status(two.backend, "Ana", active=False)
    assert [(each.agent, each.active, each.leads) for each in list_agents(two.backend, TODAY)] == [
        ("Ana", False, 1),
        ("ana", True, 1),
    ]
    assert agent_named(two.backend, "ana", TODAY).leads == 1
    assert [seat.agent for seat in roster(two.backend, TODAY, "ana")] == ["ana"]
    assert roster(two.backend, TODAY, "ANA") == []
    with pytest.raises(NotFound):
        set_agent_status(two.backend, "ANA", active=True)


def test_an_agent_of_another_case_can_be_added(two: TestedDatabase) -> None:
    add_agent(two.backend, "ANA")
    assert [each.agent for each in list_agents(two.backend, TODAY)] == ["ANA", "Ana", "ana"]


def test_a_limit_applies_to_one_agent_only(two: TestedDatabase) -> None:
    day = {"starts_on": TODAY, "ends_on": None}
    assert not add_limit(two.backend, "ANA", **day, max_records=7, new_agent=True).known  # type: ignore[arg-type]
    assert add_limit(two.backend, "Ana", **day, max_records=0).known  # type: ignore[arg-type]
    assert [(each.agent, each.room) for each in list_agents(two.backend, TODAY)] == [("Ana", 0), ("ana", None)]
    assert [(each.agent, each.room) for each in roster(two.backend, TODAY)] == [("Ana", 0), ("ana", None)]
    assert [share.agent for share in preview(two).shares] == ["ana"]
    run_deal(two)
    assert numbers_by_agent(two) == {"ana": ["X1", "x1"]}


def test_a_link_opens_the_list_of_one_agent_only(two: TestedDatabase) -> None:
    link, secret = make_link(two.backend, "ana")
    other, _ = make_link(two.backend, "Ana")
    assert look_up_link(two.backend, secret).link == link
    assert link_of_agent(two.backend, "Ana") == other
    assert [each.number for each in assignments(two.backend, agent="ana", count=9)] == ["x1"]
    assert count_assignments(two.backend, "ana") == 1
    assert count_assignments(two.backend, "ANA") == 0
    with pytest.raises(NotFound):
        make_link(two.backend, "ANA")
    revoke_link(two.backend, "Ana")
    assert look_up_link(two.backend, secret).link == link


def test_a_number_has_its_own_record_holder_and_history(two: TestedDatabase) -> None:
    assert [(each.number, each.agent) for each in search_leads(two.backend, count=9)] == [("X1", "Ana"), ("x1", "ana")]
    assert [each.number for each in search_leads(two.backend, number="x1", count=9)] == ["x1"]
    after = ("X1", 1, RECENT)
    assert [each.number for each in search_leads(two.backend, after=after, count=9)] == ["x1"]
    history = lead_history(two.backend, "x1")
    assert (history.agent, [record.stage for record in history.records]) == ("ana", [2])
    run_deal(two)
    assert [each.agent for each in holders(two.backend, "x1")] == ["ana"]
    assert [each.stage for each in assignments(two.backend, count=9)] == [2, 3]
    assert [each.number for each in assignments(two.backend, after=("X1", "Ana"), count=9)] == ["x1"]


def test_a_preview_confuses_no_number_and_no_agent_with_another(two: TestedDatabase) -> None:
    two.execute("DELETE FROM dbo.agent_wafunnel_assignment")
    two.insert("agent_wafunnel_assignment", ("agent", "number"), [("ANA", "X1"), ("Ana", "Y1"), ("ana", "x1")])
    # X1 changes hands from ANA to Ana, x1 stays, and Y1, which is not a lead, leaves.
    seen = preview(two)
    assert (seen.stay, seen.change_hands, seen.come, seen.leave) == (1, 1, 0, 1)


def test_an_undo_brings_back_edits_of_the_other_case_as_they_were(two: TestedDatabase) -> None:
    run_deal(two)
    assert numbers_by_agent(two) == {"Ana": ["X1"], "ana": ["x1"]}
    # The first pair differs only in case from a dealt one.
    edited = [("ANA", "X1"), ("Ana", "X1"), ("ana", "x1")]
    two.insert("agent_wafunnel_assignment", ("agent", "number"), edited[:1])
    run_deal(two, TODAY + timedelta(days=1))
    undo(two)
    assert sorted(two.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")) == edited
    assert stages(two) == {"X1": 2, "x1": 3}


def test_an_import_adds_rows_that_differ_only_in_case(two: TestedDatabase) -> None:
    created = "2026-11-10 00:00:00.000"
    two.execute("DELETE FROM dbo.wafunnel WHERE stage = 2")
    assert load_rows(two.backend, "leads", [("X1", "1", created), ("x1", "1", created)]) == 1
    assert stages(two) == {"X1": 1, "x1": 1}
    assert load_rows(two.backend, "agents", [("ana", "active"), ("ANA", "inactive")]) == 1
    assert [each.agent for each in list_agents(two.backend, TODAY)] == ["ANA", "Ana", "ana"]
