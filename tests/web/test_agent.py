"""An agent's page: the share, the deals, the list, the personal link; on each engine."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

import pytest

from agent_funnel.access.audit import list_entries
from agent_funnel.agents import add_limit
from agent_funnel.runs import list_runs
from support.databases import TestedDatabase, seed_tables, snapshot
from support.nights import deal_today
from support.pages import Page, Reader, reader_of

# tests/backend runs the queries of these pages on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

ODD = '<b>&"x'
TODAY = datetime.now(UTC).date()


def test_an_agents_page_shows_the_share_the_nights_and_the_list(
    database: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_tables(database, leads=9, agents=2)
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 1'", ODD)
    assert "There was no deal yet." in reader.get("/agents/of", agent=ODD)
    deal_today(database, max_per_agent=3)
    reader.wait_for("/agents", lambda page: "last deal: 3" in page)
    text = reader.get("/agents/of", agent=ODD)
    assert "Has now 3 Got in the last deal 3 Never called" in text
    assert "Last deal: 3. The oldest is on the left." in text
    run = list_runs(database.backend)[0].run_id
    assert re.search(rf"Night Deal Leads (today|yesterday) {run} 3 ", text.text)
    reader.get("/agents/of", 404, agent="nobody")
    reader.get("/agents/of", 404)
    monkeypatch.setattr("agent_funnel.web.pages.agent.LEADS_PER_PAGE", 2)
    first = reader.get("/agents/list", agent=ODD).source
    held = sorted(row[0] for row in database.execute(
        "SELECT number FROM dbo.agent_wafunnel_assignment WHERE agent = %s", ODD
    ))  # fmt: skip
    shown = re.compile(r'<th scope="row">([^<]*)</th>')
    assert shown.findall(first) == [f"+49 30 {number[5:]}" for number in held[:2]]
    more = html.unescape(re.findall(r'href="(/agents/list[^"]*after=[^"]*)"', first)[0])
    assert shown.findall(reader.get(more).source) == [f"+49 30 {number[5:]}" for number in held[2:]]
    deal_today(database, max_per_agent=3)
    later = reader.get(more).source
    assert "There was another deal since" in later
    assert len(shown.findall(later)) == 2
    reader.get("/agents/list", 404, agent="nobody")


def test_a_personal_link_is_made_shown_once_replaced_and_revoked(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database)
    page = {"agent": "agent 1"}
    assert "No link exists now." in reader.get("/agents/of", **page)
    first = reader.send("/agents/link", agent="agent 1")
    url = re.findall(r'id="made-link-1">(http://localhost/mine/mine_[\w-]+)<', first.text)[0]
    assert "you will not see it again" in Page(first.text)
    assert 'data-copy="made-link-1" hidden' in first.text
    assert 'data-share="made-link-1" hidden' in first.text
    assert reader.client.get(url).status_code == 200
    after = reader.get("/agents/of", **page).source
    assert url not in after
    assert "last used <time" in after
    assert "by somebody on the server" in after
    second = reader.send("/agents/link", agent="agent 1")
    assert reader.client.get(url).status_code == 404
    url = re.findall(r'id="made-link-1">([^<]+)<', second.text)[0]
    assert "it opens nothing now" in reader.done("/agents/link/revoke", agent="agent 1")
    assert reader.client.get(url).status_code == 404
    reader.refused(404, "/agents/link/revoke", agent="agent 1")
    assert reader.send("/agents/link", agent="nobody").status_code == 404


def test_an_agent_is_renamed_with_everything_that_is_theirs(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, leads=9, agents=2)
    deal_today(database)
    add_limit(database.backend, "agent 1", starts_on=TODAY, ends_on=None, max_records=5)
    reader.wait_for("/agents", lambda page: "last deal: " in page)
    assert "agent 1 is now called Ana Lima" in reader.done("/agents/rename", agent="agent 1", new_name=" Ana Lima ")
    reader.get("/agents/of", 404, agent="agent 1")
    # The shares were counted under the old name, and are counted again.
    page = reader.wait_for("/agents/of?agent=Ana Lima", lambda page: "Got in the last deal" in page)
    assert re.search(r"Has now [45] Got in the last deal [45] ", page.text)
    assert "At most 5" in page
    assert "There is already an agent" in reader.refused(409, "/agents/rename", agent="Ana Lima", new_name="agent 0")
    assert "New name: is missing" in reader.refused(422, "/agents/rename", agent="Ana Lima", new_name=" ")
    entries = [(entry.operation, entry.target) for entry in list_entries(database.backend, count=10)]
    assert ("POST /agents/rename", "agent 1 → Ana Lima") in entries


def test_a_name_that_is_easily_taken_for_another_one_is_noticed(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database)
    assert "This name is easily taken for 'agent 1'." in reader.done("/agents/add", agent="AGENT 1", active="true")
    assert "Perhaps you mean 'AGENT 1' or 'agent 1'." in reader.refused(404, "/agents/deactivate", agent="Agent 1")


def test_a_viewer_sees_no_form_and_no_whole_number_and_changes_nothing(database: TestedDatabase) -> None:
    seed_tables(database)
    deal_today(database)
    limit = add_limit(database.backend, "agent 1", starts_on=TODAY, ends_on=None, max_records=5)
    viewer = reader_of(database, "viewer")
    before = snapshot(database)
    for path in ("/agents", "/agents/of?agent=agent 1", "/agents/list?agent=agent 1"):
        assert set(viewer.get(path).forms) <= {"/agents", "/search", "/language"}
    listed = viewer.get("/agents/list", agent="agent 1")
    held = database.execute("SELECT number FROM dbo.agent_wafunnel_assignment WHERE agent = 'agent 1'")
    assert all(f"…{number[-3:]}" in listed for (number,) in held)
    assert "+4930" not in listed
    for path in (
        "add",
        "activate",
        "activate-all",
        "deactivate",
        "limits",
        "limits/remove",
        "rename",
        "link",
        "link/revoke",
    ):
        answer = viewer.send(
            f"/agents/{path}", agent="agent 1", limit_id=str(limit.limit_id), starts_on="2026-12-01", max_records="0"
        )
        assert (path, answer.status_code) == (path, 403)
        assert "this needs an operator" in answer.text
    assert snapshot(database) == before
