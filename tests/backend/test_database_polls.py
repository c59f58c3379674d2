"""Polled queries and streams on SQL Server, when the connection breaks, errors come late or no answer comes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent_funnel.errors import CheckFailed, ConnectionLost, DatabaseBusy, DatabaseError
from support.databases import connect_to
from support.faketds import HANG_UP, SILENCE, FakeServer, error, rows
from support.processes import run_program

# How long a program waits for a lock, and for an answer:
PATIENCE = {"FUNNEL_LOCK_WAIT": "1s", "FUNNEL_CALL_TIMEOUT": "2s"}


def test_an_error_after_the_rows_of_a_stream_is_raised_by_this_stream() -> None:
    late = rows({"alive": 1}, {"alive": 2}, more=True) + error(50007, "Check failed: too late.")
    with FakeServer(answers={"AS alive": [late, rows({"alive": 3})]}) as server:
        backend = connect_to(server.url())
        chunks = backend.stream("ping", size=1)
        assert [next(chunks), next(chunks)] == [[{"alive": 1}], [{"alive": 2}]]
        with pytest.raises(CheckFailed, match="too late"):
            next(chunks)
        # The next call does not raise it.
        assert backend.one("ping") == {"alive": 3}


def test_a_stream_returns_one_answer_in_chunks_of_the_requested_size() -> None:
    with FakeServer(answers={"AS alive": [rows(*({"alive": number} for number in range(5)))]}) as server:
        chunks = list(connect_to(server.url()).stream("ping", size=2))
        assert [[row["alive"] for row in chunk] for chunk in chunks] == [[0, 1], [2, 3], [4]]
        assert server.count("AS alive") == 1


def test_a_poll_that_a_silent_server_does_not_answer_is_not_repeated(tmp_path: Path) -> None:
    version = rows({"newest": 7, "undone": 0})
    with FakeServer(answers={"AS newest": [version, SILENCE]}) as server:
        # In a process of its own: the call timeout holds for a whole process.
        done = run_program("poll_twice", cwd=tmp_path, FUNNEL_DATABASE_URL=server.url(), **PATIENCE)
        assert "has not answered a call for 2 s" in done.stdout, done.stderr
        # The first, which makes the connection fresh, and the one without an answer.
        assert server.count("AS newest") == 2


@pytest.mark.parametrize(
    ("trouble", "asked"), [(HANG_UP, 3), (error(8134, "Divide by zero."), 2)], ids=["restarted", "refused"]
)
def test_a_poll_is_repeated_after_a_restart_of_the_server_and_after_no_other_error(trouble: object, asked: int) -> None:
    version = rows({"newest": 7, "undone": 0})
    with FakeServer(answers={"AS newest": [version, trouble, version]}) as server:  # type: ignore[list-item]
        backend = connect_to(server.url())
        assert backend.one("deal_version") == {"newest": 7, "undone": 0}
        if asked == 3:
            assert backend.one("deal_version") == {"newest": 7, "undone": 0}
        else:
            with pytest.raises(DatabaseError, match="Divide by zero"):
                backend.one("deal_version")
        assert server.count("AS newest") == asked


def test_only_polled_queries_are_repeated() -> None:
    with FakeServer(answers={"AS alive": [rows({"alive": 1}), HANG_UP, rows({"alive": 3})]}) as server:
        backend = connect_to(server.url())
        backend.one("ping")
        with pytest.raises(ConnectionLost):
            backend.one("ping")
        assert server.count("AS alive") == 2


def test_a_connection_that_was_idle_for_a_while_is_tested_before_its_next_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeServer(answers={"AS newest": [rows({"newest": 7, "undone": 0})]}) as server:
        backend = connect_to(server.url())
        backend.one("deal_version")
        asked = server.count("@@SPID")
        backend.one("deal_version")
        assert server.count("@@SPID") == asked
        now = time.monotonic()
        monkeypatch.setattr("time.monotonic", lambda: now + 5.1)
        backend.one("deal_version")
        assert server.count("@@SPID") == asked + 1


DEADLOCK = error(1205, "Transaction was deadlocked and has been chosen as the deadlock victim.", 13)


@pytest.mark.parametrize("name", ["deal_version", "ping"], ids=["polled", "other"])
def test_a_read_that_ends_as_the_victim_of_a_deadlock_is_made_again_once(name: str) -> None:
    answer = rows({"newest": 7, "undone": 0})
    part = "AS newest" if name == "deal_version" else "AS alive"
    with FakeServer(answers={part: [DEADLOCK, answer, DEADLOCK, DEADLOCK, answer]}) as server:
        backend = connect_to(server.url())
        assert backend.one(name) == {"newest": 7, "undone": 0}
        assert server.count(part) == 2
        with pytest.raises(DatabaseBusy, match="deadlock"):
            backend.one(name)
        assert server.count(part) == 4


def test_a_write_that_ends_as_the_victim_of_a_deadlock_is_not_made_again() -> None:
    with FakeServer(answers={"schedule_pause": [DEADLOCK]}) as server:
        with pytest.raises(DatabaseBusy, match="deadlock"):
            connect_to(server.url()).one("resume", now="2026-11-25", actor=None)
        assert server.count("schedule_pause") == 1
