"""Tonight tells the deal that its headline is about, once, and the next deal as the next one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

import pytest

from agent_funnel.agents import add_agent, add_limit
from agent_funnel.schedule.store import add_holiday, pause
from support.databases import TestedDatabase
from support.nights import active_agents, deal_today, fresh, put_agents, put_leads
from support.pages import Page, reader_at
from support.stepped import SteppedClock

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TODAY = datetime.now(UTC).date()
DUE = datetime.combine(TODAY, time(20, 40), UTC)
MORNING = datetime.combine(TODAY, time(8), UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
VERDICT = r"Fair: 1 agent got \d+; agent 1 \(1\) by limit; agent 2 away\."
NEXT = r"%s: as things stand, \d+ leads, \d+ each, with the same exceptions\."


@pytest.fixture
def floor(database: TestedDatabase) -> TestedDatabase:
    """A floor where one agent has a limit, and another one is away."""
    put_agents(database, active_agents("agent 0", "agent 1", "agent 2"))
    put_leads(database, fresh(12, start=100))
    for name, most in (("agent 1", 1), ("agent 2", 0)):
        add_limit(database.backend, name, starts_on=TODAY - 2 * DAY, ends_on=None, max_records=most)
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s", f"{TODAY - DAY} 00:00:00.000")
    return database


def looked(database: TestedDatabase, *moments: datetime) -> None:
    clock = SteppedClock(database.backend)
    for moment in moments:
        clock.look(moment)


def dealt_at(database: TestedDatabase, moment: datetime) -> None:
    """Makes a deal by hand at this moment."""
    run = deal_today(database)
    at = moment.strftime("%Y-%m-%d %H:%M:%S.000")
    database.execute(
        "UPDATE dbo.assignment_run SET started_at = %s, finished_at = %s WHERE run_id = %s", at, at, run.run_id
    )


def told(page: Page, begin: str, night: str) -> None:
    """The page tells the deal after this begin, and nowhere else, and then the deal of that night, if it tells one."""
    then = r".* " + NEXT % night if night else ""
    assert re.search(begin + VERDICT + then, page.text), page.text
    assert page.text.count("by limit;") == 1, page.text
    assert page.text.count("Fair: ") == 1, page.text


def test_the_headline_tells_the_amounts_and_the_verdict_of_tonights_deal(floor: TestedDatabase) -> None:
    looked(floor, DUE)
    page = reader_at(floor, DUE + MINUTE).get("/")
    told(page, r"Tonight’s deal is done\. 12 leads to 2 agents at \d\d:\d\d \. ", "Tomorrow")
    add_holiday(floor.backend, TODAY + DAY, "Natal")
    told(reader_at(floor, DUE + MINUTE).get("/"), "", "The next deal")


def test_the_box_tells_a_deal_that_made_up_for_a_night(floor: TestedDatabase) -> None:
    looked(floor, DUE - DAY + 4 * HOUR)
    dealt_at(floor, DUE - 12 * HOUR)
    page = reader_at(floor, DUE - 11 * HOUR).get("/")
    told(
        page, r"was missed; somebody made up for it today at 08:40 \( deal \d+ \)\. 12 leads to 2 agents\. ", "Tonight"
    )


def test_a_deal_that_made_up_for_a_night_says_so_where_it_is_listed(floor: TestedDatabase) -> None:
    looked(floor, DUE - DAY + 4 * HOUR)
    dealt_at(floor, DUE - 12 * HOUR)
    other = deal_today(floor)
    night = TODAY - DAY
    reader = reader_at(floor, DUE - 11 * HOUR)
    listed = rf"makes up for {night:%a},? {night.day} {night:%b}\b"
    assert len(re.findall(listed, reader.get("/runs").text)) == 1
    assert len(re.findall(listed, reader.get("/runs?sort=assigned").text)) == 1
    run_id = other.run_id - 1
    assert re.search(rf"It makes up for {night:%A},? {night.day} {night:%B} ?\.", reader.get(f"/runs/{run_id}").text)
    assert "makes up for" not in reader.get(f"/runs/{other.run_id}")


def test_the_headline_tells_the_deal_that_made_up_for_tonight(floor: TestedDatabase) -> None:
    looked(floor, DUE + 4 * HOUR)
    dealt_at(floor, DUE + 2 * HOUR)
    page = reader_at(floor, DUE + 3 * HOUR + MINUTE).get("/")
    told(page, r"Somebody made up for it today at 22:40 \( deal \d+ \)\. 12 leads to 2 agents\. ", "")


def test_a_deal_by_hand_after_tonights_is_told_below(floor: TestedDatabase) -> None:
    looked(floor, DUE)
    dealt_at(floor, DUE + HOUR)
    page = reader_at(floor, DUE + 2 * HOUR).get("/")
    assert re.search(r"Tonight’s deal is done\. Deal \d+ , for the night of ", page.text), page.text
    assert re.search(r"What agents have now From deal \d+ , .* 21:40 : 12 leads to 2 agents\. Fair: ", page.text), (
        page.text
    )


def test_the_exceptions_of_the_last_deal_are_not_named_again_for_the_next_one(floor: TestedDatabase) -> None:
    looked(floor, DUE - DAY)
    for paused in (False, True):
        page = reader_at(floor, MORNING).get("/")
        assert re.search(VERDICT, page.text), paused
        begin = r"If they are resumed before [^:]+:\S+ : " if paused else "Tonight: as things stand, "
        assert re.search(rf"{begin}\d+ leads, \d+ each, with the same exceptions\.", page.text), page.text
        assert "agent 2 is away" not in page
        pause(floor.backend, now=MORNING, actor=None, reason=None)
    add_agent(floor.backend, "agent 3", active=True)
    add_limit(floor.backend, "agent 3", starts_on=TODAY, ends_on=None, max_records=0)
    assert "; agent 1 (1) by limit; agent 2 and agent 3 away." in reader_at(floor, MORNING).get("/")
