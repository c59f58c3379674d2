"""A floor full of agents who poll their lists while the service deals."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from support import LONG
from support.databases import TestedDatabase, small_floor
from support.pages import bearer, client_of, key_of
from support.pollers import floor_of_pollers, lists_of_deals
from support.processes import run_in_progress

# How many agents and leads there are:
AGENTS, LEADS = (200, 100_000) if LONG else (5, 800)
EVERY = 5.0 if LONG else 2.0

pytestmark = pytest.mark.timeout(900 if LONG else 300)


def test_each_agent_reads_the_old_deal_or_the_new_one_whole_while_it_is_dealt(
    database: TestedDatabase, tmp_path: Path
) -> None:
    with floor_of_pollers(database, tmp_path, agents=AGENTS, leads=LEADS, every=EVERY) as (names, polls, run_now):
        # Whose key was not used for a while has that noted, in the middle of the deal.
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
        # First the old one, then the new one, and never back.
        assert sorted(set(seen), key=seen.index) == list(expected)
    # Who has the list already is not sent it again.
    assert sum(poll.status == 200 for poll in polls.done) == 2 * AGENTS


def test_a_poll_waits_for_nobody_who_writes(database: TestedDatabase) -> None:
    small_floor(database)
    secret = key_of(database, "viewer")
    client = client_of(database)
    with ExitStack() as stack:
        stack.enter_context(run_in_progress(database))
        if database.engine == "sqlite":
            # It has one lock for all who write.
            database.execute("BEGIN IMMEDIATE")
            stack.callback(database.execute, "ROLLBACK")
        began = time.monotonic()
        answer = client.get("/api/assignments", headers=bearer(secret))
        assert answer.status_code == 200
        assert time.monotonic() - began < 5
    assert database.execute("SELECT last_used_at FROM dbo.access_key") == [(None,)] or database.engine != "sqlite"
    client.get("/api/assignments", headers=bearer(secret))
    assert database.execute("SELECT last_used_at FROM dbo.access_key") != [(None,)]
