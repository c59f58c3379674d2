"""Processes of their own: the command as users have it, and others who deal at the same time as a test."""

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

from support.databases import TestedDatabase
from support.locks import lock_name

COMMAND = [sys.executable, "-m", "agent_funnel"]

# No lead of a test is in the pool of this day, so its deal is a success that hands nothing out:
NOTHING_DUE = date(9998, 12, 31)

# The directory of the tests, for the processes that import from it:
TESTS = Path(__file__).parents[1]


def environment(**settings: str) -> dict[str, str]:
    """The environment without any setting of ours, then with these; the tests' helpers can be imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FUNNEL_")}
    ours = {"PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    return {**kept, **ours, **settings}


def python_path() -> str:
    """PYTHONPATH with the directory of the tests in front."""
    return os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])


def program(name: str, *arguments: str) -> list[str]:
    """The command of a program of support/programs."""
    return [sys.executable, "-m", f"support.programs.{name}", *arguments]


def run_command(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `agent-funnel` to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, env=environment(**settings), capture_output=True, text=True,
        encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def run_program(name: str, *arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a program of support/programs to its end."""
    return subprocess.run(
        program(name, *arguments), cwd=cwd, env=environment(**settings), capture_output=True, text=True,
        encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def answer(*arguments: str, cwd: Path, **settings: str) -> Any:
    """What `agent-funnel … --json` answers; it must succeed."""
    done = run_command(*arguments, "--json", cwd=cwd, **settings)
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
    """What a dealer says of a deal: the number of the run or the name of the error, and when it began and ended."""

    outcome: int | str
    began: float
    ended: float


class Dealer:
    """A process of its own that deals when told to, always for the same business date."""

    def __init__(self, database: TestedDatabase, directory: Path, business_date: date) -> None:
        self._business_date = business_date
        self.process = subprocess.Popen(
            program("dealer"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=directory,
            env=environment(FUNNEL_DATABASE_URL=database.url, FUNNEL_SCHEMA=database.schema),
        )  # fmt: skip

    def tell(self, word: Literal["warm", "deal", "try once"], moment: float = 0.0, *, last: bool = False) -> None:
        """Has it get warm, or deal, at a moment or at once. With `last` it ends by itself when that is done.

        "try once" is a deal that is not tried again, whatever ends it.
        """
        assert self.process.stdin is not None
        day = NOTHING_DUE if word == "warm" else self._business_date
        self.process.stdin.write(json.dumps([word, moment, day.isoformat(), last]) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Answer:
        """The answer to what it was told; "warm" is the outcome of getting warm."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the dealer died"
        return Answer(*json.loads(line))

    def last_answer(self) -> Answer | None:
        """The answer of one that dies, or ends by itself; None if it could not give it any more."""
        output, _ = self.process.communicate(timeout=60)
        return Answer(*json.loads(output)) if output else None

    def close(self) -> None:
        """Ends it, whatever it does just now."""
        self.process.kill()
        self.process.communicate()


def warm_up(dealers: Iterable[Dealer]) -> None:
    """Has dealers get warm, all at the same time, and waits until they are."""
    for dealer in dealers:
        dealer.tell("warm")
    for dealer in dealers:
        assert dealer.answer().outcome == "warm"


@contextmanager
def warm_dealers(
    database: TestedDatabase, directory: Path, business_date: date, how_many: int
) -> Iterator[list[Dealer]]:
    """Dealers that start the moment they are told to, ended with the block. Someone must be active in the database."""
    with ExitStack() as stack:
        dealers = [stack.enter_context(closing(Dealer(database, directory, business_date))) for _ in range(how_many)]
        warm_up(dealers)
        yield dealers


def random_clients(
    database: TestedDatabase, directory: Path, business_date: date, created: str, how_many: int, seconds: float
) -> tuple[Counter[str], list[str]]:
    """Lets clients loose, each a process of its own; how often each call had which outcome, and the leads they added.

    Someone must be active in the database.
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
        outcomes: Counter[str] = Counter()
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
            outcomes.update(counted)
            added += mine
        return outcomes, added


@contextmanager
def run_in_progress(database: TestedDatabase, *, dies: bool = False) -> Iterator[None]:
    """Somebody else holds what a run holds, from here to the end of the block, where they let go or die."""
    if database.engine == "sqlite":
        path = f"{make_url(database.url).database}-run"
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
        other.execute(
            """
            DECLARE @lock INT;
            EXECUTE @lock = sp_getapplock
                @Resource = %s, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 0;
            IF @lock < 0
                THROW 50000, N'the lock is taken', 1;
            """,
            lock_name(database),
        )
        yield
        if not dies:
            other.execute("COMMIT TRANSACTION")
    if dies:
        # The server frees the lock when it notices that its client has gone, which takes it a moment.
        time.sleep(1)
