"""Whole lists as files over HTTP."""

from __future__ import annotations

import io
from typing import get_args

from flask.testing import FlaskClient
from openpyxl import load_workbook

from agent_funnel.exports import COLUMNS
from agent_funnel.web.fields import ExportedList
from support.databases import TestedDatabase, seed_tables
from support.pages import bearer, key_of


def test_each_list_is_a_file_in_each_format_and_masked_for_viewers(
    client: FlaskClient, database: TestedDatabase
) -> None:
    seed_tables(database)
    viewer = bearer(key_of(database, "viewer"))
    admin = bearer(key_of(database, "admin"))
    for what in get_args(ExportedList):
        found = client.get(f"/api/exports/{what}", headers=admin)
        assert found.content_type == "text/csv; charset=utf-8"
        assert found.headers["Content-Disposition"] == f"attachment; filename={what}.csv"
        assert found.headers["Cache-Control"] == "no-store"
        assert found.text.splitlines()[0] == ",".join(COLUMNS[what])
    numbers = [row[0] for row in database.execute("SELECT number FROM dbo.wafunnel")]
    assert all(number in client.get("/api/exports/leads", headers=admin).text for number in numbers)
    assert not any(number in client.get("/api/exports/leads", headers=viewer).text for number in numbers)
    people = client.get("/api/exports/leads?format=excel-csv", headers=admin)
    assert people.headers["Content-Disposition"] == "attachment; filename=leads.csv"
    assert people.data.startswith("\ufeff".encode())
    book = load_workbook(io.BytesIO(client.get("/api/exports/leads?format=xlsx", headers=admin).data))
    assert [cell.value for cell in next(book.active.iter_rows())] == list(COLUMNS["leads"])
    assert client.get("/api/exports/keys", headers=admin).status_code == 422
