"""Secrets in the settings that the API shows."""

from __future__ import annotations

import pytest

from agent_funnel.settings import load
from agent_funnel.web import create_app
from databases import Database


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("database_url", "mssql+pymssql://user:hidden@example.org/db"),
        ("notify_urls", "json://example.org/hidden"),
        ("dead_man_url", "https://example.org/hidden"),
    ],
)
def test_the_api_shows_no_secret_and_names_each(database: Database, field: str, value: str) -> None:
    client = create_app(load(**{field: value}), database.backend).test_client()
    answer = client.get("/api/settings")
    assert answer.status_code == 200
    assert "hidden" not in answer.text
    (found,) = (each for each in answer.get_json()["items"] if each["name"] == f"FUNNEL_{field.upper()}")
    assert (found["value"], found["secret"]) == (None, True)
