"""The pages of agents, as a browser without script asks for them, on each engine."""

from __future__ import annotations

import html
import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel import access, floor, links, planning, service
from agent_funnel.settings import load
from agent_funnel.web import create_app
from databases import Database, small_floor, snapshot

# What these pages ask the database is asked of each engine in tests/backend; the long version asks it here, too.
pytestmark = pytest.mark.sqlserver_if_long


BROWSER = {"Accept": "text/html", "Accept-Language": "en-GB", "Sec-Fetch-Site": "same-origin"}
ODD = '<b>&"x'
TODAY = datetime.now(UTC).date()


class Reader:
    """Somebody with a browser; what a page says, without its tags."""

    def __init__(self, client: FlaskClient, **headers: str) -> None:
        self.client = client
        self.headers = {**BROWSER, **headers}

    def raw(self, path: str, status: int = 200, /, **query: str) -> str:
        answer = self.client.get(path, query_string=query or None, headers=self.headers)
        assert (path, answer.status_code) == (path, status)
        return answer.text

    def get(self, path: str, status: int = 200, /, **query: str) -> str:
        return said(self.raw(path, status, **query))

    def send(self, path: str, **fields: str) -> Any:
        return self.client.post(path, data=fields, headers=self.headers)

    def done(self, path: str, **fields: str) -> str:
        answer = self.send(path, **fields)
        assert answer.status_code == 303, said(answer.text)
        return self.get(answer.location)

    def refused(self, status: int, path: str, **fields: str) -> str:
        answer = self.send(path, **fields)
        assert (path, answer.status_code) == (path, status)
        assert "That was not done." in answer.text
        return str(answer.text)


def said(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text.split("<main", 1)[-1])).split())


@pytest.fixture
def reader(database: Database) -> Reader:
    return Reader(create_app(load(), database.backend).test_client())


def deal(database: Database, **settings: Any) -> None:
    service.assign(database.backend, load(**settings), business_date=TODAY)


def counted(reader: Reader, told: str) -> str:
    """The list, as soon as the deals are counted, which nobody waits for."""
    deadline = time.monotonic() + 20
    while told not in (text := reader.get("/agents")):
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return text


def status_of(database: Database, agent: str) -> bool:
    return next(seat.active for seat in floor.roster(database.backend, TODAY) if seat.agent == agent)


def limit(database: Database, agent: str, most: int, starts_on: date, ends_on: date | None) -> int:
    found, _ = service.add_limit(database.backend, agent, starts_on=starts_on, ends_on=ends_on, max_records=most)
    return found.limit_id


def test_the_list_says_who_got_what_and_who_stands_out(database: Database, reader: Reader) -> None:
    assert "There are no agents yet" in reader.get("/agents")
    small_floor(database, leads=90, agents=6)
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 1'", ODD)
    assert "never got leads" not in reader.get("/agents")
    limit(database, "agent 2", 0, TODAY - timedelta(days=2), TODAY + timedelta(days=3))
    limit(database, "agent 3", 2, TODAY, None)
    deal(database, max_per_agent=5)
    deal(database, max_per_agent=8)
    floor.set_agent_status(database.backend, "agent 4", active=False)
    floor.add_agent(database.backend, "agent 6")
    floor.add_agent(database.backend, "agent 7", active=False)
    text = counted(reader, "never got leads")
    until = re.sub(r"^0", "", f"{TODAY + timedelta(days=3):%d %b %Y}")
    for told in (
        "agent 0 ▲ at the cap of 8 8 last 2 deals: 5 to 8",
        f"{ODD} ▲ at the cap of 8 8 last 2 deals: 5 to 8",
        "agent 2 ◐ away until",
        "agent 3 ▼ limit 2 (reached), no end date 2 last 2 deals: 2",
        "agent 4 ○ inactive, still has 8 until the next deal 8 last",
        "agent 6 ! never got leads 0 last 2 deals: 0 –",
        "agent 7 ○ inactive 0",
        "8 of 8 agents",
    ):
        assert told in text
    assert f"away until {until}".replace("Sep ", "Sept ") in text
    assert "<b>&" not in reader.raw("/agents")
    # What holds for most is said once.
    floor.set_agent_status(database.backend, "agent 6", active=False)
    assert "agents are at the cap" not in text
    text = reader.get("/agents")
    assert "3 agents are at the cap" in text
    assert "agent 0 8 last 2 deals: 5 to 8" in text
    # A deal that is undone is none.
    service.undo(database.backend)
    assert "agent 0 5 last deal: 5" in reader.get("/agents")


