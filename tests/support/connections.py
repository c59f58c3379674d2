"""Connections to the service, byte by byte, as a client of a test may need them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    """A connection to the service; a test that waits for bytes that never come fails."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as connection:
        yield connection


def head(method: str, path: str, *lines: str, secret: str = "") -> bytes:
    """The head of a request."""
    key = [f"Authorization: Bearer {secret}"] if secret else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *key, *lines, "", ""]).encode()


def rest_of(connection: socket.socket) -> bytes:
    """Everything that comes until the service closes the connection."""
    said = b""
    while part := connection.recv(65_536):
        said += part
    return said


def answer_to(address: str, *parts: bytes) -> tuple[int, str]:
    """The status and the text of the one answer to these bytes."""
    with connected(address) as connection:
        for part in parts:
            connection.sendall(part)
        said = rest_of(connection)
    assert said.startswith(b"HTTP/1.1 ")
    assert said.count(b"HTTP/1.1 ") == 1
    return int(said[9:12]), said.decode()
