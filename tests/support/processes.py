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
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal, NamedTuple

from sqlalchemy.engine import make_url

from support.databases import TestedDatabase

COMMAND = [sys.executable, "-m", "agent_funnel"]

# No lead of a test is in the pool of this day, so its deal is a success that hands nothing out:
NOTHING_DUE = date(9998, 12, 31)

# A process that deals whenever it is told to. Babelfish parses the procedure for seconds in each new session, during
# which neither a race nor a kill would show anything; "warm" has that done, so that the deal that comes next starts the
# moment it is asked for.
DEALER = """
import json, random, sys, time
from datetime import date
from agent_funnel import service
from agent_funnel.backends import connect_with
from agent_funnel.errors import FunnelError, RunInProgress
from agent_funnel.settings import load

settings = load()
backend = connect_with(settings)
for line in sys.stdin:
    word, moment, day, last = json.loads(line)
    business_date = date.fromisoformat(day)
    while word == "warm":
        try:
            service.assign(backend, settings, business_date=business_date)
            break
        except RunInProgress:
            time.sleep(random.random() / 10)
    if word == "try once":
        service.ATTEMPTS = 1
    if word != "warm":
        time.sleep(max(0.0, moment - 0.002 - time.time()))
        # The last of it awake: whom the system wakes up comes a little late, each one differently.
        while time.time() < moment:
            pass
    began, outcome = time.time(), "warm"
    if word != "warm":
        try:
            outcome = service.assign(backend, settings, business_date=business_date).run_id
        except FunnelError as error:
            outcome = type(error).__name__
    print(json.dumps([outcome, began, time.time()]), flush=True)
    if last:
        break
"""

# A process that runs, undoes, previews and imports at random for some seconds, and then tells how often each call
# had which outcome, and which leads it has added. Their last digit is their stage.
CLIENT = """
import json, random, sys, time
from collections import Counter
from datetime import date
from agent_funnel import service, transfer
from agent_funnel.backends import connect_with
from agent_funnel.errors import FunnelError
from agent_funnel.settings import load

name, day, created, seconds = json.loads(sys.argv[1])
business_date = date.fromisoformat(day)
settings = load()
backend = connect_with(settings)
added, outcomes = [], Counter()

def leads():
    stages = [random.choice("1123") for _ in range(random.randint(1, 5))]
    rows = [(f"{name}{len(added) + index:06}{stage}", stage, created) for index, stage in enumerate(stages)]
    assert transfer.load(backend, "leads", rows) == len(rows)
    added.extend(number for number, _, _ in rows)

acts = {
    "run": lambda: service.assign(backend, settings, business_date=business_date, actor=name),
    "undo": lambda: service.undo(backend, actor=name),
    "preview": lambda: service.preview(backend, settings, business_date=business_date),
    "import": leads,
}
acts["preview"]()
print("ready", flush=True)
sys.stdin.readline()
end = time.time() + seconds
while time.time() < end:
    act = random.choice(list(acts))
    try:
        acts[act]()
        outcomes[act] += 1
    except FunnelError as error:
        outcomes[f"{act}: {type(error).__name__}"] += 1
print(json.dumps([outcomes, added]), flush=True)
"""

# A process that holds the run lock of an SQLite database, as a deal does, until it is told to let go or dies:
HOLDER = """
import sqlite3, sys
lock = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
lock.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


def environment(**settings: str) -> dict[str, str]:
    """The environment without any setting of ours, then with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FUNNEL_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **settings}


def run_command(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs `agent-funnel` to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, env=environment(**settings), capture_output=True, text=True,
        encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def run_python(script: str, *, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a script to its end in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", dedent(script)], cwd=cwd, env=environment(**settings), capture_output=True, text=True,
        encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def answer(*arguments: str, cwd: Path, **settings: str) -> Any:
    """What `agent-funnel … --json` answers; it must succeed."""
    done = run_command(*arguments, "--json", cwd=cwd, **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def service(cwd: Path, *arguments: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `agent-funnel serve` on a free port, and its address; killed at the end if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *arguments], cwd=cwd, env=environment(**settings), text=True,
        encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
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
            [sys.executable, "-c", DEALER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=directory,
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
                [sys.executable, "-c", CLIENT, task], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
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
            [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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
        name = database.execute("SELECT DB_NAME()")[0][0]
        other.execute("BEGIN TRANSACTION")
        other.execute(
            """
            DECLARE @lock INT;
            EXECUTE @lock = sp_getapplock
                @Resource = %s, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 0;
            IF @lock < 0
                THROW 50000, N'the lock is taken', 1;
            """,
            f"agent_funnel:{name}:{database.schema}",
        )
        yield
        if not dies:
            other.execute("COMMIT TRANSACTION")
    if dies:
        # The server frees the lock when it notices that its client has gone, which takes it a moment.
        time.sleep(1)
