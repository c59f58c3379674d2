"""The application locks of T-SQL: calls that wait for a run, calls that a run waits for, and refusals.

SQLite has one lock for all writers, and takes it itself; only the run lock is ours there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from agent_funnel import floor, planning, service
from agent_funnel.backends import Backend, connect
from agent_funnel.backends.sqlserver import SQLServer
from agent_funnel.errors import NoActiveAgent, RunInProgress
from agent_funnel.settings import load
from databases import Database, disconnect, snapshot
from nights import TODAY, actives, deal, fresh, put_agents, put_leads, undo
from processes import NOTHING_DUE, run_in_progress
from waits import wait_until_somebody_waits_for

# How long these calls wait for a lock, and how long a test watches that they do:
LOCK_WAIT = timedelta(seconds=2)
WATCH_SECONDS = 0.7
# What "at once" means on a busy machine:
AT_ONCE_SECONDS = 5.0
EVENING = datetime(2026, 11, 23, 20, 40, tzinfo=UTC)
on_t_sql = pytest.mark.parametrize("database", ["sqlserver"], indirect=True)


@pytest.fixture(scope="module")
def impatient(_sqlserver_ours: Database) -> Iterator[Backend]:
    """A backend for the database on the T-SQL engine that does not wait long; its session stays warm."""
    backend = connect(_sqlserver_ours.url, _sqlserver_ours.schema, lock_wait=LOCK_WAIT)
    yield backend
    disconnect(backend)


@pytest.fixture(scope="module")
def shouting(_sqlserver_ours: Database) -> Iterator[Backend]:
    """Another one, whose settings have the schema in capitals, which is the same to the server."""
    backend = connect(_sqlserver_ours.url, _sqlserver_ours.schema.upper(), lock_wait=timedelta(seconds=1))
    yield backend
    disconnect(backend)


@contextmanager
def lock_held(database: Database, beside: str) -> Iterator[None]:
    """Somebody else holds the run lock, or the lock of this name beside it, to the end of the block."""
    with closing(Database(database.url, database.schema)) as other:
        name = other.execute("SELECT DB_NAME()")[0][0]
        other.execute("BEGIN TRANSACTION")
        other.execute(
            """
            DECLARE @lock INT;
            EXECUTE @lock = sp_getapplock
                @Resource = %s, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 5000;
            IF @lock < 0
                THROW 50000, N'the lock is taken', 1;
            """,
            f"agent_funnel:{name}:{database.schema}{beside}",
        )
        yield
        other.execute("COMMIT TRANSACTION")


def record_failure(backend: Backend, attempt: int, day: date = TODAY) -> bool:
    return planning.record_failure(
        backend, load(), day, NoActiveAgent(), attempt=attempt, started_at=EVENING, finished_at=EVENING, actor="tests"
    )


def settle_date(backend: Backend, day: date) -> str | None:
    closes = EVENING + timedelta(hours=3)
    return planning.settle(backend, day, workday=True, closes_at=closes, now=closes)


def assign(backend: Backend, _: int) -> Any:
    return service.assign(backend, load(), business_date=TODAY)


# What each call is, the lock that it waits for, and the call; its number makes one unlike the other.
Call = Callable[[Backend, int], Any]
CALLS: dict[str, tuple[str, Call]] = {
    "a deal": (":records", assign),
    "an undo": (":records", lambda backend, _: service.undo(backend)),
    "a number for the list": (":records", lambda backend, n: service.add_do_not_contact(backend, f"00000{n}")),
    "a purge": (":records", lambda backend, _: service.purge(backend, datetime.now(UTC) + timedelta(days=1))),
    "a failed attempt": (":records", record_failure),
    "a date that passed": (":records", lambda backend, n: settle_date(backend, TODAY + timedelta(days=n))),
    "a new agent": (":agents", lambda backend, n: floor.add_agent(backend, f"new {n}")),
    "a call whose connection broke": ("", lambda backend, n: backend.one("settle", request=f"call {n}")),
}
# What the words of a refusal say was not done:
NOT_DONE = {
    "a deal": "nothing was done",
    "an undo": "nothing was done",
    "a number for the list": "was not put on the list",
    "a purge": "nothing was purged",
    "a failed attempt": "the failure was not recorded",
    "a date that passed": "nothing was recorded",
    "a new agent": "nothing was changed",
    "a call whose connection broke": "A run has been in progress all this time",
}


def some_deals(database: Database) -> None:
    put_agents(database, actives("A", "B"))
    put_leads(database, fresh(4))
    for _ in range(3):
        deal(database)


@pytest.mark.parametrize("what", CALLS)
@on_t_sql
def test_a_call_waits_for_its_lock(database: Database, impatient: Backend, what: str) -> None:
    beside, call = CALLS[what]
    some_deals(database)
    # Warm, so that what is watched below is the wait.
    call(impatient, 1)
    with ThreadPoolExecutor(1) as pool:
        with lock_held(database, beside):
            waiting = pool.submit(call, impatient, 2)
            time.sleep(WATCH_SECONDS)
            assert not waiting.done()
        waiting.result(timeout=60)


@pytest.mark.parametrize("what", CALLS)
@on_t_sql
def test_a_call_that_does_not_get_its_lock_in_time_is_refused_and_leaves_nothing_open(
    database: Database, impatient: Backend, what: str
) -> None:
    beside, call = CALLS[what]
    some_deals(database)
    before = snapshot(database)
    with lock_held(database, beside):
        with pytest.raises(RunInProgress, match=NOT_DONE[what]) as refused:
            call(impatient, 3)
    assert refused.value.number == 50001
    assert snapshot(database) == before
    # A deal that says no keeps its session, which the next call gets: nothing of the refused one is open in it.
    assert isinstance(impatient, SQLServer)
    impatient._queries["open"] = "SELECT @@TRANCOUNT AS transactions;"
    assert impatient.one("open") == {"transactions": 0}


@pytest.mark.parametrize("what", ["a failed attempt", "a date that passed", "a purge", "a new agent"])
@on_t_sql
def test_another_spelling_of_the_schema_is_no_way_round_a_lock(
    database: Database, shouting: Backend, what: str
) -> None:
    beside, call = CALLS[what]
    some_deals(database)
    with lock_held(database, beside):
        with pytest.raises(RunInProgress):
            call(shouting, 4)


def test_an_undo_is_refused_at_once_while_a_run_is_in_progress(database: Database) -> None:
    some_deals(database)
    # Has the session parse the procedure, so that what is measured is the refusal.
    undo(database)
    with run_in_progress(database):
        began = time.monotonic()
        with pytest.raises(RunInProgress):
            undo(database)
        assert time.monotonic() - began < AT_ONCE_SECONDS


def test_an_attempt_that_eight_copies_record_at_once_is_recorded_once(database: Database) -> None:
    for attempt in (1, 2):
        with ThreadPoolExecutor(8) as pool:
            recorded = list(pool.map(lambda _, attempt=attempt: record_failure(database.backend, attempt), range(8)))
        assert sorted(recorded) == [False] * 7 + [True]
    assert database.execute("SELECT attempt FROM dbo.assignment_failure ORDER BY attempt") == [(1,), (2,)]
    assert len(service.runs(database.backend)) == 2


@contextmanager
def scheduled_run_before_its_end(database: Database) -> Iterator[Callable[[], None]]:
    """A scheduled run of today that has done all but COMMIT; the block is given what lets it go on, to its end."""
    put_agents(database, actives("A"))
    put_leads(database, fresh(3))
    with closing(Database(database.url, database.schema)) as other, ThreadPoolExecutor(1) as pool:
        if database.engine == "sqlite":
            other.execute("BEGIN IMMEDIATE")
            other.execute(
                "INSERT INTO assignment_run (business_date, [trigger], status, max_per_agent, window_days,"
                " newest_first, started_at, finished_at) VALUES (%s, 'schedule', 'succeeded', 450, 45, 0,"
                " '2026-11-23 20:40:00.000', '2026-11-23 20:40:01.000')",
                str(TODAY),
            )
            yield lambda: other.execute("COMMIT").clear()
            return
        deal(database, NOTHING_DUE)
        other.execute("BEGIN TRANSACTION")
        # Written last of all by a deal: it has its record by then.
        other.execute("INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES ('nobody', '000002')")
        running = pool.submit(deal, database, trigger="schedule")
        wait_until_somebody_waits_for(other)

        def go_on() -> None:
            other.execute("ROLLBACK TRANSACTION")
            assert running.result(timeout=60).assigned == 3

        try:
            yield go_on
        finally:
            other.execute("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION")


def test_a_night_whose_run_is_about_to_end_is_not_recorded_as_missed(database: Database) -> None:
    settle_date(database.backend, TODAY - timedelta(days=1))
    with ThreadPoolExecutor(1) as pool, scheduled_run_before_its_end(database) as go_on:
        settling = pool.submit(settle_date, database.backend, TODAY)
        time.sleep(WATCH_SECONDS)
        assert not settling.done()
        go_on()
        assert settling.result(timeout=60) is None
    assert [night.outcome for night in planning.outcomes(database.backend)] == ["succeeded", "missed"]


def test_a_run_that_is_still_going_is_not_reported_as_never_made(database: Database) -> None:
    """The question after a broken connection waits for the end of whatever run there is."""
    database.backend.one("settle", request="another call")
    if database.engine == "sqlite":
        with scheduled_run_before_its_end(database) as go_on, ThreadPoolExecutor(1) as pool:
            asking = pool.submit(database.backend.one, "settle", request="this call")
            time.sleep(WATCH_SECONDS)
            assert not asking.done()
            go_on()
            assert asking.result(timeout=60) is None
        return
    with ThreadPoolExecutor(1) as pool:
        with run_in_progress(database):
            asking = pool.submit(database.backend.one, "settle", request="this call")
            time.sleep(WATCH_SECONDS)
            assert not asking.done()
        assert asking.result(timeout=60) is None
