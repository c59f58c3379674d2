"""Attacks by pages of other sites, under foreign host names and through proxies: all are refused."""

from __future__ import annotations

import pytest

from support.databases import TestedDatabase, seed_tables, snapshot
from support.pages import BROWSER, client_of, key_of, operations, sign_in

# These requests are refused before the database is asked for more than keys, which tests/backend/test_keys.py covers.
pytestmark = pytest.mark.sqlserver_if_long

EVIL = "http://evil.example"

CROSS_SITE = [
    {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
    {"Origin": EVIL},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost@evil.example"},
    {"Origin": "http://localhost:81"},
]


# Other sites.


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
def test_a_form_of_another_site_changes_nothing_even_in_a_signed_in_browser(
    database: TestedDatabase, headers: dict[str, str]
) -> None:
    seed_tables(database)
    client = client_of(database)
    assert sign_in(client, key_of(database, "admin")).status_code == 303
    assert client.post("/run-now", headers={"Origin": "http://localhost"}).status_code == 200
    before = snapshot(database)
    for operation in operations(client):
        if operation.method != "GET":
            answer = client.open(operation.url, method=operation.method, headers=headers, data={"agent": "x"})
            assert (operation, answer.status_code) == (operation, 403)
    # Another site cannot sign anybody in or out either.
    assert client.post("/sign-in", headers=headers, data={"key": "x"}).status_code == 403
    assert client.post("/sign-out", headers=headers).status_code == 403
    assert snapshot(database) == before
    assert client.get("/api/agents").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5000", "localhost.evil.example", "127.0.0.1.nip.io"])
def test_while_no_key_exists_a_foreign_host_name_opens_nothing(database: TestedDatabase, host: str) -> None:
    seed_tables(database)
    client = client_of(database)
    assert client.post("/run-now").status_code == 200
    before = snapshot(database)
    rebound = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    for operation in operations(client):
        answer = client.open(operation.url, method=operation.method, headers=rebound, json={})
        assert (operation, answer.status_code) == (operation, 403)
        assert "agent 1" not in answer.text
    for page in ("/", "/run-now", "/metrics"):
        assert client.get(page, headers={**rebound, **BROWSER}).status_code == 403
    assert snapshot(database) == before
    assert client.get("/api/agents", headers={"Host": "127.0.0.1:5000"}).status_code == 200


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"]
)
@pytest.mark.parametrize("hops", [0, 1])
def test_while_no_key_exists_a_request_through_a_proxy_is_refused(
    database: TestedDatabase, name: str, hops: int
) -> None:
    seed_tables(database)
    client = client_of(database, proxy_hops=hops)
    before = snapshot(database)
    for host in ({}, {"Host": "127.0.0.1:5000"}):
        assert client.post("/run-now", headers={name: "127.0.0.1", **host}).status_code == 403
        assert client.get("/api/agents", headers={name: "127.0.0.1", **host}).status_code == 403
    assert snapshot(database) == before
    assert client_of(database).post("/run-now").status_code == 200
