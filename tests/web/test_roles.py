"""Roles: every kind of caller tries each operation of the OpenAPI document, and each other address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from agent_funnel.access.keys import ROLES, add_key
from agent_funnel.settings import load
from agent_funnel.web import create_app, routing
from agent_funnel.web.auth import SESSION_COOKIE
from support.callers import NOBODY, Place, place_with_callers
from support.databases import TestedDatabase, seed_tables, snapshot
from support.pages import client_of
from support.roles import OPERATIONS, OTHERS, PAGES

# Bodies for the operations that need one:
BODIES: dict[str, dict[str, Any]] = {
    "add_agent": {"json": {"agent": "somebody new"}},
    "activate_agent": {"json": {"agent": "agent 0"}},
    "deactivate_agent": {"json": {"agent": "agent 0"}},
    "rename_agent": {"json": {"agent": "agent 0", "new_name": "agent zero"}},
    "add_limit": {"json": {"agent": "agent 0", "starts_on": "2026-01-31"}},
    "import_leads": {"data": b"number,stage,date\n+49301234567,1,2026-01-31\n", "content_type": "text/csv"},
    "import_agents": {"data": b"agent\nsomebody else\n", "content_type": "text/csv"},
    "import_limits": {"data": b"agent,starts_on\nagent 0,2026-01-31\n", "content_type": "text/csv"},
    "import_holidays": {"data": b"day\n2026-12-25\n", "content_type": "text/csv"},
    "add_do_not_contact": {"json": {"number": "+49300000000"}},
    "remove_do_not_contact": {"json": {"number": "+49300000001"}},
    "add_several_numbers": {"json": {"numbers": ["+49300000002"]}},
    "remove_several_numbers": {"json": {"numbers": ["+49300000002"]}},
    "look_up_several_numbers": {"json": {"numbers": ["+49300000002"]}},
    "add_number_list": {"json": {"name": "national register"}},
    "import_do_not_contact": {"data": b"+49301234567\n", "content_type": "text/plain"},
    "pause_schedule": {"json": {"reason": "a test"}},
    "reopen_date": {"json": {"business_date": "2026-01-31"}},
    "skip_date": {"json": {"business_date": "2026-01-31"}},
    "change_rules": {"json": {"max_per_agent": 7}},
    "report_outcome": {"json": {"number": "+49300000004", "outcome": "won"}},
    "report_several_outcomes": {"json": {"reports": [{"number": "+49300000004", "outcome": "won"}]}},
    "take_back_outcome": {"json": {"report": "of this test"}},
    "hand_back_leads": {"json": {"agent": "agent 1"}},
    "undo_hand_back_of_leads": {"json": {"hand_back_id": 1}},
    "show_person": {"json": {"number": "+49300000003"}},
    "forget_person": {"json": {"number": "+49300000003"}},
    "add_key": {"json": {"name": "another", "role": "viewer"}},
}
# Tables that a request without effect may still change: the audit, and the last use of a key.
TRACES = ("audit_entry", "access_key")
# The number of no limit and no key, however many the tests before made. A caller's own key must not be revoked:
NO_ID = "2000000000"


@pytest.fixture
def place(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> Place:
    for rate in (routing.RUNS, routing.SIGN_INS, routing.WRONG_KEYS):
        monkeypatch.setattr(rate, "limit", "1000000 per second")
    return place_with_callers(database)


def operations_by_name(app: Flask) -> dict[str, tuple[str, str, str]]:
    """The method, an address and the role of each operation of the document, by its name."""
    document: Any = app.test_client().get("/api/openapi.json").json
    return {
        operation["operationId"]: (method.upper(), _filled(path), operation["x-role"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _filled(path: str) -> str:
    filled = (
        path.replace("{run_id}", "1")
        .replace("{import_id}", NO_ID)
        .replace("{limit_id}", NO_ID)
        .replace("{key_id}", NO_ID)
    )
    return filled + "?number=nobody" if filled == "/api/lead" else filled


def state(database: TestedDatabase) -> dict[str, Any]:
    """Everything in the database, except the traces of a request."""
    return {table: rows for table, rows in snapshot(database).items() if table not in TRACES} | {
        "keys": database.execute("SELECT key_id, name, role, revoked_at FROM dbo.access_key ORDER BY key_id")
    }


def is_allowed(who: str, role: str) -> bool:
    return who in ROLES and ROLES.index(who) >= ROLES.index(role)


def test_each_operation_is_in_the_table_with_its_role(place: Place) -> None:
    assert {name: role for name, (_, _, role) in operations_by_name(place.app).items()} == OPERATIONS


def test_each_endpoint_is_in_a_table(place: Place) -> None:
    endpoints = {rule.endpoint for rule in place.app.url_map.iter_rules()}
    assert {endpoint for endpoint in endpoints if not _is_operation(endpoint)} == set(OTHERS)
    assert {endpoint.rpartition(".")[2] for endpoint in endpoints if _is_operation(endpoint)} == set(OPERATIONS)


def _is_operation(endpoint: str) -> bool:
    return endpoint.partition(".")[0] in {"api", "run_now"}


def test_a_view_without_a_role_is_for_nobody(place: Place) -> None:
    place.app.view_functions["runs.show"] = lambda: "secret"
    for who in (*NOBODY, *ROLES):
        answer = place.client().get("/runs", headers=place.keys[who])
        assert (who, answer.status_code) == (who, 403 if who in ROLES else 401)
    # With a role it opens, so the missing role kept everybody out.
    place.app.view_functions["runs.show"] = routing.route("viewer")(lambda: "secret")
    assert place.client().get("/runs", headers=place.keys["viewer"]).text == "secret"


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("who", [*NOBODY, *ROLES])
def test_a_caller_without_the_role_is_refused_and_changes_nothing(
    database: TestedDatabase, place: Place, who: str
) -> None:
    before = state(database)
    refused = 0
    for name, (method, path, _) in operations_by_name(place.app).items():
        if is_allowed(who, OPERATIONS[name]):
            continue
        answer = place.client().open(path, method=method, headers=place.keys[who], **BODIES.get(name, {}))
        assert (name, answer.status_code) == (name, 403 if who in ROLES else 401)
        assert answer.mimetype == "application/problem+json"
        assert ("WWW-Authenticate" in answer.headers) == (who not in ROLES)
        refused += 1
    assert state(database) == before
    assert refused == sum(not is_allowed(who, role) for role in OPERATIONS.values())
    assert refused or who == "admin"


# Roles are decided in Python. On a T-SQL engine, the short version has an admin open each other address, below, and
# test_openapi.py call each operation.
@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("way", ["bearer key", "session"])
@pytest.mark.parametrize("who", ROLES)
def test_a_caller_with_the_role_is_let_in_by_key_and_by_session(
    database: TestedDatabase, place: Place, who: str, way: str
) -> None:
    client, headers = place.client(), place.keys[who]
    if way == "session":
        signed_in = client.post("/sign-in", data={"key": headers["Authorization"].partition(" ")[2]})
        assert signed_in.status_code == 303
        headers = {}
    for name, (method, path, _) in operations_by_name(place.app).items():
        answer = client.open(path, method=method, headers=headers, **BODIES.get(name, {}))
        if is_allowed(who, OPERATIONS[name]):
            assert answer.status_code not in (401, 403), name
            assert answer.status_code < 500, name
        else:
            assert (name, answer.status_code) == (name, 403)
    if way == "session":
        client.post("/sign-out")
        assert client.get("/api/runs").status_code == 401
        assert client.get_cookie(SESSION_COOKIE) is None


# Values for the variable parts of an address:
PARTS = {
    "<path:filename>": "page.css",
    "<path:name>": "css/swagger-ui.css",
    "<int:run_id>": "1",
    "<int:import_id>": "1",
    "<day>": "2026-01-31",
    "<secret>": "mine_x",
    "<any('leads', 'agents', 'limits', 'holidays', 'numbers'):kind>": "agents",
    "<token>": "of_no_import",
}


def others(app: Flask) -> Iterator[tuple[str, str, str]]:
    """The other endpoints, each with its method and an address."""
    for rule in app.url_map.iter_rules():
        if not _is_operation(rule.endpoint):
            path = rule.rule
            for part, value in PARTS.items():
                path = path.replace(part, value)
            yield rule.endpoint, "POST" if "POST" in (rule.methods or ()) else "GET", path


@pytest.mark.parametrize(
    "who",
    [*(pytest.param(who, marks=pytest.mark.sqlserver_if_long) for who in (*NOBODY, "viewer", "operator")), "admin"],
)
def test_each_other_address_opens_only_with_its_role(database: TestedDatabase, place: Place, who: str) -> None:
    before = state(database)
    for endpoint, method, path in others(place.app):
        role = OTHERS[endpoint]
        # A page needs a client that accepts HTML.
        kinds = {"Accept": "text/html"} if endpoint in PAGES else {}
        answer = place.client().open(path, method=method, headers={**place.keys[who], **kinds})
        if endpoint == "sign_in.sign_in":
            # The form has no key in it, so nobody is signed in, whatever the header.
            assert (endpoint, answer.status_code) == (endpoint, 401)
        elif role is None or is_allowed(who, role):
            assert answer.status_code not in (401, 403), endpoint
            assert answer.headers.get("Location") != "/sign-in" or endpoint == "sign_in.sign_out", endpoint
        elif who in ROLES:
            assert (endpoint, answer.status_code) == (endpoint, 403)
        elif kinds and method == "GET":
            assert (endpoint, answer.status_code, answer.headers["Location"]) == (endpoint, 302, "/sign-in")
        else:
            assert (endpoint, answer.status_code) == (endpoint, 401)
    # Nobody below an operator changed anything.
    assert who in ("operator", "admin") or state(database) == before


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_while_no_key_exists_this_machine_may_do_everything(database: TestedDatabase, host: str) -> None:
    seed_tables(database)
    client = client_of(database, host=host, rate_limit="1000000 per second")
    # The first key ends that, so it comes last.
    asked = operations_by_name(client.application)
    for name in (*(name for name in asked if name != "add_key"), "add_key"):
        method, path, _ = asked[name]
        answer = client.open(path, method=method, **BODIES.get(name, {}))
        assert answer.status_code not in (401, 403), name
        assert answer.status_code < 500, name
    assert client.get("/api/runs").status_code == 401


@pytest.mark.sqlserver_if_long
def test_while_no_key_exists_a_service_that_others_can_reach_lets_nobody_in(database: TestedDatabase) -> None:
    seed_tables(database)
    app = create_app(load(host="0.0.0.0", rate_limit="1000000 per second"), database.backend)
    before = state(database)
    for name, (method, path, _) in operations_by_name(app).items():
        answer = app.test_client().open(path, method=method, **BODIES.get(name, {}))
        assert (name, answer.status_code) == (name, 403)
    for endpoint, method, path in others(app):
        answer = app.test_client().open(path, method=method, headers={"Accept": "text/html"})
        if OTHERS[endpoint] is not None or path.startswith("/mine/"):
            assert (endpoint, answer.status_code) == (endpoint, 403)
        elif endpoint != "sign_in.sign_in":
            assert answer.status_code < 400, endpoint
    assert state(database) == before
    add_key(database.backend, "first", "viewer")
    assert app.test_client().get("/api/runs").status_code == 401
