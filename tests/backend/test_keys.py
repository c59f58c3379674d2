"""Keys, sessions, the audit log and stored responses, on each engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_funnel.access.audit import list_entries, record_entry
from agent_funnel.access.idempotency import Claim, StoredResponse, claim_request, release_request, store_response
from agent_funnel.access.keys import (
    KeyLookup,
    add_key,
    any_keys,
    begin_session,
    end_session,
    holder_of_key,
    holder_of_session,
    list_keys,
    revoke_key,
)
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from support.databases import TestedDatabase


def rows_of_keys(database: TestedDatabase) -> str:
    return repr([database.execute(f"SELECT * FROM dbo.{table}") for table in ("access_key", "access_session")])


def test_a_key_gives_access_and_its_secret_is_stored_nowhere(database: TestedDatabase) -> None:
    backend = database.backend
    assert not any_keys(backend)
    key, secret = add_key(backend, "Ana", "operator", actor="test")
    assert any_keys(backend)
    assert secret.startswith("funnel_")
    assert len(secret) > 40
    assert secret not in rows_of_keys(database)
    holder = holder_of_key(backend, secret).holder
    assert holder is not None
    assert (holder.key_id, holder.name, holder.role) == (key.key_id, "Ana", "operator")
    assert holder_of_key(backend, secret + "x") == KeyLookup(None, True)
    assert holder_of_key(backend, secret.swapcase()).holder is None


def test_a_revoked_key_and_its_sessions_give_no_access_and_other_keys_still_do(
    database: TestedDatabase,
) -> None:
    backend = database.backend
    key, secret = add_key(backend, "Ana", "admin")
    other, _ = add_key(backend, "Ben", "admin")
    token, others = begin_session(backend, key.key_id), begin_session(backend, other.key_id)
    assert token not in rows_of_keys(database)
    assert holder_of_session(backend, token).holder is not None
    revoke_key(backend, key.key_id, actor="test")
    assert holder_of_key(backend, secret) == KeyLookup(None, True)
    assert holder_of_session(backend, token) == KeyLookup(None, True)
    assert holder_of_session(backend, others).holder is not None
    with pytest.raises(NotFound, match=f"no key {key.key_id} in use"):
        revoke_key(backend, key.key_id)
    revoke_key(backend, other.key_id)
    assert any_keys(backend)
    assert [each.revoked_at is None for each in list_keys(backend)] == [False, False]


def test_only_one_key_in_use_can_have_a_name(database: TestedDatabase) -> None:
    backend = database.backend
    key, _ = add_key(backend, "Ana", "viewer")
    with pytest.raises(AlreadyExists, match="'Ana' is in use"):
        add_key(backend, "Ana", "admin")
    revoke_key(backend, key.key_id)
    assert add_key(backend, "Ana", "admin")[0].role == "admin"
    with pytest.raises(ParameterOutOfRange, match="role is 'boss'"):
        add_key(backend, "Eva", "boss")
    with pytest.raises(ParameterOutOfRange, match="name has 256 characters"):
        add_key(backend, "E" * 256, "viewer")


def test_a_session_expires_and_can_be_ended(database: TestedDatabase) -> None:
    backend = database.backend
    key, _ = add_key(backend, "Ana", "viewer")
    token = begin_session(backend, key.key_id)
    end_session(backend, token)
    assert holder_of_session(backend, token).holder is None
    token = begin_session(backend, key.key_id)
    database.execute("UPDATE dbo.access_session SET expires_at = '2020-01-01'")
    assert holder_of_session(backend, token).holder is None
    begin_session(backend, key.key_id)
    assert len(database.execute("SELECT token_hash FROM dbo.access_session")) == 1


def test_the_audit_log_is_listed_newest_first_in_pages_and_cuts_long_texts(database: TestedDatabase) -> None:
    backend = database.backend
    for number in range(5):
        # Columns of T-SQL count a character beyond U+FFFF twice.
        record_entry(
            backend, actor="\U0001f600" * 200, key_id=None, operation=f"POST /{number}", target=None,
            address="127.0.0.1", status=200, detail="x" * 2000,
        )  # fmt: skip
    first = list_entries(backend, count=3)
    rest = list_entries(backend, count=3, before=first[-1].entry_id)
    assert [each.operation for each in (*first, *rest)] == [f"POST /{number}" for number in (4, 3, 2, 1, 0)]
    assert (first[0].actor, first[0].detail) == ("\U0001f600" * 127, "x" * 1000)


def test_a_request_is_claimed_once_and_its_response_is_stored_for_a_day(database: TestedDatabase) -> None:
    backend = database.backend

    def ask(content: bytes = b"a") -> Claim:
        return claim_request(backend, scope="1 POST /x", key="k", content=[content])

    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: ask(), range(8)))
    assert [each.mine for each in claims].count(True) == 1
    assert all(each.response is None and each.same for each in claims)
    mine = next(each for each in claims if each.mine)
    store_response(backend, mine, StoredResponse(201, '{"ä": 1}'))
    again = ask()
    assert (again.mine, again.same, again.response) == (False, True, StoredResponse(201, '{"ä": 1}'))
    assert not ask(b"b").same
    assert claim_request(backend, scope="2 POST /x", key="k", content=[b"a"]).mine
    database.execute("UPDATE dbo.request_answer SET asked_at = '2026-01-01'")
    assert ask(b"b").mine


def test_a_request_that_changed_nothing_can_be_repeated(database: TestedDatabase) -> None:
    claimed = claim_request(database.backend, scope="s", key="k", content=[b""])
    release_request(database.backend, claimed)
    assert claim_request(database.backend, scope="s", key="k", content=[b"other"]).mine
