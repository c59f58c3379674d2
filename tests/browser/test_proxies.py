"""The service in a browser, under a path of another site: styles, scripts, forms, cookies and the page of the API."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from support.dashboard import Dashboard
from support.databases import TestedDatabase, seed_tables
from support.http_proxy import under_path
from support.served import served


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_under_a_path_of_another_site_everything_works(browser: Browser, database: TestedDatabase) -> None:
    seed_tables(database)
    with served(database, proxy_hops=1) as address, under_path(address, "/some/funnel") as seen:
        dashboard = Dashboard(seen, database, browser)
        page = dashboard.context().new_page()
        # A style or script that is missing would be an error in the console, which fails the test.
        secret = dashboard.key()
        page.goto(f"{seen}/")
        page.locator("input[name=key]").fill(secret)
        page.locator("input[name=key]").press("Enter")
        expect(page).to_have_url(f"{seen}/")
        [cookie] = page.context.cookies()
        assert cookie["path"] == "/some/funnel/"
        page.get_by_role("link", name="Deal now").first.click()
        # A script fetches the preview: until then the only button is the one that shows it without a script.
        page.get_by_role("button", name="Deal 7 leads to 3 agents").click()
        expect(page).to_have_url(re.compile(rf"^{re.escape(seen)}/runs/\d+$"))
        expect(page.get_by_role("status")).to_contain_text("Dealt: 7 of 7 leads")
        page.goto(f"{seen}/api/docs")
        page.get_by_text("/api/schedule", exact=True).first.click()
        expect(page.locator(".servers option, .servers .computed-url code").first).to_have_text("/some/funnel")
        page.goto(f"{seen}/runs")
        page.locator("summary", has_text="the admin").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(f"{seen}/sign-in")
        assert page.context.cookies() == []
        dashboard.leave()
