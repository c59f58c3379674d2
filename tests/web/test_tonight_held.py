"""The pages about a deal that a brake holds: it waits for a person, and has not failed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from agent_funnel.runs import list_runs
from agent_funnel.schedule.brakes import pool_in
from agent_funnel.schedule.nights import failure_reasons
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today
from support.pages import Reader, reader_at
from support.stepped import SteppedClock

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TODAY = datetime.now(UTC).date()
DUE = datetime.combine(TODAY, time(20, 40), UTC)
ONE_LEAD = "1 lead is ready to deal, but the median of the last 14 deals is 1,957."
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LAST_DUE, MORNING = DUE - DAY, datetime.combine(TODAY, time(8), UTC)


def held(database: TestedDatabase, *moments: datetime, leads: int = 5, usual: int = 1_957) -> SteppedClock:
    """The schedule, after it has looked at these moments, of which the first is that of a deal; a brake held it."""
    before = moments[0] - DAY
    seed_tables(database, leads=leads, agents=2)
    deal_today(database)
    database.execute("UPDATE dbo.wafunnel SET stage = 1")
    past = [("2026-05-01", "manual", "undone", 450, 45, 0, str(usual), "2026-05-01T20:40:00")] * 3
    columns = ("business_date", "[trigger]", "status", "max_per_agent", "window_days", "newest_first", "pool",
        "started_at")  # fmt: skip
    database.insert("assignment_run", columns, past)
    database.execute(
        "UPDATE dbo.assignment_run SET status = 'succeeded', agents = 1, per_agent = 1, assigned = 0, left_over = 0,"
        " duplicates = 0, suppressed = 0, smallest_share = 0, largest_share = 0,"
        " finished_at = '2026-05-01T20:40:01' WHERE status = 'undone'"
    )
    database.execute(
        "UPDATE dbo.assignment_run SET started_at = %s, finished_at = %s, business_date = %s WHERE assigned > 0",
        *[f"{before:%Y-%m-%d %H:%M:%S.000}"] * 2, str(before.date()),
    )  # fmt: skip
    installed = f"{before + DAY / 2:%Y-%m-%d %H:%M:%S.000}"
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s", installed)
    clock = SteppedClock(database.backend, brake="pool")
    for moment in moments:
        clock.look(moment)
    return clock


def reader(database: TestedDatabase, moment: datetime, **settings: Any) -> Reader:
    return reader_at(database, moment, brake="pool", **settings)


def test_a_held_deal_waits_for_a_person_and_says_what_ends_that(database: TestedDatabase) -> None:
    held(database, DUE, DUE + MINUTE)
    page = reader(database, DUE + 2 * MINUTE).get("/")
    for words in (
        "Tonight’s deal waits for a person.",
        "5 leads to deal, but in the last 4 deals there were usually about 1,957. The service tries again "
        "every few minutes until 23:40 : if enough leads are ready then, it makes the deal. Otherwise somebody has to "
        "approve it.",
        "Agents still have the leads of",
        "Nobody was told.",
    ):
        assert words in page
    assert '<section class="headline late">' in page.source
    buttons = r'class="button primary"[^>]*>Import leads</a>\s*<a class="button"[^>]*>See the preview and approve<'
    assert re.search(buttons, page.source)
    assert page.text.index("Import leads") < page.text.index("Agents still have")
    for words in ("failed", "median", "Preview and deal now"):
        assert words not in page
    assert re.search(f"{TODAY.day} {TODAY:%b}[a-z]* {TODAY:%Y}: held", page.text)
    assert re.search(
        rf'<a class="held now"[^>]*>\s*<span aria-hidden="true">△</span>\s*<small[^>]*>{TODAY.day}<', page.source
    )


def test_the_night_the_list_and_the_deal_say_the_same(database: TestedDatabase) -> None:
    held(database, DUE, DUE + MINUTE)
    run = list_runs(database.backend, count=1)[0].run_id
    browser = reader(database, DUE + 2 * MINUTE)
    because = "5 leads to deal, but in the last 4 deals there were usually about 1,957."
    night = browser.get(f"/nights/{TODAY}")
    assert f"It waits for a person: no leads moved. {because} The service tries again" in night
    assert "See the preview and approve" in night
    assert '<section class="headline late">' in night.source
    deals = browser.get("/runs")
    assert f"△ held 2 attempts {because}" in deals
    deal = browser.get(f"/runs/{run}")
    assert f"Deal {run} △ held" in deal
    assert f"Why it was held {because} Attempt 2." in deal
    assert "look at the preview, and approve the deal" in deal
    for page in (night, deals, deal):
        assert "failed" not in page
        assert "FUNNEL_BRAKE" not in page
    german = reader(database, DUE + 2 * MINUTE, language="de")
    for path in ("/", f"/nights/{TODAY}", "/runs", f"/runs/{run}"):
        page = german.get(path)
        assert "5 Leads zu verteilen; bei den letzten 4 Verteilungen waren es meist etwa 1.957." in page
        assert "Median" not in page


def test_a_viewer_has_no_button_that_only_operators_may_use(database: TestedDatabase) -> None:
    held(database, DUE)
    page = reader_at(database, DUE + MINUTE, "viewer", brake="pool").get("/")
    assert "An operator can approve the deal. See the preview" in page
    assert "and approve" not in page
    assert "Import leads" not in page


def test_whoever_deals_by_hand_approves_the_deal_that_waits(database: TestedDatabase) -> None:
    clock = held(database, DUE)
    browser = reader(database, DUE + MINUTE)
    preview = browser.get("/run-now/preview")
    approves = "which waits for a person. Whoever makes it here approves it."
    assert preview.text.index(approves) < preview.text.index("2 agents get 5 leads")
    browser.done("/deal", again="1", **preview.forms["/deal"])
    assert "Tonight’s deal is done." in browser.get("/")
    made = list_runs(database.backend, count=1)[0]
    assert (made.trigger, made.business_date, made.status) == ("schedule", TODAY, "succeeded")
    clock.look(DUE + 5 * MINUTE)
    assert list_runs(database.backend, count=1)[0].run_id == made.run_id


def test_enough_leads_before_the_end_of_the_window_end_the_wait(database: TestedDatabase) -> None:
    clock = held(database, DUE, usual=100)
    later = [(f"+4930001{index:04d}", 1, datetime.combine(TODAY, time())) for index in range(95)]
    database.insert("wafunnel", ("number", "stage", "date"), later)
    page = reader(database, DUE + MINUTE).get("/")
    assert "Nothing holds it any more: the service tries again every few minutes until 23:40 , and makes it" in page
    assert "Preview and deal now" in page
    clock.look(DUE + 5 * MINUTE)
    assert "Tonight’s deal is done." in reader(database, DUE + 6 * MINUTE).get("/")


def test_more_leads_than_usual_ask_for_an_approval_and_not_for_leads(database: TestedDatabase) -> None:
    held(database, DUE, leads=40, usual=3)
    page = reader(database, DUE + MINUTE).get("/")
    assert "if about as many leads as usual are ready then, it makes the deal. Otherwise" in page
    # The reason on record says it, too, while the forecast is still being counted.
    recorded = [failure_reasons(database.backend, TODAY)[0].held_because or "", ONE_LEAD]
    assert [(found.pool, found.usual, found.is_smaller) for text in recorded if (found := pool_in(text))] == [
        (40, 3, False), (1, 1_957, True)
    ]  # fmt: skip
    assert re.search(r'class="button primary"[^>]*>See the preview and approve<', page.source)
    assert "Import leads" not in page


def test_a_changed_procedure_that_holds_the_deal_has_a_sentence_of_its_own(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = "The procedure is not that of this version."
    monkeypatch.setattr("agent_funnel.schedule.brakes.changed_procedure", lambda database, now: changed)
    seed_tables(database)
    SteppedClock(database.backend, brake="procedure").look(DUE)
    page = reader_at(database, DUE + MINUTE, brake="procedure").get("/")
    assert "Tonight’s deal waits for a person." in page
    assert f"{changed} The service tries again every few minutes until 23:40 : if the procedure is that of this" in page
    assert re.search(r'class="button primary"[^>]*>See the preview and approve<', page.source)
    assert "Import leads" not in page


def test_the_morning_after_nobody_approved_it(database: TestedDatabase) -> None:
    held(database, LAST_DUE, LAST_DUE + MINUTE, LAST_DUE + timedelta(hours=4))
    night = LAST_DUE.date()
    browser = reader(database, MORNING)
    page = browser.get("/")
    for words in (
        "Last night’s deal was held, and nobody approved it.",
        "5 leads were ready at 20:41 ; usually there are about 1,957. Agents still have the leads of",
        "The service does not try this deal again. The next deal is due tonight at 20:40 .",
        "Import leads Preview and deal now",
        "As things stand, the next deal will wait, too.",
    ):
        assert words in page
    assert "failed" not in page
    assert '<section class="headline late">' in page.source
    assert re.search(f"{night.day} {night:%b}[a-z]* {night:%Y}: held", page.text)
    page = browser.get(f"/nights/{night}")
    assert "Held: nobody approved the deal, and no leads moved." in page
    assert "5 leads were ready at 20:41 ; usually there are about 1,957." in page
    assert "Import leads Preview and deal now" in page
    letter = browser.get(f"/nights/{night}/letter")
    assert "was held, and nobody approved it" in letter
    assert "A brake held the deal, and nobody approved it. No leads moved." in letter
    assert "in the last 4 deals there were usually about 1,957" in letter
    assert "failed" not in letter
    browser.done("/deal", again="1", **browser.get("/run-now/preview").forms["/deal"])
    assert "Last night’s deal was held; somebody on the server made up for it" in browser.get("/")
    for path in ("/", f"/nights/{night}"):
        assert "failed" not in browser.get(path)
