"""The page of all agents, in a browser without scripts; on each engine."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from threading import Event
from zoneinfo import ZoneInfo

import pytest

from agent_funnel.access.audit import list_entries
from agent_funnel.access.links import look_up_link, make_link
from agent_funnel.agents import (
    add_agent,
    add_limit,
    assignments,
    count_assignments,
    leads_in_hand,
    roster,
    set_agent_status,
)
from agent_funnel.deal import undo
from agent_funnel.hand_backs import hand_back_leads
from agent_funnel.web import counts
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today
from support.outcomes import tell
from support.pages import Page, Reader

# tests/backend runs the queries of these pages on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

ODD = '<b>&"x'

TODAY = datetime.now(UTC).date()


def status_of(database: TestedDatabase, agent: str) -> bool:
    return next(seat.active for seat in roster(database.backend, TODAY) if seat.agent == agent)


def answer_in(page: Page) -> str:
    """The sentence above the list; without it, nothing."""
    found = re.search(r'<p class="answer">(.*?)</p>', page.source, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", "", found[1]).split()) if found else ""


def names_in(page: Page) -> list[str]:
    """The names in the list of agents."""
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', page.source)


def limit(database: TestedDatabase, agent: str, most: int, starts_on: date, ends_on: date | None) -> int:
    return add_limit(database.backend, agent, starts_on=starts_on, ends_on=ends_on, max_records=most).limit_id


def test_the_list_shows_each_share_and_marks_unusual_agents(database: TestedDatabase, reader: Reader) -> None:
    assert "There are no agents yet" in reader.get("/agents")
    seed_tables(database, leads=90, agents=6)
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 1'", ODD)
    assert "never got leads" not in reader.get("/agents")
    limit(database, "agent 2", 0, TODAY - timedelta(days=2), TODAY + timedelta(days=3))
    limit(database, "agent 3", 2, TODAY, None)
    deal_today(database, max_per_agent=5)
    deal_today(database, max_per_agent=8)
    set_agent_status(database.backend, "agent 4", active=False)
    add_agent(database.backend, "agent 6")
    add_agent(database.backend, "agent 7", active=False)
    text = reader.wait_for("/agents", lambda page: "never got leads" in page)
    last = TODAY + timedelta(days=3)
    # The year only if it is another one.
    until = re.sub(r"^0", "", f"{last:%d %b}" if last.year == TODAY.year else f"{last:%d %b %Y}")
    for told in (
        "agent 0 ▲ at the cap of 8 8 8 8 last 2 deals: 5 to 8",
        f"{ODD} ▲ at the cap of 8 8 8 8 last 2 deals: 5 to 8",
        "agent 2 ◐ away until",
        "agent 3 ▼ limit 2 (reached), no end date 2 2 2 last 2 deals: 2",
        "agent 4 ○ inactive, still has 8 until the next deal 8 8 8 last",
        "agent 6 ! never got leads 0 0 0 last 2 deals: 0 –",
        "agent 7 ○ inactive 0 0 0",
        "8 of 8 agents",
    ):
        assert told in text
    assert re.search(rf"away until {until.replace('Sep', 'Sept')} \d", text.text)
    assert "<b>&" not in reader.get("/agents").source
    # A note that applies to most agents is shown once, above the table.
    set_agent_status(database.backend, "agent 6", active=False)
    assert "agents are at the cap" not in text
    text = reader.get("/agents")
    assert "3 agents are at the cap" in text
    assert "agent 0 8 8 8 last 2 deals: 5 to 8" in text
    # An undone deal does not count.
    undo(database.backend)
    assert "agent 0 5 5 5 last deal: 5" in reader.get("/agents")


def test_when_agents_last_got_leads_is_a_column_only_if_it_differs(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, agents=3)
    deal_today(database)
    assert "Last got leads" not in reader.wait_for("/agents", lambda page: "last deal: " in page)
    assert "Last got leads" in reader.get("/agents?sort=last")
    add_agent(database.backend, "agent 6")
    assert "Last got leads" in reader.get("/agents")


def test_agents_are_found_by_name_and_by_their_marks(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, agents=12)
    add_agent(database.backend, "SANTA 1")
    limit(database, "agent 11", 0, TODAY, None)
    for query, found in (
        ({"find": "NT 1"}, ["agent 1", "agent 10", "agent 11"]),
        ({"find": "ta 1"}, ["SANTA 1"]),
        ({"show": "away"}, ["agent 11"]),
        ({"find": "nt 1", "show": "away"}, ["agent 11"]),
        ({"find": "nobody"}, []),
        ({"show": "nonsense", "find": "agent 2"}, ["agent 2"]),
    ):
        page = reader.get("/agents", **query)
        assert names_in(page) == found
        assert ("No matching agents" in page) == (not found)
    assert 'value="&lt;b&gt;"' in reader.get("/agents", find="<b>").source


def test_an_agent_is_added_activated_and_deactivated(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database)
    assert f"Added {ODD}, who is active, and gets leads from the next deal on." in reader.done(
        "/agents/add", agent=ODD, active="true"
    )
    assert "Added Eva, who is inactive, and gets no leads yet." in reader.done(
        "/agents/add", agent="Eva", active="false"
    )
    assert (status_of(database, ODD), status_of(database, "Eva")) == (True, False)
    deal_today(database)
    again = reader.refused(409, "/agents/add", agent=ODD, active="false")
    assert "There is already an agent" in again
    assert 'value="&lt;b&gt;&amp;&#34;x"' in again.source
    assert '<option value="false" selected>' in again.source
    assert "Name: is missing" in reader.refused(422, "/agents/add", agent=" ", active="true")
    assert "active: " in reader.refused(422, "/agents/add", agent="Leo", active="perhaps")
    text = reader.done("/agents/deactivate", agent=ODD)
    held = count_assignments(database.backend, ODD)
    assert f"They keep their {held} current leads until the next deal." in text
    assert "All agents" not in text
    assert not status_of(database, ODD)
    assert count_assignments(database.backend, ODD) == held > 0
    # One press takes it back, with the list as it was.
    assert f"Activate {ODD} again" in text
    assert f"Activate {ODD} again" in reader.get("/agents", undo=ODD, find="b")
    # A form on the agent's own page leads back to that page.
    assert "All agents" in reader.done("/agents/activate", agent=ODD, page="agent")
    assert status_of(database, ODD)
    assert "They have no leads now." in reader.done("/agents/deactivate", agent="Eva", find="E")
    assert "There is no agent" in reader.refused(404, "/agents/deactivate", agent="nobody")
    assert reader.send("/agents/deactivate", agent="nobody", page="agent").status_code == 404


def test_all_inactive_agents_are_activated_by_one_button(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, agents=8)
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    # It is open where nobody is active.
    page = reader.get("/agents")
    assert '<details class="noprint" id="activate-all" open>' in page.source
    assert "Activate all 8 inactive agents" in page
    assert "they get leads: agent 0, agent 1, agent 2, agent 3, agent 4 and 3 more." in page
    assert "personal link" not in page.text.partition("Yes, activate all")[2].partition("in the list.")[0]
    fields = page.forms["/agents/activate-all"]
    assert fields["inactive"] == "8"
    # The button does what the page has said, or nothing.
    set_agent_status(database.backend, "agent 7", active=True)
    assert "7 agents are inactive now, and not 8." in reader.refused(409, "/agents/activate-all", **fields)
    assert not status_of(database, "agent 0")
    assert "Activate all" not in reader.get("/agents")
    assert "Activate all" not in reader.get("/agents", show="inactive", find="agent")
    page = reader.get("/agents", show="inactive")
    assert '<details class="noprint" id="activate-all">' in page.source
    # The links of inactive agents were not revoked. The one of an agent who is active opens the list as it did.
    secrets = [make_link(database.backend, f"agent {each}")[1] for each in (0, 6, 7)]
    page = reader.get("/agents", show="inactive")
    assert "2 of them still have a personal link, which then opens their list again." in page
    assert [look_up_link(database.backend, each).link is None for each in secrets] == [True, True, False]
    fields = page.forms["/agents/activate-all"]
    after = reader.done("/agents/activate-all", **fields)
    assert "Activated 7 agents, who get leads from the next deal on." in after
    assert all(look_up_link(database.backend, each).link for each in secrets)
    # A double click gets the answer of the first one.
    assert reader.send("/agents/activate-all", **fields).status_code == 303
    assert all(status_of(database, f"agent {each}") for each in range(8))
    entries = [entry for entry in list_entries(database.backend, count=10) if entry.operation.endswith("activate-all")]
    names = ", ".join(f"agent {each}" for each in range(7))
    assert {(entry.target, entry.status) for entry in entries if entry.target} == {(f"7 agents: {names}", 303)}
    assert "Activate inactive agents" in (audit := reader.get("/audit"))
    assert f"7 agents: {names}" in audit
    # One of them has a button in the list.
    set_agent_status(database.backend, "agent 3", active=False)
    assert "Activate all" not in reader.get("/agents", show="inactive")


def test_those_who_have_perhaps_left_are_not_activated_by_the_first_button(
    database: TestedDatabase, reader: Reader
) -> None:
    seed_tables(database, leads=60, agents=6)
    for name in ("Walter Neves", "Ximena Duarte"):
        add_agent(database.backend, name, active=False)
    # Before the first deal, nobody has had leads, and there is one choice.
    page = reader.get("/agents", show="inactive")
    assert "Yes, activate all 2" in page
    assert "Not these" not in page
    deal_today(database)
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    make_link(database.backend, "Walter Neves")
    page = reader.get("/agents")
    assert "Activate inactive agents: 6 or all 8" in page
    assert "they get leads: agent 0, agent 1, agent 2, agent 3, agent 4 and 1 more." in page
    assert "Not these, who had no leads in the last deal: Walter Neves, Ximena Duarte." in page
    assert "1 of these still has a personal link, which opens the list again if you activate all." in page
    assert "one by one" not in page
    # The names are below the buttons, which would else be out of sight on a phone.
    assert page.text.index("Activate all 8 inactive agents") < page.text.index("they get leads:")
    first, second = re.findall(
        r"""<form method="post" action="/agents/activate-all".*?</form>""", page.source, re.DOTALL
    )  # fmt: skip
    assert "Activate the 6 who had leads in the last deal" in first
    assert 'class="outline"' not in first
    assert "Activate all 8 inactive agents" in second
    assert 'class="outline"' in second
    assert 'name="deals"' not in second
    fields = {"inactive": "6", "deals": "1", "idempotency_key": "a"}
    set_agent_status(database.backend, "agent 5", active=True)
    refused = reader.refused(409, "/agents/activate-all", **fields)
    assert "5 inactive agents had leads in the last deals, and not 6. Nothing was changed" in refused
    set_agent_status(database.backend, "agent 5", active=False)
    after = reader.done("/agents/activate-all", **{**fields, "idempotency_key": "b"})
    assert "Activated 6 agents, who get leads from the next deal on." in after
    assert not status_of(database, "Walter Neves")
    assert not status_of(database, "Ximena Duarte")
    # Last night has its deal, and the next one comes: there is nothing to make by hand.
    assert "Preview and deal now" not in after
    # All others are activated by one choice.
    assert "Yes, activate all 2" in reader.get("/agents", show="inactive")


def test_after_a_night_without_its_deal_an_activation_leads_to_the_preview(
    database: TestedDatabase, reader: Reader
) -> None:
    seed_tables(database, agents=3)
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    day = TODAY - timedelta(days=1)
    database.execute("INSERT INTO dbo.schedule_outcome VALUES (%s, 'failed', %s)", str(day), f"{day} 23:59:00")
    fields = reader.get("/agents").forms["/agents/activate-all"]
    assert "Preview and deal now" not in reader.get("/agents")
    after = reader.done("/agents/activate-all", **fields)
    assert "Last night’s deal failed. Nobody has made up for it yet. Preview and deal now" in after
    # It is beside the notice alone, and no longer there once somebody has dealt.
    assert "Preview and deal now" not in reader.get("/agents")
    deal_today(database)
    assert "Preview and deal now" not in reader.get("/agents", activated="1")


def test_the_list_says_who_still_has_leads_to_call(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, leads=7, agents=3)
    deal_today(database)
    for held in assignments(database.backend, agent="agent 1", count=1):
        tell(database, held.number, "talked")
    hand_back_leads(database.backend, "agent 0", actor="Eva", now=datetime.now(UTC), zone=ZoneInfo("UTC"))
    page = reader.wait_for("/agents?sort=to_call", lambda page: "last deal: 3" in page)
    assert names_in(page) == ["agent 2", "agent 1", "agent 0"]
    # The sentence above the list tells the ends of the range; an agent without leads is none of them.
    assert answer_in(page) == "Most left to call: agent 2, 2; fewest: agent 1, 1."
    # Has now, to call, and the share of the last deal:
    assert re.search(r"agent 0 0 0 3 ", page.text)
    assert re.search(r"agent 1 2 1 2 ", page.text)
    assert names_in(reader.get("/agents?sort=share")) == ["agent 0", "agent 1", "agent 2"]
    assert names_in(reader.get("/agents?sort=leads")) == ["agent 1", "agent 2", "agent 0"]


def test_the_list_is_sorted_by_the_last_deals_and_by_who_got_leads_last(
    database: TestedDatabase, reader: Reader
) -> None:
    seed_tables(database, leads=7, agents=3)
    limit(database, "agent 0", 0, TODAY, None)
    limit(database, "agent 1", 1, TODAY, None)
    deal_today(database)
    page = reader.wait_for("/agents?sort=recent", lambda page: "last deal: 6" in page)
    assert names_in(page) == ["agent 2", "agent 1", "agent 0"]
    assert 'class="chart" aria-sort="descending"' in page.source
    (by_last,) = (link for link in page.links if "sort=last" in link)
    page = reader.get(unescape(by_last))
    assert names_in(page) == ["agent 1", "agent 2", "agent 0"]
    assert 'class="last" aria-sort="descending"' in page.source


def test_a_sentence_above_the_list_says_who_is_overloaded(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, leads=10, agents=4)
    limit(database, "agent 2", 1, TODAY, None)
    deal_today(database)
    for held in assignments(database.backend, agent="agent 0", count=1):
        tell(database, held.number, "talked")
    page = reader.wait_for("/agents", lambda page: "last deal: 3" in page)
    assert answer_in(page) == "Most left to call: 2 agents with 3; fewest: agent 2, 1. Unusual: agent 2."
    # A search asks another question.
    assert not answer_in(reader.get("/agents", find="agent"))
    # Where the leads of all agents are too many to count, it tells the shares of the last deal.
    for number in range(100):
        add_agent(database.backend, f"new {number}", active=number < 6)
    assert answer_in(reader.get("/agents")) == (
        "Most in the last deal: 3 agents with 3; fewest: agent 2, 1. "
        "Unusual: agent 2, new 0, new 1, new 2, new 3 and 2 more."
    )
    counted = answer_in(reader.get("/agents", sort="to_call"))
    assert counted.startswith("Most left to call: 2 agents with 3; fewest: agent 2, 1.")


def test_a_long_list_waits_for_no_count_of_all_leads(
    database: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_tables(database, leads=30, agents=3)
    limit(database, "agent 0", 3, TODAY, None)
    deal_today(database)
    for held in assignments(database.backend, agent="agent 1", count=12):
        tell(database, held.number, "talked")
    for each in range(100):
        add_agent(database.backend, f"new {each}", active=False)
    go_on = Event()
    monkeypatch.setattr(counts, "leads_in_hand", lambda *given: go_on.wait(60) and leads_in_hand(*given))
    monkeypatch.setattr("agent_funnel.web.counts.PAGE_WAIT_SECONDS", 0)
    reader.wait_for("/agents", lambda page: "last deal: 1" in page)
    page = reader.get("/agents?sort=to_call")
    assert "The leads of all agents are being counted." in page
    assert 'aria-sort="descending"' not in page.source
    # Until then it is in the order of the last deal; what is on the page is counted for it.
    assert names_in(page)[:3] == ["agent 1", "agent 2", "agent 0"]
    go_on.set()
    page = reader.wait_for("/agents?sort=to_call", lambda page: "being counted" not in page)
    assert "The leads of all agents were counted on" in page
    assert 'class="amount" aria-sort="descending"' in page.source
    assert names_in(page)[:3] == ["agent 2", "agent 0", "agent 1"]
    assert answer_in(page).startswith("Most left to call: agent 2, 13; fewest: agent 1, 2.")
    # After another deal they are counted again.
    go_on.clear()
    undo(database.backend)
    assert "being counted" in reader.get("/agents?sort=leads")
    go_on.set()
    page = reader.wait_for("/agents?sort=leads", lambda page: "being counted" not in page)
    assert names_in(page)[:3] == ["agent 0", "agent 1", "agent 2"]


def test_names_are_found_and_sorted_without_their_accents(database: TestedDatabase, reader: Reader) -> None:
    for name in ("Zoe", "Ana", "Érica", "Edu", "João Pedro", "joana"):
        add_agent(database.backend, name)
    assert names_in(reader.get("/agents")) == ["Ana", "Edu", "Érica", "joana", "João Pedro", "Zoe"]
    assert names_in(reader.get("/agents", find="JOAO")) == ["João Pedro"]
    assert names_in(reader.get("/agents", find="joã")) == ["joana", "João Pedro"]


def test_a_page_has_a_hundred_agents(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, agents=250)
    page = reader.get("/agents", find="agent")
    assert len(names_in(page)) == 100
    assert "250 of 250 agents; 1 to 100 are here" in page
    found = names_in(page)
    for shown in (100, 50):
        page = reader.get(unescape(next(link for link in page.links if "begin=" in link)))
        assert len(names_in(page)) == shown
        found += names_in(page)
    assert "201 to 250 are here" in page
    assert "Next page" not in page
    assert len(set(found)) == 250
    assert names_in(reader.get("/agents", begin="-5")) == found[:100]


def test_the_list_is_sorted_by_links(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, leads=7, agents=3)
    limit(database, "agent 2", 1, TODAY, None)
    limit(database, "agent 1", 2, TODAY, None)
    deal_today(database)
    page = reader.wait_for("/agents", lambda page: "last deal: 4" in page)
    assert names_in(page) == ["agent 0", "agent 1", "agent 2"]
    links = {order: next(link for link in page.links if f"sort={order}" in link) for order in ("leads", "unusual")}
    by_leads, unusual = (reader.get(unescape(link)) for link in links.values())
    assert names_in(by_leads) == ["agent 0", "agent 1", "agent 2"]
    assert 'class="amount" aria-sort="descending"' in by_leads.source
    assert names_in(unusual) == ["agent 1", "agent 2", "agent 0"]
    # The order is kept by the search, and after a form.
    assert 'name="sort" value="unusual"' in unusual.source
    after = reader.done("/agents/deactivate", agent="agent 0", sort="unusual", show="active")
    assert names_in(after) == ["agent 1", "agent 2"]
    assert 'name="sort" value="unusual"' in after.source
    assert names_in(reader.get("/agents", sort="nonsense")) == ["agent 0", "agent 1", "agent 2"]
