"""Measures the pages of the dashboard on a large database: how long each takes, and how many bytes it has.

`python -m benchmarks.pages` fills a database with a million leads and a thousand agents, on SQLite and on the T-SQL
engine that FUNNEL_TEST_SQLSERVER_URL names. It creates the index that `agent-funnel doctor` suggests, deals a few
times, reports a third of the leads of the last deal, and requests each page as a browser does: once, and then eleven
times more. The goal for a page is at most 100 ms and 150 kB, including its style sheets and script, and for one that
finds a number at most 50 ms. A name in parentheses is not a page, or is the worst case of a page.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from flask.testing import FlaskClient

from agent_funnel.access.links import make_link
from agent_funnel.deal import deal
from agent_funnel.imports import load_rows
from agent_funnel.numbers import take_in
from agent_funnel.runs import list_runs
from agent_funnel.settings import load
from agent_funnel.sql import queries
from agent_funnel.web import create_app
from benchmarks.deal import databases

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.databases import MISSING, TestedDatabase, sqlserver_url

ENGINES = ("sqlite", "sqlserver")
BROWSER = {"Accept": "text/html", "Accept-Encoding": "gzip", "Accept-Language": "de"}
# The files that each page loads in addition:
PARTS = ("/static/vendor/pico-2.1.1.min.css", "/static/page.css", "/static/page.js", "/static/icon.svg")
TIMES = 11


def fill(database: TestedDatabase, *, agents: int, leads: int, runs: int) -> None:
    names = [(f"Agent {index:04}", "active") for index in range(agents)]
    load_rows(database.backend, "agents", names)
    today = datetime.now(UTC).date()
    days = [f"{today - timedelta(days=back)} 12:00:00.000" for back in range(60)]
    rows = ((f"+49{index * 7_919 % 10_000_019:010}", str(1 + index % 3), days[index % 60]) for index in range(leads))
    load_rows(database.backend, "leads", rows)
    database.execute(queries(database.engine)["remedy_index_agent_wafunnel_assignment_agent"].rstrip().rstrip(";"))
    for back in range(runs):
        deal(database.backend, load(), business_date=today - timedelta(days=runs - 1 - back), trigger="schedule")
    report_a_third(database, run_id=list_runs(database.backend, count=1)[0].run_id)
    began = time.perf_counter()
    taken = take_in(database.backend)
    print(
        f"{database.engine}: kept {taken} match keys in {time.perf_counter() - began:.1f} s, those that no deal needed"
    )


def report_a_third(database: TestedDatabase, *, run_id: int) -> None:
    """Reports every third lead of a run, by a statement, since so many reports would take an hour."""
    day = datetime.now(UTC).date()
    database.execute(
        "INSERT INTO dbo.assignment_outcome (report, run_id, agent, number, date, stage, outcome, same_agent, "
        "reported_at, reported_on, stands, stage_back) "
        "SELECT CAST(v.place AS VARCHAR(64)), v.run_id, v.agent, v.number, v.date, v.stage, 'no_answer', 0, "
        f"'{day}', '{day}', 1, 0 FROM (SELECT h.*, ROW_NUMBER() OVER (ORDER BY h.number) AS place "
        f"FROM dbo.assignment_history AS h WHERE h.run_id = {run_id}) AS v WHERE v.place - v.place / 3 * 3 = 0"
    )


def pages(database: TestedDatabase) -> Iterator[tuple[str, str]]:
    """Each page by its name."""
    run = list_runs(database.backend, count=1)[0].run_id
    number, agent = database.execute("SELECT MAX(number), MAX(agent) FROM dbo.agent_wafunnel_assignment")[0]
    _, secret = make_link(database.backend, agent, actor="benchmark")
    yield from {
        "Tonight": "/",
        "Tonight, the partial": "/?partial=1",
        "Deal now": "/run-now",
        "Undo": f"/runs/{run}/undo",
        "Runs": "/runs",
        "A run": f"/runs/{run}",
        "A night": f"/nights/{datetime.now(UTC).date()}",
        "Agents": "/agents",
        "(Agents, by to call)": "/agents?sort=to_call",
        "An agent": f"/agents/of?agent={agent}",
        "An agent’s list": f"/agents/list?agent={agent}",
        "Leads": "/leads",
        "Leads, a number": f"/leads?number={number.replace('+', '%2B')}",
        "Leads, as usual": f"/leads?number=00{number[1:5]}+{number[5:]}",
        "Leads, any spelling": f"/leads?number=p:%2B{number[1:]}@c.us",
        "Leads, four digits": f"/leads?number={number[-4:]}",
        "Leads, eight digits": f"/leads?number={number[-8:]}",
        "Leads, a stage": "/leads?stage=2",
        "A lead": f"/leads/of?number={number.replace('+', '%2B')}",
        "A lead, any spelling": f"/leads/of?number=p:%2B{number[1:]}@c.us",
        "A lead, not found": f"/leads/of?number=%2B4900{number[-8:]}",
        "Import": "/leads/import",
        "Settings": "/settings",
        "Audit": "/audit",
        "Keys": "/keys",
        "A personal page": f"/mine/{secret}",
        "Leads, all": "/leads?all=1",
        "(Leads, none found)": "/leads?date_from=2001-01-01&date_to=2001-01-01",
        "(The preview)": "/run-now/preview?partial=1",
    }.items()


def measure(database: TestedDatabase, *, agents: int, leads: int, runs: int, only: str) -> None:
    fill(database, agents=agents, leads=leads, runs=runs)
    client: FlaskClient = create_app(load(rate_limit="1000000 per second"), database.backend).test_client()
    # The first requests start the counts that run in the background; wait until they are done.
    client.get("/", headers=BROWSER)
    client.get("/agents", headers=BROWSER)
    time.sleep(5 + 3 * runs)
    parts = sum(len(client.get(part, headers=BROWSER).data) for part in PARTS)
    print(f"{database.engine}: {leads} leads, {agents} agents, {runs} runs; {parts / 1000:.0f} kB of style and script")
    for name, path in pages(database):
        if only.lower() not in name.lower():
            continue
        seconds = []
        for _ in range(1 + TIMES):
            began = time.perf_counter()
            answer = client.get(path, headers=BROWSER)
            seconds.append(time.perf_counter() - began)
        first, *others = (1000 * each for each in seconds)
        print(
            f"  {name:22} {answer.status_code}  first {first:7.1f} ms, then {statistics.median(others):7.1f} ms "
            f"(up to {max(others):.1f}), {len(answer.data) / 1000:6.1f} kB",
            flush=True,
        )


@click.command()
@click.option("--engine", type=click.Choice(ENGINES), multiple=True, default=ENGINES)
@click.option("--agents", default=1_000, show_default=True)
@click.option("--leads", default=1_000_000, show_default=True)
@click.option("--runs", default=3, show_default=True)
@click.option("--only", default="", help="Only pages with this text in their name.")
def main(engine: tuple[str, ...], agents: int, leads: int, runs: int, only: str) -> None:
    """Print how long each page takes, and how large it is."""
    for name in engine:
        if name == "sqlserver" and sqlserver_url() is None:
            print(MISSING)
            continue
        with tempfile.TemporaryDirectory() as directory, databases(name, Path(directory)) as database:
            measure(database, agents=agents, leads=leads, runs=runs, only=only)


if __name__ == "__main__":
    main()
