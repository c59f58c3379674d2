"""`/run-now` against the real app on each engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url

from agent_funnel.deal import NewRun
from agent_funnel.schedule.store import pause, resume
from agent_funnel.settings import load
from agent_funnel.web import create_app
from support.databases import TestedDatabase, connect_to, seed_tables, snapshot
from support.pages import AGAIN, reader_in_the_morning
from support.processes import run_in_progress
from support.proxy import Proxy

FIELDS = [
    *("run_id", "business_date", "trigger", "status", "agents", "pool", "per_agent", "assigned", "left_over"),
    *("duplicates", "suppressed", "smallest_share", "largest_share", "started_at", "finished_at"),
    *("kept_out", "came_round", "same_agent", "stayed", "notice"),
]


def problem(response: Any, status: int, code: int | None) -> str:
    """Checks that the answer is this problem; returns its detail."""
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert response.json["status"] == status
    assert response.json.get("code") == code
    return str(response.json["detail"])


def test_the_page_says_when_the_next_automatic_deal_is_and_that_deals_are_paused(database: TestedDatabase) -> None:
    seed_tables(database)
    client = reader_in_the_morning(database).client

    def page() -> str:
        return client.get("/run-now", headers={"Accept": "text/html"}).text

    assert re.search("(The next automatic deal,|Tonight’s deal at) <time[^>]+>[^<]+</time>,? still happens", page())
    pause(database.backend, now=datetime.now(UTC), actor="Ana", reason="<stocktaking>")
    assert "Automatic deals are paused" in page()
    assert "&lt;stocktaking&gt;" in page()
    resume(database.backend, now=datetime.now(UTC), actor="Ana")
    assert "deals are paused" not in page()


def test_a_post_deals_and_returns_the_run(database: TestedDatabase, client: FlaskClient) -> None:
    seed_tables(database)
    response = client.post("/run-now")
    assert response.status_code == 200
    run: Any = response.json
    assert list(run) == FIELDS == list(NewRun.__dataclass_fields__)
    assert (run["assigned"], run["trigger"], run["status"]) == (7, "manual", "succeeded")
    assert len(database.execute("SELECT agent FROM dbo.agent_wafunnel_assignment")) == 7
    assert run["notice"] is None


@pytest.mark.parametrize("path", ["/run-now", "/api/runs"])
def test_a_post_just_after_a_deal_gets_409_unless_it_says_again(
    database: TestedDatabase, client: FlaskClient, path: str
) -> None:
    seed_tables(database)
    run_id = client.post(path, json={}).get_json()["run_id"]
    before = snapshot(database)
    plain: tuple[dict[str, Any], ...] = ({}, {"json": {}}, {"json": {"again": False}})
    for more in plain:
        assert f"Run {run_id} " in problem(client.post(path, **more), 409, 50008)
    assert snapshot(database) == before
    again: Any = client.post(path, **AGAIN).json
    assert again["notice"] == (
        f"Run {run_id} of {again['business_date']} came before this one: 5 leads move on a second time that day. "
        "An undo takes that back."
    )


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("sent", [b"again", b"[]", b'{"again": 1}', b'{"agian": true}', b'{"again": true'])
def test_a_body_that_is_not_understood_deals_nothing(
    database: TestedDatabase, client: FlaskClient, sent: bytes
) -> None:
    seed_tables(database)
    before = snapshot(database)
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        problem(client.post("/run-now", data=sent, content_type=kind), 422, None)
    assert snapshot(database) == before


def test_while_a_run_is_in_progress_a_post_gets_409_and_changes_nothing(
    database: TestedDatabase, client: FlaskClient
) -> None:
    seed_tables(database)
    client.post("/run-now")
    before = snapshot(database)
    with run_in_progress(database):
        assert "in progress" in problem(client.post("/run-now"), 409, 50001)
    assert snapshot(database) == before
    assert client.post("/run-now", **AGAIN).status_code == 200


def test_without_an_active_agent_a_post_gets_422_and_changes_nothing(
    database: TestedDatabase, client: FlaskClient
) -> None:
    seed_tables(database)
    client.post("/run-now")
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    before = snapshot(database)
    problem(client.post("/run-now", **AGAIN), 422, 50002)
    assert snapshot(database) == before


@pytest.fixture
def taken_away(database: TestedDatabase, tmp_path: Path) -> Iterator[tuple[FlaskClient, Any, Any]]:
    """The app, and two functions: one takes its database away, one gives it back."""
    url = make_url(database.url)
    if database.engine == "sqlite":
        path = Path(url.database or "")
        away = tmp_path / "away.db"
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        app = create_app(load(), database.backend)
        yield app.test_client(), lambda: path.rename(away), lambda: away.rename(path)
        return
    proxy = Proxy(url.host or "", url.port or 1433)
    behind = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    app = create_app(load(), connect_to(behind, database.schema))
    yield app.test_client(), proxy.stop, proxy.start
    proxy.stop()


@pytest.mark.sqlserver_if_long
def test_while_the_database_is_down_a_post_gets_503_and_the_old_deal_stays(
    database: TestedDatabase, taken_away: tuple[FlaskClient, Any, Any]
) -> None:
    client, take_away, give_back = taken_away
    seed_tables(database)
    assert client.post("/run-now").status_code == 200
    before = snapshot(database)
    if database.engine == "sqlite":
        database.close()
    take_away()
    try:
        detail = problem(client.post("/run-now"), 503, None)
    finally:
        give_back()
    assert "Traceback" not in detail
    password = make_url(database.url).password
    assert not password or str(password) not in detail
    assert snapshot(database) == before
    assert client.post("/run-now", **AGAIN).status_code == 200


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("accept", [None, "application/json", "*/*"])
def test_a_get_from_a_program_is_refused_and_points_to_post(
    database: TestedDatabase, client: FlaskClient, accept: str | None
) -> None:
    seed_tables(database)
    before = snapshot(database)
    response = client.get("/run-now", headers={"Accept": accept} if accept else {})
    problem(response, 405, None)
    assert response.headers["Allow"] == "POST"
    assert snapshot(database) == before


def test_a_get_from_a_browser_shows_a_button_for_the_preview(database: TestedDatabase, client: FlaskClient) -> None:
    seed_tables(database)
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    before = snapshot(database)
    page = client.get("/run-now", headers=browser)
    assert page.status_code == 200
    assert '<form action="/run-now/preview"' in page.text
    assert "<button>See the preview</button>" in page.text
    assert snapshot(database) == before


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
    ],
    ids=str,
)
def test_a_page_of_another_site_cannot_start_a_run(
    database: TestedDatabase, client: FlaskClient, headers: dict[str, str]
) -> None:
    seed_tables(database)
    before = snapshot(database)
    problem(client.post("/run-now", headers=headers), 403, None)
    assert snapshot(database) == before
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert client.post("/run-now", headers=own).status_code == 200


def test_an_unknown_address_and_an_unexpected_error_are_problems_too(
    database: TestedDatabase, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem(client.get("/nowhere"), 404, None)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("agent_funnel.deal.deal", broken)
    assert "secret" not in problem(client.post("/run-now"), 500, None)
