"""The waitress server, with a graceful stop: requests in progress are finished first."""

from __future__ import annotations

import logging
import select
import socket
import time
from collections.abc import Callable
from operator import attrgetter
from threading import Event
from typing import Any

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher
from waitress.wasyncore import dispatcher

from agent_funnel.errors import SettingsError
from agent_funnel.web.bounds import Space
from agent_funnel.web.connections import Admission, Channel
from agent_funnel.web.files import EXPORTS_AT_ONCE
from agent_funnel.web.uploads import IMPORTS_AT_ONCE, LARGEST_FILE

# Threads for requests. Long work takes at most the places that it has, so that the others are always left:
OTHER_THREADS = 8
THREADS = OTHER_THREADS + EXPORTS_AT_ONCE + IMPORTS_AT_ONCE
# Threads that answer nothing but health checks, and their addresses. One of them may wait for the database.
HEALTH_THREADS = 2
HEALTH_PATHS = frozenset(("/healthz", "/readyz"))
# The bytes of all admitted bodies that are here at a time; each is in a temporary file:
BODIES_BYTES = 2 * LARGEST_FILE
# The bytes of all incomplete requests that nothing has admitted; they are in memory:
UNKNOWN_BYTES = 32_000_000
# The most bytes that the headers of a request may have:
HEADER_BYTES = 32_000
# When the service ends, a client has this many seconds to take the rest of its response:
LAST_SECONDS = 30.0
# How long the loop sleeps before it checks whether to stop, in seconds:
LOOP_SECONDS = 0.5
# A connection that sends nothing for this long is closed, in seconds:
IDLE_SECONDS = 20
# The most connections that are accepted in a row, before the existing ones get their turn:
ACCEPTED_AT_ONCE = 100
# The most connections, and the files that are left for everything else, including the database:
MOST_CONNECTIONS = 10_000
OTHER_FILES = 100


def serve_http(
    app: Flask, host: str, port: int, stop: Event, ready: Callable[[str], None], is_alive: Callable[[], bool]
) -> bool:
    """Serves until `stop` is set, then accepts no new connection, finishes the requests in progress, and returns True.

    Returns False at once when `is_alive` says that the service is no longer alive. `ready` is called with the address
    once the server listens. Raises SettingsError if it cannot listen there.
    """
    # waitress logs a line for each request that has to wait: too many on a busy evening.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    listening = _listen(host, port)
    server = _Server(app, listening)
    address = listening.getsockname()
    ready(f"http://{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}")
    while not stop.is_set():
        server.turn()
        server.accept_waiting()
        if not is_alive():
            return False
    server.finish()
    return True


