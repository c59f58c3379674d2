"""The deal against a bare transaction that writes the same rows with nothing to decide.

`python -m benchmarks.deal` alternates the two on one database and prints the median ratio: 450,000 leads dealt out of
1,000,000 on SQLite, and 135,000 out of 200,000 on the T-SQL engine that FUNNEL_TEST_SQLSERVER_URL names.

The bare transaction finds what the deal will write in a staged table, made beforehand by the deal itself: it truncates,
inserts the same assignments and history, and advances the same stages. Before each of the two, leads and assignments
are put back, outside of the time.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click

from agent_funnel import demo, service, transfer
from agent_funnel.settings import load

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from databases import (
    MISSING,
    Database,
    sqlite_database,
    sqlserver_database,
    sqlserver_schema,
    sqlserver_url,
)

TODAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Size:
    """How many leads there are, and how many agents, each of whom gets 450 of them."""

    leads: int
    agents: int


SIZES = {"sqlite": Size(1_000_000, 1_000), "sqlserver": Size(200_000, 300)}

# The same writing, statement by statement, with the run's rows staged as they are in the history.
BARE = {
    "sqlite": [
        "BEGIN IMMEDIATE",
        "INSERT INTO assignment_history (run_id, agent, number, date, stage) "
        "SELECT (SELECT max(run_id) + 1 FROM assignment_history), agent, number, date, stage FROM staged "
        "ORDER BY number",
        "UPDATE wafunnel SET stage = wafunnel.stage + 1 FROM staged AS s WHERE s.number = wafunnel.number",
        "DELETE FROM agent_wafunnel_assignment",
        "INSERT INTO agent_wafunnel_assignment (agent, number) SELECT agent, number FROM staged ORDER BY number",
        "COMMIT",
    ],
    "sqlserver": [
        "BEGIN TRANSACTION",
        "INSERT INTO dbo.assignment_history (run_id, agent, number, date, stage) "
        "SELECT (SELECT MAX(run_id) + 1 FROM dbo.assignment_history), agent, number, date, stage FROM dbo.staged",
        "UPDATE w SET stage = w.stage + 1 FROM dbo.wafunnel AS w INNER JOIN dbo.staged AS s ON s.number = w.number",
        "TRUNCATE TABLE dbo.agent_wafunnel_assignment",
        "INSERT INTO dbo.agent_wafunnel_assignment (agent, number) SELECT agent, number FROM dbo.staged",
        "COMMIT TRANSACTION",
    ],
}

STAGE = {
    "sqlite": "CREATE TABLE staged (number TEXT NOT NULL PRIMARY KEY, agent TEXT, date TEXT, stage INT) WITHOUT ROWID",
    "sqlserver": "CREATE TABLE dbo.staged (number VARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY, "
    "agent NVARCHAR(255), date DATETIME2(7), stage INT)",
}


def fill(database: Database, size: Size) -> None:
    """A floor of that size: the demo's leads, all of them recent enough to be in the pool."""
    demo.fill(database.backend, leads=size.leads, seed=1, today=TODAY)
    database.execute("DELETE FROM dbo.agents")
    transfer.load(database.backend, "agents", ((f"agent {index:04d}", "active") for index in range(size.agents)))


def prepare(database: Database, assign: Callable[[], object]) -> Callable[[], None]:
    """Stages what the deal writes; answers with a function that puts everything back."""
    database.execute("CREATE TABLE dbo.before_deal (number VARCHAR(255) NOT NULL PRIMARY KEY, stage INT)")
    database.execute("INSERT INTO dbo.before_deal (number, stage) SELECT number, stage FROM dbo.wafunnel")
    assign()
    database.execute(STAGE[database.engine])
    database.execute(
        "INSERT INTO dbo.staged (number, agent, date, stage) SELECT number, agent, date, stage FROM dbo.assignment_history"
    )

    def put_back() -> None:
        if database.engine == "sqlite":
            database.execute(
                "UPDATE wafunnel SET stage = b.stage FROM before_deal AS b "
                "WHERE b.number = wafunnel.number AND b.stage <> wafunnel.stage"
            )
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            database.execute(
                "UPDATE w SET stage = b.stage FROM dbo.wafunnel AS w INNER JOIN dbo.before_deal AS b "
                "ON b.number = w.number AND b.stage <> w.stage"
            )
        # The seats, too: every deal is the first one after the staged one.
        database.execute("DELETE FROM dbo.assignment_run WHERE run_id > (SELECT MIN(run_id) FROM dbo.assignment_run)")
        database.execute("DELETE FROM dbo.assignment_history WHERE run_id > 1")

    put_back()
    return put_back


def measure(database: Database, rounds: int) -> None:
    settings = load(newest_first=False, max_per_agent=450, window_days=365)

    def deal() -> None:
        service.assign(database.backend, settings, business_date=TODAY)

    def bare() -> None:
        for statement in BARE[database.engine]:
            database.execute(statement)

    put_back = prepare(database, deal)
    rows = database.execute("SELECT COUNT(*) FROM dbo.staged")[0][0]
    times: dict[str, list[float]] = {"deal": [], "bare": []}
    for round_ in range(rounds + 1):
        for name, action in (("deal", deal), ("bare", bare)) if round_ % 2 else (("bare", bare), ("deal", deal)):
            started = time.perf_counter()
            action()
            seconds = time.perf_counter() - started
            put_back()
            # The first round warms caches and plans.
            if round_:
                times[name].append(seconds)
    ratios = [deal / bare for deal, bare in zip(times["deal"], times["bare"], strict=True)]
    print(
        f"{database.engine}: {rows} leads dealt; deal {statistics.median(times['deal']):.2f} s, "
        f"bare {statistics.median(times['bare']):.2f} s, ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}, {rounds} rounds)",
        flush=True,
    )


@contextmanager
def databases(engine: str, directory: Path) -> Iterator[Database]:
    if engine == "sqlite":
        with sqlite_database(directory, "bench") as database:
            yield database
    else:
        with sqlserver_database("funnel_bench") as url, sqlserver_schema(url, "dbo") as database:
            yield database


@click.command()
@click.option("--engine", type=click.Choice(list(SIZES)), multiple=True, default=list(SIZES))
@click.option("--rounds", default=7, show_default=True)
@click.option("--scale", default=1.0, show_default=True, help="A part of the size, for a quick look.")
def main(engine: tuple[str, ...], rounds: int, scale: float) -> None:
    """Print the median ratio of the deal to a bare transaction that writes the same rows."""
    for name in engine:
        if name == "sqlserver" and sqlserver_url() is None:
            print(MISSING)
            continue
        full = SIZES[name]
        size = Size(int(full.leads * scale), int(full.agents * scale))
        with tempfile.TemporaryDirectory() as directory, databases(name, Path(directory)) as database:
            fill(database, size)
            measure(database, rounds)


if __name__ == "__main__":
    main()
