"""Outcomes on an agent's own list: reported by plain forms or by a script, taken back, and in the audit."""

from __future__ import annotations

import html
import re
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.access.audit import list_entries
from agent_funnel.access.links import make_link
from agent_funnel.web.outcomes import REPORTS_AT_ONCE
from support.databases import TestedDatabase
from support.nights import stored_assignments
from support.outcomes import ANAS, BRUNOS, CARLOS, DEALT_ON, deal_again, put_floor, standing
from support.pages import BROWSER, client_of, key_of

# tests/backend runs the queries on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long


class Phone:
    """The phone of an agent who has opened their link."""

    def __init__(self, client: FlaskClient, path: str) -> None:
        self.client, self.path = client, path

    def text(self) -> str:
        """The page."""
        return self.client.get(self.path, headers=BROWSER).text

    def hidden(self, name: str) -> list[str]:
        """The values of the hidden fields of this name on the page."""
        return re.findall(rf'name="{name}" value="([^"]+)"', self.text())

    def send(self, form: str, status: int = 303, **fields: Any) -> str:
        """Sends a form; returns the page that follows."""
        answer = self.client.post(f"{self.path}/{form}", data=fields, headers=BROWSER)
        assert answer.status_code == status
        return self.text() if status == 303 else answer.text


@pytest.fixture
def phone(database: TestedDatabase) -> Phone:
    """The phone of Al, who has two of three leads."""
    put_floor(database)
    key_of(database, "admin")
    return Phone(client_of(database), f"/mine/{make_link(database.backend, 'Al')[1]}")


def test_an_agent_reports_by_a_form_and_takes_it_back(phone: Phone, database: TestedDatabase) -> None:
    (run_id, _), report = phone.hidden("run_id"), phone.hidden("report")[0]
    fields: dict[str, Any] = {"number": BRUNOS, "run_id": run_id, "report": report, "call_back_on": "", "note": ""}
    day = str(DEALT_ON + timedelta(days=3))
    said = phone.send("report", **{**fields, "outcome": "won", "call_back_on": day, "same_agent": "true"})
    assert "Saved: Won." in said
    phone.send("report", **{**fields, "outcome": "won"})
    assert standing(database) == [(BRUNOS, "won")]
    assert phone.hidden("report")[0] == report
    assert "Taken back: Won." in phone.send("take-back", report=report)
    assert standing(database) == []
    phone.send("report", **{**fields, "report": "2", "outcome": "call_back", "call_back_on": day, "note": "after six"})
    assert "<strong>Call back</strong> on" in phone.text()
    assert database.execute("SELECT note, reported_by FROM dbo.assignment_outcome WHERE stands = 1") == [
        ("after six", "link: Al")
    ]
    entries = [(entry.actor, entry.operation, entry.target) for entry in list_entries(database.backend, count=1)]
    assert entries == [("link: Al", "POST /mine/<secret>/report", f"call_back …{BRUNOS[-3:]}")]


def test_a_form_that_is_refused_says_why(phone: Phone, database: TestedDatabase) -> None:
    (run_id, _) = phone.hidden("run_id")
    assert "What came of it: is missing" in phone.send("report", 422, number=BRUNOS, run_id=run_id)
    assert "needs call_back_on" in phone.send("report", 422, number=BRUNOS, outcome="call_back")
    # The lead of another agent looks like one that was never dealt.
    assert "dealt Al no lead" in phone.send("report", 422, number=ANAS, outcome="won")
    phone.send("report", number=BRUNOS, outcome="won", report="1", run_id=run_id)
    deal_again(database)
    refused = phone.send("report", 422, number=CARLOS, outcome="won", run_id=run_id)
    assert f"A newer run has replaced run {run_id}, so its leads take no new report" in refused
    assert "An operator can" in phone.send("take-back", 422, report="1")
    assert standing(database) == [(BRUNOS, "won")]


def test_a_report_that_finds_no_turn_is_refused_on_the_list_and_by_the_api(
    phone: Phone, database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.web.outcomes.TURN_SECONDS", 0.01)
    places = phone.client.application.extensions["agent_funnel"].reports
    with ExitStack() as stack:
        for _ in range(REPORTS_AT_ONCE):
            stack.enter_context(places.take())
        page = phone.send("report", 409, number=BRUNOS, outcome="won", report="1")
        assert "Other reports wait for a deal; nothing was kept. Send it again" in page
        assert html.escape(f'name="number" value="{BRUNOS}"', quote=False) in page
        body = {"reports": [{"number": BRUNOS, "outcome": "won", "report": "1"}]}
        answer = phone.client.post(f"{phone.path}/outcomes", json=body)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
    assert standing(database) == []
    phone.send("report", number=BRUNOS, outcome="won", report="1")


def test_a_person_who_opted_out_leaves_the_list_and_can_come_back(phone: Phone, database: TestedDatabase) -> None:
    said = phone.send("report", number=BRUNOS, outcome="opted_out", report="1")
    assert "No longer on the list" in said
    assert ("Al", BRUNOS) not in stored_assignments(database)
    assert "No longer on the list" not in phone.send("take-back", report="1")
    assert ("Al", BRUNOS) in stored_assignments(database)


def test_a_script_sends_several_reports_once(phone: Phone, database: TestedDatabase) -> None:
    reports = [{"number": BRUNOS, "outcome": "won", "report": "1"}, {"number": ANAS, "outcome": "won", "report": "2"}]
    answers = [phone.client.post(f"{phone.path}/outcomes", json={"reports": reports}).get_json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert [each["code"] for each in answers[0]["items"]] == [None, 50006]
    assert (answers[0]["kept"], standing(database)) == (1, [(BRUNOS, "won")])
    gone = phone.client.post(f"{phone.path}/outcomes/take-back", json={"report": "1"}).get_json()
    assert (gone["stands"], gone["outcome"]) == (False, "won")
    bad = phone.client.post(f"{phone.path}/outcomes", json={"reports": [{"number": BRUNOS, "agent": "Bo"}]})
    assert [fault["field"] for fault in bad.get_json()["faults"]] == ["reports.0.outcome", "reports.0.agent"]
    assert phone.client.post("/mine/mine_wrong/outcomes", json={"reports": reports}).status_code == 404
    assert [entry.target for entry in list_entries(database.backend, count=2)] == ["won …678", "1 of 2 outcomes"]
