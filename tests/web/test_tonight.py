"""The Tonight page: the state, the amounts, the strip of nights, the pause; on each engine."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from threading import Event
from zoneinfo import ZoneInfo

import pytest

from agent_funnel.agents import add_limit, assignments
from agent_funnel.deal import deal, undo
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.hand_backs import hand_back_leads
from agent_funnel.schedule.store import current_pause, pause
from agent_funnel.settings import load
from agent_funnel.web import counts
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today
from support.outcomes import tell
from support.pages import BROWSER, Reader, reader_of


def settle(database: TestedDatabase, days: dict[int, str]) -> None:
    """Records why there was no run; each key is a number of days before today."""
    for back, outcome in days.items():
        day = datetime.now(UTC).date() - timedelta(days=back)
        database.execute(
            "INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at) VALUES (%s, %s, %s)",
            day.isoformat(), outcome, f"{day} 23:40:00",
        )  # fmt: skip


def test_tonight_shows_the_state_the_amounts_and_the_shares(database: TestedDatabase, reader: Reader) -> None:
    assert "There was no deal yet" in reader.get("/").text
    seed_tables(database)
    database.execute("UPDATE dbo.agents SET agent = '<b>\"&Ann' WHERE agent = 'agent 1'")
    run = deal(database.backend, load(), business_date=datetime.now(UTC).date(), trigger="schedule", actor="schedule")
    page = reader.get("/")
    assert "Tonight’s deal is done." in page.text
    assert f"/runs/{run.run_id}" in page.links
    for told in (
        ": 7 leads to 3 agents.",
        "Fair: 3 agents got 2 or 3.",
        "agent 0 2",
        '<b>"&Ann 3',
    ):
        assert told in page.text
    assert "<b>" not in reader.get("/").source
    undo(database.backend)
    page = reader.get("/")
    assert "Tonight’s deal was undone." in page.text
    assert "is not repeated automatically." in page.text
    assert "Preview and deal now" in page.text


def have_now(database: TestedDatabase) -> str:
    """What Tonight says of the agents' lists, once it is counted."""
    page = reader_of(database).wait_for("/", lambda page: "being counted" not in page).text
    section = page[page.index("What agents have now") : page.index("Leads for the next deals")]
    # There is a blank after each link.
    return re.sub(r" ([.,:;])", r"\1", section)


def test_tonight_says_how_far_the_lists_are(database: TestedDatabase) -> None:
    seed_tables(database, leads=12, agents=3)
    deal_today(database)
    section = have_now(database)
    assert "All 12 leads are still to call; nothing has been reported yet. All 3 agents" in section
    assert "Handed back" not in section
    assert "Taken off" not in section
    lists = {
        agent: [each.number for each in assignments(database.backend, agent=agent, count=9)]
        for agent in ("agent 0", "agent 1", "agent 2")
    }
    for agent, done in (("agent 0", 3), ("agent 1", 1)):
        for number in lists[agent][:done]:
            tell(database, number, "no_answer")
    section = have_now(database)
    assert "To call 8 Done 4 Most left to call: agent 2, 4; fewest: agent 0, 1 of 4. Not begun: agent 2." in section
    # Folded, what each has to call now, of all leads that the agent has where that is not the same.
    assert "All 3 agents Left to call agent 0 1 of 4 agent 1 3 of 4 agent 2 4 Calls before the deal" in section
    add_do_not_contact(database.backend, lists["agent 1"][3])
    hand_back_leads(database.backend, "agent 2", actor="Ana", now=datetime.now(UTC), zone=ZoneInfo("UTC"))
    section = have_now(database)
    assert "To call 3 Done 4 Handed back 4 Taken off 1" in section
    assert "Most left to call: agent 1, 2 of 3; fewest: agent 0, 1 of 4." in section
    assert "Left to call agent 0 1 of 4 agent 1 2 of 3 agent 2 0 Calls" in section
    assert "Not begun" not in section
    for agent, begin in (("agent 0", 3), ("agent 1", 1)):
        for number in lists[agent][begin:]:
            if number != lists["agent 1"][3]:
                tell(database, number, "no_answer")
    assert "To call 0 Done 7 Handed back 4 Taken off 1 Every lead of these lists is done." in (have_now(database))


