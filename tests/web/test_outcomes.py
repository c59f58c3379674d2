"""Outcomes over HTTP: reports of one and of many, taking back, lists with masked numbers, and the audit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from agent_funnel.access.audit import list_entries
from support.databases import TestedDatabase
from support.outcomes import ANAS, BRUNOS, CARLOS, DEALT_ON, deal_again, put_floor, standing
from support.pages import bearer, key_of

# tests/backend runs the queries on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long


def post(client: FlaskClient, path: str, status: int = 200, **body: Any) -> Any:
    answer = client.post(f"/api/outcomes{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_an_outcome_is_reported_once_and_taken_back_and_the_audit_has_no_number(
    client: FlaskClient, database: TestedDatabase
) -> None:
    run_id = put_floor(database)
    day = str(DEALT_ON + timedelta(days=2))
    body: dict[str, Any] = {
        "number": "55 11 987654321",
        "outcome": "call_back",
        "call_back_on": day,
        "report": "crm 1",
        "note": "late",
    }
    told = post(client, "", **body)
    assert (told["run_id"], told["number"], told["agent"], told["call_back_on"]) == (run_id, ANAS, "Bo", day)
    assert (told["reported_by"], told["stands"], told["notice"]) == ("http: this machine", True, None)
    assert post(client, "", **body) == told
    refused = post(client, "", 422, **{**body, "note": "early"})
    assert (refused["code"], "with other content" in refused["detail"]) == (50006, True)
    assert post(client, "/take-back", report="crm 1")["stands"] is False
    assert "no outcome" in post(client, "/take-back", 422, report="crm 2")["detail"]
    assert standing(database) == []
    targets = [entry.target for entry in list_entries(database.backend, count=9)]
    assert targets[1:] == ["call_back …321", *["call_back …321"] * 3]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "sold"), ("report", "x" * 65), ("report", " x"), ("note", "a\nb"), ("note", "x" * 1_001),
        ("reported_at", "2026-01-31T00:00:00"), ("reported_at", 5), ("reported_at", "0001-01-01T00:00:00+05:00"),
        ("reported_at", "9999-12-31T23:59:59-05:00"), ("call_back_on", "tomorrow"), ("number", ""),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(client: FlaskClient, field: str, value: Any) -> None:
    answer = post(client, "", 422, **{"number": ANAS, "outcome": "won", field: value})
    assert [fault["field"] for fault in answer["faults"]] == [field]


def test_many_reports_have_an_answer_each_and_a_bound(client: FlaskClient, database: TestedDatabase) -> None:
    put_floor(database)
    reports = [
        {"number": ANAS, "outcome": "won", "report": "1"},
        {"number": "+5511987654329", "outcome": "won", "report": "2"},
        {"number": BRUNOS, "outcome": "lost", "report": "3", "agent": "Bo"},
        {"number": CARLOS, "outcome": "talked", "report": "4"},
    ]
    answer = post(client, "/several", reports=reports)
    assert (answer["kept"], answer["refused"]) == (2, 2)
    assert [each["report"] for each in answer["items"]] == ["1", "2", "3", "4"]
    assert [each["code"] for each in answer["items"]] == [None, 50006, 50006, None]
    assert "dealt Bo no lead" in answer["items"][2]["refusal"]
    assert standing(database) == [(ANAS, "won"), (CARLOS, "talked")]
    assert post(client, "/several", reports=reports) == answer
    assert list_entries(database.backend, count=1)[0].target == "2 of 4 outcomes"
    for many in ([], reports * 251):
        assert post(client, "/several", 422, reports=many)["faults"][0]["field"] == "reports"


def test_outcomes_come_in_pages_masked_for_viewers_and_as_a_file(client: FlaskClient, database: TestedDatabase) -> None:
    run_id = put_floor(database)
    for number, outcome in ((ANAS, "won"), (BRUNOS, "talked"), (CARLOS, "no_answer"), (ANAS, "lost")):
        post(client, "", number=number, outcome=outcome, note=f"rang {number}")
    deal_again(database)
    first = client.get(f"/api/outcomes?count=3&run_id={run_id}").get_json()
    assert [each["outcome"] for each in first["items"]] == ["lost", "no_answer", "talked"]
    last = client.get("/api/outcomes", query_string={"count": 3, "run_id": run_id, "cursor": first["next"]}).get_json()
    assert ([each["outcome"] for each in last["items"]], last["next"]) == (["won"], None)
    found = client.get("/api/outcomes", query_string={"number": "5511 98765-4321", "standing": True}).get_json()
    assert [(each["outcome"], each["number"]) for each in found["items"]] == [("lost", ANAS)]
    assert client.get("/api/outcomes?agent=Al").get_json()["items"][0]["agent"] == "Al"
    text = client.get("/api/outcomes?format=csv").text.replace("'+", "+")
    lines = text.splitlines()
    assert lines[0] == "agent,number,outcome,call_back_on,same_agent,note,reported_at,reported_by,run"
    assert sorted(line.split(",")[1:3] for line in lines[1:]) == sorted(
        [[BRUNOS, "talked"], [CARLOS, "no_answer"], [ANAS, "lost"]]
    )
    viewer = bearer(key_of(database, "viewer"))
    seen = client.get("/api/outcomes", headers=viewer)
    assert [each["number"] for each in seen.get_json()["items"]] == ["…321", "…678", "…678", "…321"]
    assert not [number for number in (ANAS, BRUNOS, CARLOS) if number[:9] in seen.text]
    assert client.get("/api/outcomes?number=1", headers=viewer).status_code == 403
    assert ANAS[:9] not in client.get("/api/outcomes?format=csv", headers=viewer).text
