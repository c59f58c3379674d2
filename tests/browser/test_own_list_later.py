"""Leads of an agent's own list that are put off to later on the same list, which only the phone knows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from agent_funnel.schedule.store import add_holiday
from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase
from support.outcomes import deal_again
from support.own_list import NUMBERS, kept, open_list, row_of, says

# Pages are the same on both engines.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def put_off(page: Page, number: str, note: str, time: str = "") -> None:
    """Puts a lead off with a note, and perhaps to a time of day."""
    row = row_of(page, number)
    row.get_by_text("More").click()
    row.get_by_label("Note").fill(note)
    row.get_by_label("Time of day (optional)").fill(time)
    row.get_by_role("button", name="Later, on this list").click()


def later(page: Page) -> list[str]:
    """The last digits of the leads under Later, in their order, each with its time and note."""
    rows = page.locator("#later-ones li")
    return [
        f"{row.locator('.tel').inner_text()[8]} {row.locator('.put-off strong').inner_text()}" for row in rows.all()
    ]


def test_a_lead_waits_under_later_with_its_note_and_time(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS, timezone="UTC")
    page.clock.install(time="2026-11-27T18:00:00Z")
    page.reload()
    page.context.set_offline(True)
    put_off(page, NUMBERS[3], "no time given")
    put_off(page, NUMBERS[1], "ask for Eva", "21:30")
    put_off(page, NUMBERS[2], "", "18:10")
    # After midnight, if the time of today has passed.
    put_off(page, NUMBERS[0], "calls from abroad", "00:20")
    expected = ["3 18:10", "2 21:30 · ask for Eva", "1 Sat 00:20 · calls from abroad", "4 no time given"]
    assert later(page) == expected
    # They are still to call, and nothing waits to be sent.
    says(page, 6, 0)
    page.context.set_offline(False)
    page.reload()
    assert later(page) == expected
    headings = page.locator("#lists section:visible h2").all_inner_texts()
    assert headings == ["First call", "Later"]
    fits(page, 360)
    axe(page)
    shoot(page, "own-list-later")
    # When the time has come, the page says so.
    page.clock.fast_forward(11 * 60_000)
    expect(page.locator("#toast")).to_contain_text("18:10")
    expect(row_of(page, NUMBERS[2])).to_have_class(re.compile("is-due"))
    row_of(page, NUMBERS[1]).get_by_role("button", name="Call now").click()
    assert later(page) == [expected[0], *expected[2:]]
    expect(row_of(page, NUMBERS[1])).to_be_in_viewport()
    # The note is there to change, but it is not sent unless it is in sight.
    row = row_of(page, NUMBERS[3])
    row.get_by_text("More").click()
    expect(row.get_by_label("Note")).to_have_value("no time given")
    shoot(page, "own-list-later-more")
    row.get_by_text("More").click()
    expect(row.locator("input[name=note]")).to_have_value("")
    with page.expect_response("**/outcomes"):
        row.get_by_role("button", name="Talked").click()
    assert database.execute("SELECT outcome, note FROM dbo.assignment_outcome") == [("talked", None)]
    says(page, 5, 1)
    page.get_by_role("button", name="Undo").click()
    assert later(page) == [expected[0], *expected[2:]]
    # It is of this list only.
    deal_again(database)
    page.reload()
    says(page, 6, 0)
    assert page.locator("#later-ones li").count() == 0
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('-row '))") == []


def test_a_lead_that_did_not_answer_is_tried_again_later(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS)
    with page.expect_response("**/outcomes"):
        row_of(page, NUMBERS[0]).get_by_role("button", name="No answer").click()
    other = page.context.new_page()
    other.goto(page.url)
    page.bring_to_front()
    row_of(page, NUMBERS[0]).get_by_role("button", name="Change").click()
    with page.expect_response("**/take-back"):
        put_off(page, NUMBERS[0], "", "23:59")
    for tab in (page, other):
        says(tab, 6, 0)
        expect(tab.locator("#later-ones li")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    for tab in (page, other):
        expect(tab.locator("#later-ones li")).to_have_count(0)
    assert kept(database) == [("1", "no_answer taken back")]
    other.close()


def test_a_call_back_on_a_day_without_a_deal_says_when_it_comes(dashboard: Dashboard, database: TestedDatabase) -> None:
    holiday, after = (datetime.now(UTC).date() + timedelta(days=days) for days in (1, 2))
    add_holiday(database.backend, holiday)
    page = open_list(dashboard, database, *NUMBERS)
    row = row_of(page, NUMBERS[0])
    row.get_by_text("More").click()
    expect(row.get_by_role("button", name="In a week")).to_be_visible()
    expect(row.get_by_role("button", name="Tomorrow")).to_have_count(0)
    hint = row.locator(".back-on > small")
    usual = "It comes first in the deal of that day."
    expect(hint).to_have_text(usual)
    row.get_by_label("Day of the call-back").fill(str(holiday))
    expect(hint).to_have_text(f"No deal on that day; it comes on {after:%a} {after.day} {after:%b}.")
    axe(page)
    row.get_by_label("Day of the call-back").fill(str(after))
    expect(hint).to_have_text(usual)
    row.get_by_label("Day of the call-back").fill("")
    expect(hint).to_have_text(usual)