class _Waitress(TcpWSGIServer):  # type: ignore[misc]
    """The server of waitress, with threads of their own for health checks, and bounds on what clients send."""

    channel_class = Channel

    def __init__(self, app: Flask, listening: socket.socket, adj: Adjustments) -> None:
        self.space = Space(BODIES_BYTES)
        self._unknown = 0
        self._health = _threads(HEALTH_THREADS)
        super().__init__(
            app,
            # The map of the connections; without one of its own, all servers of a process share one.
            map={},
            dispatcher=_threads(adj.threads),
            adj=adj,
            _sock=listening,
            bind_socket=False,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
        )

    def add_task(self, task: Channel | Admission) -> None:
        """Queues a task. A health check never waits behind other requests."""
        is_check = isinstance(task, Channel) and task.requests[0].path in HEALTH_PATHS
        (self._health if is_check else self.task_dispatcher).add_task(task)

    def maintenance(self, now: float) -> None:
        """Closes connections that are idle, or too slow."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            channel.close_if_slow()

    def count_unknown(self, change: int) -> None:
        """Counts bytes that unknown clients have sent; if there are too many, closes the oldest tenth of these."""
        self._unknown += change
        # Closing one of them counts, too.
        if change > 0 and self._unknown > UNKNOWN_BYTES:
            waiting = [each for each in self.active_channels.values() if each.unknown_since is not None]
            waiting.sort(key=attrgetter("unknown_since"))
            for channel in waiting[: len(waiting) // 10 + 1]:
                channel.handle_close()

    def stop_threads(self) -> None:
        """Ends the threads, when they have finished their requests."""
        self.task_dispatcher.shutdown()
        self._health.shutdown()


def _threads(count: int) -> ThreadedTaskDispatcher:
    threads = ThreadedTaskDispatcher()
    threads.set_thread_count(count)
    return threads


class _Server:
    """A waitress server whose loop we run ourselves.

    It uses names that waitress does not document; it was read against waitress 3.0.1 and 3.0.2, and pyproject.toml
    excludes 4. They are `_map`, `asyncore`, `adj`, `active_channels`, `task_dispatcher`, `maintenance`, `readable` and
    `handle_accept` of the server, and `requests`, `total_outbufs_len`, `creation_time` and `handle_close` of a channel.
    """

    def __init__(self, app: Flask, listening: socket.socket) -> None:
        adj = Adjustments(
            sockets=[listening],
            threads=THREADS,
            ident=None,
            max_request_header_size=HEADER_BYTES,
            # The app says how large a body may be, when it admits it.
            max_request_body_size=2**62,
            # As many as the system allows a process, so that slow clients keep nobody else out.
            connection_limit=_connection_limit(),
            asyncore_use_poll=hasattr(select, "poll"),
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=IDLE_SECONDS // 2,
            # ProxyFix trusts the proxies that the setting counts, and no others.
            clear_untrusted_proxy_headers=False,
        )
        self._server: Any = _Waitress(app, listening, adj)
        self._maintained_at = time.monotonic()

    def turn(self) -> None:
        """Looks at each connection once."""
        server = self._server
        server.asyncore.loop(timeout=LOOP_SECONDS, map=server._map, use_poll=server.adj.asyncore_use_poll, count=1)

    def accept_waiting(self) -> None:
        """Accepts the connections that wait. waitress alone accepts one a turn.

        A turn looks at every connection, and with thousands of slow ones a new connection would wait for seconds.
        """
        server = self._server
        for _ in range(ACCEPTED_AT_ONCE):
            if len(server._map) >= server.adj.connection_limit:
                self._close_oldest_idle()
            known = len(server._map)
            if not server.readable():
                return
            server.handle_accept()
            if len(server._map) == known:
                return

    def _close_oldest_idle(self) -> None:
        """Closes the oldest 5% of idle connections."""
        idle = [channel for channel in self._channels() if not channel.requests and not channel.total_outbufs_len]
        idle.sort(key=attrgetter("creation_time"))
        for channel in idle[: len(idle) // 20 + 1]:
            channel.handle_close()

    def _channels(self) -> list[Any]:
        return list(self._server.active_channels.values())

    def finish(self) -> None:
        """Accepts no more connections, and finishes the requests in progress."""
        dispatcher.close(self._server)
        while any(channel.requests for channel in self._channels()):
            self._last_turn()
        # Otherwise a client that takes a large file slowly would keep the service from ending.
        end = time.monotonic() + LAST_SECONDS
        while any(channel.total_outbufs_len for channel in self._channels()) and time.monotonic() < end:
            self._last_turn()
        self._server.stop_threads()

    def _last_turn(self) -> None:
        """Looks at each connection once. The server, which is closed, no longer does its maintenance then."""
        self.turn()
        if time.monotonic() >= self._maintained_at + IDLE_SECONDS / 2:
            self._maintained_at = time.monotonic()
            self._server.maintenance(time.time())


def _connection_limit() -> int:
    try:
        import resource
    except ImportError:
        # On Windows select() sets the limit.
        return 400
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(100, min(MOST_CONNECTIONS, allowed - OTHER_FILES))


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host}, port {port} (FUNNEL_HOST, FUNNEL_PORT): {error.strerror}."
        ) from error
