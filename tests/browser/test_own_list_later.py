"""Leads of an agent's own list that are put off to later on the same list, which only the phone knows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.schedule.store import add_holiday
from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase
from support.outcomes import deal_again
from support.own_list import NUMBERS, kept, later, open_list, put_off, row_of, says

# Pages are the same on both engines.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def dashboard_settings() -> dict[str, Any]:
    """The last deal was due ten minutes ago, so the next one is far ahead, at any hour."""
    return {"run_at": f"{datetime.now(UTC) - timedelta(minutes=10):%H:%M}"}


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
    # When the time has come, the bar says so until the lead is done or put off again, also after a reload.
    page.clock.fast_forward(11 * 60_000)
    due = page.locator("#due")
    expect(due).to_have_text(f"Call at 18:10: …{NUMBERS[2][-4:]}Show")
    expect(row_of(page, NUMBERS[2])).to_have_class(re.compile("is-due"))
    page.reload()
    expect(due).to_have_text(f"Call at 18:10: …{NUMBERS[2][-4:]}Show")
    fits(page, 360)
    shoot(page, "own-list-due")
    due.get_by_role("button").click()
    expect(row_of(page, NUMBERS[2])).to_be_in_viewport()
    put_off(page, NUMBERS[2], "", "18:30")
    expect(due).to_be_empty()
    page.clock.fast_forward(4 * 3_600_000)
    expect(due).to_have_text("2 to call nowShow")
    row = row_of(page, NUMBERS[3])
    row.get_by_text("More").click()
    expect(row.get_by_label("Note")).to_have_value("no time given")
    shoot(page, "own-list-later-more")
    row.get_by_text("More").click()
    with page.expect_response("**/outcomes"):
        row.get_by_role("button", name="Talked").click()
    says(page, 5, 1)
    page.get_by_role("button", name="Undo").click()
    assert later(page) == ["3 18:30", *expected[1:]]
    # It is of this list only.
    deal_again(database)
    page.reload()
    says(page, 6, 0)
    assert page.locator("#later-ones li").count() == 0
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('-row '))") == []


def test_a_lead_is_not_put_off_past_the_next_deal(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS)
    page.clock.install(time="2026-11-27T18:00:00Z")
    page.reload()
    # What the service says of the time of the next deal.
    page.wait_for_load_state("networkidle")
    page.evaluate("state.next_at = new Date(Date.now() + behind + 3_600_000).toISOString()")
    row = row_of(page, NUMBERS[0])
    row.get_by_text("More").click()
    row.get_by_label("Note").fill("call at half past nine")
    button = row.get_by_role("button", name="Later, on this list")
    time = row.get_by_label("Time of day")
    time.fill("21:30")
    expect(row).to_contain_text(re.compile(r"The list changes at 19:0\d\. Choose a call-back instead\."))
    expect(button).to_be_disabled()
    expect(row.get_by_label("Note")).to_have_value("call at half past nine")
    time.fill("18:50")
    expect(row).not_to_contain_text("The list changes")
    button.click()
    assert later(page) == ["1 18:50 · call at half past nine"]
    # Who is told that the list changes soon is told of these leads, too.
    page.evaluate("state.next_at = new Date(Date.now() + behind + 60_000).toISOString(); showNews()")
    expect(page.locator("#news")).to_contain_text("Put off to later: 1.")


def test_a_time_that_has_passed_is_not_filled_in_again(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS, timezone="UTC")
    page.clock.install(time="2026-11-27T18:00:00Z")
    page.reload()
    page.wait_for_load_state("networkidle")
    in_two_hours = "state.next_at = new Date(Date.now() + behind + 2 * 3_600_000).toISOString()"
    page.evaluate(in_two_hours)
    put_off(page, NUMBERS[0], "ask for Eva", "18:10")
    put_off(page, NUMBERS[1], "", "19:30")
    page.clock.fast_forward(11 * 60_000)
    page.evaluate(in_two_hours)
    row = row_of(page, NUMBERS[0])
    button, time = row.get_by_role("button", name="Later, on this list"), row.get_by_label("Time of day")
    row.get_by_text("More").click()
    expect(row.get_by_label("Note")).to_have_value("ask for Eva")
    expect(time).to_have_value("")
    # Before, 18:10 went to tomorrow, when the lead is perhaps somebody else's.
    button.click()
    assert later(page) == ["2 19:30", "1 ask for Eva"]
    # The deal is earlier now, so that the time of the other one is too late, whether More was open before or not.
    row = row_of(page, NUMBERS[1])
    button, time = row.get_by_role("button", name="Later, on this list"), row.get_by_label("Time of day")
    row.get_by_text("More").click()
    expect(time).to_have_value("19:30")
    page.evaluate("state.next_at = new Date(Date.now() + behind + 60 * 60_000).toISOString()")
    button.click()
    expect(row).to_contain_text("The list changes at 19:1")
    expect(button).to_be_disabled()
    assert later(page) == ["2 19:30", "1 ask for Eva"]
    row.get_by_text("More").click()
    row.get_by_text("More").click()
    expect(time).to_have_value("")
    expect(button).to_be_enabled()
    # An outcome empties the form, and with it what was refused.
    time.fill("19:40")
    expect(button).to_be_disabled()
    with page.expect_response("**/outcomes"):
        row.get_by_role("button", name="Wrong number").click()
    row.get_by_role("button", name="Change").click()
    row.get_by_text("More").click()
    expect(time).to_have_value("")
    expect(button).to_be_enabled()
    # The minute of the deal is too late, although the clocks differ by some milliseconds.
    page.evaluate("state.next_at = new Date(Date.parse('2026-11-27T19:50:00Z') + behind + 5).toISOString()")
    time.fill("19:49")
    expect(button).to_be_enabled()
    time.fill("19:50")
    expect(button).to_be_disabled()
    for _ in range(2):
        row.get_by_role("button", name="Change").click()
    expect(button).to_be_enabled()


def test_a_lead_goes_back_to_its_place_with_its_note(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS, timezone="UTC")
    toast = page.locator("#toast")
    put_off(page, NUMBERS[1], "ask for Eva", "23:59")
    expect(toast.locator("i")).to_have_text("23:59 · Later, on this list · ask for Eva")
    put_off(page, NUMBERS[2], "")
    row = row_of(page, NUMBERS[1])
    note = row.locator(".put-off")
    before = later(page)
    row.get_by_role("button", name="Back to the list").click()
    toast.get_by_role("button", name="Undo").click()
    assert later(page) == before
    # What is undone is not undone twice.
    expect(toast).to_contain_text("Taken back")
    expect(toast.get_by_role("button")).to_have_count(0)
    row.get_by_role("button", name="Back to the list").click()
    row_of(page, NUMBERS[2]).get_by_role("button", name="Back to the list").click()
    for _ in range(2):
        # The note is kept on the phone, and the number is what calls.
        assert later(page) == []
        expect(note).to_have_text("ask for Eva")
        expect(row_of(page, NUMBERS[2]).locator(".put-off")).to_have_count(0)
        assert row.evaluate("row => [...row.parentElement.children].indexOf(row)") == 1
        page.reload()
        page.wait_for_load_state()
    row.get_by_text("More").click()
    expect(row.get_by_label("Note")).to_have_value("ask for Eva")
    fits(page, 360)
    axe(page)
    shoot(page, "own-list-back-in-place")
    # To put it off again, and to undo that, keeps it, too.
    row.get_by_role("button", name="Later, on this list").click()
    assert later(page) == ["2 ask for Eva"]
    toast.get_by_role("button", name="Undo").click()
    expect(note).to_have_text("ask for Eva")
    expect(toast).to_contain_text("Taken back")
    expect(toast.get_by_role("button")).to_have_count(0)


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
    with page.expect_response("**/outcomes"):
        page.get_by_role("button", name="Undo").click()
    for tab in (page, other):
        expect(tab.locator("#later-ones li")).to_have_count(0)
        says(tab, 5, 1)
    assert kept(database) == [("1", "no_answer"), ("1", "no_answer taken back")]
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


def test_only_leads_that_can_be_called_are_due(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS, timezone="UTC")
    page.clock.install(time="2026-11-27T18:00:00Z")
    page.reload()
    page.wait_for_load_state("networkidle")
    put_off(page, NUMBERS[0], "", "18:10")
    put_off(page, NUMBERS[1], "", "18:10")
    page.clock.fast_forward(11 * 60_000)
    due = page.locator("#due")
    expect(due).to_have_text("2 to call nowShow")
    # A search that hides the lead ends.
    page.get_by_label("Find a number").fill("9999")
    due.get_by_role("button").click()
    expect(page.get_by_label("Find a number")).to_have_value("")
    expect(row_of(page, NUMBERS[0])).to_be_in_viewport()
    expect(page.locator("#lists li:visible")).to_have_count(6)
    # A lead that has left the list is not to call, and is not among those that go with the deal.
    add_do_not_contact(database.backend, NUMBERS[0])
    page.clock.run_for(30_000)
    expect(row_of(page, NUMBERS[0])).to_have_class(re.compile("has-left"))
    expect(due).to_have_text(f"Call at 18:10: …{NUMBERS[1][-4:]}Show")
    page.evaluate("state.next_at = new Date(Date.now() + behind + 60_000).toISOString(); state.leads = 6; showNews()")
    expect(page.locator("#news")).to_contain_text("Put off to later: 1.")
    # The list is replaced.
    deal_again(database)
    page.clock.run_for(30_000)
    expect(page.locator("#news")).to_contain_text("There is a new list")
    expect(due).to_be_empty()
