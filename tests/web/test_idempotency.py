"""The Idempotency-Key header, over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import Forbidden, InternalServerError

from agent_funnel.access.keys import list_keys
from agent_funnel.agents import list_limits
from agent_funnel.errors import ConnectionLost
from support.databases import TestedDatabase, seed_tables
from support.pages import AGAIN, bearer, client_of
from support.processes import run_in_progress


def post(client: FlaskClient, path: str, key: str, **more: Any) -> Any:
    return client.post(path, headers={"Idempotency-Key": key}, **more)


def count_runs(database: TestedDatabase) -> int:
    return int(database.execute("SELECT COUNT(*) FROM dbo.assignment_run")[0][0])


def test_the_same_key_deals_once_and_gets_the_same_answer_from_another_copy(
    database: TestedDatabase, client: FlaskClient
) -> None:
    seed_tables(database)
    first = post(client, "/run-now", "tonight-1")
    other_copy = client_of(database)
    again = post(other_copy, "/run-now", "tonight-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.data == again.data
    assert again.content_type == "application/json"
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert count_runs(database) == 1
    # A new key is a new request, which needs a confirmation just after a deal.
    refused = post(client, "/run-now", "tonight-2")
    assert (refused.status_code, refused.json["code"]) == (409, 50008)
    assert post(client, "/run-now", "tonight-2", **AGAIN).json["run_id"] > first.json["run_id"]


def test_many_requests_at_once_with_the_same_key_deal_once(database: TestedDatabase) -> None:
    seed_tables(database)
    clients = [client_of(database) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda client: post(client, "/run-now", "same"), clients))
    assert {each.status_code for each in found} <= {200, 409}
    assert len({each.data for each in found if each.status_code == 200}) == 1
    assert count_runs(database) == 1
    assert post(clients[0], "/run-now", "same").headers["Idempotency-Replayed"] == "true"


def test_a_key_with_different_content_is_refused_and_nothing_is_done(
    database: TestedDatabase, client: FlaskClient
) -> None:
    seed_tables(database)
    limit = {"agent": "agent 0", "starts_on": "2026-11-24", "max_records": 5}
    assert post(client, "/api/limits", "k", json=limit).status_code == 201
    refused = post(client, "/api/limits", "k", json={**limit, "max_records": 6})
    assert refused.status_code == 422
    assert "another request" in refused.json["detail"]
    assert [each.max_records for each in list_limits(database.backend)] == [5]
    # At another address the same key is a new one.
    assert post(client, "/api/agents", "k", json={"agent": "Eva"}).status_code == 201


@pytest.mark.sqlserver_if_long
def test_a_refused_request_is_not_stored_and_can_be_made_again(database: TestedDatabase, client: FlaskClient) -> None:
    seed_tables(database)
    database.execute("UPDATE dbo.agents SET status = 'inactive'")
    assert post(client, "/run-now", "k").status_code == 422
    database.execute("UPDATE dbo.agents SET status = 'active'")
    assert post(client, "/run-now", "k").status_code == 200


@pytest.mark.sqlserver_if_long
def test_an_import_with_the_wrong_type_can_be_made_again_with_the_right_one(
    database: TestedDatabase, client: FlaskClient
) -> None:
    file = {"data": b"number,stage,date\n+4915112345678,1,2026-11-20\n"}
    for _ in range(2):
        assert post(client, "/api/leads/import", "k", content_type="image/png", **file).status_code == 415
    assert post(client, "/api/leads/import", "k", content_type="text/csv", **file).status_code == 200
    assert post(client, "/api/leads/import", "k", content_type="text/csv", **file).headers["Idempotency-Replayed"]


@pytest.mark.parametrize(("error", "again"), [(Forbidden(), 200), (InternalServerError(), 409)])
def test_a_request_refused_by_a_view_can_be_made_again_unless_something_may_have_changed(
    database: TestedDatabase, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: Exception, again: int
) -> None:
    seed_tables(database)

    def refuse(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("agent_funnel.web.api.agents.set_agent_status", refuse)
        assert post(client, "/api/agents/deactivate", "k", json={"agent": "agent 1"}).status_code >= 400
    assert post(client, "/api/agents/deactivate", "k", json={"agent": "agent 1"}).status_code == again


def test_during_a_run_a_request_with_a_key_is_refused_and_does_not_deal_later(
    database: TestedDatabase, client: FlaskClient
) -> None:
    seed_tables(database)
    with run_in_progress(database):
        assert post(client, "/run-now", "k").status_code == 409
    assert count_runs(database) == 0
    assert post(client, "/run-now", "k").status_code == 200


def test_a_request_that_was_cut_off_is_not_done_again_under_the_same_key(
    database: TestedDatabase, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_tables(database)
    with monkeypatch.context() as patch:

        def lose(*_: Any, **__: Any) -> None:
            raise ConnectionLost

        patch.setattr("agent_funnel.agents.add_limit", lose)
        limit = {"agent": "agent 0", "starts_on": "2026-11-24", "max_records": 5}
        assert post(client, "/api/limits", "k", json=limit).status_code == 503
    again = post(client, "/api/limits", "k", json=limit)
    assert again.status_code == 409
    assert "cut off" in again.json["detail"]
    assert list_limits(database.backend) == []


def test_the_answer_with_a_new_access_key_is_repeated_without_its_secret(
    database: TestedDatabase, client: FlaskClient
) -> None:
    first = post(client, "/api/keys", "k", json={"name": "Ana", "role": "admin"})
    secret = first.json["secret"]
    assert first.status_code == 201
    assert secret.startswith("funnel_")
    assert "X-Keep" not in first.headers
    own = bearer(secret)
    assert secret not in repr(database.execute("SELECT * FROM dbo.request_answer"))
    # From here on a request needs an access key, even from this machine.
    assert client.get("/api/keys").status_code == 401
    assert client.get("/api/keys", headers=own).get_json()["items"][0]["name"] == "Ana"
    body = {"name": "Ben", "role": "viewer"}
    made = client.post("/api/keys", headers={**own, "Idempotency-Key": "b"}, json=body)
    again = client.post("/api/keys", headers={**own, "Idempotency-Key": "b"}, json=body)
    assert (made.status_code, again.status_code) == (201, 201)
    assert again.json == {"key": made.get_json()["key"], "secret": None}
    assert len(list_keys(database.backend)) == 2


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("key", ["", " ", "ä", "a b", "x" * 256])
def test_an_invalid_key_is_refused_and_nothing_is_dealt(
    database: TestedDatabase, client: FlaskClient, key: str
) -> None:
    seed_tables(database)
    refused = client.post("/run-now", headers={"Idempotency-Key": key.encode("latin-1").decode("latin-1")})
    assert refused.status_code == 422
    assert count_runs(database) == 0
