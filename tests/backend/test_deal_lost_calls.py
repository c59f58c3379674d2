"""Calls that fail on the way: late errors, broken connections, answers that never come.

Tests that need a server with scripted answers use a fake one; the others run on each engine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from agent_funnel.database import Database
from agent_funnel.database.sqlserver import SQLServer
from agent_funnel.deal import ATTEMPTS, deal, undo
from agent_funnel.errors import (
    CheckFailed,
    ConnectionLost,
    DatabaseBusy,
    DatabaseError,
    DatabaseUnavailable,
    FunnelError,
    PoolChanged,
)
from agent_funnel.settings import load
from support.calls import Connected, deal_by, pauses
from support.databases import TestedDatabase, connect_to, disconnect, seed_tables, snapshot
from support.faketds import DEAL, HANG_UP, RUN, RUN_OF_REQUEST, SILENCE, Answer, FakeServer, error, rows
from support.nights import run_numbers, stages
from support.processes import run_as_process
from support.proxy import Cut, Proxy

DEADLOCK = error(1205, "Transaction was deadlocked and has been chosen as the deadlock victim.", 13)


# ---- On a fake server with scripted answers


def test_an_error_after_the_first_result_set_is_raised_by_the_same_call() -> None:
    late = rows({"alive": 1}, more=True) + error(50007, "Check failed: 9 leads assigned, 8 due.")
    with FakeServer(answers={"AS alive": [late, rows({"alive": 2})]}) as server:
        backend = connect_to(server.url())
        with pytest.raises(CheckFailed, match="9 leads assigned"):
            backend.one("ping")
        # The next call, on the same connection, does not raise it.
        assert backend.one("ping") == {"alive": 2}
        assert len(server.logins) == 1


@pytest.mark.parametrize("number", [8134, 33557097, 2812])
def test_a_connection_is_not_used_again_after_an_error(number: int) -> None:
    late = rows({"alive": 1}, more=True) + error(number, "something does not exist")
    with FakeServer(answers={"AS alive": [late, rows({"alive": 2})]}) as server:
        backend = connect_to(server.url())
        with pytest.raises(DatabaseError, match="something"):
            backend.one("ping")
        assert backend.one("ping") == {"alive": 2}
        assert len(server.logins) == 2


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_late_error_of_a_real_server_is_raised_by_the_same_call(
    database: TestedDatabase, connected: Connected
) -> None:
    backend = connected(database)
    assert isinstance(backend, SQLServer)
    backend._queries["late"] = "SELECT 1 AS alive; THROW 50007, N'Check failed: too late.', 1;"
    with pytest.raises(CheckFailed, match="too late"):
        backend.one("late")
    assert backend.one("ping") == {"alive": 1}


@pytest.mark.parametrize(
    ("trouble", "broken"),
    [
        (DEADLOCK, False),
        (error(1222, "Lock request time out period exceeded."), False),
        (error(33557097, "canceling statement due to lock timeout"), False),
        (error(50004, "The pool changed while it was being dealt."), False),
        (HANG_UP, True),
        ([RUN[:-40], HANG_UP], True),
        ([error(596, "Cannot continue the execution because the session is in the kill state.", 21), HANG_UP], True),
    ],
    ids=["deadlock", "lock timeout", "lock timeout of Babelfish", "pool changed", "dead socket", "half", "killed"],
)
def test_after_a_passing_error_the_service_deals_again_with_growing_pauses(
    trouble: Answer | Sequence[Answer], broken: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeServer(answers={DEAL: [trouble, trouble, RUN]}) as server:
        assert deal_by(connect_to(server.url())).run_id == 7
    assert server.count(DEAL) == 3
    # After a broken connection, the service asked each time for the result of the deal.
    assert server.count(RUN_OF_REQUEST) == (2 if broken else 0)
    first, second = pauses(caplog)
    assert 0.2 <= first < second <= 1


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (DEADLOCK, DatabaseBusy),
        (error(1222, "Lock request time out period exceeded."), DatabaseBusy),
        (error(50004, "The pool changed while it was being dealt."), PoolChanged),
        (HANG_UP, DatabaseUnavailable),
    ],
    ids=["deadlock", "lock timeout", "pool changed", "dead socket"],
)
def test_the_service_gives_up_after_a_limited_number_of_attempts(
    trouble: Answer, expected: type[FunnelError], caplog: pytest.LogCaptureFixture
) -> None:
    with FakeServer(answers={DEAL: [trouble]}) as server:
        with pytest.raises(expected, match=r"[Nn]othing was changed|pool changed") as refusal:
            deal_by(connect_to(server.url()))
    assert type(refusal.value) is expected
    assert refusal.value.__cause__ is not None
    assert server.count(DEAL) == ATTEMPTS
    assert pauses(caplog) == sorted(pauses(caplog))
    assert len(pauses(caplog)) == ATTEMPTS - 1


@pytest.mark.parametrize("number", [50001, 50002, 50003, 50006, 50007, 208, 229, 547, 2627, 2812, 3906, 8134, 9002])
def test_other_errors_are_not_tried_again(number: int, caplog: pytest.LogCaptureFixture) -> None:
    with FakeServer(answers={DEAL: [error(number, "No."), RUN]}) as server:
        with pytest.raises(FunnelError) as refusal:
            deal_by(connect_to(server.url()))
    assert refusal.value.__cause__ is not None
    assert not isinstance(refusal.value, DatabaseUnavailable)
    assert server.count(DEAL) == 1
    assert server.count(RUN_OF_REQUEST) == 0
    assert pauses(caplog) == []


def test_a_refused_login_is_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    with FakeServer(login={"funnel": error(18470, "Login failed: the account is disabled.", 14)}) as server:
        with pytest.raises(DatabaseUnavailable):
            deal_by(connect_to(server.url()))
    assert len(server.logins) == 1
    assert pauses(caplog) == []


@pytest.mark.parametrize(
    "found",
    [[RUN], [HANG_UP, RUN], [error(50001, "A run is still in progress."), RUN], [DEADLOCK, RUN]],
    ids=["at once", "broken again", "still dealing", "deadlock"],
)
def test_a_deal_that_succeeded_before_the_connection_broke_is_found_and_not_repeated(
    found: list[Answer], caplog: pytest.LogCaptureFixture
) -> None:
    with FakeServer(answers={DEAL: [HANG_UP], RUN_OF_REQUEST: found}) as server:
        assert deal_by(connect_to(server.url())).run_id == 7
    assert server.count(DEAL) == 1
    assert server.count(RUN_OF_REQUEST) == len(found)
    assert "broke during a call" in caplog.text
    assert "The deal had happened: run 7" in caplog.text
    # It asks for the request that the deal was made with.
    requests = [each for batch in server.batches for each in re.findall(r"@request [^=]*= N?'([0-9a-f]{32})'", batch)]
    assert len(requests) == 1 + len(found)
    assert len(set(requests)) == 1


@pytest.mark.parametrize("found", [HANG_UP, error(50001, "A run is in progress.")], ids=["broken", "still dealing"])
def test_if_the_result_of_a_deal_stays_unknown_the_error_says_so(
    found: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A few attempts show that it asks again; the pauses double each time.
    monkeypatch.setattr("agent_funnel.deal.ATTEMPTS", 3)
    with FakeServer(answers={DEAL: [HANG_UP], RUN_OF_REQUEST: [found]}) as server:
        with pytest.raises(
            ConnectionLost, match=r"cannot be found out now .*; `agent-funnel runs` shows it"
        ) as refusal:
            deal_by(connect_to(server.url()))
    assert refusal.value.__cause__ is not None
    assert server.count(DEAL) == 1
    assert server.count(RUN_OF_REQUEST) == 3


def test_a_restart_of_the_server_between_two_calls_is_not_noticed() -> None:
    with FakeServer(answers={"AS alive": [rows({"alive": 1})]}) as server, ExitStack() as sessions:
        backend = connect_to(server.url())
        for _ in range(4):
            sessions.enter_context(backend.transaction())
        sessions.close()
        assert len(server.logins) == 4
        server.drop()
        # The first call finds a dead connection, later calls find the others; none of them fails.
        with ExitStack() as again:
            for _ in range(4):
                assert again.enter_context(backend.transaction()).one("ping") == {"alive": 1}
        assert len(server.logins) == 8


def test_a_deal_that_gets_no_answer_is_given_up_looked_up_and_repeated(tmp_path: Path) -> None:
    # In a separate process, since the timeout of calls applies to the whole process.
    patience = {"FUNNEL_CALL_TIMEOUT": "2s", "FUNNEL_LOCK_WAIT": "1s"}
    with FakeServer(answers={DEAL: [SILENCE, RUN]}) as server:
        began = time.monotonic()
        done = run_as_process("run", "--json", cwd=tmp_path, FUNNEL_DATABASE_URL=server.url(), **patience)
        assert time.monotonic() - began < 15
    assert (done.returncode, server.count(DEAL), server.count(RUN_OF_REQUEST)) == (0, 2, 1)
    assert '"run_id": 7' in done.stdout
    assert "has not answered a call for 2 s (FUNNEL_CALL_TIMEOUT)" in done.stderr
    assert "Trying again" in done.stderr

    with FakeServer(answers={DEAL: [SILENCE], RUN_OF_REQUEST: [SILENCE, RUN]}) as server:
        done = run_as_process("run", "--json", cwd=tmp_path, FUNNEL_DATABASE_URL=server.url(), **patience)
    assert (done.returncode, server.count(DEAL), server.count(RUN_OF_REQUEST)) == (0, 1, 2)
    assert '"run_id": 7' in done.stdout
    assert "The deal had happened: run 7" in done.stderr


def test_a_long_run_logs_that_it_may_be_waiting_if_the_login_may_not_see_the_blocker(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.database.lock_waits.LOG_WAIT_SECONDS", 0.2)
    # No row of sysprocesses, as for a login without VIEW SERVER STATE; the deal gets no answer until the server stops.
    with ThreadPoolExecutor(1) as pool, FakeServer(answers={DEAL: [SILENCE], RUN_OF_REQUEST: [RUN]}) as server:
        dealt = pool.submit(deal_by, connect_to(server.url(), lock_wait=timedelta(seconds=1.5)))
        deadline = time.monotonic() + 10
        while "VIEW SERVER STATE" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert server.count("sysprocesses") >= 2
        server.drop()
        assert dealt.result(timeout=30).run_id == 7
    assert caplog.text.count("gives up after") == 1


# ---- On a real server, through a proxy that breaks the connection


@contextmanager
def through_a_proxy(database: TestedDatabase) -> Iterator[tuple[Database, Proxy]]:
    url = make_url(database.url)
    proxy = Proxy(url.host or "", url.port or 1433)
    behind = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    backend = connect_to(behind, database.schema)
    try:
        yield backend, proxy
    finally:
        disconnect(backend)
        proxy.stop()


# "late" is "before", and then the call comes after all.
@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.sqlserver_if_long), "after", "late"])
@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_deal_whose_connection_is_cut_happens_exactly_once(
    database: TestedDatabase, when: Cut, caplog: pytest.LogCaptureFixture
) -> None:
    seed_tables(database)
    before = stages(database)
    with through_a_proxy(database) as (backend, proxy):
        proxy.cut(DEAL, when)
        run = deal(backend, load(), business_date=date.today())
        assert proxy.is_done()
        assert run.assigned == 7
        assert run_numbers(database) == [run.run_id]
        # The server gets the delayed call after the service has dealt again; it makes no further run.
        proxy.deliver()
    assert run_numbers(database) == [run.run_id]
    assert stages(database) == {number: stage + 1 for number, stage in before.items()}
    assert len(database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")) == 7
    assert ("The deal had happened" in caplog.text) == (when == "after")
    assert len(pauses(caplog)) == (0 if when == "after" else 1)


@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.sqlserver_if_long), "after"])
@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_an_undo_whose_connection_is_cut_happens_exactly_once(database: TestedDatabase, when: Cut) -> None:
    seed_tables(database)
    before = stages(database)
    first = deal(database.backend, load(), business_date=date.today())
    once = stages(database)
    second = deal(database.backend, load(), business_date=date.today(), again=True)
    with through_a_proxy(database) as (backend, proxy):
        proxy.cut("sp_undo_wafunnel_assignment", when)
        undone = undo(backend)
        assert proxy.is_done()
    assert undone.run_id == second.run_id
    assert stages(database) == once != before
    assert database.execute("SELECT run_id FROM dbo.assignment_undo") == [(second.run_id,)]
    assert run_numbers(database) == [first.run_id, second.run_id]


# In the short version, a small server of the tests ends each attempt, above, and a cut call comes too late.
@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_deal_whose_connection_is_cut_each_time_says_that_it_never_happened(
    database: TestedDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    seed_tables(database)
    before = snapshot(database)
    with through_a_proxy(database) as (backend, proxy):
        proxy.cut(DEAL, "before", ATTEMPTS)
        with pytest.raises(DatabaseUnavailable, match="each time; nothing was changed"):
            deal(backend, load(), business_date=date.today())
        assert proxy.is_done()
    after = snapshot(database)
    # The requests of these calls stay, so that none of them can still make a run.
    assert len(after.pop("assignment_request")) == ATTEMPTS
    before.pop("assignment_request")
    assert after == before
