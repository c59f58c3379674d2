"""Readers that join the assignments with runs and leads, during deals and undos on the T-SQL engine.

With row versions (READ_COMMITTED_SNAPSHOT, and always on Babelfish) nobody waits: a reader sees the old deal until the
new one is there as a whole. With locks, readers wait, but end with the old assignments or the new ones, and never as
the victim of a deadlock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pymssql
import pytest

from agent_funnel.agents import assignments
from agent_funnel.runs import deal_version
from support import LONG
from support.databases import TestedDatabase, connect_to, disconnect
from support.locks import lock_name, take_lock
from support.microsoft import deadlocks, microsoft_engine, readers_wait
from support.nights import active_agents, fresh, put_agents, put_leads, run_deal, undo
from support.waits import wait_until_somebody_waits

READERS = 3
# Each change is a deal or an undo. Babelfish has no such waits, so there a few show that the test works.
CHANGES = 1000 if LONG else 200 if microsoft_engine() else 8
# A reader who must not wait gives up after this time, in milliseconds; deals and undos take longer on no machine.
AT_ONCE = 1000
PATIENTLY = 60_000
LOCK_TIMEOUT = 1222

# The whole assignments in one statement, each with its lead's stage and the newest run.
JOINED = """
    SELECT
        a.agent, a.number, w.stage,
        (SELECT MAX(r.run_id) FROM dbo.assignment_run AS r WHERE r.status = 'succeeded') AS run_id
    FROM dbo.agent_wafunnel_assignment AS a
    LEFT JOIN dbo.wafunnel AS w ON a.number = w.number
"""

pytestmark = [
    pytest.mark.timeout(3600 if LONG else 600),
    pytest.mark.parametrize("database", ["sqlserver"], indirect=True),
]


@pytest.fixture
def dealt(database: TestedDatabase) -> int:
    """Forty leads that are dealt to three agents, and ten more and other agents for the next deal; the run's number."""
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(40))
    run_id = run_deal(database).run_id
    put_agents(database, active_agents("A", "C", "D", "E"))
    put_leads(database, fresh(10, start=100))
    return run_id


@contextmanager
def reader_of(database: TestedDatabase, patience: int) -> Iterator[TestedDatabase]:
    """Another session, which waits for a lock so many milliseconds."""
    with closing(TestedDatabase(database.url, database.schema)) as reader:
        reader.execute(f"SET LOCK_TIMEOUT {patience}")
        yield reader


def seen_by(reader: TestedDatabase, first: int) -> tuple[frozenset[tuple[Any, ...]], bool]:
    """The pairs with their stages, and whether the newest run is the first one."""
    rows = reader.execute(JOINED)
    (run_id,) = {row[3] for row in rows}
    return frozenset(row[:3] for row in rows), run_id == first


def pairs(state: tuple[frozenset[tuple[Any, ...]], bool]) -> frozenset[tuple[Any, ...]]:
    return frozenset(row[:2] for row in state[0])


def test_a_reader_who_joins_sees_the_old_deal_or_the_new_one_and_is_never_the_victim_of_a_deadlock(
    database: TestedDatabase, dealt: int
) -> None:
    before = seen_by(database, dealt)
    run_deal(database)
    after = seen_by(database, dealt)
    undo(database)
    assert seen_by(database, dealt) == before
    assert (len(before[0]), len(after[0])) == (40, 50)
    waits = readers_wait(database)
    stop = threading.Event()
    reads: list[int] = []

    def read() -> set[Any]:
        """Reads until the end, or until an error; returns the states that it saw."""
        seen: set[Any] = set()
        with reader_of(database, PATIENTLY if waits else AT_ONCE) as reader:
            while not stop.is_set():
                seen.add(seen_by(reader, dealt))
                reads.append(1)
        return seen

    with ExitStack() as stack:
        watched = stack.enter_context(deadlocks(database)) if microsoft_engine() else None
        pool = stack.enter_context(ThreadPoolExecutor(READERS))
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            changes = 0
            # An error ends a reader.
            while not any(reader.done() for reader in readers) and (changes < CHANGES or len(reads) < CHANGES):
                run_deal(database)
                undo(database)
                changes += 2
        finally:
            stop.set()
        seen = set().union(*(reader.result() for reader in readers))
        if watched is not None:
            assert watched.count() == 0
    if waits:
        # A statement locks one table after the other, so stages and runs may be newer than its assignments.
        seen = {(pairs(state), True) for state in seen}
        before, after = (pairs(before), True), (pairs(after), True)
    assert seen == {before, after}


