"""The Tonight page before the deal: what the deal would do as things stand, and what would go wrong."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from typing import Any

import pytest

from agent_funnel.agents import add_limit, set_agent_status
from agent_funnel.deal import preview
from agent_funnel.errors import BrakeApplied, DatabaseUnavailable
from agent_funnel.schedule.brakes import scheduled_run
from agent_funnel.schedule.forecast import forecast
from agent_funnel.schedule.store import add_holiday, pause
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today, put_agents
from support.pages import Page, Reader, reader_at

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TODAY = datetime.now(UTC).date()
NOON = datetime.combine(TODAY, time(12), UTC)


def noon(database: TestedDatabase, path: str = "/", **settings: Any) -> Page:
    """The page at noon, before tonight's deal."""
    return reader_at(database, NOON, **settings).get(path)


def past_deals(database: TestedDatabase, *pools: int) -> None:
    """Adds deals of the last nights that found pools of these sizes."""
    database.insert(
        "assignment_run",
        ("business_date", "[trigger]", "status", "max_per_agent", "window_days", "newest_first", "pool", "started_at"),
        [("2026-05-01", "manual", "undone", 450, 45, 0, str(pool), "2026-05-01T20:40:00") for pool in pools],
    )
    database.execute("UPDATE dbo.assignment_run SET status = 'succeeded', agents = 1, per_agent = 1, assigned = 0,"
        " left_over = 0, duplicates = 0, suppressed = 0, smallest_share = 0, largest_share = 0,"
        " finished_at = '2026-05-01T20:40:01'")  # fmt: skip


def test_before_the_deal_the_page_says_what_it_will_do_as_things_stand(database: TestedDatabase) -> None:
    seed_tables(database, leads=12, agents=4)
    add_limit(database.backend, "agent 1", starts_on=TODAY, ends_on=None, max_records=0)
    add_limit(database.backend, "agent 2", starts_on=TODAY, ends_on=None, max_records=1)
    add_holiday(database.backend, TODAY + timedelta(days=9), "Natal")
    add_holiday(database.backend, TODAY + timedelta(days=99), "Carnaval")
    page = noon(database, max_per_agent=4)
    planned = preview(database.backend, load(max_per_agent=4), business_date=TODAY).run
    assert (planned.assigned, planned.agents, planned.smallest_share, planned.largest_share) == (9, 3, 1, 4)
    assert "The deal is due in 8 h 40 min." in page
    assert (
        "As things stand, 9 leads to 3 agents; 3 would be left for later. "
        "Fair: 2 agents get 4; agent 2 (1) by limit; agent 1 away. Next holiday: " in page
    )
    assert "(Natal)" in page
    assert "Carnaval" not in page


def test_a_deal_that_nobody_could_get_is_announced_with_the_way_to_mend_it(database: TestedDatabase) -> None:
    seed_tables(database, agents=2)
    put_agents(database, [("A", "inactive"), ("B", "inactive")])
    page = noon(database)
    assert "Tonight’s deal will fail: no agent is active." in page
    assert "Activate agents" in page
    assert "/agents?show=inactive" in page.links
    assert "Go on with the first steps" in page
    assert '<section class="headline late">' in page.source
    for agent in ("A", "B"):
        set_agent_status(database.backend, agent, active=True)
        add_limit(database.backend, agent, starts_on=TODAY, ends_on=TODAY, max_records=0)
    page = noon(database)
    assert "Tonight’s deal will fail: all 2 active agents are away." in page
    assert "See who is away" in page
    assert "/agents?show=away" in page.links
    set_agent_status(database.backend, "B", active=False)
    page = noon(database)
    assert "the only active agent is away" in page
    assert "As things stand, no leads would move. 1 agent is inactive now." in page


