"""Instances of SQL Server by name: the SQL Server Browser says their ports, and a failure is explained without them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from agent_funnel.database import prelogin
from agent_funnel.database.prelogin import explain_login_failure
from agent_funnel.errors import DatabaseUnavailable
from support.databases import connect_to
from support.faketds import FakeServer
from support.refusals import free_port

pytestmark = pytest.mark.usefixtures("short_login_timeout")

SILENT = ""


@contextmanager
def browser(answer: str, *, port: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """A SQL Server Browser on loopback, which gives one answer to every question: its port, and the questions."""
    asked: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            question, client = listener.recvfrom(1024)
            if not question:
                return
            asked.append(question)
            if answer:
                content = answer.encode()
                listener.sendto(b"\x05" + len(content).to_bytes(2, "little") + content, client)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            pytest.skip(f"another program uses the UDP port {port}")
        thread = Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield listener.getsockname()[1], asked
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", listener.getsockname())
            thread.join()


def answer_with(port: int) -> str:
    """The answer of a Browser about an instance that listens on a port."""
    return f"ServerName;DB;InstanceName;SQLEXPRESS;IsClustered;No;Version;15.0.2000.5;tcp;{port};;"


def test_an_instance_is_found_through_the_browser_of_its_machine() -> None:
    # The driver always asks this port.
    with FakeServer() as server, browser(answer_with(server.port), port=1434) as (_, asked):
        backend = connect_to(r"mssql+pymssql://sa:hunter2@127.0.0.1\SQLEXPRESS/funnel")
        backend.ping()
        assert server.logins[0].user == "sa"
        assert b"SQLEXPRESS" in asked[0]
        assert r"127.0.0.1\SQLEXPRESS" in backend.name


def test_a_port_after_a_comma_is_called_without_a_question() -> None:
    with FakeServer() as server:
        connect_to(rf"mssql+pymssql://sa:hunter2@127.0.0.1\SQLEXPRESS,{server.port}/funnel").ping()
        assert server.logins[0].user == "sa"
    with pytest.raises(DatabaseUnavailable, match=rf"127\.0\.0\.1:{server.port} cannot be reached") as refused:
        connect_to(f"mssql+pymssql://sa:hunter2@127.0.0.1,{server.port}/funnel").ping()
    assert "not known" not in str(refused.value)


def explain(instance: str = "SQLEXPRESS", host: str = "127.0.0.1") -> str:
    """The explanation of a failed login to an instance."""
    return explain_login_failure(host, None, instance=instance, encryption="request", ca_file=None)


def test_a_failed_login_to_an_instance_is_explained_without_the_instance_in_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prelogin, "STEP_TIMEOUT", 0.5)
    no_instance = r"127\.0\.0\.1 does not say which port its instance SQLEXPRESS has: .*SQL Server Browser.*host:port"
    for answer in (SILENT, "ServerName;DB;InstanceName;SQLEXPRESS;IsClustered;No;Version;15.0.2000.5;;", "nonsense"):
        with browser(answer) as (port, asked):
            monkeypatch.setattr(prelogin, "BROWSER_PORT", port)
            assert re.match(no_instance, explain())
            assert asked == [b"\x04SQLEXPRESS\x00"]
    # Nothing listens there any more.
    assert "SQL Server Browser" in explain()
    closed = free_port()
    with browser(answer_with(closed)) as (port, _):
        monkeypatch.setattr(prelogin, "BROWSER_PORT", port)
        assert rf"127.0.0.1\SQLEXPRESS, port {closed}, cannot be reached" in explain()
    assert "The host name 'no-such-host.invalid' is not known" in explain(host="no-such-host.invalid")


def test_the_driver_gets_the_same_explanation() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"The host name 'no-such-host\.invalid' is not known"):
        connect_to(r"mssql+pymssql://sa:hunter2@no-such-host.invalid\SQLEXPRESS/funnel").ping()
