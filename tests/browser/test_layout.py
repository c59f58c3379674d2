"""What only a browser can measure: the columns of wide pages, and words for days on a page that stays open."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from agent_funnel.schedule.store import pause
from support.dashboard import PHONE, Dashboard
from support.databases import TestedDatabase
from support.evening import evening

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

HALVES = ("deal", "preview", "run", "run-undone", "letter", "lead", "lead-to-call", "notices")
# Pages that say what a button would do, and ask whether to do it:
CONFIRMATIONS = ("undo", "hand-back", "import-undo")


def test_a_page_of_two_halves_uses_the_width_and_is_one_column_on_a_phone(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    pages = evening(database)
    page = dashboard.page(viewport=(1440, 900))
    for name in HALVES:
        page.goto(pages[name])
        expect(page.locator("main [aria-busy=true]")).to_have_count(0)
        begins = "[...document.querySelectorAll('main .halves > *')].map((half) => half.getBoundingClientRect().left)"
        page.set_viewport_size({"width": 1440, "height": 900})
        left, right = page.evaluate(begins)
        assert left < 720 <= right, name
        page.set_viewport_size({"width": PHONE, "height": 900})
        left, right = page.evaluate(begins)
        assert left == right, name


def test_the_button_of_a_confirmation_comes_below_what_it_would_do(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    pages = evening(database)
    page = dashboard.page(viewport=(1440, 900))
    for name in CONFIRMATIONS:
        page.goto(pages[name])
        heading, consequences, button = page.evaluate(
            """['h1', 'ul', 'form button'].map(
                (each) => document.querySelector(`main ${each}`).getBoundingClientRect().toJSON())"""
        )
        assert button["top"] >= consequences["bottom"], name
        assert button["left"] == heading["left"], name


def test_the_strip_of_nights_is_as_wide_as_its_heading(dashboard: Dashboard, database: TestedDatabase) -> None:
    address = evening(database)["tonight"]
    page = dashboard.page(viewport=(1440, 900))
    page.goto(address)
    ends = page.evaluate(
        "['#nights', '.strip > :last-child'].map((each) => document.querySelector(each).getBoundingClientRect().right)"
    )
    assert abs(ends[0] - ends[1]) < 2, ends


def test_all_buttons_of_a_box_have_one_size(dashboard: Dashboard, database: TestedDatabase) -> None:
    pages = evening(database)
    # The link of an inactive agent is not found.
    del pages["mine"]
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    pause(database.backend, now=datetime.now(UTC), actor="http: Ana", reason=None)
    page = dashboard.page(viewport=(1440, 900))
    boxes = 0
    for name, path in pages.items():
        page.goto(path)
        expect(page.locator("main [aria-busy=true]")).to_have_count(0)
        sizes = page.evaluate(
            """[...document.querySelectorAll("main :is(.headline, .notice, .actions)")].map((box) =>
                [...box.querySelectorAll("button, .button")]
                    .filter((each) => each.checkVisibility() && !each.closest("li"))
                    .map((each) => each.offsetHeight)).filter((heights) => heights.length > 1)"""
        )
        for heights in sizes:
            assert max(heights) - min(heights) <= 1, (name, heights)
        boxes += len(sizes)
    assert boxes > 5


def test_all_buttons_of_a_new_link_are_outlined_and_have_the_size_of_a_finger(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    address = evening(database)["links"]
    page = dashboard.page(viewport=(PHONE, 900))
    page.goto(address)
    page.locator("main form button").last.click()
    buttons = page.locator(".new-link .actions > :is(button, .button):visible")
    expect(buttons.first).to_be_visible()
    shapes = buttons.evaluate_all(
        "(all) => all.map((each) => [each.offsetHeight, getComputedStyle(each).backgroundColor])"
    )
    assert len(shapes) >= 2
    assert {tuple(each) for each in shapes} == {(44, "rgba(0, 0, 0, 0)")}


def test_a_page_that_stays_open_over_midnight_shows_whole_moments(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    address = evening(database)["run"]
    page = dashboard.page(viewport=(1440, 900))
    page.clock.install(time=datetime.now(UTC))
    page.goto(address)
    ended = page.locator("main p > time").first
    expect(ended).to_have_text(re.compile("today at "))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(ended).to_have_text(re.compile("today at "))
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=1))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(ended).to_have_text(re.compile(rf"^\w+,? [\w ]+ {datetime.now(UTC).year}, [\d:]+ UTC$"))
