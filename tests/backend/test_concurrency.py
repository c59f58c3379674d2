"""What happens at the same time: two deals, a number put on the list during a deal, a lead changed under a deal."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy.engine import make_url

from agent_funnel import service
from agent_funnel.backends import connect
from agent_funnel.errors import PoolChanged, RunInProgress
from agent_funnel.records import Run
from agent_funnel.settings import load
from databases import Database, snapshot
from processes import environment

# The short version and, with FUNNEL_TEST_LONG=1, the long one:
LONG = os.environ.get("FUNNEL_TEST_LONG") == "1"
DEALERS = 3
RACES = 60 if LONG else 3
SHORT_RACES = 1_000 if LONG else 100
LISTINGS = 100 if LONG else 16

pytestmark = pytest.mark.timeout(3600 if LONG else 300)

TONIGHT = date(2026, 11, 23)
# No lead of these tests is in the pool of this day, so its deal is a success that hands nothing out:
NOTHING_DUE = date(9998, 12, 31)
AGENTS = 50
# So many that processes which start together meet in the middle of a deal:
LEADS = 20_000
# How long a blocked deal gets to reach what it waits for, in a session that is warm and for a handful of leads:
SETTLE_SECONDS = 2.0
# What "at once" means on a busy machine:
AT_ONCE_SECONDS = 5.0

# A process that deals whenever it is told to. Babelfish parses the procedure for seconds in each new session; "warm"
# has that done, so that the deal that comes next starts the moment it is asked for.
DEALER = """
import json, random, sys, time
from datetime import date
from agent_funnel import service
from agent_funnel.backends import connect
from agent_funnel.errors import FunnelError, RunInProgress
from agent_funnel.settings import load

settings = load()
backend = connect(settings.database_url, settings.database_schema)
for line in sys.stdin:
    word, moment, day = json.loads(line)
    business_date = date.fromisoformat(day)
    while word == "warm":
        try:
            service.assign(backend, settings, business_date=business_date)
            break
        except RunInProgress:
            time.sleep(random.random() / 10)
    if word == "deal":
        time.sleep(max(0.0, moment - 0.002 - time.time()))
        # The last of it awake: whom the system wakes up comes a little late, each one differently.
        while time.time() < moment:
            pass
    began, outcome = time.time(), "warm"
    if word == "deal":
        try:
            outcome = service.assign(backend, settings, business_date=business_date).run_id
        except FunnelError as error:
            outcome = type(error).__name__
    print(json.dumps([outcome, began, time.time()]), flush=True)
"""

# A process that holds the run lock of an SQLite database, as a deal does, until it is told to let go or dies:
HOLDER = """
import sqlite3, sys
lock = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
lock.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


def fill(database: Database, leads: int) -> None:
    database.insert("agents", ("agent", "status"), [(f"agent {n:03}", "active") for n in range(AGENTS)])
    database.insert(
        "wafunnel", ("number", "stage", "date"), [(f"4930{n:06}", 1, "2026-11-10 08:00:00.000") for n in range(leads)]
    )


def assert_dealt_one_after_the_other(database: Database, runs: list[int]) -> None:
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


