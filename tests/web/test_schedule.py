"""The schedule through the service: records that are taken back, terms that are adopted, and what is told; on both."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from agent_funnel.agents import add_limit
from agent_funnel.errors import NotInstalled
from agent_funnel.schedule import terms
from agent_funnel.schedule.store import add_holiday, find_night
from agent_funnel.settings import load
from agent_funnel.web import create_app
from support.databases import TestedDatabase
from support.nights import active_agents, fresh, put_agents, put_leads
from support.pages import BROWSER, client_of
from support.processes import answer_of_process
from support.stepped import OPENS, SteppedClock

LAST_YEAR = date(2025, 6, 1)


@pytest.fixture
def client(database: TestedDatabase) -> FlaskClient:
    return client_of(database)


def missed(database: TestedDatabase, day: date) -> None:
    """Records that a date was missed."""
    database.execute("INSERT INTO dbo.schedule_outcome VALUES (%s, 'missed', %s)", str(day), f"{day} 23:40:00")


def test_a_program_takes_back_the_record_of_a_date(database: TestedDatabase, client: FlaskClient) -> None:
    missed(database, LAST_YEAR)
    given = {"business_date": str(LAST_YEAR)}
    done = client.post("/api/schedule/reopen", json=given)
    assert done.get_json() == {**given, "outcome": "missed", "window_closed": True}
    again = client.post("/api/schedule/reopen", json=given)
    assert again.status_code == 404
    assert "void already" in again.get_json()["detail"]
    shown = client.get("/api/schedule").get_json()
    assert [each["outcome"] for each in shown["outcomes"]] == ["void"]
    assert [(each["business_date"], each["outcome"]) for each in shown["voids"]] == [(str(LAST_YEAR), "missed")]


def test_a_person_takes_back_the_record_of_a_night_on_its_page(database: TestedDatabase, client: FlaskClient) -> None:
    missed(database, LAST_YEAR)
    page = client.get(f"/nights/{LAST_YEAR}", headers=BROWSER)
    assert "Correct this record" in page.text
    done = client.post(f"/nights/{LAST_YEAR}/reopen", headers=BROWSER, follow_redirects=True)
    assert "make a deal by hand if you want one" in done.text
    assert "Correct this record" not in done.text
    assert "Somebody took back the record" in done.text
    night = find_night(database.backend, LAST_YEAR)
    assert night is not None
    assert night.outcome == "void"
    assert client.post(f"/nights/{LAST_YEAR}/reopen", headers=BROWSER).status_code == 404


def test_a_night_has_the_shape_of_its_state_and_one_to_come_says_who_is_away(
    database: TestedDatabase, client: FlaskClient
) -> None:
    put_agents(database, [("Ana", "active"), ("<Bo>", "active")])
    ahead = datetime.now(UTC).date() + timedelta(days=9)
    add_limit(database.backend, "<Bo>", starts_on=ahead, ends_on=ahead, max_records=0)
    add_limit(database.backend, "Ana", starts_on=ahead, ends_on=ahead, max_records=7)
    page = client.get(f"/nights/{ahead}", headers=BROWSER).text
    assert '<section class="headline due">' in page
    assert "Away that day: &lt;Bo&gt;." in page
    assert "oliday" not in page
    add_holiday(database.backend, ahead, None)
    assert "No deal is planned for that day." in client.get(f"/nights/{ahead}", headers=BROWSER).text
    add_holiday(database.backend, ahead, "<Christmas>")
    assert "Holiday: &lt;Christmas&gt;." in client.get(f"/nights/{ahead}", headers=BROWSER).text
    missed(database, LAST_YEAR)
    page = client.get(f"/nights/{LAST_YEAR}", headers=BROWSER).text
    assert '<section class="headline missed">' in page
    assert "Away" not in page


def test_the_command_takes_a_record_back_and_shows_the_terms(database: TestedDatabase, tmp_path: Path) -> None:
    missed(database, LAST_YEAR)
    given = {"FUNNEL_DATABASE_URL": database.url, "FUNNEL_SCHEMA": database.schema, "FUNNEL_RUN_AT": "19:00"}
    done = answer_of_process("schedule", "reopen", str(LAST_YEAR), cwd=tmp_path, **given)
    assert done == {"business_date": str(LAST_YEAR), "outcome": "missed", "window_closed": True}
    adopted = answer_of_process("schedule", "adopt", "--actor", "Ana", cwd=tmp_path, **given)
    assert adopted == {"adopted": True, "terms": "19:00:00 (UTC), every day, catch-up 3:00:00"}
    assert not answer_of_process("schedule", "adopt", cwd=tmp_path, **given)["adopted"]
    # The terms on record count, not those of the settings of whoever asks.
    shown = answer_of_process("schedule", "show", cwd=tmp_path, **{**given, "FUNNEL_RUN_AT": "20:40"})
    assert "T19:00:00" in shown["next_run"]
    assert shown["terms"] == adopted["terms"]
    assert [each["outcome"] for each in shown["voids"]] == ["missed"]


def test_a_program_makes_the_terms_of_a_copy_hold(database: TestedDatabase) -> None:
    terms.record_terms(database.backend, terms.Terms.of(load()), now=datetime.now(UTC), actor="copy A")
    client = client_of(database, run_at="19:00", timezone="Europe/Berlin")
    shown = client.get("/api/schedule").get_json()
    assert (shown["run_at"], shown["timezone"]) == ("20:40:00", "UTC")
    assert client.post("/api/schedule/adopt").get_json() == {"changed": True}
    assert client.post("/api/schedule/adopt").get_json() == {"changed": False}
    shown = client.get("/api/schedule").get_json()
    assert (shown["run_at"], shown["timezone"]) == ("19:00:00", "Europe/Berlin")


def test_copies_that_differ_are_a_note_and_are_named_on_the_page_of_tonight(
    database: TestedDatabase, installed_long_ago: None
) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(1))
    noon = OPENS - timedelta(hours=8)
    right, other = (
        SteppedClock(database.backend),
        SteppedClock(database.backend, name="host-b, port 5000", run_at="19:00"),
    )
    right.look(noon)
    other.look(noon, ahead=timedelta(minutes=5))
    right.look(noon)
    for copy in (right, other):
        client = create_app(copy.settings, database.backend, lambda: 1.0, copy.clock).test_client()
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json is not None
        assert ready.json["status"] == "ok"
        assert (
            set(ready.json["notes"]) == {"terms", "clock"} if copy is right else {"terms"} <= set(ready.json["notes"])
        )
        # What is told to everybody has no names of machines.
        assert "host-b" not in ready.text
        page = client.get("/", headers=BROWSER).text
        assert "host-b, port 5000" in page
        assert "19:00:00" in page


def test_a_schedule_that_cannot_deal_is_not_ready(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    night = SteppedClock(database.backend)

    def gone(*_: object) -> None:
        raise NotInstalled("The table /secret/path is missing.")

    monkeypatch.setattr("agent_funnel.schedule.store.schedule_state", gone)
    night.look(OPENS)
    ready = create_app(night.settings, database.backend, lambda: 1.0, night.clock).test_client().get("/readyz")
    assert ready.status_code == 503
    assert ready.json == {"status": "not ready", "problems": {"schedule": "could not look: NotInstalled"}}


def test_a_deal_is_skipped_and_that_is_shown_and_taken_back(database: TestedDatabase, client: FlaskClient) -> None:
    coming = date.today() + timedelta(days=3)
    given = {"business_date": str(coming)}
    assert client.post("/api/schedule/skip", json=given).get_json() == {"changed": True}
    again = client.post("/api/schedule/skip", json=given)
    assert (again.status_code, again.get_json()["code"]) == (409, 50003)
    past = client.post("/api/schedule/skip", json={"business_date": "2026-01-31"})
    assert (past.status_code, "has passed" in past.get_json()["detail"]) == (404, True)
    (shown,) = client.get("/api/schedule").get_json()["skips"]
    assert (shown["business_date"], shown["run_id"]) == (str(coming), None)
    page = client.get(f"/nights/{coming}", headers=BROWSER)
    assert "Skipped by" in page.text
    done = client.post(f"/nights/{coming}/reopen", headers=BROWSER, follow_redirects=True)
    assert f"The automatic deal of {coming.day} {coming:%b %Y} is on again." in done.text
    assert client.get("/api/schedule").get_json()["skips"] == []
