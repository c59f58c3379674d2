"""A fake server on loopback that speaks enough TDS (MS-TDS) for a client to log in and get scripted answers.

It does what no real engine does on demand: an error after a result set, an answer that breaks off, no answer at all,
TLS with a certificate of the test. It keeps the requests, so a test can count the calls.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Literal, Self

from agent_funnel.sql import version

# Kinds of message (2.2.3.1.1), and the values for encryption in PRELOGIN (2.2.6.5):
BATCH, ANSWER, ATTENTION, PRELOGIN = 0x01, 0x04, 0x06, 0x12
ENCRYPTED, NOT_ENCRYPTED = 1, 2

# Actions instead of an answer, or after its beginning: close the connection, or send nothing more.
HANG_UP: Final = "hang up"
SILENCE: Final = "silence"
Answer = bytes | Literal["hang up", "silence"]


def _text(value: str, size: str) -> bytes:
    """A text after its length in characters, which is packed as B (one byte) or H (two)."""
    return struct.pack(f"<{size}", len(value)) + value.encode("utf-16-le")


def _token(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + struct.pack("<H", len(content)) + content


def error(number: int, message: str, severity: int = 16) -> bytes:
    """An ERROR token, and the DONE token that ends the batch with it."""
    content = struct.pack("<IBB", number, 1, severity) + _text(message, "H") + _text("fake", "B") + _text("", "B")
    return _token(0xAA, content + struct.pack("<I", 1)) + _done(2)


def _done(status: int, rows: int = 0) -> bytes:
    return b"\xfd" + struct.pack("<HHQ", status, 0, rows)


DONE = _done(0)


def rows(*found: Mapping[str, Any], more: bool = False) -> bytes:
    """A result set of integers and texts; with `more`, another result follows."""
    described = struct.pack("<H", len(found[0]))
    for name, value in found[0].items():
        # INTN of 8 bytes, or NVARCHAR of up to 4,000 characters with a collation, both nullable.
        kind = b"\x26\x08" if isinstance(value, int) else b"\xe7" + struct.pack("<H", 8000) + bytes(5)
        described += struct.pack("<IH", 0, 1) + kind + _text(name, "B")
    answer = b"\x81" + described
    for row in found:
        answer += b"\xd1"
        for value in row.values():
            if isinstance(value, int):
                answer += struct.pack("<Bq", 8, value)
            else:
                raw = str(value).encode("utf-16-le")
                answer += struct.pack("<H", len(raw)) + raw
    # 0x10: the number of rows is valid; 0x01: more is to come.
    return answer + _done(0x11 if more else 0x10, len(found))


# Texts that identify the calls of a deal: the deal, and the question about its result; and the answer to both.
DEAL, RUN_OF_REQUEST = "EXECUTE dbo.sp_assign_wafunnel_to_agents", "INTO dbo.assignment_request"
RUN = rows(
    {
        "run_id": 7, "business_date": "2026-11-23", "trigger": "manual", "status": "succeeded", "agents": 3, "pool": 9,
        "per_agent": 3, "assigned": 9, "left_over": 0, "duplicates": 0, "suppressed": 0, "smallest_share": 3,
        "largest_share": 3, "started_at": "2026-11-23 20:40:00.000", "finished_at": "2026-11-23 20:40:01.000",
        "notice": None, "kept_out": 0, "came_round": 2, "same_agent": 0, "stayed": 0,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Login:
    """The fields of a client's login that the tests use."""

    user: str
    database: str
    encrypted: bool