def test_a_preview_that_is_refused_says_that_tonights_deal_will_fail_too(database: TestedDatabase) -> None:
    seed_tables(database, agents=2)
    deal_today(database)
    put_agents(database, [("A", "inactive"), ("B", "inactive")])
    page = noon(database, "/run-now/preview")
    assert "Tonight’s deal at 20:40 will fail, too, unless an agent is activated before. Activate agents" in page
    assert re.search(r'class="button primary" href="/agents\?show=inactive"', page.source)
    assert ("still happens" in page, "below" in page) == (False, False)
    assert "still happens" not in noon(database, "/run-now")
    for agent in ("A", "B"):
        set_agent_status(database.backend, agent, active=True)
        add_limit(database.backend, agent, starts_on=TODAY, ends_on=TODAY, max_records=0)
    page = noon(database, "/run-now/preview")
    assert "will fail, too, unless an absence is removed before. See who is away" in page
    database.execute("DELETE FROM dbo.agent_limit")
    assert "Tonight’s deal at 20:40 still happens, unless you skip it below." in noon(database, "/run-now/preview")
    database.execute("INSERT INTO dbo.floor_rule (name, value, recorded_at, recorded_by)"
        " VALUES ('window_days', 'many', '2026-01-01T00:00:00', 'somebody')")  # fmt: skip
    page = noon(database, "/run-now/preview")
    assert "will fail, too, unless that is put right before. See the rules" in page
    # Who may not act sees whom it is about.
    database.execute("DELETE FROM dbo.floor_rule")
    put_agents(database, [("A", "inactive"), ("B", "inactive")])
    assert "activated before. See the agents" in reader_at(database, NOON, "viewer").get("/run-now/preview")


def test_where_no_lead_is_ready_nothing_counts_or_downloads_none(database: TestedDatabase) -> None:
    seed_tables(database, leads=7, agents=2)
    deal_today(database)
    ready = "Download the 5 ready leads"
    assert ready in noon(database, "/run-now/preview")
    assert "Never called" in noon(database)
    database.execute("UPDATE dbo.wafunnel SET stage = 4")
    page = noon(database, "/run-now/preview")
    assert "7 leads that agents have now drop out. " in page
    assert "ready leads" not in page
    page = noon(database)
    assert "No lead is left for the next deals. 7 leads are finished." in page
    assert "Never called" not in page


def test_a_change_on_the_pages_counts_at_once(database: TestedDatabase) -> None:
    seed_tables(database, leads=4, agents=1)
    reader = reader_at(database, NOON)
    assert "4 leads to 1 agent, 4 each" in reader.get("/")
    reader.done("/agents/deactivate", agent="agent 0")
    assert "no agent is active" in reader.get("/")
    # Another program's change counts after a while.
    set_agent_status(database.backend, "agent 0", active=True)
    assert "no agent is active" in reader.get("/")


def test_a_deal_that_a_bad_rule_on_record_would_refuse_is_announced(database: TestedDatabase) -> None:
    seed_tables(database)
    database.execute("INSERT INTO dbo.floor_rule (name, value, recorded_at, recorded_by)"
        " VALUES ('window_days', 'many', '2026-01-01T00:00:00', 'somebody')")  # fmt: skip
    page = noon(database)
    assert "Tonight’s deal will fail." in page
    assert "The recorded rule window_days is 'many'" in page
    assert "See the rules" in page


def test_a_brake_that_would_hold_the_deal_is_announced(database: TestedDatabase) -> None:
    seed_tables(database, leads=5)
    past_deals(database, 100, 100, 100)
    page = noon(database, brake="pool")
    assert "Tonight’s deal will wait for a person." in page
    assert "5 leads to deal, but in the last 3 deals there were usually about 100." in page
    assert re.search(
        r'class="button primary"[^>]*>Import leads</a>\s*<a class="button"[^>]*>See the preview<', page.source
    )
    # Without the brake it deals all the same, and the page asks.
    page = noon(database)
    assert "Tonight’s deal is much smaller than usual. The deal is due in 8 h 40 min, tonight at 20:40" in page
    assert "Import leads" in page
    assert "How long the leads last" not in page
    assert "Is that right? 5 leads to deal, but in the last 3 deals there were usually about 100." in page
    assert '<section class="headline late">' in page.source
    # Who goes on to deal by hand reads it again, above the button.
    page = noon(database, "/run-now/preview")
    assert page.text.index("Is that right? 5 leads to deal, but") < page.text.index("Deal 5 leads")
    viewer = reader_at(database, NOON, "viewer", brake="pool").get("/")
    assert "See the preview" in viewer
    assert "Import leads" not in viewer


