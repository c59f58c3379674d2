"""An agent's own list in a browser: a phone that has it open, its rows, and what it counts."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from agent_funnel.access.links import make_link
from support.dashboard import Dashboard
from support.databases import TestedDatabase
from support.outcomes import put_floor

NUMBERS = tuple(f"+55119{index}2345678" for index in range(1, 7))
# A list that is longer than a screen; the last four digits differ:
MANY = tuple(f"+5511987{index:02}{index:02}{index:02}" for index in range(10, 40))


def open_list(dashboard: Dashboard, database: TestedDatabase, *numbers: str, **context: Any) -> Page:
    """The list of Al, who has all these leads, on a phone."""
    put_floor(database, *numbers, agents=("Al",))
    path = f"/mine/{make_link(database.backend, 'Al')[1]}"
    phone = {"viewport": (360, 740), "has_touch": True, "is_mobile": True}
    page = dashboard.page(path, role=None, **{**phone, **context})
    page.wait_for_load_state()
    return page


def row_of(page: Page, number: str) -> Locator:
    """The row of a number."""
    return page.locator("li").filter(has=page.locator(f"input[name=number][value='{number}']"))


def kept(database: TestedDatabase) -> list[tuple[str, str]]:
    """All outcomes that the service ever got, and whether each was taken back."""
    return sorted(
        (number[6:7], outcome if taken_back_at is None else f"{outcome} taken back")
        for number, outcome, taken_back_at in database.execute(
            "SELECT number, outcome, taken_back_at FROM dbo.assignment_outcome"
        )
    )


def says(page: Page, to_call: int, done: int) -> None:
    """Checks what the page counts. The page has it before its script has run, so wait for that, too."""
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Al {to_call} to call · {done} done")
    page.wait_for_load_state()


def put_off(page: Page, number: str, note: str, time: str = "") -> None:
    """Puts a lead off with a note, and perhaps to a time of day."""
    row = row_of(page, number)
    row.get_by_text("More").click()
    row.get_by_label("Note").fill(note)
    row.get_by_label("Time of day (optional)").fill(time)
    row.get_by_role("button", name="Later, on this list").click()


def text_of(part: Locator) -> str:
    """What a part of a row says. innerText would be empty for a row that the browser has not had to paint yet."""
    return " ".join((part.text_content() or "").split())


def later(page: Page) -> list[str]:
    """The last digits of the leads under Later, in their order, each with its time and note."""
    rows = page.locator("#later-ones li").all()
    return [f"{text_of(row.locator('.tel'))[8]} {text_of(row.locator('.put-off strong'))}" for row in rows]
