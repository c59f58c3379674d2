"""Bounds on long work and on waiting files: exports, imports and previews, and who gets an answer meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from agent_funnel.web.bounds import Places
from agent_funnel.web.services import Services
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today
from support.pages import Page, Reader, client_of

# These tests concern the service; other tests run the same queries on each engine.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

EXPORTS = ("/api/assignments?format=csv", "/api/assignments?format=xlsx", "/api/runs/1/assignments?format=csv")


def services_of(client: FlaskClient) -> Services:
    found: Services = client.application.extensions["agent_funnel"]
    return found


@pytest.fixture
def client(database: TestedDatabase) -> FlaskClient:
    """A client of the service on a database with a deal."""
    seed_tables(database)
    deal_today(database)
    return client_of(database)


def refused(answer: TestResponse, words: str) -> None:
    """Asserts that there was no place, and that the answer says when to try again."""
    assert (answer.status_code, words in answer.text) == (429, True), answer.text
    assert int(answer.headers["Retry-After"]) > 0


def take_all(places: Places, count: int, stack: ExitStack) -> None:
    """Takes all places of a kind, as so many requests do that take long."""
    for _ in range(count):
        stack.enter_context(places.take())


def test_two_exports_are_made_at_a_time_and_the_next_is_refused_at_once(client: FlaskClient) -> None:
    run_id = client.get("/api/runs").get_json()["items"][0]["run_id"]
    exports = [path.replace("/1/", f"/{run_id}/") for path in EXPORTS]
    with ExitStack() as stack:
        take_all(services_of(client).exports, 2, stack)
        for path in exports:
            refused(client.get(path), "busy with 2 exports")
        # Lists that are polled take no place.
        assert client.get("/api/assignments").status_code == 200
    for path in exports:
        assert client.get(path).status_code == 200


def test_two_imports_are_made_at_a_time_on_the_page_too(client: FlaskClient) -> None:
    file = b"number,stage,date\n+491701,1,2026-11-01\n"

    def by_api() -> TestResponse:
        return client.post("/api/leads/import?dry_run=true", data=file, content_type="text/csv")

    def by_page() -> TestResponse:
        return Reader(client).send("/leads/import", what="check", file=(BytesIO(file), "leads.csv"))

    for send in (by_api, by_page):
        with ExitStack() as stack:
            take_all(services_of(client).imports, 2, stack)
            refused(send(), "busy with 2 imports")
        assert send().status_code == 200


def test_four_previews_are_made_at_a_time_and_a_refused_form_still_says_why(client: FlaskClient) -> None:
    reader = Reader(client)
    fields = reader.get("/run-now/preview").forms["/deal"]
    with ExitStack() as stack:
        take_all(services_of(client).previews, 4, stack)
        refused(client.get("/api/preview"), "busy with 4 previews or results")
        refused(client.get("/api/results"), "busy with 4 previews or results")
        assert "busy with 4 previews" in reader.get("/run-now/preview")
        page = reader.refused(409, "/deal", **{**fields, "version": "0.0"})
        assert "came since this preview" in page
    assert client.get("/api/preview").status_code == 200


def test_complete_exports_that_wait_for_slow_clients_are_bounded_by_their_bytes(client: FlaskClient) -> None:
    downloads = services_of(client).downloads
    assert downloads.take(199_999_999)
    refused(client.get(EXPORTS[0]), "wait for their clients")
    downloads.give_back(199_999_999)
    first = client.get(EXPORTS[0], buffered=False)
    assert downloads.used > 0
    first.close()
    assert downloads.used == 0
    # Nobody takes the file of a HEAD request.
    assert client.head(EXPORTS[0]).status_code == 200
    assert downloads.used == 0


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_an_export_that_nobody_waits_for_ends_and_leaves_no_file(
    client: FlaskClient, format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_funnel.exports.CHECK_ROWS", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = f"/api/assignments?format={format}"
    looks = 0

    def gone_after(count: int) -> Callable[[], bool]:
        nonlocal looks
        looks = 0

        def is_gone() -> bool:
            nonlocal looks
            looks += 1
            return looks > count

        return is_gone

    # Seven rows are read before a cell is made.
    for count in (0, 9) if format == "xlsx" else (0, 3):
        given: Any = {"waitress.client_disconnected": gone_after(count)}
        assert client.get(path, environ_overrides=given).status_code == 503
        assert looks == count + 1
    monkeypatch.setattr("agent_funnel.web.files.EXPORT_SECONDS", -1.0)
    assert "took more than" in client.get(path).text
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    assert client.get(path).status_code == 200


def test_runs_and_undos_by_the_page_count_as_runs(client: FlaskClient) -> None:
    reader = Reader(client)
    for index in range(20):
        path = "/deal" if index % 2 else "/runs/999/undo"
        assert reader.send(path, version="0.0").status_code in (404, 409)
    for path in ("/deal", "/runs/999/undo", "/api/runs/999/undo", "/run-now"):
        answer = reader.send(path, version="0.0")
        assert (path, answer.status_code) == (path, 429)
    assert Page(reader.send("/deal").text).text
