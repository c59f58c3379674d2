"""Beside the button that activates all agents at once are the names of those who had no leads of late."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from agent_funnel.agents import set_agent_status
from agent_funnel.deal import deal
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables
from support.pages import Page, reader_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TODAY = datetime.now(UTC).date()


def deal_on(database: TestedDatabase, days_ago: int) -> None:
    """Deals all leads as if they were new."""
    database.execute("UPDATE dbo.wafunnel SET stage = 1")
    deal(database.backend, load(), business_date=TODAY - timedelta(days=days_ago), again=True)


def test_who_had_no_leads_in_the_last_deals_is_named_with_the_day_of_the_last_ones(database: TestedDatabase) -> None:
    seed_tables(database, leads=12, agents=3)
    deal_on(database, 9)
    set_agent_status(database.backend, "agent 1", active=False)
    for days_ago in (3, 2, 1):
        deal_on(database, days_ago)
    reader = reader_of(database, "operator")

    def is_counted(page: Page) -> bool:
        return "had no leads in the last 3 deals" in page

    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    page = reader.wait_for("/agents", is_counted)
    left = TODAY - timedelta(days=9)
    words = "Look at these: they had no leads in the last 3 deals: agent 1"
    assert re.search(rf"{words} \(last on {left:%a} {left.day} {left:%b}[^)]*\)\.", page.text)
    assert page.text.index("Look at these") < page.text.index("Yes, activate all 3")
    # Who had leads since then is not named.
    set_agent_status(database.backend, "agent 1", active=True)
    deal_on(database, 0)
    set_agent_status(database.backend, "agent 1", active=False)
    page = reader.wait_for("/agents", lambda page: "Yes, activate all 3" in page)
    assert "Look at these" not in page