GATE = "test gate"


@pytest.fixture
def gate(database: TestedDatabase) -> Iterator[TestedDatabase]:
    """A session that keeps every deal waiting after its last write, in a trigger, until it commits."""
    database.execute(
        f"""
        CREATE TRIGGER dbo.waits ON dbo.agent_wafunnel_assignment AFTER INSERT AS
        EXECUTE sp_getapplock
            @Resource = N'{lock_name(database, GATE)}', @LockMode = 'Exclusive', @LockOwner = 'Transaction',
            @LockTimeout = 120000
        """
    )
    try:
        with closing(TestedDatabase(database.url, database.schema)) as keeper:
            yield keeper
    finally:
        database.execute("DROP TRIGGER dbo.waits")


@pytest.mark.parametrize("change", ["deal", pytest.param("undo", marks=pytest.mark.sqlserver_if_long)])
def test_while_a_change_is_written_and_not_committed_readers_see_the_old_deal_at_once(
    database: TestedDatabase, dealt: int, gate: TestedDatabase, change: str
) -> None:
    """With locks, readers wait instead: then nobody reads until the change is there."""
    if change == "undo":
        run_deal(database)
    before = seen_by(database, dealt)
    gate.execute("BEGIN TRANSACTION")
    take_lock(gate, GATE)
    backend = connect_to(database.url, database.schema, lock_wait="1s", call_timeout="300s")
    with reader_of(database, AT_ONCE) as reader, ThreadPoolExecutor(1) as pool:
        changed = pool.submit(run_deal if change == "deal" else undo, database)
        try:
            wait_until_somebody_waits(database, changed)
            if readers_wait(database):
                with pytest.raises(pymssql.Error) as refused:
                    reader.execute(JOINED)
                assert refused.value.args[0] == LOCK_TIMEOUT
            else:
                for _ in range(3):
                    assert seen_by(reader, dealt) == before
                # The queries that agents' programs ask all day, by the product itself:
                mine = assignments(backend, agent="A", count=1000)
                assert {(lead.agent, lead.number) for lead in mine} == {row for row in pairs(before) if row[0] == "A"}
                deal_version(backend)
        finally:
            gate.execute("COMMIT TRANSACTION")
        changed.result()
        after = seen_by(reader, dealt)
    disconnect(backend)
    assert pairs(after) != pairs(before)
    assert len(after[0]) == (50 if change == "deal" else 40)


# Each row is larger than what the server sends ahead of its reader.
REPORT = """
    SELECT
        REPLICATE('x', 4000) AS filling,
        (SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment AS a WHERE a.number <> m.number) AS others
    FROM dbo.wafunnel AS w
    CROSS JOIN dbo.wafunnel AS m
"""


def test_a_statement_that_began_before_a_deal_never_finds_the_assignments_empty_or_half_dealt(
    database: TestedDatabase, dealt: int
) -> None:
    """A slow report, which is still being read when the deal commits. With locks, the deal waits for it instead."""
    if readers_wait(database):
        pytest.skip("with locks, a deal waits for a report that is being read")
    # Most rows are made after the deal.
    with closing(TestedDatabase(database.url, database.schema)) as report:
        with report.raw.cursor() as cursor:
            cursor.execute(REPORT.replace("dbo.", f"{database.schema}."))
            counts = [cursor.fetchone()[1]]
            assert run_deal(database).assigned == 50
            counts += [others for _, others in cursor]
    assert len(counts) == 50 * 50
    # Without the lead of the row itself, if that was dealt.
    assert set(counts) == {39, 40}
