"""The pages of agents, as a browser without script asks for them, on each engine."""

from __future__ import annotations

import html
import re
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from agent_funnel import floor, links, service
from support.databases import TestedDatabase, small_floor, snapshot
from support.nights import deal_today
from support.pages import Page, Reader, reader_of

# What these pages ask the database is asked of each engine in tests/backend; the long version asks it here, too.
pytestmark = pytest.mark.sqlserver_if_long


ODD = '<b>&"x'
TODAY = datetime.now(UTC).date()


def counted(reader: Reader, told: str) -> Page:
    """The list, as soon as the deals are counted, which nobody waits for."""
    deadline = time.monotonic() + 20
    while told not in (text := reader.get("/agents")):
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return text


def status_of(database: TestedDatabase, agent: str) -> bool:
    return next(seat.active for seat in floor.roster(database.backend, TODAY) if seat.agent == agent)


def limit(database: TestedDatabase, agent: str, most: int, starts_on: date, ends_on: date | None) -> int:
    found, _ = service.add_limit(database.backend, agent, starts_on=starts_on, ends_on=ends_on, max_records=most)
    return found.limit_id


def test_the_list_says_who_got_what_and_who_stands_out(database: TestedDatabase, reader: Reader) -> None:
    assert "There are no agents yet" in reader.get("/agents")
    small_floor(database, leads=90, agents=6)
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 1'", ODD)
    assert "never dealt to" not in reader.get("/agents")
    limit(database, "agent 2", 0, TODAY - timedelta(days=2), TODAY + timedelta(days=3))
    limit(database, "agent 3", 2, TODAY, None)
    deal_today(database, max_per_agent=5)
    deal_today(database, max_per_agent=8)
    floor.set_agent_status(database.backend, "agent 4", active=False)
    floor.add_agent(database.backend, "agent 6")
    floor.add_agent(database.backend, "agent 7", active=False)
    text = counted(reader, "never dealt to")
    until = re.sub(r"^0", "", f"{TODAY + timedelta(days=3):%d %b %Y}")
    for told in (
        "agent 0 ▲ at the cap of 8 8 last 2 deals: 5 to 8",
        f"{ODD} ▲ at the cap of 8 8 last 2 deals: 5 to 8",
        "agent 2 ◐ away until",
        "agent 3 ▼ limit 2 until further notice, reached 2 last 2 deals: 2",
        "agent 4 ○ inactive, still has 8 until the next run 8 last",
        "agent 6 ! never dealt to 0 last 2 deals: 0 –",
        "agent 7 ○ inactive 0",
        "8 of 8 agents",
    ):
        assert told in text
    assert f"away until {until}".replace("Sep ", "Sept ") in text
    assert "<b>&" not in reader.get("/agents").source
    # What holds for most is said once.
    floor.set_agent_status(database.backend, "agent 6", active=False)
    assert "agents are at the cap" not in text
    text = reader.get("/agents")
    assert "3 agents are at the cap" in text
    assert "agent 0 8 last 2 deals: 5 to 8" in text
    # A deal that is undone is none.
    service.undo(database.backend)
    assert "agent 0 5 last deal: 5" in reader.get("/agents")


def test_agents_are_found_by_name_and_by_what_they_stand_out_by(database: TestedDatabase, reader: Reader) -> None:
    small_floor(database, agents=12)
    floor.add_agent(database.backend, "SANTA 1")
    limit(database, "agent 11", 0, TODAY, None)
    for query, found in (
        ({"find": "NT 1"}, ["agent 1", "agent 10", "agent 11"]),
        ({"find": "ta 1"}, ["SANTA 1"]),
        ({"show": "away"}, ["agent 11"]),
        ({"find": "nt 1", "show": "away"}, ["agent 11"]),
        ({"find": "nobody"}, []),
        ({"show": "nonsense", "find": "agent 2"}, ["agent 2"]),
    ):
        text = reader.get("/agents", **query).source
        assert re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', text) == found
        assert ("Nobody like that" in text) == (not found)
    assert 'value="&lt;b&gt;"' in reader.get("/agents", find="<b>").source


