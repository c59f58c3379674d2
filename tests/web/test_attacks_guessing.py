"""Guessing keys: guesses are limited by address, a forged address does not help, and comparing takes constant time."""

from __future__ import annotations

import hmac
from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.access.keys import hashed
from support.databases import TestedDatabase, snapshot
from support.pages import bearer, client_of, key_of, sign_in


def attempts(client: FlaskClient, how: str, forwarded: str, peer: str = "192.0.2.1") -> int:
    """The status of one more attempt to guess a key."""
    options: dict[str, Any] = {
        "headers": {"X-Forwarded-For": forwarded} if forwarded else {},
        "environ_overrides": {"REMOTE_ADDR": peer},
    }
    if how == "sign-in":
        return int(sign_in(client, "funnel_wrong", **options).status_code)
    options["headers"].update(bearer("funnel_wrong"))
    return int(client.get("/api/agents", **options).status_code)


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(("how", "allowed"), [("sign-in", 10), ("key", 30)])
def test_a_forged_address_gets_no_more_guesses(database: TestedDatabase, how: str, allowed: int) -> None:
    key_of(database, "admin")
    client = client_of(database)
    before = snapshot(database)
    seen = [attempts(client, how, f"203.0.113.{index}") for index in range(allowed + 2)]
    assert seen == [401] * allowed + [429] * 2
    assert snapshot(database) == before
    assert attempts(client, how, "", peer="192.0.2.2") == 401


def test_a_right_key_works_from_an_address_that_tried_too_many_wrong_ones(database: TestedDatabase) -> None:
    right = bearer(key_of(database, "admin"))
    client = client_of(database)
    assert {attempts(client, "key", "") for _ in range(35)} == {401, 429}
    peer = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/api/agents", headers=right, environ_overrides=peer).status_code == 200


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(("how", "allowed"), [("sign-in", 10), ("key", 30)])
def test_behind_a_proxy_only_the_address_that_the_proxy_added_counts(
    database: TestedDatabase, how: str, allowed: int
) -> None:
    key_of(database, "admin")
    client = client_of(database, proxy_hops=1)
    before = snapshot(database)
    seen = [attempts(client, how, f"198.51.100.{index}, 203.0.113.7") for index in range(allowed + 2)]
    assert seen == [401] * allowed + [429] * 2
    assert snapshot(database) == before
    assert attempts(client, how, "203.0.113.7, 203.0.113.8") == 401


def test_a_secret_is_compared_in_constant_time(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = key_of(database, "viewer")
    client = client_of(database)
    assert client.get("/api/agents", headers=bearer(secret)).status_code == 200
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert client.get("/api/agents", headers=bearer(secret)).status_code == 401
    assert compared == [(hashed(secret),) * 2]
