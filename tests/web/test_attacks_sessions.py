"""Attacks on sessions: planted, stolen and expired ones open nothing."""

from __future__ import annotations

from agent_funnel.access.keys import add_key, revoke_key
from agent_funnel.web.auth import SESSION_COOKIE
from support.databases import TestedDatabase, all_rows, snapshot
from support.pages import BROWSER, bearer, client_of, key_of, sign_in, token_in


def test_signing_in_always_begins_a_new_session(database: TestedDatabase) -> None:
    secret = key_of(database, "operator")
    attacker, victim = client_of(database), client_of(database)
    for planted in ("chosen-by-the-attacker", None):
        if planted is None:
            # A real session, of the attacker's own key.
            sign_in(attacker, key_of(database, "viewer", "Eve"))
            planted = token_in(attacker)
            assert attacker.get("/api/agents").status_code == 200
        assert planted is not None
        victim.set_cookie(SESSION_COOKIE, planted)
        assert sign_in(victim, secret).status_code == 303
        fresh = token_in(victim)
        assert fresh not in (None, planted)
        attacker.set_cookie(SESSION_COOKIE, planted)
        assert attacker.get("/api/agents").status_code == 401
        assert victim.get("/api/agents").status_code == 200
        # Signing in again ends the previous session.
        assert sign_in(victim, secret).status_code == 303
        attacker.set_cookie(SESSION_COOKIE, str(fresh))
        assert attacker.get("/api/agents").status_code == 401


def test_a_stolen_session_ends_when_its_holder_signs_out(database: TestedDatabase) -> None:
    client, thief = client_of(database), client_of(database)
    sign_in(client, key_of(database, "operator"))
    thief.set_cookie(SESSION_COOKIE, str(token_in(client)))
    assert thief.get("/api/agents").status_code == 200
    client.post("/sign-out")
    assert token_in(client) is None
    before = snapshot(database)
    assert thief.post("/api/agents", json={"agent": "x"}).status_code == 401
    assert thief.get("/run-now", headers=BROWSER).location == "/sign-in"
    assert snapshot(database) == before


def test_a_session_ends_when_its_key_is_revoked_and_when_its_time_is_over(database: TestedDatabase) -> None:
    client, other = client_of(database), client_of(database)
    key, secret = add_key(database.backend, "Ana", "operator")
    sign_in(client, secret)
    sign_in(other, key_of(database, "operator", "Bo"))
    database.execute("UPDATE dbo.access_key SET created_at = '2020-01-01 00:00:00.000' WHERE key_id = %s", key.key_id)
    assert client.get("/api/agents").status_code == other.get("/api/agents").status_code == 200
    revoke_key(database.backend, key.key_id)
    database.execute(
        "UPDATE dbo.access_session SET expires_at = '2026-01-01 00:00:00.000' WHERE key_id <> %s", key.key_id
    )
    before = snapshot(database)
    for late in (client, other):
        assert late.post("/api/agents", json={"agent": "x"}).status_code == 401
        assert late.get("/api/agents").status_code == 401
    assert client.get("/api/agents", headers=bearer(secret)).status_code == 401
    assert sign_in(client_of(database), secret).status_code == 401
    assert snapshot(database) == before


def test_a_cookie_is_kept_from_scripts_and_from_other_sites_and_is_not_in_the_database(
    database: TestedDatabase,
) -> None:
    client = client_of(database)
    answer = sign_in(client, key_of(database, "operator"))
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    behind = client_of(database, proxy_hops=1)
    answer = sign_in(behind, key_of(database, "operator", "Bo"), headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"]
    assert str(token_in(client)) not in all_rows(database)
