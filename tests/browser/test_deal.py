"""Dealing in a browser: the preview before, the bars after, undo; and a page that refreshes itself."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from agent_funnel.deal import undo
from agent_funnel.runs import list_runs
from support.dashboard import Dashboard
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today
from support.processes import run_in_progress

ONE_ENGINE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def amount(page: Page, name: str) -> str:
    """An amount at the top of a page, by its name."""
    return page.locator(".amounts > div", has=page.get_by_text(name, exact=True)).locator("dd").inner_text()


def stages(database: TestedDatabase) -> list[tuple[int]]:
    return database.execute("SELECT stage FROM dbo.wafunnel ORDER BY number")


@pytest.mark.sqlserver_if_long
def test_an_operator_previews_deals_looks_downloads_and_undoes(dashboard: Dashboard, database: TestedDatabase) -> None:
    seed_tables(database)
    before = stages(database)
    page = dashboard.page(role="operator")
    expect(page.get_by_role("heading", name="There was no deal yet")).to_be_visible()
    page.get_by_role("banner").get_by_role("link", name="Deal now").click()
    # The preview loads automatically, and has changed nothing.
    deal_button = page.get_by_role("button", name="Deal 7 leads to 3 agents")
    expect(deal_button).to_be_visible()
    expect(page.locator(".effect")).to_contain_text("3 agents get 7 leads, 2 or 3 each.")
    assert list_runs(database.backend) == []
    # A double click, as impatient people do.
    deal_button.dblclick()
    expect(page.get_by_role("status")).to_have_text("Dealt: 7 of 7 leads to 3 agents.")
    assert re.search(r"/runs/\d+$", page.url)
    assert [run.status for run in list_runs(database.backend)] == ["succeeded"]
    assert (amount(page, "Ready at the deal"), amount(page, "Assigned"), amount(page, "Left over")) == ("7", "7", "0")
    page.get_by_text("All 3 agents").click()
    rows = page.locator(".shares li")
    assert rows.all_inner_texts() == ["agent 0\n3", "agent 1\n2", "agent 2\n2"]
    longest, other = (rows.nth(index).locator("rect").last.evaluate(
        "rect => rect.getBoundingClientRect().right - rect.parentElement.getBoundingClientRect().left"
    ) for index in (0, 1))  # fmt: skip
    assert other / longest == pytest.approx(2 / 3, abs=0.01)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    with download.value.path().open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert sorted((row["agent"], row["number"]) for row in found) == sorted(
        database.execute("SELECT agent, number FROM dbo.agent_wafunnel_assignment")
    )
    page.get_by_role("navigation").get_by_role("link", name="Tonight").click()
    expect(page.locator(".shares").first.locator("li")).to_have_count(3)
    page.get_by_role("link", name=re.compile(r"deal \d+")).first.click()
    page.get_by_role("link", name="Undo this deal …").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo deal")
    assert len(list_runs(database.backend)) == 1
    page.get_by_role("button", name=re.compile(r"^Undo deal \d+: take 7 leads back")).click()
    expect(page.get_by_role("status")).to_contain_text("7 leads count one call less")
    assert stages(database) == before
    assert database.execute("SELECT agent FROM dbo.agent_wafunnel_assignment") == []


@ONE_ENGINE
def test_a_keyboard_alone_deals(dashboard: Dashboard, database: TestedDatabase) -> None:
    seed_tables(database)
    page = dashboard.page(role="operator")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.goto("/run-now")
    button = page.get_by_role("button", name="Deal 7 leads to 3 agents")
    expect(button).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if button.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Dealt: 7 of 7 leads to 3 agents.")


@ONE_ENGINE
def test_without_scripts_a_deal_takes_a_few_pages(dashboard: Dashboard, database: TestedDatabase) -> None:
    seed_tables(database)
    page = dashboard.page("/run-now", role="operator", java_script_enabled=False)
    page.get_by_role("button", name="See the preview").click()
    page.get_by_role("button", name="Deal 7 leads to 3 agents").click()
    expect(page.get_by_role("status")).to_have_text("Dealt: 7 of 7 leads to 3 agents.")
    # Going back shows a new preview, of the present state.
    page.go_back()
    expect(page.get_by_role("main")).to_contain_text("This deal is probably a mistake.")
    assert len(list_runs(database.backend)) == 1
    # A phone has what would happen and the button on its first screen, although there are warnings.
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/run-now/preview")
    for shown in (page.locator(".effect"), page.locator("input[name=again]"), page.locator(".sticky button")):
        expect(shown).to_be_in_viewport(ratio=1)
    # Without the tick, the browser does not send the form, which the tick belongs to.
    page.locator(".sticky button").click()
    assert len(list_runs(database.backend)) == 1
    page.locator("input[name=again]").check()
    page.locator(".sticky button").click()
    expect(page.get_by_role("status")).to_contain_text("Dealt: ")
    assert len(list_runs(database.backend)) == 2


@ONE_ENGINE
def test_a_deal_that_is_refused_says_what_was_not_changed(dashboard: Dashboard, database: TestedDatabase) -> None:
    seed_tables(database)
    dashboard.watch.expect("409")
    page = dashboard.page("/run-now", role="operator")
    deal_button = page.get_by_role("button", name="Deal 7 leads to 3 agents")
    expect(deal_button).to_be_visible()
    with run_in_progress(database):
        deal_button.click()
        expect(page.get_by_role("main")).to_contain_text("in progress")
    assert list_runs(database.backend) == []


@ONE_ENGINE
def test_tonight_refreshes_automatically_until_that_is_paused(dashboard: Dashboard, database: TestedDatabase) -> None:
    seed_tables(database)
    page = dashboard.page(role="viewer", timezone="America/Sao_Paulo")
    page.clock.install()
    page.goto("/")
    expect(page.get_by_role("heading", name="There was no deal yet")).to_be_visible()
    run = deal_today(database)
    page.clock.run_for(20_000)
    expect(page.get_by_role("link", name=f"deal {run.run_id}")).to_be_visible()
    # Times are in the configured zone; on hover, in the reader's.
    told = page.locator("#live time[datetime*='T']").first
    expect(told).to_have_attribute("title", re.compile("UTC\n.*your time"))
    pause = page.get_by_role("button", name="Pause refreshing")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    undo(database.backend)
    page.clock.run_for(60_000)
    expect(page.get_by_role("link", name=f"deal {run.run_id}")).to_be_visible()
    pause.click()
    expect(page.get_by_role("heading", name="There was no deal yet")).to_be_visible()


@ONE_ENGINE
def test_after_the_session_has_ended_the_page_leads_to_the_sign_in(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    dashboard.watch.expect("401")
    page = dashboard.page(role="viewer")
    page.clock.install()
    page.goto("/")
    database.execute("DELETE FROM dbo.access_session")
    page.clock.run_for(20_000)
    expect(page).to_have_url(re.compile("/sign-in$"))


@ONE_ENGINE
def test_tonight_says_when_the_service_or_its_database_is_down_and_how_old_the_page_is(dashboard: Dashboard) -> None:
    dashboard.watch.expect("ERR_INTERNET_DISCONNECTED")
    dashboard.watch.expect("503")
    page = dashboard.page(role="viewer")
    page.clock.install()
    page.goto("/")
    page.context.set_offline(True)
    page.clock.run_for(20_000)
    expect(page.get_by_text("The service does not answer. This page shows the state of")).to_be_visible()
    expect(page.locator("#live.stale")).to_have_count(1)
    page.context.set_offline(False)
    page.clock.run_for(20_000)
    expect(page.get_by_text("refreshes automatically")).to_be_visible()
    expect(page.locator("#live.stale")).to_have_count(0)
    page.route("**/?partial=1", lambda route: route.fulfill(status=503))
    page.clock.run_for(20_000)
    expect(page.get_by_text("The service answers with an error (503); perhaps its database is down.")).to_be_visible()
    expect(page.locator("#live.stale")).to_have_count(1)