def test_a_deal_by_hand_does_not_approve_the_one_that_a_brake_will_hold(database: TestedDatabase) -> None:
    seed_tables(database, leads=5)
    past_deals(database, 100, 100, 100)
    reader = reader_at(database, NOON, brake="pool")
    # Before the preview, it is known once Tonight has counted.
    reader.wait_for("/", lambda page: "will wait for a person" in page)
    waits = "A deal now does not approve tonight’s deal. As things stand, that deal will still wait from 20:40 on until"
    for path in ("/run-now", "/run-now/preview"):
        page = reader.get(path)
        assert f"{waits} somebody approves it, unless you skip it below." in page
        assert "still happens" not in page
    assert "Otherwise tonight’s deal replaces these lists once somebody approves it." in page
    # It says what happens: after a deal by hand, the brake still holds that of tonight.
    deal_today(database)
    with pytest.raises(BrakeApplied):
        scheduled_run(database.backend, load(brake="pool"), TODAY, now=NOON, actor="test", overrule=False)
    assert waits in reader.get("/run-now/preview")
    page = noon(database, "/run-now/preview")
    assert "Tonight’s deal at 20:40 still happens" in page
    assert "does not approve" not in page


def test_a_deal_that_is_much_larger_than_usual_asks_for_a_look_and_not_for_leads(database: TestedDatabase) -> None:
    seed_tables(database, leads=80)
    past_deals(database, 2, 2, 2)
    page = noon(database)
    assert "Tonight’s deal is much larger than usual." in page
    assert "See the preview" in page
    assert "Import leads" not in page


def test_a_deal_that_would_only_empty_the_lists_is_announced(database: TestedDatabase) -> None:
    seed_tables(database, leads=4)
    deal_today(database)
    database.execute("UPDATE dbo.wafunnel SET stage = 4")
    page = noon(database)
    assert "There is nothing to deal tonight." in page
    assert "The deal would take all agents’ current leads away." in page
    assert "Import leads" in page


def test_the_page_of_a_night_to_come_has_its_time_and_that_of_the_next_deal_its_forecast(
    database: TestedDatabase,
) -> None:
    seed_tables(database, leads=12, agents=4)
    tomorrow, sunday = TODAY + timedelta(days=1), TODAY + timedelta(days=7 - TODAY.isoweekday() % 7)
    add_limit(database.backend, "agent 1", starts_on=TODAY, ends_on=None, max_records=0)
    reader = reader_at(database, NOON, max_per_agent=4)
    reader.wait_for("/", lambda page: "As things stand" in page)
    page = reader.get(f"/nights/{TODAY}")
    stands = "As things stand, 12 leads to 3 agents, 4 each. agent 1 is away."
    assert f"This night has not happened yet. The deal is due at 20:40 . {stands}" in page
    assert "Away that day" not in page
    page = reader.get(f"/nights/{tomorrow}")
    assert "This night has not happened yet. The deal is due at 20:40 . Away that day: agent 1." in page
    assert "As things stand" not in page
    # How many leads there are for it is on another page, as far as that looks ahead.
    assert "Away that day: agent 1. How long the leads last" in page
    assert "/runway" in page.links
    assert "How long the leads last" in reader.get(f"/nights/{TODAY + timedelta(days=13)}")
    for day in (TODAY, TODAY + timedelta(days=14), TODAY - timedelta(days=1)):
        assert "How long the leads last" not in reader.get(f"/nights/{day}")
    # While deals are paused, none is due.
    pause(database.backend, now=NOON, actor="test", reason=None)
    page = reader.wait_for(f"/nights/{TODAY}", lambda page: "12 leads" in page)
    assert "Automatic deals are paused since" in page
    assert "If they are resumed before 20:40 : 12 leads to 3 agents" in page
    assert "due at" not in page
    # On a weekday without deals, none is planned.
    page = reader_at(database, NOON, weekdays="mon-sat").get(f"/nights/{sunday}")
    assert "This night has not happened yet. No deal is planned for that day." in page
    assert "due at" not in page


