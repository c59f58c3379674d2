"""Each page of the dashboard, on a narrow and a wide screen, light and dark, with and without scripts."""

from __future__ import annotations

import os
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from agent_funnel.settings_types import LANGUAGES
from support import LONG
from support.dashboard import PHONE, Dashboard, axe, fits, shoot
from support.databases import TestedDatabase
from support.evening import evening

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# Screenshots are taken of every combination; without them, one theme for each width is enough.
ALL_VIEWS = LONG or bool(os.environ.get("FUNNEL_TEST_SCREENSHOTS"))
VIEWS: list[tuple[Literal["light", "dark"], int]] = [("light", 1440), ("dark", 360)]
if ALL_VIEWS:
    VIEWS += [("dark", 1440), ("light", 360)]
# Pages with the same template as another one; of these, the short version looks at the narrow ones only.
ALIKE = (
    "run-undone",
    "undo-refused",
    "night-missed",
    "leads-found",
    "leads-stage",
    "imports",
    "import-limits",
    "calendar-public",
    "notices",
    "start",
)


@pytest.mark.parametrize(("colours", "width"), VIEWS)
def test_everybody_can_read_each_page(
    dashboard: Dashboard, database: TestedDatabase, colours: Literal["light", "dark"], width: int
) -> None:
    pages = evening(database)
    page = dashboard.page(color_scheme=colours, viewport=(width, 900))
    for place, (name, path) in enumerate(pages.items()):
        if (colours, width) == ("light", 1440) and not ALL_VIEWS and name in ALIKE:
            continue
        # Texts are longer in some languages. Without screenshots, each page and width has one of them.
        for language in LANGUAGES if ALL_VIEWS else [LANGUAGES[(place + width) % len(LANGUAGES)]]:
            dashboard.speak(page, language)
            page.goto(path)
            expect(page.locator(f"html[lang|={language.split('-')[0]}]")).to_have_count(1)
            expect(page.get_by_role("heading", level=1)).to_have_count(1)
            expect(page.get_by_role("main")).to_be_visible()
            # Wait until the parts that load later are there.
            expect(page.locator("main [aria-busy=true]")).to_have_count(0)
            fits(page, width)
            # Accessibility is a matter of the template, which is the same in all languages.
            if (name not in ALIKE or ALL_VIEWS) and language in ("en", LANGUAGES[(place + width) % len(LANGUAGES)]):
                axe(page)
            shoot(page, f"{name}-{width}-{colours}-{language}")


