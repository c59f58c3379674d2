"""The rows of an agent's own list on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase
from support.outcomes import deal_again
from support.own_list import MANY, NUMBERS, open_list, row_of

# Pages are the same on both engines.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_more_opens_just_below_the_bar_at_the_top(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *MANY)
    row = row_of(page, MANY[3])
    row.scroll_into_view_if_needed()
    row.get_by_text("More").click()
    page.wait_for_function(
        """row => {
          const bar = document.querySelector(".progress").getBoundingClientRect();
          const below = row.getBoundingClientRect().top - bar.bottom;
          return below >= 0 && below < 4;
        }""",
        arg=row.element_handle(),
    )
    expect(row.get_by_label("Note")).to_be_in_viewport()


def test_the_phone_remembers_who_calls_back(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS)
    row = row_of(page, NUMBERS[0])
    row.get_by_text("More").click()
    mine = row.get_by_label("I call back myself")
    first_day = row.get_by_role("button", name="In a week")
    expect(first_day).to_be_visible()
    # It is above the days, since these save at once.
    assert mine.evaluate("(mine, day) => mine.compareDocumentPosition(day) & 4", first_day.element_handle())
    expect(mine).not_to_be_checked()
    mine.check()
    with page.expect_response("**/outcomes"):
        first_day.click()
    page.reload()
    row = row_of(page, NUMBERS[1])
    row.get_by_text("More").click()
    expect(row.get_by_label("I call back myself")).to_be_checked()
    row.get_by_label("I call back myself").uncheck()
    row_of(page, NUMBERS[2]).get_by_text("More").click()
    expect(row_of(page, NUMBERS[2]).get_by_label("I call back myself")).not_to_be_checked()


def test_a_call_and_a_message_leave_a_trace_on_the_phone(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS)
    # Neither the dialer nor WhatsApp opens.
    stay = "addEventListener('click', (event) => { if (event.target.closest('.tel, .chat')) event.preventDefault(); })"
    page.evaluate(stay)
    first, second = row_of(page, NUMBERS[0]), row_of(page, NUMBERS[1])
    first.locator("a.tel").click()
    expect(first).to_have_class(re.compile("is-last"))
    second.locator("a.tel").click()
    second.locator("a.chat").click()
    expect(first.locator(".from")).to_have_text(re.compile(r"Lead from .* · called \d\d:\d\d$"))
    with page.expect_response("**/outcomes"):
        first.get_by_role("button", name="Talked").click()
    page.reload()
    for row, said in ((first, r"called \d\d:\d\d$"), (second, r"called \d\d:\d\d · WhatsApp \d\d:\d\d$")):
        expect(row.locator(".from")).to_have_text(re.compile(said))
        expect(row.locator(".from")).to_be_visible()
    expect(page.locator(".is-last")).to_have_count(1)
    expect(second).to_have_class(re.compile("is-last"))
    fits(page, 360)
    axe(page)
    shoot(page, "own-list-called")
    # It is of this list only, and in no report.
    deal_again(database)
    page.reload()
    expect(page.locator(".trace")).to_have_count(0)
    assert page.evaluate("Object.keys(localStorage)") == []
