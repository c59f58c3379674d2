"""A crowd at once: exports, slow readers, imports and pollers. Health checks are answered, and the deal is on time."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from threading import Event, Lock, Thread
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from agent_funnel.access.keys import add_key
from agent_funnel.imports import load_rows
from support import LONG
from support.databases import sqlite_database
from support.nights import deal_today
from support.processes import running_service


class Size(NamedTuple):
    """The size of the crowd, and of its database."""

    exports: int
    readers: int
    imports: int
    pollers: int
    leads: int
    file_rows: int


SIZE = Size(60, 40, 3, 200, 100_000, 1_200_000) if LONG else Size(4, 4, 1, 10, 1_000, 10_000)
# From the start of the crowd to the scheduled deal, in seconds:
BEFORE_DEAL = 30 if LONG else 5
# The longest from then to the first complete export and import, in seconds; two cores have much to do:
AFTER_DEAL = 400 if LONG else 60
# A health check is answered within a second on two cores that are free. What the tests demand is generous, because
# their machine may be slow and busy; the long version prints the figure.
MOST_HEALTH_SECONDS = 15.0
# How late the deal may begin:
MOST_LATE_SECONDS = 30.0

pytestmark = pytest.mark.timeout(900 if LONG else 300)


@dataclass
class Crowd:
    """The clients of a service, and what they saw: statuses by kind of request, and the longest health check."""

    address: str
    key: str
    stop: Event = field(default_factory=Event)
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    longest: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def ask(self, kind: str, path: str, *, body: Path | None = None) -> None:
        """Sends a request, and notes the status of the answer: 0 if the connection broke."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "text/csv"}
        try:
            with body.open("rb") if body else ExitStack() as file:
                if body:
                    headers["Content-Length"] = str(body.stat().st_size)
                request = urllib.request.Request(self.address + path, file if body else None, headers)  # type: ignore[arg-type]
                with urllib.request.urlopen(request, timeout=300) as answer:
                    answer.read()
                    status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except (OSError, HTTPException):
            status = 0
        with self._lock:
            self.seen[kind, status] += 1

    def export(self) -> None:
        """Asks for an export again and again."""
        while not self.stop.wait(0.5):
            self.ask("export", "/api/assignments?format=xlsx")

    def import_file(self, file: Path) -> None:
        """Checks a file until the service takes it."""
        while not self.stop.is_set() and not self.seen["import", 200]:
            self.ask("import", "/api/leads/import?dry_run=true", body=file)
            self.stop.wait(1)

    def poll(self, index: int) -> None:
        """Asks for a list every five seconds."""
        while not self.stop.wait(5 * (index % 10) / 10 if not self.seen["poll", 200] else 5):
            self.ask("poll", f"/api/assignments?agent=agent%20{index}")

    def read_slowly(self) -> None:
        """Takes an export a few bytes at a time."""
        parts = urlsplit(self.address)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=300) as connection:
            connection.sendall(
                f"GET /api/assignments?format=csv HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {self.key}\r\n\r\n".encode()
            )
            while not self.stop.wait(1):
                try:
                    if not connection.recv(100):
                        return
                except OSError:
                    return

    def check_health(self) -> None:
        """Checks the health all the time, and notes the longest that it took."""
        while not self.stop.wait(0.2):
            for path in ("/healthz", "/readyz"):
                began = time.monotonic()
                self.ask(path, path)
                self.longest = max(self.longest, time.monotonic() - began)


def write_file(path: Path) -> Path:
    """Writes a file of new leads."""
    with path.open("w") as file:
        file.write("number,stage,date\n")
        file.writelines(f"+4477{index * 7_919 % 10_000_019:010},1,2026-11-20\n" for index in range(SIZE.file_rows))
    return path


def test_a_crowd_keeps_neither_health_checks_nor_the_deal_from_their_turn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite_database(tmp_path, "funnel") as database:
        load_rows(database.backend, "agents", [(f"agent {index}", "active") for index in range(SIZE.pollers)])
        day = f"{datetime.now(UTC):%Y-%m-%d} 00:00:00.000"
        load_rows(database.backend, "leads", [(f"+49{index:010}", "1", day) for index in range(SIZE.leads)])
        deal_today(database, max_per_agent=1_000)
        _, key = add_key(database.backend, "everybody", "operator")
        file = write_file(tmp_path / "leads.csv")
        due = datetime.now(UTC) + timedelta(seconds=BEFORE_DEAL)
        given = {"FUNNEL_DATABASE_URL": database.url, "FUNNEL_RATE_LIMIT": "1000000 per minute"}
        with running_service(tmp_path, "--run-at", f"{due:%H:%M:%S}", **given) as (process, address):
            crowd = Crowd(address, key)
            work: list[Callable[[], None]] = [
                crowd.check_health,
                lambda: drain(process),
                *[crowd.export] * SIZE.exports,
                *[crowd.read_slowly] * SIZE.readers,
                *[lambda: crowd.import_file(file)] * SIZE.imports,
                *[lambda index=index: crowd.poll(index) for index in range(SIZE.pollers)],
            ]
            threads = [Thread(target=each) for each in work]
            for thread in threads:
                thread.start()
            time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            deadline = time.monotonic() + 2 * MOST_LATE_SECONDS
            began = None
            while began is None and time.monotonic() < deadline:
                time.sleep(0.5)
                rows = database.execute("SELECT started_at FROM dbo.assignment_run WHERE [trigger] = 'schedule'")
                began = rows[0][0] if rows else None
            deadline = time.monotonic() + AFTER_DEAL
            while not (crowd.seen["export", 200] and crowd.seen["import", 200]) and time.monotonic() < deadline:
                time.sleep(0.5)
            crowd.stop.set()
            process.kill()
            for thread in threads:
                thread.join()
    with capsys.disabled():
        if LONG:
            print(f"\nlongest health check {crowd.longest:.2f} s, deal of {due:%H:%M:%S} began {began}")
            print(sorted(crowd.seen.items()))
    assert began is not None, "no scheduled deal"
    late = datetime.fromisoformat(str(began)).replace(tzinfo=UTC) - due
    assert late < timedelta(seconds=MOST_LATE_SECONDS)
    assert crowd.longest < MOST_HEALTH_SECONDS
    assert crowd.seen["/healthz", 200]
    assert crowd.seen["poll", 200]
    assert crowd.seen["export", 200]
    assert crowd.seen["import", 200]
    assert {status for kind, status in crowd.seen if kind == "export"} <= {200, 429, 0}


def drain(process: subprocess.Popen[str]) -> None:
    """Reads the output of the service; a full pipe would stop it."""
    for _ in process.stdout or ():
        pass
