"""The queries that agents' programs and pages ask all day find their rows by an index, whatever the collation.

The same queries run on Babelfish, where they return the same rows; only Microsoft's engine shows how it found them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from agent_funnel.sql import catalog, queries_with
from support import LONG
from support.databases import TestedDatabase, sqlserver_schema
from support.microsoft import accesses, actual_plans, microsoft_engine
from support.nights import RECENT, TODAY, run_deal

# Enough leads that reading them all costs more than looking each up:
LEADS = 60_000 if microsoft_engine() else 600
AGENTS = 200 if microsoft_engine() else 20
EACH = 30
AGENT, NUMBER = "agent 007", "+49300000042"
# The tables that are as large as the floor: no query may read one of them as a whole.
LARGE = {"wafunnel", "agent_wafunnel_assignment", "assignment_history"}

# Your tables as a server of the usual American installation has them, without an index; the doctor suggests some.
SQL_COLLATION = "SQL_Latin1_General_CP1_CI_AS"
TABLES = f"""
    CREATE TABLE dbo.agents (agent VARCHAR(50) COLLATE {SQL_COLLATION} NOT NULL PRIMARY KEY, status VARCHAR(20));
    CREATE TABLE dbo.wafunnel
        (number VARCHAR(50) COLLATE {SQL_COLLATION} NOT NULL, stage INT NOT NULL, date DATETIME NOT NULL);
    CREATE TABLE dbo.agent_wafunnel_assignment
        (agent VARCHAR(50) COLLATE {SQL_COLLATION} NOT NULL, number VARCHAR(50) COLLATE {SQL_COLLATION} NOT NULL);
"""


class Asked(NamedTuple):
    """A query that is asked all day, with its parameters, and how many rows it returns here."""

    parameters: dict[str, Any]
    rows: int


OF_ONE_NUMBER = {
    **{f"spelling_{place}": NUMBER if place == 1 else f"{NUMBER}{place}" for place in range(1, 6)},
    "match_key": NUMBER, "digits": None, "stage": None, "date_from": None, "date_before": None,
    "after_number": None, "after_stage": None, "after_date": None, "count": 50,
}  # fmt: skip
ASKED = {
    "assignments": Asked({"agent": AGENT, "after_number": None, "after_agent": "", "count": 1000}, EACH),
    "assignments_of_deal": Asked({"agent": AGENT, "after_number": None, "after_agent": "", "count": 1000}, 1),
    "count_of_agent": Asked({"agent": AGENT}, 1),
    "deal_version": Asked({}, 1),
    "key_of_secret": Asked({"secret_hash": "0" * 64}, 1),
    "key_of_session": Asked({"secret_hash": "0" * 64}, 1),
    "link_of_secret": Asked({"secret_hash": "0" * 64}, 1),
    "leads_of_number": Asked(OF_ONE_NUMBER, 1),
    "lead_now": Asked({"number": NUMBER, "match_key": NUMBER}, 1),
    "holders": Asked({"number": NUMBER, "match_key": NUMBER, "since": None, "until": None}, 1),
    # They are not asked all day, but by each agent who opens the list.
    "outcomes_of_list": Asked({"run_id": 1, "agent": AGENT}, 0),
    "call_backs_of_list": Asked({"run_id": 1, "agent": AGENT}, 0),
}


# On Babelfish, many tests ask these queries on the installer's tables.
OURS = ["our tables"] if LONG or microsoft_engine() else []


@pytest.fixture(scope="module", params=[*OURS, SQL_COLLATION])
def floor(request: pytest.FixtureRequest, sqlserver: str) -> Iterator[TestedDatabase]:
    """A dealt floor in a schema of its own, on the installer's tables or on those of a usual server."""
    ours = request.param == "our tables"
    with sqlserver_schema(sqlserver, "plans" if ours else "plans_sql", tables="" if ours else TABLES) as database:
        if not ours:
            for name in ("agent_wafunnel_assignment_agent", "agent_wafunnel_assignment_number", "wafunnel_number"):
                database.execute(catalog("sqlserver")[f"remedy_index_{name}"].text)
        database.insert("agents", ("agent", "status"), [(f"agent {n:03}", "active") for n in range(AGENTS)])
        leads = [(f"+4930{n:07}", 1, RECENT - timedelta(minutes=n)) for n in range(LEADS)]
        for start in range(0, LEADS, 10_000):
            database.insert("wafunnel", ("number", "stage", "date"), leads[start : start + 10_000])
        run_deal(database, max_per_agent=EACH, newest_first=True)
        if microsoft_engine():
            for table in LARGE:
                database.execute(f"UPDATE STATISTICS dbo.{table} WITH FULLSCAN")
        yield database


def test_every_polled_query_is_looked_at() -> None:
    assert queries_with("sqlserver", "polled") <= set(ASKED)
    assert set(ASKED) <= set(catalog("sqlserver"))


@pytest.mark.parametrize("name", ASKED)
def test_a_query_that_is_asked_all_day_returns_its_rows_on_either_kind_of_table(
    floor: TestedDatabase, name: str
) -> None:
    parameters, rows = ASKED[name]
    assert len(floor.backend.all(name, **parameters)) == rows


@pytest.mark.microsoft_engine
@pytest.mark.parametrize("name", ASKED)
def test_a_query_that_is_asked_all_day_seeks_and_reads_few_rows(floor: TestedDatabase, name: str) -> None:
    parameters, rows = ASKED[name]
    plans = actual_plans(floor, name, parameters)
    assert plans
    found = [access for plan in plans for access in accesses(plan)]
    assert found
    for access in found:
        if access.table in LARGE:
            assert "Scan" not in access.operation, access
            # Some indexes find a few rows more than are wanted.
            assert access.rows <= 10 * rows + 100, access


@pytest.mark.microsoft_engine
def test_a_whole_read_of_the_leads_is_seen_as_a_scan(floor: TestedDatabase) -> None:
    """Without this, a reader of plans that finds nothing would let every query pass."""
    parameters = {"business_date": TODAY.isoformat(), "window_days": 45, "newest_first": 0}
    plans = actual_plans(floor, "pool_report", parameters)
    found = {(access.table, access.operation.split()[-1]) for plan in plans for access in accesses(plan)}
    assert ("wafunnel", "Scan") in found
