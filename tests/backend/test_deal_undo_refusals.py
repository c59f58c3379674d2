"""Undo, on both engines: its refusals, its interruptions, and calls by other clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_funnel.errors import ConnectionLost, NothingToUndo, PoolChanged, RunInProgress
from agent_funnel.runs import list_runs, purge
from agent_funnel.values import Row
from support.databases import TestedDatabase, snapshot
from support.nights import (
    active_agents,
    assert_undo_refused,
    fresh,
    put_agents,
    put_leads,
    run_deal,
    stages,
    stages_and_assignments,
    stored_assignments,
    undo,
)
from support.processes import run_in_progress
from support.waits import wait_until_somebody_waits

# ---- Refusals


def test_only_the_last_run_can_be_undone_and_the_refusal_names_it(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    first, second, third = (run_deal(database).run_id for _ in range(3))
    assert_undo_refused(
        database, first, f"Run {first} is not the last run; nothing was changed. Only run {third} can be undone now."
    )
    assert undo(database, third).run_id == third
    assert_undo_refused(
        database, third, f"Run {third} is undone already; nothing was changed. Only run {second} can be undone now."
    )
    unknown = third + 100
    assert_undo_refused(
        database, unknown, f"There is no run {unknown}; nothing was changed. Only run {second} can be undone now."
    )
    assert undo(database, second).run_id == second
    assert undo(database).run_id == first
    assert_undo_refused(
        database, first, f"Run {first} is undone already; nothing was changed. There is no run to undo."
    )
    assert_undo_refused(database, unknown, f"There is no run {unknown}; nothing was changed. There is no run to undo.")
    assert_undo_refused(database, None, "There is no run to undo; nothing was changed.")


def test_an_undo_that_needs_purged_history_is_refused_and_names_the_run(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    first, second, third = (run_deal(database).run_id for _ in range(3))
    purge(database.backend, datetime.now(UTC) + timedelta(days=1))
    assert undo(database).run_id == third
    # Its own history is there, but not that of the assignments that would have to come back.
    purged = f"Run {second} cannot be undone: the history of run {first} has been purged; nothing was changed."
    assert_undo_refused(database, None, purged)
    assert_undo_refused(database, second, purged)
    assert_undo_refused(
        database,
        first,
        f"Run {first} is not the last run; nothing was changed. "
        "No run can be undone: the history needed has been purged.",
    )
    # Runs from here on have their history.
    fourth = run_deal(database).run_id
    assert undo(database).run_id == fourth


def test_an_undo_is_refused_while_a_run_is_in_progress(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    run = run_deal(database)
    before = snapshot(database)
    with run_in_progress(database):
        with pytest.raises(RunInProgress) as refused:
            undo(database)
        assert refused.value.number == 50001
        assert snapshot(database) == before
    assert undo(database).run_id == run.run_id


@pytest.mark.parametrize("done", [True, False], ids=["was done", "was not done"])
def test_an_undo_whose_connection_broke_undoes_exactly_one_run(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    run_deal(database)
    seen = stages_and_assignments(database)
    second = run_deal(database).run_id
    ask: Callable[..., Row | None] = database.backend.one
    undos: list[int] = []

    def breaks_once(name: str, **parameters: Any) -> Row | None:
        if name != "undo":
            return ask(name, **parameters)
        undos.append(parameters["run_id"])
        answer = ask(name, **parameters) if done or len(undos) > 1 else None
        if len(undos) == 1:
            raise ConnectionLost
        return answer

    monkeypatch.setattr(database.backend, "one", breaks_once)
    assert undo(database).run_id == second
    assert undos == [second] * (1 if done else 2)
    assert stages_and_assignments(database) == seen
    assert [run.status for run in list_runs(database.backend)] == ["undone", "succeeded"]


@contextmanager
def undo_that_finds_a_lead_changing(database: TestedDatabase, undo_it: Callable[[], Any]) -> Iterator[Future[Any]]:
    """An undo that has counted the leads and waits for one that another session is changing; it then commits."""
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    run_deal(database)
    # Makes the session parse the procedure, so that the undo below waits only for the lead.
    with pytest.raises(NothingToUndo):
        undo(database, 0)
    with closing(TestedDatabase(database.url, database.schema)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN TRANSACTION")
        other.execute("UPDATE dbo.wafunnel SET stage = 4 WHERE number = '000002'")
        future = pool.submit(undo_it)
        wait_until_somebody_waits(database, future)
        other.execute("COMMIT TRANSACTION")
        yield future


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_an_undo_that_meets_a_lead_being_changed_is_tried_again_and_leaves_it_alone(database: TestedDatabase) -> None:
    with undo_that_finds_a_lead_changing(database, lambda: undo(database)) as future:
        undone = future.result(timeout=60)
    assert (undone.restored, undone.changed_since) == (2, 1)
    assert stages(database) == {"000001": 1, "000002": 4, "000003": 1}


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_an_undo_that_cannot_count_the_leads_it_restored_changes_nothing(database: TestedDatabase) -> None:
    # The service would undo again and hide the error, so this calls the query.
    with undo_that_finds_a_lead_changing(
        database, lambda: database.backend.one("undo", run_id=None, actor=None)
    ) as future:
        with pytest.raises(PoolChanged) as refused:
            future.result(timeout=60)
    assert refused.value.number == 50004
    assert stages(database) == {"000001": 2, "000002": 4, "000003": 2}
    assert len(stored_assignments(database)) == 3
    assert database.execute("SELECT COUNT(*) FROM dbo.assignment_undo") == [(0,)]


@pytest.mark.parametrize("bare_database", ["sqlserver"], indirect=True)
@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_an_undo_in_one_schema_leaves_the_tables_of_another_alone(
    database: TestedDatabase, bare_database: TestedDatabase
) -> None:
    """Some statements of Babelfish ignore the schema that is written in them."""
    for each in (database, bare_database):
        put_agents(each, active_agents("A"))
        put_leads(each, fresh(3))
        run_deal(each)
    before = snapshot(database)
    assert undo(bare_database).restored == 3
    assert snapshot(database) == before


# ---- Other clients


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_plain_exec_undoes_the_last_run_and_returns_one_row(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4))
    run_deal(database)
    seen = stages_and_assignments(database)
    run = run_deal(database)
    with database.raw.cursor(as_dict=True) as cursor:
        cursor.execute("EXEC sp_undo_wafunnel_assignment;")
        (row,) = cursor.fetchall()
        assert not cursor.nextset()
    assert list(row) == [
        "run_id", "business_date", "undone_at", "actor", "restored", "changed_since", "assignments", "suppressed",
    ]  # fmt: skip
    assert (row["run_id"], row["actor"], row["restored"], row["assignments"]) == (run.run_id, None, 4, 4)
    assert stages_and_assignments(database) == seen
    assert database.execute("SELECT @@TRANCOUNT") == [(0,)]