@dataclass
class FakeServer:
    """Listens on a free port of `host` until the end of its block.

    `answers` has the answers to a batch that contains a text: one after the other, and the last one from then on. An
    answer is tokens, `HANG_UP`, `SILENCE`, or a list of these, which are sent one after the other. Any other batch
    succeeds; one that asks for the session gets 50, and with it the version of this program's tables.

    `login` has the answers to logins that must fail, by the name of the database; any other login succeeds. With `tls`,
    the client has to encrypt everything from the login on; without it, the server says that it cannot encrypt.
    `prelogin` has raw bytes that the client gets instead of any conversation.
    """

    answers: Mapping[str, Sequence[Answer | Sequence[Answer]]] = field(default_factory=dict)
    login: Mapping[str, Answer] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    prelogin: Answer | None = None
    host: str = "127.0.0.1"
    port: int = 0
    logins: list[Login] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        self._thread.join(10)

    def drop(self) -> None:
        """Breaks every connection, as a restart does; new ones are accepted."""
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def url(self, user: str = "sa", password: str = "hunter2", host: str | None = None) -> str:
        """The URL of this server for a backend."""
        at = host or self.host
        return f"mssql+pymssql://{user}:{password}@{f'[{at}]' if ':' in at else at}:{self.port}/funnel"

    def count(self, text: str) -> int:
        """The number of batches that contained this text."""
        return sum(text in batch for batch in self.batches)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._converse, args=(client,), daemon=True).start()

    def _converse(self, client: socket.socket) -> None:
        # A client that disconnects, or rejects the certificate, ends the conversation.
        with client, contextlib.suppress(OSError, EOFError):
            wire = _Wire(client)
            wire.message()
            if isinstance(self.prelogin, bytes):
                client.sendall(self.prelogin)
                return
            if self.prelogin is not None:
                self._do(wire, self.prelogin)
                return
            # VERSION (16.0), ENCRYPTION and MARS (no), each with its offset and length; then their values.
            options = struct.pack(">BHHBHHBHHB", 0, 16, 6, 1, 22, 1, 4, 23, 1, 255) + bytes([16, 0, 0, 0, 0, 0])
            wire.send(options + bytes([ENCRYPTED if self.tls else NOT_ENCRYPTED, 0]))
            if self.tls:
                wire.encrypt(self.tls)
            _, content = wire.message()
            login = Login(_login_text(content, 40), _login_text(content, 68), wire.encrypted)
            self.logins.append(login)
            self._do(wire, self.login.get(login.database, _WELCOME))
            while True:
                kind, content = wire.message()
                if kind == ATTENTION:
                    wire.send(_done(0x20))
                elif kind == BATCH:
                    # The headers come first, with their length.
                    batch = content[struct.unpack_from("<I", content)[0] :].decode("utf-16-le")
                    self._do(wire, self._answer_to(batch))

    def _answer_to(self, batch: str) -> Answer | Sequence[Answer]:
        with self._lock:
            self.batches.append(batch)
            for text, answers in self.answers.items():
                if text in batch:
                    return answers[min(self.count(text), len(answers)) - 1]
        if "AS session_id" not in batch:
            return DONE
        return rows(
            {"session_id": 50, "version": version("sqlserver")} if "AS version" in batch else {"session_id": 50}
        )

    @staticmethod
    def _do(wire: _Wire, answer: Answer | Sequence[Answer]) -> None:
        for part in [answer] if isinstance(answer, bytes | str) else answer:
            if isinstance(part, bytes):
                wire.send(part, last=part is answer or part is answer[-1])
            elif part == HANG_UP:
                raise EOFError
            else:
                wire.message()


# LOGINACK for version 7.4, as from a "fake" server of version 16.0:
_WELCOME = _token(0xAD, b"\x01\x74\x00\x00\x04" + _text("fake", "B") + bytes([16, 0, 0, 0])) + DONE


def _login_text(login: bytes, place: int) -> str:
    start, length = struct.unpack_from("<HH", login, place)
    return login[start : start + 2 * length].decode("utf-16-le")


class _Wire:
    """A connection, message by message, in the clear or in TLS."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None

    @property
    def encrypted(self) -> bool:
        return self._tls is not None

    def message(self) -> tuple[int, bytes]:
        """The next message, put together from its packets, and its kind."""
        content = b""
        while True:
            kind, status, length = struct.unpack(">BBHxxxx", self._read(8))
            content += self._read(length - 8)
            if status & 1:
                return kind, content

    def send(self, content: bytes, kind: int = ANSWER, *, last: bool = True) -> None:
        """Sends a message, or the beginning of one, in one packet."""
        packet = struct.pack(">BBHHBB", kind, int(last), len(content) + 8, 0, 1, 0) + content
        if self._tls is not None:
            self._tls.write(packet)
            packet = self._outgoing.read()
        self._client.sendall(packet)

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Makes the TLS handshake, whose data travel in messages of the kind PRELOGIN."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush_handshake()
                self._incoming.write(self.message()[1])
        self._flush_handshake()
        self._tls = tls

    def _flush_handshake(self) -> None:
        if said := self._outgoing.read():
            self.send(said, PRELOGIN)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            if self._tls is None:
                more = self._client.recv(count - len(data))
            else:
                try:
                    more = self._tls.read(count - len(data))
                except ssl.SSLWantReadError:
                    more = self._client.recv(65536)
                    self._incoming.write(more)
                    if more:
                        continue
            if not more:
                raise EOFError
            data += more
        return data
