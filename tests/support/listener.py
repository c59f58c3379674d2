"""An HTTP server on loopback that records its requests, for notices and for the dead-man's switch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listener(ThreadingHTTPServer):
    """Records its requests; the first `errors` of them get an error, and if it hangs, none gets a response."""

    daemon_threads = True

    def __init__(self, *, hangs: bool = False) -> None:
        self.heard: list[tuple[str, str]] = []
        self.errors = 0
        self._released = threading.Event()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                if hangs:
                    listener._released.wait()
                    return
                if listener.errors > 0:
                    listener.errors -= 1
                    self.send_response(500)
                else:
                    listener.heard.append((self.path, body))
                    self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def bodies(self) -> list[str]:
        return [body for _, body in self.heard]


@contextmanager
def listening(*, hangs: bool = False) -> Iterator[Listener]:
    """A running listener, until the end of the block."""
    with Listener(hangs=hangs) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server._released.set()
            server.shutdown()
