"""The connections to an SQLite file that stay open between reads."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from agent_funnel.agents import list_agents
from agent_funnel.database.sqlite import KEPT_CONNECTIONS
from agent_funnel.deal import preview
from agent_funnel.errors import DatabaseUnavailable
from agent_funnel.outcomes import call_backs_of_list, outcomes_of_list
from agent_funnel.settings import load
from agent_funnel.sql import queries
from support.databases import TestedDatabase, connect_to, sqlite_database
from support.nights import RECENT, TODAY, put_agents, put_leads

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.skipif(KEPT_CONNECTIONS == 0, reason="here, no connection stays open"),
]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of the connections that are opened from now on."""
    files: list[str] = []

    def connect(file: str, *arguments: Any, **options: Any) -> Any:
        files.append(file)
        return real(file, *arguments, **options)

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", connect)
    return files


def names(database: TestedDatabase) -> list[str]:
    return [each.agent for each in list_agents(database.backend, TODAY)]


def test_reads_use_one_connection_one_after_the_other(database: TestedDatabase, opened: list[str]) -> None:
    put_agents(database, [("Al", "active")])
    for _ in range(3):
        assert names(database) == ["Al"]
    assert len(opened) <= 1


def test_reads_at_the_same_time_have_a_connection_each_and_eight_stay_open(database: TestedDatabase) -> None:
    readers = KEPT_CONNECTIONS + 4
    together = Barrier(readers)

    def read(_: int) -> bool:
        with database.backend._open_session() as session:
            together.wait(30)
            return session.one("ping") is not None

    with ThreadPoolExecutor(readers) as pool:
        assert all(pool.map(read, range(readers)))
    assert len(database.backend._kept) == KEPT_CONNECTIONS  # type: ignore[attr-defined]


def test_after_a_write_the_file_alone_is_whole(database: TestedDatabase, tmp_path: Path) -> None:
    with sqlite_database(tmp_path, "served") as served:
        # Another connection stays open, so that the one that writes is not the last.
        reader = served.backend.open(create=False, own=False)
        reader.execute("SELECT count(*) FROM agents").fetchall()
        served.backend.one("add_agent", agent="Al", status="active")
        served.backend.put_back(reader)
        path = served.backend.path
        assert path is not None
        assert path.with_name(f"{path.name}-wal").stat().st_size == 0
        # By a process of its own: when a process closes a file, it loses all of its locks on it.
        subprocess.run(
            [sys.executable, "-c", "import shutil, sys; shutil.copy(*sys.argv[1:])", path, tmp_path / "copy.db"],
            check=True,
            timeout=60,
        )
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copied:
        assert copied.execute("SELECT agent FROM agents").fetchall() == [("Al",)]


def test_a_file_that_is_replaced_or_removed_is_seen(database: TestedDatabase, tmp_path: Path) -> None:
    with sqlite_database(tmp_path, "served") as served, sqlite_database(tmp_path, "restored") as restored:
        served.backend.one("add_agent", agent="Al", status="active")
        restored.backend.one("add_agent", agent="Bo", status="active")
        assert names(served) == ["Al"]
        restored.close()
        path, other = served.backend.path, restored.backend.path
        assert path is not None
        assert other is not None
        other.replace(path)
        assert names(served) == ["Bo"]
        path.unlink()
        with pytest.raises(DatabaseUnavailable, match="There is no database"):
            names(served)
        (tmp_path / "file").touch()
        below = connect_to(f"sqlite:///{tmp_path}/file/funnel.db")
        with pytest.raises(DatabaseUnavailable, match="There is no database"):
            below.ping()


def test_a_connection_with_temporary_tables_does_not_stay(database: TestedDatabase) -> None:
    put_agents(database, [("Al", "active")])
    put_leads(database, [("1", 1, RECENT)])
    preview(database.backend, load(), business_date=TODAY)
    for connection in database.backend._kept:  # type: ignore[attr-defined]
        assert connection.execute("SELECT name FROM sqlite_temp_master").fetchall() == []


def test_the_wait_of_a_query_that_does_not_wait_ends_with_it(database: TestedDatabase) -> None:
    database.backend.one("note_link_use", link_id=0)
    connection = database.backend.open(create=False, own=False)
    seconds = load().lock_wait / timedelta(seconds=1)
    assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == seconds * 1000
    database.backend.put_back(connection)


def test_an_agents_own_list_and_the_outcomes_of_a_number_are_read_by_indexes(database: TestedDatabase) -> None:
    """Without them, these take the longer the more leads, and outcomes of other agents and nights, there are."""
    database.execute(queries("sqlite")["remedy_index_agent_wafunnel_assignment_agent"].rstrip().rstrip(";"))
    asked: dict[str, Any] = {"run_id": 1, "agent": "Al", "after_number": None, "after_agent": "", "count": 9}
    plans = {
        name: [row[3] for row in database.raw.execute(f"EXPLAIN QUERY PLAN {queries('sqlite')[name]}", asked)]
        for name in ("assignments", "outcomes_of_list", "call_backs_of_list")
    }
    database.execute("DROP INDEX ix_agent_wafunnel_assignment_agent")
    assert any("ix_agent_wafunnel_assignment_agent (agent=?" in step for step in plans["assignments"])
    assert any("ix_assignment_outcome_list (run_id=? AND agent=?)" in step for step in plans["outcomes_of_list"])
    assert any("ix_assignment_call_back_run (run_id=?)" in step for step in plans["call_backs_of_list"])
    for name, plan in plans.items():
        assert not [step for step in plan if step.startswith("SCAN") and step != "SCAN p"], plan
        assert not [step for step in plan if step.startswith("SEARCH h ") and "number=?" not in step], (name, plan)
    asked = {
        "number": "1",
        "match_key": "1",
        "country": "",
        "run_id": None,
        "agent": None,
        "standing": 0,
        "before": None,
    }
    rows = database.raw.execute(f"EXPLAIN QUERY PLAN {queries('sqlite')['outcomes_of_number']}", {**asked, "count": 9})
    assert any("ix_assignment_outcome_number (number=?" in row[3] for row in rows)
    assert outcomes_of_list(database.backend, 1, "Al") == {}
    assert call_backs_of_list(database.backend, 1, "Al") == []
