"""Injection: SQL, forged cursors, malformed JSON, formulas and line breaks are plain text, or refused."""

from __future__ import annotations

import csv
import io
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from agent_funnel.access.keys import holder_of_key
from agent_funnel.web.auth import SESSION_COOKIE
from support import LONG
from support.databases import TestedDatabase, seed_tables, snapshot
from support.pages import bearer, client_of, key_of, operations, sign_in

# Payloads that end a string, match everything, turn into an apostrophe on the way, and more:
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

# Those that a driver which writes parameters into the statement may get wrong, three of them as one; the short version
# sends only these.
TELLING = [SQL[0], SQL[4], "".join(SQL[-3:])]

UNSENT = "';DROP/**/TABLE/**/assignment_run;--"

# Values for the other required fields of an attacked request:
FIELDS = {
    "agent": "agent 0", "starts_on": "2026-01-01", "number": "+4900", "name": "Bo", "role": "viewer",
    "reason": "why", "ends_on": "2026-01-02", "active": False, "max_records": 1, "new_name": "agent 1",
    "business_date": "2026-01-01", "numbers": ["+4900"], "outcome": "won", "report": "crm 1", "reports": [],
    "hand_back_id": 1,
}  # fmt: skip

# Operations that deal or undo, and so change existing rows:
DEALS = ("/run-now", "/api/runs", "/api/runs/{run_id}/undo")


def attacked(client: FlaskClient, payload: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests (method, address, options) with the payload in each parameter and field of each operation."""
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
            for field, described in schema.get("properties", {}).items():
                body = {name: FIELDS[name] for name in schema.get("required", [])}
                if operation.path.endswith("/rename"):
                    # No agent gets the text as a name, and none with this name gets another: that of an agent is taken.
                    body["agent"] = "nobody"
                sent = [payload] if described.get("type") == "array" else payload
                yield operation.method, operation.url, {"json": {**body, field: sent}}
        if operation.path.endswith("/import"):
            yield operation.method, operation.url, {
                "data": f'number,stage,date\n"{payload}",1,2026-01-01\n+4930000009,"{payload}",2026-01-01\n',
                "content_type": "text/csv", "query_string": {"skip_bad": "true"},
            }  # fmt: skip


def test_sql_in_any_parameter_is_plain_text(database: TestedDatabase) -> None:
    seed_tables(database)
    client = client_of(database, rate_limit="100000 per minute")
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key_of(database, 'admin', 'Ana')}"
    assert client.post("/run-now").status_code == 200
    holder_of_key(database.backend, "")
    before = snapshot(database)
    sent, payloads = 0, SQL if LONG else TELLING
    for payload in payloads:
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
    assert sent > 30 * len(payloads)
    after = snapshot(database)
    for table, rows in before.items():
        assert set(rows) <= set(after[table]), table
    # Names are stored letter by letter.
    assert {name for name, _ in after["agents"]} == {"agent 0", "agent 1", "agent 2", *payloads}
    assert {row[1] for row in after["access_key"]} == {"Ana", *payloads}


def test_sql_in_a_key_or_a_cookie_opens_nothing(database: TestedDatabase) -> None:
    seed_tables(database)
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


def test_a_forged_cursor_is_refused_or_finds_nothing(database: TestedDatabase) -> None:
    seed_tables(database)
    client = client_of(database)
    run = client.post("/run-now").json
    assert run is not None
    before = snapshot(database)
    # This sorts after every stored text:
    last = "\U0010ffff"
    texts = ["\ud800", "\0", "\U0010ffff' OR '1'='1", last]
    cursors: list[Any] = [
        *([10**30], [-(10**30)], [True], ["1"], [1.5], {}, [], [[]], "x", None),
        *([text] for text in texts),
        *([f"{run['run_id']}.0", text, text] for text in texts),
        *([last, stage, date] for stage in ("", "x", "9" * 30, "1") for date in ("", "x", "2026-01-01T00:00:00+01:00")),
    ]
    raw = ["", "x", "=", "%", "é", "[" * 1_500, urlsafe_b64encode(b"[" * 1_400).decode()]
    for url in ("/api/runs", "/api/assignments", f"/api/runs/{run['run_id']}/assignments", "/api/leads", "/api/audit"):
        for cursor in [*map(forged, cursors), *raw]:
            answer = client.get(url, query_string={"cursor": cursor})
            asked = (url, cursor)
            assert (asked, answer.status_code in (200, 409, 422)) == (asked, True), answer.text
            # A text that sorts before all others finds every row, as on the first page.
            if answer.status_code == 200 and url != "/api/runs" and forged(["\0"]) != cursor:
                assert (asked, answer.json["items"]) == (asked, [])  # type: ignore[index]
    assert snapshot(database) == before


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(
    "body", [b"[" * 500_000, b'{"agent":' * 100_000, b'{"agent": "\\ud800"}', b"\xff", b"1e999999"]
)
def test_a_body_of_malformed_json_is_refused(database: TestedDatabase, body: bytes) -> None:
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


def test_no_spreadsheet_runs_a_cell_of_an_export(database: TestedDatabase) -> None:
    for index, name in enumerate(FORMULAS):
        database.execute(
            "INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES (%s, %s)", name, f"+4930{index:03}"
        )
    before = snapshot(database)
    client = client_of(database)
    text = client.get("/api/assignments?format=csv").get_data(as_text=True)
    # In most of Europe, spreadsheets split cells at semicolons.
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


def test_no_line_break_of_a_request_gets_into_the_headers_of_an_answer(database: TestedDatabase) -> None:
    client = client_of(database)
    before = snapshot(database)
    broken = "x\r\nSet-Cookie: a=b"
    assert client.post("/api/agents", json={"agent": broken}).status_code == 422
    for path in ("/api/agents/activate", "/api/agents/deactivate"):
        # Other systems may have made such an agent, who must be reached; there is none here.
        assert client.post(path, json={"agent": broken}).status_code == 404
    assert client.post("/api/keys", json={"name": broken, "role": "viewer"}).status_code == 422
    for address in (f"/api/assignments?agent={quote(broken)}", f"/api/runs/{quote(broken)}", f"/{quote(broken)}"):
        answer = client.get(address)
        # Such an agent would have leads; there is none here.
        assert answer.status_code in (404, 422) or answer.get_json()["items"] == []
        assert "a=b" not in str(answer.headers)
    answer = client.get(f"/api/assignments?format={quote('csv' + broken)}")
    assert answer.status_code == 422
    assert snapshot(database) == before


def test_a_name_in_any_script_breaks_no_header_and_no_internal_header_gets_out(database: TestedDatabase) -> None:
    client = client_of(database)
    answer = client.post("/api/keys", json={"name": "漢字", "role": "admin"})
    assert answer.status_code == 201
    assert answer.json is not None
    assert "X-Keep" not in answer.headers
    str(answer.headers).encode("latin-1")