def test_the_bar_of_an_agent_has_the_colours_of_the_bar_of_all_lists(database: TestedDatabase) -> None:
    seed_tables(database, leads=12, agents=3)
    deal_today(database)
    lists = {agent: assignments(database.backend, agent=agent, count=9) for agent in ("agent 0", "agent 1", "agent 2")}

    def bars() -> list[tuple[str, str]]:
        """What is done and gone, in hundredths: of all lists, then of each agent."""
        source = reader_of(database).wait_for("/", lambda page: "being counted" not in page).source
        drawn = re.findall(r'<rect class="share" width="([\d.]+)" height="10"/><rect class="gone" x="([\d.]+)"', source)
        return list(drawn)

    # Without anything that is done or gone, all would be empty.
    assert bars() == []
    for each in lists["agent 0"][:3]:
        tell(database, each.number, "no_answer")
    add_do_not_contact(database.backend, lists["agent 1"][3].number)
    hand_back_leads(database.backend, "agent 2", actor="Ana", now=datetime.now(UTC), zone=ZoneInfo("UTC"))
    assert bars() == [("25.00", "58.33"), ("75.00", "100.00"), ("0.00", "75.00"), ("0.00", "0.00")]


def test_tonight_says_how_many_leads_were_left_for_later(database: TestedDatabase) -> None:
    seed_tables(database, leads=12, agents=3)
    deal(database.backend, load(max_per_agent=3), business_date=datetime.now(UTC).date())
    assert "9 leads to 3 agents; 3 were left for later. Fair: 3 agents got 3." in have_now(database)


def test_a_deal_is_fair_if_the_agents_without_a_lower_limit_have_equal_shares(
    database: TestedDatabase, reader: Reader
) -> None:
    seed_tables(database, leads=12, agents=3)
    today = datetime.now(UTC).date()
    for agent, most in (("agent 0", 2), ("agent 1", 100)):
        add_limit(database.backend, agent, starts_on=today, ends_on=None, max_records=most)
    deal(database.backend, load(), business_date=today)
    assert "Fair: 2 agents got 5; agent 0 (2) by limit." in reader.get("/").text


