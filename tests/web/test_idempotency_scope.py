"""The scope of an Idempotency-Key: one requester, one path and one content; through HTTP, on each engine."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.agents import list_limits
from support.databases import TestedDatabase, seed_tables
from support.pages import bearer, client_of, key_of


@pytest.fixture
def client(database: TestedDatabase) -> FlaskClient:
    seed_tables(database)
    return client_of(database)


def post(client: FlaskClient, path: str, headers: dict[str, str], key: str = "same", **more: Any) -> Any:
    return client.post(path, headers={**headers, "Idempotency-Key": key}, **more)


def is_new(answer: Any) -> bool:
    """Whether the response is new, and not the replay of an earlier one."""
    return "Idempotency-Replayed" not in answer.headers


def test_two_users_with_the_same_idempotency_key_each_get_their_own_response(
    database: TestedDatabase, client: FlaskClient
) -> None:
    ana, ben = (bearer(key_of(database, "operator", name)) for name in ("Ana", "Ben"))
    body = {"agent": "agent 0", "starts_on": "2026-11-24", "max_records": 5}
    first, second = (post(client, "/api/limits", who, json=body) for who in (ana, ben))
    assert (first.status_code, second.status_code) == (201, 201)
    assert (is_new(first), is_new(second)) == (True, True)
    assert first.json["limit"]["limit_id"] != second.json["limit"]["limit_id"]
    assert not is_new(post(client, "/api/limits", ana, json=body))
    assert len(list_limits(database.backend)) == 2


def test_a_response_to_a_request_without_a_key_is_not_replayed_to_the_first_key(
    database: TestedDatabase, client: FlaskClient
) -> None:
    body = {"agent": "agent 0", "starts_on": "2026-11-24", "max_records": 5}
    assert post(client, "/api/limits", {}, json=body).status_code == 201
    ana = bearer(key_of(database, "operator", "Ana"))
    assert is_new(post(client, "/api/limits", ana, json=body))


@pytest.mark.sqlserver_if_long
def test_an_idempotency_key_is_separate_for_each_path_and_query(database: TestedDatabase, client: FlaskClient) -> None:
    agent = {"agent": "agent 0"}
    assert post(client, "/api/agents/deactivate", {}, json=agent).status_code == 200
    assert is_new(post(client, "/api/agents/activate", {}, json=agent))
    file = {"data": "number,stage,date\n+4915110000001,1,2026-11-20\n", "content_type": "text/csv"}
    tried = post(client, "/api/leads/import?dry_run=true", {}, **file)
    assert (tried.status_code, tried.json["added"]) == (200, 1)
    # The same file without dry_run is another request, and does not get the first response.
    assert post(client, "/api/leads/import", {}, **file).status_code == 422
    assert post(client, "/api/leads/import", {}, "another", **file).json["added"] == 1


def test_an_idempotency_key_is_stored_nowhere(database: TestedDatabase, client: FlaskClient) -> None:
    post(client, "/api/agents/activate", {}, "visible-key", json={"agent": "agent 0"})
    assert "visible-key" not in repr(database.execute("SELECT * FROM dbo.request_answer"))


def test_an_idempotency_key_of_255_characters_is_accepted(client: FlaskClient) -> None:
    assert post(client, "/api/agents/activate", {}, "x" * 255, json={"agent": "agent 0"}).status_code == 200
