"""The pages of runs: the list, a run, a failed run, in the reader’s own notation; on each engine."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from agent_funnel.agents import add_limit
from agent_funnel.deal import deal
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import NoActiveAgent
from agent_funnel.runs import list_runs
from agent_funnel.schedule.store import record_failure
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables
from support.pages import Reader, client_of

NOTED = "2026-11-01 00:00:00"


def test_runs_are_listed_page_by_page_and_each_adds_up(
    database: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "There was no deal yet" in reader.get("/runs").text
    monkeypatch.setattr("agent_funnel.web.pages.runs.RUNS_PER_PAGE", 2)
    seed_tables(database)
    add_do_not_contact(database.backend, "+49300000000")
    rules, day = load(max_per_agent=1), date(2026, 11, 24)
    runs = [deal(database.backend, rules, business_date=day, again=True) for _ in range(3)]
    newest = reader.get("/runs")
    assert [link for link in newest.links if re.fullmatch(r"/runs/\d+", link)] == [
        f"/runs/{run.run_id}" for run in (runs[2], runs[1])
    ]
    older = reader.get(f"/runs?before={runs[1].run_id}")
    assert f"/runs/{runs[0].run_id}" in older.links
    reader.get("/runs?before=99999999999999999999")
    reader.get("/runs?before=nonsense")
    page = reader.get(f"/runs/{runs[0].run_id}").text
    for told in (
        "last 45 days 7",
        "do-not-contact list 1",
        "= ready at the deal 6",
        "3 agents, 1 each (at most 1 each",
        "another night 3",
    ):
        assert told in page
    assert "agent 0 1 agent 1 1 agent 2 1" in page


def test_nights_without_a_deal_are_rows_in_their_places(
    database: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.web.pages.runs.RUNS_PER_PAGE", 2)
    seed_tables(database)
    oldest, _, third, _ = (
        deal(database.backend, load(max_per_agent=1), business_date=date(2026, 10, day), again=True).run_id
        for day in (3, 5, 9, 9)
    )
    # A person dealt on the 5th and on the 9th, so these nights have their deals.
    for day, outcome in ((1, "missed"), (2, "failed"), (4, "holiday"), (5, "missed"), (7, "paused"), (9, "failed")):
        database.execute(f"INSERT INTO dbo.schedule_outcome VALUES (%s, '{outcome}', %s)", f"2026-10-{day:02}", NOTED)
    nights = [
        re.findall(r"href=\"/nights/2026-10-(\d+)\">[^<]*</a> <a class=\"phone\"|href=\"/runs/(\d+)\">\d", page.source)
        for page in (reader.get("/runs"), reader.get(f"/runs?before={third}"), reader.get(f"/runs?before={oldest}"))
    ]
    assert nights[0] == [("", str(third + 1)), ("", str(third))]
    assert nights[1] == [("07", ""), ("", str(third - 1)), ("04", ""), ("", str(oldest)), ("02", ""), ("01", "")]
    assert nights[2] == []
    assert "paused" in reader.get(f"/runs?before={third}")
    assert "/nights/2026-10-07" not in reader.get("/runs?sort=assigned&begin=2").links


def test_deals_are_sorted_by_an_amount_page_by_page(
    database: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.web.pages.runs.RUNS_PER_PAGE", 2)
    monkeypatch.setattr("agent_funnel.web.pages.runs.MOST_SORTED", 3)
    seed_tables(database)
    day = date(2026, 11, 24)
    small, large, medium, newest = (
        deal(database.backend, load(max_per_agent=most), business_date=day, again=True).run_id for most in (1, 3, 2, 1)
    )

    def listed(address: str) -> list[int]:
        return [int(found[1]) for link in reader.get(address).links if (found := re.fullmatch(r"/runs/(\d+)", link))]

    assert '<a class="order" href="/runs?sort=assigned">' in reader.get("/runs").source
    # The oldest is not among the newest three.
    assert listed("/runs?sort=assigned") == [large, medium]
    assert listed("/runs?sort=assigned&begin=2") == [newest]
    page = reader.get("/runs?sort=assigned")
    assert "/runs?sort=assigned&begin=2" in page.links
    assert 'aria-sort="descending"><span class="order">Assigned' in page.source
    assert "The newest 3 deals are sorted." in page
    assert listed("/runs?sort=number") == listed("/runs?sort=") == [newest, medium]
    assert small not in listed("/runs?sort=assigned&begin=2")


def test_deals_have_no_columns_that_say_nothing(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database, leads=4, agents=2)
    today = datetime.now(UTC).date()
    deal(database.backend, load(), business_date=today)
    page = reader.get("/runs")
    assert "Each deal assigned all leads that were ready: none was left over." in page
    assert "Left over" not in page
    assert "Ready at the deal" not in page
    # They are there while the list is sorted by one of them, and once a deal has left leads over.
    assert "Left over" in reader.get("/runs?sort=left_over")
    assert "Ready at the deal" in reader.get("/runs?sort=pool")
    deal(database.backend, load(max_per_agent=1), business_date=today, again=True)
    page = reader.get("/runs")
    assert "none was left over" not in page
    assert "Left over" in page
    assert "Ready at the deal" in page


def test_the_end_of_a_deal_is_muted_where_the_schedule_made_it_at_its_time(
    database: TestedDatabase, reader: Reader
) -> None:
    seed_tables(database, leads=4, agents=2)
    # The third of them is made by hand, and the second is late.
    for day, trigger, ended in ((1, "schedule", "20:40"), (2, "schedule", "21:10"), (3, "manual", "20:40")):
        run = deal(database.backend, load(), business_date=date(2026, 6, day), trigger=trigger, again=True)
        database.execute(
            "UPDATE dbo.assignment_run SET started_at = %s, finished_at = %s WHERE run_id = %s",
            f"2026-06-0{day} {ended}:00.000", f"2026-06-0{day} {ended}:01.000", run.run_id,
        )  # fmt: skip
    ends = re.findall(r'<td class="(wide[ a-z]*)"><time [^>]*>([\d:]+)</time>', reader.get("/runs").source)
    assert ends == [("wide", "20:40"), ("wide", "21:10"), ("wide usual", "20:40")]


def test_a_failed_run_says_why_and_what_to_do(database: TestedDatabase, reader: Reader) -> None:
    now = datetime.now(UTC)
    try:
        deal(database.backend, load(), business_date=now.date(), trigger="schedule")
    except Exception as error:
        failure: Any = error
    record_failure(
        database.backend, load(), now.date(), failure, attempt=1, started_at=now, finished_at=now, actor="schedule"
    )
    run = list_runs(database.backend)[0]
    record_failure(
        database.backend, load(), now.date(), failure, attempt=2, started_at=now, finished_at=now, actor="schedule"
    )
    # Attempts of a night are one row, which leads to all of them.
    listed = reader.get("/runs")
    assert "! failed 2 attempts no agent was active. automatically" in listed.text
    assert f"/runs/{run.run_id}" not in listed.links
    page = reader.get(f"/runs/{run.run_id}").text
    assert "Why it failed" in page
    assert "Error 50002, attempt 1." in page
    assert "activate an agent" in page
    assert "No agent is active; nothing was changed. Activate an agent." in page
    night = reader.get(f"/nights/{now.date()}").text
    assert "Why: no agent was active." in night
    assert "2 attempts, from" in night
    assert "It failed, and changed nothing." in reader.get(f"/runs/{run.run_id}/undo").text


def test_a_failed_night_says_that_all_active_agents_were_away(database: TestedDatabase, reader: Reader) -> None:
    now = datetime.now(UTC)
    seed_tables(database, leads=4, agents=3)
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent = 'agent 2'")
    for agent in ("agent 0", "agent 1"):
        add_limit(database.backend, agent, starts_on=now.date(), ends_on=None, max_records=0)
    with pytest.raises(NoActiveAgent) as caught:
        deal(database.backend, load(), business_date=now.date(), trigger="schedule")
    record_failure(
        database.backend, load(), now.date(), caught.value, attempt=1, started_at=now, finished_at=now, actor="schedule"
    )
    assert "Why: all active agents were away." in reader.get(f"/nights/{now.date()}")
    page = reader.get(f"/runs/{list_runs(database.backend)[0].run_id}")
    assert re.search(r"All active agents \(2\) are away on .+; nothing was changed\. Activate another agent", page.text)


def test_numbers_and_dates_follow_the_readers_language(database: TestedDatabase) -> None:
    seed_tables(database, leads=1_200)
    deal(database.backend, load(), business_date=date(2026, 11, 24))
    client = client_of(database)
    run = list_runs(database.backend)[0].run_id
    for language, amount, day in (
        ("de-DE,de;q=0.9", "Waren verfügbar 1.200", "24. November 2026"),
        ("en-GB", "Ready at the deal 1,200", "24 November 2026"),
    ):
        assert amount in Reader(client, **{"Accept-Language": language}).get(f"/runs/{run}").text
        assert day in Reader(client, **{"Accept-Language": language}).get(f"/runs/{run}").text
    Reader(client, **{"Accept-Language": "*, xx-nonsense;q=0.3, a_b_c"}).get("/runs")
