"""How long the leads last: the page, the sentence on Tonight, the API, the metrics and the command."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_funnel.schedule.runway import runway
from agent_funnel.schedule.store import add_holiday, pause
from agent_funnel.settings import load
from support.command import run_command
from support.databases import TestedDatabase
from support.nights import active_agents, fresh, put_agents, put_leads
from support.pages import client_of, reader_at

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TODAY = datetime.now(UTC).date()
NOON = datetime.combine(TODAY, time(12), UTC)
LONG_AGO = datetime.combine(TODAY - timedelta(days=40), time(9))


def test_the_page_says_how_long_the_leads_last_and_has_all_numbers_in_a_table(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, fresh(30, created=LONG_AGO))
    add_holiday(database.backend, TODAY + timedelta(days=1))
    page = reader_at(database, NOON, max_per_agent=5).get("/runway")
    # Five deals before the leads are too old, of ten leads each.
    last = TODAY + timedelta(days=5)
    assert re.search(rf"Without new leads, the leads last until {last:%a},? {last.day} {last:%b} \.", page.text)
    assert not re.search(r"\d{4}\.\w|[a-z]\.[A-Z]", page.text)
    assert "30 leads get older than 45 days with calls left; all of them were called." in page
    assert "One agent more: 25 more leads are dealt, and 15 fewer get too old." in page
    assert "One agent fewer: 25 fewer leads are dealt, and as many get too old." in page
    assert "There are too few days with leads to expect new ones by." in page
    assert page.source.count('<path class="room"') == 13 + 1
    assert page.source.count('<rect class="off"') == 1
    assert page.source.count('<th scope="row">') == 14
    assert "holiday" in page


def test_where_an_agent_changes_nothing_and_no_line_is_drawn_neither_is_explained(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, fresh(4))
    page = reader_at(database, NOON, max_per_agent=50).get("/runway")
    assert "One agent more or fewer changes nothing." in page
    assert "as many leads are dealt" not in page
    # The room of a hundred is far above the four leads.
    assert 'class="room"' not in page.source
    assert "room of all agents" not in page


def test_without_a_deal_ahead_nobody_says_that_the_leads_last(database: TestedDatabase) -> None:
    reader = reader_at(database, NOON)
    assert "the leads last " not in reader.get("/")
    assert "There is no deal in the next 14 days." in reader.get("/runway")
    put_agents(database, active_agents("Al"))
    pause(database.backend, now=NOON, actor=None, reason=None)
    assert "the leads last " not in reader.get("/")
    assert "There is no deal in the next 14 days." in reader.get("/runway")
    command = ["--database-url", database.url, "runway"]
    assert "There is no deal in the next 14 days." in run_command(*command, cwd=Path.cwd()).stdout


def test_tonight_says_how_long_the_leads_last_and_warns_in_amber(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al"))
    put_leads(database, fresh(3, created=LONG_AGO + timedelta(days=30)))
    page = reader_at(database, NOON).get("/")
    day = TODAY + timedelta(days=2)
    until = rf"until {day:%a},? {day.day} {day:%b}"
    assert re.search(rf"With or without new leads, the leads last {until} \. How long the leads last", page.text)
    assert '<section class="headline due">' in page.source
    reader = reader_at(database, NOON, runway_nights=4)
    page = reader.get("/")
    assert re.search(r"Leads fall short on \w+day,? \d+ \w+ ?\. The deal is due in ", page.text)
    assert re.search(rf"With or without new leads, the leads last {until} \.", page.text)
    assert "Import leads" in page
    assert '<section class="headline late">' in page.source
    # Beside another headline and on the page of the runway, the words are the same.
    assert re.search(r"Leads fall short on \S.{4,20}, after 3 more deals: as things ", reader.get("/runway").text)
    add_holiday(database.backend, TODAY)
    page = reader_at(database, NOON, runway_nights=4).get("/")
    assert re.search(r"No deal today\. .* Leads fall short on \w+day,? \d+ \w+ ?\. Without new leads, the ", page.text)
    database.execute("DELETE FROM dbo.wafunnel")
    put_leads(database, [(f"{number}", 1, NOON - timedelta(days=back)) for number, back in enumerate(range(-5, 29))])
    words = "leads last until .{8,12}; with as many as in the last 4 weeks, for all of the next 14 days"
    for address in ("/", "/runway"):
        assert re.search(f"Without new leads, the {words}\\.", reader_at(database, NOON).get(address).text)


def test_the_api_the_metrics_and_the_command_have_the_same_numbers(database: TestedDatabase, tmp_path: Path) -> None:
    put_agents(database, active_agents("Al"))
    put_leads(database, fresh(3, created=LONG_AGO + timedelta(days=30)))
    found = runway(database.backend, load(), now=datetime.now(UTC))
    client = client_of(database)
    answer = client.get("/api/runway").json
    assert answer is not None
    assert answer["as_is"]["low"] == {
        "lasts": 3, "lasts_until": str(found.nights[2].business_date), "short_on": str(found.nights[3].business_date),
        "dealt": 9, "expired": 0, "never_called": 0,
    }  # fmt: skip
    assert answer["without_new"] == answer["as_is"]["low"]
    assert [night["low"]["pool"] for night in answer["nights"]] == [night.low.pool for night in found.nights]
    place: dict[str, Any] = {"cwd": tmp_path, "FUNNEL_DATABASE_URL": database.url}
    assert json.loads(run_command("runway", "--json", **place).stdout) == answer
    text = run_command("runway", **place).stdout
    until = found.nights[2].business_date
    assert f"With or without new leads, the leads last until {until}." in " ".join(text.split())
    assert "One agent more: 0 more leads dealt, 0 more leads too old." in text
    metrics = client.get("/metrics").text
    assert "agent_funnel_runway_deals 3.0" in metrics
    assert "agent_funnel_runway_expiring_leads 0.0" in metrics
    # In a pause no deal is to come, and none is short of leads.
    pause(database.backend, now=datetime.now(UTC), actor=None, reason=None)
    assert "agent_funnel_runway_deals 14.0" in client_of(database).get("/metrics").text
