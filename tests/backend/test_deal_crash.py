"""A process that dies in the middle of a deal leaves either the complete old deal or the complete new one."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pymssql
import pytest

from agent_funnel.deal import deal
from agent_funnel.settings import load
from support import LONG
from support.databases import TestedDatabase
from support.locks import lock_is_held
from support.nights import TODAY
from support.processes import Dealer, warm_dealers
from support.waits import wait_until_somebody_waits

# How many kills each engine gets, in the short version and, with FUNNEL_TEST_LONG=1, in the long one:
KILLS = 60 if LONG else 6

pytestmark = pytest.mark.timeout(3600 if LONG else 300)

AGENTS = 40
LEADS = 6_000
# How many processes get ready at the same time:
BATCH = 6

# SQLite 3.40 reports this for every row of a table without rowids whose key is not its first column. The agents are
# compared with the history anyway.
FALSE_ALARMS = (
    {"NULL value in agent_wafunnel_assignment.agent"} if (3, 40) <= sqlite3.sqlite_version_info < (3, 42) else set()
)


def fill(database: TestedDatabase) -> None:
    database.insert("agents", ("agent", "status"), [(f"agent {n:03}", "active") for n in range(AGENTS)])
    database.insert(
        "wafunnel",
        ("number", "stage", "date"),
        [(f"4930{n:06}", 1, f"2026-11-{1 + n % 20:02} 08:00:00.000") for n in range(LEADS)],
    )


def make_first_deal(database: TestedDatabase) -> tuple[int, float]:
    """Puts the leads back to stage 1 and deals them once; the number of that run, and the seconds it took."""
    for table in ("agent_wafunnel_assignment", "assignment_history", "assignment_run"):
        database.execute(f"DELETE FROM dbo.{table}")
    database.execute("UPDATE dbo.wafunnel SET stage = 1")
    began = time.monotonic()
    run = deal(database.backend, load(), business_date=TODAY, again=True)
    assert run.assigned == LEADS
    return run.run_id, time.monotonic() - began


def assert_whole(database: TestedDatabase) -> list[int]:
    """Asserts that assignments and stages are exactly those of the runs on record; returns the runs."""
    runs = [run for (run,) in database.execute("SELECT run_id FROM dbo.assignment_run ORDER BY run_id")]
    assert database.execute("SELECT COUNT(*) FROM dbo.assignment_run WHERE status <> 'succeeded'") == [(0,)]
    history = database.execute("SELECT run_id, agent, number FROM dbo.assignment_history")
    assert {run for run, _, _ in history} == set(runs)
    assignments = database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")
    assert sorted(assignments) == sorted((agent, number) for run, agent, number in history if run == runs[-1])
    dealt = Counter(number for _, _, number in history)
    stages = dict(database.execute("SELECT number, stage FROM dbo.wafunnel"))
    assert len(stages) == LEADS
    assert stages == {number: 1 + dealt[number] for number in stages}
    if database.engine == "sqlite":
        found = {problem for (problem,) in database.execute(f"PRAGMA integrity_check({LEADS + 1000})")}
        assert found - FALSE_ALARMS <= {"ok"}
    return runs


def has_dealt(dealer: Dealer) -> bool:
    """Waits until the dealer has ended; returns whether it had reported a successful deal."""
    answer = dealer.last_answer()
    return answer is not None and isinstance(answer.result, int)


def sessions_of(database: TestedDatabase, dealer: Dealer) -> list[int]:
    """The sessions of a dealer on the T-SQL engine."""
    found = database.execute(
        "SELECT s.session_id FROM sys.dm_exec_sessions AS s WHERE s.host_process_id = %d AND s.program_name = %s",
        dealer.process.pid,
        "agent-funnel",
    )
    return [session for (session,) in found]


def wait_until_nobody_deals(database: TestedDatabase, dealer: Dealer) -> None:
    """Waits until the engine has finished, or rolled back, its work for that dealer."""
    if database.engine == "sqlite":
        return
    # Check the session first: one that has not read its request yet does not hold the lock yet.
    deadline = time.monotonic() + 60
    while sessions_of(database, dealer):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not lock_is_held(database, wait_seconds=60), "the deal does not end"


def kill_at_all_moments(
    database: TestedDatabase, directory: Path, kills: int, kill: Callable[[Dealer], Any]
) -> tuple[int, Counter[str]]:
    """Kills this many deals at moments spread over their length; returns how many had not ended, and the results."""
    fill(database)
    # In a session that has parsed the procedure, so that only the deal is measured below:
    make_first_deal(database)

    interrupted = 0
    left: Counter[str] = Counter()
    # More kills are late than early, since a deal reads first and writes last:
    moments = [1.3 * ((n + random.random()) / kills) ** 0.7 for n in range(kills)]
    random.shuffle(moments)
    share = 1.0
    while moments:
        batch, moments = moments[:BATCH], moments[BATCH:]
        with warm_dealers(database, directory, TODAY, len(batch)) as ready:
            for dealer, moment in zip(ready, batch, strict=True):
                # The length of a deal depends on the load of the machine, which may change between two of them.
                first, seconds = make_first_deal(database)
                if database.engine == "sqlite":
                    # On SQLite, the next process that opens the database has to clean up.
                    database.close()
                dealer.tell("try once", last=True)
                time.sleep(moment * share * seconds)
                kill(dealer)
                if not has_dealt(dealer):
                    interrupted += 1
                elif moment < 1:
                    # It took a smaller share of that time.
                    share *= moment
                wait_until_nobody_deals(database, dealer)

                runs = assert_whole(database)
                assert runs[0] == first
                assert len(runs) in (1, 2)
                left["the old deal" if len(runs) == 1 else "the new deal"] += 1

                run = deal(database.backend, load(), business_date=TODAY, again=True)
                assert run.assigned == LEADS
                assert assert_whole(database) == [*runs, run.run_id]
    return interrupted, left


def test_a_process_killed_during_its_deal_leaves_the_old_deal_or_the_new_one(
    database: TestedDatabase, tmp_path: Path
) -> None:
    # On a T-SQL engine, the other half of the kills come from the server's side, below.
    kills = KILLS if database.engine == "sqlite" else KILLS // 2
    interrupted, left = kill_at_all_moments(database, tmp_path, kills, lambda dealer: dealer.process.kill())
    # Otherwise the kills came too late to show anything:
    assert interrupted >= kills // 3
    # A server may finish the deal of a client that is gone, so there the new deal may remain every time.
    if database.engine == "sqlite":
        assert left["the old deal"] >= kills // 4


def kill_session(database: TestedDatabase, dealer: Dealer) -> None:
    """Ends the dealer's session from the server's side."""
    for session in sessions_of(database, dealer):
        try:
            database.execute(f"KILL {session}")
        except pymssql.Error as error:
            # The session has ended meanwhile: SQL Server's error is 6106; Babelfish has no number of its own for it.
            if "is not an active process ID" not in str(error):
                raise


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_session_killed_on_the_server_during_its_deal_leaves_the_old_deal_or_the_new_one(
    database: TestedDatabase, tmp_path: Path
) -> None:
    # The short version kills sessions at two moments that it is sure of, below.
    kills = KILLS // 3
    interrupted, left = kill_at_all_moments(database, tmp_path, kills, lambda dealer: kill_session(database, dealer))
    assert interrupted >= kills // 3
    assert left["the old deal"] >= kills // 4


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_the_service_finds_that_its_killed_session_dealt_nothing_and_deals_again(
    database: TestedDatabase, tmp_path: Path
) -> None:
    fill(database)
    with (
        warm_dealers(database, tmp_path, TODAY, 1) as ready,
        closing(TestedDatabase(database.url, database.schema)) as other,
    ):
        first, _ = make_first_deal(database)
        other.execute("BEGIN TRANSACTION")
        other.execute("UPDATE dbo.wafunnel SET stage = stage WHERE number = '4930000042'")
        ready[0].tell("deal", last=True)
        wait_until_somebody_waits(database)
        kill_session(database, ready[0])
        other.execute("ROLLBACK TRANSACTION")
        answer = ready[0].last_answer()
        assert answer is not None
        assert assert_whole(database) == [first, answer.result]


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_session_killed_before_its_deal_writes_a_table_leaves_the_old_deal(
    database: TestedDatabase, tmp_path: Path
) -> None:
    # An uncommitted write of another session stops the deal at this table for certain. The deal writes the assignments
    # last, so the short version, in which each session takes seconds to get ready, kills it there only.
    stops = (
        "UPDATE dbo.agent_wafunnel_assignment SET agent = agent WHERE number = '4930000042'",
        *(("UPDATE dbo.wafunnel SET stage = stage WHERE number = '4930000042'",) if LONG else ()),
    )
    fill(database)
    with (
        warm_dealers(database, tmp_path, TODAY, len(stops)) as ready,
        closing(TestedDatabase(database.url, database.schema)) as other,
    ):
        for dealer, stop in zip(ready, stops, strict=True):
            first, _ = make_first_deal(database)
            other.execute("BEGIN TRANSACTION")
            other.execute(stop)
            dealer.tell("try once", last=True)
            wait_until_somebody_waits(database)
            assert dealer.process.poll() is None
            kill_session(database, dealer)
            assert not has_dealt(dealer)
            other.execute("ROLLBACK TRANSACTION")
            wait_until_nobody_deals(database, dealer)
            assert assert_whole(database) == [first]
