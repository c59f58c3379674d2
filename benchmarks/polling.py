"""Measures how long agents wait for their lists while the service deals.

`python -m benchmarks.polling` starts the service as users do, on SQLite and on the T-SQL engine that
FUNNEL_TEST_SQLSERVER_URL names. Agents, each with a key, request their own list every five seconds, with the ETag of
the last response. Meanwhile POST /run-now deals 500 leads to each of them. It prints the median and the 99th percentile
of the polls before the deal, and of the polls that were in progress during it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.deal import databases

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.databases import MISSING, TestedDatabase, sqlserver_url
from support.pollers import Poll, service_with_pollers

ENGINES = ("sqlite", "sqlserver")
# The number of agents of a large team:
AGENTS = 200
# The seconds for which polls are measured before the deal:
SECONDS_BEFORE = 30.0


def summary(polls: Sequence[Poll]) -> str:
    """The median and the 99th percentile, in milliseconds."""
    seconds = [poll.seconds * 1000 for poll in polls]
    if len(seconds) < 2:
        return f"{len(seconds)} polls"
    return (
        f"{len(seconds)} polls, p50 {statistics.median(seconds):.0f} ms, "
        f"p99 {statistics.quantiles(seconds, n=100, method='inclusive')[98]:.0f} ms"
    )


def measure(database: TestedDatabase, directory: Path, *, agents: int, leads: int, every: float) -> None:
    with service_with_pollers(database, directory, agents=agents, leads=leads, every=every) as (_, polls, run_now):
        since = time.monotonic()
        time.sleep(SECONDS_BEFORE)
        run, began, ended = run_now()
        polls.wait(agents, ended)
    before = [poll for poll in polls.done if poll.began >= since and poll.ended < began]
    during = [poll for poll in polls.done if poll.ended >= began and poll.began <= ended]
    print(f"{database.engine}: {run['assigned']} leads dealt to {agents} agents in {ended - began:.2f} s")
    print(f"  before: {summary(before)}\n  during: {summary(during)}\n  errors: {len(polls.errors)}", flush=True)


@click.command()
@click.option("--engine", type=click.Choice(ENGINES), multiple=True, default=ENGINES)
@click.option("--agents", default=AGENTS, show_default=True)
@click.option("--leads", type=int, help="Default: 500 for each agent.")
@click.option("--every", default=5.0, show_default=True, help="Seconds between two polls of an agent.")
def main(engine: tuple[str, ...], agents: int, leads: int | None, every: float) -> None:
    """Print how long agents wait for their lists, before a deal and during it."""
    for name in engine:
        if name == "sqlserver" and sqlserver_url() is None:
            print(MISSING)
            continue
        with tempfile.TemporaryDirectory() as directory, databases(name, Path(directory)) as database:
            measure(database, Path(directory), agents=agents, leads=leads or 500 * agents, every=every)


if __name__ == "__main__":
    main()