def test_no_table_of_a_phone_scrolls_sideways_in_any_language(dashboard: Dashboard, database: TestedDatabase) -> None:
    pages = evening(database)
    page = dashboard.page(viewport=(PHONE, 900))
    tables = set()
    for place, (name, path) in enumerate(pages.items()):
        # German words are the longest. In the short version, each page has one other language, too.
        for language in LANGUAGES if LONG else dict.fromkeys(("de", LANGUAGES[place % len(LANGUAGES)])):
            dashboard.speak(page, language)
            page.goto(path)
            expect(page.locator(f"html[lang|={language.split('-')[0]}]")).to_have_count(1)
            if not page.locator("table").count():
                break
            fits(page, PHONE)
            tables.add(name)
            # Each cell of a card has the word of its column, which is no longer above it.
            for cell in page.locator(".stacked > tbody > tr > td:not(.wide, .head)").all()[:12]:
                assert cell.get_attribute("data-label"), (name, cell.inner_text())
    # The check of a file, with bad rows, and the audit, which then has an entry.
    page.goto("/leads/import")
    rows = f"Telefonnummer,Anrufe bisher,Datum\n{'4' * 12},1,2026-01-01\n{'x' * 60},9,2026-01-01\n"
    page.locator("input[type=file]").set_input_files(
        {"name": "leads.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.locator("main form button").first.click()
    expect(page.locator(".table.tall table")).to_be_visible()
    fits(page, PHONE)
    page.goto("/audit")
    expect(page.locator("table.audit")).to_be_visible()
    fits(page, PHONE)
    assert {"runs", "leads-found", "lead", "imports", "call-backs", "agent-list", "links"} <= tables


def test_agents_fit_a_phone_in_each_language(dashboard: Dashboard, database: TestedDatabase) -> None:
    address = evening(database)["agents"]
    page = dashboard.page(viewport=(360, 900))
    for language in LANGUAGES:
        dashboard.speak(page, language)
        page.goto(address)
        expect(page.locator(f"html[lang|={language.split('-')[0]}]")).to_have_count(1)
        fits(page, 360)
        # Nor does the table go past the text above it, which the page alone would not tell.
        sides = page.evaluate(
            "['table.agents', 'h1'].map((each) => document.querySelector(each).getBoundingClientRect().right)"
        )
        assert sides[0] <= sides[1] + 1, language


def test_no_word_beside_a_bar_of_tonight_is_broken_on_a_phone(dashboard: Dashboard, database: TestedDatabase) -> None:
    address = evening(database)["tonight"]
    page = dashboard.page(viewport=(360, 900))
    for language in LANGUAGES:
        dashboard.speak(page, language)
        page.goto(address)
        expect(page.locator(f"html[lang|={language.split('-')[0]}]")).to_have_count(1)
        expect(page.locator("#funnel ~ .shares .name")).to_have_count(3)
        fits(page, 360)
        # A word on two lines has two boxes.
        broken = page.evaluate(
            """[...document.querySelectorAll('#funnel ~ .shares .name')].flatMap((name) => {
                const text = name.firstChild, words = [...text.data.matchAll(/[^\\s-]+/g)];
                return words.filter((word) => {
                    const range = document.createRange();
                    range.setStart(text, word.index);
                    range.setEnd(text, word.index + word[0].length);
                    return range.getClientRects().length > 1;
                }).map((word) => word[0]);
            })"""
        )
        assert broken == [], language


def test_a_phone_shows_what_a_table_answers_without_scrolling(dashboard: Dashboard, database: TestedDatabase) -> None:
    pages = evening(database)
    page = dashboard.page(viewport=(360, 900))
    for name, words in (
        ("runs", ("yesterday", "60", "15", "✓ dealt", "deal ")),
        ("imports", ("fair.csv", "leads,", "today,")),
        ("call-backs", ("after six",)),
        ("results", ("Won", "Dealt")),
        ("audit", ("Add an agent: Natália", "✓ done", "the admin, today")),
    ):
        if name == "audit":
            page.goto(pages["agents"])
            page.get_by_label("Name", exact=True).fill("Natália")
            page.get_by_role("button", name="Add", exact=True).click()
        page.goto(pages[name])
        row = page.get_by_role("main").get_by_role("table").first
        for text in words:
            box = row.get_by_text(text).locator("visible=true").first.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= 360 - box["width"], (name, text)


def test_a_phone_has_the_first_lead_that_is_found_on_its_first_screen(
    dashboard: Dashboard, database: TestedDatabase
) -> None:
    pages = evening(database)
    page = dashboard.page(viewport=(360, 780))
    for language in LANGUAGES:
        dashboard.speak(page, language)
        for name in ("leads-found", "leads-stage"):
            page.goto(pages[name])
            expect(page.locator(".leads tbody th").first).to_be_in_viewport(ratio=1)
            fits(page, 360)
            shoot(page, f"{name}-phone-{language}")
        # And the three amounts of a deal, with its number.
        page.goto(pages["runs"])
        shoot(page, f"runs-phone-{language}")
        for cell in page.locator(".runs tbody tr").first.locator("td.amount:visible").all()[:3]:
            box = cell.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 344, language
        page.goto(pages["imports"])
        shoot(page, f"imports-phone-{language}")


def test_without_keys_and_without_data_each_page_says_what_to_do_next(dashboard: Dashboard) -> None:
    page = dashboard.page(role=None, viewport=(360, 900))
    for name, path, words in (
        ("tonight", "/", "There was no deal yet"),
        ("preview", "/run-now/preview", "A deal is not possible now"),
        ("runs", "/runs", "There was no deal yet"),
        ("agents", "/agents", "agent"),
        ("leads", "/leads", "mport"),
        ("keys", "/keys", "first"),
        ("audit", "/audit", "There are no entries yet"),
    ):
        page.goto(path)
        expect(page.get_by_role("main")).to_contain_text(words)
        fits(page, 360)
        axe(page)
        shoot(page, f"empty-{name}")
    # The row has room for some pages; the menu has the others.
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_text("More", exact=True).click()
    for name in ("Tonight", "Deals", "Results", "Agents", "Calendar", "Leads", "Notices", "Settings", "Audit", "Keys"):
        expect(pages.get_by_role("link", name=name, exact=True)).to_be_visible()
    fits(page, 360)
    axe(page)
    page.keyboard.press("Escape")
    expect(pages.get_by_role("link", name="Keys", exact=True)).to_be_hidden()


def test_without_scripts_each_page_reads_the_same(dashboard: Dashboard, database: TestedDatabase) -> None:
    pages = evening(database)
    scripted, plain = dashboard.page(), dashboard.page(java_script_enabled=False)
    # Only a script adds text to these: a preview that loads automatically, the time of the last refresh.
    own = ("deal", "tonight")
    for place, (name, path) in enumerate(pages.items()):
        # Another test reads all pages without a browser.
        if not LONG and place % 3 and name not in ("run", "agent", "lead", "mine"):
            continue
        plain.goto(path)
        expect(plain.get_by_role("heading", level=1)).to_be_visible()
        # These four have times, forms and buttons for scripts; the other pages have no others.
        if (LONG and name not in own) or name in ("run", "agent", "lead", "mine"):
            scripted.goto(path)
            assert _words(plain) == _words(scripted), path
    plain.goto("/")
    expect(plain.get_by_role("heading", name="What agents have now")).to_be_visible()
    plain.goto("/run-now")
    plain.get_by_role("button", name="See the preview").click()
    expect(plain.get_by_role("heading", name="Preview")).to_be_visible()


def _words(page: Page) -> str:
    """The text of a page, without the buttons that only work with scripts, and what a script says of the moment."""
    words: str = page.evaluate(
        """() => {
            const main = document.querySelector("main").cloneNode(true);
            main.querySelectorAll("button[type=button], noscript, #news, #where").forEach((each) => each.remove());
            return main.textContent.replace(/\\s+/g, " ").replace(/\\d+ (s|min)\\b/g, "");
        }"""
    )
    return words
