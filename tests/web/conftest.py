"""Fixtures for all tests of the service."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from support.databases import TestedDatabase
from support.pages import Reader, client_of


@pytest.fixture(autouse=True)
def _patient_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes pages wait for counts and imports that run in the background, so that a test sees them at once."""
    monkeypatch.setattr("agent_funnel.web.counts.PAGE_WAIT_SECONDS", 30)
    monkeypatch.setattr("agent_funnel.web.import_jobs.WAIT_SECONDS", 60)


@pytest.fixture
def client(database: TestedDatabase) -> FlaskClient:
    """A client of the service on the database."""
    return client_of(database)


@pytest.fixture
def reader(client: FlaskClient) -> Reader:
    """A person with a browser, without a key."""
    return Reader(client)
