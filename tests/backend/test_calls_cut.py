"""Calls that are cut or end late: an undo that goes on without its caller, rows with an error behind them, a server
that says nothing.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from agent_funnel import service
from agent_funnel.backends import connect
from agent_funnel.errors import CheckFailed, ConnectionLost, DatabaseError
from agent_funnel.settings import load
from databases import Database, disconnect
from faketds import DONE, HANG_UP, SILENCE, Answer, FakeServer, error, rows
from nights import TODAY, actives, deal, fresh, put_agents, put_leads, stages, undo
from processes import run_python
from proxy import Proxy
from waits import wait_until_somebody_waits_for

# What tells the calls apart: an undo, the question whether a run is still going, and what became of the undo.
LAST, UNDO = "MAX(r.run_id) AS run_id", "EXECUTE dbo.sp_undo_wafunnel_assignment"
SETTLE, UNDONE = "INTO dbo.assignment_request", "FROM dbo.assignment_undo AS u"
STILL_GOING = error(50001, "A run has been in progress all this time.")
TAKEN_BACK = rows(
    {
        "run_id": 7, "business_date": "2026-11-23", "undone_at": "2026-11-23 20:45:00.000", "actor": "tests",
        "restored": 3, "changed_since": 0, "assignments": 3, "suppressed": 0,
    }
)  # fmt: skip


def test_the_outcome_of_a_lost_undo_is_asked_only_when_no_run_is_under_way() -> None:
    answers: dict[str, list[Answer]] = {
        LAST: [rows({"run_id": 7})],
        UNDO: [HANG_UP],
        SETTLE: [STILL_GOING, DONE],
        UNDONE: [TAKEN_BACK],
    }
    with FakeServer(answers=answers) as server:
        undone = service.undo(connect(server.url()))
        assert undone.run_id == 7
        calls = [
            name
            for batch in server.batches
            for name, text in (("undo", UNDO), ("settle", SETTLE), ("undone", UNDONE))
            if text in batch
        ]
    assert calls == ["undo", "settle", "settle", "undone"]


def test_an_undo_of_unknown_outcome_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ATTEMPTS", 2)
    with FakeServer(answers={LAST: [rows({"run_id": 7})], UNDO: [HANG_UP], SETTLE: [STILL_GOING]}) as server:
        with pytest.raises(ConnectionLost, match="is not known"):
            service.undo(connect(server.url()))
        assert (server.count(UNDO), server.count(SETTLE), server.count(UNDONE)) == (1, 2, 0)


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_an_undo_that_waits_for_a_lock_when_its_caller_is_cut_off_takes_that_run_back_once(database: Database) -> None:
    put_agents(database, actives("A"))
    put_leads(database, fresh(3))
    first = deal(database).run_id
    before = stages(database)
    second = deal(database).run_id
    url = make_url(database.url)
    proxy = Proxy(url.host or "", url.port or 1433)
    backend = connect(url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False), database.schema)
    with closing(Database(database.url, database.schema)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN TRANSACTION")
        try:
            other.execute("UPDATE dbo.wafunnel SET stage = stage WHERE number = '000002'")
            undoing = pool.submit(service.undo, backend)
            wait_until_somebody_waits_for(other)
            proxy.stop()
            proxy.start()
            # Long enough for a new session to ask what became of it, and to send it again if it did not wait.
            time.sleep(5)
            assert not undoing.done()
        finally:
            other.execute("ROLLBACK TRANSACTION")
        assert undoing.result(timeout=60).run_id == second
    disconnect(backend)
    proxy.stop()
    assert stages(database) == before
    assert database.execute("SELECT run_id FROM dbo.assignment_undo") == [(second,)]
    assert undo(database).run_id == first


def test_an_error_behind_the_rows_of_a_stream_is_an_error_of_this_stream() -> None:
    late = rows({"alive": 1}, {"alive": 2}, more=True) + error(50007, "Check failed: too late.")
    with FakeServer(answers={"AS alive": [late, rows({"alive": 3})]}) as server:
        backend = connect(server.url())
        chunks = backend.stream("ping", size=1)
        assert [next(chunks), next(chunks)] == [[{"alive": 1}], [{"alive": 2}]]
        with pytest.raises(CheckFailed, match="too late"):
            next(chunks)
        # And not of the next call.
        assert backend.one("ping") == {"alive": 3}


def test_a_stream_is_one_answer_in_chunks_of_the_size_that_was_asked_for() -> None:
    with FakeServer(answers={"AS alive": [rows(*({"alive": number} for number in range(5)))]}) as server:
        chunks = list(connect(server.url()).stream("ping", size=2))
        assert [[row["alive"] for row in chunk] for chunk in chunks] == [[0, 1], [2, 3], [4]]
        assert server.count("AS alive") == 1


# In a process of its own: the time for a call holds for a whole process.
POLL = """
import sys, time
from datetime import timedelta
from agent_funnel.backends import connect
from agent_funnel.errors import ConnectionLost
backend = connect(sys.argv[1], lock_wait=timedelta(seconds=0.5), call_timeout=timedelta(seconds=1))
backend.one("deal_version")
began = time.monotonic()
try:
    backend.one("deal_version")
