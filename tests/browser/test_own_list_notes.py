"""Notes of leads on an agent's own list, which wait on the phone until an outcome takes them along."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase
from support.outcomes import deal_again
from support.own_list import NUMBERS, open_list, put_off, row_of, says, text_of

# Pages are the same on both engines.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_the_note_of_a_lead_goes_along_with_its_outcome(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS)
    for number in NUMBERS[:4]:
        put_off(page, number, "ask for Eva")
    row_of(page, NUMBERS[1]).get_by_role("button", name="Back to the list").click()
    # More was not opened; it was opened and closed; and the note was emptied, with More still open, and closed again.
    row_of(page, NUMBERS[1]).get_by_text("More").click()
    row_of(page, NUMBERS[1]).get_by_text("More").click()
    for number in NUMBERS[2:4]:
        row_of(page, number).get_by_text("More").click()
        row_of(page, number).get_by_label("Note").fill("")
    expect(row_of(page, NUMBERS[2]).locator(".put-off strong")).to_be_empty()
    for number in NUMBERS[:4]:
        # No double tap: the next row comes under the finger.
        page.wait_for_timeout(450)
        with page.expect_response("**/outcomes"):
            row_of(page, number).get_by_role("button", name="Talked").click()
    said = [text_of(row_of(page, number).locator(".said")) for number in NUMBERS[:4]]
    assert said == ["Talked: ask for Eva", "Talked: ask for Eva", "Talked", "Talked"]
    assert database.execute("SELECT note FROM dbo.assignment_outcome ORDER BY number") == [
        ("ask for Eva",), ("ask for Eva",), (None,), (None,)
    ]  # fmt: skip
    # A change has the note of the outcome, and no other.
    row = row_of(page, NUMBERS[0])
    row.get_by_role("button", name="Change").click()
    row.get_by_text("More").click()
    row.get_by_label("Note").fill("")
    page.wait_for_timeout(450)
    row.get_by_role("button", name="Won").click()
    expect(row.locator(".said")).to_have_text("Won")


def test_a_note_waits_on_the_phone_for_its_outcome(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS)
    other = page.context.new_page()
    other.goto(page.url)
    page.bring_to_front()
    row = row_of(page, NUMBERS[0])
    row.get_by_text("More").click()
    row.get_by_label("Note").fill("after six")
    page.reload()
    for tab in (page, other):
        expect(row_of(tab, NUMBERS[0]).locator(".put-off")).to_have_text("after six")
    says(page, 6, 0)
    row.get_by_text("More").click()
    expect(row.get_by_label("Note")).to_have_value("after six")
    row.get_by_label("Note").fill("after seven")
    row.get_by_text("More").click()
    expect(row.locator(".put-off")).to_have_text("after seven")
    fits(page, 360)
    axe(page)
    shoot(page, "own-list-typed")
    with page.expect_response("**/outcomes"):
        row.get_by_role("button", name="No answer").click()
    expect(row.locator(".said")).to_have_text("No answer: after seven")
    # It comes back with the lead, and goes with the outcome, and with the list.
    page.get_by_role("button", name="Undo").click()
    expect(row.locator(".put-off")).to_have_text("after seven")
    page.wait_for_timeout(450)
    with page.expect_response("**/outcomes"):
        row.get_by_role("button", name="Won").click()
    row_of(page, NUMBERS[1]).get_by_text("More").click()
    row_of(page, NUMBERS[1]).get_by_label("Note").fill("of this list")
    row.get_by_role("button", name="Take back").click()
    expect(row.locator(".put-off")).to_have_count(0)
    deal_again(database)
    page.reload()
    expect(page.locator(".put-off")).to_have_count(0)
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('-row '))") == []
    other.close()
