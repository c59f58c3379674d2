"""Fixtures for the tests without HTTP: backends with their own settings, and databases in a known state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from agent_funnel.database import Database
from agent_funnel.deal import undo
from agent_funnel.install import install
from support.calls import Connected
from support.databases import TestedDatabase, connect_to, disconnect
from support.doctor import DAY
from support.nights import run_deal


@pytest.fixture
def connected() -> Iterator[Connected]:
    """Makes backends for a database under test, and disconnects them at the end of the test."""
    with ExitStack() as stack:

        def made(database: TestedDatabase, **settings: Any) -> Database:
            backend = connect_to(database.url, database.schema, **settings)
            stack.callback(disconnect, backend)
            return backend

        yield made


@pytest.fixture
def short_login_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives a login two seconds at most."""
    monkeypatch.setattr("agent_funnel.database.sqlserver.LOGIN_SECONDS", 2)


@pytest.fixture
def nocase_database(tmp_path: Path) -> Iterator[TestedDatabase]:
    """An SQLite database installed on three existing tables whose collation ignores case."""
    with closing(TestedDatabase(f"sqlite:///{tmp_path / 'nocase.db'}")) as database:
        for columns in (
            "agents (agent VARCHAR(50) COLLATE NOCASE, status VARCHAR(20) COLLATE NOCASE)",
            "wafunnel (number VARCHAR(50) COLLATE NOCASE, stage INT, date DATETIME)",
            "agent_wafunnel_assignment (agent VARCHAR(50) COLLATE NOCASE, number VARCHAR(50) COLLATE NOCASE)",
        ):
            database.execute(f"CREATE TABLE {columns}")
        install(database.backend)
        yield database


@pytest.fixture
def dealt_and_undone(database: TestedDatabase) -> tuple[TestedDatabase, int]:
    """Seven leads and three agents after two runs, the second one undone; with the number of the first run."""
    database.insert("agents", ("agent", "status"), [(f"agent {index}", "active") for index in range(3)])
    database.insert("wafunnel", ("number", "stage", "date"), [(f"+4930000100{n}", 1, DAY) for n in range(7)])
    run_id = run_deal(database).run_id
    run_deal(database)
    undo(database.backend)
    return database, run_id
