"""Each page of the dashboard, on a narrow and a wide screen, light and dark, with and without scripts."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from agent_funnel.access.links import make_link
from agent_funnel.agents import add_limit
from agent_funnel.deal import deal, undo
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.imports import import_file
from agent_funnel.settings import load
from support import LONG
from support.dashboard import Dashboard, axe, fits, shoot
from support.databases import TestedDatabase, seed_tables

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
AGENT = "agent 1"


def evening(database: TestedDatabase) -> dict[str, str]:
    """Makes a floor on which something of everything has happened; returns the addresses of its pages by name."""
    seed_tables(database, leads=60, agents=5)
    today = datetime.now(UTC).date()
    backend = database.backend
    add_limit(backend, AGENT, starts_on=today, ends_on=today + timedelta(days=2), max_records=5)
    add_limit(backend, "agent 2", starts_on=today + timedelta(days=1), ends_on=None, max_records=0)
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent = 'agent 4'")
    first = deal(backend, load(), business_date=today - timedelta(days=1), trigger="schedule")
    undone = deal(backend, load(), business_date=today, again=True)
    undo(backend, actor="http: the operator")
    last = deal(backend, load(), business_date=today, trigger="schedule")
    add_do_not_contact(backend, "+49300000007", "asked us")
    for back, outcome in {2: "missed", 3: "failed", 4: "holiday", 5: "paused"}.items():
        day = today - timedelta(days=back)
        database.execute(
            "INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at) VALUES (%s, %s, %s)",
            day.isoformat(), outcome, f"{day} 23:40:00",
        )  # fmt: skip
    imported = import_file(backend, "leads", BytesIO(b"number,date\n+49300000777,2026-11-20\n"), name="fair.csv")
    _, secret = make_link(backend, "agent 0", actor="the operator")
    return {
        "tonight": "/",
        "call-backs": "/call-backs",
        "results": "/results",
        "runway": "/runway",
        "deal": "/run-now",
        "preview": "/run-now/preview",
        "runs": "/runs",
        "run": f"/runs/{last.run_id}",
        "run-undone": f"/runs/{undone.run_id}",
        "undo": f"/runs/{last.run_id}/undo",
        "undo-refused": f"/runs/{first.run_id}/undo",
        "letter": f"/runs/{last.run_id}/letter",
        "night": f"/nights/{today}",
        "night-missed": f"/nights/{today - timedelta(days=2)}",
        "agents": "/agents",
        "agent": f"/agents/of?agent={AGENT}",
        "agent-list": f"/agents/list?agent={AGENT}",
        "calendar": "/calendar",
        "calendar-public": "/calendar/public?country=BR&region=SP&year=2027",
        "do-not-contact": "/do-not-contact?number=%2B49300000007",
        "links": "/agents/links",
        "hand-back": f"/agents/hand-back?agent={AGENT}",
        "leads": "/leads?number=%2B49%203000%200000",
        "leads-found": "/leads?number=0049%20300000%20007",
        "leads-stage": "/leads?stage=4",
        "lead": "/leads/of?number=%2B49300000007",
        "lead-to-call": "/leads/of?number=%2B49300000008",
        "import": "/leads/import",
        "import-limits": "/limits/import",
        "imports": "/imports",
        "import-record": f"/imports/{imported.import_id}",
        "import-undo": f"/imports/{imported.import_id}/undo",
        "notices": "/notices",
        "start": "/start",
        "settings": "/settings",
        "audit": "/audit",
        "keys": "/keys",
        "mine": f"/mine/{secret}",
    }


@pytest.mark.parametrize(("colours", "width"), VIEWS)
def test_everybody_can_read_each_page(
    dashboard: Dashboard, database: TestedDatabase, colours: Literal["light", "dark"], width: int
) -> None:
    pages = evening(database)
    page = dashboard.page(color_scheme=colours, viewport=(width, 900))
    for name, path in pages.items():
        if (colours, width) == ("light", 1440) and not ALL_VIEWS and name in ALIKE:
            continue
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("main")).to_be_visible()
        # Wait until the parts that load later are there.
        expect(page.locator("main [aria-busy=true]")).to_have_count(0)
        fits(page, width)
        axe(page)
        shoot(page, f"{name}-{width}-{colours}")


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


def test_without_scripts_each_page_reads_the_same(dashboard: Dashboard, database: TestedDatabase) -> None:
    pages = evening(database)
    scripted, plain = dashboard.page(), dashboard.page(java_script_enabled=False)
    # Only a script adds text to these: a preview that loads automatically, the time of the last refresh.
    own = ("deal", "tonight")
    for name, path in pages.items():
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
    """The text of a page, without the buttons that only work with scripts, and what a script says before a deal."""
    words: str = page.evaluate(
        """() => {
            const main = document.querySelector("main").cloneNode(true);
            main.querySelectorAll("button[type=button], noscript, #news").forEach((each) => each.remove());
            return main.textContent.replace(/\\s+/g, " ").replace(/\\d+ (s|min)\\b/g, "");
        }"""
    )
    return words