class Dealer:
    """A process of its own that deals when told to."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", DEALER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=directory,
            env=environment(FUNNEL_DATABASE_URL=database.url, FUNNEL_SCHEMA=database.schema),
        )  # fmt: skip

    def tell(self, word: str, moment: float = 0.0, business_date: date = TONIGHT) -> None:
        stdin: IO[str] = self.process.stdin  # type: ignore[assignment]
        stdin.write(json.dumps([word, moment, business_date.isoformat()]) + "\n")
        stdin.flush()

    def answer(self) -> tuple[int | str, float, float]:
        """The number of the run or the name of the error, and when the deal began and ended."""
        stdout: IO[str] = self.process.stdout  # type: ignore[assignment]
        outcome, began, ended = json.loads(stdout.readline())
        return outcome, began, ended

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def another_session(database: Database) -> Iterator[Any]:
    """A cursor of a session of its own on the T-SQL engine, on which nothing is committed unless it says so."""
    with closing(Database(database.url, database.schema)) as other:
        yield other.raw.cursor()


@contextmanager
def deal_held_open(database: Database, *, dies: bool) -> Iterator[None]:
    """Somebody else holds what a deal holds, from here to the end of the block, where they let go or die."""
    if database.engine == "sqlite":
        path = f"{make_url(database.url).database}-run"
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield
            if dies:
                process.kill()
            process.communicate("let go\n")
        finally:
            process.kill()
            process.wait()
        return
    with another_session(database) as cursor:
        name = database.execute("SELECT DB_NAME()")[0][0]
        cursor.execute(
            """
            BEGIN TRANSACTION;
            DECLARE @lock INT;
            EXECUTE @lock = sp_getapplock
                @Resource = %s, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 0;
            IF @lock < 0
                THROW 50000, N'the lock is taken', 1;
            """,
            (f"agent_funnel:{name}:{database.schema}",),
        )
        yield
        if not dies:
            cursor.execute("COMMIT TRANSACTION;")
    if dies:
        # The server frees the lock when it notices that its client has gone, which takes it a moment.
        time.sleep(1)


def test_of_deals_that_start_together_one_wins_and_the_others_are_told_so(database: Database, tmp_path: Path) -> None:
    refused = 0
    with ExitStack() as stack:
        dealers = [Dealer(database, tmp_path) for _ in range(DEALERS)]
        for dealer in dealers:
            stack.callback(dealer.close)
        fill(database, LEADS)
        for _ in range(RACES):
            for dealer in dealers:
                dealer.tell("warm", business_date=NOTHING_DUE)
            assert [dealer.answer()[0] for dealer in dealers] == ["warm"] * DEALERS
            for table in ("assignment_run", "assignment_history", "agent_wafunnel_assignment"):
                database.execute(f"DELETE FROM dbo.{table}")
            database.execute("UPDATE dbo.wafunnel SET stage = 1")

            moment = time.time() + 0.05
            for dealer in dealers:
                dealer.tell("deal", moment)
            answers = [dealer.answer() for dealer in dealers]

            won = [answer for answer in answers if isinstance(answer[0], int)]
            lost = [answer for answer in answers if not isinstance(answer[0], int)]
            assert won
            assert {outcome for outcome, _, _ in lost} <= {"RunInProgress"}
            # Nobody is refused for a deal that nobody is making, such as by another one who is refused as well.
            for _, began, ended in lost:
                assert any(winner[1] <= ended and began <= winner[2] for winner in won)
            assert [run for (run,) in database.execute("SELECT run_id FROM dbo.assignment_run ORDER BY run_id")] == (
                sorted(answer[0] for answer in won)
            )
            assert_dealt_one_after_the_other(database, [int(answer[0]) for answer in won])
            refused += len(lost)
    # A process that the system kept waiting may come after the first deal, and then rightly wins too; not all of them.
    assert refused >= RACES


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_two_deals_that_start_together_never_refuse_each_other(database: Database, tmp_path: Path) -> None:
    # A file's lock is taken in steps, in which two can get into each other's way; an application lock has none.
    fill(database, 10)
    with ExitStack() as stack:
        dealers = [Dealer(database, tmp_path) for _ in range(2)]
        for dealer in dealers:
            stack.callback(dealer.close)
            dealer.tell("warm", business_date=NOTHING_DUE)
            dealer.answer()
        for _ in range(SHORT_RACES):
            moment = time.time() + 0.02
            for dealer in dealers:
                dealer.tell("deal", moment)
            outcomes = [dealer.answer()[0] for dealer in dealers]
            assert any(isinstance(outcome, int) for outcome in outcomes)
            assert all(isinstance(outcome, int) or outcome == "RunInProgress" for outcome in outcomes)


@pytest.mark.parametrize("dies", [False, True], ids=["lets go", "dies"])
def test_a_deal_is_refused_at_once_while_another_is_open_and_works_when_that_one(
    database: Database, dies: bool
) -> None:
    fill(database, 100)
    # Also makes the session warm, so that what is measured below is the refusal.
    service.assign(database.backend, load(), business_date=TONIGHT)
    before = snapshot(database)

    with deal_held_open(database, dies=dies):
        began = time.monotonic()
        with pytest.raises(RunInProgress) as refusal:
            service.assign(database.backend, load(), business_date=TONIGHT)
        assert time.monotonic() - began < AT_ONCE_SECONDS
        assert refusal.value.number == 50001
        assert snapshot(database) == before

    run = service.assign(database.backend, load(), business_date=TONIGHT)
    assert run.assigned == 100
    assert_dealt_one_after_the_other(
        database, [run_id for (run_id,) in database.execute("SELECT run_id FROM dbo.assignment_run")]
    )


def test_a_number_put_on_the_list_while_a_deal_runs_is_in_no_assignment_afterwards(database: Database) -> None:
    fill(database, 5_000)

    def deal(delay: float = 0.0) -> Run | RunInProgress:
        time.sleep(delay)
        try:
            return service.assign(database.backend, load(), business_date=TONIGHT)
        except RunInProgress as error:
            return error

    def prepare() -> None:
        database.execute("UPDATE dbo.wafunnel SET stage = 1")

    def assert_gone(number: str) -> None:
        assert database.execute("SELECT COUNT(*) FROM dbo.do_not_contact WHERE number = %s", number) == [(1,)]
        left = database.execute("SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment WHERE number = %s", number)
        assert left == [(0,)]

    numbers = iter(random.sample([f"4930{n:06}" for n in range(5_000)], LISTINGS + 2))

    # One clearly after the other, both ways round:
    service.assign(database.backend, load(), business_date=TONIGHT)
    number = next(numbers)
    assert service.add_do_not_contact(database.backend, number)["assignments"] == 1
    assert_gone(number)

    prepare()
    number = next(numbers)
    service.add_do_not_contact(database.backend, number)
    began = time.monotonic()
    run = service.assign(database.backend, load(), business_date=TONIGHT)
    duration = time.monotonic() - began
    assert (run.assigned, run.suppressed) == (4_998, 2)
    assert_gone(number)

    # And at the same time, from a moment before the deal to its last moment:
    with ThreadPoolExecutor(2) as pool:
        # Two sessions are needed from here on; this warms up the second one.
        both = [pool.submit(deal), pool.submit(deal)]
        assert any(isinstance(future.result(), Run) for future in both)
        for attempt, number in enumerate(numbers):
            prepare()
            delay = duration * (1.3 * (attempt + random.random()) / LISTINGS - 0.2)
            dealt = pool.submit(deal, max(0.0, -delay))
            time.sleep(max(0.0, delay))
            service.add_do_not_contact(database.backend, number, "asked not to be called")
            dealt.result()
            assert_gone(number)
    assert database.execute("SELECT COUNT(*) FROM dbo.do_not_contact") == [(LISTINGS + 2,)]


@contextmanager
def deal_blocked_by_a_changed_lead(
    database: Database, stage: int, deal: Any
) -> Iterator[tuple[Future[Any], Any, ThreadPoolExecutor]]:
    """A deal that has read the pool and waits for one lead, whose stage another session is just changing.

    This needs readers who do not wait for writers, as on Babelfish, and on SQL Server with READ_COMMITTED_SNAPSHOT.
    Whoever gets this ends the other session's transaction with the cursor.
    """
    fill(database, 100)
    # The session that deals now is the one that deals later, so later there is nothing left to parse.
    service.assign(database.backend, load(), business_date=NOTHING_DUE)
    with another_session(database) as cursor, ThreadPoolExecutor(2) as pool:
        cursor.execute("BEGIN TRANSACTION;")
        try:
            cursor.execute(f"UPDATE {database.schema}.wafunnel SET stage = {stage} WHERE number = '4930000042';")
            future = pool.submit(deal)
            time.sleep(SETTLE_SECONDS)
            assert not future.done()
            yield future, cursor, pool
        finally:
            # Without this, a failed test would wait for a deal that waits for this session.
            cursor.execute("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;")


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_lead_that_changes_under_the_deal_ends_it_with_pool_changed_and_nothing_else_changes(
    database: Database,
) -> None:
    parameters = {
        "business_date": TONIGHT.isoformat(), "max_per_agent": 450, "window_days": 45, "newest_first": 0,
        "trigger": "manual", "actor": None,
    }  # fmt: skip
    with deal_blocked_by_a_changed_lead(
        # Not by the service, which would deal again and hide it.
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
def test_the_service_deals_again_when_a_lead_changed_under_the_deal(database: Database) -> None:
    with deal_blocked_by_a_changed_lead(
        database, 3, lambda: service.assign(database.backend, load(), business_date=TONIGHT)
    ) as (future, cursor, _):
        previous = database.execute("SELECT MAX(run_id) FROM dbo.assignment_run")[0][0]
        cursor.execute("COMMIT TRANSACTION;")
        run = future.result(timeout=120)
    assert run.assigned == 100
    # The number in between went to the attempt that was rolled back: there was one, and only one.
    assert run.run_id == previous + 2
    dealt_at = database.execute("SELECT stage, COUNT(*) FROM dbo.assignment_history GROUP BY stage ORDER BY stage")
    assert dealt_at == [(1, 99), (3, 1)]
    assert database.execute("SELECT stage, COUNT(*) FROM dbo.wafunnel GROUP BY stage ORDER BY stage") == [
        (2, 99), (4, 1),
    ]  # fmt: skip
    assert len(database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")) == 100


# The server takes the name of the schema in any case where its collation does, so that is no way round the lock.
@pytest.mark.parametrize("schema", ["dbo", "DBO"])
@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_number_put_on_the_list_after_the_deal_has_read_the_list_waits_for_the_deal(
    database: Database, schema: str
) -> None:
    backend = connect(database.url, schema)
    with deal_blocked_by_a_changed_lead(
        database, 3, lambda: service.assign(database.backend, load(), business_date=TONIGHT)
    ) as (future, cursor, pool):
        listing = pool.submit(service.add_do_not_contact, backend, "4930000007")
        time.sleep(SETTLE_SECONDS)
        assert not listing.done()
        # The lead is as the deal has read it after all, so the deal goes through.
        cursor.execute("ROLLBACK TRANSACTION;")
        assert future.result(timeout=60).assigned == 100
        assert listing.result(timeout=60) == {"listed": 0, "assignments": 1, "leads": 1}
    assert len(database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")) == 99
    left = database.execute("SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment WHERE number = '4930000007'")
    assert left == [(0,)]
