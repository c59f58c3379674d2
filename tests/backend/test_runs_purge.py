"""Purge, on both engines: the history that it removes and keeps, and that it does not block others."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from agent_funnel.errors import NothingToUndo
from agent_funnel.runs import Purged, find_run, last_run, list_runs, purge
from agent_funnel.sql import queries, statements
from support import LONG
from support.databases import TestedDatabase, snapshot
from support.nights import (
    TODAY,
    active_agents,
    fresh,
    numbers_by_agent,
    put_agents,
    put_leads,
    run_deal,
    stages,
    stored_assignments,
    stored_history,
    undo,
)
from support.processes import run_in_progress
from support.reported import Report, put_outcomes, reported_of

# The leads of the test with deals during a purge, and the rows of a batch: the purge needs many batches.
LEADS = 5_000 if LONG else 600
BATCH = 20
# Longer than a small purge takes on a busy machine, and much shorter than the 30 s that a statement waits for a lock:
PATIENCE_SECONDS = 15.0


def far_future() -> datetime:
    """A moment after the end of every run."""
    return datetime.now(UTC) + timedelta(days=1)


def rows_of_history(database: TestedDatabase) -> dict[int, int]:
    """The number of rows of history of each run."""
    return dict(database.execute("SELECT run_id, COUNT(*) FROM dbo.assignment_history GROUP BY run_id"))


def make_runs(database: TestedDatabase, count: int, leads: int = 10) -> list[int]:
    """Makes this many runs, and before each of them an assignment by somebody else; returns their numbers."""
    put_agents(database, active_agents("A", "B"))
    found = []
    for night in range(count):
        put_leads(database, fresh(leads, start=1 + night * leads))
        database.insert("agent_wafunnel_assignment", ("agent", "number"), [("B", f"put there {night}")])
        found.append(run_deal(database, TODAY + timedelta(days=night)).run_id)
    return found


def test_a_purge_keeps_the_outcomes_that_keep_leads_out_and_call_backs_to_come(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(8))
    first = run_deal(database).run_id
    history = sorted(stored_history(database, first), key=lambda row: row[1])
    reports = [
        Report(0, "won"), Report(1, "lost"), Report(2, "wrong_number"), Report(3, "call_back", 30),
        Report(4, "call_back", 1), Report(5, "call_back", 2), Report(6, "talked"), Report(7, "no_answer"),
    ]  # fmt: skip
    put_outcomes(database, reported_of(reports, first, TODAY, history))
    database.execute("INSERT INTO dbo.assignment_hand_back_lead SELECT outcome_id, 1 FROM dbo.assignment_outcome")
    # Tomorrow hands out number 5, the day after number 6; these two runs can be undone.
    used_up, due_again = run_deal(database, TODAY + timedelta(days=1)), run_deal(database, TODAY + timedelta(days=2))
    kept = {"000001", "000002", "000003", "000004"}

    def left() -> set[str]:
        return {number for (number,) in database.execute("SELECT number FROM dbo.assignment_outcome")}

    assert purge(database.backend, far_future()) == Purged(runs=1, rows=8 + 2 + 2)
    assert left() == kept | {"000005", "000006"}
    assert database.execute("SELECT COUNT(*) FROM dbo.assignment_hand_back_lead") == [(6,)]
    run_deal(database, TODAY + timedelta(days=3))
    purged = purge(database.backend, far_future())
    assert (purged.runs, left()) == (1, kept | {"000006"})
    handed_out = database.execute("SELECT run_id FROM dbo.assignment_call_back")
    assert handed_out == [(due_again.run_id,)] != [(used_up.run_id,)]
    undo(database)
    with pytest.raises(NothingToUndo):
        undo(database)


def test_a_purge_removes_history_but_never_the_part_that_the_last_undo_needs(database: TestedDatabase) -> None:
    *old, before, last = make_runs(database, 5)
    history = rows_of_history(database)
    rest = snapshot(database)
    purged = purge(database.backend, far_future())

    edits = 1  # one assignment was added before each run
    assert purged == Purged(runs=3, rows=sum(history[run] + edits for run in old))
    assert rows_of_history(database) == {before: history[before], last: history[last]}
    edited = database.execute("SELECT DISTINCT run_id FROM dbo.assignment_edit")
    assert sorted(edited) == [(before,), (last,)]
    # The runs stay on record, with the moment when their history was purged.
    records = {run.run_id: run for run in list_runs(database.backend)}
    assert [records[run].purged_at is not None for run in (*old, before, last)] == [True] * 3 + [False] * 2
    after = snapshot(database)
    for table in rest.keys() - {"assignment_history", "assignment_edit", "assignment_purge"}:
        assert after[table] == rest[table]

    # The undo of the last run does everything that it would have done.
    undone = undo(database)
    assert (undone.run_id, undone.restored, undone.changed_since) == (last, history[last], 0)
    assert undone.assignments == history[before] + edits
    with pytest.raises(NothingToUndo):
        undo(database)


def test_a_purge_removes_the_history_of_undone_runs_which_are_never_the_last_run(database: TestedDatabase) -> None:
    first, second, third, fourth = make_runs(database, 4)
    undo(database)
    undo(database)
    assert purge(database.backend, far_future()).runs == 2
    assert rows_of_history(database).keys() == {first, second}
    assert [find_run(database.backend, run).purged_at is not None for run in (third, fourth)] == [True, True]
    assert [undo(database).run_id, undo(database).run_id] == [second, first]


def test_a_purge_affects_only_runs_that_ended_before_its_moment(database: TestedDatabase) -> None:
    runs = make_runs(database, 5)
    for days_ago, run in zip((100, 91, 90, 89, 1), runs, strict=True):
        ended = (datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days_ago)).isoformat(" ", "milliseconds")
        database.execute("UPDATE dbo.assignment_run SET finished_at = %s WHERE run_id = %s", ended, run)
    assert purge(database.backend, datetime.now(UTC) - timedelta(days=90, minutes=1)).runs == 2
    assert rows_of_history(database).keys() == set(runs[2:])
    assert purge(database.backend, datetime.now(UTC) - timedelta(days=90, minutes=1)) == Purged(0, 0)
    assert purge(database.backend, datetime.now(UTC) - timedelta(days=365)) == Purged(0, 0)


def test_a_purge_of_an_empty_database_is_a_success(database: TestedDatabase) -> None:
    assert purge(database.backend, far_future()) == Purged(0, 0)


def test_a_purge_works_in_batches_and_reports_each(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.runs.PURGE_BATCH", 3)
    runs = make_runs(database, 3, leads=7)
    steps: list[int] = []
    purged = purge(database.backend, far_future(), progress=steps.append)
    # Seven rows of history, one of edits, and none of outcomes, call-backs and hand-backs.
    assert steps == [3, 3, 1, 1, 0, 0, 0]
    assert purged == Purged(runs=1, rows=8)
    assert rows_of_history(database).keys() == set(runs[1:])


def test_the_next_purge_continues_an_interrupted_one(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.runs.PURGE_BATCH", 3)
    first, second, third = make_runs(database, 3, leads=7)

    def interrupt(deleted: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        purge(database.backend, far_future(), progress=interrupt)
    # The runs that it began to purge are marked, so that nobody takes half a history for a complete one.
    assert rows_of_history(database)[first] == 4
    assert find_run(database.backend, first).purged_at is not None
    assert undo(database).run_id == third
    with pytest.raises(NothingToUndo, match=f"the history of run {first} has been purged"):
        undo(database, second)

    # It finds no further runs, but the remaining rows; with an earlier moment as well, since their runs are marked.
    assert purge(database.backend, datetime.now(UTC) - timedelta(days=365)) == Purged(runs=0, rows=5)
    assert rows_of_history(database).keys() == {second, third}


def test_runs_and_undos_succeed_during_a_purge(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.runs.PURGE_BATCH", BATCH)
    put_agents(database, active_agents(*(f"agent {number}" for number in range(5))))
    put_leads(database, fresh(LEADS))
    for _ in range(3):
        run_deal(database, max_per_agent=LEADS)
    assert set(stages(database).values()) == {4}
    put_leads(database, fresh(20, start=900_000))
    run_deal(database)
    kept = run_deal(database).run_id
    seen = stored_assignments(database)

    begun = threading.Event()
    batches: list[int] = []

    def count(deleted: int) -> None:
        batches.append(deleted)
        begun.set()

    dealt = 0
    with closing(TestedDatabase(database.url, database.schema)) as other, ThreadPoolExecutor(1) as pool:
        purging = pool.submit(purge, other.backend, far_future(), progress=count)
        assert begun.wait(timeout=60)
        while not purging.done():
            run_deal(database)
            undo(database)
            dealt += 1
            # SQLite has no queue for writers: one that never pauses may keep another one waiting.
            time.sleep(0.02)
        purged = purging.result()
    assert len(batches) >= 3 * LEADS / BATCH
    # If a deal had to wait for the whole purge, there would be only one.
    assert dealt >= 2
    assert purged.rows >= 3 * LEADS
    # Everything that the last undo needs is still there.
    assert stored_assignments(database) == seen
    assert rows_of_history(database)[kept] == 20
    assert undo(database).run_id == kept


def test_a_purge_does_not_wait_for_the_lock_that_decides_between_runs(database: TestedDatabase) -> None:
    make_runs(database, 3)
    with run_in_progress(database, locks=("", "looks")):
        began = time.monotonic()
        assert purge(database.backend, far_future()).runs == 1
        assert time.monotonic() - began < PATIENCE_SECONDS


def test_a_purge_leaves_the_present_deal_alone(database: TestedDatabase) -> None:
    make_runs(database, 4)
    seen = numbers_by_agent(database), stages(database), last_run(database.backend)
    purge(database.backend, far_future())
    assert (numbers_by_agent(database), stages(database), last_run(database.backend)) == seen


@pytest.mark.parametrize("query", ["purge_history", "purge_edits"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_batch_reads_only_the_rows_that_it_deletes(database: TestedDatabase, query: str) -> None:
    """Otherwise every batch, above all the last one, would delay a run by the time it takes to read all history."""
    (delete, _) = statements(queries("sqlite")[query])
    plan = [row[3] for row in database.raw.execute("EXPLAIN QUERY PLAN " + delete, {"count": 10}).fetchall()]
    assert "SCAN p" in plan
    assert not any(step.startswith("SCAN") and step != "SCAN p" for step in plan), plan
