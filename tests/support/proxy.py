"""A TCP proxy on loopback, so that a test can take a database server away from the service and give it back."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import Literal

# The fate of a call whose connection is cut: the server never gets it, has answered it, or gets it only later.
Cut = Literal["before", "after", "late"]


class Proxy:
    """Forwards connections to an address until it is told to stop; a stopped port refuses connections."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._cuts: list[tuple[bytes, Cut]] = []
        self._held: list[tuple[_Line, bytes]] = []
        self.port = 0
        self.start()

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Refuses new connections and breaks those that are open."""
        assert self._listener is not None
        for each in (self._listener, *self._open):
            _close(each)
        self._open.clear()

    def cut(self, text: str, when: Cut, times: int = 1) -> None:
        """Cuts the connection of the next client that sends this text, this many times; it gets no answer."""
        self._cuts += [(text.encode("utf-16-le"), when)] * times

    def is_done(self) -> bool:
        """Whether all cuts that were asked for have happened."""
        return not self._cuts

    def deliver(self) -> None:
        """Sends the calls that were cut "late", and returns when the server has answered them."""
        while self._held:
            line, data = self._held.pop()
            line.server.sendall(data)
            assert line.ended.wait(60)
            _close(line.server)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                line = _Line(client, socket.create_connection(self._target))
                self._open += [line.client, line.server]
                for copy in (self._requests, self._answers):
                    threading.Thread(target=copy, args=(line,), daemon=True).start()

    def _requests(self, line: _Line) -> None:
        with contextlib.suppress(OSError):
            while data := line.client.recv(65536):
                if self._cuts and self._cuts[0][0] in data:
                    _, when = self._cuts.pop(0)
                    line.cut = True
                    if when != "after":
                        _close(line.client)
                    if when == "late":
                        self._held.append((line, data))
                        return
                    if when == "before":
                        break
                line.server.sendall(data)
        _close(line.server)

    @staticmethod
    def _answers(line: _Line) -> None:
        with contextlib.suppress(OSError):
            # A server answers when the call is done, so the first bytes of the answer are enough.
            while (data := line.server.recv(65536)) and not line.cut:
                line.client.sendall(data)
        _close(line.client)
        line.ended.set()


@dataclass
class _Line:
    """A connection through the proxy; `ended` when the server has closed its side."""

    client: socket.socket
    server: socket.socket
    cut: bool = False
    ended: threading.Event = field(default_factory=threading.Event)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
