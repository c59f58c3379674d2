"""Fixtures: a browser, and the service on a database of each engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from agent_funnel.web.routing import RUNS, SIGN_INS, WRONG_KEYS
from support.chromium import MISSING, NoBrowser, Started, start
from support.dashboard import ACTS_WITHIN, Dashboard
from support.databases import TestedDatabase
from support.served import UNLIMITED, served

expect.set_options(timeout=ACTS_WITHIN)


@pytest.fixture(scope="module")
def _started() -> Iterator[Started | NoBrowser]:
    """One per file, not per session: Playwright's event loop runs until it ends, and no other test can have one."""
    with sync_playwright() as playwright:
        try:
            started = start(playwright)
        except NoBrowser as error:
            yield error
        else:
            yield started
            started.browser.close()


@pytest.fixture
def browser(_started: Started | NoBrowser, request: pytest.FixtureRequest) -> Browser:
    """A running Chromium, shared by all tests of a file; without one the test is skipped."""
    # The end of the report prints this, whichever process ran the test.
    told = request.node.user_properties
    if isinstance(_started, NoBrowser):
        told.append(("browser", MISSING))
        # A browser was named, so these tests must not be skipped.
        assert not os.environ.get("FUNNEL_TEST_CHROMIUM"), f"FUNNEL_TEST_CHROMIUM does not start: {_started}"
        pytest.skip(MISSING)
    told.append(("browser", f"BROWSER: {_started.name}"))
    return _started.browser


@pytest.fixture
def dashboard_settings() -> dict[str, Any]:
    """Settings of the service in `dashboard`; a test file may define its own."""
    return {}


@pytest.fixture
def dashboard(
    browser: Browser, database: TestedDatabase, dashboard_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Dashboard]:
    """The service on an empty database, and browser contexts; at the end it checks the faults that it watched for.

    The test runs on each engine.
    """
    for rate in (RUNS, SIGN_INS, WRONG_KEYS):
        monkeypatch.setattr(rate, "limit", UNLIMITED)
    # Pages wait for the counts that run in the background, so that a test sees them at once.
    monkeypatch.setattr("agent_funnel.web.counts.PAGE_WAIT_SECONDS", 30)
    # The server checks more often whether it has to stop, so that the test ends sooner.
    monkeypatch.setattr("agent_funnel.web.server.LOOP_SECONDS", 0.02)
    with served(database, **dashboard_settings) as address:
        dashboard = Dashboard(address, database, browser)
        yield dashboard
        dashboard.leave()
