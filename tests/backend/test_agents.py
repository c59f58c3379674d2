"""Agents and their assignments: lists, changes, pages; on both engines."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from agent_funnel.agents import (
    Agent,
    Assignment,
    InactiveAgent,
    LeadsInHand,
    RosterEntry,
    activate_inactive_agents,
    add_agent,
    assignments,
    inactive_agents,
    leads_in_hand,
    list_agents,
    roster,
    set_agent_status,
)
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from support.databases import TestedDatabase, snapshot
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    fresh,
    put_agents,
    put_assignments,
    put_leads,
    put_limits,
    run_deal,
    undo,
)
from support.outcomes import take_back, tell
from support.paging import ODD_TEXTS, all_pages


def test_agents_are_listed_with_their_leads_their_room_and_their_last_run(database: TestedDatabase) -> None:
    put_agents(database, [*active_agents("Bo", "Al"), ("Cy", "inactive"), (ODD_TEXTS[1], "inactive")])
    put_leads(database, fresh(3))
    put_limits(
        database,
        [
            ("Al", TODAY, None, 7),
            ("Al", TODAY - timedelta(days=3), TODAY, 5),
            ("Al", TODAY + timedelta(days=1), None, 1),
            ("Cy", TODAY - timedelta(days=1), TODAY - timedelta(days=1), 0),
        ],
    )
    run_deal(database)
    assert list_agents(database.backend, TODAY) == [
        Agent(ODD_TEXTS[1], False, 0, None, None),
        Agent("Al", True, 2, 5, TODAY),
        Agent("Bo", True, 1, None, TODAY),
        Agent("Cy", False, 0, None, None),
    ]
    yesterday = TODAY - timedelta(days=1)
    assert {row.agent: row.room for row in list_agents(database.backend, yesterday)}["Cy"] == 0
    assert leads_in_hand(database.backend) == {"Al": LeadsInHand("Al", 2, 2), "Bo": LeadsInHand("Bo", 1, 1)}
    assert leads_in_hand(database.backend, ["Bo", "Cy", "al"]) == {"Bo": LeadsInHand("Bo", 1, 1)}
    assert leads_in_hand(database.backend, []) == {}
    (held,) = assignments(database.backend, agent="Al", count=1)
    told = tell(database, held.number, "talked")
    assert leads_in_hand(database.backend)["Al"] == LeadsInHand("Al", 2, 1)
    assert leads_in_hand(database.backend, ["Al"]) == {"Al": LeadsInHand("Al", 2, 1)}
    take_back(database, told)
    assert leads_in_hand(database.backend, ["Al"]) == {"Al": LeadsInHand("Al", 2, 2)}
    tell(database, held.number, "talked")
    assert roster(database.backend, yesterday, "Cy") == [RosterEntry("Cy", False, 0)]
    assert roster(database.backend, yesterday, "cy") == []
    # The newest run of all does not count for whom it gave nothing, nor one that is undone.
    put_agents(database, active_agents("Bo"))
    run_deal(database, TODAY + timedelta(days=1))
    assert leads_in_hand(database.backend, ["Al", "Bo"]) == {"Bo": LeadsInHand("Bo", 3, 3)}
    put_agents(database, active_agents("Al", "Bo"))
    last = {row.agent: row.last_dealt for row in list_agents(database.backend, TODAY)}
    assert last == {"Al": TODAY, "Bo": TODAY + timedelta(days=1)}
    undo(database)
    last = {row.agent: row.last_dealt for row in list_agents(database.backend, TODAY)}
    assert last["Bo"] == TODAY


def test_the_leads_of_agents_are_counted_whatever_their_names(database: TestedDatabase) -> None:
    names = [*ODD_TEXTS, 'a "b" \\" \\\\ [c] {d}', "Érica"]
    put_assignments(database, *((name, f"{name} {n}") for name in names for n in range(2)), ("Bo", "3"))
    assert leads_in_hand(database.backend, names) == {name: LeadsInHand(name, 2, 2) for name in names}


def test_rows_of_the_same_name_are_one_agent_and_rows_without_a_name_are_left_out(
    bare_database: TestedDatabase,
) -> None:
    put_agents(
        bare_database,
        [("Al", "inactive"), ("Al", " Active"), ("Bo", None), ("Bo", "inactive"), (None, "active"), ("  ", "active")],
    )
    put_assignments(bare_database, ("Al", "1"), ("Al", "1"), (None, "2"), ("Bo", None))
    assert list_agents(bare_database.backend, TODAY) == [
        Agent("Al", True, 2, None, None),
        Agent("Bo", False, 1, None, None),
    ]
    set_agent_status(bare_database.backend, "Al", active=False)
    assert [agent.active for agent in list_agents(bare_database.backend, TODAY)] == [False, False]
    assert bare_database.execute("SELECT status FROM dbo.agents WHERE agent = 'Al'") == [("inactive",)] * 2


def test_an_agent_is_added_once(database: TestedDatabase) -> None:
    check_adding(database)


def test_an_agent_is_added_once_to_a_table_without_a_key(bare_database: TestedDatabase) -> None:
    check_adding(bare_database)


def check_adding(database: TestedDatabase) -> None:
    for name in ODD_TEXTS:
        add_agent(database.backend, name)
        with pytest.raises(AlreadyExists):
            add_agent(database.backend, name, active=False)
    add_agent(database.backend, "idle", active=False)
    found = {row.agent: row.active for row in list_agents(database.backend, TODAY)}
    assert found == {**dict.fromkeys(ODD_TEXTS, True), "idle": False}
    for name in ("", "  ", "x" * 256):
        with pytest.raises(ParameterOutOfRange):
            add_agent(database.backend, name)


def test_a_name_that_the_unique_key_takes_for_an_existing_one_is_not_added(bare_database: TestedDatabase) -> None:
    # The collation of the column decides; here it ignores case, on a server it is that of the database.
    column = "agent COLLATE NOCASE" if bare_database.engine == "sqlite" else "agent"
    where = "" if bare_database.engine == "sqlite" else " ON dbo.agents"
    bare_database.execute(f"CREATE UNIQUE INDEX one_of_a_name ON dbo.agents ({column})")
    try:
        add_agent(bare_database.backend, "Al")
        with pytest.raises(AlreadyExists):
            add_agent(bare_database.backend, "AL")
        add_agent(bare_database.backend, "Bo")
        assert [row.agent for row in list_agents(bare_database.backend, TODAY)] == ["Al", "Bo"]
    finally:
        bare_database.execute(f"DROP INDEX one_of_a_name{where}")


def test_two_simultaneous_additions_of_an_agent_add_one(bare_database: TestedDatabase) -> None:
    def add(_: int) -> bool:
        try:
            add_agent(bare_database.backend, "Al")
        except AlreadyExists:
            return False
        return True

    for _ in range(5):
        bare_database.execute("DELETE FROM dbo.agents")
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(add, range(4))) == 1
        assert bare_database.execute("SELECT agent FROM dbo.agents") == [("Al",)]


def test_an_agent_is_deactivated_and_activated(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "al"))
    set_agent_status(database.backend, "Al", active=False)
    assert [row.active for row in list_agents(database.backend, TODAY)] == [False, True]
    set_agent_status(database.backend, "Al", active=True)
    assert [row.active for row in list_agents(database.backend, TODAY)] == [True, True]
    with pytest.raises(NotFound):
        set_agent_status(database.backend, "AL", active=True)


def test_all_inactive_agents_are_activated_at_once(database: TestedDatabase) -> None:
    put_agents(database, [*active_agents("Al"), ("Bo", "inactive"), ("Cy", "inactive")])
    before = snapshot(database)
    # Somebody else has changed the list meanwhile.
    for expected in (1, 3):
        with pytest.raises(AlreadyExists, match=f"2 agents are inactive now, and not {expected}. Nothing was changed"):
            activate_inactive_agents(database.backend, expected=expected)
    assert snapshot(database) == before
    assert activate_inactive_agents(database.backend, expected=2) == ["Bo", "Cy"]
    assert database.execute("SELECT agent FROM dbo.agents WHERE status = 'active' ORDER BY agent") == [
        ("Al",), ("Bo",), ("Cy",),
    ]  # fmt: skip
    assert activate_inactive_agents(database.backend) == []


def test_those_who_had_leads_of_late_are_activated_without_those_who_have_left(database: TestedDatabase) -> None:
    put_agents(database, [*active_agents("Al", "Bo", "Cy"), ("Di", "inactive")])
    put_leads(database, fresh(6))
    assert inactive_agents(database.backend) == [InactiveAgent("Di", None, None, 0)]
    run_deal(database)
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent <> 'Al'")
    assert inactive_agents(database.backend) == [
        InactiveAgent("Bo", 1, TODAY, 1), InactiveAgent("Cy", 1, TODAY, 1), InactiveAgent("Di", None, None, 1),
    ]  # fmt: skip
    before = snapshot(database)
    with pytest.raises(AlreadyExists, match=r"2 inactive agents had leads in the last deals, and not 3\. Nothing was"):
        activate_inactive_agents(database.backend, deals=30, expected=3)
    assert snapshot(database) == before
    assert activate_inactive_agents(database.backend, deals=30, expected=2) == ["Bo", "Cy"]
    assert [row.agent for row in list_agents(database.backend, TODAY) if not row.active] == ["Di"]
    assert activate_inactive_agents(database.backend, deals=30) == []
    # Leads of a deal that was undone do not count.
    undo(database)
    set_agent_status(database.backend, "Bo", active=False)
    assert inactive_agents(database.backend) == [
        InactiveAgent("Bo", None, None, 0), InactiveAgent("Di", None, None, 0),
    ]  # fmt: skip


def test_those_who_had_leads_in_the_last_few_deals_are_activated_alone(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo", "Cy"))
    put_leads(database, fresh(6))
    for back, left in ((3, "Cy"), (2, "Bo"), (1, "")):
        run_deal(database, TODAY - timedelta(days=back))
        database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent = %s", left)
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    assert inactive_agents(database.backend) == [
        InactiveAgent("Al", 1, TODAY - timedelta(days=1), 3),
        InactiveAgent("Bo", 2, TODAY - timedelta(days=2), 3),
        InactiveAgent("Cy", 3, TODAY - timedelta(days=3), 3),
    ]
    assert activate_inactive_agents(database.backend, deals=1, expected=1) == ["Al"]
    assert activate_inactive_agents(database.backend, deals=2, expected=1) == ["Bo"]
    assert activate_inactive_agents(database.backend, deals=2) == []
    assert activate_inactive_agents(database.backend, deals=3) == ["Cy"]


def test_an_agent_who_is_active_in_any_row_is_not_activated(bare_database: TestedDatabase) -> None:
    rows = [("Al", "left"), ("Al", " ACTIVE "), ("al", "left"), ("Bo", None), ("Bo", "inactive"), (" ", "inactive")]
    put_agents(bare_database, rows)
    assert activate_inactive_agents(bare_database.backend) == ["al", "Bo"]
    assert Counter(bare_database.execute("SELECT agent, status FROM dbo.agents")) == Counter(
        [*rows[:2], ("al", "active"), ("Bo", "active"), ("Bo", "active"), rows[-1]]
    )


# ---- Assignments


def test_assignments_are_listed_in_pages_with_their_leads(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, fresh(11))
    run_deal(database)
    put_assignments(database, ("Al", "gone"))
    whole = assignments(database.backend, count=100)
    assert whole == [
        *(Assignment("AlBo"[index % 2 * 2 :][:2], f"{index + 1:06}", 2, RECENT) for index in range(11)),
        Assignment("Al", "gone", None, None),
    ]
    for count in (1, 3, 12):
        assert whole == all_pages(
            lambda after, count=count: assignments(database.backend, after=after, count=count),  # type: ignore[misc]
            lambda last: (last.number, last.agent),
        )
    of_bo = assignments(database.backend, agent="Bo", count=100)
    assert of_bo == [assignment for assignment in whole if assignment.agent == "Bo"]
    assert assignments(database.backend, agent="Bo", after=("000004", "Bo"), count=1) == of_bo[2:3]
    assert assignments(database.backend, agent="bo", count=1) == []


def test_assignments_of_a_table_without_a_key_are_listed_row_by_row(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("Al"))
    # The first of the two in deal order was dealt, so it is listed, though the other one now has the higher stage.
    put_leads(bare_database, [("1", 1, RECENT), ("1", 3, RECENT + timedelta(days=1)), ("2", None, None)])
    run_deal(bare_database)
    put_assignments(bare_database, ("Bo", "1"), ("Al", "1"), (None, "1"), ("Al", None), ("Al", "2"), ("Zoe", "Z"))
    whole = assignments(bare_database.backend, count=100)
    assert whole == [
        Assignment("", "1", 3, RECENT + timedelta(days=1)),
        Assignment("Al", "1", 2, RECENT),
        Assignment("Bo", "1", 3, RECENT + timedelta(days=1)),
        Assignment("Al", "2", None, None),
        Assignment("Zoe", "Z", None, None),
    ]
    for count in (1, 2):
        assert whole == all_pages(
            lambda after, count=count: assignments(bare_database.backend, after=after, count=count),  # type: ignore[misc]
            lambda last: (last.number, last.agent),
        )