def test_no_page_waits_for_a_slow_count(
    database: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_tables(database)
    run = deal_today(database)
    monkeypatch.setattr("agent_funnel.web.counts.PAGE_WAIT_SECONDS", 0)
    go_on = Event()
    for name in ("shares", "count_by_stage", "leads_in_hand"):
        count = getattr(counts, name)
        monkeypatch.setattr(counts, name, lambda *given, count=count: go_on.wait(60) and count(*given))
    page = reader.get("/").text
    assert "The shares are being counted." in page
    assert "The leads are being counted." in page
    assert "What agents have left to call is being counted." in page
    assert "The shares are being counted." in reader.get(f"/runs/{run.run_id}").text
    assert "agent 0" in reader.get("/agents").text
    go_on.set()
    page = reader.wait_for("/", lambda page: "being counted" not in page).text
    assert "agent 0 3 agent 1 2 agent 2 2" in page
    assert "Never called 0 Called once 3 Called twice 2 Those that agents have now count as called already." in page
    assert "called already. 2 more are finished." in page


def test_the_bars_of_the_funnel_compare_only_leads_with_calls_ahead(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, leads=70)
    database.execute("UPDATE dbo.wafunnel SET stage = 4 WHERE number > '+49300000003'")
    page = reader.wait_for("/", lambda page: "being counted" not in page)
    assert "Never called 2 Called once 1 Called twice 1 66 more are finished." in page
    assert re.findall(r'<rect class="stage-(\d)" width="([\d.]+)"', page.source) == [
        ("1", "100.00"), ("2", "50.00"), ("3", "50.00"),
    ]  # fmt: skip
    database.execute("UPDATE dbo.wafunnel SET stage = 4")
    page = reader_of(database).wait_for("/", lambda page: "being counted" not in page)
    assert "No lead is left for the next deals. 70 leads are finished." in page
    assert "Never called" not in page


def test_without_leads_the_funnel_says_so(reader: Reader) -> None:
    assert "There are no leads." in reader.get("/").text


def test_the_strip_shows_each_of_the_last_nights_and_links_to_it(database: TestedDatabase, reader: Reader) -> None:
    settle(database, {1: "missed", 2: "failed", 3: "paused", 4: "holiday"})
    page = reader.get("/")
    for back, kind in {1: "missed", 2: "failed", 3: "paused", 4: "no deal planned", 5: "nothing known"}.items():
        day = datetime.now(UTC).date() - timedelta(days=back)
        assert f"/nights/{day}" in page.links
        assert re.search(rf"{day.day} {day:%b}\w* {day:%Y}: {kind}", page.text)
    # A young service has two weeks; of the outcomes, the legend has those that there are.
    assert len({link for link in page.links if link.startswith("/nights/")}) == 14
    # Tonight's is perhaps still to come.
    assert re.search("‖ paused ○ no deal planned (… still to come )?· nothing known", page.text)
    settle(database, {70: "missed"})
    assert len({link for link in reader.get("/").links if link.startswith("/nights/")}) == 60
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert "Missed: the service or its database was down from" in reader.get(f"/nights/{yesterday}").text
    reader.get("/nights/yesterday", 404)


def test_the_strip_explains_its_grey_only_where_leads_were_left_over(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, leads=12)
    today = datetime.now(UTC).date()
    deal(database.backend, load(), business_date=today - timedelta(days=1), trigger="schedule", actor="schedule")
    page = reader.get("/").text
    assert "The height is the number of leads dealt; the most are 12, on " in page
    assert "grey" not in page
    deal(database.backend, load(max_per_agent=2), business_date=today, trigger="schedule", actor="schedule")
    page = reader.get("/").text
    assert "The height is the number of leads dealt, above it in grey those left over; the tallest is 12, on " in page


def test_automatic_deals_are_paused_and_resumed_by_a_button(database: TestedDatabase, reader: Reader) -> None:
    page = reader.done("/pause", reason="<stocktaking>")
    assert "Automatic deals are paused until somebody resumes them." in page.text
    assert "by somebody on the server: <stocktaking>" in page.text
    assert "Automatic deals were paused already." in reader.done("/pause").text
    page = reader.done("/resume")
    assert "Automatic deals are on again." in page.text
    assert current_pause(database.backend) is None
    refused = reader.send("/pause", reason="x" * 256)
    assert refused.status_code == 422
    assert "x" * 256 in refused.text
    assert current_pause(database.backend) is None


def test_a_refresh_gets_only_the_partial_and_304_while_it_is_the_same(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database)
    pause(database.backend, now=datetime.now(UTC), actor="Ana", reason="<stocktaking>")
    first = reader.client.get("/?partial=1", headers=BROWSER)
    assert "<html" not in first.text
    assert "&lt;stocktaking&gt;" in first.text
    for _ in range(3):
        again = reader.client.get("/?partial=1", headers={**BROWSER, "If-None-Match": first.headers["ETag"]})
        if again.status_code == 304:
            break
        # The leads were counted meanwhile.
        first = again
    assert (again.status_code, again.text) == (304, "")
    deal_today(database)
    headers = {**BROWSER, "If-None-Match": first.headers["ETag"]}
    assert reader.client.get("/?partial=1", headers=headers).status_code == 200
