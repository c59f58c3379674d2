"""A reader of the assignments during runs and undos always sees one complete state, on both engines."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from support import LONG
from support.databases import TestedDatabase
from support.nights import active_agents, fresh, put_agents, put_leads, run_deal, undo

READS = 100_000 if LONG else 2_000
READERS = 2
# With fewer reads, the readers would hardly have met a change:
CHANGES = 100 if LONG else 50

State = frozenset[tuple[Any, ...]]
# Each is one statement, so each reads at one moment. The second one counts in two ways that must agree.
WHOLE = "SELECT agent, number FROM dbo.agent_wafunnel_assignment"
COUNTED = """
    SELECT a.agent, COUNT(*), (SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment)
    FROM dbo.agent_wafunnel_assignment AS a
    GROUP BY a.agent
"""

pytestmark = pytest.mark.timeout(3600 if LONG else 300)


def counted(rows: Iterable[tuple[Any, ...]]) -> State:
    """The rows that the second statement must return if the first one returns these."""
    shares = Counter(agent for agent, _ in rows)
    return frozenset((agent, leads, shares.total()) for agent, leads in shares.items())


def test_a_reader_never_sees_an_empty_or_half_filled_table(database: TestedDatabase) -> None:
    # Two deals that differ in size and in their agents; the second gives each lead to another agent.
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(40))
    run_deal(database)
    before = frozenset(database.execute(WHOLE))
    put_agents(database, active_agents("A", "C", "D", "E"))
    put_leads(database, fresh(10, start=100))
    run_deal(database)
    after = frozenset(database.execute(WHOLE))
    undo(database)
    assert frozenset(database.execute(WHOLE)) == before
    assert (len(before), len(after), len(before & after)) == (40, 50, 0)
    known = {WHOLE: {before, after}, COUNTED: {counted(before), counted(after)}}

    stop = threading.Event()
    seen: Counter[State] = Counter()
    lock = threading.Lock()

    def read() -> None:
        """Reads on its own connection, on SQLite without waiting for a lock, until it sees something wrong."""
        mine: Counter[State] = Counter()
        with closing(TestedDatabase(database.url, database.schema)) as reader:
            if database.engine == "sqlite":
                reader.execute("PRAGMA busy_timeout = 0")
            while not stop.is_set() and (mine.total() < READS / READERS or changes < CHANGES):
                for statement, states in known.items():
                    state = frozenset(reader.execute(statement))
                    mine[state] += 1
                    if state not in states:
                        stop.set()
        with lock:
            seen.update(mine)

    changes = 0
    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            while not all(reader.done() for reader in readers):
                run_deal(database)
                undo(database)
                changes += 2
        finally:
            stop.set()
        for reader in readers:
            reader.result()

    strange = {state: times for state, times in seen.items() if not any(state in states for states in known.values())}
    assert strange == {}
    assert seen.total() >= READS
    assert changes >= CHANGES
    # Both statements saw both deals.
    assert len(seen) == 4
