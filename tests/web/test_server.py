"""The server, for any application: slow clients do not stay, and health checks go first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest

from agent_funnel.web.server import THREADS
from support.connections import answer_to, connected, head, rest_of
from support.served import serving


def nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """An application that answers with an empty body."""
    start_response("200 OK", [("Content-Length", "0")])
    return []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the service give slow clients a second only, and look each second."""
    monkeypatch.setattr("agent_funnel.web.server.IDLE_SECONDS", 2)
    monkeypatch.setattr("agent_funnel.web.connections.PATIENCE_SECONDS", 1.0)
    # The buffers of the system take some megabytes at once, which count as taken by the client.
    monkeypatch.setattr("agent_funnel.web.connections.SLOWEST_RATE", 10**9)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("begin", [b"GET / HT", head("POST", "/sign-in", "Content-Length: 10000")])
def test_a_client_that_trickles_does_not_stay(begin: bytes) -> None:
    with serving(nothing) as address, connected(address) as connection:
        connection.sendall(begin)
        connection.settimeout(0.2)
        deadline = time.monotonic() + 60
        closed = False
        while not closed:
            assert time.monotonic() < deadline
            try:
                connection.send(b"x")
                closed = connection.recv(1) == b""
            except TimeoutError:
                pass
            except ConnectionError:
                closed = True


@pytest.mark.usefixtures("impatient")
def test_a_client_that_takes_a_response_too_slowly_does_not_stay() -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        # More than the buffers of both sides hold, and more than waitress keeps before it makes the thread wait.
        return (b"x" * 1_000_000 for _ in range(60))

    with serving(app) as address, connected(address) as connection:
        connection.sendall(head("GET", "/"))
        connection.settimeout(1.0)
        deadline = time.monotonic() + 60
        taken = 0
        # Once the service has closed it, the rest of the buffers comes, and then the end.
        while part := connection.recv(1 if taken < 20 else 1_000_000):
            taken += len(part)
            assert time.monotonic() < deadline
            if taken < 20:
                time.sleep(0.3)
        assert taken < 60_000_000


@pytest.mark.timeout(60)
def test_a_slow_client_does_not_keep_the_service_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_funnel.web.server.LAST_SECONDS", 1.0)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "15000000")])
        return [b"x" * 15_000_000]

    with ExitStack() as stack:
        with serving(app) as address:
            connection = stack.enter_context(connected(address))
            connection.sendall(head("GET", "/"))
            assert connection.recv(1) == b"H"
        # Leaving the block waits for the end of the service.


def test_health_checks_are_answered_while_all_threads_are_busy() -> None:
    go, begun = Event(), []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            begun.append(1)
            assert go.wait(60)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with serving(app) as address, ExitStack() as stack:
        slow = [stack.enter_context(connected(address)) for _ in range(THREADS + 5)]
        for connection in slow:
            connection.sendall(head("GET", "/slow", "Connection: close"))
        deadline = time.monotonic() + 60
        while len(begun) < THREADS:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        try:
            for path in ("/healthz", "/readyz"):
                assert answer_to(address, head("GET", path, "Connection: close"))[0] == 200
            assert len(begun) == THREADS
        finally:
            go.set()
        for connection in slow:
            assert rest_of(connection).startswith(b"HTTP/1.1 200 ")
