"""Lists that programs poll: the caching of their responses, and pages that belong to one deal. On each engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.access.links import make_link
from agent_funnel.agents import assignments
from agent_funnel.deal import deal
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.runs import deal_version, list_runs
from agent_funnel.settings import load
from agent_funnel.values import Row
from support.databases import TestedDatabase, seed_tables
from support.pages import bearer, client_of, key_of

POLLED = ["/api/agents", "/api/assignments"]


@pytest.fixture
def client(database: TestedDatabase) -> FlaskClient:
    seed_tables(database, leads=6, agents=2)
    deal(database.backend, load(), business_date=datetime.now().date())
    return client_of(database)


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("path", POLLED)
def test_only_its_client_may_cache_a_polled_list_and_must_revalidate_it_each_time(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert set(answer.headers["Cache-Control"].split(", ")) == {"private", "no-cache"}
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert set(again.headers["Cache-Control"].split(", ")) == {"private", "no-cache"}


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/leads",
        "/api/runs",
        "/api/do-not-contact",
        "/api/limits",
        "/api/keys",
        "/api/audit",
        "/no",
        "/metrics",
    ],
)
def test_no_other_response_may_be_cached(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(
    "path", ["/api/assignments?format=csv", "/api/runs/1/assignments?format=xlsx", "/mine/list.csv"]
)
def test_no_file_of_numbers_may_be_cached(database: TestedDatabase, client: FlaskClient, path: str) -> None:
    run_id = list_runs(database.backend, count=1)[0].run_id
    secret = make_link(database.backend, "agent 1")[1]
    answer = client.get(path.replace("/1/", f"/{run_id}/").replace("/mine/", f"/mine/{secret}/"))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.sqlserver_if_long
def test_no_refusal_may_be_cached(database: TestedDatabase, client: FlaskClient) -> None:
    viewer = bearer(key_of(database, "viewer"))
    for answer in (client.get("/api/agents"), client.post("/run-now", headers=viewer), client.get("/api/agents?x=%00")):
        assert answer.status_code >= 400
        assert answer.headers["Cache-Control"] == "no-store"


def dealing_within(database: TestedDatabase) -> Callable[..., list[list[Row]]]:
    """Reads assignments as if another deal came within the first call, after its rows and before its second version."""
    read = database.backend.sets
    asked: list[int] = []

    def reading(name: str, **parameters: Any) -> list[list[Row]]:
        found = read(name, **parameters)
        if name == "assignments_of_deal" and not asked:
            asked.append(1)
            deal(database.backend, load(), business_date=datetime.now().date(), again=True)
            return [*found[:-1], read("deal_version")[0]]
        return found

    return reading


def test_a_page_that_another_deal_interrupts_is_read_again_and_belongs_to_that_deal(
    database: TestedDatabase, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(database.backend, "sets", dealing_within(database))
        page = client.get("/api/assignments").get_json()
    assert page["deal"] == deal_version(database.backend)
    now = assignments(database.backend, count=100)
    assert [(item["agent"], item["number"], item["stage"]) for item in page["items"]] == [
        (row.agent, row.number, row.stage) for row in now
    ]


def test_a_later_page_that_another_deal_interrupts_is_refused(
    database: TestedDatabase, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = bearer(key_of(database, "viewer"))
    first = client.get("/api/assignments?count=2", headers=viewer).get_json()
    with monkeypatch.context() as patch:
        patch.setattr(database.backend, "sets", dealing_within(database))
        answer = client.get(f"/api/assignments?count=2&cursor={first['next']}", headers=viewer)
    assert answer.status_code == 409
    assert "begin again" in answer.get_json()["detail"]


def test_a_number_that_is_listed_in_between_does_not_end_the_paging(
    database: TestedDatabase, client: FlaskClient
) -> None:
    first = client.get("/api/assignments?count=2").get_json()
    add_do_not_contact(database.backend, first["items"][0]["number"])
    answer = client.get(f"/api/assignments?count=2&cursor={first['next']}")
    assert answer.status_code == 200
    assert not {item["number"] for item in answer.get_json()["items"]} & {item["number"] for item in first["items"]}
