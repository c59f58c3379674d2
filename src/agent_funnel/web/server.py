"""waitress, started and stopped with care: requests that are being answered when it is told to stop are answered."""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Event

from flask import Flask
from waitress import create_server
from waitress.wasyncore import dispatcher

from agent_funnel.errors import SettingsError

# How long the loop sleeps before it looks whether it is to stop, in seconds:
LOOK = 0.5


def serve(
    app: Flask, host: str, port: int, stop: Event, ready: Callable[[str], None], is_alive: Callable[[], bool]
) -> bool:
    """Serves until `stop` is set, then takes no new connection, answers what is under way, and returns True.

    Returns False, at once, when what it serves for is not alive any more.

    `ready` is called with the address once it listens. Raises SettingsError if it cannot listen there.
    """
    listening = _listen(host, port)
    server = create_server(app, sockets=[listening], threads=8, ident=None)
    loop = server.asyncore.loop

    def turn() -> None:
        loop(timeout=LOOK, map=server._map, use_poll=server.adj.asyncore_use_poll, count=1)

    address = listening.getsockname()
    ready(f"http://{f'[{address[0]}]' if ':' in address[0] else address[0]}:{address[1]}")
    while not stop.is_set():
        turn()
        if not is_alive():
            return False
    dispatcher.close(server)
    while any(channel.requests or channel.total_outbufs_len for channel in list(server.active_channels.values())):
        turn()
    server.task_dispatcher.shutdown()
    return True


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host}, port {port} (FUNNEL_HOST, FUNNEL_PORT): {error.strerror}."
        ) from error
