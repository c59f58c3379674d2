"""The service behind proxies: under a path of another site, with addresses that have ports, under odd host names."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.access.audit import list_entries
from agent_funnel.access.links import make_link
from agent_funnel.web.auth import SESSION_COOKIE
from agent_funnel.web.pages.layout import NOTICE_COOKIE
from agent_funnel.web.proxies import client_address
from support import LONG
from support.databases import TestedDatabase, seed_tables, snapshot
from support.nights import deal_today
from support.pages import BROWSER, bearer, client_of, key_of, operations

# These tests concern the service; other tests run the same queries on each engine.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

FUNNEL = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "floor.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/funnel",
}
PAGES = (
    "/", "/run-now", "/run-now/preview", "/runs", "/runs/1", "/agents", "/agents/of?agent=agent+0", "/leads?all=1",
    "/leads/of?number=%2B49300000001", "/leads/import", "/settings", "/audit", "/keys", "/api/docs", "/no",
)  # fmt: skip
# Attributes of elements that hold an address:
ADDRESSES = re.compile(r'(?:href|src|action|data-partial|data-document)="([^"]*)"')


def own_addresses(page: str) -> list[str]:
    """The addresses in a page that lead to the service itself."""
    return [each for each in ADDRESSES.findall(page) if each.startswith("/")]


def test_under_a_path_of_another_site_every_address_is_under_that_path(database: TestedDatabase) -> None:
    seed_tables(database)
    deal_today(database)
    client, secret = client_of(database, proxy_hops=1), key_of(database, "admin")
    headers = {**BROWSER, **FUNNEL, **bearer(secret)}
    mine = f"/mine/{make_link(database.backend, 'agent 1')[1]}"
    for path in (*PAGES, mine, "/sign-in"):
        found = own_addresses(client.get(path, headers=headers).text)
        assert found, path
        assert [each for each in found if not each.startswith("/funnel/")] == [], path
    assert client.get("/runs/", headers=headers).status_code == 404
    assert client.get("/agents", headers={**BROWSER, **FUNNEL}).location == "/funnel/sign-in"
    for name in ("page.css", "page.js"):
        assert "/static/" not in client.get(f"/static/{name}").text
    document: Any = client.get("/api/openapi.json", headers=FUNNEL).get_json()
    assert document["servers"] == [{"url": "/funnel"}]
    assert "servers" not in client.get("/api/openapi.json").get_json()


def test_under_a_path_cookies_and_redirects_stay_under_it_and_links_name_it(database: TestedDatabase) -> None:
    seed_tables(database)
    secret = key_of(database, "admin")
    client = client_of(database, proxy_hops=1).application.test_client(use_cookies=False)
    own = {**FUNNEL, "Origin": "https://floor.example"}
    signed_in = client.post("/sign-in", data={"key": secret}, headers=own)
    assert (signed_in.status_code, signed_in.location) == (303, "/funnel/")
    cookie = signed_in.headers["Set-Cookie"]
    assert cookie.startswith(SESSION_COOKIE)
    assert {"Path=/funnel/", "Secure", "HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    headers = {**BROWSER, **own, **bearer(secret)}
    added = client.post("/agents/add", data={"agent": "Zoe"}, headers=headers)
    assert added.location.startswith("/funnel/agents/of")
    assert "Path=/funnel/" in added.headers["Set-Cookie"]
    shown = client.get("/agents/of?agent=Zoe", headers={**headers, "Cookie": added.headers["Set-Cookie"]})
    assert "Added Zoe" in shown.text
    assert re.search(rf"{NOTICE_COOKIE}=;.*Path=/funnel/", shown.headers["Set-Cookie"])
    made = client.post("/agents/link", data={"agent": "agent 0"}, headers=headers).text
    assert re.search(r">https://floor\.example/funnel/mine/mine_[\w-]{43}<", made)
    # A repeated form leads to the same place.
    twice = [
        client.post("/deal", data={"idempotency_key": "x", "version": "0.0"}, headers=headers).location
        for _ in range(2)
    ]
    assert twice[0] == twice[1]
    assert twice[0].startswith("/funnel/runs/")
    out = client.post("/sign-out", headers=own)
    assert out.location == "/funnel/sign-in"
    assert "Path=/funnel/" in out.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "prefix", ["//evil.example", "https://evil.example", "/a b", '/"><script>', "/a//b", "\\evil", "/", "", "evil"]
)
def test_a_prefix_that_is_no_path_is_ignored(database: TestedDatabase, prefix: str) -> None:
    key_of(database, "admin")
    answer = client_of(database, proxy_hops=1).get("/agents", headers={**BROWSER, "X-Forwarded-Prefix": prefix})
    assert answer.location == "/sign-in"


def test_without_trusted_proxies_no_header_of_a_proxy_counts(database: TestedDatabase) -> None:
    secret = key_of(database, "admin")
    client = client_of(database)
    assert client.get("/agents", headers={**BROWSER, **FUNNEL}).location == "/sign-in"
    client.post("/api/agents", json={"agent": "Zoe"}, headers={**FUNNEL, **bearer(secret)})
    assert list_entries(database.backend, count=1)[0].address == "127.0.0.1"


@pytest.mark.parametrize(
    ("reported", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:40001", "203.0.113.7"),
        ("[2001:db8::7]:40001", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:1", "203.0.113.7"),
        ("unknown", "unknown"),
        ("_hidden:1", "_hidden:1"),
        (None, "unknown"),
    ],
)
def test_an_address_has_no_port(database: TestedDatabase, reported: str | None, address: str) -> None:
    assert client_address(reported) == address


@pytest.mark.parametrize("written", ["203.0.113.7:{port}", "[2001:db8::7]:{port}"])
@pytest.mark.parametrize(("how", "allowed"), [("sign-in", 10), ("key", 30), ("link", 30), ("request", 5)])
def test_a_new_port_of_the_connection_gets_no_more_guesses(
    database: TestedDatabase, how: str, allowed: int, written: str
) -> None:
    secret = key_of(database, "admin")
    settings: dict[str, Any] = {"rate_limit": "5 per minute"} if how == "request" else {}
    client = client_of(database, proxy_hops=1, **settings)

    def attempt(port: int, written: str = written) -> int:
        headers = {"X-Forwarded-For": f"198.51.100.1, {written.format(port=port)}"}
        if how == "sign-in":
            return client.post("/sign-in", data={"key": "funnel_wrong"}, headers=headers).status_code
        if how == "request":
            return client.get("/sign-in", headers=headers).status_code
        path = "/mine/mine_wrong" if how == "link" else "/api/agents"
        return client.get(path, headers={**headers, **bearer("funnel_wrong")}).status_code

    seen = [attempt(40_000 + index) for index in range(allowed + 2)]
    assert 429 not in seen[:allowed]
    assert seen[allowed:] == [429] * 2
    assert attempt(40_000, "203.0.113.8:{port}") != 429
    if how != "request":
        headers = {"X-Forwarded-For": written.format(port=1), **bearer(secret)}
        client.post("/api/agents", json={"agent": "Zoe"}, headers=headers)
        assert list_entries(database.backend, count=1)[0].address in ("203.0.113.7", "2001:db8::7")


# Host names.

HOSTS = ("agent_funnel", "agent_funnel:5000", "localhost", "funnel.example:8443", "[::1]:5000", "LocalHost")


@pytest.mark.parametrize("host", HOSTS)
def test_the_services_own_forms_work_under_every_host_name_and_no_other_origin_does(
    database: TestedDatabase, host: str
) -> None:
    secret = key_of(database, "admin")
    client = client_of(database)
    headers = {"Host": host, "Origin": f"http://{host.lower()}"}
    assert client.post("/sign-in", data={"key": secret}, headers=headers).status_code == 303
    seed_tables(database)
    made = client.post("/agents/link", data={"agent": "agent 0"}, headers={**BROWSER, **headers, **bearer(secret)})
    assert f"http://{host}/mine/mine_" in made.text
    before = snapshot(database)
    writes = [each for each in operations(client) if each.method != "GET"]
    if not LONG and host != HOSTS[0]:
        # One check guards all of them, whatever the host.
        writes = writes[:2]
    for origin in ("null", "", "http://", "http://evil.example", f"http://{host}.evil.example", "http://localhost:81"):
        foreign = {"Host": host, "Origin": origin}
        assert client.post("/sign-in", data={"key": secret}, headers=foreign).status_code == 403, origin
        for each in writes:
            answer = client.open(each.url, method=each.method, headers={**foreign, **bearer(secret)})
            assert (origin, each.path, answer.status_code) == (origin, each.path, 403)
    assert snapshot(database) == before


@pytest.mark.parametrize("host", ["", "a b", "a/b", "a@b", "a:b", "ä", "[::1", "a:999999"])
def test_a_host_that_is_none_is_no_own_site(database: TestedDatabase, host: str) -> None:
    secret = key_of(database, "admin")
    for origin in (f"http://{host}", "null", "http://"):
        headers = {"Host": host.encode().decode("latin-1"), "Origin": origin.encode().decode("latin-1")}
        answer = client_of(database).post("/sign-in", data={"key": secret}, headers=headers)
        assert answer.status_code == 403


def test_a_refusal_behind_a_proxy_says_what_the_proxy_must_send(database: TestedDatabase) -> None:
    secret = key_of(database, "admin")

    def told(client: FlaskClient, **headers: str) -> str:
        answer = client.post("/sign-in", data={"key": secret}, headers=headers)
        assert answer.status_code == 403
        return str(answer.get_json()["detail"])

    # As nginx does without settings: the browser is at floor.example, and the service is asked as 127.0.0.1:5000.
    detail = told(client_of(database), Host="127.0.0.1:5000", Origin="https://floor.example")
    for part in ("https://floor.example", "127.0.0.1:5000", "Host", "X-Forwarded-Host", "FUNNEL_PROXY_HOPS"):
        assert part in detail
    # A page of another site is told nothing about proxies.
    assert "FUNNEL" not in told(client_of(database), Origin="https://evil.example", **{"Sec-Fetch-Site": "cross-site"})
    right = {"Host": "127.0.0.1:5000", "X-Forwarded-Host": "floor.example", "Origin": "https://floor.example"}
    answer = client_of(database, proxy_hops=1).post("/sign-in", data={"key": secret}, headers=right)
    assert answer.status_code == 303


def test_a_refused_request_of_another_site_is_in_the_audit_of_its_key(database: TestedDatabase) -> None:
    secret = key_of(database, "operator", "Ana")
    client = client_of(database)
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/run-now", headers={**headers, **bearer(secret)}).status_code == 403
        entry = list_entries(database.backend, count=1)[0]
        assert (entry.actor, entry.operation, entry.status) == ("Ana", "POST /run-now", 403)
        assert "another site" in str(entry.detail) or "evil.example" in str(entry.detail)
    # Without a valid key there is nobody to name.
    for headers in ({}, bearer("funnel_wrong")):
        assert client.post("/run-now", headers={"Origin": "http://evil.example", **headers}).status_code == 403
    assert len(list_entries(database.backend, count=9)) == 2
