"""Compares the deal with a bare transaction that writes the same rows and decides nothing.

`python -m benchmarks.deal` runs both in turn on one database and prints the median ratios: 450,000 leads dealt out of
1,000,000 on SQLite, and 135,000 out of 200,000 on the T-SQL engine that FUNNEL_TEST_SQLSERVER_URL names.

The bare transaction reads the rows from a staged table, which was filled from a deal beforehand. It inserts the same
history, advances the same stages, empties the assignments, and inserts the same ones. There are two staged tables: one
has the rows in the order in which they are dealt, the other in the order of the key that is written to, which is the
best order possible. Before each turn, everything is restored; that time does not count.

The deal is measured twice: of leads that nobody had before, and of leads that would all meet the agent who had them
last. No night can have more of the latter, so the ratio of the two is the most that a fresh voice can cost. What it
costs after two weeks of deals is in `benchmarks.fresh_voice`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click

from agent_funnel import demo
from agent_funnel.deal import deal
from agent_funnel.imports import load_rows
from agent_funnel.settings import load

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.databases import (
    MISSING,
    TestedDatabase,
    sqlite_database,
    sqlserver_database,
    sqlserver_schema,
    sqlserver_url,
)

# The day on which the leads are made:
TODAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Size:
    """The number of leads and of agents, each of whom gets 450 leads, and the length of the window in days."""

    leads: int
    agents: int
    window_days: int


# The windows hold a few more leads than are dealt.
SIZES = {"sqlite": Size(1_000_000, 1_000, 47), "sqlserver": Size(200_000, 300, 71)}

# The bare transaction of each engine:
BARE = {
    "sqlite": """
        BEGIN IMMEDIATE;
        INSERT INTO assignment_history (run_id, agent, number, date, stage)
            SELECT (SELECT max(run_id) + 1 FROM assignment_run), agent, number, date, stage FROM {staged};
        UPDATE wafunnel SET stage = wafunnel.stage + 1 FROM {staged} AS s WHERE s.number = wafunnel.number;
        DELETE FROM agent_wafunnel_assignment;
        INSERT INTO agent_wafunnel_assignment (agent, number) SELECT agent, number FROM {staged};
        COMMIT
    """,
    "sqlserver": """
        BEGIN TRANSACTION;
        INSERT INTO dbo.assignment_history (run_id, agent, number, date, stage)
            SELECT (SELECT MAX(run_id) + 1 FROM dbo.assignment_run), agent, number, date, stage FROM dbo.{staged};
        UPDATE w SET stage = w.stage + 1 FROM dbo.wafunnel AS w INNER JOIN dbo.{staged} AS s ON s.number = w.number;
        DELETE FROM dbo.agent_wafunnel_assignment WITH (TABLOCKX);
        INSERT INTO dbo.agent_wafunnel_assignment (agent, number) SELECT agent, number FROM dbo.{staged};
        COMMIT TRANSACTION
    """,
}
# The two kinds of nights that are dealt: nobody had any lead before, or each lead would meet the agent who had it last.
NEW, ROUND = "deal of new leads", "deal of leads that all come round"
DEALS = (NEW, ROUND)
STAGED = {"as dealt": ("staged", "stage, date, number"), "by key": ("staged_by_key", "number")}
COLUMNS = {
    "sqlite": "agent TEXT, number TEXT, date TEXT, stage INTEGER",
    "sqlserver": "agent NVARCHAR(255), number VARCHAR(255) COLLATE Latin1_General_BIN2, date DATETIME2(7), stage INT",
}


def fill(database: TestedDatabase, size: Size) -> None:
    """Fills a database with leads of the demo and agents."""
    demo.fill(database.backend, leads=size.leads, seed=1, today=TODAY)
    database.execute("DELETE FROM dbo.agents")
    load_rows(database.backend, "agents", ((f"agent {index:04d}", "active") for index in range(size.agents)))


def prepare(database: TestedDatabase, assign: Callable[[], object]) -> Callable[[], None]:
    """Fills the staged tables; returns a function that restores everything."""
    keep_stages(database)
    assign()
    # As on an ordinary night, the run before is of another date.
    database.execute("UPDATE dbo.assignment_run SET business_date = '2026-11-22'")
    for table, order in STAGED.values():
        database.execute(f"CREATE TABLE dbo.{table} ({COLUMNS[database.engine]})")
        database.execute(
            f"INSERT INTO dbo.{table} (agent, number, date, stage) "
            f"SELECT agent, number, date, stage FROM dbo.assignment_history ORDER BY {order}"
        )

    def put_back() -> None:
        # Each deal is the second one, so seats and history are the same for all.
        restore(database, database.execute("SELECT MIN(run_id) FROM dbo.assignment_run")[0][0])

    put_back()
    return put_back


def keep_stages(database: TestedDatabase) -> None:
    """Keeps the present stages, so that they can be restored."""
    database.execute("CREATE TABLE dbo.before_deal (number VARCHAR(255) NOT NULL PRIMARY KEY, stage INT)")
    database.execute("INSERT INTO dbo.before_deal (number, stage) SELECT number, stage FROM dbo.wafunnel")


def restore(database: TestedDatabase, run_id: int) -> None:
    """Restores the stages that were kept, and the assignments of a run, and removes all later runs."""
    if database.engine == "sqlite":
        database.execute(
            "UPDATE wafunnel SET stage = b.stage FROM before_deal AS b "
            "WHERE b.number = wafunnel.number AND b.stage <> wafunnel.stage"
        )
    else:
        database.execute(
            "UPDATE w SET stage = b.stage FROM dbo.wafunnel AS w INNER JOIN dbo.before_deal AS b "
            "ON b.number = w.number AND b.stage <> w.stage"
        )
    database.execute("DELETE FROM dbo.assignment_purge")
    for table in ("edit", "history", "voice", "outcome_effect", "request", "run"):
        database.execute(f"DELETE FROM dbo.assignment_{table} WHERE run_id > {run_id}")
    # Others than those of the run before would be kept as the changes that somebody made by hand.
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment")
    database.execute(
        "INSERT INTO dbo.agent_wafunnel_assignment (agent, number) "
        f"SELECT agent, number FROM dbo.assignment_history WHERE run_id = {run_id} ORDER BY number"
    )
    if database.engine == "sqlite":
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        # A server does this in the background. Done here, no turn pays for the one before.
        database.execute("EXECUTE sp_executesql N'CHECKPOINT'")


def measure(database: TestedDatabase, window_days: int, rounds: int) -> None:
    settings = load(newest_first=False, max_per_agent=450, window_days=window_days)

    def run_deal() -> None:
        deal(database.backend, settings, business_date=TODAY, again=True)

    def bare(table: str) -> Callable[[], None]:
        def write() -> None:
            for statement in BARE[database.engine].format(staged=table).split(";"):
                database.execute(statement)

        return write

    put_back = prepare(database, run_deal)
    rows = database.execute("SELECT COUNT(*) FROM dbo.staged")[0][0]
    pool = database.execute("SELECT MAX(pool) FROM dbo.assignment_run")[0][0]
    turns = {**dict.fromkeys(DEALS, run_deal), **{name: bare(table) for name, (table, _) in STAGED.items()}}
    times: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(rounds + 1):
        # Each begins by turns.
        names = list(turns)
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if name == NEW:
                forget_who_had_the_leads(database)
            started = time.perf_counter()
            turns[name]()
            seconds = time.perf_counter() - started
            put_back()
            # The first round warms caches and plans.
            if number:
                times[name].append(seconds)
    print(f"{database.engine}: {rows} of {pool} leads dealt, {rounds} rounds")
    for dealt in DEALS:
        print(f"  {dealt}: {statistics.median(times[dealt]):.2f} s")
        for name in STAGED:
            print(
                f"    bare transaction, rows staged {name}: {statistics.median(times[name]):.2f} s, "
                f"ratio {ratio(times[dealt], times[name])}",
                flush=True,
            )
    print(f"  ratio of the two deals: {ratio(times[ROUND], times[NEW])}", flush=True)


def ratio(times: Sequence[float], others: Sequence[float]) -> str:
    """The median ratio of pairs, and the smallest and the largest."""
    ratios = [one / other for one, other in zip(times, others, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def forget_who_had_the_leads(database: TestedDatabase) -> None:
    """Marks all runs as purged, so that a deal takes all leads as new ones, until they are restored."""
    database.execute(
        "INSERT INTO dbo.assignment_purge (run_id, purged_at) SELECT run_id, started_at FROM dbo.assignment_run"
    )


@contextmanager
def databases(engine: str, directory: Path) -> Iterator[TestedDatabase]:
    if engine == "sqlite":
        with sqlite_database(directory, "bench") as database:
            yield database
    else:
        with sqlserver_database("funnel_bench") as url, sqlserver_schema(url, "dbo") as database:
            yield database


@click.command()
@click.option("--engine", type=click.Choice(list(SIZES)), multiple=True, default=list(SIZES))
@click.option("--rounds", default=7, show_default=True)
@click.option("--scale", default=1.0, show_default=True, help="The part of the full size, for a quick look.")
def main(engine: tuple[str, ...], rounds: int, scale: float) -> None:
    """Print the median ratio of the deal to a bare transaction that writes the same rows."""
    for name in engine:
        if name == "sqlserver" and sqlserver_url() is None:
            print(MISSING)
            continue
        full = SIZES[name]
        size = Size(int(full.leads * scale), int(full.agents * scale), full.window_days)
        with tempfile.TemporaryDirectory() as directory, databases(name, Path(directory)) as database:
            fill(database, size)
            measure(database, size.window_days, rounds)


if __name__ == "__main__":
    main()
