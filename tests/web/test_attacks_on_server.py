"""Attacks on the server: smuggled requests, huge bodies, slow connections, paths and keys in addresses."""

from __future__ import annotations

import re
import resource
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agent_funnel.web.auth import SESSION_COOKIE
from support import LONG
from support.databases import TestedDatabase, all_rows, seed_tables, snapshot, sqlite_database
from support.pages import key_of
from support.processes import running_service

# The slow connections of a test, and the open files that it leaves free for everything else:
SLOW_CONNECTIONS = 10_000 if LONG else 300

OTHER_FILES = 300

# The most memory that a body of a gigabyte may add:
MOST_MB = 80

GIGABYTE = 1_000_000_000

pytestmark = pytest.mark.timeout(1800 if LONG else 300)


@contextmanager
def running(directory: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str, TestedDatabase]]:
    """A running service with a few leads, on SQLite: these attacks do not get as far as the database."""
    with sqlite_database(directory, "funnel") as database:
        seed_tables(database)
        given = {"FUNNEL_DATABASE_URL": database.url, "FUNNEL_CATCH_UP": "0", **settings}
        with running_service(directory, "--run-at", "00:00", **given) as (process, address):
            yield process, address, database


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60)


def status(said: bytes) -> int:
    """The status of an answer, or 0 without an answer."""
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", said)
    return int(found[1]) if found else 0


def raw(address: str, request: bytes) -> bytes:
    """Everything that the service sends in answer to these bytes."""
    with connect(address) as connection:
        connection.sendall(request)
        said = b""
        try:
            while part := connection.recv(65_536):
                said += part
        except ConnectionResetError:
            # The service refused the request before it had read all of it.
            pass
        return said


def test_smuggled_and_broken_requests_are_refused_by_the_server(tmp_path: Path) -> None:
    with running(tmp_path) as (_, address, database):
        before = snapshot(database)
        start = b"POST /api/agents HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        hidden = b"POST /run-now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for headers in (
            b"Idempotency-Key: a\rX: b\r\n\r\n",
            b"Idempotency-Key: a\nX: b\r\n\r\n",
            b"X : b\r\nContent-Length: 1\r\n\r\n",
            b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + hidden,
            b"Content-Length: -1\r\n\r\n" + hidden,
            b"Content-Length: 0\r\nTransfer-Encoding: xchunked\r\n\r\n" + hidden,
            b"X: " + b"x" * 300_000 + b"\r\n\r\n",
        ):
            said = raw(address, start + headers)
            # A client that is still sending when it is refused may not see the answer.
            unseen = [0] if len(headers) > 65_536 else []
            assert (headers[:40], status(said) in (*unseen, 400, 422, 431, 501)) == (headers[:40], True), said
            assert said.count(b"HTTP/1.") <= 1
        assert snapshot(database) == before
        assert status(raw(address, hidden)) == 200


def memory(process: subprocess.Popen[str], what: str) -> int:
    """The memory of a process in megabytes: VmRSS is the present amount, VmHWM the highest so far."""
    said = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(rf"{what}:\s+(\d+) kB", said)
    assert found
    return int(found[1]) // 1_000


