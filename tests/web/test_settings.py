"""Secrets in the settings that the API shows."""

from __future__ import annotations

import pytest

from support.databases import TestedDatabase
from support.pages import client_of


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("database_url", "mssql+pymssql://user:hidden@example.org/db"),
        ("notify_urls", "json://example.org/hidden"),
        ("dead_man_url", "https://example.org/hidden"),
    ],
)
def test_the_api_names_each_secret_setting_and_shows_no_secret(
    database: TestedDatabase, field: str, value: str
) -> None:
    client = client_of(database, **{field: value})
    answer = client.get("/api/settings")
    assert answer.status_code == 200
    assert "hidden" not in answer.text
    (found,) = (each for each in answer.get_json()["items"] if each["name"] == f"FUNNEL_{field.upper()}")
    assert (found["value"], found["secret"]) == (None, True)
