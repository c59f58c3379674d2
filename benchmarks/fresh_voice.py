"""Measures what a fresh voice and outcomes cost a deal after two weeks of deals.

`python -m benchmarks.fresh_voice` makes a floor on SQLite (1,000 agents) and on the T-SQL engine that
FUNNEL_TEST_SQLSERVER_URL names (300 agents). Every evening, new leads come in, about a third of what the agents can
take, and all agents get 450 leads. After 14 evenings, it deals the next one in turns: as it is, and with all earlier
runs marked as purged, so that nobody had any lead last. The ratio of each pair is what the fresh voice costs. Then
agents report outcomes of a third of all leads dealt, and the deal is measured again.

The floor is made in two ways. With an even inflow, exactly a third comes in every evening, so every lead that comes
round would meet the agent who had it last: no night can have more of them. With an uneven inflow, it is up to five
percent more or less.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import click

from agent_funnel import demo
from agent_funnel.deal import deal
from agent_funnel.imports import load_rows
from agent_funnel.settings import load
from benchmarks.deal import databases, forget_who_had_the_leads, keep_stages, ratio, restore
from benchmarks.results import DAY

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.databases import MISSING, TestedDatabase, sqlserver_url

AGENTS = {"sqlite": 1_000, "sqlserver": 300}
CAP = 450
NIGHTS = 14
FIRST = date(2026, 11, 1)
SETTINGS = load(max_per_agent=CAP, window_days=45, newest_first=False)
# What a third of the leads dealt have come to, in ten equal parts:
OUTCOMES = ("won", "lost", "talked", "talked", "call_back", "not_worked", *["no_answer"] * 4)


def make_floor(database: TestedDatabase, agents: int, *, uneven: bool) -> None:
    """Makes the agents, the leads of all evenings, and the deals of all but the last one."""
    inflow = agents * CAP // 3
    chance = random.Random(1)
    evenings = [inflow + (round(inflow * chance.uniform(-0.05, 0.05)) if uneven else 0) for _ in range(NIGHTS + 1)]
    # A reserve, so that the agents are full every evening, whatever comes in.
    evenings[0] += inflow // 2
    demo.fill(database.backend, leads=sum(evenings), seed=1, today=FIRST)
    database.execute("DELETE FROM dbo.agents")
    load_rows(database.backend, "agents", ((f"agent {index:04d}", "active") for index in range(agents)))
    database.execute("CREATE TABLE dbo.to_come (place INT NOT NULL PRIMARY KEY, number VARCHAR(255))")
    # The numbers of the demo come in the order of countries; an evening has all of them.
    database.execute(
        "INSERT INTO dbo.to_come (place, number) "
        "SELECT ROW_NUMBER() OVER (ORDER BY date, number), number FROM dbo.wafunnel"
    )
    database.execute("DELETE FROM dbo.wafunnel")
    first = 1
    for night, leads in enumerate(evenings):
        day = FIRST + timedelta(days=night)
        database.execute(
            f"INSERT INTO dbo.wafunnel (number, stage, date) SELECT number, 1, '{day} 09:00:00' FROM dbo.to_come "
            f"WHERE place BETWEEN {first} AND {first + leads - 1}"
        )
        first += leads
        if night < NIGHTS:
            deal(database.backend, SETTINGS, business_date=day, again=True)
    keep_stages(database)


def report_outcomes(database: TestedDatabase) -> None:
    """Reports an outcome of every third lead that was dealt."""
    place = "ROW_NUMBER() OVER (ORDER BY h.run_id, h.number)"
    due = FIRST + timedelta(days=NIGHTS + 3)
    outcome = " ".join(f"WHEN {part} THEN '{name}'" for part, name in enumerate(OUTCOMES))
    database.execute(
        "INSERT INTO dbo.assignment_outcome (report, run_id, agent, number, date, stage, outcome, call_back_on, "
        "same_agent, reported_at, reported_on, stands, stage_back) "
        "SELECT CAST(o.place AS VARCHAR(64)), o.run_id, o.agent, o.number, o.date, o.stage, o.outcome, "
        f"CASE WHEN o.outcome = 'call_back' THEN CAST('{due}' AS {DAY[database.engine]}) END, "
        "0, o.started_at, o.business_date, 1, 0 FROM ("
        f"SELECT h.run_id, h.agent, h.number, h.date, h.stage, {place} AS place, r.started_at, r.business_date, "
        f"CASE ({place} / 3) % 10 {outcome} END AS outcome "
        "FROM dbo.assignment_history AS h INNER JOIN dbo.assignment_run AS r ON r.run_id = h.run_id) AS o "
        "WHERE o.place % 3 = 0"
    )


def seconds_of(database: TestedDatabase, *, heard: bool) -> float:
    """The time of the last evening's deal, with or without the history of who had each lead last."""
    if not heard:
        forget_who_had_the_leads(database)
    started = time.perf_counter()
    deal(database.backend, SETTINGS, business_date=FIRST + timedelta(days=NIGHTS), again=True)
    return time.perf_counter() - started


def measure(database: TestedDatabase, rounds: int) -> None:
    times: dict[bool, list[float]] = {True: [], False: []}
    row: list[tuple[object, ...]] = []
    for number in range(rounds + 1):
        for heard in (True, False) if number % 2 else (False, True):
            seconds = seconds_of(database, heard=heard)
            if heard:
                row = database.execute(
                    "SELECT r.assigned, r.pool, v.came_round, v.same_agent FROM dbo.assignment_run AS r "
                    "INNER JOIN dbo.assignment_voice AS v ON v.run_id = r.run_id "
                    f"WHERE r.run_id > {NIGHTS}"
                )
            restore(database, NIGHTS)
            # The first round warms caches and plans.
            if number:
                times[heard].append(seconds)
    assigned, pool, came_round, same_agent = row[0]
    print(
        f"    {assigned:,} of {pool:,} leads, {came_round:,} came round, {same_agent:,} meet the same agent: "
        f"{statistics.median(times[True]):.2f} s, without a fresh voice {statistics.median(times[False]):.2f} s, "
        f"ratio {ratio(times[True], times[False])}",
        flush=True,
    )


@click.command()
@click.option("--engine", type=click.Choice(list(AGENTS)), multiple=True, default=list(AGENTS))
@click.option("--rounds", default=7, show_default=True)
@click.option("--scale", default=1.0, show_default=True, help="The part of the full size, for a quick look.")
def main(engine: tuple[str, ...], rounds: int, scale: float) -> None:
    """Print what a fresh voice and outcomes cost a deal."""
    for name in engine:
        if name == "sqlserver" and sqlserver_url() is None:
            print(MISSING)
            continue
        for uneven in (False, True):
            with tempfile.TemporaryDirectory() as directory, databases(name, Path(directory)) as database:
                print(f"{name}, {'uneven' if uneven else 'even'} inflow", flush=True)
                make_floor(database, int(AGENTS[name] * scale), uneven=uneven)
                print("  without outcomes:", flush=True)
                measure(database, rounds)
                report_outcomes(database)
                print("  a third of the leads dealt have an outcome:", flush=True)
                measure(database, rounds)


if __name__ == "__main__":
    main()