def test_an_agent_is_added_activated_and_deactivated(database: TestedDatabase, reader: Reader) -> None:
    small_floor(database)
    assert f"{ODD} is there, and gets leads from the next run on." in reader.done(
        "/agents/add", agent=ODD, active="true"
    )
    assert "inactive, and gets no leads until activated" in reader.done("/agents/add", agent="Eva", active="false")
    assert (status_of(database, ODD), status_of(database, "Eva")) == (True, False)
    deal_today(database)
    again = reader.refused(409, "/agents/add", agent=ODD, active="false")
    assert "There is an agent" in again
    assert 'value="&lt;b&gt;&amp;&#34;x"' in again.source
    assert '<option value="false" selected>' in again.source
    assert "agent: " in reader.refused(422, "/agents/add", agent=" ", active="true")
    assert "active: " in reader.refused(422, "/agents/add", agent="Leo", active="perhaps")
    text = reader.done("/agents/deactivate", agent=ODD)
    held = links.count(database.backend, ODD)
    assert f"What they have now, {held}, stays theirs until the next run." in text
    assert "All agents" not in text
    assert not status_of(database, ODD)
    assert links.count(database.backend, ODD) == held > 0
    # From the agent's own page one comes back to it.
    assert "All agents" in reader.done("/agents/activate", agent=ODD, page="agent")
    assert status_of(database, ODD)
    assert "They have none now." in reader.done("/agents/deactivate", agent="Eva", find="E")
    assert "There is no agent" in reader.refused(404, "/agents/deactivate", agent="nobody")
    assert reader.send("/agents/deactivate", agent="nobody", page="agent").status_code == 404


def test_an_agent_s_page_tells_the_share_the_nights_and_the_list(
    database: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_floor(database, leads=9, agents=2)
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 1'", ODD)
    assert "There was no deal yet." in reader.get("/agents/of", agent=ODD)
    deal_today(database, max_per_agent=3)
    counted(reader, "last deal: 3")
    text = reader.get("/agents/of", agent=ODD)
    assert "Has now 3 Was dealt 3 Stage 1" in text
    assert "Last deal: 3. The oldest is on the left." in text
    run = service.runs(database.backend)[0].run_id
    assert re.search(rf"Night Run Leads \d+ \w+ \d+ {run} 3 ", text.text)
    reader.get("/agents/of", 404, agent="nobody")
    reader.get("/agents/of", 404)
    monkeypatch.setattr("agent_funnel.web.pages.people.COUNT", 2)
    first = reader.get("/agents/list", agent=ODD).source
    held = sorted(row[0] for row in database.execute(
        "SELECT number FROM dbo.agent_wafunnel_assignment WHERE agent = %s", ODD
    ))  # fmt: skip
    shown = re.compile(r'<th scope="row">([^<]*)</th>')
    assert shown.findall(first) == held[:2]
    more = html.unescape(re.findall(r'href="(/agents/list[^"]*after=[^"]*)"', first)[0])
    assert shown.findall(reader.get(more).source) == held[2:]
    deal_today(database, max_per_agent=3)
    anew = reader.get(more).source
    assert "Another deal came meanwhile" in anew
    assert len(shown.findall(anew)) == 2
    reader.get("/agents/list", 404, agent="nobody")


def test_a_personal_link_is_made_shown_once_replaced_and_revoked(database: TestedDatabase, reader: Reader) -> None:
    small_floor(database)
    page = {"agent": "agent 1"}
    assert "There is none now." in reader.get("/agents/of", **page)
    first = reader.send("/agents/link", agent="agent 1")
    url = re.findall(r'id="made-link">(http://localhost/mine/mine_[\w-]+)<', first.text)[0]
    assert "it is not shown again" in Page(first.text)
    assert 'data-copy="made-link" hidden' in first.text
    assert reader.client.get(url).status_code == 200
    after = reader.get("/agents/of", **page).source
    assert url not in after
    assert "last used <time" in after
    assert "(http: this machine)" in after
    second = reader.send("/agents/link", agent="agent 1")
    assert reader.client.get(url).status_code == 404
    url = re.findall(r'id="made-link">([^<]+)<', second.text)[0]
    assert "opens nothing any more" in reader.done("/agents/link/revoke", agent="agent 1")
    assert reader.client.get(url).status_code == 404
    reader.refused(404, "/agents/link/revoke", agent="agent 1")
    assert reader.send("/agents/link", agent="nobody").status_code == 404


def test_who_may_only_look_sees_no_form_no_number_and_is_refused(database: TestedDatabase) -> None:
    small_floor(database)
    deal_today(database)
    number = limit(database, "agent 1", 5, TODAY, None)
    viewer = reader_of(database, "viewer")
    before = snapshot(database)
    for path in ("/agents", "/agents/of?agent=agent 1", "/agents/list?agent=agent 1"):
        assert 'method="post"' not in viewer.get(path).source
    listed = viewer.get("/agents/list", agent="agent 1")
    held = database.execute("SELECT number FROM dbo.agent_wafunnel_assignment WHERE agent = 'agent 1'")
    assert all(f"…{number[-3:]}" in listed for (number,) in held)
    assert "+4930" not in listed
    for path in ("add", "activate", "deactivate", "limits", "limits/remove", "link", "link/revoke"):
        answer = viewer.send(
            f"/agents/{path}", agent="agent 1", limit_id=str(number), starts_on="2026-12-01", max_records="0"
        )
        assert (path, answer.status_code) == (path, 403)
        assert "This needs the role operator" in answer.text
    assert snapshot(database) == before
