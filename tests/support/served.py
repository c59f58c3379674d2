"""The running service, over HTTP, in a thread of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from agent_funnel.settings import load
from agent_funnel.web import create_app
from agent_funnel.web.server import serve_http
from support.databases import TestedDatabase

# More requests than any test makes:
UNLIMITED = "1000000 per second"


@contextmanager
def served(database: TestedDatabase, **settings: Any) -> Iterator[str]:
    """Runs the service in a thread until the end of the block; its address. `settings` override its settings."""
    with serving(create_app(load(**{"rate_limit": UNLIMITED, **settings}), database.backend)) as address:
        yield address


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Runs the server for a WSGI application, in a thread, until the end of the block; its address."""
    stop, ready = Event(), Event()
    address: list[str] = []

    def listening(where: str) -> None:
        address.append(where)
        ready.set()

    server = Thread(target=serve_http, args=(app, "127.0.0.1", 0, stop, listening, lambda: True))
    server.start()
    try:
        assert ready.wait(10)
        yield address[0]
    finally:
        stop.set()
        server.join()
