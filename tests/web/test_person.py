"""A person's rights over the API, for admins: what is kept of a number, and its erasure."""

from __future__ import annotations

import pytest

from agent_funnel.access.audit import list_entries
from agent_funnel.person import forget
from support.databases import TestedDatabase, all_rows, seed_tables
from support.pages import Reader, bearer, client_of, key_of, reader_of

# tests/backend runs the queries on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

NUMBER = "+49300000001"
SPELLING = {"number": "0049 30 0000 001"}


def test_an_admin_sees_and_erases_a_person_and_the_audit_has_the_certificate_only(database: TestedDatabase) -> None:
    seed_tables(database)
    client = client_of(database)
    admin = {"headers": bearer(key_of(database, "admin", "Ana"))}
    run_id = client.post("/run-now", **admin).get_json()["run_id"]
    found = client.post("/api/person", json=SPELLING, headers={**admin["headers"], "Idempotency-Key": "a"}).get_json()
    assert (found["spellings"], len(found["leads"]), len(found["dealt"])) == ([NUMBER], 1, 1)
    would = client.post("/api/person/forget", json={**SPELLING, "dry_run": True}, **admin).get_json()
    assert (would["applied"], would["leads"], would["answers"], would["certificate"]) == (False, 1, 1, None)
    gone = client.post("/api/person/forget", json=SPELLING, **admin).get_json()
    assert (gone["applied"], gone["leads"], gone["answers"]) == (True, 1, 1)
    again = client.post("/api/person", json=SPELLING, **admin).get_json()
    assert (again["leads"], again["forgotten_at"][:2]) == ([], "20")
    assert "300000001" not in all_rows(database)
    run = client.get(f"/api/runs/{run_id}", **admin).get_json()["run"]
    dealt = client.get(f"/api/runs/{run_id}/assignments", **admin).get_json()["items"]
    assert (run["forgotten"], run["assigned"]) == (1, len(dealt) + 1)
    page = Reader(client, key_of(database, "viewer")).get(f"/runs/{run_id}")
    assert f"1 of the {run['assigned']} assigned leads has been erased since then." in page
    assert f"the downloads have the other {len(dealt)}." in page
    entries = {(each.operation, each.target) for each in list_entries(database.backend, count=9)}
    assert {
        ("forget", gone["certificate"]),
        ("POST /api/person/forget", f"erasure, {gone['certificate']}"),
        ("POST /api/person/forget", "dry run"),
    } <= entries
    assert client.post("/api/person", json={"number": "+4930999999"}, **admin).status_code == 404


def test_only_an_admin_may(database: TestedDatabase) -> None:
    seed_tables(database)
    for role in ("viewer", "operator"):
        reader = reader_of(database, role)
        for path in ("/api/person", "/api/person/forget"):
            assert reader.client.post(path, json={"number": NUMBER}, headers=reader.headers).status_code == 403
    assert database.execute("SELECT COUNT(*) FROM dbo.wafunnel") == [(7,)]


def test_another_country_needs_a_confirmation_while_people_are_forgotten(database: TestedDatabase) -> None:
    seed_tables(database)
    client = client_of(database)
    admin = {"headers": bearer(key_of(database, "admin", "Ana"))}
    forget(database.backend, NUMBER, actor="Ana")
    refused = client.post("/api/rules", json={"country": "DE", "window_days": 9}, **admin)
    assert refused.status_code == 409
    assert "1 person is forgotten" in refused.get_json()["detail"]
    assert client.post("/api/rules", json={"window_days": 9}, **admin).status_code == 200
    assert client.post("/api/rules", json={"confirm": True}, **admin).status_code == 422
    assert client.post("/api/rules", json={"country": "DE", "confirm": True}, **admin).status_code == 200
    assert database.execute("SELECT name, value FROM dbo.floor_rule ORDER BY rule_id") == [
        ("window_days", "9"), ("country", "DE"),
    ]  # fmt: skip


def test_the_page_of_the_settings_asks_for_a_confirmation_of_another_country(
    database: TestedDatabase, reader: Reader
) -> None:
    fields = {"max_per_agent": "450", "window_days": "30", "newest_first": "false", "country": "PT"}
    assert "although people are forgotten" not in reader.get("/settings")
    forget(database.backend, NUMBER, actor="Ana")
    assert "Change the country although people are forgotten (1)" in reader.get("/settings")
    assert "1 person is forgotten" in reader.refused(409, "/rules", **fields)
    assert "Recorded: country of numbers without one: Portugal (PT); days that a lead is dealt: 30." in reader.done(
        "/rules", **fields, confirm="yes"
    )
