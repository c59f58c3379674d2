"""Many agents poll their lists while the service deals."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from support import LONG
from support.databases import TestedDatabase, seed_tables
from support.pages import bearer, client_of, key_of
from support.pollers import lists_of_deals, service_with_pollers
from support.processes import run_in_progress

# The number of agents and of leads, and the seconds between two polls of an agent:
AGENTS, LEADS = (200, 100_000) if LONG else (3, 600)
EVERY = 5.0 if LONG else 1.0

pytestmark = pytest.mark.timeout(900 if LONG else 300)


def test_during_a_deal_each_agent_reads_the_whole_old_list_or_the_whole_new_one(
    database: TestedDatabase, tmp_path: Path
) -> None:
    with service_with_pollers(database, tmp_path, agents=AGENTS, leads=LEADS, every=EVERY) as (names, polls, run_now):
        # No key was used before, so the first use of each is noted during the deal.
        database.execute("UPDATE dbo.access_key SET last_used_at = NULL")
        run, _, ended = run_now()
        polls.wait(AGENTS, ended)
    assert polls.errors == []
    assert run["assigned"] == LEADS
    expected = lists_of_deals(database)
    assert len(expected) == 2
    for poll in polls.done:
        assert poll.seen == expected[poll.deal][poll.agent]
    for agent in names:
        seen = [poll.deal for poll in sorted(polls.done, key=lambda poll: poll.began) if poll.agent == agent]
        # First the old list, then the new one, and never the old one again.
        assert sorted(set(seen), key=seen.index) == list(expected)
    # An agent who has the list already does not get it again.
    assert sum(poll.status == 200 for poll in polls.done) == 2 * AGENTS


def test_a_poll_does_not_wait_for_writers(database: TestedDatabase) -> None:
    seed_tables(database)
    secret = key_of(database, "viewer")
    client = client_of(database)
    with ExitStack() as stack:
        stack.enter_context(run_in_progress(database))
        if database.engine == "sqlite":
            # SQLite has one lock for all writers.
            database.execute("BEGIN IMMEDIATE")
            stack.callback(database.execute, "ROLLBACK")
        began = time.monotonic()
        answer = client.get("/api/assignments", headers=bearer(secret))
        assert answer.status_code == 200
        assert time.monotonic() - began < 5
    assert database.execute("SELECT last_used_at FROM dbo.access_key") == [(None,)] or database.engine != "sqlite"
    client.get("/api/assignments", headers=bearer(secret))
    assert database.execute("SELECT last_used_at FROM dbo.access_key") != [(None,)]
