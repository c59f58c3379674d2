"""The rows of an agent's own list on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase
from support.outcomes import deal_again
from support.own_list import MANY, NUMBERS, kept, open_list, row_of, says, text_of

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


def test_an_outcome_is_changed_in_its_place_and_counts_once(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS)
    for index, outcome in enumerate(("No answer", "Does not want to be called", "Talked")):
        row = row_of(page, NUMBERS[index])
        row.get_by_text("More").click()
        row.get_by_label("Note").fill("after six")
        with page.expect_response("**/outcomes"):
            row.get_by_role("button", name=outcome).click()
    # There is a connection, there is none, and the outcome itself has not been sent.
    place = "row => [...row.parentElement.children].indexOf(row)"
    row = row_of(page, NUMBERS[0])
    row.get_by_role("button", name="Change").click()
    axe(page)
    with page.expect_response("**/outcomes"):
        row.get_by_role("button", name="Won").click()
    expect(row.locator(".said")).to_have_text("Won: after six")
    assert row.evaluate(place) == 2
    page.context.set_offline(True)
    row = row_of(page, NUMBERS[1])
    row.get_by_role("button", name="Change").click()
    shoot(page, "own-list-change")
    row.get_by_role("button", name="No answer").click()
    expect(row.locator("a.tel")).to_have_attribute("href", re.compile("tel:"))
    row_of(page, NUMBERS[3]).get_by_role("button", name="No answer").click()
    row = row_of(page, NUMBERS[3])
    row.get_by_role("button", name="Change").click()
    row.get_by_role("button", name="Talked").click()
    says(page, 2, 4)
    page.context.set_offline(False)
    expect(page.locator("#waiting")).to_be_empty()
    assert kept(database) == [
        ("1", "no_answer taken back"), ("1", "won"), ("2", "no_answer"), ("2", "opted_out taken back"), ("3", "talked"),
        ("4", "talked"),
    ]  # fmt: skip
    expect(page.locator(".refusal:visible")).to_have_count(0)
    page.reload()
    says(page, 2, 4)
    expect(row_of(page, NUMBERS[1]).locator(".said")).to_have_text("No answer: after six")


def test_the_undo_of_a_change_restores_the_outcome_before_it(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS)
    outcomes = ("Does not want to be called", "In a week", "No answer")
    said = []
    for number, outcome in zip(NUMBERS, outcomes, strict=False):
        row = row_of(page, number)
        row.get_by_text("More").click()
        row.get_by_label("Note").fill("after “six”")
        row.get_by_label("I call back myself").check()
        with page.expect_response("**/outcomes"):
            row.get_by_role("button", name=outcome).click()
        said.append(text_of(row.locator(".said")))
    before = database.execute("SELECT number, outcome, call_back_on, same_agent, note FROM dbo.assignment_outcome")
    page.reload()
    page.wait_for_load_state("networkidle")
    for step, number in enumerate(NUMBERS[:3]):
        row = row_of(page, number)
        # The last one without a connection.
        page.context.set_offline(step == 2)
        row.get_by_role("button", name="Change").click()
        row.get_by_text("More").click()
        row.get_by_label("Note").fill("")
        row.get_by_role("button", name="Won").click()
        expect(row.locator(".said")).to_have_text("Won")
        page.locator("#toast").get_by_role("button", name="Undo").click()
        expect(row.locator(".said")).to_have_text(said[step])
        says(page, 3, 3)
        page.wait_for_timeout(450)
    page.context.set_offline(False)
    expect(page.locator("#waiting")).to_be_empty()
    query = """SELECT number, outcome, call_back_on, same_agent, note FROM dbo.assignment_outcome
      WHERE taken_back_at IS NULL"""
    page.wait_for_load_state("networkidle")
    assert sorted(map(str, database.execute(query))) == sorted(map(str, before))
    expect(page.locator(".refusal:visible")).to_have_count(0)
    page.reload()
    says(page, 3, 3)
    assert [text_of(row_of(page, number).locator(".said")) for number in NUMBERS[:3]] == said


def test_a_number_is_found_among_all_and_shown_after_an_undo(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *MANY)
    shown = page.locator("#lists li:visible")
    for number, outcome in ((MANY[0], "Talked"), (MANY[17], "No answer")):
        with page.expect_response("**/outcomes"):
            row_of(page, number).get_by_role("button", name=outcome).click()
    page.evaluate("scrollTo(0, 1500)")
    field = page.get_by_label("Find a number")
    field.fill("27")
    # Also from the middle of the last four digits, which are 2727, and no row has these elsewhere.
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("No answer")
    expect(page.get_by_role("heading", name="First call")).to_be_hidden()
    fits(page, 360)
    axe(page)
    shoot(page, "own-list-found")
    field.fill("9999")
    expect(page.get_by_text("No number of this page ends like that.")).to_be_visible()
    field.fill("87121212")
    expect(shown).to_have_count(1)
    page.get_by_role("button", name="Show all numbers again").click()
    expect(shown).to_have_count(len(MANY))
    assert abs(page.evaluate("scrollY") - 1500) < 60
    row = row_of(page, MANY[17])
    row.get_by_role("button", name="Take back").click()
    expect(row).not_to_be_in_viewport()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(row).to_be_in_viewport()


def test_counts_and_notes_read_well_on_a_phone(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS, locale="pt-BR")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Al 6 para ligar · 0 feito")
    room = """field => {
      const style = getComputedStyle(field);
      const text = document.createElement("canvas").getContext("2d");
      text.font = style.font.replace(style.fontSize, getComputedStyle(field, "::placeholder").fontSize);
      const width = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      return width - text.measureText(field.placeholder).width;
    }"""
    assert page.locator("#find").evaluate(room) > 0
    for index, outcome, done in ((0, "won", "1 feito"), (1, "talked", "2 feitos")):
        row = row_of(page, NUMBERS[index])
        row.get_by_text("Mais").click()
        row.get_by_label("Observação").fill("depois das seis, falar com a esposa, " * 20)
        row.locator(f"button[value={outcome}]").click()
        expect(heading).to_have_text(f"Al {5 - index} para ligar · {done}")
    # The bar at the bottom has one line for the note, and one for the number.
    box = page.locator("#toast").bounding_box()
    assert box
    assert box["height"] < 70
    expect(page.locator("#toast")).to_contain_text("+55 11 92234-5678")
    # A number that is done still calls, and looks like it.
    colours = [row_of(page, NUMBERS[i]).locator("a.tel").evaluate("e => getComputedStyle(e).color") for i in (0, 5)]
    assert colours[0] == colours[1]
    fits(page, 360)
    axe(page)
    page.reload()
    expect(heading).to_have_text("Al 4 para ligar · 2 feitos")


def test_without_a_connection_the_page_asks_not_to_be_reloaded(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS)
    waiting = page.locator("#waiting")
    expect(waiting).to_be_empty()
    page.context.set_offline(True)
    expect(waiting).to_have_text("No connection: do not reload this page.")
    row_of(page, NUMBERS[0]).get_by_role("button", name="Talked").click()
    expect(waiting).to_have_text(
        "No connection: do not reload this page. One report waits on this phone until there is a connection."
    )
    page.context.set_offline(False)
    expect(waiting).to_be_empty()
    assert kept(database) == [("1", "talked")]


def test_the_bar_at_the_top_says_which_call_this_is(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *MANY)
    where = page.locator("#where")
    expect(where).to_have_text("First call · 30 to call")
    row_of(page, MANY[0]).get_by_role("button", name="Talked").click()
    row_of(page, MANY[1]).get_by_role("button", name="Won").click()
    expect(where).to_have_text("First call · 28 to call")
    page.evaluate("document.getElementById('done-ones').scrollIntoView(); scrollBy(0, -100)")
    expect(where).to_have_text("First call · 28 to call")
    page.get_by_label("Find a number").fill("1010")
    expect(where).to_have_text("Done · 1")
    fits(page, 360)
    axe(page)
    shoot(page, "own-list-where")


def test_the_end_of_the_list_says_what_came_of_it(dashboard: Dashboard, database: TestedDatabase) -> None:
    page = open_list(dashboard, database, *NUMBERS[:4])
    for number, outcome in zip(NUMBERS, ("Talked", "Won", "No answer", "Won"), strict=False):
        with page.expect_response("**/outcomes"):
            row_of(page, number).get_by_role("button", name=outcome).click()
    end = page.locator(".all-done")
    expect(end).to_have_text("Every lead of this list is done. Won 2 · Talked 1 · No answer 1")
    row = row_of(page, NUMBERS[1])
    row.get_by_role("button", name="Change").click()
    with page.expect_response("**/outcomes"):
        row.get_by_role("button", name="Talked").click()
    for _ in range(2):
        expect(end).to_have_text("Every lead of this list is done. Won 1 · Talked 2 · No answer 1")
        page.reload()
    axe(page)


def test_rows_out_of_sight_are_found_and_printed(dashboard: Dashboard, database: TestedDatabase) -> None:
    many = tuple(f"+55119{80000000 + 7919 * index}" for index in range(150))
    page = open_list(dashboard, database, *many)
    is_skipped = "row => !row.querySelector('.tel').checkVisibility({ contentVisibilityAuto: true })"
    # By the search of the browser, and where a script leads to a row; each time another one, which is not laid out yet.
    ways = ("row => window.find(row.querySelector('.tel').textContent)", "row => showPlace(row)")
    for number, way in zip((many[90], many[120]), ways, strict=True):
        page.evaluate("scrollTo(0, 0)")
        row = row_of(page, number)
        page.wait_for_function(is_skipped, arg=row.element_handle())
        row.evaluate(way)
        expect(row.locator(".tel")).to_be_in_viewport()
    page.wait_for_function(
        """row => {
          const bar = document.querySelector(".progress").getBoundingClientRect();
          const below = row.getBoundingClientRect().top - bar.bottom;
          return Math.abs(below) < 4;
        }""",
        arg=row.element_handle(),
    )
    page.emulate_media(media="print")
    is_laid_out = "(row) => row.firstElementChild.checkVisibility({ contentVisibilityAuto: true })"
    page.wait_for_function(f"() => [...rows.values()].every({is_laid_out})")
