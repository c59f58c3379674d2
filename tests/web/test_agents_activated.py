"""The first button that activates inactive agents is for those who had leads in the last few deals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_funnel.agents import add_agent, roster, set_agent_status
from agent_funnel.deal import deal
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables
from support.pages import reader_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TODAY = datetime.now(UTC).date()


def deal_on(database: TestedDatabase, days_ago: int) -> None:
    """Deals all leads as if they were new."""
    database.execute("UPDATE dbo.wafunnel SET stage = 1")
    deal(database.backend, load(), business_date=TODAY - timedelta(days=days_ago), again=True)


def test_those_without_leads_in_the_last_three_deals_are_left_to_the_second_button(database: TestedDatabase) -> None:
    seed_tables(database, leads=12, agents=4)
    deal_on(database, 9)
    set_agent_status(database.backend, "agent 3", active=False)
    for days_ago in (3, 2):
        deal_on(database, days_ago)
    reader = reader_of(database, "operator")
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    # All had leads in the last three deals.
    assert "Yes, activate all 4" in reader.get("/agents")
    database.execute("UPDATE dbo.agents SET status = 'active' WHERE agent <> 'agent 3'")
    deal_on(database, 1)
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    page = reader.get("/agents")
    assert "Activate inactive agents: 3 or all 4" in page
    assert "Activate the 3 who had leads in the last 3 deals Activate all 4 inactive agents" in page
    assert "they get leads: agent 0, agent 1, agent 2." in page
    left = TODAY - timedelta(days=9)
    last = f"agent 3 (last on {left:%a} {left.day} {left:%b}"
    assert f"Not these, who had no leads in the last 3 deals: {last}" in page
    fields = {"inactive": "3", "deals": "3", "idempotency_key": "a"}
    assert "Activated 3 agents" in reader.done("/agents/activate-all", **fields)
    assert [each.agent for each in roster(database.backend, TODAY) if not each.active] == ["agent 3"]
    # Where nobody had leads in the last three deals, the first choice is those who had some in the last thirty.
    add_agent(database.backend, "Walter Neves", active=False)
    page = reader.get("/agents", show="inactive")
    assert "Activate the 1 who had leads in the last 4 deals" in page
    assert f"they get leads: {last}" in page
    assert "Not these, who had no leads in the last 4 deals: Walter Neves." in page
