"""Signing in and out in a browser."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from support.dashboard import Dashboard, axe, fits, shoot

# For a page that shows nothing of the database, one engine is enough:
ONE_ENGINE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def sign_in_page(dashboard: Dashboard, **context: object) -> Page:
    """The sign-in form; the service asks for a key because one exists."""
    dashboard.key()
    return dashboard.page("/sign-in", role=None, **context)


def is_signed_in(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not page.url.endswith("/sign-in")
    expect(page.locator("form[method=post][action$='/sign-out']")).to_have_count(1)


def is_the_form(page: Page) -> None:
    expect(page.locator("input[name=key]")).to_be_visible()
    assert page.url.endswith("/sign-in")


@pytest.mark.sqlserver_if_long
def test_without_a_session_a_page_leads_to_the_form(dashboard: Dashboard) -> None:
    dashboard.key()
    is_the_form(dashboard.page("/run-now", role=None))


@pytest.mark.sqlserver_if_long
def test_a_wrong_key_signs_nobody_in_and_the_page_says_so(dashboard: Dashboard) -> None:
    dashboard.watch.expect("401")
    page = sign_in_page(dashboard)
    page.locator("input[name=key]").fill("funnel_wrong")
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("That key does not work.")
    is_the_form(page)
    axe(page)
    shoot(page, "sign-in-wrong")
    page.goto("/run-now")
    is_the_form(page)


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_right_key_signs_in_until_signed_out(dashboard: Dashboard, scripts: bool) -> None:
    page = sign_in_page(dashboard, java_script_enabled=scripts)
    dashboard.sign_in(page)
    is_signed_in(page)
    page.locator("details.who > summary").click()
    page.locator("form[action$='/sign-out'] button").click()
    is_the_form(page)
    page.goto("/run-now")
    is_the_form(page)


@pytest.mark.sqlserver_if_long
def test_a_keyboard_alone_signs_in_and_out(dashboard: Dashboard) -> None:
    page = sign_in_page(dashboard)
    # The field has the focus when the page opens.
    expect(page.locator("input[name=key]")).to_be_focused()
    page.keyboard.type(dashboard.key())
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))
    is_signed_in(page)
    account, out = page.locator("details.who > summary"), page.locator("form[action$='/sign-out'] button")
    for _ in range(60):
        page.keyboard.press("Tab")
        if account.evaluate("summary => summary === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(out).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in")
    is_the_form(page)


@ONE_ENGINE
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everybody_can_read_the_form(dashboard: Dashboard, colours: Literal["light", "dark"], width: int) -> None:
    page = sign_in_page(dashboard, color_scheme=colours, viewport=(width, 800))
    axe(page)
    shoot(page, f"sign-in-{colours}-{width}")
    fits(page, width)
