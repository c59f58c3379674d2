"""Whose an Idempotency-Key is, and of which request: through HTTP, on each engine."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel import access, service
from agent_funnel.settings import load
from agent_funnel.web import create_app
from databases import Database, small_floor


@pytest.fixture
def client(database: Database) -> FlaskClient:
    small_floor(database)
    return create_app(load(), database.backend).test_client()


def bearer(database: Database, name: str, role: access.Role = "operator") -> dict[str, str]:
    return {"Authorization": f"Bearer {access.add_key(database.backend, name, role)[1]}"}


def post(client: FlaskClient, path: str, headers: dict[str, str], key: str = "same", **more: Any) -> Any:
    return client.post(path, headers={**headers, "Idempotency-Key": key}, **more)


def is_new(answer: Any) -> bool:
    return "Idempotency-Replayed" not in answer.headers


def test_two_users_with_the_same_idempotency_key_each_get_an_answer_of_their_own(
    database: Database, client: FlaskClient
) -> None:
    ana, ben = bearer(database, "Ana"), bearer(database, "Ben")
    body = {"agent": "agent 0", "starts_on": "2026-11-24", "max_records": 5}
    first, second = (post(client, "/api/limits", who, json=body) for who in (ana, ben))
    assert (first.status_code, second.status_code) == (201, 201)
    assert (is_new(first), is_new(second)) == (True, True)
    assert first.json["limit"]["limit_id"] != second.json["limit"]["limit_id"]
    assert not is_new(post(client, "/api/limits", ana, json=body))
    assert len(service.limits(database.backend)) == 2


def test_an_answer_to_this_machine_is_not_replayed_to_the_first_key(database: Database, client: FlaskClient) -> None:
    body = {"agent": "agent 0", "starts_on": "2026-11-24", "max_records": 5}
    assert post(client, "/api/limits", {}, json=body).status_code == 201
    ana = bearer(database, "Ana")
    assert is_new(post(client, "/api/limits", ana, json=body))


def test_one_idempotency_key_is_another_for_another_address_and_another_query(
    database: Database, client: FlaskClient
) -> None:
    agent = {"agent": "agent 0"}
    assert post(client, "/api/agents/deactivate", {}, json=agent).status_code == 200
    assert is_new(post(client, "/api/agents/activate", {}, json=agent))
    file = {"data": "number,stage,date\n+4915110000001,1,2026-11-20\n", "content_type": "text/csv"}
    tried = post(client, "/api/leads/import?dry_run=true", {}, **file)
    assert (tried.status_code, tried.json["added"]) == (200, 1)
    # The same file, but meant: another request, which is not taken for the first one.
    assert post(client, "/api/leads/import", {}, **file).status_code == 422
    assert post(client, "/api/leads/import", {}, "another", **file).json["added"] == 1


def test_an_idempotency_key_is_a_secret_of_nobody_and_kept_nowhere(database: Database, client: FlaskClient) -> None:
    post(client, "/api/agents/activate", {}, "visible-key", json={"agent": "agent 0"})
    assert "visible-key" not in repr(database.execute("SELECT * FROM dbo.request_answer"))


def test_an_idempotency_key_of_255_characters_is_taken(client: FlaskClient) -> None:
    assert post(client, "/api/agents/activate", {}, "x" * 255, json={"agent": "agent 0"}).status_code == 200
