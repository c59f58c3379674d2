"""Programs of agents that poll their lists while the service deals, each with its own key."""

from __future__ import annotations

import gzip
import http.client
import json
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from agent_funnel.access.keys import add_key
from agent_funnel.deal import deal
from agent_funnel.imports import load_rows
from agent_funnel.settings import load
from support.databases import TestedDatabase
from support.processes import running_service

# Longer than any answer should take:
PATIENCE = 120
# The visible part of a lead: the end of its number, and its stage.
Seen = tuple[tuple[str, int], ...]


class Poll(NamedTuple):
    """One poll: the moments of request and response, the status, and the deal whose list the agent has."""

    agent: str
    began: float
    ended: float
    status: int
    deal: str
    seen: Seen

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass
class Polls:
    """All polls so far, and the errors."""

    done: list[Poll] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, poll: Poll) -> None:
        with self._lock:
            self.done.append(poll)

    def wait(self, agents: int, since: float) -> None:
        """Waits until this many agents have polled since a moment and got a response, or an error occurred."""
        deadline = time.monotonic() + PATIENCE
        while not self.errors and len({poll.agent for poll in list(self.done) if poll.began >= since}) < agents:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _fill(database: TestedDatabase, *, agents: int, leads: int) -> list[str]:
    """Adds agents and leads; returns the agents' names. The numbers of neighbouring leads end differently."""
    names = [f"agent {index:03}" for index in range(agents)]
    load_rows(database.backend, "agents", [(name, "active") for name in names])
    today = f"{datetime.now():%Y-%m-%d} 00:00:00.000"
    load_rows(
        database.backend, "leads", [(f"+49{index * 7_919 % 10_000_019:010}", "1", today) for index in range(leads)]
    )
    return names


def _keys(database: TestedDatabase, names: list[str]) -> dict[str, str]:
    """A viewer's key for each agent."""
    return {name: add_key(database.backend, name, "viewer")[1] for name in names}


def lists_of_deals(database: TestedDatabase) -> dict[str, dict[str, Seen]]:
    """The list that each agent must see after each deal, by deal and agent."""
    found: dict[str, dict[str, list[tuple[str, int]]]] = {}
    for run_id, agent, number, stage in database.execute(
        "SELECT run_id, agent, number, stage FROM dbo.assignment_history ORDER BY run_id, number"
    ):
        found.setdefault(f"{run_id}.0", {}).setdefault(agent, []).append((f"…{number[-3:]}", stage + 1))
    # Viewers see leads in the order of stage, date and last digits; all leads have the same date.
    return {
        deal: {agent: tuple(sorted(seen, key=lambda lead: (lead[1], lead[0]))) for agent, seen in lists.items()}
        for deal, lists in found.items()
    }


def _run_now(address: str, secret: str) -> tuple[dict[str, Any], float, float]:
    """Makes the service deal; returns the run, and the moments of the request and the response."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    connection.request("POST", "/run-now", json.dumps({"again": True}), headers)
    answer = connection.getresponse()
    run = json.loads(answer.read())
    assert answer.status == 200, run
    connection.close()
    return run, began, time.monotonic()


@contextmanager
def _read_out(process: subprocess.Popen[str]) -> Iterator[None]:
    """Reads the output of a service until the end of the block, which ends the service.

    The server logs each request that waits for a thread; a full pipe would stop it.
    """
    reader = Thread(target=lambda: deque(process.stdout or (), maxlen=0))
    reader.start()
    try:
        yield
    finally:
        process.kill()
        reader.join()


@contextmanager
def _polling(address: str, secrets: dict[str, str], every: float) -> Iterator[Polls]:
    """Lets each agent poll every `every` seconds, at staggered moments, until the end of the block."""
    polls, stop = Polls(), Event()
    threads = [
        Thread(target=_poll, args=(address, agent, secret, every, index / len(secrets), polls, stop))
        for index, (agent, secret) in enumerate(secrets.items())
    ]
    for thread in threads:
        thread.start()
    try:
        yield polls
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _poll(address: str, agent: str, secret: str, every: float, part: float, polls: Polls, stop: Event) -> None:
    try:
        _poll_patiently(address, agent, secret, every, part, polls, stop)
    except (OSError, http.client.HTTPException, ValueError) as error:
        polls.errors.append(f"{agent}: {error!r}")


def _poll_patiently(
    address: str, agent: str, secret: str, every: float, part: float, polls: Polls, stop: Event
) -> None:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {secret}", "Accept-Encoding": "gzip"}
    deal = ""
    seen: Seen = ()
    at = time.monotonic() + every * part
    while not stop.wait(max(0.0, at - time.monotonic())):
        began = time.monotonic()
        connection.request("GET", f"/api/assignments?agent={quote(agent)}&count=1000", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        ended = time.monotonic()
        if answer.status == 200:
            headers["If-None-Match"] = answer.headers["ETag"]
            page = json.loads(gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body)
            deal, seen = page["deal"], tuple((item["number"], item["stage"]) for item in page["items"])
            if page["next"] or any(item["agent"] != agent for item in page["items"]):
                polls.errors.append(f"{agent}: more than a page, or somebody else's")
        elif answer.status != 304:
            polls.errors.append(f"{agent}: {answer.status} {body!r}")
        polls.add(Poll(agent, began, ended, answer.status, deal, seen))
        # After a late response the next poll is still on time, as with a timer.
        at = max(at + every, ended)
    connection.close()


class PollingService(NamedTuple):
    """A running service, agents that poll their lists, and a function that makes it deal: `run_now`."""

    names: list[str]
    polls: Polls
    run_now: Callable[[], tuple[dict[str, Any], float, float]]


@contextmanager
def service_with_pollers(
    database: TestedDatabase, directory: Path, *, agents: int, leads: int, every: float
) -> Iterator[PollingService]:
    """Starts a service on a database with one deal, and lets each agent poll every `every` seconds.

    Every agent has already polled once, so that connections are open and queries are planned. The service ends with the
    block.
    """
    names = _fill(database, agents=agents, leads=leads)
    deal(database.backend, load(max_per_agent=1_000), business_date=datetime.now(UTC).date())
    secrets = _keys(database, names)
    _, operator = add_key(database.backend, "the office", "operator")
    settings = {
        "FUNNEL_DATABASE_URL": database.url,
        "FUNNEL_SCHEMA": database.schema,
        "FUNNEL_MAX_PER_AGENT": "1000",
        "FUNNEL_CATCH_UP": "0",
    }
    with running_service(directory, "--run-at", "00:00", **settings) as (process, address), _read_out(process):
        with _polling(address, secrets, every) as polls:
            polls.wait(agents, 0.0)
            yield PollingService(names, polls, lambda: _run_now(address, operator))
