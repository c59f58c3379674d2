"""Attacks, each by its name: all are refused, and nothing is changed by them."""

from __future__ import annotations

import csv
import hmac
import io
import json
import os
import re
import resource
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from agent_funnel import access
from agent_funnel.settings import load
from agent_funnel.web import create_app
from agent_funnel.web.auth import SESSION_COOKIE
from databases import TABLES, Database, small_floor, snapshot, sqlite_database
from processes import service

LONG = os.environ.get("FUNNEL_TEST_LONG") == "1"
# Connections that hang around, and those that a test keeps free for everything else:
SLOW_CONNECTIONS = 10_000 if LONG else 300
OTHER_FILES = 300
# What the service may need more for a body of a gigabyte than for none:
MOST_MB = 80
GIGABYTE = 1_000_000_000

BROWSER = {"Accept": "text/html"}
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

pytestmark = pytest.mark.timeout(1800 if LONG else 300)


def everything(database: Database) -> str:
    """All that the database knows, as a text to look for secrets in."""
    return repr([database.execute(f"SELECT * FROM dbo.{table}") for table in TABLES])


def client_of(database: Database, **settings: Any) -> FlaskClient:
    return create_app(load(**settings), database.backend).test_client()


def key_of(database: Database, role: access.Role, name: str = "Ana") -> str:
    return access.add_key(database.backend, name, role)[1]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def sign_in(client: FlaskClient, secret: str, **options: Any) -> Any:
    return client.post("/sign-in", data={"key": secret}, **options)


def token_in(client: FlaskClient) -> str | None:
    cookie = client.get_cookie(SESSION_COOKIE)
    return None if cookie is None else cookie.value


class Operation(NamedTuple):
    """An operation of the OpenAPI document: its method, its path, and what the document says of it."""

    method: str
    path: str
    described: dict[str, Any]

    @property
    def url(self) -> str:
        """An address of it."""
        return re.sub(r"\{\w+\}", "1", self.path)


def operations(client: FlaskClient) -> Iterator[Operation]:
    document: Any = client.get("/api/openapi.json").json
    for path, described in document["paths"].items():
        for method, each in described.items():
            yield Operation(method.upper(), path, each)


# Other sites.


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
def test_a_form_of_another_site_changes_nothing_even_for_who_is_signed_in(
    database: Database, headers: dict[str, str]
) -> None:
    small_floor(database)
    client = client_of(database)
    assert sign_in(client, key_of(database, "admin")).status_code == 303
    assert client.post("/run-now", headers={"Origin": "http://localhost"}).status_code == 200
    before = snapshot(database)
    for operation in operations(client):
        if operation.method != "GET":
            answer = client.open(operation.url, method=operation.method, headers=headers, data={"agent": "x"})
            assert (operation, answer.status_code) == (operation, 403)
    # Nor is anybody signed in as somebody else, or signed out.
    assert client.post("/sign-in", headers=headers, data={"key": "x"}).status_code == 403
    assert client.post("/sign-out", headers=headers).status_code == 403
    assert snapshot(database) == before
    assert client.get("/api/agents").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5000", "localhost.evil.example", "127.0.0.1.nip.io"])
def test_a_foreign_name_for_this_machine_opens_nothing_without_keys(database: Database, host: str) -> None:
    small_floor(database)
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
def test_what_a_proxy_brings_is_refused_without_keys(database: Database, name: str, hops: int) -> None:
    small_floor(database)
    client = client_of(database, proxy_hops=hops)
    before = snapshot(database)
    for host in ({}, {"Host": "127.0.0.1:5000"}):
        assert client.post("/run-now", headers={name: "127.0.0.1", **host}).status_code == 403
        assert client.get("/api/agents", headers={name: "127.0.0.1", **host}).status_code == 403
    assert snapshot(database) == before
    assert client_of(database).post("/run-now").status_code == 200


# Guessing.


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


