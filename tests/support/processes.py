"""Separate processes: the command as users run it, and processes that deal at the same time as a test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy.engine import make_url

from support import LONG
from support.databases import TestedDatabase
from support.locks import take_lock

COMMAND = [sys.executable, "-m", "agent_funnel"]

# No lead of a test is in the pool of this day, so its deal is a success that deals nothing:
NOTHING_DUE = date(9998, 12, 31)

# The directory of the tests, for the processes that import from it:
TESTS = Path(__file__).parents[1]


def environment(**settings: str) -> dict[str, str]:
    """The environment with only these settings of ours, in UTC; the tests' helpers can be imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FUNNEL_")}
    ours = {"PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "TZ": "UTC"}
    return {**kept, **ours, **settings}


def python_path() -> str:
    """PYTHONPATH with the directory of the tests in front."""
    return os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])


def program(name: str, *arguments: str) -> list[str]:
    """The command of a program of support/programs."""
    return [sys.executable, "-m", f"support.programs.{name}", *arguments]


def run_as_process(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `agent-funnel` to its end, in a process of its own; `run_command` of command.py needs none."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, env=environment(**settings), capture_output=True, text=True,
        encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def run_program(name: str, *arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a program of support/programs to its end."""
    return subprocess.run(
        program(name, *arguments), cwd=cwd, env=environment(**settings), capture_output=True, text=True,
        encoding="utf-8", timeout=1200 if LONG else 120, check=False,
    )  # fmt: skip


def answer_of_process(*arguments: str, cwd: Path, **settings: str) -> Any:
    """The result of `agent-funnel … --json`, which must succeed."""
    done = run_as_process(*arguments, "--json", cwd=cwd, **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def bound_files(soft: int) -> None:
    """Sets how many files this process may have open."""
    # Windows has no such module.
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def running_service(
    cwd: Path, *arguments: str, files: str = "", **settings: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `agent-funnel serve` on a free port, and its address; killed at the end if it still runs.

    With `files`, it may have so many files and connections open.
    """
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *arguments], cwd=cwd, env=environment(**settings), text=True,
        encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        # Not for this process, which has open what other tests have left.
        preexec_fn=partial(bound_files, int(files)) if files else None,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if found := re.search(r"Agent Funnel on (http://\S+),", line):
                yield process, found[1]
                break
        else:
            raise AssertionError("the service ended: " + "".join(seen))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Answer(NamedTuple):
    """A dealer's report of a deal: the number of the run or the name of the error, and when it began and ended."""

    result: int | str
    began: float
    ended: float


class Dealer:
    """A separate process that deals on request, always for the same business date."""

    def __init__(self, database: TestedDatabase, directory: Path, business_date: date) -> None:
        self._business_date = business_date
        self.process = subprocess.Popen(
            program("dealer"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=directory,
            env=environment(FUNNEL_DATABASE_URL=database.url, FUNNEL_SCHEMA=database.schema),
        )  # fmt: skip

    def tell(self, word: Literal["warm", "deal", "try once"], moment: float = 0.0, *, last: bool = False) -> None:
        """Makes it warm up, or deal, at a moment or at once. With `last` the process ends after that.

        "try once" is a deal that is not tried again, whatever ends it.
        """
        assert self.process.stdin is not None
        day = NOTHING_DUE if word == "warm" else self._business_date
        self.process.stdin.write(json.dumps([word, moment, day.isoformat(), last]) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Answer:
        """The report of its last task; after warming up, the result is "warm"."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the dealer died"
        return Answer(*json.loads(line))

    def last_answer(self) -> Answer | None:
        """The report of a process that dies or ends; None if it could not send one."""
        output, _ = self.process.communicate(timeout=60)
        return Answer(*json.loads(output)) if output else None

    def close(self) -> None:
        """Kills it, whatever it is doing."""
        self.process.kill()
        self.process.communicate()


def warm_up(dealers: Iterable[Dealer]) -> None:
    """Warms up all dealers at the same time, and waits until they are ready."""
    for dealer in dealers:
        dealer.tell("warm")
    for dealer in dealers:
        assert dealer.answer().result == "warm"


@contextmanager
def warm_dealers(
    database: TestedDatabase, directory: Path, business_date: date, how_many: int
) -> Iterator[list[Dealer]]:
    """Dealers that start at once on request, ended with the block. The database must have an active agent."""
    with ExitStack() as stack:
        dealers = [stack.enter_context(closing(Dealer(database, directory, business_date))) for _ in range(how_many)]
        warm_up(dealers)
        yield dealers


def random_clients(
    database: TestedDatabase, directory: Path, business_date: date, created: str, how_many: int, seconds: float
) -> tuple[Counter[str], list[str]]:
    """Runs clients in separate processes; returns how often each call had which result, and the leads they added.

    The database must have an active agent.
    """
    with ExitStack() as stack:
        clients = []
        for number in range(how_many):
            task = json.dumps([f"c{number}-", business_date.isoformat(), created, seconds])
            client = subprocess.Popen(
                program("random_client", task), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                cwd=directory, env=environment(FUNNEL_DATABASE_URL=database.url, FUNNEL_SCHEMA=database.schema),
            )  # fmt: skip
            stack.callback(client.communicate)
            stack.callback(client.kill)
            clients.append(client)
        for client in clients:
            assert client.stdout is not None
            assert client.stdout.readline() == "ready\n"
        results: Counter[str] = Counter()
        added: list[str] = []
        for client in clients:
            assert client.stdin is not None
            client.stdin.write("go\n")
            client.stdin.flush()
        for client in clients:
            assert client.stdout is not None
            line = client.stdout.readline()
            assert line, "the client died"
            counted, mine = json.loads(line)
            results.update(counted)
            added += mine
        return results, added


@contextmanager
def run_in_progress(
    database: TestedDatabase, *, dies: bool = False, locks: tuple[str, ...] = ("", "looks", "records")
) -> Iterator[None]:
    """Another process or session holds the lock of a run until the end of the block, where it releases it or dies."""
    if database.engine == "sqlite":
        path = make_url(database.url).database or ""
        process = subprocess.Popen(
            program("lock_holder", path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield
            if dies:
                process.kill()
            process.communicate("let go\n")
        finally:
            process.kill()
            process.wait()
        return
    with closing(TestedDatabase(database.url, database.schema)) as other:
        other.execute("BEGIN TRANSACTION")
        for name in locks:
            take_lock(other, name)
        yield
        if not dies:
            other.execute("COMMIT TRANSACTION")
    if dies:
        # The server frees the lock when it notices that its client has gone, which takes a moment.
        time.sleep(1)
