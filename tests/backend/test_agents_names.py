"""Names of agents: limits of nobody, names that are easily taken for one another, and renaming; on both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from agent_funnel.access.audit import list_entries
from agent_funnel.access.links import LinkLookup, link_of_agent, look_up_link, make_link
from agent_funnel.agents import (
    Renamed,
    add_agent,
    add_limit,
    agent_names,
    alike_agents,
    list_agents,
    list_limits,
    rename_agent,
    set_agent_status,
)
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from support.databases import TestedDatabase, snapshot
from support.doctor import deep_problems
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    fresh,
    numbers_by_agent,
    put_agents,
    put_assignments,
    put_leads,
    put_limits,
    run_deal,
    undo,
)

ALWAYS: dict[str, Any] = {"starts_on": TODAY, "ends_on": None, "max_records": 0}


# ---- Limits


def test_a_limit_for_a_name_that_no_agent_has_is_refused_and_names_the_one_that_is_meant(
    database: TestedDatabase,
) -> None:
    put_agents(database, active_agents("Ana Souza", "José"))
    before = snapshot(database)
    for name in ("ANA SOUZA", "Ana  Souza", " aná souza "):
        with pytest.raises(NotFound, match=r"nothing was changed\. Perhaps you mean 'Ana Souza'\."):
            add_limit(database.backend, name, **ALWAYS)
    with pytest.raises(NotFound, match=r"There is no agent 'Bia'; nothing was changed\..*--new-agent"):
        add_limit(database.backend, "Bia", **ALWAYS)
    assert snapshot(database) == before


def test_blanks_around_the_name_of_a_limit_do_not_count(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana Souza", "Bia"))
    limit = add_limit(database.backend, "  Ana Souza\t", **ALWAYS)
    assert (limit.agent, limit.known) == ("Ana Souza", True)
    assert list_limits(database.backend) == [limit]
    put_leads(database, fresh(4))
    run_deal(database)
    assert set(numbers_by_agent(database)) == {"Bia"}


def test_an_agent_whose_name_has_blanks_around_it_gets_their_own_limit(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents(" Ana"))
    assert add_limit(bare_database.backend, " Ana", **ALWAYS).agent == " Ana"
    assert [each.room for each in list_agents(bare_database.backend, TODAY)] == [0]


def test_a_limit_may_be_for_an_agent_who_is_yet_to_come(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Bia"))
    limit = add_limit(database.backend, " Ana ", **ALWAYS, new_agent=True)
    assert (limit.agent, limit.known) == ("Ana", False)
    assert list_limits(database.backend) == [limit]
    add_agent(database.backend, "Ana")
    assert [each.known for each in list_limits(database.backend)] == [True]
    assert {each.agent: each.room for each in list_agents(database.backend, TODAY)} == {"Ana": 0, "Bia": None}


def test_a_refused_name_is_compared_with_those_of_the_agents_everywhere(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Zoë"))
    for attempt in (
        lambda: set_agent_status(database.backend, "zoe", active=False),
        lambda: make_link(database.backend, "zoe"),
        lambda: rename_agent(database.backend, "zoe", "Zoe"),
    ):
        with pytest.raises(NotFound, match="Perhaps you mean 'Zoë'"):
            attempt()
    assert alike_agents(database.backend, "ZOE") == ["Zoë"]
    assert alike_agents(database.backend, "Zoë") == []


# ---- Renaming


def test_everything_of_an_agent_gets_the_new_name(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana Souza", "Bia"))
    put_leads(database, fresh(5))
    run_deal(database)
    put_assignments(database, ("Ana Souza", "by hand"))
    run_deal(database, TODAY + timedelta(days=1))
    held = numbers_by_agent(database)
    limit = add_limit(database.backend, "Ana Souza", **ALWAYS)
    _, secret = make_link(database.backend, "Ana Souza")
    renamed = rename_agent(database.backend, "Ana Souza", " Ana Lima ", actor="test")
    assert renamed == Renamed(1, 1, len(held["Ana Souza"]), 5)
    for table, column in (
        ("agents", "agent"), ("agent_limit", "agent"), ("agent_link", "agent"), ("assignment_edit", "agent"),
        ("agent_wafunnel_assignment", "agent"), ("assignment_history", "agent"), ("assignment_run", "last_agent"),
    ):  # fmt: skip
        names = {name for (name,) in database.execute(f"SELECT {column} FROM dbo.{table}")}
        assert "Ana Souza" not in names, table
        assert "Ana Lima" in names, table
    assert numbers_by_agent(database) == {"Ana Lima": held["Ana Souza"], "Bia": held["Bia"]}
    assert [(each.limit_id, each.agent) for each in list_limits(database.backend)] == [(limit.limit_id, "Ana Lima")]
    found = look_up_link(database.backend, secret).link
    assert found is not None
    assert found.agent == "Ana Lima"
    # The records agree with one another, and an undo brings back the leads of the same person.
    assert deep_problems(database) == []
    undo(database)
    assert "by hand" in numbers_by_agent(database)["Ana Lima"]
    # The leave holds under the new name.
    run_deal(database)
    assert set(numbers_by_agent(database)) == {"Bia"}


def test_the_next_deal_begins_after_the_agent_who_got_the_last_lead_under_any_name(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(1))
    run_deal(database)
    rename_agent(database.backend, "A", "BB")
    put_leads(database, [("9", 1, RECENT)])
    run_deal(database, TODAY + timedelta(days=1))
    # BB sits between B and C now, so C is next.
    assert numbers_by_agent(database)["C"] == ["9"]


def test_a_rename_in_the_table_alone_is_finished(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana Souza"))
    put_leads(database, fresh(2))
    run_deal(database)
    _, old_secret = make_link(database.backend, "Ana Souza")
    put_limits(database, [("Ana Souza", TODAY, None, 0)])
    database.execute("UPDATE dbo.agents SET agent = 'Ana Lima'")
    link, _ = make_link(database.backend, "Ana Lima")
    assert rename_agent(database.backend, "Ana Souza", "Ana Lima") == Renamed(1, 1, 2, 2)
    assert [each.room for each in list_agents(database.backend, TODAY)] == [0]
    assert list(numbers_by_agent(database)) == ["Ana Lima"]
    # An agent has one link in use: that of the new name.
    assert link_of_agent(database.backend, "Ana Lima") == link
    assert look_up_link(database.backend, old_secret) == LinkLookup(None, any_keys=False)


def test_a_rename_is_not_denied_where_only_an_undo_would_show_it(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Bia"))
    put_leads(database, fresh(1))
    put_assignments(database, ("Ana", "by hand"))
    run_deal(database)
    assert rename_agent(database.backend, "Ana", "Bia") == Renamed(0, 0, 0, 0)
    assert [entry.target for entry in list_entries(database.backend, count=9)] == ["Ana → Bia"]
    undo(database)
    assert numbers_by_agent(database) == {"Bia": ["by hand"]}
    with pytest.raises(NotFound):
        rename_agent(database.backend, "Ana", "Bia")


def test_a_name_that_is_taken_or_unknown_renames_nothing(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana", "Bia"))
    put_limits(database, [("Ana", TODAY, None, 3)])
    before = snapshot(database)
    with pytest.raises(AlreadyExists, match="There is already an agent 'Bia'; nothing was changed"):
        rename_agent(database.backend, "Ana", "Bia")
    with pytest.raises(NotFound, match="There is no agent 'Cy'; nothing was changed"):
        rename_agent(database.backend, "Cy", "Di")
    with pytest.raises(NotFound):
        rename_agent(database.backend, "Cy", "Bia")
    for name in (" ", "x" * 256):
        with pytest.raises(ParameterOutOfRange):
            rename_agent(database.backend, "Ana", name)
    assert snapshot(database) == before


def test_a_name_that_another_agent_has_in_another_spelling_renames_nothing(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana Lima", "Bia"))
    before = snapshot(database)
    for new_name in ("ana lima", "Ana  Lima ", "Aná Lima", "ANALIMA"):
        with pytest.raises(AlreadyExists, match="easily taken for that of the agent 'Ana Lima'; nothing was changed"):
            rename_agent(database.backend, "Bia", new_name)
        if database.engine == "sqlserver":
            call = "EXEC dbo.sp_rename_agent @agent = N'Bia', @new_name = %s"
            assert database.execute(call, new_name)[0][:2] == (1, 1)
    assert snapshot(database) == before
    # An agent's own name may be spelled in another way.
    rename_agent(database.backend, "Ana Lima", "aná lima")
    assert agent_names(database.backend) == ["aná lima", "Bia"]


def test_a_rename_is_in_the_audit_once(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana", "Bia"))
    rename_agent(database.backend, "Ana", "Cy", actor="the command line")
    rename_agent(database.backend, "Bia", "Di", actor="http: Eva", recorded=True)
    with pytest.raises(NotFound):
        rename_agent(database.backend, "Ana", "Bo")
    entries = list_entries(database.backend, count=9)
    assert [(each.actor, each.operation, each.target) for each in entries] == [
        ("the command line", "rename agent", "Ana → Cy")
    ]


def test_the_rest_of_a_rename_is_finished_although_a_run_had_limits_of_both_names(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana", "Bia", "Cy"))
    put_leads(database, fresh(9))
    put_limits(database, [("Ana", TODAY, None, 1), ("Bia", TODAY, None, 2)])
    run_deal(database)
    database.execute("DELETE FROM dbo.agents WHERE agent = 'Ana'")
    assert rename_agent(database.backend, "Ana", "Bia").dealt == 1
    assert database.execute("SELECT agent, max_records FROM dbo.assignment_limit") == [("Bia", 2)]


def test_two_agents_of_a_table_without_a_key_do_not_become_one(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("Ana", "Bia"))
    with pytest.raises(AlreadyExists):
        rename_agent(bare_database.backend, "Ana", "Bia")
    assert [each.agent for each in list_agents(bare_database.backend, TODAY)] == ["Ana", "Bia"]


def test_a_new_name_that_the_unique_key_takes_for_another_agent_renames_nothing(bare_database: TestedDatabase) -> None:
    column = "agent COLLATE NOCASE" if bare_database.engine == "sqlite" else "agent"
    where = "" if bare_database.engine == "sqlite" else " ON dbo.agents"
    put_agents(bare_database, active_agents("Ana", "Bia"))
    put_limits(bare_database, [("Ana", TODAY, None, 3)])
    bare_database.execute(f"CREATE UNIQUE INDEX one_of_a_name ON dbo.agents ({column})")
    try:
        before = snapshot(bare_database)
        with pytest.raises(AlreadyExists):
            rename_agent(bare_database.backend, "Ana", "BIA")
        assert snapshot(bare_database) == before
        # The same agent in another case is no other agent.
        rename_agent(bare_database.backend, "Ana", "ANA")
        assert [each.agent for each in list_limits(bare_database.backend)] == ["ANA"]
    finally:
        bare_database.execute(f"DROP INDEX one_of_a_name{where}")


def test_a_rename_and_a_deal_at_the_same_time_come_one_after_the_other(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Ana", "Bia"))
    put_leads(database, fresh(2_000))
    for round_ in range(3):
        with ThreadPoolExecutor(2) as pool:
            deal = pool.submit(run_deal, database, TODAY + timedelta(days=round_))
            rename_agent(database.backend, "Ana", "Cy")
            deal.result()
        # Whatever came first, the deal has no agent whom the roster does not have.
        assert set(numbers_by_agent(database)) == {"Bia", "Cy"}
        assert deep_problems(database) == []
        rename_agent(database.backend, "Cy", "Ana")
