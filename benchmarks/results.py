"""Measures the results: how long it takes to count what came of all leads of the last weeks.

`python -m benchmarks.results` fills a database, on SQLite and on the T-SQL engine that FUNNEL_TEST_SQLSERVER_URL names:
135,000 leads from as many imports as there are nights, of which each of 30 nights dealt a third to 100 agents, who
reported a third of these. It prints the median time of each query, of all the nights and of the last two weeks.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import click

from agent_funnel import demo
from agent_funnel.imports import load_rows
from agent_funnel.results import count_results
from benchmarks.deal import databases

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.databases import MISSING, TestedDatabase, sqlserver_url

ENGINES = ("sqlite", "sqlserver")
FIRST = date(2026, 10, 1)
QUERIES = ("result_runs", "results", "results_by_import")
TABLES = ("wafunnel", "assignment_history", "assignment_outcome", "assignment_call_back", "import_lead")
TIMES = 5
# The type of a day:
DAY = {"sqlite": "TEXT", "sqlserver": "DATE"}

# The lead's turn among those that a night deals, and what its agent reports of it, if anything:
TURN = "p.place / 3"
REPORTED = f"""
    CASE {TURN} / 3 - {TURN} / 30 * 10
        WHEN 0 THEN 'won' WHEN 1 THEN 'lost' WHEN 2 THEN 'talked' WHEN 3 THEN 'talked' WHEN 4 THEN 'call_back'
        WHEN 5 THEN 'not_worked' ELSE 'no_answer'
    END
"""


def fill(database: TestedDatabase, *, leads: int, agents: int, nights: int) -> None:
    """Fills the tables by statements, since so many deals would take an hour."""
    demo.fill(database.backend, leads=leads, seed=1, today=FIRST)
    database.execute("DELETE FROM dbo.agents")
    load_rows(database.backend, "agents", ((f"agent {index:04d}", "active") for index in range(agents)))
    database.execute("CREATE TABLE dbo.place (place INT NOT NULL PRIMARY KEY, number VARCHAR(255), date DATETIME)")
    database.execute(
        "INSERT INTO dbo.place (place, number, date) "
        "SELECT ROW_NUMBER() OVER (ORDER BY number), number, date FROM dbo.wafunnel"
    )
    database.execute("CREATE TABLE dbo.seat (seat INT NOT NULL PRIMARY KEY, agent NVARCHAR(255))")
    database.execute(
        "INSERT INTO dbo.seat (seat, agent) SELECT ROW_NUMBER() OVER (ORDER BY agent) - 1, agent FROM dbo.agents"
    )
    for night in range(nights):
        put_night(database, night, agents=agents, nights=nights)
    # The next night that deals the lead of a call-back hands it out.
    database.execute(
        "INSERT INTO dbo.assignment_call_back (outcome_id, run_id) SELECT o.outcome_id, r.run_id "
        "FROM dbo.assignment_outcome AS o INNER JOIN dbo.assignment_run AS r ON r.run_id = o.run_id + 3 "
        "WHERE o.outcome = 'call_back'"
    )


def put_night(database: TestedDatabase, night: int, *, agents: int, nights: int) -> None:
    """Puts an import and a run, which deals a third of the leads to all agents in turn, with what these report."""
    day, run_id = FIRST + timedelta(days=night), night + 1
    database.execute(
        "INSERT INTO dbo.import_record (kind, imported_at, source, file_name, sha256, rules, last_run_id) "
        f"VALUES ('leads', '{day}', 'page', 'leads of {day}.csv', '', '', {night})"
    )
    database.execute(
        "INSERT INTO dbo.import_lead (import_id, number, stage, date, is_changed) "
        f"SELECT {run_id}, p.number, 1, p.date, 0 FROM dbo.place AS p "
        f"WHERE p.place - p.place / {nights} * {nights} = {night}"
    )
    database.execute(
        "INSERT INTO dbo.assignment_run (business_date, [trigger], status, max_per_agent, window_days, newest_first, "
        f"started_at, finished_at) VALUES ('{day}', 'manual', 'succeeded', 450, 45, 0, '{day}', '{day}')"
    )
    dealt = (
        f"FROM dbo.place AS p INNER JOIN dbo.seat AS s ON s.seat = {TURN} - {TURN} / {agents} * {agents} "
        f"WHERE p.place - p.place / 3 * 3 = {night % 3}"
    )
    stage, due = 1 + night // 3 % 3, f"CAST('{day + timedelta(days=1)}' AS {DAY[database.engine]})"
    database.execute(
        "INSERT INTO dbo.assignment_history (run_id, agent, number, date, stage) "
        f"SELECT {run_id}, s.agent, p.number, p.date, {stage} {dealt}"
    )
    database.execute(
        "INSERT INTO dbo.assignment_outcome (report, run_id, agent, number, date, stage, outcome, call_back_on, "
        "same_agent, reported_at, reported_on, stands, stage_back) "
        f"SELECT CAST(p.place + {run_id} * 10000000 AS VARCHAR(64)), {run_id}, s.agent, p.number, p.date, {stage}, "
        f"{REPORTED}, CASE WHEN {REPORTED} = 'call_back' THEN {due} END, "
        f"0, '{day}', '{day}', 1, 0 {dealt} AND {TURN} - {TURN} / 3 * 3 = {night // 3 % 3}"
    )


def measure(database: TestedDatabase, nights: int) -> None:
    last = FIRST + timedelta(days=nights - 1)
    rows = {name: database.execute(f"SELECT COUNT(*) FROM dbo.{name}")[0][0] for name in TABLES}
    print(f"{database.engine}: {', '.join(f'{count:,} {name}' for name, count in rows.items())}", flush=True)
    for days in (nights, 14):
        first = last - timedelta(days=days - 1)
        span = {"date_from": str(first), "date_to": str(last)}
        whole = seconds_of(partial(count_results, database.backend, first, last))
        times = {name: seconds_of(partial(database.backend.all, name, **span)) for name in QUERIES}
        each = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in times.items())
        print(f"  {days} nights: {whole:.2f} s ({each})", flush=True)


def seconds_of(act: Callable[[], object]) -> float:
    """The median time of several calls."""
    times: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


@click.command()
@click.option("--engine", type=click.Choice(ENGINES), multiple=True, default=ENGINES)
@click.option("--leads", default=135_000, show_default=True)
@click.option("--agents", default=100, show_default=True)
@click.option("--nights", default=30, show_default=True)
def main(engine: tuple[str, ...], leads: int, agents: int, nights: int) -> None:
    """Print how long it takes to count the results."""
    for name in engine:
        if name == "sqlserver" and sqlserver_url() is None:
            print(MISSING)
            continue
        with tempfile.TemporaryDirectory() as directory, databases(name, Path(directory)) as database:
            fill(database, leads=leads, agents=agents, nights=nights)
            measure(database, nights)


if __name__ == "__main__":
    main()
