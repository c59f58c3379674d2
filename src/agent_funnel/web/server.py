"""waitress, started and stopped with care: requests that are being answered when it is told to stop are answered."""

from __future__ import annotations

import logging
import select
import socket
from collections.abc import Callable
from operator import attrgetter
from threading import Event
from typing import Any

from flask import Flask
from waitress import create_server
from waitress.wasyncore import dispatcher

from agent_funnel.errors import SettingsError
from agent_funnel.web.api.leads import LARGEST_FILE

# How long the loop sleeps before it looks whether it is to stop, in seconds:
LOOK = 0.5
# How long a connection may say nothing, in seconds:
IDLE = 20
# Connections that are taken at once, before those are looked at that are there:
AT_ONCE = 100
# Connections, and files that are left for everything else, the database among it:
MOST_CONNECTIONS = 10_000
OTHER_FILES = 100


def serve(
    app: Flask, host: str, port: int, stop: Event, ready: Callable[[str], None], is_alive: Callable[[], bool]
) -> bool:
    """Serves until `stop` is set, then takes no new connection, answers what is under way, and returns True.

    Returns False, at once, when what it serves for is not alive any more.

    `ready` is called with the address once it listens. Raises SettingsError if it cannot listen there.
    """
    # It writes a line for each request that has to wait, which is many on a busy evening and helps nobody.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    listening = _listen(host, port)
    server = create_server(
        app,
        sockets=[listening],
        threads=8,
        ident=None,
        max_request_body_size=LARGEST_FILE,
        # As many slow ones as the system lets a process have, so that they keep nobody else out.
        connection_limit=_connections(),
        asyncore_use_poll=hasattr(select, "poll"),
        channel_timeout=IDLE,
        cleanup_interval=IDLE // 2,
        # ProxyFix believes those that the setting names, and nobody else.
        clear_untrusted_proxy_headers=False,
    )
    loop = server.asyncore.loop

    def turn() -> None:
        loop(timeout=LOOK, map=server._map, use_poll=server.adj.asyncore_use_poll, count=1)

    address = listening.getsockname()
    ready(f"http://{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}")
    while not stop.is_set():
        turn()
        _take_who_waits(server)
        if not is_alive():
            return False
    dispatcher.close(server)
    while any(channel.requests or channel.total_outbufs_len for channel in list(server.active_channels.values())):
        turn()
    server.task_dispatcher.shutdown()
    return True


def _take_who_waits(server: Any) -> None:
    """Takes the connections that wait, of which waitress takes one a turn.

    A turn looks at each connection there is, and with thousands of slow ones whoever came last would wait for seconds.
    """
    for _ in range(AT_ONCE):
        if len(server._map) >= server.adj.connection_limit:
            _make_room(server)
        known = len(server._map)
        if not server.readable():
            return
        server.handle_accept()
        if len(server._map) == known:
            return


def _make_room(server: Any) -> None:
    """Closes some of the connections that have been there longest, of those that have not asked anything yet, or have
    been answered."""
    idle = [each for each in server.active_channels.values() if not each.requests and not each.total_outbufs_len]
    idle.sort(key=attrgetter("creation_time"))
    for channel in idle[: len(idle) // 20 + 1]:
        channel.handle_close()


def _connections() -> int:
    try:
        import resource
    except ImportError:
        # On Windows the bound is that of select().
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