def test_agents_are_found_by_name_and_by_what_they_stand_out_by(database: Database, reader: Reader) -> None:
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
        text = reader.raw("/agents", **query)
        assert re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', text) == found
        assert ("No matching agents" in text) == (not found)
    assert 'value="&lt;b&gt;"' in reader.raw("/agents", find="<b>")


def test_an_agent_is_added_activated_and_deactivated(database: Database, reader: Reader) -> None:
    small_floor(database)
    assert f"Added {ODD}, who is active, and gets leads from the next deal on." in reader.done(
        "/agents/add", agent=ODD, active="true"
    )
    assert "Added Eva, who is inactive, and gets no leads yet." in reader.done(
        "/agents/add", agent="Eva", active="false"
    )
    assert (status_of(database, ODD), status_of(database, "Eva")) == (True, False)
    deal(database)
    again = reader.refused(409, "/agents/add", agent=ODD, active="false")
    assert "There is an agent" in again
    assert 'value="&lt;b&gt;&amp;&#34;x"' in again
    assert '<option value="false" selected>' in again
    assert "agent: " in said(reader.refused(422, "/agents/add", agent=" ", active="true"))
    assert "active: " in said(reader.refused(422, "/agents/add", agent="Leo", active="perhaps"))
    text = reader.done("/agents/deactivate", agent=ODD)
    held = links.count(database.backend, ODD)
    assert f"They keep their {held} present leads until the next deal." in text
    assert "All agents" not in text
    assert not status_of(database, ODD)
    assert links.count(database.backend, ODD) == held > 0
    # From the agent's own page one comes back to it.
    assert "All agents" in reader.done("/agents/activate", agent=ODD, page="agent")
    assert status_of(database, ODD)
    assert "They have no leads now." in reader.done("/agents/deactivate", agent="Eva", find="E")
    assert "There is no agent" in said(reader.refused(404, "/agents/deactivate", agent="nobody"))
    assert reader.send("/agents/deactivate", agent="nobody", page="agent").status_code == 404


def test_absences_are_on_a_calendar_and_come_and_go(database: Database) -> None:
    small_floor(database)
    planning.add_holiday(database.backend, date(2026, 12, 25), "<Christmas>")
    reader = Reader(create_app(load(weekdays="mon-sat"), database.backend).test_client())
    page = {"agent": "agent 1", "month": "2026-12"}
    added = reader.done(
        "/agents/limits", agent="agent 1", starts_on="2026-12-02", ends_on="2026-12-04", max_records="0"
    )
    assert "agent 1 is away from 2 Dec 2026 to 4 Dec 2026, both days inclusive. They have no leads now." in added
    assert "December 2026" in added
    reader.done("/agents/limits", agent="agent 1", starts_on="2026-12-04", max_records="7")
    limit(database, "agent 1", 9, date(2026, 12, 1), date(2026, 12, 31))
    limit(database, "agent 2", 0, date(2026, 12, 1), None)
    text = reader.get("/agents/of", **page)
    for told in (
        "Mo Tu We Th Fr Sa Su 1 ≤9 : at most 9 2 ✕ : away 3 ✕ : away 4 ✕ : away 5 ≤7 : at most 7",
        " 6 ≤7 : at most 7; no deal on this weekday",
        "25 ≤7 : at most 7; holiday: <Christmas> 26",
        "Away 2 Dec 2026 to 4 Dec 2026",
        "At most 7 4 Dec 2026 with no end date",
    ):
        assert told in text
    assert "<Christmas>" not in reader.raw("/agents/of", **page)
    for month in ("2026-11", "2027-01"):
        assert f"month={month}#away" in reader.raw("/agents/of", **page)
    # In the reader's own week.
    english = Reader(reader.client, **{"Accept-Language": "en-US"})
    assert "Su Mo Tu We Th Fr Sa" in english.get("/agents/of", **page)
    for month in ("", "nonsense", "0001-01", "9999-12", "2026-13"):
        assert f"{TODAY:%B %Y}" in reader.get("/agents/of", agent="agent 1", month=month)
    assert "9998-11" in reader.raw("/agents/of", agent="agent 1", month="9998-12")
    refused = reader.refused(
        422, "/agents/limits", agent="agent 1", starts_on="2026-12-09", ends_on="2026-12-08", max_records="3"
    )
    assert "must not be before starts_on" in said(refused)
    for field in ('value="2026-12-09"', 'value="2026-12-08"', 'value="3"'):
        assert field in refused
    assert "starts_on: " in said(reader.refused(422, "/agents/limits", agent="agent 1", max_records="1"))
    assert "max_records: " in said(
        reader.refused(422, "/agents/limits", agent="agent 1", starts_on="2026-12-09", max_records="-1")
    )
    assert len(service.limits(database.backend)) == 4
    for found in re.findall(r'name="limit_id" value="(\d+)"', reader.raw("/agents/of", **page)):
        assert "Removed" in reader.done("/agents/limits/remove", agent="agent 1", limit_id=found)
    assert "No absences or limits." in reader.get("/agents/of", **page)
    assert [left.agent for left in service.limits(database.backend)] == ["agent 2"]
    reader.refused(404, "/agents/limits/remove", agent="agent 1", limit_id="99999")


