"""Keys, sessions, the audit and kept answers, on each engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_funnel import access, answers, audit
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from databases import Database


def everything(database: Database) -> str:
    return repr([database.execute(f"SELECT * FROM dbo.{table}") for table in ("access_key", "access_session")])


def test_a_key_opens_and_is_kept_nowhere(database: Database) -> None:
    backend = database.backend
    assert not access.any_keys(backend)
    key, secret = access.add_key(backend, "Ana", "operator", actor="test")
    assert access.any_keys(backend)
    assert secret.startswith("funnel_")
    assert len(secret) > 40
    assert secret not in everything(database)
    holder = access.holder_of_key(backend, secret).holder
    assert holder is not None
    assert (holder.key_id, holder.name, holder.role) == (key.key_id, "Ana", "operator")
    assert access.holder_of_key(backend, secret + "x") == access.Asked(None, True)
    assert access.holder_of_key(backend, secret.swapcase()).holder is None


def test_a_revoked_key_opens_nothing_any_more_nor_do_its_sessions_and_nothing_else_opens_again(
    database: Database,
) -> None:
    backend = database.backend
    key, secret = access.add_key(backend, "Ana", "admin")
    other, _ = access.add_key(backend, "Ben", "admin")
    token, others = access.begin_session(backend, key.key_id), access.begin_session(backend, other.key_id)
    assert token not in everything(database)
    assert access.holder_of_session(backend, token).holder is not None
    access.revoke_key(backend, key.key_id, actor="test")
    assert access.holder_of_key(backend, secret) == access.Asked(None, True)
    assert access.holder_of_session(backend, token) == access.Asked(None, True)
    assert access.holder_of_session(backend, others).holder is not None
    with pytest.raises(NotFound, match=f"no key {key.key_id} in use"):
        access.revoke_key(backend, key.key_id)
    access.revoke_key(backend, other.key_id)
    assert access.any_keys(backend)
    assert [each.revoked_at is None for each in access.keys(backend)] == [False, False]


def test_a_name_is_that_of_one_key_in_use(database: Database) -> None:
    backend = database.backend
    key, _ = access.add_key(backend, "Ana", "viewer")
    with pytest.raises(AlreadyExists, match="'Ana' is in use"):
        access.add_key(backend, "Ana", "admin")
    access.revoke_key(backend, key.key_id)
    assert access.add_key(backend, "Ana", "admin")[0].role == "admin"
    with pytest.raises(ParameterOutOfRange, match="role is 'boss'"):
        access.add_key(backend, "Eva", "boss")
    with pytest.raises(ParameterOutOfRange, match="name has 256 characters"):
        access.add_key(backend, "E" * 256, "viewer")


def test_a_session_ends_by_itself_and_by_being_ended(database: Database) -> None:
    backend = database.backend
    key, _ = access.add_key(backend, "Ana", "viewer")
    token = access.begin_session(backend, key.key_id)
    access.end_session(backend, token)
    assert access.holder_of_session(backend, token).holder is None
    token = access.begin_session(backend, key.key_id)
    database.execute("UPDATE dbo.access_session SET expires_at = '2020-01-01'")
    assert access.holder_of_session(backend, token).holder is None
    access.begin_session(backend, key.key_id)
    assert len(database.execute("SELECT token_hash FROM dbo.access_session")) == 1


def test_the_audit_tells_the_newest_first_in_pages_and_cuts_what_is_too_long(database: Database) -> None:
    backend = database.backend
    for number in range(5):
        audit.record(
            backend, actor="Ana" * 200, key_id=None, operation=f"POST /{number}", target=None, address="127.0.0.1",
            status=200, detail="x" * 2000,
        )  # fmt: skip
    first = audit.entries(backend, count=3)
    rest = audit.entries(backend, count=3, before=first[-1].entry_id)
    assert [each.operation for each in (*first, *rest)] == [f"POST /{number}" for number in (4, 3, 2, 1, 0)]
    assert (len(first[0].actor), len(first[0].detail or "")) == (255, 1000)


def test_a_request_is_claimed_once_however_many_ask_and_its_answer_is_kept_for_a_day(database: Database) -> None:
    backend = database.backend

    def ask(content: bytes = b"a") -> answers.Claim:
        return answers.claim(backend, scope="1 POST /x", key="k", content=content)

    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: ask(), range(8)))
    assert [each.mine for each in claims].count(True) == 1
    assert all(each.answer is None and each.same for each in claims)
    mine = next(each for each in claims if each.mine)
    answers.keep(backend, mine, answers.Answer(201, '{"ä": 1}'))
    again = ask()
    assert (again.mine, again.same, again.answer) == (False, True, answers.Answer(201, '{"ä": 1}'))
    assert not ask(b"b").same
    assert answers.claim(backend, scope="2 POST /x", key="k", content=b"a").mine
    database.execute("UPDATE dbo.request_answer SET asked_at = '2026-01-01'")
    assert ask(b"b").mine


def test_a_request_that_changed_nothing_can_be_made_again(database: Database) -> None:
    claimed = answers.claim(database.backend, scope="s", key="k", content=b"")
    answers.release(database.backend, claimed)
    assert answers.claim(database.backend, scope="s", key="k", content=b"other").mine
