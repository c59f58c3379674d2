"""What all tests of the service share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _patient_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for what is counted beside them, so that a test sees it the first time."""
    monkeypatch.setattr("agent_funnel.web.counts.PAGE_WAIT_SECONDS", 30)
