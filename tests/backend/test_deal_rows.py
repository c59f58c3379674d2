"""Unusual rows and callers of a deal: dates in two spellings, dates more exact than a millisecond, and a caller who
catches the errors of the procedures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent_funnel.install import install
from support.databases import TestedDatabase, sqlite_database
from support.nights import (
    TODAY,
    active_agents,
    fresh,
    numbers_by_agent,
    put_agents,
    put_do_not_contact,
    put_leads,
    run_deal,
    undo,
)

# Dates as a web form may store them: with all digits that the engine has.
EXACT = """
    CREATE TABLE exact.agents (agent NVARCHAR(50), status VARCHAR(20));
    CREATE TABLE exact.wafunnel (number NVARCHAR(50), stage TINYINT, date DATETIME2(7));
    CREATE TABLE exact.agent_wafunnel_assignment (agent NVARCHAR(50), number NVARCHAR(50));
"""


@pytest.fixture(scope="module")
def exact(sqlserver: str) -> Iterator[TestedDatabase]:
    """An installed schema around tables whose dates are more exact than a millisecond."""
    with closing(TestedDatabase(sqlserver, "exact")) as database:
        database.execute("CREATE SCHEMA exact")
        for statement in EXACT.split(";"):
            if statement.strip():
                database.execute(statement)
        install(database.backend)
        yield database


@pytest.mark.parametrize("newest_first", [False, True])
def test_of_two_spellings_of_one_moment_one_is_dealt_and_the_other_waits(tmp_path: Path, newest_first: bool) -> None:
    with sqlite_database(tmp_path, "spelt", bare=True) as database:
        put_agents(database, active_agents("A", "B"))
        for written in ("2026-11-10T08:00:00", "2026-11-10 08:00"):
            database.execute("INSERT INTO wafunnel (number, stage, date) VALUES ('1', 1, %s)", written)
        run = run_deal(database, newest_first=newest_first)
        assert (run.pool, run.duplicates, run.assigned) == (1, 1, 1)
        assert numbers_by_agent(database) == {"A": ["1"]}
        stages = database.execute("SELECT date, stage FROM wafunnel ORDER BY date")
        assert stages == [("2026-11-10 08:00", 2), ("2026-11-10T08:00:00", 1)]


@pytest.mark.parametrize("exact", ["sqlserver"], indirect=True)
def test_dates_that_are_more_exact_than_a_millisecond_are_dealt_and_undone(exact: TestedDatabase) -> None:
    put_agents(exact, active_agents("A", "B"))
    for number, digits in enumerate(("1234567", "1239999", "0000001"), start=1):
        exact.execute(f"INSERT INTO dbo.wafunnel VALUES ('{number}', 1, '2026-11-10T08:00:00.{digits}')")
    before = exact.execute("SELECT number, stage, date FROM dbo.wafunnel ORDER BY number")
    assert run_deal(exact).assigned == 3
    assert exact.execute("SELECT COUNT(*) FROM dbo.wafunnel WHERE stage = 2") == [(3,)]
    # In the order of their last digits.
    assert numbers_by_agent(exact) == {"A": ["2", "3"], "B": ["1"]}
    undone = undo(exact)
    assert (undone.restored, undone.changed_since) == (3, 0)
    assert exact.execute("SELECT number, stage, date FROM dbo.wafunnel ORDER BY number") == before


CAUGHT = """
    BEGIN TRY
        EXECUTE dbo.{procedure};
    END TRY
    BEGIN CATCH
        SELECT ERROR_NUMBER() AS number, XACT_STATE() AS state, @@TRANCOUNT AS transactions;
    END CATCH;
"""


@pytest.mark.parametrize(
    ("procedure", "number"), [("sp_assign_wafunnel_to_agents", 50002), ("sp_undo_wafunnel_assignment", 50005)]
)
@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_caller_who_catches_the_error_of_a_procedure_has_no_open_transaction(
    database: TestedDatabase, procedure: str, number: int
) -> None:
    put_leads(database, fresh(2))
    assert database.execute(CAUGHT.format(procedure=procedure)) == [(number, 0, 0)]
    # The next call on this session works.
    put_agents(database, active_agents("A"))
    database.execute("EXECUTE dbo.sp_assign_wafunnel_to_agents @business_date = %s", str(TODAY))
    assert database.execute("SELECT @@TRANCOUNT") == [(0,)]
    assert numbers_by_agent(database) == {"A": ["000001", "000002"]}


def test_all_records_of_a_listed_number_count_as_suppressed(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("A"))
    put_leads(bare_database, [*fresh(2), *fresh(1, stage=2)])
    put_do_not_contact(bare_database, ["000001"])
    run = run_deal(bare_database)
    assert (run.pool, run.duplicates, run.suppressed) == (1, 0, 2)
    assert numbers_by_agent(bare_database) == {"A": ["000002"]}
