"""The pages of the night, of dealing and of runs, as a browser without script asks for them, on each engine."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from agent_funnel import access, floor, planning, service
from agent_funnel.settings import load
from agent_funnel.web import create_app
from databases import Database, small_floor, snapshot
from processes import run_in_progress

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}


class Page(HTMLParser):
    """A page: its text, and its forms as what they are sent to and their hidden fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.forms: dict[str, dict[str, str]] = {}
        self.links: list[str] = []
        self._form = ""
        self.feed(text)
        self.text = " ".join(" ".join(self.said).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = given.get("action", "")
            self.forms[self._form] = {}
        elif tag == "input" and given.get("type") == "hidden":
            self.forms[self._form][given["name"]] = given["value"]
        elif tag == "a":
            self.links.append(given.get("href", ""))

    def handle_data(self, data: str) -> None:
        self.said.append(data)


class Reader:
    """Somebody with a browser."""

    def __init__(self, client: FlaskClient, **headers: str) -> None:
        self.client = client
        self.headers = {**BROWSER, **headers}

    def get(self, path: str, status: int = 200) -> Page:
        answer = self.client.get(path, headers=self.headers)
        assert (path, answer.status_code) == (path, status)
        assert answer.mimetype == "text/html"
        return Page(answer.text)

    def send(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(path, data=fields, headers=self.headers)

    def done(self, path: str, **fields: str) -> Page:
        """The page that a form leads to."""
        answer = self.send(path, **fields)
        assert answer.status_code == 303, answer.text
        return self.get(answer.location)


@pytest.fixture
def reader(database: Database) -> Reader:
    return Reader(create_app(load(), database.backend).test_client())


def settle(database: Database, days: dict[int, str]) -> None:
    """Records why nights passed without a run, so many days ago."""
    for back, outcome in days.items():
        day = datetime.now(UTC).date() - timedelta(days=back)
        database.execute(
            "INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at) VALUES (%s, %s, %s)",
            day.isoformat(), outcome, f"{day} 23:40:00",
        )  # fmt: skip


def test_tonight_tells_the_state_the_amounts_and_who_has_what(database: Database, reader: Reader) -> None:
    assert "There was no deal yet" in reader.get("/").text
    small_floor(database)
    database.execute("UPDATE dbo.agents SET agent = '<b>\"&Ann' WHERE agent = 'agent 1'")
    run = service.assign(
        database.backend, load(), business_date=datetime.now(UTC).date(), trigger="schedule", actor="schedule"
    )
    page = reader.get("/")
    assert "Tonight’s deal is done." in page.text
    assert f"/runs/{run.run_id}" in page.links
    for told in (
        "Ready to deal 7",
        "Assigned 7",
        "Left over 0",
        "Agents 3",
        "Fair: 2 or 3 each.",
        "agent 0 2",
        '<b>"&Ann 3',
    ):
        assert told in page.text
    assert "<b>" not in reader.client.get("/", headers=BROWSER).text
    service.undo(database.backend)
    assert "Tonight’s deal was undone." in reader.get("/").text


def test_nobody_waits_for_what_takes_long_to_count(
    database: Database, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_floor(database)
    run = service.assign(database.backend, load(), business_date=datetime.now(UTC).date())
    monkeypatch.setattr("agent_funnel.web.counts.PAGE_WAIT_SECONDS", 0)
    go_on = Event()
    for module, name in ((service, "shares"), (floor, "funnel")):
        count = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, count=count: go_on.wait(60) and count(*given))
    page = reader.get("/").text
    assert "The shares are being counted." in page
    assert "The leads are being counted." in page
    assert "The shares are being counted." in reader.get(f"/runs/{run.run_id}").text
    assert "agent 0" in reader.get("/agents").text
    go_on.set()
    deadline = datetime.now() + timedelta(seconds=20)
    while "being counted" in (page := reader.get("/").text):
        assert datetime.now() < deadline
    assert "agent 0 3 agent 1 2 agent 2 2" in page
    assert "Never called 0 Called once 3 Called twice 2 Finished 2" in page


def test_without_leads_the_funnel_says_so(reader: Reader) -> None:
    assert "There are no leads." in reader.get("/").text


def test_the_strip_shows_each_of_the_last_nights_and_links_to_it(database: Database, reader: Reader) -> None:
    settle(database, {1: "missed", 2: "failed", 3: "paused", 4: "holiday"})
    page = reader.get("/")
    for back, kind in {1: "missed", 2: "failed", 3: "paused", 4: "no deal planned", 5: "nothing known"}.items():
        day = datetime.now(UTC).date() - timedelta(days=back)
        assert f"/nights/{day}" in page.links
        assert re.search(rf"{day.day} {day:%b}\w* {day:%Y}: {kind}", page.text)
    assert len([link for link in page.links if link.startswith("/nights/")]) >= 60
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert (
        "Missed: the service or its database was down when the deal was due" in reader.get(f"/nights/{yesterday}").text
    )
    reader.get("/nights/yesterday", 404)


def test_the_clock_is_paused_and_goes_on_by_a_button(database: Database, reader: Reader) -> None:
    page = reader.done("/pause", reason="<stocktaking>")
    assert "Automatic deals are paused until somebody resumes them." in page.text
    assert "by somebody on the server: <stocktaking>" in page.text
    assert "Automatic deals were paused already." in reader.done("/pause").text
    page = reader.done("/resume")
    assert "Automatic deals are on again." in page.text
    assert planning.current_pause(database.backend) is None
    refused = reader.send("/pause", reason="x" * 256)
    assert refused.status_code == 422
    assert "x" * 256 in refused.text
    assert planning.current_pause(database.backend) is None


def test_a_refresh_gets_the_partial_alone_and_304_while_it_is_the_same(database: Database, reader: Reader) -> None:
    small_floor(database)
    planning.pause(database.backend, now=datetime.now(UTC), actor="Ana", reason="<stocktaking>")
    first = reader.client.get("/?partial=1", headers=BROWSER)
    assert "<html" not in first.text
    assert "&lt;stocktaking&gt;" in first.text
    for _ in range(3):
        again = reader.client.get("/?partial=1", headers={**BROWSER, "If-None-Match": first.headers["ETag"]})
        if again.status_code == 304:
            break
        # The leads were counted meanwhile.
        first = again
    assert (again.status_code, again.text) == (304, "")
    service.assign(database.backend, load(), business_date=datetime.now(UTC).date())
    headers = {**BROWSER, "If-None-Match": first.headers["ETag"]}
    assert reader.client.get("/?partial=1", headers=headers).status_code == 200


def test_the_preview_changes_nothing_and_its_button_deals_once(database: Database, reader: Reader) -> None:
    small_floor(database)
    before = snapshot(database)
    preview = reader.get("/run-now/preview")
    assert "Would be assigned 7" in preview.text
    assert "Deal 7 leads to 3 agents" in preview.text
    assert "after the last deal" not in preview.text
    assert snapshot(database) == before
    fields = preview.forms["/deal"]
    page = reader.done("/deal", **fields)
    assert "Dealt: 7 of 7 leads to 3 agents." in page.text
    assert len(service.runs(database.backend)) == 1
    # Sent once more, by a second click or by going back, it shows the same run.
    again = reader.send("/deal", **fields)
    assert (again.status_code, again.location) == (303, f"/runs/{service.runs(database.backend)[0].run_id}")
    assert len(service.runs(database.backend)) == 1
    # The sentence stands on one page only.
    assert "Dealt: 7 of 7" not in reader.get("/runs").text
    warned = reader.get("/run-now/preview")
    assert re.search(r"\d+ s after the last deal: deal \d+ ended", warned.text)


def test_a_button_below_an_old_preview_deals_nothing(database: Database, reader: Reader) -> None:
    small_floor(database)
    fields = reader.get("/run-now/preview").forms["/deal"]
    service.assign(database.backend, load(), business_date=datetime.now(UTC).date())
    before = snapshot(database)
    answer = reader.send("/deal", **fields)
    assert answer.status_code == 503
    assert "came since this preview. Nothing was changed" in answer.text
    assert snapshot(database) == before
    # The preview that comes with it is of now.
    assert reader.done("/deal", **Page(answer.text).forms["/deal"])


def test_without_agents_or_during_a_run_the_page_says_so(database: Database, reader: Reader) -> None:
    assert "A deal is not possible now" in reader.get("/run-now/preview").text
    small_floor(database)
    fields = reader.get("/run-now/preview").forms["/deal"]
    with run_in_progress(database):
        assert "A deal is running." in reader.get("/").text
        answer = reader.send("/deal", **fields)
        assert answer.status_code == 409
        assert "in progress" in Page(answer.text).text
    assert "A deal is running." not in reader.get("/").text
    assert service.runs(database.backend) == []


def test_undo_tells_first_and_then_takes_back_that_run_alone(database: Database, reader: Reader) -> None:
    small_floor(database)
    before = snapshot(database)["wafunnel"]
    first, second = (service.assign(database.backend, load(), business_date=datetime.now(UTC).date()) for _ in range(2))
    assert "Only the last deal can be undone" in reader.get(f"/runs/{first.run_id}/undo").text
    refused = reader.send(f"/runs/{first.run_id}/undo")
    assert refused.status_code == 409
    assert "That was not done." in refused.text
    page = reader.get(f"/runs/{second.run_id}/undo")
    assert f"Undo deal {second.run_id}: take {second.assigned} leads back" in page.text
    done = reader.done(f"/runs/{second.run_id}/undo")
    assert f"Deal {second.run_id} is undone: {second.assigned} leads went back by one stage." in done.text
    assert reader.send(f"/runs/{second.run_id}/undo").status_code == 409
    reader.done(f"/runs/{first.run_id}/undo")
    assert snapshot(database)["wafunnel"] == before
    assert "There is no run 99" in reader.get("/runs/99999/undo", 404).text


def test_runs_are_listed_page_by_page_and_each_adds_up(
    database: Database, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "There was no deal yet" in reader.get("/runs").text
    monkeypatch.setattr("agent_funnel.web.pages.runs.RUNS_PER_PAGE", 2)
    small_floor(database)
    service.add_do_not_contact(database.backend, "+49300000000")
    runs = [service.assign(database.backend, load(max_per_agent=1), business_date=date(2026, 11, 24)) for _ in range(3)]
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
        "= ready to deal 6",
        "3 agents, 1 each (at most 1 each",
        "another night 3",
    ):
        assert told in page
    assert "agent 0 1 agent 1 1 agent 2 1" in page


def test_a_failed_run_says_why_and_what_to_do(database: Database, reader: Reader) -> None:
    now = datetime.now(UTC)
    try:
        service.assign(database.backend, load(), business_date=now.date(), trigger="schedule")
    except Exception as error:
        failure: Any = error
    planning.record_failure(
        database.backend, load(), now.date(), failure, attempt=1, started_at=now, finished_at=now, actor="schedule"
    )
    run = service.runs(database.backend)[0]
    page = reader.get(f"/runs/{run.run_id}").text
    assert "Why it failed" in page
    assert "Error 50002, attempt 1." in page
    assert "activate an agent" in page
    assert str(failure) in page
    assert str(failure) in reader.get(f"/nights/{now.date()}").text
    assert "It failed, and changed nothing." in reader.get(f"/runs/{run.run_id}/undo").text


def test_who_may_not_act_sees_no_form_and_is_refused(database: Database) -> None:
    small_floor(database)
    run = service.assign(database.backend, load(), business_date=datetime.now(UTC).date())
    _, secret = access.add_key(database.backend, "Vera", "viewer")
    viewer = Reader(create_app(load(), database.backend).test_client(), Authorization=f"Bearer {secret}")
    before = snapshot(database)
    for path in ("/", "/run-now", "/run-now/preview", "/runs", f"/runs/{run.run_id}"):
        page = viewer.get(path)
        assert set(page.forms) <= {"/run-now/preview"}
        assert not any(link.startswith(("/settings", "/audit", "/keys")) for link in page.links)
    viewer.get(f"/runs/{run.run_id}/undo", 403)
    for path in ("/deal", f"/runs/{run.run_id}/undo", "/pause", "/resume"):
        answer = viewer.send(path)
        assert answer.status_code == 403
        assert "This needs the role operator" in answer.text
    assert snapshot(database) == before
    nobody = Reader(viewer.client)
    answer = nobody.client.get("/", headers=BROWSER)
    assert (answer.status_code, answer.location) == (302, "/sign-in")
    assert nobody.send("/deal").status_code == 401


def test_a_page_is_written_as_its_reader_writes(database: Database) -> None:
    small_floor(database, leads=1_200)
    service.assign(database.backend, load(), business_date=date(2026, 11, 24))
    client = create_app(load(), database.backend).test_client()
    run = service.runs(database.backend)[0].run_id
    for language, amount, day in (("de-DE,de;q=0.9", "1.200", "24.11.2026"), ("en-GB", "1,200", "24 Nov 2026")):
        assert f"Ready to deal {amount}" in Reader(client, **{"Accept-Language": language}).get(f"/runs/{run}").text
        assert day in Reader(client, **{"Accept-Language": language}).get("/runs").text
    Reader(client, **{"Accept-Language": "*, xx-nonsense;q=0.3, a_b_c"}).get("/runs")
