"""The morning after a failed night, in a browser: from the headline to the repair in three presses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from agent_funnel.errors import NoActiveAgent
from agent_funnel.schedule.store import record_failure
from agent_funnel.settings import load
from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today


@pytest.fixture
def dashboard_settings() -> dict[str, Any]:
    """The deal of today is still to come at any time of the day."""
    return {"run_at": "23:59", "catch_up": "1m"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_failed_night_is_mended_in_three_presses(dashboard: Dashboard, database: TestedDatabase) -> None:
    seed_tables(database, leads=6, agents=1)
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    day = datetime.now(UTC).date() - timedelta(days=1)
    at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
    record_failure(
        database.backend, load(), day, NoActiveAgent(), attempt=1, started_at=at, finished_at=at, actor="schedule"
    )
    database.execute(
        "INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at) VALUES (%s, 'failed', %s)",
        str(day), f"{day} 23:59:59",
    )  # fmt: skip
    page = dashboard.page("/", role="operator", viewport=(360, 800))
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"The deal of .* failed\."))
    expect(page.get_by_text("A deal would still fail now:")).to_be_visible()
    axe(page)
    shoot(page, "failed-night")
    page.get_by_role("link", name="Activate agents").click()
    fits(page, 360)
    axe(page)
    shoot(page, "inactive-agents")
    page.get_by_role("button", name="Activate agent 0").click()
    page.goto("/")
    page.get_by_role("link", name="Preview and deal now").click()
    page.get_by_role("button", name="Deal 6 leads to 1 agent").click()
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("The deal is due in"))
    expect(page.locator("section.headline")).to_contain_text(
        re.compile(r"failed;\s+deal \d+\s+made up for it,\s+by hand, by the operator")
    )
    axe(page)
    shoot(page, "mended-night")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_thousand_agents_are_a_page_of_a_few_screens_on_a_phone(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    seed_tables(database, leads=1_500, agents=1_000)
    deal_today(database)
    page = dashboard.page("/", viewport=(360, 800), color_scheme="dark")
    expect(page.get_by_role("heading", name="How many agents got how many leads")).to_be_visible()
    expect(page.locator("section[aria-labelledby=what-agents-have]")).to_contain_text("1,000 agents got 1 or 2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.documentElement.scrollHeight") <= 4 * 800
    axe(page)
    shoot(page, "a-thousand-agents")
    page.get_by_text("All 1,000 agents").click()
    expect(page.get_by_text("agent 999")).to_be_visible()
