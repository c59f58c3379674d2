"""Concurrency: two deals, a number put on the do-not-contact list during a deal, a lead changed during a deal."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from agent_funnel.deal import deal
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import PoolChanged, RunInProgress
from agent_funnel.runs import Run
from agent_funnel.settings import load
from support import LONG
from support.calls import pauses
from support.databases import TestedDatabase, snapshot
from support.locks import lock_is_held, take_lock
from support.nights import TODAY
from support.processes import NOTHING_DUE, run_in_progress, warm_dealers, warm_up

# The short version and, with FUNNEL_TEST_LONG=1, the long one:
DEALERS = 3 if LONG else 2
RACES = 60 if LONG else 2
SHORT_RACES = 1_000 if LONG else 40
LISTINGS = 100 if LONG else 8

pytestmark = pytest.mark.timeout(3600 if LONG else 300)

AGENTS = 50
# Enough leads that processes which start together meet in the middle of a deal:
LEADS = 20_000
# How long a blocked deal gets to reach the lock it waits for, in a warm session and with a handful of leads:
STEADY_SECONDS = 2.0
# The longest time that counts as "at once" on a busy machine:
AT_ONCE_SECONDS = 5.0


def fill(database: TestedDatabase, leads: int) -> None:
    database.insert("agents", ("agent", "status"), [(f"agent {n:03}", "active") for n in range(AGENTS)])
    database.insert(
        "wafunnel", ("number", "stage", "date"), [(f"4930{n:06}", 1, "2026-11-10 08:00:00.000") for n in range(leads)]
    )


def assert_dealt_one_after_the_other(database: TestedDatabase, runs: list[int]) -> None:
    """Each lead was at stage 1 and every one of these runs dealt all leads: no run saw another one halfway."""
    history = database.execute("SELECT run_id, number, stage FROM dbo.assignment_history")
    leads = dict(database.execute("SELECT number, stage FROM dbo.wafunnel"))
    expected = {(run, number, 1 + place) for place, run in enumerate(sorted(runs)) for number in leads}
    assert len(history) == len(expected)
    assert set(history) == expected
    assert set(leads.values()) == {1 + len(runs)}
    assignments = database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")
    newest = database.execute("SELECT agent, number FROM dbo.assignment_history WHERE run_id = %s", max(runs))
    assert sorted(assignments) == sorted(newest)
    assert database.execute("SELECT COUNT(*) FROM dbo.assignment_run WHERE status <> 'succeeded'") == [(0,)]


@contextmanager
def another_session(database: TestedDatabase) -> Iterator[Any]:
    """A cursor of a separate session on the T-SQL engine; nothing is committed unless the test commits it."""
    with closing(TestedDatabase(database.url, database.schema)) as other:
        yield other.raw.cursor()


def test_of_deals_that_start_together_one_succeeds_and_the_others_are_refused(
    database: TestedDatabase, tmp_path: Path
) -> None:
    fill(database, LEADS)
    refused = 0
    with warm_dealers(database, tmp_path, TODAY, DEALERS) as dealers:
        for _ in range(RACES):
            # Warm them up before each race, though none should have lost its session since.
            warm_up(dealers)
            for table in ("assignment_run", "assignment_history", "agent_wafunnel_assignment"):
                database.execute(f"DELETE FROM dbo.{table}")
            database.execute("UPDATE dbo.wafunnel SET stage = 1")

            moment = time.time() + 0.05
            for dealer in dealers:
                dealer.tell("deal", moment)
            answers = [dealer.answer() for dealer in dealers]

            won = [answer for answer in answers if isinstance(answer.result, int)]
            lost = [answer for answer in answers if not isinstance(answer.result, int)]
            assert won
            assert {answer.result for answer in lost} <= {"RunInProgress"}
            # A deal is refused only if another deal really is in progress, not because of one that is refused too.
            for loser in lost:
                assert any(winner.began <= loser.ended and loser.began <= winner.ended for winner in won)
            runs = sorted(int(winner.result) for winner in won)
            assert database.execute("SELECT run_id FROM dbo.assignment_run ORDER BY run_id") == [(run,) for run in runs]
            assert_dealt_one_after_the_other(database, runs)
            refused += len(lost)
    # A process that the system kept waiting may start after the first deal and then rightly succeeds too; not all do.
    assert refused >= RACES


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_two_deals_that_start_together_never_refuse_each_other(database: TestedDatabase, tmp_path: Path) -> None:
    # SQLite takes the lock of a file in steps, in which two deals can block each other; an application lock has none.
    fill(database, 10)
    with warm_dealers(database, tmp_path, TODAY, 2) as dealers:
        for _ in range(SHORT_RACES):
            moment = time.time() + 0.02
            for dealer in dealers:
                dealer.tell("deal", moment)
            results = [dealer.answer().result for dealer in dealers]
            assert any(isinstance(result, int) for result in results)
            assert all(isinstance(result, int) or result == "RunInProgress" for result in results)


@pytest.mark.parametrize("dies", [False, True], ids=["lets go", "dies"])
def test_a_deal_is_refused_at_once_while_another_is_open_and_works_when_that_one(
    database: TestedDatabase, dies: bool
) -> None:
    fill(database, 100)
    # This also warms up the session, so that the time measured below is that of the refusal.
    deal(database.backend, load(), business_date=TODAY, again=True)
    before = snapshot(database)

    with run_in_progress(database, dies=dies):
        began = time.monotonic()
        with pytest.raises(RunInProgress) as refusal:
            deal(database.backend, load(), business_date=TODAY, again=True)
        assert time.monotonic() - began < AT_ONCE_SECONDS
        assert refusal.value.number == 50001
        assert snapshot(database) == before

    run = deal(database.backend, load(), business_date=TODAY, again=True)
    assert run.assigned == 100
    assert_dealt_one_after_the_other(
        database, [run_id for (run_id,) in database.execute("SELECT run_id FROM dbo.assignment_run")]
    )


def test_a_number_listed_during_a_deal_is_in_no_assignment_afterwards(database: TestedDatabase) -> None:
    fill(database, 5_000)

    def deal_after(delay: float = 0.0) -> Run | RunInProgress:
        time.sleep(delay)
        try:
            return deal(database.backend, load(), business_date=TODAY, again=True)
        except RunInProgress as error:
            return error

    def prepare() -> None:
        database.execute("UPDATE dbo.wafunnel SET stage = 1")

    def assert_gone(number: str) -> None:
        assert database.execute("SELECT COUNT(*) FROM dbo.do_not_contact_entry WHERE number = %s", number) == [(1,)]
        left = database.execute("SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment WHERE number = %s", number)
        assert left == [(0,)]

    numbers = iter(random.sample([f"4930{n:06}" for n in range(5_000)], LISTINGS + 2))

    # One clearly after the other, in both orders:
    deal(database.backend, load(), business_date=TODAY, again=True)
    number = next(numbers)
    assert add_do_not_contact(database.backend, number)["assignments"] == 1
    assert_gone(number)

    prepare()
    number = next(numbers)
    add_do_not_contact(database.backend, number)
    began = time.monotonic()
    run = deal(database.backend, load(), business_date=TODAY, again=True)
    duration = time.monotonic() - began
    assert (run.assigned, run.suppressed) == (4_998, 2)
    assert_gone(number)

    # Then at the same time, from just before the deal to its last moment:
    with ThreadPoolExecutor(2) as pool:
        # From here on two sessions are needed; this warms up the second one.
        both = [future.result() for future in (pool.submit(deal_after), pool.submit(deal_after))]
        assert any(isinstance(dealt, Run) for dealt in both)
        for attempt, number in enumerate(numbers):
            prepare()
            delay = duration * (1.3 * (attempt + random.random()) / LISTINGS - 0.2)
            dealt = pool.submit(deal_after, max(0.0, -delay))
            time.sleep(max(0.0, delay))
            add_do_not_contact(database.backend, number, "asked not to be called")
            # However the two meet, neither is refused: one of them waits.
            assert isinstance(dealt.result(), Run)
            assert_gone(number)
    assert database.execute("SELECT COUNT(*) FROM dbo.do_not_contact_entry") == [(LISTINGS + 2,)]


@contextmanager
def deal_blocked_by_a_changed_lead(
    database: TestedDatabase, stage: int, act: Any
) -> Iterator[tuple[Future[Any], Any, ThreadPoolExecutor]]:
    """A deal that has read the pool and waits for one lead, whose stage another session is changing.

    This needs readers that do not wait for writers, as on Babelfish, and on SQL Server with READ_COMMITTED_SNAPSHOT.
    The test ends the other session's transaction with the cursor.
    """
    fill(database, 100)
    # The later deal uses the same session as this one, so it need not parse the procedure.
    deal(database.backend, load(), business_date=NOTHING_DUE, again=True)
    with another_session(database) as cursor, ThreadPoolExecutor(2) as pool:
        cursor.execute("BEGIN TRANSACTION;")
        try:
            cursor.execute(f"UPDATE {database.schema}.wafunnel SET stage = {stage} WHERE number = '4930000042';")
            future = pool.submit(act)
            time.sleep(STEADY_SECONDS)
            assert not future.done()
            yield future, cursor, pool
        finally:
            # Without this, a failed test would wait for a deal that waits for this session.
            cursor.execute("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;")


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_lead_that_changes_during_the_deal_ends_it_with_pool_changed_and_nothing_else_changes(
    database: TestedDatabase,
) -> None:
    parameters = {
        "business_date": TODAY.isoformat(), "max_per_agent": 450, "window_days": 45, "newest_first": 0, "country": None,
        "voice": None, "skip_date": None, "skip_until": None,
        "trigger": "manual", "actor": None, "request": None, "again": 1,
    }  # fmt: skip
    with deal_blocked_by_a_changed_lead(
        # The service would deal again and hide the error, so this calls the query.
        database, 3, lambda: database.backend.one("assign", **parameters)
    ) as (future, cursor, _):  # fmt: skip
        before = snapshot(database)
        cursor.execute("COMMIT TRANSACTION;")
        with pytest.raises(PoolChanged) as refusal:
            future.result(timeout=60)
    assert refusal.value.number == 50004
    assert database.execute("SELECT number, stage FROM dbo.wafunnel WHERE stage <> 1") == [("4930000042", 3)]
    database.execute("UPDATE dbo.wafunnel SET stage = 1")
    assert snapshot(database) == before


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_the_service_deals_again_after_a_lead_changed_during_the_deal(
    database: TestedDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with deal_blocked_by_a_changed_lead(
        database, 3, lambda: deal(database.backend, load(), business_date=TODAY, again=True)
    ) as (
        future,
        cursor,
        _,
    ):
        previous = database.execute("SELECT MAX(run_id) FROM dbo.assignment_run")[0][0]
        cursor.execute("COMMIT TRANSACTION;")
        run = future.result(timeout=120)
    assert run.assigned == 100
    # There was exactly one attempt before, which did not get as far as a number.
    assert len(pauses(caplog)) == 1
    assert run.run_id == previous + 1
    dealt_at = database.execute("SELECT stage, COUNT(*) FROM dbo.assignment_history GROUP BY stage ORDER BY stage")
    assert dealt_at == [(1, 99), (3, 1)]
    assert database.execute("SELECT stage, COUNT(*) FROM dbo.wafunnel GROUP BY stage ORDER BY stage") == [
        (2, 99), (4, 1),
    ]  # fmt: skip
    assert len(database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")) == 100


def wait_until_the_list_is_locked(database: TestedDatabase) -> None:
    deadline = time.monotonic() + 60
    with closing(TestedDatabase(database.url, database.schema)) as other:
        while not lock_is_held(other, "records"):
            assert time.monotonic() < deadline, "nobody has locked the list"
            time.sleep(0.05)


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_deal_that_starts_during_a_change_of_the_list_waits_for_it_and_is_not_refused(
    database: TestedDatabase,
) -> None:
    fill(database, 100)
    deal(database.backend, load(), business_date=NOTHING_DUE, again=True)
    with closing(TestedDatabase(database.url, database.schema)) as other, ThreadPoolExecutor(1) as pool:
        # The change of the list stays open, since another session holds a row of the assignments that it must delete.
        number = "4930000007"
        database.insert("agent_wafunnel_assignment", ("agent", "number"), [("agent 000", number)])
        other.execute("BEGIN TRANSACTION")
        other.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = 'agent 001' WHERE number = %s", number)
        with closing(TestedDatabase(database.url, database.schema)) as another, ThreadPoolExecutor(1) as second:
            listing = second.submit(add_do_not_contact, another.backend, number)
            wait_until_the_list_is_locked(database)
            dealing = pool.submit(deal, database.backend, load(), business_date=TODAY, again=True)
            time.sleep(STEADY_SECONDS)
            assert not listing.done()
            assert not dealing.done()
            other.execute("COMMIT TRANSACTION")
            assert listing.result(timeout=60)["assignments"] == 1
            run = dealing.result(timeout=60)
    assert (run.assigned, run.suppressed) == (99, 1)


# If the server's collation ignores case, another case of the schema's name must not bypass the lock.
@pytest.mark.parametrize("schema", [pytest.param("dbo", marks=pytest.mark.sqlserver_if_long), "DBO"])
@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_number_put_on_the_list_after_the_deal_has_read_the_list_waits_for_the_deal(
    database: TestedDatabase, schema: str
) -> None:
    with (
        closing(TestedDatabase(database.url, schema)) as another,
        deal_blocked_by_a_changed_lead(
            database, 3, lambda: deal(database.backend, load(), business_date=TODAY, again=True)
        ) as (
            future,
            cursor,
            pool,
        ),
    ):
        listing = pool.submit(add_do_not_contact, another.backend, "4930000007")
        time.sleep(STEADY_SECONDS)
        assert not listing.done()
        # The lead is as the deal read it after all, so the deal succeeds.
        cursor.execute("ROLLBACK TRANSACTION;")
        assert future.result(timeout=60).assigned == 100
        assert listing.result(timeout=60) == {"listed": 0, "assignments": 1, "leads": 1}
    assert len(database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")) == 99
    left = database.execute("SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment WHERE number = '4930000007'")
    assert left == [(0,)]


def test_looking_for_a_run_never_refuses_a_run(database: TestedDatabase) -> None:
    fill(database, 10)
    seen = Counter[bool]()
    ended = Event()

    # On Babelfish, sessions that take and release a lock thousands of times a second can break its table of lock names.
    # From then on nobody gets a lock of that name, and each look sees a run.
    lookers, pause = (3, 0.0) if database.engine == "sqlite" else (1, 0.01)

    def look() -> None:
        while not ended.wait(pause):
            seen[database.backend.run_in_progress()] += 1

    with ThreadPoolExecutor(lookers) as pool:
        looking = [pool.submit(look) for _ in range(lookers)]
        try:
            for _ in range(SHORT_RACES if LONG or database.engine == "sqlite" else 12):
                deal(database.backend, load(), business_date=TODAY, again=True)
        finally:
            ended.set()
        for each in looking:
            each.result(timeout=60)
    # Those who look see runs all the same, and do not wait for them.
    assert seen[False] > 0
    assert seen[True] > 0


def test_a_run_waits_for_a_slow_look_and_is_made(database: TestedDatabase) -> None:
    fill(database, 10)
    deal(database.backend, load(), business_date=TODAY, again=True)
    with ThreadPoolExecutor(1) as pool, look_that_lasts(database):
        dealt = pool.submit(deal, database.backend, load(), business_date=TODAY, again=True)
        time.sleep(0.5)
        assert not dealt.done()
    assert dealt.result(timeout=60).status == "succeeded"


def test_two_looks_at_once_see_no_run(database: TestedDatabase) -> None:
    with look_that_lasts(database):
        assert not database.backend.run_in_progress()


@contextmanager
def look_that_lasts(database: TestedDatabase) -> Iterator[None]:
    """A look for a run in progress that holds its lock to the end of the block."""
    if database.engine == "sqlite":
        path = make_url(database.url).database
        with closing(sqlite3.connect(f"{path}-looks", isolation_level=None)) as looks:
            looks.execute("CREATE TABLE IF NOT EXISTS t (a)")
            looks.execute("INSERT INTO t VALUES (1), (2)")
            rows = looks.execute("SELECT a FROM t")
            rows.fetchone()
            yield
        return
    with closing(TestedDatabase(database.url, database.schema)) as other:
        other.execute("BEGIN TRANSACTION")
        take_lock(other, "looks", mode="Shared")
        yield
        other.execute("COMMIT TRANSACTION")
