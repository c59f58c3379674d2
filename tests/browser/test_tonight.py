"""The morning after a failed night, in a browser: from the headline to the repair in three presses."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agent_funnel.agents import add_limit
from agent_funnel.errors import BrakeApplied, NoActiveAgent
from agent_funnel.runs import HELD
from agent_funnel.schedule.status import tonight
from agent_funnel.schedule.store import record_failure
from agent_funnel.settings import load
from agent_funnel.settings_types import LANGUAGES
from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today


@pytest.fixture
def dashboard_settings() -> dict[str, Any]:
    """The deal of today is still to come at any time of the day."""
    return {"run_at": "23:59", "catch_up": "1m", "runway_nights": 0}


def top(page: Page, selector: str) -> float:
    """The distance of an element from the top of the screen."""
    return float(page.locator(selector).evaluate("element => element.getBoundingClientRect().top"))


def place(page: Page, selector: str) -> float:
    """The distance of an element from the left of the screen."""
    return float(page.locator(selector).evaluate("element => element.getBoundingClientRect().left"))


def fail_last_night(database: TestedDatabase) -> None:
    """Records that the deal of last night failed, since no agent was active."""
    day = datetime.now(UTC).date() - timedelta(days=1)
    at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
    record_failure(
        database.backend, load(), day, NoActiveAgent(), attempt=1, started_at=at, finished_at=at, actor="schedule"
    )
    database.execute(
        "INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at) VALUES (%s, 'failed', %s)",
        str(day), f"{day} 23:59:59",
    )  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_failed_night_is_mended_in_three_presses(dashboard: Dashboard, database: TestedDatabase) -> None:
    seed_tables(database, leads=6, agents=3)
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    fail_last_night(database)
    page = dashboard.page("/", role="operator", viewport=(360, 800))
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"Last night’s deal failed\."))
    # A date is the same in every zone, so the script adds no time to it.
    expect(page.locator("h1 time")).to_have_attribute("title", re.compile(r"^\w+,? [\w ]+ \d{4}$"))
    expect(page.get_by_text("A deal would still fail now:")).to_be_visible()
    axe(page)
    shoot(page, "failed-night")
    page.get_by_role("link", name="Activate agents").click()
    fits(page, 360)
    axe(page)
    shoot(page, "inactive-agents")
    page.get_by_role("button", name="Yes, activate all 3").click()
    fits(page, 360)
    axe(page)
    page.get_by_role("link", name="Preview and deal now").click()
    page.get_by_role("button", name="Deal 6 leads to 3 agents").click()
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("The deal is due in"))
    expect(page.locator("section.headline")).to_contain_text(
        re.compile(r"failed;\s+the operator made up for it today at \d+:\d+\s+\(deal \d+\)")
    )
    axe(page)
    shoot(page, "mended-night")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_phone_has_the_button_that_mends_a_failed_night_on_its_first_screen(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    seed_tables(database, leads=2_000, agents=24)
    deal_today(database)
    database.execute("UPDATE dbo.assignment_run SET finished_at = %s", f"{datetime.now(UTC) - timedelta(days=2)}"[:23])
    add_limit(database.backend, "agent 7", starts_on=datetime.now(UTC).date(), ends_on=None, max_records=40)
    fail_last_night(database)
    page = dashboard.page(role="operator", viewport=(360, 640))
    for language in LANGUAGES:
        dashboard.speak(page, language)
        page.goto("/")
        for shown in (page.get_by_role("heading", level=1), page.locator(".headline a.button")):
            expect(shown).to_be_in_viewport(ratio=1)
        fits(page, 360)
        axe(page)
        shoot(page, f"failed-night-phone-{language}")
    # What is about the page itself is below the box, and in sight on a wide screen as before.
    assert top(page, ".freshness") > top(page, ".headline")
    page.set_viewport_size({"width": 1440, "height": 900})
    assert top(page, ".freshness") < top(page, ".headline")
    shoot(page, "failed-night-wide")
    # A wide screen has what to do beside what happened, and the leads by calls beside those of the agents.
    agents, funnel = (f"section[aria-labelledby={name}]" for name in ("what-agents-have", "funnel"))
    assert top(page, agents) == top(page, funnel)
    for language in LANGUAGES:
        dashboard.speak(page, language)
        page.goto("/")
        assert place(page, ".headline p:has(+ .actions)") == place(page, ".headline .actions") > 700
        assert top(page, ".headline .actions") < top(page, agents) - 28
        fits(page, 1440)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_phone_has_both_ways_out_of_a_held_night_on_its_first_screen(
    dashboard: Dashboard, database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_tables(database, leads=23, agents=24)
    begin = datetime.now(UTC) - timedelta(minutes=5)
    reason = f"23 leads are ready to deal, but the median of the last 14 deals is 1,957. {HELD}"
    record_failure(
        database.backend, load(), begin.date(), BrakeApplied(reason), attempt=1, started_at=begin, finished_at=begin,
        actor="schedule",
    )  # fmt: skip
    shown = tonight(database.backend, load(), datetime.now(UTC), None)
    held = replace(shown, state="failed", business_date=begin.date(), closes_at=begin + timedelta(hours=3))
    monkeypatch.setattr("agent_funnel.web.pages.tonight.tonight", lambda *_: held)
    # Until the forecast is counted, the page goes by what is on record.
    monkeypatch.setattr("agent_funnel.web.pages.tonight.start_forecast", lambda *_: None)
    page = dashboard.page(role="operator", viewport=(360, 740))
    for language in LANGUAGES:
        dashboard.speak(page, language)
        page.goto("/")
        buttons = page.locator(".headline a.button")
        expect(buttons).to_have_count(2)
        for seen in (page.get_by_role("heading", level=1), buttons.first, buttons.last):
            expect(seen).to_be_in_viewport(ratio=1)
        expect(page.locator(".headline")).to_contain_text("1,957" if language == "en" else "1.957")
        fits(page, 360)
        axe(page)
        shoot(page, f"held-night-phone-{language}")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("height", [740, 640])
def test_a_phone_shows_the_whole_warning_of_a_preview_above_its_button(
    dashboard: Dashboard, database: TestedDatabase, height: int
) -> None:
    seed_tables(database, leads=2_000, agents=24)
    deal_today(database)
    at = datetime.now(UTC) - timedelta(hours=11, minutes=58)
    database.execute(
        "UPDATE dbo.assignment_run SET started_at = %s, finished_at = %s, business_date = %s",
        f"{at}"[:23], f"{at}"[:23], str(at.date() - timedelta(days=1)),
    )  # fmt: skip
    page = dashboard.page("/run-now", role="operator", viewport=(360, height))
    for language in (*LANGUAGES, "en"):
        dashboard.speak(page, language)
        page.goto("/run-now")
        warning, bar = page.locator(".notice.careful"), page.locator(".actions.sticky")
        expect(warning).to_contain_text("11 h 58 min" if language != "de" else "11 Std")
        seen, covered = warning.bounding_box(), bar.bounding_box()
        assert seen
        assert covered
        assert (language, seen["y"] + seen["height"] <= covered["y"]) == (language, True)
        shoot(page, f"preview-warning-{height}-{language}")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_phone_has_the_tick_that_skips_tonights_deal_beside_the_button(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    seed_tables(database, leads=200, agents=24)
    page = dashboard.page("/run-now/preview", role="operator", viewport=(360, 640))
    for language in (*LANGUAGES, "en"):
        dashboard.speak(page, language)
        page.goto("/run-now/preview")
        tick = page.locator("input[name=skip]")
        for shown in (page.locator(".effect"), tick, page.locator(".sticky button")):
            expect(shown).to_be_in_viewport(ratio=1)
        # Nothing is in front of it.
        tick.check()
        fits(page, 360)
        axe(page)
        shoot(page, f"deal-now-phone-{language}")
    page.get_by_role("button", name="Deal 200 leads to 24 agents").click()
    expect(page.get_by_role("status")).to_contain_text("Tonight’s automatic deal is skipped.")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_printed_page_says_what_it_is_and_of_which_moment(dashboard: Dashboard, database: TestedDatabase) -> None:
    seed_tables(database)
    page = dashboard.page("/")
    paper = page.locator(".paper")
    expect(paper).to_be_hidden()
    page.emulate_media(media="print")
    expect(paper).to_be_visible()
    today = datetime.now(UTC)
    expect(paper).to_have_text(
        re.compile(rf"Agent Funnel · As of .*{today:%b}\w*,? .*:\d\d\. All times are in the time zone UTC\.")
    )
    expect(page.locator(".freshness")).to_be_hidden()
    shoot(page, "printed")
    # After a refresh, too.
    page.emulate_media(media="screen")
    for _ in range(2):
        page.get_by_role("button", name="Pause refreshing").click()
    expect(page.locator("#fresh-state")).to_contain_text("refreshes automatically")
    page.emulate_media(media="print")
    expect(paper).to_have_text(re.compile(rf"Agent Funnel · As of .*{today:%Y}.*\d:\d\d.* UTC\."))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_thousand_agents_are_a_page_of_a_few_screens_on_a_phone(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    seed_tables(database, leads=1_500, agents=1_000)
    deal_today(database)
    page = dashboard.page("/", viewport=(360, 800), color_scheme="dark")
    expect(page.locator("section[aria-labelledby=what-agents-have]")).to_contain_text("1,000 agents got 1 or 2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.documentElement.scrollHeight") <= 4 * 800
    axe(page)
    shoot(page, "a-thousand-agents")
    page.get_by_text("All 1,000 agents").click()
    expect(page.get_by_role("heading", name="How many agents got how many leads")).to_be_visible()
    expect(page.get_by_text("agent 999")).to_be_visible()
