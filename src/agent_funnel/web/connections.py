"""Connections of clients: what they may send before the service knows them, and how slow they may be.

waitress reads the whole body of a request before the app sees the request. So a body that is not small has to be
admitted: once its headers are here, the app is asked with the headers alone, and the connection is not read until it
has answered. With any answer but 204, that answer goes to the client, and the body is never taken.

It uses names that waitress does not document; it was read against waitress 3.0.1 and 3.0.2, and pyproject.toml
excludes 4.
"""

from __future__ import annotations

import copy
import socket
import time
from io import BytesIO
from typing import Any

import structlog
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import WSGITask
from werkzeug.test import run_wsgi_app

from agent_funnel.web.bounds import Space

log = structlog.get_logger(__name__)

# The key of the admission in the environment of a request that is only to be admitted:
ADMISSION = "agent_funnel.admission"
# The answer of the app that admits a body:
ADMITTED = 204
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# The largest body, in bytes, that needs no admission. No form that works without a key is as large.
SMALL_BODY = 16_000
# A client may be silent, or slow, for this many seconds; after that, it must keep up this rate, in bytes a second:
PATIENCE_SECONDS = 20.0
SLOWEST_RATE = 20_000
# How long the service still reads, and throws away, what a client sends after its body was refused. A client that only
# sends sees the answer when it has sent everything; if the connection were closed before, it would see no answer.
LINGER_SECONDS = 10.0


class Admission:
    """A request that waits for its admission: the app is asked by a thread of the service."""

    def __init__(self, channel: Channel, request: ArrivingRequest) -> None:
        self._channel = channel
        self._request = request

    def reserve(self, size: int) -> bool:
        """Reserves space for the body, until the request has been answered; returns whether there was space."""
        return self._request.reserve(self._channel.server.space, size)

    def service(self) -> None:
        """Asks the app, then lets the connection go on, or refuses the request."""
        try:
            answer, status, headers = run_wsgi_app(self._channel.server.application, self._environ(), buffered=True)
            refusal = None if status.startswith(f"{ADMITTED} ") else Refusal(status, list(headers), b"".join(answer))
        except Exception as error:
            log.error("could not ask whether a body is admitted", exc_info=error)
            refusal = Refusal("500 Internal Server Error", [], b"")
        self._channel.end_admission(self._request, refusal)

    def _environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = WSGITask(self._channel, self._request).get_environment()
        return {**environ, "wsgi.input": BytesIO(), ADMISSION: self}

    def cancel(self) -> None:
        """Does nothing; waitress calls it for tasks that were not begun when the service ends."""


class Refusal:
    """The answer of the app to a request whose body is not admitted, as an error of waitress."""

    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self._answer = status, [each for each in headers if each[0].lower() != "content-length"], body

    def to_response(self, _: str | None) -> tuple[str, list[tuple[str, str]], bytes]:
        """The answer, as waitress asks for it."""
        return self._answer


