"""A small HTTP proxy that shows the service under a path of another site, as nginx and IIS do."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


@contextmanager
def under_path(address: str, prefix: str) -> Iterator[str]:
    """Runs the proxy until the end of the block; the address under which it shows the service at `address`."""
    backend = urlsplit(address).netloc

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Logs nothing."""

        def _forward(self) -> None:
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404, "Not a path of the service")
                return
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
            }
            headers |= {
                "Host": backend,
                # IIS adds the port of the connection.
                "X-Forwarded-For": f"{self.client_address[0]}:{self.client_address[1]}",
                "X-Forwarded-Proto": "http",
                "X-Forwarded-Host": self.headers["Host"],
                "X-Forwarded-Prefix": prefix,
            }
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection(backend, timeout=30)
            connection.request(self.command, self.path.removeprefix(prefix), body, headers)
            answer = connection.getresponse()
            data = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815 the names that http.server calls

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        runner = Thread(target=server.serve_forever, args=(0.05,))
        runner.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{prefix}"
        finally:
            server.shutdown()
            runner.join()
