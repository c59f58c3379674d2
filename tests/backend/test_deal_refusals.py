"""Refusals of the deal, and its checks before it commits; in both cases nothing changes. On both engines."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from agent_funnel.errors import AlreadyRun, CheckFailed, NoActiveAgent, ParameterOutOfRange
from support.databases import TestedDatabase
from support.nights import (
    TODAY,
    active_agents,
    all_tables,
    fresh,
    numbers_by_agent,
    put_agents,
    put_leads,
    put_limits,
    run_deal,
)

# ---- Refusals


@pytest.mark.parametrize(
    ("parameter", "value", "limit"),
    [
        ("max_per_agent", 0, 1),
        ("max_per_agent", 1_000_001, 1_000_000),
        ("window_days", -1, 0),
        ("window_days", 36_501, 36_500),
        ("country", "XX", "none"),
        ("country", "", "RU"),
        ("country", "Brazil", "none"),
        ("country", "R,", "RU"),
        ("country", "BR, MX", "BR"),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_the_deal_itself(
    database: TestedDatabase, parameter: str, value: int | str, limit: int | str
) -> None:
    """The settings refuse it too, but any client can call the procedure."""
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    run_deal(database)
    before = all_tables(database)
    with pytest.raises(ParameterOutOfRange) as refused:
        assign(database, **{parameter: value})
    assert refused.value.number == 50006
    words = str(refused.value).replace(",", " ").replace(".", " ").replace(";", " ").split()
    assert f"{value!r};" in str(refused.value) if isinstance(value, str) else str(value) in words
    assert str(limit) in words
    assert any(parameter in word for word in words)
    assert all_tables(database) == before


@pytest.mark.parametrize(("max_per_agent", "window_days"), [(1, 0), (1_000_000, 36_500)])
def test_the_ends_of_the_ranges_are_allowed(database: TestedDatabase, max_per_agent: int, window_days: int) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, [("1", 1, datetime.combine(TODAY, time.min))])
    assign(database, max_per_agent=max_per_agent, window_days=window_days)
    assert numbers_by_agent(database) == {"A": ["1"]}


def assign(database: TestedDatabase, **changed: Any) -> None:
    """Calls the deal's query directly, without the settings and their checks."""
    parameters: dict[str, Any] = {
        "business_date": TODAY.isoformat(),
        "max_per_agent": 450,
        "window_days": 45,
        "newest_first": 0,
        "country": None,
        "voice": None,
        "skip_date": None,
        "skip_until": None,
        "trigger": "manual",
        "actor": None,
        "request": None,
        "again": 1,
    }
    database.backend.one("assign", **{**parameters, **changed})


def test_an_unknown_trigger_is_refused(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    before = all_tables(database)
    with pytest.raises(ParameterOutOfRange):
        assign(database, trigger="cron")
    assert all_tables(database) == before


def test_the_scheduled_run_of_a_business_date_happens_once(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    # A manual run does not replace it.
    run_deal(database)
    assert run_deal(database, trigger="schedule").trigger == "schedule"
    before = all_tables(database)
    with pytest.raises(AlreadyRun) as refused:
        run_deal(database, trigger="schedule")
    assert refused.value.number == 50003
    assert all_tables(database) == before
    # Manual runs still work, and so does the scheduled run of the next day.
    assert run_deal(database).assigned == 2
    assert run_deal(database, TODAY + timedelta(days=1), trigger="schedule").assigned == 0


def test_an_undone_scheduled_run_is_not_repeated_by_the_schedule(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    run_deal(database, trigger="schedule")
    database.execute("UPDATE dbo.assignment_run SET status = 'undone'")
    before = all_tables(database)
    with pytest.raises(AlreadyRun):
        run_deal(database, trigger="schedule")
    assert all_tables(database) == before


def test_a_scheduled_run_that_was_refused_can_be_tried_again(database: TestedDatabase) -> None:
    put_leads(database, fresh(2))
    with pytest.raises(NoActiveAgent):
        run_deal(database, trigger="schedule")
    put_agents(database, active_agents("A"))
    assert run_deal(database, trigger="schedule").assigned == 2


# ---- The checks before commit

# Triggers that break the deal from within, for each engine. The deal must notice each fault in its tables.
FAULTS = {
    "a number is dealt twice": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment WHEN NEW.number = '000001'
            BEGIN INSERT INTO agent_wafunnel_assignment (agent, number) VALUES ('B', '000001'); END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            INSERT INTO dbo.agent_wafunnel_assignment (agent, number)
            SELECT 'B', number FROM inserted WHERE number = '000001'""",
    },
    "one number takes the place of another": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment
            BEGIN UPDATE agent_wafunnel_assignment SET number = '000001' WHERE number = '000002'; END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            UPDATE dbo.agent_wafunnel_assignment SET number = '000001' WHERE number = '000002'""",
    },
    "a share is above a limit": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment
            BEGIN UPDATE agent_wafunnel_assignment SET agent = 'C' WHERE number = '000001'; END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            UPDATE dbo.agent_wafunnel_assignment SET agent = 'C' WHERE number = '000001'""",
    },
    "shares are two apart": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment
            BEGIN UPDATE agent_wafunnel_assignment SET agent = 'A' WHERE number = '000002'; END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            UPDATE dbo.agent_wafunnel_assignment SET agent = 'A' WHERE number = '000002'""",
    },
    "a lead is lost": {
        "sqlite": """CREATE TRIGGER fault AFTER INSERT ON agent_wafunnel_assignment
            BEGIN DELETE FROM agent_wafunnel_assignment WHERE number = '000001'; END""",
        "sqlserver": """CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS
            DELETE FROM dbo.agent_wafunnel_assignment WHERE number = '000001'""",
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deal_that_finds_a_fault_is_rolled_back_as_a_whole(bare_database: TestedDatabase, fault: str) -> None:
    check_fault(bare_database, FAULTS[fault][bare_database.engine])


# No other connection can write meanwhile. On SQL Server another one can: test_deal_concurrency.py.
@pytest.mark.parametrize("bare_database", ["sqlite"], indirect=True)
def test_a_stage_that_a_trigger_changes_during_the_deal_is_such_a_fault(bare_database: TestedDatabase) -> None:
    check_fault(
        bare_database,
        """CREATE TRIGGER fault AFTER INSERT ON assignment_history
        BEGIN UPDATE wafunnel SET stage = 4 WHERE number = '000001'; END""",
    )


def check_fault(bare_database: TestedDatabase, trigger: str) -> None:
    """Asserts that a deal with this trigger fails and changes nothing, and succeeds without it."""
    put_agents(bare_database, active_agents("A", "B", "C"))
    put_leads(bare_database, fresh(7))
    put_limits(bare_database, [("C", TODAY, None, 1)])
    bare_database.insert("agent_wafunnel_assignment", ("agent", "number"), [("A", "old")])
    before = all_tables(bare_database)
    bare_database.execute(trigger.replace("dbo.", f"{bare_database.schema}."))
    try:
        with pytest.raises(CheckFailed) as refused:
            assign(bare_database)
    finally:
        bare_database.execute("DROP TRIGGER dbo.fault")
    assert refused.value.number == 50007
    assert all_tables(bare_database) == before
    # Without the fault, the same deal succeeds:
    assert run_deal(bare_database).assigned == 7
