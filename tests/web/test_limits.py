"""The limits of the service, tested at their ends: requests, runs, bodies, pages, and counts in memory."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
from werkzeug.test import TestResponse

from agent_funnel.access.keys import Role
from agent_funnel.runs import Share
from agent_funnel.settings import load
from agent_funnel.web.counts import BackgroundCounts
from support.databases import TestedDatabase, seed_tables
from support.pages import bearer, client_of, key_of

# These tests concern the service; other tests run the same queries on each engine.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

LARGEST_BODY = 1_000_000


def header_of(database: TestedDatabase, name: str, role: Role = "operator") -> dict[str, str]:
    """The header of a request with a new key."""
    return bearer(key_of(database, role, name))


def codes(answers: list[TestResponse]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_a_key_may_send_1200_requests_a_minute_unless_the_settings_say_otherwise(database: TestedDatabase) -> None:
    client = client_of(database)
    assert client.get("/api/limits").headers["X-RateLimit-Limit"] == "1200"
    few = client_of(database, rate_limit="3 per minute")
    assert codes([few.get("/api/limits") for _ in range(5)]) == [200] * 3 + [429] * 2
    assert 0 < int(few.get("/api/limits").headers["Retry-After"]) <= 60


def test_requests_are_counted_by_key_and_without_one_by_address(database: TestedDatabase) -> None:
    client = client_of(database, rate_limit="2 per minute")
    elsewhere = {"REMOTE_ADDR": "127.0.0.2"}
    assert codes([client.get("/sign-in") for _ in range(3)]) == [200, 200, 429]
    assert client.get("/sign-in", environ_overrides=elsewhere).status_code == 200
    ana, ben = header_of(database, "Ana"), header_of(database, "Ben")
    assert codes([client.get("/api/limits", headers=ana) for _ in range(3)]) == [200, 200, 429]
    # Requests of a key count together from all addresses, and apart from those of other keys.
    assert client.get("/api/limits", headers=ana, environ_overrides=elsewhere).status_code == 429
    assert client.get("/api/limits", headers=ben).status_code == 200


def test_requests_without_a_valid_key_are_limited_by_address_and_hardly_logged(
    database: TestedDatabase, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    ana = header_of(database, "Ana")
    client = client_of(database, rate_limit="40 per minute")
    for path in ("/api/runs", "/nowhere", "/run-now", "/api/runs"):
        client.get(path)
    answers = [client.get("/api/runs") for _ in range(38)]
    assert codes(answers) == [401] * 36 + [429] * 2
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert "without a valid key" in answers[-1].text
    assert client.post("/nowhere", headers=bearer("wrong")).status_code == 429
    # A valid key gets in, and another address has a count of its own.
    assert client.get("/api/runs", headers=ana).status_code == 200
    assert client.get("/api/runs", environ_overrides={"REMOTE_ADDR": "127.0.0.2"}).status_code == 401
    # The logger may still be that of a service that an earlier test started in this process.
    assert (capsys.readouterr().out + caplog.text).count("refused without a key") == 31


def test_wrong_keys_count_as_requests_without_a_valid_key(database: TestedDatabase) -> None:
    header_of(database, "Ana")
    client = client_of(database, rate_limit="5 per minute")
    wrong = bearer("wrong")
    assert codes([client.get("/api/runs", headers=wrong) for _ in range(6)]) == [401] * 5 + [429]
    assert client.get("/api/runs").status_code == 429


def test_a_stranger_beyond_the_limit_costs_no_query(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    header_of(database, "Ana")
    client = client_of(database, rate_limit="2 per minute")
    assert codes([client.get("/api/runs") for _ in range(2)]) == [401] * 2

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(type(database.backend), "sets", refuse)
    assert client.get("/api/runs").status_code == 429


def test_health_checks_and_static_files_are_never_counted(database: TestedDatabase) -> None:
    client = client_of(database, rate_limit="1 per minute")
    for path in ("/healthz", "/readyz", "/static/page.css"):
        assert 429 not in codes([client.get(path) for _ in range(5)]), path
    assert client.get("/api/limits").status_code == 200
    assert client.get("/api/limits").status_code == 429


def test_a_key_may_start_twenty_runs_a_minute_on_both_paths_together(database: TestedDatabase) -> None:
    client = client_of(database)
    ana, ben = header_of(database, "Ana"), header_of(database, "Ben")
    # Without an agent each is refused, which is quick, and counts.
    paths = ["/run-now", "/api/runs"] * 11
    assert codes([client.post(path, headers=ana) for path in paths]) == [422] * 20 + [429] * 2
    assert client.get("/api/runs", headers=ana).status_code == 200
    assert client.post("/run-now", headers=ben).status_code == 422


def test_an_address_may_sign_in_ten_times_a_minute_even_with_valid_keys(database: TestedDatabase) -> None:
    secret = key_of(database, "viewer", "Ana")
    client = client_of(database)
    assert codes([client.post("/sign-in", data={"key": secret}) for _ in range(11)]) == [303] * 10 + [429]
    elsewhere = client.post("/sign-in", data={"key": secret}, environ_overrides={"REMOTE_ADDR": "127.0.0.2"})
    assert elsewhere.status_code == 303


def test_a_body_may_have_a_million_bytes_and_a_file_more(database: TestedDatabase) -> None:
    client = client_of(database)

    def send(path: str, size: int, kind: str) -> int:
        return client.post(path, data=b"x" * size, content_type=kind).status_code

    assert send("/api/limits", LARGEST_BODY, "application/json") == 422
    assert send("/api/limits", LARGEST_BODY + 1, "application/json") == 413
    # The header of this file is wrong; its size is not.
    assert send("/api/leads/import", LARGEST_BODY + 1, "text/csv") == 422


def test_a_page_has_at_most_a_thousand_rows_and_at_least_one(database: TestedDatabase) -> None:
    client = client_of(database)
    for count, code in ((0, 422), (1, 200), (1_000, 200), (1_001, 422)):
        assert client.get(f"/api/leads?count={count}").status_code == code, count


def test_a_viewer_pages_through_lists_of_a_bounded_length(database: TestedDatabase, monkeypatch: Any) -> None:
    seed_tables(database)
    client, viewer = client_of(database), header_of(database, "Vic", "viewer")
    monkeypatch.setattr("agent_funnel.web.paging.LONGEST_MASKED_LIST", 7)
    first = client.get("/api/leads?count=4", headers=viewer).get_json()
    second = client.get(f"/api/leads?count=3&cursor={first['next']}", headers=viewer).get_json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (4, 3, None)
    # Not even the first rows of a longer list are shown.
    monkeypatch.setattr("agent_funnel.web.paging.LONGEST_MASKED_LIST", 6)
    assert client.get("/api/leads?count=1", headers=viewer).status_code == 422


def test_the_shares_of_a_hundred_runs_are_kept_and_those_of_the_oldest_are_counted_again(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def shares(_: object, run_id: int) -> list[Share]:
        counted.append(run_id)
        return [Share("A", 1, {1: 1})]

    monkeypatch.setattr("agent_funnel.web.counts.shares", shares)
    counts = BackgroundCounts(database.backend, load())
    assert len(counts.known_shares(range(101))) == 100
    assert set(counts.known_shares(range(1, 101))) == set(range(1, 101))
    assert counted == list(range(101))
    assert set(counts.known_shares([0])) == {0}
    assert counted == [*range(101), 0]


def test_people_who_look_at_different_spans_do_not_push_out_one_anothers_results(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def count(_: object, first: date, last: date) -> date:
        counted.append(first.day)
        return last

    monkeypatch.setattr("agent_funnel.web.counts.count_results", count)
    counts = BackgroundCounts(database.backend, load())

    def look(day: int) -> None:
        wanted, deadline = date(2026, 11, day), time.monotonic() + 10
        while counts.start_results(wanted, wanted, "a deal").get() is None:
            assert time.monotonic() < deadline

    for day in (*range(1, 9), *range(1, 9)):
        look(day)
    assert counted == [*range(1, 9)]
    # A ninth span takes the place of the one that nobody has looked at for longest.
    for day in (1, 9, 1, 2):
        look(day)
    assert counted == [*range(1, 9), 9, 2]


def test_leads_by_stage_are_counted_again_after_twenty_seconds(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, now = BackgroundCounts(database.backend, load()), time.monotonic()
    first = counts.stage_counts("deal 1") or counts.stage_counts("deal 1")
    assert first is not None
    assert counts.stage_counts("deal 1") is first
    monkeypatch.setattr("time.monotonic", lambda: now + 15)
    assert counts.stage_counts("deal 1") is first
    monkeypatch.setattr("time.monotonic", lambda: now + 25)
    assert (counts.stage_counts("deal 1") is not first) or (counts.stage_counts("deal 1") is not first)


def test_leads_by_stage_are_counted_again_after_a_deal(database: TestedDatabase) -> None:
    counts = BackgroundCounts(database.backend, load())
    before = counts.stage_counts("deal 1") or counts.stage_counts("deal 1")
    after = counts.stage_counts("deal 2")
    if after is before:
        # A page waits only briefly.
        after = counts.stage_counts("deal 2")
    assert after is not before
    assert counts.stage_counts("deal 2") is after