class ArrivingRequest(HTTPRequestParser):  # type: ignore[misc]
    """A request as it arrives."""

    # waitress sets it when it has read the headers; a request whose headers it cannot read has none.
    path = ""

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.began = time.monotonic()
        self.needs_admission = False
        self._expects_continue = False
        self._space: Space | None = None
        self._reserved = 0

    @property
    def received_bytes(self) -> int:
        """The number of bytes that have arrived."""
        return int(self.header_bytes_received + self.body_bytes_received)

    def parse_header(self, header_plus: bytes) -> None:
        """Reads the headers. Raises ParsingError, which becomes 400, if they can be understood in two ways."""
        super().parse_header(header_plus)
        # waitress has taken Transfer-Encoding away, unless the version is one that does not know it.
        if "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers):
            raise ParsingError("The length of the body is given in two ways")
        # waitress joins headers of one name with commas, and no name of a host has one.
        if "," in self.headers.get("HOST", ""):
            raise ParsingError("There is more than one Host header")
        self.needs_admission = self.chunked or self.content_length > SMALL_BODY
        if self.needs_admission:
            self._expects_continue = bool(self.expect_continue)
            self.expect_continue: bool = False

    def reserve(self, space: Space, size: int) -> bool:
        """Reserves space for the body, which may then have that many bytes, until the request is closed."""
        if not space.take(size):
            return False
        self._space, self._reserved = space, size
        # waitress refuses a body that reaches the limit.
        own: Any = copy.copy(self.adj)
        own.max_request_body_size = size + 1
        self.adj: Any = own
        return True

    def admit(self) -> None:
        """Lets the body come."""
        self.needs_admission = False
        self.expect_continue = self._expects_continue

    def close(self) -> None:
        """Removes the body, and gives its space back."""
        super().close()
        space, self._space = self._space, None
        if space is not None:
            space.give_back(self._reserved)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection."""

    parser_class = ArrivingRequest

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._asking = False
        # The bytes that count as those of an unknown client, which nothing has admitted:
        self._unknown = 0
        # Since when a response is being sent, and its bytes that the client has taken:
        self._sending_since = 0.0
        self._sent = 0
        # Whether a refused client may still be sending, and until when that is read:
        self._lingers = False
        self._lingers_until: float | None = None

    def readable(self) -> bool:
        if self._lingers_until is not None:
            return not self.will_close
        return not self._asking and bool(super().readable())

    def handle_read(self) -> None:
        if self._lingers_until is None:
            super().handle_read()
        else:
            self.recv(65_536)

    def received(self, data: bytes) -> bool:
        """Takes what has arrived; asks for admission when the headers of a request that needs it are complete."""
        taken = bool(super().received(data))
        with self.requests_lock:
            request: ArrivingRequest | None = self.request
            if request is not None and request.needs_admission and not self._asking:
                self._asking = True
                self.server.add_task(Admission(self, request))
        self._count_unknown()
        return taken

    def end_admission(self, request: ArrivingRequest, refusal: Refusal | None) -> None:
        """Lets the body of a request come, or makes the refusal its answer. A thread of the service calls it."""
        with self.requests_lock:
            if not self.connected:
                # The connection was closed in the meantime, perhaps before the space was reserved.
                request.close()
                return
            if refusal is None:
                request.admit()
                if request.expect_continue and not self.requests:
                    self._queue_continue(request)
            else:
                self._lingers = True
                request.error, request.completed, self.request = refusal, True, None
                self.requests.append(request)
                if len(self.requests) == 1:
                    self.server.add_task(self)
            self._asking = False
        self.server.pull_trigger()

    def _queue_continue(self, request: ArrivingRequest) -> None:
        """Queues the response that lets the body come. Only the loop sends it, since nothing else is being sent."""
        request.expect_continue = False
        self.sent_continue = True
        with self.outbuf_lock:
            self.outbufs[-1].append(CONTINUE)
            self.current_outbuf_count += len(CONTINUE)
            # Last, because from here on the loop sends it.
            self.total_outbufs_len += len(CONTINUE)

    def _count_unknown(self) -> None:
        """Counts the bytes of a request that is not complete and not admitted; too many make the server close some."""
        request: ArrivingRequest | None = self.request
        unknown = 0 if request is None or request.adj is not self.adj else request.received_bytes
        if unknown != self._unknown:
            self.server.count_unknown(unknown - self._unknown)
            self._unknown = unknown

    @property
    def unknown_since(self) -> float | None:
        """Since when the connection has been sending a request that nothing has admitted; None if it sends none."""
        request: ArrivingRequest | None = self.request
        return request.began if self._unknown and request is not None else None

    def write_soon(self, data: Any) -> int:
        if not self.total_outbufs_len:
            self._sending_since, self._sent = time.monotonic(), 0
        return int(super().write_soon(data))

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent = int(super().send(data, do_close))
        self._sent += sent
        return sent

    def close_if_slow(self) -> None:
        """Closes the connection if its client sends, or takes, too slowly."""
        now = time.monotonic()
        request: ArrivingRequest | None = self.request
        if self._lingers_until is not None:
            too_slow = now > self._lingers_until
        elif self.total_outbufs_len:
            too_slow = now - self._sending_since > PATIENCE_SECONDS + self._sent / SLOWEST_RATE
        elif request is not None and not self.requests and not self._asking:
            too_slow = now - request.began > PATIENCE_SECONDS + request.received_bytes / SLOWEST_RATE
        else:
            return
        if too_slow:
            self._lingers = False
            self.will_close = True

    def handle_close(self) -> None:
        """Closes the connection, or first lets a client whose body was refused read its answer."""
        if self._lingers and self.will_close and self.connected:
            self._lingers, self.will_close = False, False
            self._lingers_until = time.monotonic() + LINGER_SECONDS
            try:
                self.socket.shutdown(socket.SHUT_WR)
                return
            except OSError:
                # The client has gone.
                pass
        super().handle_close()
        if self.request is not None:
            self.request.close()
        if self._unknown:
            self.server.count_unknown(-self._unknown)
            self._unknown = 0

    def check_client_disconnected(self) -> bool:
        """Whether the client has closed the connection. The app finds this as `waitress.client_disconnected`.

        waitress itself notices it only if it reads the next request while it answers the one before.
        """
        try:
            return not self.connected or self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except (AttributeError, OSError):
            # The socket was closed, perhaps in this moment.
            return True