except ConnectionLost as error:
    print(str(error))
"""


def test_a_poll_that_a_silent_server_does_not_answer_is_not_asked_again(tmp_path: Path) -> None:
    version = rows({"newest": 7, "undone": 0})
    with FakeServer(answers={"AS newest": [version, SILENCE]}) as server:
        done = run_python(POLL.replace("sys.argv[1]", repr(server.url())), cwd=tmp_path)
        assert "has not answered a call for 1 s" in done.stdout, done.stderr
        # The first, which makes the connection fresh, and the one without an answer.
        assert server.count("AS newest") == 2


@pytest.mark.parametrize(
    ("trouble", "asked"), [(HANG_UP, 3), (error(8134, "Divide by zero."), 2)], ids=["restarted", "refused"]
)
def test_a_poll_is_asked_again_of_a_server_that_was_restarted_and_of_no_other(trouble: object, asked: int) -> None:
    version = rows({"newest": 7, "undone": 0})
    with FakeServer(answers={"AS newest": [version, trouble, version]}) as server:  # type: ignore[list-item]
        backend = connect(server.url())
        assert backend.one("deal_version") == {"newest": 7, "undone": 0}
        if asked == 3:
            assert backend.one("deal_version") == {"newest": 7, "undone": 0}
        else:
            with pytest.raises(DatabaseError, match="Divide by zero"):
                backend.one("deal_version")
        assert server.count("AS newest") == asked


def test_only_what_is_polled_is_asked_again() -> None:
    with FakeServer(answers={"AS alive": [rows({"alive": 1}), HANG_UP, rows({"alive": 3})]}) as server:
        backend = connect(server.url())
        backend.one("ping")
        with pytest.raises(ConnectionLost):
            backend.one("ping")
        assert server.count("AS alive") == 2


def test_a_connection_that_was_in_use_a_while_ago_is_asked_first_whether_it_is_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeServer(answers={"AS newest": [rows({"newest": 7, "undone": 0})]}) as server:
        backend = connect(server.url())
        backend.one("deal_version")
        asked = server.count("@@SPID")
        backend.one("deal_version")
        assert server.count("@@SPID") == asked
        now = time.monotonic()
        monkeypatch.setattr("time.monotonic", lambda: now + 5.1)
        backend.one("deal_version")
        assert server.count("@@SPID") == asked + 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_deal_is_given_up_after_four_attempts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def lost(name: str, **_: object) -> None:
        asked.append(name)
        if name == "assign":
            raise ConnectionLost

    monkeypatch.setattr(database.backend, "one", lost)
    with pytest.raises(DatabaseError, match="broke each time; nothing was changed"):
        service.assign(database.backend, load(), business_date=TODAY)
    assert asked == ["assign", "settle"] * 4
