"""A deal by hand that is made instead of the scheduled one: over HTTP, on the pages, and by command."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_funnel.schedule.skips import list_skips
from agent_funnel.schedule.store import pause
from support.databases import TestedDatabase, seed_tables, snapshot
from support.pages import AGAIN, Reader, reader_at
from support.processes import answer_of_process, run_as_process
from support.stepped import OPENS

# tests/backend tests the rule on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

NOON = OPENS - timedelta(hours=9)
DAY = NOON.date()


@pytest.fixture
def noon(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """A person at noon, with leads and agents there."""
    for module in ("skips", "voids"):
        monkeypatch.setattr(f"agent_funnel.schedule.{module}.database_now", lambda _: None)
    seed_tables(database)
    return reader_at(database, NOON)


def test_the_page_offers_to_skip_tonights_deal_and_says_everywhere_that_it_is_skipped(
    database: TestedDatabase, noon: Reader
) -> None:
    preview = noon.get("/run-now/preview")
    assert "And skip tonight’s automatic deal at 20:40" in preview
    fields = preview.forms["/deal"]
    before = snapshot(database)
    assert "Tonight is 1 Jun 2026, not 31 May 2026" in noon.refused(422, "/deal", **{**fields, "skip": "2026-05-31"})
    assert "skip is not a date" in noon.refused(422, "/deal", **{**fields, "skip": "tonight"})
    assert snapshot(database) == before
    page = noon.done("/deal", **{**noon.get("/run-now/preview").forms["/deal"], "skip": str(DAY)})
    assert "Dealt: 7 of 7 leads to 3 agents. Tonight’s automatic deal is skipped." in page.text
    (skip,) = list_skips(database.backend, since=DAY)
    tonight = noon.get("/")
    made = rf"Tonight’s deal is skipped\. Deal {skip.run_id} was made instead"
    assert re.search(rf"{made}[^.]*\. 7 leads to 3 agents[^.]+ \. Fair: ", tonight.text)
    assert tonight.text.count("Fair: ") == 1
    assert "The next deal is due tomorrow at 20:40" in tonight
    assert "» skipped" in tonight
    night = noon.get(f"/nights/{DAY}")
    assert f"deal {skip.run_id} was made instead" in night
    # As on the first page.
    assert "Make tonight’s deal after all" in night
    assert "Correct this record" not in night
    assert 'name="skip"' not in noon.get("/run-now/preview").source
    assert "Tonight’s automatic deal is skipped." in noon.get("/run-now")

    database.execute("UPDATE dbo.schedule_skip SET closes_at = '2999-01-01 00:00:00.000'")
    undo = noon.get(f"/runs/{skip.run_id}/undo")
    assert "Tonight’s automatic deal, which it skipped, is on again." in undo
    assert "which it had skipped, is on again." in noon.done(f"/runs/{skip.run_id}/undo")
    assert "Tonight’s deal is skipped" not in noon.get("/")


def test_a_skipped_deal_is_made_after_all_from_the_first_page(database: TestedDatabase, noon: Reader) -> None:
    noon.done("/deal", **{**noon.get("/run-now/preview").forms["/deal"], "skip": str(DAY)})
    (skip,) = list_skips(database.backend, since=DAY)
    # It undoes a decision, so it is not the loudest button.
    assert '<button class="outline">Make tonight’s deal after all</button>' in noon.get("/").source
    page = noon.done(f"/nights/{DAY}/reopen")
    assert f"Tonight’s deal will be made at 20:40, and replaces the lists of deal {skip.run_id}." in page
    assert "void" not in page
    assert list_skips(database.backend, since=DAY) == []
    assert "Tonight’s deal is skipped" not in noon.get("/")
    assert "Skip it again" not in noon.get(f"/nights/{DAY}")
    # The way back is on the page that says so.
    assert "Skip it again" in page
    assert "Tonight’s automatic deal is skipped." in noon.done(f"/nights/{DAY}/skip")
    (again,) = list_skips(database.backend, since=DAY)
    assert (again.business_date, again.run_id) == (DAY, None)
    assert "Skip it again" not in noon.get(f"/nights/{DAY}?reopened=1")
    assert "is recorded as skipped already" in noon.refused(409, f"/nights/{DAY}/skip")


def test_a_deal_that_is_made_after_all_says_whether_it_will_be(database: TestedDatabase, noon: Reader) -> None:
    noon.done(f"/nights/{DAY}/skip")
    assert "Tonight’s deal will be made at 20:40." in noon.done(f"/nights/{DAY}/reopen")
    noon.done(f"/nights/{DAY}/skip")
    late = reader_at(database, OPENS)
    assert "Tonight’s deal will be made in a moment." in late.done(f"/nights/{DAY}/reopen")
    noon.done(f"/nights/{DAY}/skip")
    pause(database.backend, now=NOON, actor=None, reason=None)
    page = noon.done(f"/nights/{DAY}/reopen")
    assert "Tonight’s deal is not skipped any more, but automatic deals are paused." in page


def test_a_program_deals_instead_of_the_scheduled_deal(database: TestedDatabase, noon: Reader) -> None:
    client = noon.client
    run = client.post("/run-now", json={"skip_scheduled": True}).get_json()
    shown = client.get("/api/schedule").get_json()
    assert [(each["business_date"], each["run_id"]) for each in shown["skips"]] == [(str(DAY), run["run_id"])]
    assert [(each["business_date"], each["outcome"]) for each in shown["outcomes"]] == [(str(DAY), "skipped")]
    assert shown["next_run"].startswith("2026-06-02T20:40")
    before = snapshot(database)
    again = client.post("/run-now", json={"skip_scheduled": True, **AGAIN["json"]})
    assert (again.status_code, again.get_json()["code"]) == (409, 50003)
    assert snapshot(database) == before
    assert 'agent_funnel_dates_without_run{outcome="skipped"} 1.0' in client.get("/metrics").text


def test_the_commands_skip_and_show_it(database: TestedDatabase, tmp_path: Path) -> None:
    seed_tables(database)
    now = datetime.now(UTC)
    # A deal that is still to come, whatever the time is.
    at = f"{now + timedelta(hours=1):%H:%M}" if now.hour < 22 else "23:59"
    given = {"FUNNEL_DATABASE_URL": database.url, "FUNNEL_SCHEMA": database.schema, "FUNNEL_RUN_AT": at}
    refused = run_as_process("run", "--scheduled", "--skip-scheduled", cwd=tmp_path, **given)
    assert (refused.returncode, "Use either --scheduled or --skip-scheduled." in refused.stderr) == (2, True)
    run = answer_of_process("run", "--skip-scheduled", cwd=tmp_path, **given)
    (skip,) = answer_of_process("schedule", "show", cwd=tmp_path, **given)["skips"]
    assert (skip["run_id"], skip["business_date"]) == (run["run_id"], f"{now:%Y-%m-%d}")
    assert answer_of_process("status", cwd=tmp_path, **given)["dates"][0]["outcome"] == "skipped"
    answer_of_process("undo", cwd=tmp_path, **given)
    assert answer_of_process("schedule", "show", cwd=tmp_path, **given)["skips"] == []
    day = f"{now + timedelta(days=2):%Y-%m-%d}"
    assert answer_of_process("schedule", "skip", day, cwd=tmp_path, **given)["skipped"]
    shown = run_as_process("schedule", "show", cwd=tmp_path, **given).stdout
    assert f"  skipped the deal of {day}, " in shown
