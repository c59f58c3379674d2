"""The API: its answers, paging, files, roles, limits and the audit."""

from __future__ import annotations

import csv
import gzip
import io
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from agent_funnel.access.audit import list_entries
from support.databases import TestedDatabase, seed_tables, snapshot
from support.pages import AGAIN, bearer, client_of, key_of

LEADS = 23


@pytest.fixture(autouse=True)
def _floor(database: TestedDatabase) -> None:
    seed_tables(database, leads=LEADS, agents=4)


def get(client: FlaskClient, path: str, **more: Any) -> Any:
    response = client.get(path, **more)
    assert response.status_code == 200, response.text
    return response.get_json()


def whole(client: FlaskClient, path: str, count: int, **more: Any) -> list[Any]:
    """The whole list, fetched page by page."""
    items: list[Any] = []
    cursor = ""
    while True:
        page = get(client, f"{path}{'&' if '?' in path else '?'}count={count}{cursor}", **more)
        assert len(page["items"]) <= count
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = f"&cursor={page['next']}"


@pytest.mark.parametrize(
    "path", ["/api/runs", "/api/runs/{run}/assignments", "/api/assignments", "/api/leads", "/api/audit"]
)
def test_all_pages_together_are_the_whole_list(client: FlaskClient, path: str) -> None:
    found = [client.post("/run-now", **AGAIN).get_json() for _ in range(3)]
    path = path.format(run=found[0]["run_id"])
    every = whole(client, path, 1000)
    # 3 runs or audit entries; 8 present assignments, since the third deal had only these left; or all leads.
    assert len(every) in (3, 8, LEADS)
    for count in (1, 2, len(every), len(every) + 1):
        assert whole(client, path, count) == every
    assert client.get(f"{path}?count=1001").status_code == 422
    assert client.get(f"{path}?cursor=nonsense").status_code == 422


def test_a_cursor_of_an_earlier_deal_is_refused(client: FlaskClient) -> None:
    client.post("/run-now")
    page = get(client, "/api/assignments?count=5")
    run = client.post("/run-now", **AGAIN).get_json()
    refused = client.get(f"/api/assignments?count=5&cursor={page['next']}")
    assert refused.status_code == 409
    assert "begin again" in refused.get_json()["detail"]
    deal = get(client, "/api/assignments")["deal"]
    client.post(f"/api/runs/{run['run_id']}/undo")
    assert get(client, "/api/assignments")["deal"] != deal


