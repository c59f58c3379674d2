"""Outcomes on an agent's own list: reported by plain forms or by a script, taken back, and in the audit."""

from __future__ import annotations

import html
import re
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.access.audit import list_entries
from agent_funnel.access.links import make_link
from agent_funnel.agents import rename_agent
from agent_funnel.schedule.store import add_holiday, pause
from agent_funnel.web.outcomes import REPORTS_AT_ONCE
from support.databases import TestedDatabase
from support.nights import active_agents, put_agents, put_leads, stored_assignments, undo
from support.outcomes import ANAS, ARRIVED, BRUNOS, CARLOS, DEALT_ON, deal_again, now, put_floor, standing, tell
from support.pages import BROWSER, Page, client_of, key_of

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
    assert report in phone.hidden("report")
    assert "Taken back: Won." in phone.send("take-back", report=report)
    assert standing(database) == []
    phone.send("report", **{**fields, "report": "2", "outcome": "call_back", "call_back_on": day, "note": "after six"})
    assert "1 to call · 1 done" in Page(phone.text()).text
    assert ": after six" in Page(phone.text()).text
    assert database.execute("SELECT note, reported_by FROM dbo.assignment_outcome WHERE stands = 1") == [
        ("after six", "link: Al")
    ]
    entries = [(entry.actor, entry.operation, entry.target) for entry in list_entries(database.backend, count=1)]
    assert entries == [("link: Al", "POST /mine/<secret>/report", f"call_back …{BRUNOS[-3:]}")]


def test_the_list_has_the_calls_in_their_order_and_those_that_are_done_last(database: TestedDatabase) -> None:
    numbers = [f"+55119{index}2345678" for index in range(1, 8)]
    stages = (3, 2, 2, 1, 1, 1, 1)
    put_agents(database, active_agents("Al"))
    put_leads(database, [(number, stage, ARRIVED) for number, stage in zip(numbers, stages, strict=True)])
    deal_again(database, DEALT_ON - timedelta(days=1))
    tell(database, numbers[4], "call_back", call_back_on=DEALT_ON, note="after six")
    database.execute("UPDATE dbo.assignment_outcome SET agent = 'Bo'")
    put_leads(database, [("+5511982345678", 1, ARRIVED + timedelta(days=1)), ("+5511992345678", 1, ARRIVED)])
    deal_again(database)
    for number in numbers[1:3]:
        tell(database, number, "no_answer")
    phone = Phone(client_of(database, message_second="Oi, {agent} <3"), f"/mine/{make_link(database.backend, 'Al')[1]}")
    text = phone.text()
    found = re.findall(r'<h2 id="[\w-]+">([^<]+)</h2>|name="number" value="([^"]+)"|wa.me/\d+\?text=(Oi[^"]*)', text)
    # Number 1 is finished: its three calls were before.
    assert ["".join(each) for each in found] == [
        "Call-backs", numbers[4],
        "First call", "+5511992345678", "+5511982345678",
        "Second call", *(part for number in (numbers[3], *numbers[5:]) for part in ("Oi%2C%20Al%20%3C3", number)),
        "Third call", "Other leads", "Later",
        "Done", numbers[2], numbers[1],
    ]  # fmt: skip
    page = Page(text)
    assert "6 to call · 2 done" in page
    assert "by Bo: “after six”" in page
    rows = phone.client.get(f"{phone.path}/list.csv").text.splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == [
        "Call-backs", *["First call"] * 2, *["Second call"] * 3, *["Third call"] * 2,
    ]  # fmt: skip
    assert rows[-1] == f"Third call,{numbers[1]},{ARRIVED.date()},No answer,,"


def test_what_an_undo_brings_back_is_done_if_no_deal_hands_it_out_again(database: TestedDatabase) -> None:
    put_floor(database, agents=("Al",))
    deal_again(database)
    for number, outcome in ((ANAS, "won"), (BRUNOS, "talked")):
        tell(database, number, outcome)
    tell(database, CARLOS, "call_back", call_back_on=DEALT_ON + timedelta(days=2))
    phone = Phone(client_of(database), f"/mine/{make_link(database.backend, 'Al')[1]}")
    assert "0 to call · 3 done" in Page(phone.text())
    undo(database)
    text = phone.text()
    assert "1 to call · 2 done" in Page(text)
    assert text.count("(reported after a deal that was undone)") == 2
    assert phone.hidden("number") == [BRUNOS]
    assert "Take back" in text
    assert phone.hidden("report") != []


def test_an_open_page_can_ask_which_list_is_the_present_one(phone: Phone, database: TestedDatabase) -> None:
    def state() -> Any:
        return phone.client.get(f"{phone.path}/state").get_json()

    before = state()
    assert (before["leads"], before["days"]["last"]) == (2, str(now().date() + timedelta(days=90)))
    deal_again(database)
    assert state()["run_id"] == before["run_id"] + 1
    undo(database)
    assert state()["run_id"] == before["run_id"]
    # A holiday has no deal, and a pause has none at all.
    due = datetime.fromisoformat(before["next_at"])
    add_holiday(database.backend, due.date())
    assert datetime.fromisoformat(state()["next_at"]) == due + timedelta(days=1)
    pause(database.backend, now=now(), actor="Eva", reason=None)
    assert state()["next_at"] is None
    assert "Automatic deals are paused." in Page(phone.text())
    assert phone.client.get("/mine/mine_wrong/state").status_code == 404


def test_a_form_that_is_refused_says_why(phone: Phone, database: TestedDatabase) -> None:
    (run_id, _) = phone.hidden("run_id")
    assert "What came of it: is missing" in phone.send("report", 422, number=BRUNOS, run_id=run_id)
    assert "A call-back needs its day." in phone.send("report", 422, number=BRUNOS, outcome="call_back")
    # The lead of another agent looks like one that was never dealt.
    assert "dealt Al no lead" in phone.send("report", 422, number=ANAS, outcome="won")
    phone.send("report", number=BRUNOS, outcome="won", report="1", run_id=run_id)
    deal_again(database)
    refused = phone.send("report", 422, number=CARLOS, outcome="won", run_id=run_id)
    assert f"A newer deal has replaced deal {run_id}, so its leads take no new report" in refused
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
    assert "<strong>Does not want to be called</strong>" in said
    assert f' href="tel:{BRUNOS}"' not in said
    assert ("Al", BRUNOS) not in stored_assignments(database)
    assert f' href="tel:{BRUNOS}"' in phone.send("take-back", report="1")
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


def test_what_an_open_page_sends_after_its_agent_was_renamed_is_kept(phone: Phone, database: TestedDatabase) -> None:
    run_id = int(phone.hidden("run_id")[0])
    made = {"run_id": run_id, "reported_at": now().isoformat()}
    won = {"number": BRUNOS, "outcome": "won", "report": "1", **made}
    assert phone.client.post(f"{phone.path}/outcomes", json={"reports": [won]}).get_json()["kept"] == 1
    rename_agent(database.backend, "Al", "Álvaro")
    # The page does not know whether the first one has arrived.
    reports = [won, {"number": CARLOS, "outcome": "talked", "report": "2", **made}]
    assert phone.client.post(f"{phone.path}/outcomes", json={"reports": reports}).get_json()["kept"] == 2
    gone = phone.client.post(f"{phone.path}/outcomes/take-back", json={"report": "1"}).get_json()
    assert (gone["agent"], gone["stands"]) == ("Álvaro", False)
    assert standing(database) == [(CARLOS, "talked")]
    assert phone.client.get(f"{phone.path}/state").get_json()["run_id"] == run_id
    assert "Álvaro 1 to call · 1 done" in Page(phone.text()).text