def pour(connection: socket.socket, most: int) -> tuple[int, bytes]:
    """Sends chunks until an answer comes; returns the number of bytes sent, and the answer."""
    connection.setblocking(False)
    chunk = b"%x\r\n%s\r\n" % (60_000, b"x" * 60_000)
    sent, rest, said = 0, chunk, b""
    while sent < most:
        readable, writable, _ = select.select([connection], [connection], [], 60)
        assert readable or writable
        try:
            if readable:
                part = connection.recv(65_536)
                said += part
                if not part or b"\r\n\r\n" in said:
                    break
            else:
                done = connection.send(rest)
                sent += done
                rest = rest[done:] or chunk
        except ConnectionError:
            break
    return sent, said


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str, TestedDatabase]]:
    """One service for all these bodies: what one of them filled would count against the others, too."""
    with running(tmp_path_factory.mktemp("gigabytes")) as found:
        yield found


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
@pytest.mark.parametrize("path", ["/sign-in", "/api/agents", "/api/leads/import", "/healthz"])
def test_a_body_of_a_gigabyte_is_refused_early_and_fills_no_memory(
    service: tuple[subprocess.Popen[str], str, TestedDatabase], path: str
) -> None:
    process, address, database = service
    raw(address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    before, least = snapshot(database), memory(process, "VmRSS")
    start = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n".encode()
    declared = raw(address, start + b"Content-Length: %d\r\n\r\n" % GIGABYTE)
    expected = 405 if path == "/healthz" else 413
    assert status(declared) == expected
    with connect(address) as connection:
        connection.sendall(start + b"Transfer-Encoding: chunked\r\n\r\n")
        sent, said = pour(connection, GIGABYTE)
    assert status(said) == expected
    assert sent < GIGABYTE / 10
    assert memory(process, "VmHWM") - least < MOST_MB
    assert snapshot(database) == before
    assert status(raw(address, b"GET /api/runs HTTP/1.0\r\nHost: localhost\r\n\r\n")) == 200


def ask(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, float]:
    """Sends a request; returns the status of the answer, and the seconds it took."""
    began = time.monotonic()
    data = b'{"again": true}' if path == "/run-now" else None
    try:
        with urllib.request.urlopen(
            urllib.request.Request(
                address + path, data, {"Content-Type": "application/json", **headers}, method=method
            ),
            timeout=60,
        ) as response:
            response.read()
            return response.status, time.monotonic() - began
    except urllib.error.HTTPError as error:
        return error.code, time.monotonic() - began


@contextmanager
def bound_on_files(soft: int) -> Iterator[None]:
    """Changes the limit on open files for this process, and for those that it starts meanwhile."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


def hang_around(address: str, how_many: int, stack: ExitStack) -> list[socket.socket]:
    """Opens connections that send the beginning of a request, and no more."""
    slow = []
    for _ in range(how_many):
        slow.append(stack.enter_context(connect(address)))
        slow[-1].send(b"POST /run-n")
    return slow


def ask_among(slow: list[socket.socket], address: str, most_seconds: float) -> None:
    """Sends requests one after the other, while some of the slow connections send another byte."""
    for _ in range(5):
        for path, method in (("/healthz", "GET"), ("/run-now", "POST")):
            code, seconds = ask(address, path, method)
            assert code == 200
            assert seconds < most_seconds
        for connection in slow[::7]:
            try:
                connection.send(b"o")
            except ConnectionError:
                # The service has closed it, because it was too slow.
                pass


def test_slow_connections_keep_nobody_else_out(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The service inherits this limit, and accepts as many connections as the limit allows.
    with bound_on_files(hard), running(tmp_path) as (process, address, database), ExitStack() as stack:
        slow = hang_around(address, min(SLOW_CONNECTIONS, hard - OTHER_FILES), stack)
        # If the service accepted one connection a turn, a new one would wait for ten seconds behind the others.
        ask_among(slow, address, 5)
        assert process.poll() is None
        assert len(database.execute("SELECT run_id FROM dbo.assignment_run")) == 5


def test_more_slow_connections_than_there_is_room_for_keep_nobody_else_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        process, address, database = stack.enter_context(running(tmp_path, files="250"))
        ask_among(hang_around(address, 400, stack), address, 5)
        files = len(list(Path(f"/proc/{process.pid}/fd").iterdir())) if sys.platform == "linux" else 0
        assert files < 250
        assert len(database.execute("SELECT run_id FROM dbo.assignment_run")) == 5


TRAVERSALS = [
    "../auth.py",
    "../../settings.py",
    "../../__init__.py",
    "%2e%2e/%2e%2e/__init__.py",
    "..%2fauth.py",
    "%2e%2e/auth.py",
    "%2e%2e%2f%2e%2e%2fsettings.py",
    "..%5cauth.py",
    "....//auth.py",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "..%00/auth.py",
    "%00",
    "swagger-ui.css/../../../../__init__.py",
]


def test_no_path_leads_out_of_the_static_files(tmp_path: Path) -> None:
    with running(tmp_path) as (_, address, _):
        for folder in ("/static/", "/api/docs/"):
            for path in TRAVERSALS:
                said = raw(address, f"GET {folder}{path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                assert (folder, path, status(said) in (301, 308, 400, 404)) == (folder, path, True), said
                assert b"root:" not in said
                assert b"import" not in said
        assert ask(address, "/static/docs.js")[0] == 200


def test_a_key_in_an_address_opens_nothing_and_no_key_gets_into_the_log(tmp_path: Path) -> None:
    with running(tmp_path) as (process, address, database):
        secret, wrong = key_of(database, "admin"), "funnel_wrong-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        before = snapshot(database)
        for each in (secret, wrong):
            for name in ("key", "api_key", "token", "access_token", "Authorization"):
                assert ask(address, f"/api/agents?{name}={each}")[0] == 401
                assert ask(address, f"/run-now?{name}={each}", "POST")[0] == 401
            assert ask(address, f"/{each}")[0] == 404
            assert ask(address, f"/sign-in?key={each}", "POST")[0] == 401
        assert ask(address, "/api/agents", Authorization=f"Bearer {wrong}")[0] == 401
        assert ask(address, "/api/agents", Authorization=f"Basic {wrong}")[0] == 401
        assert ask(address, "/api/agents", Cookie=f"{SESSION_COOKIE}={wrong}")[0] == 401
        assert snapshot(database) == before
        assert ask(address, "/run-now", "POST", Authorization=f"Bearer {secret}")[0] == 200
        kept = all_rows(database)
        process.terminate()
        log = process.communicate(timeout=60)[0]
    assert "refused without a key" in log
    assert "asked for" in log
    for each in (secret, wrong):
        assert each not in log
        assert each not in kept
