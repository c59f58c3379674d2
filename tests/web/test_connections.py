"""Connections: bodies are taken only from those who may send them, and only so many."""

from __future__ import annotations

import json
import re
import socket
import time
from contextlib import ExitStack

import pytest

from support.connections import answer_to, connected, head, rest_of
from support.databases import TestedDatabase, seed_tables, snapshot
from support.pages import key_of
from support.served import served

# These tests concern the service; other tests run the same queries on each engine.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

HEADER = b"number,stage,date\n"
ROW = b"+49170%07d,1,2026-11-01\n"
# More than needs no admission:
FILE = HEADER + b"".join(ROW % index for index in range(3_000))
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def upload(secret: str, *lines: str, length: int = len(FILE), path: str = "/api/leads/import") -> bytes:
    """The head of an import."""
    return head(
        "POST", path, "Content-Type: text/csv", f"Content-Length: {length}", "Connection: close", *lines, secret=secret
    )


def test_a_body_is_refused_by_its_head_alone_to_those_who_may_not_send_it(database: TestedDatabase) -> None:
    viewer, operator = key_of(database, "viewer"), key_of(database, "operator")
    before = snapshot(database)["wafunnel"]
    with served(database) as address:
        for request, status in (
            (upload("", length=60_000_000), 401),
            (upload("funnel_wrong", length=60_000_000), 401),
            (upload(viewer, length=60_000_000), 403),
            (upload(operator, length=64_000_001), 413),
            (upload(operator, length=1_000_001, path="/api/limits"), 413),
            (upload("", length=16_001, path="/sign-in"), 413),
            (upload(operator, length=16_001, path="/nowhere"), 404),
            (upload(operator, length=16_001, path="/healthz"), 405),
            (head("POST", "/api/leads/import", "Transfer-Encoding: chunked", "Content-Type: text/csv"), 401),
        ):
            # No byte of the body is sent.
            assert answer_to(address, request)[0] == status, request
    assert snapshot(database)["wafunnel"] == before
    refused = [entry[-2:] for entry in database.execute("SELECT operation, status FROM dbo.audit_entry")]
    assert ("POST /api/leads/import", 403) in [tuple(each) for each in refused]


def test_a_refused_client_that_only_sends_still_sees_the_answer(database: TestedDatabase) -> None:
    key_of(database, "operator")
    with served(database) as address:
        # More than the buffers of both sides hold.
        status, text = answer_to(address, upload("", length=30_000_000), b"x" * 30_000_000)
    assert (status, "needs a key" in text) == (401, True)


def test_an_admitted_file_is_imported_and_its_repetition_gets_the_same_answer(database: TestedDatabase) -> None:
    operator = key_of(database, "operator")
    with served(database) as address:
        answers = [answer_to(address, upload(operator, "Idempotency-Key: once"), FILE) for _ in range(2)]
        assert [status for status, _ in answers] == [200, 200]
        assert json.loads(answers[0][1].partition("\r\n\r\n")[2])["added"] == 3_000
        assert ["Idempotency-Replayed: true" in text for _, text in answers] == [False, True]
        changed = answer_to(address, upload(operator, "Idempotency-Key: once"), FILE.replace(b"-01\n", b"-02\n"))
        assert changed[0] == 422
        chunked = head(
            "POST", "/api/leads/import", "Content-Type: text/csv", "Transfer-Encoding: chunked", "Connection: close",
            secret=operator,
        )  # fmt: skip
        status, text = answer_to(address, chunked, b"%x\r\n%s\r\n0\r\n\r\n" % (len(FILE), FILE))
        assert (status, json.loads(text.partition("\r\n\r\n")[2])["kept"]) == (200, 3_000)
    # The admission itself has no entry in the audit.
    assert len(database.execute("SELECT operation FROM dbo.audit_entry")) == 4


def test_a_client_that_waits_to_continue_is_told_only_if_the_body_is_admitted(database: TestedDatabase) -> None:
    operator = key_of(database, "operator")
    with served(database) as address:
        assert answer_to(address, upload("", "Expect: 100-continue"))[0] == 401
        with connected(address) as connection:
            connection.sendall(upload(operator, "Expect: 100-continue"))
            assert connection.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE
            connection.sendall(FILE)
            assert rest_of(connection).startswith(b"HTTP/1.1 200 ")


def test_the_bodies_that_are_here_at_a_time_are_bounded(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.web.server.BODIES_BYTES", 2 * len(FILE))
    operator = key_of(database, "operator")
    with served(database) as address, ExitStack() as stack:
        waiting = [stack.enter_context(connected(address)) for _ in range(2)]
        for connection in waiting:
            connection.sendall(upload(operator, "Expect: 100-continue"))
            assert connection.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE
        status, text = answer_to(address, upload(operator))
        assert (status, "no room" in text, "Retry-After" in text) == (429, True, True)
        # A client that goes, and one that gets its answer, give their space back.
        waiting[0].close()
        waiting[1].sendall(FILE)
        assert rest_of(waiting[1]).startswith(b"HTTP/1.1 200 ")
        deadline = time.monotonic() + 60
        while answer_to(address, upload(operator, length=2 * len(FILE)), FILE + b"\n" * len(FILE))[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_what_unknown_clients_send_is_bounded_and_the_oldest_are_closed(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.web.server.UNKNOWN_BYTES", 60_000)
    # They would be closed anyway, but later, since they send no more.
    monkeypatch.setattr("agent_funnel.web.connections.PATIENCE_SECONDS", 600.0)
    monkeypatch.setattr("agent_funnel.web.server.IDLE_SECONDS", 600)
    with served(database) as address, ExitStack() as stack:
        connections = []
        for _ in range(8):
            connections.append(stack.enter_context(connected(address)))
            # Small enough to need no admission, and not complete.
            connections[-1].sendall(upload("", length=15_000, path="/sign-in") + b"x" * 10_000)
            time.sleep(0.1)
        assert connections[0].recv(1) == b""
        connections[-1].sendall(b"x" * 5_000)
        assert rest_of(connections[-1]).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Host: elsewhere\r\n\r\n",
        b"Host: localhost\r\n\r\n",
    ],
)
def test_a_request_that_can_be_read_in_two_ways_is_refused(database: TestedDatabase, lines: bytes) -> None:
    seed_tables(database)
    before = snapshot(database)
    with served(database) as address:
        start = b"POST /run-now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        assert answer_to(address, start + lines)[0] == 400
        old = b"POST /run-now HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        with connected(address) as connection:
            connection.sendall(old)
            assert re.match(rb"HTTP/1\.\d 400 ", rest_of(connection))
    assert snapshot(database) == before