@pytest.mark.parametrize(("how", "allowed"), [("sign-in", 10), ("key", 30)])
def test_a_forged_address_gets_no_more_guesses(database: Database, how: str, allowed: int) -> None:
    key_of(database, "admin")
    client = client_of(database)
    before = snapshot(database)
    seen = [attempts(client, how, f"203.0.113.{index}") for index in range(allowed + 2)]
    assert seen == [401] * allowed + [429] * 2
    assert snapshot(database) == before
    assert attempts(client, how, "", peer="192.0.2.2") == 401


def test_a_right_key_is_let_in_from_an_address_that_has_tried_too_many_wrong_ones(database: Database) -> None:
    right = bearer(key_of(database, "admin"))
    client = client_of(database)
    assert {attempts(client, "key", "") for _ in range(35)} == {401, 429}
    peer = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/api/agents", headers=right, environ_overrides=peer).status_code == 200


@pytest.mark.parametrize(("how", "allowed"), [("sign-in", 10), ("key", 30)])
def test_behind_a_proxy_what_it_says_itself_counts_and_nothing_before_it(
    database: Database, how: str, allowed: int
) -> None:
    key_of(database, "admin")
    client = client_of(database, proxy_hops=1)
    before = snapshot(database)
    seen = [attempts(client, how, f"198.51.100.{index}, 203.0.113.7") for index in range(allowed + 2)]
    assert seen == [401] * allowed + [429] * 2
    assert snapshot(database) == before
    assert attempts(client, how, "203.0.113.7, 203.0.113.8") == 401


def test_what_decides_about_a_secret_is_a_comparison_in_constant_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = key_of(database, "viewer")
    client = client_of(database)
    assert client.get("/api/agents", headers=bearer(secret)).status_code == 200
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert client.get("/api/agents", headers=bearer(secret)).status_code == 401
    assert compared == [(access.hashed(secret),) * 2]


# Sessions.


def test_a_session_that_was_there_before_signing_in_is_not_the_one_after_it(database: Database) -> None:
    secret = key_of(database, "operator")
    attacker, victim = client_of(database), client_of(database)
    for planted in ("chosen-by-the-attacker", None):
        if planted is None:
            # A real one, of the attacker's own key.
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
        # Signing in once more ends the session before.
        assert sign_in(victim, secret).status_code == 303
        attacker.set_cookie(SESSION_COOKIE, str(fresh))
        assert attacker.get("/api/agents").status_code == 401


def test_a_stolen_session_ends_when_its_holder_signs_out(database: Database) -> None:
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


def test_a_session_ends_with_its_key_and_with_its_time(database: Database) -> None:
    client, other = client_of(database), client_of(database)
    key, secret = access.add_key(database.backend, "Ana", "operator")
    sign_in(client, secret)
    sign_in(other, key_of(database, "operator", "Bo"))
    database.execute("UPDATE dbo.access_key SET created_at = '2020-01-01 00:00:00.000' WHERE key_id = %s", key.key_id)
    assert client.get("/api/agents").status_code == other.get("/api/agents").status_code == 200
    access.revoke_key(database.backend, key.key_id)
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