def test_an_agent_s_page_tells_the_share_the_nights_and_the_list(
    database: Database, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_floor(database, leads=9, agents=2)
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 1'", ODD)
    assert "There was no deal yet." in reader.get("/agents/of", agent=ODD)
    deal(database, max_per_agent=3)
    counted(reader, "last deal: 3")
    text = reader.get("/agents/of", agent=ODD)
    assert "Has now 3 Got in the last deal 3 Never called" in text
    assert "Last deal: 3. The oldest is on the left." in text
    run = service.runs(database.backend)[0].run_id
    assert re.search(rf"Night Deal Leads \d+ \w+ \d+ {run} 3 ", text)
    reader.get("/agents/of", 404, agent="nobody")
    reader.get("/agents/of", 404)
    monkeypatch.setattr("agent_funnel.web.pages.agent.LEADS_PER_PAGE", 2)
    first = reader.raw("/agents/list", agent=ODD)
    held = sorted(row[0] for row in database.execute(
        "SELECT number FROM dbo.agent_wafunnel_assignment WHERE agent = %s", ODD
    ))  # fmt: skip
    shown = re.compile(r'<th scope="row">([^<]*)</th>')
    assert shown.findall(first) == held[:2]
    more = html.unescape(re.findall(r'href="(/agents/list[^"]*after=[^"]*)"', first)[0])
    assert shown.findall(reader.raw(more)) == held[2:]
    deal(database, max_per_agent=3)
    anew = reader.raw(more)
    assert "There was another deal since" in anew
    assert len(shown.findall(anew)) == 2
    reader.get("/agents/list", 404, agent="nobody")


def test_a_personal_link_is_made_shown_once_replaced_and_revoked(database: Database, reader: Reader) -> None:
    small_floor(database)
    page = {"agent": "agent 1"}
    assert "No link exists now." in reader.get("/agents/of", **page)
    first = reader.send("/agents/link", agent="agent 1")
    url = re.findall(r'id="made-link">(http://localhost/mine/mine_[\w-]+)<', first.text)[0]
    assert "you will not see it again" in said(first.text)
    assert 'data-copy="made-link" hidden' in first.text
    assert reader.client.get(url).status_code == 200
    after = reader.raw("/agents/of", **page)
    assert url not in after
    assert "last used <time" in after
    assert "by somebody on the server" in after
    second = reader.send("/agents/link", agent="agent 1")
    assert reader.client.get(url).status_code == 404
    url = re.findall(r'id="made-link">([^<]+)<', second.text)[0]
    assert "it opens nothing now" in reader.done("/agents/link/revoke", agent="agent 1")
    assert reader.client.get(url).status_code == 404
    reader.refused(404, "/agents/link/revoke", agent="agent 1")
    assert reader.send("/agents/link", agent="nobody").status_code == 404


def test_who_may_only_look_sees_no_form_no_number_and_is_refused(database: Database) -> None:
    small_floor(database)
    deal(database)
    number = limit(database, "agent 1", 5, TODAY, None)
    _, secret = access.add_key(database.backend, "Vera", "viewer")
    viewer = Reader(create_app(load(), database.backend).test_client(), Authorization=f"Bearer {secret}")
    before = snapshot(database)
    for path in ("/agents", "/agents/of?agent=agent 1", "/agents/list?agent=agent 1"):
        assert 'method="post"' not in viewer.raw(path)
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
