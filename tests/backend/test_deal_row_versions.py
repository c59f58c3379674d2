"""Questions about the deal and the undo that only Microsoft's engine answers: row versions, types, deadlocks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

import pymssql
import pytest

from support.databases import TestedDatabase
from support.microsoft import deadlocks, readers_wait
from support.nights import TODAY, active_agents, fresh, put_agents, put_leads, run_deal, stages, undo

DEADLOCK = 1205
CONVERSION_FAILED = 8114

pytestmark = [pytest.mark.microsoft_engine, pytest.mark.parametrize("database", ["sqlserver"], indirect=True)]


def alter(database: TestedDatabase, change: str) -> None:
    """Changes an option of the database, and ends the sessions that are in its way."""
    database.close()
    database.execute(f"ALTER DATABASE CURRENT {change}")
    database.close()


@pytest.fixture
def snapshots_allowed(database: TestedDatabase) -> Iterator[None]:
    """The isolation level SNAPSHOT, as reports and readable secondaries use it."""
    alter(database, "SET ALLOW_SNAPSHOT_ISOLATION ON")
    yield
    alter(database, "SET ALLOW_SNAPSHOT_ISOLATION OFF")


@pytest.mark.usefixtures("snapshots_allowed")
def test_a_snapshot_that_is_older_than_a_deal_and_an_undo_still_reads_its_own_assignments(
    database: TestedDatabase,
) -> None:
    """After a TRUNCATE, it would get error 3961 instead."""
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(10))
    run_deal(database)
    whole = "SELECT agent, number FROM dbo.agent_wafunnel_assignment ORDER BY number"
    old = database.execute(whole)
    with closing(TestedDatabase(database.url, database.schema)) as report:
        report.execute("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
        report.execute("BEGIN TRANSACTION")
        # The snapshot begins with the first read, of another table.
        report.execute("SELECT COUNT(*) FROM dbo.wafunnel")
        put_agents(database, active_agents("C"))
        run_deal(database)
        assert report.execute(whole) == old
        undo(database)
        undo(database)
        assert report.execute(whole) == old
        report.execute("COMMIT TRANSACTION")
        assert report.execute(whole) == []


@pytest.mark.parametrize("before", [120, 130])
def test_an_undo_restores_every_lead_after_a_change_of_the_compatibility_level(
    database: TestedDatabase, before: int
) -> None:
    """The levels differ in how a DATETIME becomes a DATETIME2: .003 seconds are .0030000 or .0033333."""
    ((now,),) = database.execute("SELECT d.compatibility_level FROM sys.databases AS d WHERE d.name = DB_NAME()")
    put_agents(database, active_agents("A", "B"))
    for milliseconds in (0, 3, 7, 10, 997):
        created = datetime(2026, 11, 13, 12, 0, 0, 1000 * milliseconds)
        put_leads(database, fresh(2, start=1 + 10 * milliseconds, created=created))
    at_first = stages(database)
    try:
        alter(database, f"SET COMPATIBILITY_LEVEL = {before}")
        assert run_deal(database).assigned == 10
        alter(database, f"SET COMPATIBILITY_LEVEL = {now}")
        undone = undo(database)
    finally:
        alter(database, f"SET COMPATIBILITY_LEVEL = {now}")
    assert (undone.restored, undone.changed_since) == (10, 0)
    assert stages(database) == at_first


def test_columns_of_numbers_that_are_refused_cannot_work_for_the_reasons_given(database: TestedDatabase) -> None:
    two = "SELECT CAST(4917112345678 AS FLOAT) AS number UNION ALL SELECT CAST(4917112345679 AS FLOAT)"
    texts = database.execute(f"SELECT DISTINCT CAST(f.number AS NVARCHAR(255)) FROM ({two}) AS f")
    assert len(texts) == 1
    with pytest.raises(pymssql.Error) as refused:
        database.execute("SELECT COUNT(*) FROM (SELECT CAST(1 AS DECIMAL(18, 0)) AS number) AS f WHERE f.number <> ''")
    assert refused.value.args[0] == CONVERSION_FAILED


def test_a_literal_beyond_int_is_a_decimal_unless_it_is_cast(database: TestedDatabase) -> None:
    kind = "SELECT CAST(SQL_VARIANT_PROPERTY(CAST(1 AS BIGINT) * {} + 3, 'BaseType') AS VARCHAR(20))"
    assert database.execute(kind.format("4294967296")) == [("numeric",)]
    assert database.execute(kind.format("CAST(4294967296 AS BIGINT)")) == [("bigint",)]


def test_with_locks_a_reader_waits_for_the_row_of_an_uncommitted_run_and_with_row_versions_it_does_not(
    database: TestedDatabase,
) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    run_id = run_deal(database).run_id
    newest = "SELECT MAX(r.run_id) FROM dbo.assignment_run AS r WHERE r.status = 'succeeded'"
    with closing(TestedDatabase(database.url, database.schema)) as other:
        database.execute("BEGIN TRANSACTION")
        try:
            database.execute("UPDATE dbo.assignment_run SET status = 'undone' WHERE run_id = %s", run_id)
            other.execute("SET LOCK_TIMEOUT 500")
            if readers_wait(database):
                with pytest.raises(pymssql.Error) as refused:
                    other.execute(newest)
                assert refused.value.args[0] == 1222
            else:
                assert other.execute(newest) == [(run_id,)]
        finally:
            database.execute("ROLLBACK TRANSACTION")


def test_a_deadlock_is_counted(database: TestedDatabase) -> None:
    """Two sessions want each other's lead; without this, a count that is always 0 would prove nothing."""
    put_leads(database, fresh(2))
    met = threading.Barrier(2)
    victims: list[int] = []

    def want(first: str, second: str) -> None:
        with closing(TestedDatabase(database.url, database.schema)) as session:
            session.execute("BEGIN TRANSACTION")
            # Texts of the column's type, so that each finds its own row and looks at no other.
            change = "UPDATE dbo.wafunnel SET stage = 2 WHERE number = '{}'"
            session.execute(change.format(first))
            met.wait(timeout=60)
            try:
                session.execute(change.format(second))
            except pymssql.Error as error:
                victims.append(error.args[0])

    with deadlocks(database) as watched:
        assert watched.count() == 0
        threads = [threading.Thread(target=want, args=pair) for pair in (("000001", "000002"), ("000002", "000001"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert victims == [DEADLOCK]
        assert watched.count() == 1


def test_the_deal_of_a_session_without_a_limit_gives_up_on_a_lock_after_half_a_minute(
    database: TestedDatabase,
) -> None:
    """SQL Server Agent and SSMS wait for ever; the deal would wait with them, and everybody behind it."""
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    with (
        closing(TestedDatabase(database.url, database.schema)) as report,
        closing(TestedDatabase(database.url, database.schema)) as client,
    ):
        report.execute("BEGIN TRANSACTION")
        report.execute("SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment WITH (TABLOCK, HOLDLOCK)")
        client.execute("SET LOCK_TIMEOUT -1")
        with pytest.raises(pymssql.Error) as refused:
            client.execute(f"EXECUTE dbo.sp_assign_wafunnel_to_agents @business_date = '{TODAY}'")
        assert refused.value.args[0] == 1222
        # The setting of the session is as it was.
        assert client.execute("SELECT @@LOCK_TIMEOUT, @@TRANCOUNT") == [(-1, 0)]
        report.execute("COMMIT TRANSACTION")
        assert client.execute(f"EXECUTE dbo.sp_assign_wafunnel_to_agents @business_date = '{TODAY}'")[0][7] == 3
