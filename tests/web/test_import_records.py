"""Imports on record by the API and on pages: the list, one of them, its leads, and its undo; on each engine."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from support.databases import TestedDatabase, seed_tables
from support.pages import Page, bearer, client_of, key_of, reader_of

# tests/backend runs these queries on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

LEADS = b"number,stage,date\n+49300000101,1,2026-11-20\n+49300000102,1,2026-11-20\n"


def test_an_import_by_the_api_is_on_record_and_can_be_undone(database: TestedDatabase) -> None:
    client = client_of(database)
    operator, viewer = (bearer(key_of(database, role)) for role in ("operator", "viewer"))
    path = "/api/leads/import?file_name=fair%20%2B4915112345678.csv"
    done = client.post(path, data=LEADS, content_type="text/csv", headers=operator).get_json()
    import_id = done["import_id"]
    (record,) = client.get("/api/imports", headers=operator).get_json()["items"]
    assert (record["import_id"], record["source"], record["actor"]) == (import_id, "api", "http: operator")
    assert (record["address"], record["file_name"]) == ("127.0.0.1", "fair ….csv")
    found = client.get(f"/api/imports/{import_id}", headers=viewer).get_json()
    assert (found["record"]["address"], found["batch"]["never_called"]) == (None, 2)
    leads = client.get(f"/api/leads?import_id={import_id}&count=1", headers=operator).get_json()
    assert [lead["number"] for lead in leads["items"]] == ["+49300000101"]
    leads = client.get(f"/api/leads?import_id={import_id}&cursor={leads['next']}", headers=operator).get_json()
    assert [lead["number"] for lead in leads["items"]] == ["+49300000102"]
    database.execute("UPDATE dbo.wafunnel SET stage = 2 WHERE number = '+49300000101'")
    undo = f"/api/imports/{import_id}/undo"
    result = {"import_id": import_id, "taken_back": 1, "put_back": 0, "left_alone": 1}
    for target in (f"{undo}?dry_run=true", undo):
        assert client.post(target, headers=operator).json == result
    again = client.post(undo, headers=operator)
    assert (again.status_code, again.get_json()["code"]) == (409, 50005)
    assert client.get(f"/api/imports/{import_id + 1}", headers=viewer).status_code == 404
    assert database.execute("SELECT number FROM dbo.wafunnel") == [("+49300000101",)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_viewer_sees_an_import_but_not_the_address_and_an_operator_undoes_it(database: TestedDatabase) -> None:
    seed_tables(database, leads=1)
    operator, viewer = reader_of(database, "operator"), reader_of(database, "viewer")
    assert "There was no import yet" in viewer.get("/imports")
    page = operator.send("/leads/import", what="import", file=(BytesIO(LEADS), "fair.csv"))
    assert "the record of this import" in Page(page.text)
    told = operator.get("/imports")
    # The file and its count come first: they are in sight on a phone, and below the file the rest of what one asks.
    assert re.search(r"fair\.csv 2 today, \S+ leads operator 2 0 0 0 \d+ no", told.text)
    assert re.search(r'<small class="phone">leads, operator, <time [^>]*>today, ', told.source)
    (import_id,) = (int(link.rpartition("/")[2]) for link in told.links if "/imports/" in link)
    told = operator.get(f"/imports/{import_id}")
    assert "on the page, from 127.0.0.1 ." in told or "on the page, from 127.0.0.1." in told
    assert "Never called 2 Called once 0" in told
    told = viewer.get(f"/imports/{import_id}")
    assert "127.0.0.1" not in told
    assert "Undo this import" not in told
    told = viewer.get(f"/leads?import_id={import_id}")
    assert f"Only leads that import {import_id} added or changed." in told
    assert "…101" in told
    assert "…000" not in told
    assert f"by import {import_id} , fair.csv" in operator.get("/leads/of?number=%2B49300000101")
    assert "imported: 2." in operator.get(f"/imports/{import_id}/undo")
    assert "Taken back: 2." in operator.done(f"/imports/{import_id}/undo")
    again = operator.refused(409, f"/imports/{import_id}/undo")
    assert "was undone already" in again
    assert "This import is undone already" in again
