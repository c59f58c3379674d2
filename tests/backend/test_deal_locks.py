"""Locks that another session keeps, and deadlocks: a run waits, logs it, and gives up or tries again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import date, timedelta

import pymssql
import pytest

from agent_funnel.database import Database
from agent_funnel.database.sqlserver import SQLServer
from agent_funnel.deal import ATTEMPTS, deal
from agent_funnel.errors import (
    DatabaseBusy,
)
from agent_funnel.runs import Run
from agent_funnel.settings import load
from support.calls import Connected, pauses
from support.databases import TestedDatabase, seed_tables, snapshot
from support.nights import run_numbers, stages
from support.processes import NOTHING_DUE, run_in_progress
from support.waits import wait_until_somebody_waits

# How long a run waits for a lock in these tests; long enough that it logs the wait before it gives up:
LOCK_WAIT = timedelta(seconds=3)


# ---- Locks that another session keeps


@contextmanager
def lead_kept_locked(database: TestedDatabase) -> Iterator[None]:
    """Another session is in the middle of a change of a lead until the end of the block; on SQLite, of any write."""
    with closing(TestedDatabase(database.url, database.schema)) as other:
        other.execute("BEGIN IMMEDIATE" if database.engine == "sqlite" else "BEGIN TRANSACTION")
        other.execute("UPDATE dbo.wafunnel SET stage = stage WHERE number = '+49300000004'")
        try:
            yield
        finally:
            other.execute("ROLLBACK" if database.engine == "sqlite" else "ROLLBACK TRANSACTION")


def warm_up(backend: Database) -> None:
    """Makes a session deal once, so that only the wait is measured afterwards."""
    deal(backend, load(), business_date=NOTHING_DUE, again=True)


def test_a_wait_for_a_lock_is_logged_and_bounded_and_leaves_nothing_behind(
    database: TestedDatabase, connected: Connected, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_tables(database)
    backend = connected(database, lock_wait=LOCK_WAIT)
    warm_up(backend)
    before = snapshot(database)
    monkeypatch.setattr("agent_funnel.deal.ATTEMPTS", 1)
    # In another thread, so that an endless wait fails this test and frees the lock.
    with ThreadPoolExecutor(1) as pool, lead_kept_locked(database):
        began = time.monotonic()
        dealt = pool.submit(deal, backend, load(), business_date=date.today(), again=True)
        with pytest.raises(DatabaseBusy, match=r"3 s.* Nothing was changed\.$"):
            dealt.result(timeout=20)
        assert 2.5 < time.monotonic() - began < 15
        (said,) = [record.getMessage() for record in caplog.records if "wait" in record.getMessage()]
        assert re.search("up to 3 s|gives up after 3 s", said)
        assert snapshot(database) == before
        # The locks of the run are free again, while the other session still holds its lead.
        with run_in_progress(database):
            pass
        if database.engine == "sqlserver":
            assert isinstance(backend, SQLServer)
            database.execute("SET LOCK_TIMEOUT 2000")
            database.execute("UPDATE dbo.wafunnel SET stage = stage WHERE number < '+49300000004'")
            database.execute("SET LOCK_TIMEOUT -1")
            backend._queries["open"] = "SELECT @@TRANCOUNT AS transactions, @@LOCK_TIMEOUT AS wait;"
            assert backend.one("open") == {"transactions": 0, "wait": 3000}
    run = deal(backend, load(), business_date=date.today(), again=True)
    assert run.assigned == 7
    assert run_numbers(database)[-1:] == [run.run_id]


# On a T-SQL engine, the victim of a deadlock below is tried again, and test_deal_lost_calls.py meets locks with a small
# server of its own.
@pytest.mark.sqlserver_if_long
def test_a_run_that_meets_a_passing_lock_is_tried_again_and_deals(
    database: TestedDatabase, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    seed_tables(database)
    backend = connected(database, lock_wait=timedelta(seconds=1))
    warm_up(backend)
    with ThreadPoolExecutor(1) as pool:
        with lead_kept_locked(database):
            dealt = pool.submit(deal, backend, load(), business_date=date.today(), again=True)
            deadline = time.monotonic() + 30
            while not pauses(caplog):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        run = dealt.result(timeout=60)
    assert run.assigned == 7
    assert len(run_numbers(database)) == 2
    assert set(stages(database).values()) == {2, 3, 4}


# A T-SQL engine needs seconds for each new session; test_deal_lost_calls.py covers its errors with a fake server.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_run_that_meets_a_lock_every_time_gives_up(database: TestedDatabase, connected: Connected) -> None:
    seed_tables(database)
    backend = connected(database, lock_wait=timedelta(seconds=1))
    warm_up(backend)
    before = snapshot(database)
    with lead_kept_locked(database):
        began = time.monotonic()
        with pytest.raises(DatabaseBusy):
            deal(backend, load(), business_date=date.today(), again=True)
        assert ATTEMPTS < time.monotonic() - began < 60
    assert snapshot(database) == before
    assert deal(backend, load(), business_date=date.today(), again=True).assigned == 7


def deal_against_a_deadlock(database: TestedDatabase, backend: Database, number: str) -> Run:
    """A deal that waits for another session to let go of a lead, while that session waits for the other leads.

    On SQL Server the deal is always the victim; on Babelfish it is if the second wait begins within a second, after
    which Babelfish looks for a deadlock.
    """
    with closing(TestedDatabase(database.url, database.schema)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("SET DEADLOCK_PRIORITY HIGH")
        other.execute("BEGIN TRANSACTION")
        other.execute("UPDATE dbo.wafunnel SET stage = stage WHERE number = %s", number)
        dealt = pool.submit(deal, backend, load(), business_date=date.today(), again=True)
        try:
            wait_until_somebody_waits(database, dealt)
            other.execute("UPDATE dbo.wafunnel SET stage = stage WHERE number <> %s", number)
        except pymssql.Error as error:
            if error.args[0] != 1205:
                raise
        finally:
            other.execute("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION")
        return dealt.result(timeout=60)


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_the_victim_of_a_real_deadlock_deals_again(database: TestedDatabase, caplog: pytest.LogCaptureFixture) -> None:
    seed_tables(database)
    backend = database.backend
    warm_up(backend)
    # Several attempts, since a busy machine may take longer than that second. Each is about another lead, since nobody
    # is in the way of a deal that begins with the lead which is kept from it, and its order is the engine's choice.
    for attempt in range(25):
        database.clear()
        seed_tables(database)
        before = stages(database)
        caplog.clear()
        run = deal_against_a_deadlock(database, backend, f"+4930000000{attempt % len(before)}")
        if "to resolve a deadlock" in caplog.text:
            break
    # On a busy machine its wait may also have timed out before; however often it began again, it dealt once.
    assert "to resolve a deadlock" in caplog.text
    assert run.assigned == 7
    assert run_numbers(database) == [run.run_id]
    assert stages(database) == {number: stage + 1 for number, stage in before.items()}
