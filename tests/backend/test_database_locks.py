"""Locks: calls that wait for a run, calls that a run waits for, and calls that are refused.

SQLite itself admits one writer at a time; the locks of runs are locks of the product there, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent_funnel import deal
from agent_funnel.access.keys import add_key
from agent_funnel.access.links import make_link
from agent_funnel.agents import add_agent, rename_agent
from agent_funnel.database import Database
from agent_funnel.database.sqlserver import SQLServer
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import AlreadyExists, NoActiveAgent, RunInProgress
from agent_funnel.hand_backs import hand_back_leads
from agent_funnel.rules import record_rules
from agent_funnel.runs import list_runs, purge
from agent_funnel.schedule import store
from agent_funnel.schedule.store import list_nights
from agent_funnel.settings import load
from support import LONG
from support.calls import Connected
from support.databases import TestedDatabase, connect_to, disconnect, snapshot
from support.locks import take_lock
from support.nights import TODAY, active_agents, fresh, put_agents, put_leads, run_deal, undo
from support.processes import NOTHING_DUE, run_in_progress
from support.waits import wait_until_somebody_waits

# How long calls that get their lock may wait for it, and how long a test watches that they do wait:
LOCK_WAIT = timedelta(seconds=2)
WATCH_SECONDS = 0.7
# How long calls wait that will be refused:
SHORT_WAIT = timedelta(milliseconds=300)
# The longest time that still counts as "at once" on a busy machine:
AT_ONCE_SECONDS = 5.0
EVENING = datetime(2026, 11, 23, 20, 40, tzinfo=UTC)
on_t_sql = pytest.mark.parametrize("database", ["sqlserver"], indirect=True)


@pytest.fixture(scope="module")
def impatient(_sqlserver_ours: TestedDatabase) -> Iterator[Database]:
    """A backend for the database on the T-SQL engine that does not wait long; it keeps its session."""
    backend = connect_to(_sqlserver_ours.url, _sqlserver_ours.schema, lock_wait=LOCK_WAIT)
    yield backend
    disconnect(backend)


@pytest.fixture(scope="module")
def shouting(_sqlserver_ours: TestedDatabase) -> Iterator[Database]:
    """Another such backend; its settings have the schema in capitals, which is the same schema to the server."""
    backend = connect_to(_sqlserver_ours.url, _sqlserver_ours.schema.upper())
    wait_for_locks(backend, SHORT_WAIT)
    yield backend
    disconnect(backend)


@contextmanager
def short_wait(backend: Database) -> Iterator[None]:
    """Makes the session of the backend wait only shortly for locks, to the end of the block.

    A second session would have to parse the procedures again, which takes longer than the tests.
    """
    wait_for_locks(backend, SHORT_WAIT)
    try:
        yield
    finally:
        wait_for_locks(backend, LOCK_WAIT)


def wait_for_locks(backend: Database, wait: timedelta) -> None:
    """Sets how long the session of the backend waits for a lock."""
    assert isinstance(backend, SQLServer)
    milliseconds = wait // timedelta(milliseconds=1)
    backend._queries["wait"] = f"SET LOCK_TIMEOUT {milliseconds}; SELECT @@LOCK_TIMEOUT AS milliseconds;"
    assert backend.one("wait") == {"milliseconds": milliseconds}


@contextmanager
def lock_held(database: TestedDatabase, name: str) -> Iterator[None]:
    """Somebody else holds the lock of this name to the end of the block."""
    with closing(TestedDatabase(database.url, database.schema)) as other:
        other.execute("BEGIN TRANSACTION")
        take_lock(other, name)
        yield
        other.execute("COMMIT TRANSACTION")


def record_failure(backend: Database, attempt: int, day: date = TODAY) -> bool:
    return store.record_failure(
        backend, load(), day, NoActiveAgent(), attempt=attempt, started_at=EVENING, finished_at=EVENING, actor="tests"
    )


def settle_date(backend: Database, day: date) -> str | None:
    closes = EVENING + timedelta(hours=3)
    return store.settle_date(backend, day, workday=True, closes_at=closes, now=closes)


def assign(backend: Database, _: int) -> Any:
    return deal.deal(backend, load(), business_date=TODAY, again=True)


def hand_back(backend: Database, n: int) -> Any:
    return hand_back_leads(backend, "AB"[n % 2], actor="tests", now=datetime.now(UTC), zone=ZoneInfo("UTC"))


# The lock that each call waits for, and the call; its number makes one call differ from the other.
Call = Callable[[Database, int], Any]
CALLS: dict[str, tuple[str, Call]] = {
    "a deal": ("records", assign),
    "an undo": ("records", lambda backend, _: deal.undo(backend)),
    "a number for the list": ("records", lambda backend, n: add_do_not_contact(backend, f"00000{n}")),
    "a purge": ("records", lambda backend, _: purge(backend, datetime.now(UTC) + timedelta(days=1))),
    "a rule": ("records", lambda backend, n: record_rules(backend, {"max_per_agent": n}, actor="tests")),
    "a failed attempt": ("records", record_failure),
    "a date that passed": ("records", lambda backend, n: settle_date(backend, TODAY + timedelta(days=n))),
    "a new name": ("records", lambda backend, n: rename_agent(backend, "A1" if n == 2 else "A", f"A{n}")),
    "a hand-back": ("records", hand_back),
    "a new agent": ("agents", lambda backend, n: add_agent(backend, f"new {n}")),
    "a call whose connection broke": ("records", lambda backend, n: backend.one("run_of_request", request=f"call {n}")),
}
# The words of each refusal that say which change was not made:
NOT_DONE = {
    "a deal": r"for \d+ s; nothing was changed",
    "an undo": r"for \d+ s; nothing was changed",
    "a number for the list": "no number was put on the list",
    "a purge": "nothing was purged",
    "a rule": "no rule was changed",
    "a failed attempt": "the failure was not recorded",
    "a date that passed": "no outcome was recorded",
    "a new name": "nothing was renamed",
    "a hand-back": "A run is still in progress; nothing was changed",
    "a new agent": "nothing was changed",
    "a call whose connection broke": "not known yet whether the call made its run",
}


def some_deals(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4))
    for _ in range(3):
        run_deal(database)


@pytest.mark.parametrize("what", CALLS)
@on_t_sql
def test_a_call_waits_for_its_lock(database: TestedDatabase, impatient: Database, what: str) -> None:
    lock, call = CALLS[what]
    some_deals(database)
    # The first call warms the session, so that only the wait is measured below.
    call(impatient, 1)
    with ThreadPoolExecutor(1) as pool:
        with lock_held(database, lock):
            waiting = pool.submit(call, impatient, 2)
            time.sleep(WATCH_SECONDS)
            assert not waiting.done()
        waiting.result(timeout=60)


@pytest.mark.parametrize("what", CALLS)
@on_t_sql
def test_a_call_that_does_not_get_its_lock_in_time_is_refused_and_leaves_nothing_open(
    database: TestedDatabase, impatient: Database, what: str
) -> None:
    lock, call = CALLS[what]
    some_deals(database)
    before = snapshot(database)
    with short_wait(impatient), lock_held(database, lock):
        with pytest.raises(RunInProgress, match=NOT_DONE[what]) as refused:
            call(impatient, 3)
    assert refused.value.number == 50001
    assert snapshot(database) == before
    # After a refusal the next call gets the same session: nothing of the refused call is open in it.
    assert isinstance(impatient, SQLServer)
    impatient._queries["open"] = "SELECT @@TRANCOUNT AS transactions;"
    assert impatient.one("open") == {"transactions": 0}


@pytest.mark.parametrize("what", ["a failed attempt", "a date that passed", "a purge", "a new agent"])
@on_t_sql
def test_another_spelling_of_the_schema_does_not_avoid_a_lock(
    database: TestedDatabase, shouting: Database, what: str
) -> None:
    lock, call = CALLS[what]
    some_deals(database)
    with lock_held(database, lock):
        with pytest.raises(RunInProgress):
            call(shouting, 4)


def test_an_undo_is_refused_at_once_while_a_run_is_in_progress(database: TestedDatabase) -> None:
    some_deals(database)
    # The session parses the procedure now, so that only the refusal is measured below.
    undo(database)
    with run_in_progress(database):
        began = time.monotonic()
        with pytest.raises(RunInProgress):
            undo(database)
        assert time.monotonic() - began < AT_ONCE_SECONDS


def test_an_attempt_that_eight_copies_record_at_once_is_recorded_once(database: TestedDatabase) -> None:
    for attempt in (1, 2):
        with ThreadPoolExecutor(8) as pool:
            recorded = list(pool.map(lambda _, attempt=attempt: record_failure(database.backend, attempt), range(8)))
        assert sorted(recorded) == [False] * 7 + [True]
    assert database.execute("SELECT attempt FROM dbo.assignment_failure ORDER BY attempt") == [(1,), (2,)]
    assert len(list_runs(database.backend)) == 2


# Calls that leave one thing in use however many sessions make them at once: each with its table, and the column that is
# NULL in what is in use.
ONE_IN_USE: dict[str, tuple[Call, str, str]] = {
    "a key": (lambda backend, _: with_or_without_a_key(backend), "access_key", "revoked_at"),
    "a link": (lambda backend, _: make_link(backend, "A"), "agent_link", "revoked_at"),
    "a pause": (
        lambda backend, _: store.pause(backend, now=EVENING, actor="Ana", reason=None), "schedule_pause", "resumed_at",
    ),
}  # fmt: skip
# Without a lock, one race in four or five leaves two; so a few races of each call nearly always show it.
RACES = 30 if LONG else 5


def with_or_without_a_key(backend: Database) -> None:
    with suppress(AlreadyExists):
        add_key(backend, "Ana", "viewer")


def test_keys_links_and_pauses_that_four_sessions_make_at_once_leave_one_in_use(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    start = Barrier(4)

    def call_together(call: Call) -> None:
        start.wait(timeout=60)
        call(database.backend, 0)

    with ThreadPoolExecutor(4) as pool:
        for race in range(RACES):
            for what, (call, table, ended) in ONE_IN_USE.items():
                list(pool.map(call_together, [call] * 4))
                in_use = database.execute(f"SELECT COUNT(*) FROM dbo.{table} WHERE {ended} IS NULL")
                assert in_use == [(1,)], f"{what}, race {race}"
                database.execute(f"DELETE FROM dbo.{table}")


@contextmanager
def scheduled_run_before_its_end(database: TestedDatabase) -> Iterator[Callable[[], None]]:
    """A scheduled run of today that has done everything but COMMIT; yields a function that lets it finish."""
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    with closing(TestedDatabase(database.url, database.schema)) as other, ThreadPoolExecutor(1) as pool:
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
        run_deal(database, NOTHING_DUE)
        other.execute("BEGIN TRANSACTION")
        # Written last of all by a deal: it has its record by then.
        other.execute("INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES ('nobody', '000002')")
        running = pool.submit(run_deal, database, trigger="schedule")
        wait_until_somebody_waits(database, running)

        def go_on() -> None:
            other.execute("ROLLBACK TRANSACTION")
            assert running.result(timeout=60).assigned == 3

        try:
            yield go_on
        finally:
            other.execute("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION")


@on_t_sql
def test_a_look_for_a_run_tests_the_lock_of_the_looks_and_leaves_the_run_lock_alone(database: TestedDatabase) -> None:
    with lock_held(database, ""):
        assert not database.backend.run_in_progress()
    with lock_held(database, "looks"):
        assert database.backend.run_in_progress()


def test_a_night_whose_run_is_about_to_end_is_not_recorded_as_missed(
    database: TestedDatabase, connected: Connected
) -> None:
    # In a session of its own, which has sent the query before: a new session alone would take longer than the watch.
    backend = connected(database)
    settle_date(backend, TODAY - timedelta(days=1))
    with ThreadPoolExecutor(1) as pool, scheduled_run_before_its_end(database) as go_on:
        settling = pool.submit(settle_date, backend, TODAY)
        time.sleep(WATCH_SECONDS)
        assert not settling.done()
        go_on()
        assert settling.result(timeout=60) is None
    assert [night.outcome for night in list_nights(database.backend)] == ["succeeded", "missed"]


def test_a_run_that_is_still_going_is_not_reported_as_never_made(database: TestedDatabase) -> None:
    """After a broken connection, the question what became of the call waits until no run is in progress."""
    database.backend.one("run_of_request", request="another call")
    if database.engine == "sqlite":
        with scheduled_run_before_its_end(database) as go_on, ThreadPoolExecutor(1) as pool:
            asking = pool.submit(database.backend.one, "run_of_request", request="this call")
            time.sleep(WATCH_SECONDS)
            assert not asking.done()
            go_on()
            assert asking.result(timeout=60) is None
        return
    with ThreadPoolExecutor(1) as pool:
        with run_in_progress(database):
            asking = pool.submit(database.backend.one, "run_of_request", request="this call")
            time.sleep(WATCH_SECONDS)
            assert not asking.done()
        assert asking.result(timeout=60) is None