def test_an_agents_list_gets_304_until_it_changes(client: FlaskClient) -> None:
    client.post("/run-now")
    path = "/api/assignments?agent=agent%201"
    first = client.get(path)
    assert {each["agent"] for each in first.get_json()["items"]} == {"agent 1"}
    tag = {"If-None-Match": first.headers["ETag"]}
    again = client.get(path, headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    client.post("/api/do-not-contact", json={"number": first.get_json()["items"][0]["number"]})
    assert client.get(path, headers=tag).status_code == 200


@pytest.mark.sqlserver_if_long
def test_a_long_answer_is_compressed_for_clients_that_accept_gzip(client: FlaskClient) -> None:
    client.post("/run-now")
    plain = client.get("/api/assignments")
    packed = client.get("/api/assignments", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    tag = {"If-None-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"}
    assert client.get("/api/assignments", headers=tag).status_code == 304


@pytest.mark.parametrize("what", ["/api/assignments", "/api/runs/{run}/assignments"])
def test_the_same_list_comes_as_csv_and_as_xlsx(client: FlaskClient, what: str) -> None:
    path = what.format(run=client.post("/run-now").get_json()["run_id"])
    numbers = [each["number"] for each in whole(client, path, 1000)]
    text = client.get(f"{path}?format=csv")
    assert text.mimetype == "text/csv"
    assert "attachment" in text.headers["Content-Disposition"]
    assert [row["number"] for row in csv.DictReader(io.StringIO(text.text))] == numbers
    sheet = load_workbook(io.BytesIO(client.get(f"{path}?format=xlsx").data)).active
    assert sheet is not None
    assert [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)] == numbers


def test_viewers_see_the_last_three_digits_and_operators_the_number(
    database: TestedDatabase, client: FlaskClient
) -> None:
    run = client.post("/run-now").get_json()["run_id"]
    number = get(client, "/api/assignments")["items"][0]["number"]
    client.post("/api/do-not-contact", json={"number": number, "reason": "asked us"})
    viewer, operator = bearer(key_of(database, "viewer")), bearer(key_of(database, "operator"))
    for path in (
        "/api/assignments", f"/api/runs/{run}/assignments", "/api/leads", "/api/do-not-contact",
        f"/api/runs/{run}/assignments?format=csv", "/api/assignments?format=csv",
    ):  # fmt: skip
        seen, whole_number = client.get(path, headers=viewer), client.get(path, headers=operator)
        assert seen.status_code == whole_number.status_code == 200
        assert number[:-3] not in seen.text, path
        assert f"…{number[-3:]}" in seen.text or path.startswith("/api/assignments")
        assert number[:-3] in whole_number.text


@pytest.mark.sqlserver_if_long
def test_viewers_page_through_the_same_rows_and_no_cursor_reveals_a_number(
    database: TestedDatabase, client: FlaskClient
) -> None:
    run = client.post("/run-now").get_json()["run_id"]
    viewer, operator = bearer(key_of(database, "viewer")), bearer(key_of(database, "operator"))
    for path in ("/api/assignments", f"/api/runs/{run}/assignments", "/api/leads"):
        every = whole(client, path, 1000, headers=operator)
        masked = [{**each, "number": f"…{each['number'][-3:]}"} for each in every]
        for count in (1, 5, LEADS):
            seen = whole(client, path, count, headers=viewer)
            assert sorted(seen, key=repr) == sorted(masked, key=repr)
        text = get(client, f"{path}?count=5", headers=viewer)["next"]
        told = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        assert every[4]["number"][:-3] not in told
        assert every[4]["number"][1:-3] not in told


def test_each_lead_is_counted_once_in_the_pool_report(database: TestedDatabase, client: FlaskClient) -> None:
    database.execute("UPDATE dbo.wafunnel SET stage = 4 WHERE number = '+49300000003'")
    client.post("/run-now")
    report = get(client, "/api/pool")
    assert (report["dealt"], report["at_stage_4"], report["total"]) == (LEADS - 1, 1, LEADS)
    assert sum(value for name, value in report.items() if name not in ("business_date", "total")) == LEADS


def test_a_file_can_be_tried_before_it_is_imported(database: TestedDatabase, client: FlaskClient) -> None:
    file = "number,stage,date\n+4915110000001,1,2026-11-20\n+4915110000002,9,2026-11-20\n"
    before = snapshot(database)

    def send(query: str) -> Any:
        return client.post(f"/api/leads/import?{query}", data=file, content_type="text/csv")

    tried = send("dry_run=true")
    assert tried.get_json()["bad"] == [{"line": 3, "reason": "stage '9' is not 1, 2, 3 or 4"}]
    assert (tried.get_json()["rows"], tried.get_json()["added"]) == (2, 1)
    refused = send("")
    assert refused.status_code == 422
    assert "line 3" in refused.get_json()["detail"]
    assert snapshot(database) == before
    bad_rows = send("dry_run=true&bad_rows_file=true")
    assert bad_rows.mimetype == "text/csv"
    assert bad_rows.get_data(as_text=True).splitlines()[1].startswith("+4915110000002,9,2026-11-20,3,")
    assert send("bad_rows_file=true").status_code == 422
    assert snapshot(database) == before
    assert send("skip_bad=true").get_json()["added"] == 1
    assert get(client, "/api/leads?number=%2B49 151-10000001")["items"][0]["stage"] == 1
    assert client.post("/api/leads/import", data=file, content_type="application/json").status_code == 415


def test_a_file_is_read_as_it_is_or_as_is_chosen(database: TestedDatabase, client: FlaskClient) -> None:
    text = "Kunde;Etapa;Data;E-mail\n+49 151 10000001;2;05.10.2026;a@example.org\n".encode("utf-16")

    def send(**query: str) -> Any:
        options: dict[str, Any] = {"data": text, "content_type": "application/vnd.ms-excel", "query_string": query}
        return client.post("/api/leads/import", **options)

    for query, reason in (
        ({}, "has no column that is clearly the number; it has 'Kunde', 'Etapa', 'Data', 'E-mail'"),
        ({"number_column": "Kunde"}, "none of them shows whether the day or the month comes first"),
        ({"number_column": "Kunde", "dates": "dmy", "delimiter": "tab"}, "begins with 'Kunde;Etapa;Data;E-mail'"),
        ({"number_column": "Kunde", "encoding": "utf-7x"}, "There is no encoding 'utf-7x'"),
    ):
        refused = send(**query)
        assert (refused.status_code, reason in refused.get_json()["detail"]) == (422, True), refused.get_json()
    done = send(number_column="Kunde", stage_column="", dates="dmy").get_json()
    assert (done["rows"], done["added"]) == (1, 1)
    assert done["understood"] == {
        "format": "CSV", "sheet": None, "encoding": "UTF-16", "delimiter": "semicolon", "dates": "dmy",
        "columns": {"number": "Kunde", "date": "Data"}, "left_out": ["Etapa", "E-mail"],
        "notes": ["The file has no stages, so every lead has stage 1."],
    }  # fmt: skip
    found = get(client, "/api/leads?number=4915110000001")["items"][0]
    assert (found["number"], found["stage"], found["date"][:10]) == ("+4915110000001", 1, "2026-10-05")


def test_agents_limits_and_the_schedule_are_edited_and_previewed(database: TestedDatabase, client: FlaskClient) -> None:
    assert client.post("/api/agents", json={"agent": "Eva", "active": False}).status_code == 201
    assert client.post("/api/agents", json={"agent": "Eva"}).status_code == 409
    assert get(client, "/api/preview")["run"]["agents"] == 4
    assert client.post("/api/agents/activate", json={"agent": "Eva"}).status_code == 200
    assert client.post("/api/agents/deactivate", json={"agent": "nobody"}).status_code == 404
    assert client.post("/api/agents/deactivate", json={"agent": "Eva"}).status_code == 200
    assert client.post("/api/agents/activate-all?recent=true").get_json() == {"done": True, "activated": []}
    assert client.post("/api/agents/activate-all?recent=perhaps").status_code == 422
    assert client.post("/api/agents/activate-all?recent=true&deals=31").status_code == 422
    assert client.post("/api/agents/activate-all?recent=true&deals=3").get_json() == {"done": True, "activated": []}
    assert client.post("/api/agents/activate-all").get_json() == {"done": True, "activated": ["Eva"]}
    assert client.post("/api/agents/activate-all").get_json() == {"done": True, "activated": []}
    assert "1 agents: Eva" in [entry["target"] for entry in get(client, "/api/audit")["items"]]
    limit = client.post("/api/limits", json={"agent": "Eva", "starts_on": "2020-01-01", "max_records": 2}).get_json()
    assert limit["agent_known"] is True
    preview = get(client, "/api/preview?max_per_agent=3")
    assert {each["agent"]: each["leads"] for each in preview["shares"]}["Eva"] == 2
    assert preview["run"]["assigned"] == 14
    assert client.delete(f"/api/limits/{limit['limit']['limit_id']}").status_code == 200
    assert client.delete(f"/api/limits/{limit['limit']['limit_id']}").status_code == 404
    assert client.post("/api/schedule/pause", json={"reason": "stocktaking"}).get_json() == {"changed": True}
    assert get(client, "/api/schedule")["pause"]["reason"] == "stocktaking"
    assert client.post("/api/schedule/resume").get_json() == {"changed": True}
    assert get(client, "/api/schedule")["pause"] is None


def test_a_name_that_no_agent_has_gets_no_limit_unless_the_agent_is_yet_to_come(client: FlaskClient) -> None:
    absence = {"starts_on": "2020-01-01"}
    refused = client.post("/api/limits", json={"agent": "AGENT 1", **absence})
    assert refused.status_code == 404
    assert "Perhaps you mean 'agent 1'." in refused.get_json()["detail"]
    given = client.post("/api/limits", json={"agent": "Eva", "new_agent": True, **absence})
    assert (given.status_code, given.get_json()["agent_known"]) == (201, False)
    assert [each["known"] for each in get(client, "/api/limits")["items"]] == [False]
    added = client.post("/api/agents", json={"agent": "eva"}).get_json()
    assert added == {"done": True, "alike": []}
    renamed = client.post("/api/agents/rename", json={"agent": "eva", "new_name": "Eva"})
    assert renamed.get_json()["renamed"] == {"limits": 0, "links": 0, "assignments": 0, "dealt": 0}
    assert client.post("/api/agents/rename", json={"agent": "eva", "new_name": "Eve"}).status_code == 404
    assert client.post("/api/agents", json={"agent": "EVA"}).get_json()["alike"] == ["Eva"]
    assert client.post("/api/agents/rename", json={"agent": "EVA", "new_name": "Eva"}).status_code == 409
    assert [each["known"] for each in get(client, "/api/limits")["items"]] == [True]


def test_a_refusal_names_the_field_and_the_limit_and_never_the_value(client: FlaskClient) -> None:
    refused = client.post("/api/do-not-contact", json={"number": "+49151" + "7" * 300, "extra": "secret-value"})
    assert refused.status_code == 422
    assert refused.mimetype == "application/problem+json"
    faults = {each["field"]: each for each in refused.get_json()["faults"]}
    assert set(faults) == {"number", "extra"}
    assert faults["number"]["limit"] == "255"
    assert "777" not in refused.text
    assert "secret-value" not in refused.text
    assert (
        client.post("/api/limits", json={"agent": "x", "starts_on": "2026-11-24", "max_records": "5"}).status_code
        == 422
    )


def test_every_attempt_to_change_something_is_in_the_audit_with_its_actor_and_status(
    database: TestedDatabase, client: FlaskClient
) -> None:
    admin, viewer = bearer(key_of(database, "admin")), bearer(key_of(database, "viewer"))
    client.post("/run-now", headers=admin)
    client.post("/api/do-not-contact", headers=admin, json={"number": "+4915112345678"})
    client.post("/run-now", headers=viewer)
    client.get("/api/runs", headers=viewer)
    client.post("/run-now")
    entries = get(client, "/api/audit", headers=admin)["items"]
    assert [(each["actor"], each["operation"], each["target"], each["status"]) for each in entries] == [
        ("viewer", "POST /run-now", None, 403),
        ("admin", "POST /api/do-not-contact", "…678", 200),
        ("admin", "POST /run-now", f"run {get(client, '/api/runs', headers=viewer)['items'][0]['run_id']}", 200),
    ]
    assert {each["address"] for each in entries} == {"127.0.0.1"}
    assert [each["detail"] for each in entries[1:]] == [None, None]
    assert "needs the role operator" in entries[0]["detail"]
    assert len(list_entries(database.backend, count=10)) == 3


def test_too_many_requests_with_one_key_are_refused_with_a_time_to_retry(database: TestedDatabase) -> None:
    client = client_of(database, rate_limit="3 per hour")
    first, second = bearer(key_of(database, "viewer")), bearer(key_of(database, "operator"))
    assert [client.get("/api/agents", headers=first).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get("/api/runs", headers=first)
    assert refused.status_code == 429
    assert refused.mimetype == "application/problem+json"
    assert int(refused.headers["Retry-After"]) > 0
    assert "Retry-After" not in client.get("/api/agents", headers=second).headers
    # Each key has its own limit, and health checks have none.
    assert client.get("/api/agents", headers=second).status_code == 200
    assert {client.get("/healthz").status_code for _ in range(10)} == {200}


def test_every_answer_has_the_security_headers(client: FlaskClient) -> None:
    for path in ("/run-now", "/sign-in", "/api/runs", "/api/nothing", "/healthz"):
        headers = client.get(path, headers={"Accept": "text/html"}).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.sqlserver_if_long
def test_the_page_of_the_api_requests_nothing_from_other_hosts(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert "://" not in page
    for part in ("css/swagger-ui.css", "js/swagger-ui-bundle.js"):
        assert part in page
        assert client.get(f"/api/docs/{part}").status_code == 200
    assert client.get("/static/docs.js").status_code == 200
    assert client.get("/api/openapi.json").get_json()["openapi"].startswith("3.1")