def test_on_a_day_off_the_forecast_is_that_of_the_next_deal(database: TestedDatabase) -> None:
    seed_tables(database, leads=4)
    add_holiday(database.backend, TODAY, "Feriado municipal")
    add_holiday(database.backend, TODAY + timedelta(days=1))
    page = noon(database)
    assert "No deal today. Holiday: Feriado municipal. The next deal is due" in page
    day: date = TODAY + timedelta(days=2)
    assert re.search(rf"The next deal is due on \w+,? {day.day} ", page.text)
    assert "The next deal: as things stand, 4 leads to 3 agents, 1 or 2 each." in page


def test_tonights_own_place_among_the_nights_is_still_to_come(database: TestedDatabase) -> None:
    seed_tables(database)
    deal_today(database)
    shown = f"{TODAY.day} {TODAY:%b}[a-z]* {TODAY:%Y}: "
    assert re.search(f"{shown}still to come", noon(database).text)
    late = reader_at(database, datetime.combine(TODAY, time(23, 50), UTC)).get("/")
    assert re.search(f"{shown}nothing known", late.text)
    add_holiday(database.backend, TODAY)
    assert re.search(f"{shown}no deal planned", noon(database).text)


def test_a_day_without_a_deal_says_why(database: TestedDatabase) -> None:
    seed_tables(database)
    others = ",".join(f"{TODAY + timedelta(days=ahead):%a}".lower() for ahead in range(1, 7))
    page = noon(database, weekdays=others)
    assert f"No deal today. There is no automatic deal on a {TODAY:%A}. The next deal is due" in page
    add_holiday(database.backend, TODAY)
    assert "No deal today. Today is a holiday." in noon(database, weekdays=others)


def test_in_a_pause_the_page_says_what_the_deal_would_do_if_it_were_resumed(database: TestedDatabase) -> None:
    seed_tables(database, leads=4)
    pause(database.backend, now=NOON, actor=None, reason=None)
    page = noon(database)
    assert "Automatic deals are paused." in page
    assert "If they are resumed before 20:40 : 4 leads to 3 agents, 1 or 2 each." in page
    late = reader_at(database, NOON + timedelta(hours=9)).get("/")
    assert "If they are resumed before today, 23:40 : 4 leads to 3 agents, 1 or 2 each." in late
    put_agents(database, [("A", "inactive")])
    page = noon(database)
    assert "If they are resumed before 20:40 : no leads would move: no agent is active." in page
    assert "Activate agents" in page


def test_no_page_waits_for_a_slow_forecast_and_a_failed_one_is_made_again(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_tables(database, leads=4)
    monkeypatch.setattr("agent_funnel.web.counts.PAGE_WAIT_SECONDS", 0)
    go_on, tried = Event(), 0

    def slow(*given: Any, **more: Any) -> Any:
        nonlocal tried
        tried += 1
        assert go_on.wait(10)
        if tried == 1:
            raise DatabaseUnavailable
        return forecast(*given, **more)

    monkeypatch.setattr("agent_funnel.web.counts.forecast", slow)
    reader: Reader = reader_at(database, NOON)
    for _ in range(3):
        assert "What the deal would do is being counted." in reader.get("/")
    assert tried == 1
    go_on.set()
    page = reader.wait_for("/", lambda page: "What the deal would do" not in page)
    assert "As things stand, 4 leads to 3 agents, 1 or 2 each." in page


def test_while_a_deal_is_about_to_begin_nothing_is_forecast(database: TestedDatabase) -> None:
    seed_tables(database)
    due = datetime.combine(TODAY, time(20, 40), UTC)
    assert "As things stand" in reader_at(database, due - timedelta(minutes=1)).get("/")
    assert "As things stand" not in reader_at(database, due - timedelta(seconds=59)).get("/")