def test_a_cookie_is_kept_from_scripts_and_from_other_sites_and_is_not_in_the_database(database: Database) -> None:
    client = client_of(database)
    answer = sign_in(client, key_of(database, "operator"))
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    behind = client_of(database, proxy_hops=1)
    answer = sign_in(behind, key_of(database, "operator", "Bo"), headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"]
    assert str(token_in(client)) not in everything(database)


# SQL.

# Those that end a text, those that would match everything, those that become an apostrophe on the way, and more.
SQL = [
    "'; DROP TABLE assignment_run; --",
    "' OR '1'='1",
    "' OR 1=1 --",
    "%' --",
    "%",
    "x'; EXECUTE sp_executesql N'DROP TABLE assignment_run'; --",
    "\u02bc; DROP TABLE assignment_run; --",
    "\\'; DROP TABLE assignment_run; --",
    ":number %(number)s {number} ?",
]
UNSENT = "';DROP/**/TABLE/**/assignment_run;--"
# A value for each field that a request needs besides the one that is attacked:
FIELDS = {
    "agent": "agent 0", "starts_on": "2026-01-01", "number": "+4900", "name": "Bo", "role": "viewer",
    "reason": "why", "ends_on": "2026-01-02", "active": False, "max_records": 1,
}  # fmt: skip
# What deals, and so changes what was there:
DEALS = ("/run-now", "/api/runs", "/api/runs/{run_id}/undo")


def attacked(client: FlaskClient, payload: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation with the payload in one of its parameters or fields, by method, address and the rest."""
    schemas = client.get("/api/openapi.json").json["components"]["schemas"]  # type: ignore[index]
    for operation in operations(client):
        for parameter in operation.described.get("parameters", []):
            if parameter["in"] == "path":
                url = operation.path.replace(f"{{{parameter['name']}}}", quote(payload, safe=""))
                yield operation.method, url, {}
            elif parameter["in"] == "query":
                query = {parameter["name"]: payload}
                if operation.method == "POST":
                    yield "POST", operation.url, {"query_string": query, "data": b"", "content_type": "text/csv"}
                else:
                    yield operation.method, operation.url, {"query_string": query}
            elif operation.path not in DEALS:
                for value in (payload, UNSENT):
                    headers = {parameter["name"]: value.encode().decode("latin-1")}
                    yield operation.method, operation.url, {"headers": headers}
        for content in operation.described.get("requestBody", {}).get("content", {}).values():
            schema = schemas.get(content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1], {})
            for field in schema.get("properties", {}):
                body = {name: FIELDS[name] for name in schema.get("required", [])}
                yield operation.method, operation.url, {"json": {**body, field: payload}}
        if operation.path.endswith("/import"):
            yield operation.method, operation.url, {
                "data": f'number,stage,date\n"{payload}",1,2026-01-01\n+4930000009,"{payload}",2026-01-01\n',
                "content_type": "text/csv", "query_string": {"skip_bad": "true"},
            }  # fmt: skip


def test_sql_in_any_parameter_is_a_text_like_any_other(database: Database) -> None:
    small_floor(database)
    client = client_of(database, rate_limit="100000 per minute")
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key_of(database, 'admin')}"
    assert client.post("/run-now").status_code == 200
    access.holder_of_key(database.backend, "")
    before = snapshot(database)
    sent = 0
    for payload in SQL:
        for method, url, rest in attacked(client, payload):
            answer = client.open(url, method=method, **rest)
            asked = (method, url, rest)
            sent += 1
            assert (asked, answer.status_code < 500) == (asked, True), answer.text
            if method == "GET" and answer.status_code == 200:
                found: Any = answer.json
                assert (asked, found["items"]) == (asked, [])
            elif method == "GET":
                assert (asked, answer.status_code in (404, 422)) == (asked, True)
    assert sent > 30 * len(SQL)
    after = snapshot(database)
    for table, rows in before.items():
        assert set(rows) <= set(after[table]), table
    # What was to be kept is kept, letter by letter.
    assert {name for name, _ in after["agents"]} == {"agent 0", "agent 1", "agent 2", *SQL}
    assert {row[1] for row in after["access_key"]} == {"Ana", *SQL}


def test_sql_in_a_key_or_a_cookie_opens_nothing(database: Database) -> None:
    small_floor(database)
    secret = key_of(database, "admin")
    before = snapshot(database)
    for payload in [*SQL[:3], SQL[-2]]:
        client = client_of(database)
        assert client.get("/api/agents", headers=bearer(payload)).status_code == 401
        assert sign_in(client, payload).status_code == 401
        assert sign_in(client, f"{secret}' --").status_code == 401
        client.set_cookie(SESSION_COOKIE, payload)
        assert client.get("/api/agents").status_code == 401
    assert snapshot(database) == before


def forged(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_forged_cursor_is_refused_or_finds_nothing(database: Database) -> None:
    small_floor(database)
    client = client_of(database)
    deal = client.post("/run-now").json
    assert deal is not None
    before = snapshot(database)
    # After all that there is:
    last = "\U0010ffff"
    texts = ["\ud800", "\0", "\U0010ffff' OR '1'='1", last]
    cursors: list[Any] = [
        *([10**30], [-(10**30)], [True], ["1"], [1.5], {}, [], [[]], "x", None),
        *([text] for text in texts),
        *([f"{deal['run_id']}.0", text, text] for text in texts),
        *([last, stage, date] for stage in ("", "x", "9" * 30, "1") for date in ("", "x", "2026-01-01T00:00:00+01:00")),
    ]
    raw = ["", "x", "=", "%", "é", "[" * 1_500, urlsafe_b64encode(b"[" * 1_400).decode()]
    for url in ("/api/runs", "/api/assignments", f"/api/runs/{deal['run_id']}/assignments", "/api/leads", "/api/audit"):
        for cursor in [*map(forged, cursors), *raw]:
            answer = client.get(url, query_string={"cursor": cursor})
            asked = (url, cursor)
            assert (asked, answer.status_code in (200, 409, 422)) == (asked, True), answer.text
            # A text that is before all others finds them all, as it does for who is at the beginning.
            if answer.status_code == 200 and url != "/api/runs" and forged(["\0"]) != cursor:
                assert (asked, answer.json["items"]) == (asked, [])  # type: ignore[index]
    assert snapshot(database) == before


@pytest.mark.parametrize(
    "body", [b"[" * 500_000, b'{"agent":' * 100_000, b'{"agent": "\\ud800"}', b"\xff", b"1e999999"]
)
def test_a_body_that_is_no_honest_json_is_refused(database: Database, body: bytes) -> None:
    client = client_of(database)
    before = snapshot(database)
    answer = client.post("/api/agents", data=body, content_type="application/json")
    assert answer.status_code in (400, 422), answer.text
    assert snapshot(database) == before


# Files and headers.

FORMULAS = [
    '=HYPERLINK("http://evil.example";"x")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "x;=cmd|' /C calc'!A0",
    "x\t=1+1",
]


def test_no_cell_of_an_export_is_run_by_a_spreadsheet(database: Database) -> None:
    for index, name in enumerate(FORMULAS):
        database.execute(
            "INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES (%s, %s)", name, f"+4930{index:03}"
        )
    before = snapshot(database)
    client = client_of(database)
    text = client.get("/api/assignments?format=csv").get_data(as_text=True)
    # Also for who has the semicolon between cells, which is most of Europe.
    for delimiter in ",;\t":
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_MINIMAL)
        cells = [cell for row in rows for cell in row if not re.match(r"\+4930\d{3}(,|$)", cell)]
        assert [cell for cell in cells if re.match(r"\s*[=+\-@\uff1d]", cell)] == []
    book = load_workbook(io.BytesIO(client.get("/api/assignments?format=xlsx").data))
    (sheet,) = book
    kept = {cell.value: cell.data_type for row in sheet.iter_rows(min_row=2, max_col=2) for cell in row}
    assert set(kept.values()) == {"s"}
    assert FORMULAS[0] in kept
    assert snapshot(database) == before


def test_no_line_break_of_a_request_gets_into_the_headers_of_an_answer(database: Database) -> None:
    client = client_of(database)
    before = snapshot(database)
    broken = "x\r\nSet-Cookie: a=b"
    for path in ("/api/agents", "/api/agents/activate", "/api/agents/deactivate"):
        assert client.post(path, json={"agent": broken}).status_code == 422
    assert client.post("/api/keys", json={"name": broken, "role": "viewer"}).status_code == 422
    for address in (f"/api/assignments?agent={quote(broken)}", f"/api/runs/{quote(broken)}", f"/{quote(broken)}"):
        answer = client.get(address)
        assert answer.status_code in (404, 422)
        assert "a=b" not in str(answer.headers)
    answer = client.get(f"/api/assignments?format={quote('csv' + broken)}")
    assert answer.status_code == 422
    assert snapshot(database) == before


def test_a_name_in_any_script_breaks_no_header_and_none_tells_what_was_kept(database: Database) -> None:
    client = client_of(database)
    answer = client.post("/api/keys", json={"name": "漢字", "role": "admin"})
    assert answer.status_code == 201
    assert answer.json is not None
    assert "X-Keep" not in answer.headers
    str(answer.headers).encode("latin-1")


@contextmanager
def running(directory: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str, Database]]:
    """A running service on a small floor, on SQLite: what is attacked here is in front of the database."""
    with sqlite_database(directory, "funnel") as database:
        small_floor(database)
        given = {"FUNNEL_DATABASE_URL": database.url, "FUNNEL_CATCH_UP": "0", **settings}
        with service(directory, "--run-at", "00:00", **given) as (process, address):
            yield process, address, database


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60)


def status(said: bytes) -> int:
    """The status of an answer, 0 of none."""
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", said)
    return int(found[1]) if found else 0


def raw(address: str, request: bytes) -> bytes:
    """All that is answered to these bytes."""
    with connect(address) as connection:
        connection.sendall(request)
        said = b""
        try:
            while part := connection.recv(65_536):
                said += part
        except ConnectionResetError:
            # It was refused before it was read to its end.
            pass
        return said


def test_smuggled_and_broken_requests_are_refused_by_the_server(tmp_path: Path) -> None:
    with running(tmp_path) as (_, address, database):
        before = snapshot(database)
        start = b"POST /api/agents HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        hidden = b"POST /run-now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for headers in (
            b"Idempotency-Key: a\rX: b\r\n\r\n",
            b"Idempotency-Key: a\nX: b\r\n\r\n",
            b"X : b\r\nContent-Length: 1\r\n\r\n",
            b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + hidden,
            b"Content-Length: -1\r\n\r\n" + hidden,
            b"Content-Length: 0\r\nTransfer-Encoding: xchunked\r\n\r\n" + hidden,
            b"X: " + b"x" * 300_000 + b"\r\n\r\n",
        ):
            said = raw(address, start + headers)
            assert (headers[:40], status(said) in (0, 400, 422, 431, 501)) == (headers[:40], True), said
            assert said.count(b"HTTP/1.") <= 1
        assert snapshot(database) == before
        assert status(raw(address, hidden)) == 200


def memory(process: subprocess.Popen[str], what: str) -> int:
    """Megabytes of memory: VmRSS is what it has, VmHWM the most that it had."""
    said = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(rf"{what}:\s+(\d+) kB", said)
    assert found
    return int(found[1]) // 1_000


def pour(connection: socket.socket, most: int) -> tuple[int, bytes]:
    """Sends chunks until there is an answer; how many bytes that took, and the answer."""
    connection.setblocking(False)
    chunk = b"%x\r\n%s\r\n" % (60_000, b"x" * 60_000)
    sent, rest, said = 0, chunk, b""
    while sent < most:
        readable, writable, _ = select.select([connection], [connection], [], 60)
        assert readable or writable
        try:
            if readable:
                part = connection.recv(65_536)
                said += part
                if not part or b"\r\n\r\n" in said:
                    break
            else:
                done = connection.send(rest)
                sent += done
                rest = rest[done:] or chunk
        except ConnectionError:
            break
    return sent, said


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
@pytest.mark.parametrize("path", ["/sign-in", "/api/agents", "/api/leads/import", "/healthz"])
def test_a_body_of_a_gigabyte_is_refused_early_and_fills_no_memory(tmp_path: Path, path: str) -> None:
    with running(tmp_path) as (process, address, database):
        raw(address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        before, least = snapshot(database), memory(process, "VmRSS")
        start = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n".encode()
        declared = raw(address, start + b"Content-Length: %d\r\n\r\n" % GIGABYTE)
        assert status(declared) == 413
        with connect(address) as connection:
            connection.sendall(start + b"Transfer-Encoding: chunked\r\n\r\n")
            sent, said = pour(connection, GIGABYTE)
        assert status(said) == 413
        assert sent < GIGABYTE / 10
        assert memory(process, "VmHWM") - least < MOST_MB
        assert snapshot(database) == before
        assert status(raw(address, b"POST /run-now HTTP/1.0\r\nHost: localhost\r\n\r\n")) == 200


def ask(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, float]:
    """The status of an answer, and how many seconds it took."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address + path, method=method, headers=headers), timeout=60
        ) as response:
            response.read()
            return response.status, time.monotonic() - began
    except urllib.error.HTTPError as error:
        return error.code, time.monotonic() - began


@contextmanager
def bound_on_files(soft: int) -> Iterator[None]:
    """Another bound on the open files of this process, and of those that it starts meanwhile."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


def hang_around(address: str, how_many: int, stack: ExitStack) -> list[socket.socket]:
    """Connections that have begun to ask for something, and take their time."""
    slow = []
    for _ in range(how_many):
        slow.append(stack.enter_context(connect(address)))
        slow[-1].send(b"POST /run-n")
    return slow


def ask_among(slow: list[socket.socket], address: str, most_seconds: float) -> None:
    """Asks again and again, while some of the slow ones say a little more."""
    for _ in range(5):
        for path, method in (("/healthz", "GET"), ("/run-now", "POST")):
            code, seconds = ask(address, path, method)
            assert code == 200
            assert seconds < most_seconds
        for connection in slow[::7]:
            try:
                connection.send(b"o")
            except ConnectionError:
                # Its time was over.
                pass


def test_slow_connections_keep_nobody_else_out(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The service has the same bound as this process, and takes as many as that lets it.
    with bound_on_files(hard), running(tmp_path) as (process, address, database), ExitStack() as stack:
        slow = hang_around(address, min(SLOW_CONNECTIONS, hard - OTHER_FILES), stack)
        # One that is taken a turn would wait for ten seconds behind the others.
        ask_among(slow, address, 5)
        assert process.poll() is None
        assert len(database.execute("SELECT run_id FROM dbo.assignment_run")) == 5


def test_more_slow_connections_than_there_is_room_for_keep_nobody_else_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with bound_on_files(250):
            process, address, database = stack.enter_context(running(tmp_path))
        ask_among(hang_around(address, 400, stack), address, 5)
        files = len(list(Path(f"/proc/{process.pid}/fd").iterdir())) if sys.platform == "linux" else 0
        assert files < 250
        assert len(database.execute("SELECT run_id FROM dbo.assignment_run")) == 5


TRAVERSALS = [
    "../access.py",
    "../../access.py",
    "../../__init__.py",
    "%2e%2e/%2e%2e/__init__.py",
    "..%2faccess.py",
    "%2e%2e/access.py",
    "%2e%2e%2f%2e%2e%2fsettings.py",
    "..%5caccess.py",
    "....//access.py",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "..%00/access.py",
    "%00",
    "swagger-ui.css/../../../../__init__.py",
]


def test_no_path_leads_out_of_the_static_files(tmp_path: Path) -> None:
    with running(tmp_path) as (_, address, _):
        for folder in ("/static/", "/api/docs/"):
            for path in TRAVERSALS:
                said = raw(address, f"GET {folder}{path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                assert (folder, path, status(said) in (301, 308, 400, 404)) == (folder, path, True), said
                assert b"root:" not in said
                assert b"import" not in said
        assert ask(address, "/static/docs.js")[0] == 200


def test_a_key_in_an_address_opens_nothing_and_no_key_gets_into_the_log(tmp_path: Path) -> None:
    with running(tmp_path) as (process, address, database):
        secret, wrong = key_of(database, "admin"), "funnel_wrong-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        before = snapshot(database)
        for each in (secret, wrong):
            for name in ("key", "api_key", "token", "access_token", "Authorization"):
                assert ask(address, f"/api/agents?{name}={each}")[0] == 401
                assert ask(address, f"/run-now?{name}={each}", "POST")[0] == 401
            assert ask(address, f"/{each}")[0] == 404
            assert ask(address, f"/sign-in?key={each}", "POST")[0] == 401
        assert ask(address, "/api/agents", Authorization=f"Bearer {wrong}")[0] == 401
        assert ask(address, "/api/agents", Authorization=f"Basic {wrong}")[0] == 401
        assert ask(address, "/api/agents", Cookie=f"{SESSION_COOKIE}={wrong}")[0] == 401
        assert snapshot(database) == before
        assert ask(address, "/run-now", "POST", Authorization=f"Bearer {secret}")[0] == 200
        kept = everything(database)
        process.terminate()
        log = process.communicate(timeout=60)[0]
    assert "refused without a key" in log
    assert "asked for" in log
    for each in (secret, wrong):
        assert each not in log
        assert each not in kept
