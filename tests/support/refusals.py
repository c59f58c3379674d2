"""The error message for a person if there is no connection."""

from __future__ import annotations

import socket
import traceback

import pytest

from agent_funnel.database import Database
from agent_funnel.errors import ConnectionLost, DatabaseUnavailable

PASSWORD = "hunter2"


def free_port() -> int:
    """A port of this machine without a server."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def server_url(port: int, host: str = "127.0.0.1") -> str:
    """The URL of a database on a server at this port."""
    return f"mssql+pymssql://sa:{PASSWORD}@{host}:{port}/funnel"


def assert_one_sentence(message: str) -> None:
    """Asserts that a message is a sentence for a person, without the password."""
    assert "\n" not in message
    assert message.count(". ") == 0
    assert message.endswith(".")
    assert 20 < len(message) < 300
    assert "DB-Lib" not in message
    assert PASSWORD not in message


def refusal_of(backend: Database) -> str:
    """The message of a backend without a connection; asserts that the password is nowhere in the error."""
    with pytest.raises(DatabaseUnavailable) as refusal:
        backend.one("ping")
    assert not isinstance(refusal.value, ConnectionLost)
    assert_one_sentence(str(refusal.value))
    assert PASSWORD not in "".join(traceback.format_exception(refusal.value))
    return str(refusal.value)
