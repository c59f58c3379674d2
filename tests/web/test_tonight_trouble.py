"""The Tonight page when the deal failed, was missed, is failing, is late or hangs: cause, remedy, and the repair."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from agent_funnel.agents import set_agent_status
from agent_funnel.deal import undo
from agent_funnel.errors import NoActiveAgent, RunError, RunInProgress
from agent_funnel.runs import RunRecord, list_runs
from agent_funnel.schedule.clock import Clock
from agent_funnel.schedule.skips import skip
from agent_funnel.schedule.store import add_holiday, record_failure
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today, put_agents
from support.pages import Page, Reader, reader_at, reader_of
from support.processes import run_in_progress
from support.stepped import SteppedClock

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TODAY = datetime.now(UTC).date()
DUE = datetime.combine(TODAY, time(20, 40), UTC)
LAST_DUE = DUE - timedelta(days=1)
MORNING = datetime.combine(TODAY, time(8), UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def floor(database: TestedDatabase) -> TestedDatabase:
    """A floor with four leads and nobody active, whose agents got their leads three days ago."""
    seed_tables(database, leads=4, agents=2)
    run = deal_today(database)
    database.execute(
        "UPDATE dbo.assignment_run SET business_date = %s, started_at = %s, finished_at = %s WHERE run_id = %s",
        str(TODAY - timedelta(days=3)), written(LAST_DUE - timedelta(days=2)), written(LAST_DUE - timedelta(days=2)),
        run.run_id,
    )  # fmt: skip
    database.execute("UPDATE dbo.agent_funnel_version SET installed_at = %s", written(LAST_DUE - 12 * HOUR))
    put_agents(database, [("agent 0", "inactive"), ("agent 1", "inactive")])
    return database


def written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.000")


def looked(database: TestedDatabase, *moments: datetime) -> SteppedClock:
    """The schedule, after it has looked at these moments."""
    clock = SteppedClock(database.backend)
    for moment in moments:
        clock.look(moment)
    return clock


def deal_by_button(reader: Reader) -> Page:
    """Deals by the button of the preview."""
    fields = reader.get("/run-now/preview").forms["/deal"]
    # Confirmed, since the true time may be just before that of the scheduled deal.
    return reader.done("/deal", again="1", **fields)


def newest(database: TestedDatabase) -> RunRecord:
    return list_runs(database.backend, count=1)[0]


def test_while_the_deal_fails_the_page_says_why_and_has_the_button_that_mends_it(floor: TestedDatabase) -> None:
    clock = looked(floor, DUE, DUE + MINUTE)
    reader = reader_at(floor, DUE + 2 * MINUTE)
    page = reader.get("/")
    for words in (
        "Tonight’s deal has failed so far.",
        "Why: no agent was active.",
        "2 attempts, from 20:40 to 20:41 , all with this reason.",
        "Agents still have the leads of",
        "3 days old. The service tries again until 23:40 .",
        "Nobody was told. Set up notices",
        "A deal would still fail now: no agent is active. 2 agents are inactive now.",
        "Activate agents",
    ):
        assert words in page
    assert "Preview and deal now" not in page
    assert re.search(f"{TODAY.day} {TODAY:%b}[a-z]* {TODAY:%Y}: failed", page.text), (
        "the strip says that it is still to come"
    )
    # The page of the night has the same remedy.
    assert "Failed so far: no leads moved." in (night := reader.get(f"/nights/{TODAY}"))
    assert "A deal would still fail now: no agent is active. 2 agents are inactive now. Activate agents" in night
    for agent in ("agent 0", "agent 1"):
        reader.done("/agents/activate", agent=agent)
    page = reader.get("/")
    assert "A deal would work now: 3 leads to 2 agents, 1 or 2 each." in page
    assert "Preview and deal now" in page
    assert "1 or 2 each. Preview and deal now" in reader.get(f"/nights/{TODAY}")
    assert f"This is the deal of {DUE:%A}" in reader.get("/run-now")
    page = deal_by_button(reader)
    assert "made by hand in place of the automatic deal" in page
    assert "Tonight’s deal is done." in reader.get("/")
    # So the schedule does not deal once more, and the records agree.
    assert (newest(floor).trigger, newest(floor).business_date) == ("schedule", TODAY)
    made = newest(floor).run_id
    clock.look(DUE + 3 * MINUTE)
    assert newest(floor).run_id == made
    night = reader.get(f"/nights/{TODAY}")
    assert f"Dealt by hand in place of the automatic deal: deal {made}" in night
    assert "Attempts that failed before" in night
    assert "Preview and deal now" not in night
    failed = list_runs(floor.backend, before=made, count=1)[0]
    assert f"A later attempt worked: deal {made}" in reader.get(f"/runs/{failed.run_id}")


def test_the_button_for_tonights_deal_deals_only_while_that_deal_waits(floor: TestedDatabase) -> None:
    put_agents(floor, [("agent 0", "active")])
    clock = SteppedClock(floor.backend)
    reader = reader_at(floor, DUE + 5 * MINUTE)
    fields = reader.get("/run-now/preview").forms["/deal"]
    assert fields["scheduled"] == str(TODAY)
    before = newest(floor).run_id
    page = reader_at(floor, DUE - HOUR).refused(409, "/deal", **fields)
    assert "no longer waits to be made. Nothing was changed" in page
    assert newest(floor).run_id == before
    clock.look(DUE + 5 * MINUTE)
    made = newest(floor).run_id
    reader.refused(409, "/deal", **{**fields, "idempotency_key": "another"})
    assert newest(floor).run_id == made


def test_a_failed_night_says_why_and_afterwards_who_made_up_for_it(floor: TestedDatabase) -> None:
    looked(floor, LAST_DUE, LAST_DUE + HOUR, LAST_DUE + 2 * HOUR, LAST_DUE + 4 * HOUR)
    failed = newest(floor).run_id
    for agent in ("agent 0", "agent 1"):
        set_agent_status(floor.backend, agent, active=True)
    reader = reader_at(floor, MORNING)
    page = reader.get("/")
    for words in (
        "Last night’s deal failed.",
        "Why: no agent was active.",
        "3 attempts, from 20:40 to 22:40",
        "The service does not try this deal again. The next deal is due tonight at 20:40 .",
        "A deal would work now: 3 leads to 2 agents, 1 or 2 each.",
        "Preview and deal now",
        "What agents have now 2 days old From deal ",
        ", made by hand, on ",
    ):
        assert words in page
    assert '<span class="mark old">' in page.source
    assert page.text.index("Preview and deal now") < page.text.index("Pause automatic deals")

    deal_by_button(reader)
    made = newest(floor).run_id
    assert newest(floor).trigger == "manual"
    page = reader.get("/")
    assert "The deal is due in 12 h 40 min" in page
    assert "Last night’s deal failed; somebody on the server made up for it today at " in page
    # The whole date is shown on hover, and on the focus of its link.
    assert re.search(
        r'<a href="/nights/[^"]*"><time datetime="[^"]*" title="[^"]*">Last night’s deal</time>', page.source
    )
    assert f": failed, made up for by deal {made}" in page
    assert '<span class="mark old">' not in page.source
    assert "But somebody on the server made up for it " in reader.get(f"/nights/{LAST_DUE.date()}")
    assert "Later, somebody on the server made up for it " in reader.get(f"/runs/{failed}")
    # An undo takes the repair back.
    undo(floor.backend)
    assert "Last night’s deal failed." in reader.get("/")
    assert "made up for it" not in reader.get(f"/nights/{LAST_DUE.date()}")


def test_a_failed_night_stays_in_sight_when_somebody_pauses_or_skips_the_next_deal(floor: TestedDatabase) -> None:
    looked(floor, LAST_DUE, LAST_DUE + 4 * HOUR)
    put_agents(floor, [("agent 0", "active")])
    reader = reader_at(floor, MORNING)
    mended_by = ("Last night’s deal failed.", "Why: ", "A deal would work now:", "Preview and deal now")
    skip(floor.backend, load(), TODAY, now=MORNING, actor="http: Ana")
    page = reader.get("/")
    for words in (*mended_by, "Tonight’s deal is skipped. Decided by Ana.", "Make tonight’s deal after all"):
        assert words in page
    reader.done("/pause", reason="stocktaking")
    page = reader.get("/")
    for words in (*mended_by, "Automatic deals are paused since", "stocktaking", "Resume automatic deals"):
        assert words in page
    assert "The next deal is due" not in page
    reader.done(f"/nights/{TODAY}/reopen")
    page = reader.get("/")
    assert all(words in page for words in mended_by)
    assert "is skipped" not in page
    deal_by_button(reader)
    assert "Automatic deals are paused." in reader.get("/")


def test_days_near_today_are_words_and_others_are_short(floor: TestedDatabase) -> None:
    looked(floor, LAST_DUE, LAST_DUE + 4 * HOUR)
    earlier = LAST_DUE - timedelta(days=2)
    reader = reader_at(floor, MORNING)
    page = reader.get("/")
    assert re.search(rf"Agents still have the leads of {earlier:%a},? {earlier.day} ", page.text)
    # The whole date is shown on hover, also where it is a word.
    whole = f'<time datetime="{LAST_DUE.date()}" title="{LAST_DUE:%A},? {LAST_DUE.day} {LAST_DUE:%B} {LAST_DUE.year}">'
    assert re.search(f"<h1>{whole}Last night’s deal</time> failed.", page.source)
    floor.execute("UPDATE dbo.assignment_run SET finished_at = %s WHERE status = 'succeeded'", written(LAST_DUE - HOUR))
    add_holiday(floor.backend, TODAY + timedelta(days=1), "Natal")
    put_agents(floor, [("agent 0", "active")])
    page = reader.get("/")
    assert "Agents still have the leads of yesterday at 19:40 , 12 h 20 min old." in page
    assert ", yesterday at 19:40 : " in page
    assert "The next deal is due tonight at 20:40 ." in page
    # The whole of it is shown on hover.
    assert f'title="{LAST_DUE:%A}' in page.source
    deal_today(floor)
    page = reader_at(floor, DUE - HOUR).get("/")
    assert "Next holiday: tomorrow (Natal)." in page


def test_the_next_nights_deal_does_not_make_up_for_a_failed_night(floor: TestedDatabase) -> None:
    looked(floor, LAST_DUE, LAST_DUE + 4 * HOUR)
    put_agents(floor, [("agent 0", "active")])
    looked(floor, DUE)
    page = reader_at(floor, DUE + MINUTE).get("/")
    assert "Tonight’s deal is done." in page
    assert "made up for by deal" not in page
    assert "made up for it" not in reader_at(floor, DUE).get(f"/nights/{LAST_DUE.date()}")


def test_a_night_that_was_made_up_for_before_midnight_says_so_at_once(floor: TestedDatabase) -> None:
    looked(floor, DUE, DUE + 4 * HOUR)
    put_agents(floor, [("agent 0", "active")])
    run = deal_today(floor)
    floor.execute(
        "UPDATE dbo.assignment_run SET finished_at = %s WHERE run_id = %s", written(DUE + 2 * HOUR), run.run_id
    )
    page = reader_at(floor, DUE + 3 * HOUR + MINUTE).get("/")
    assert "Tonight’s deal failed, and was made up for." in page
    assert f"Somebody made up for it today at 22:40 ( deal {run.run_id} )" in page
    assert "Preview and deal now" not in page
    assert '<section class="headline done">' in page.source


def test_a_deal_by_hand_while_the_schedule_still_tries_is_said(floor: TestedDatabase) -> None:
    looked(floor, DUE)
    put_agents(floor, [("agent 0", "active")])
    run = deal_today(floor)
    floor.execute("UPDATE dbo.assignment_run SET finished_at = %s WHERE run_id = %s", written(DUE + MINUTE), run.run_id)
    page = reader_at(floor, DUE + 2 * MINUTE).get("/")
    assert f"Agents have the leads of deal {run.run_id} , by hand" in page.text.replace("made by", "by")
    assert "and then deals once more" in page


def test_a_missed_night_says_when_the_service_was_down(floor: TestedDatabase) -> None:
    put_agents(floor, [("agent 0", "active")])
    looked(floor, MORNING)
    page = reader_at(floor, MORNING).get("/")
    for words in (
        "was missed.",
        "Why: the service or its database was down from 20:40 to 23:40",
        "Agents still have the leads of",
        "A deal would work now: 3 leads to 1 agent, 3 each.",
        "Preview and deal now",
    ):
        assert words in page
    page = reader_at(floor, MORNING).get(f"/nights/{LAST_DUE.date()}")
    assert "Agents kept the leads that they had." in page
    assert "There were no deals." not in page
    assert "A deal would work now: 3 leads to 1 agent, 3 each. Preview and deal now" in page


def test_until_the_next_deal_the_headline_says_that_the_last_one_was_done(floor: TestedDatabase) -> None:
    put_agents(floor, [("agent 0", "active")])
    add_holiday(floor.backend, TODAY, "Natal")
    looked(floor, LAST_DUE)
    page = reader_at(floor, MORNING).get("/")
    assert re.search(
        r"No deal today\. .*✓ Last night’s deal was done at \d\d:\d\d \. 3 leads to 1 agent\. Fair: 1 agent got 3\.",
        page.text,
    )
    assert page.text.count("Fair: 1 agent got 3.") == 1
    assert "The only agent" in page
    looked(floor, DUE, DUE + 4 * HOUR)
    reader = reader_at(floor, MORNING + timedelta(days=1))
    weekday = f"{LAST_DUE:%A},? {LAST_DUE.day} {LAST_DUE:%B}"
    assert re.search(
        rf"✓ The deal of {weekday} was done at \d\d:\d\d \. \d leads to 1 agent\. Fair: ", reader.get("/").text
    )
    # A later deal is told below, with its own verdict.
    deal_today(floor)
    page = reader.get("/")
    assert re.search(rf"✓ The deal of {weekday} was done at \d\d:\d\d \.(?! \d)", page.text), page.text
    assert page.text.count("Fair: 1 agent got ") == 1, page.text


def test_a_late_deal_says_since_when_and_can_be_made(floor: TestedDatabase) -> None:
    put_agents(floor, [("agent 0", "active")])
    page = reader_at(floor, DUE + 12 * MINUTE).get("/")
    assert "The deal is late." in page
    assert "It was due at 20:40 , 12 min ago" in page
    assert "A deal would work now: 3 leads to 1 agent, 3 each." in page
    assert "Preview and deal now" in page
    assert '<span class="mark old">' in page.source
    assert "Nobody was told. Set up notices" in page
    told: dict[str, Any] = {"notify_urls": "json://a", "notify_on": "missed"}
    assert "Nobody was told yet. If the deal is missed, a notice" in reader_at(floor, DUE + HOUR, **told).get("/")
    told["notify_on"] = "failed"
    assert "those of missed deals are turned off" in reader_at(floor, DUE + HOUR, **told).get("/")


def test_attempts_with_several_reasons_are_folded(floor: TestedDatabase) -> None:
    for attempt, error in enumerate((RunInProgress(), NoActiveAgent(), NoActiveAgent()), start=1):
        fail(floor, error, attempt)
    page = reader_at(floor, DUE + HOUR).get("/")
    # This message, of an earlier version, does not say which.
    assert "Why: no agent was active, or all were away." in page
    assert "3 attempts, with 2 different reasons" in page
    assert "One attempt, at 20:41 : another deal was in progress." in page


def fail(database: TestedDatabase, error: RunError, attempt: int, *, lasted: timedelta = timedelta(0)) -> None:
    """Records a failed attempt of tonight."""
    ended = DUE + attempt * MINUTE
    record_failure(
        database.backend, load(), TODAY, error,
        attempt=attempt, started_at=ended - lasted, finished_at=ended, actor="schedule",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "Nobody was told. Set up notices"),
        ({"dead_man_url": "https://a.example"}, "Only the address in FUNNEL_DEAD_MAN_URL was called."),
        ({"notify_urls": "json://a json://b"}, "A notice of it goes to 2 addresses (FUNNEL_NOTIFY_URLS). Notices"),
        ({"notify_urls": "json://a", "notify_on": "missed"}, "those of failed deals are turned off"),
    ],
)
def test_the_page_says_who_gets_a_notice(database: TestedDatabase, settings: dict[str, Any], sentence: str) -> None:
    fail(database, NoActiveAgent(), 1)
    assert sentence in reader_at(database, DUE + HOUR, **settings).get("/")


def test_a_viewer_is_referred_to_an_operator(floor: TestedDatabase) -> None:
    fail(floor, NoActiveAgent(), 1)
    put_agents(floor, [("agent 0", "active")])
    reader = reader_of(floor, "viewer")
    at(reader, DUE + HOUR)
    page = reader.get("/")
    assert "An operator can deal now." in page
    assert "Preview and deal now" not in page


def at(reader: Reader, moment: datetime) -> None:
    """Sets the clock of the service."""
    extensions = reader.client.application.extensions
    extensions["agent_funnel"] = replace(extensions["agent_funnel"], now=lambda: moment)


def test_a_deal_that_runs_much_longer_than_usual_is_said(floor: TestedDatabase) -> None:
    reader = reader_at(floor, MORNING)
    # Attempts that failed say nothing of the usual length.
    for attempt in (1, 2, 3):
        fail(floor, NoActiveAgent(), attempt, lasted=HOUR)
    with run_in_progress(floor):
        page = reader.get("/")
        assert "A deal is running." in page
        assert "Deals usually take less than 1 s." in page
        assert "running for" not in page
        at(reader, MORNING + 14 * timedelta(seconds=1))
        page = reader.get("/")
        assert "It has been running for at least 14 s. Deals usually take less than 1 s. Until" in page
        assert "longer than usual" not in page
        at(reader, MORNING + 15 * timedelta(seconds=1))
        page = reader.get("/")
        assert "A deal has been running for 15 s. Deals usually take less than 1 s. Until" in page
        assert "It takes much longer than usual." in page
        assert '<section class="headline late">' in page.source
        # After a while without a look, it may be another deal.
        at(reader, MORNING + MINUTE + 16 * timedelta(seconds=1))
        assert "running for" not in reader.get("/")
    assert "A deal is running." not in reader.get("/")
    with run_in_progress(floor):
        assert "longer than usual" not in reader.get("/")


def test_a_deal_that_hangs_is_said_to_the_first_person_who_looks(floor: TestedDatabase) -> None:
    reader = reader_at(floor, MORNING)
    extensions = reader.client.application.extensions
    clock = Clock(floor.backend, load(), now=lambda: MORNING)
    extensions["agent_funnel"] = replace(extensions["agent_funnel"], schedule=clock)
    with run_in_progress(floor):
        clock.look()
        at(reader, MORNING + HOUR)
        page = reader.get("/")
        assert "A deal has been running for 1 h." in page
        assert "It takes much longer than usual." in page
    clock.look()
    with run_in_progress(floor):
        assert "running for" not in reader.get("/")
