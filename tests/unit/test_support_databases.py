"""The T-SQL engine for the tests is started as CONTRIBUTING.md says."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pymssql
import pytest

from support.databases import TestedDatabase
from support.processes import python_path

URL = "mssql+pymssql://user:password@127.0.0.1:1/master"


def run(directory: Path, start: str) -> subprocess.CompletedProcess[str]:
    """Runs four test files that need the engine, in two processes."""
    for name in ("one", "two", "three", "four"):
        (directory / f"test_{name}.py").write_text(
            f"from support.databases import sqlserver_url\n\ndef test_it(): assert sqlserver_url() == {URL!r}\n",
            "utf-8",
        )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {
        "FUNNEL_TEST_SQLSERVER_URL": URL, "FUNNEL_TEST_SQLSERVER_START": start, "PYTHONPATH": python_path(),
        # Loading every installed plugin takes seconds in each process.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }  # fmt: skip
    plugins = ("-p", "xdist", "-p", "conftest", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", *plugins, "--rootdir", directory],
        cwd=directory, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="the command is one of a POSIX shell")
def test_only_one_process_of_a_test_run_starts_the_engine(tmp_path: Path) -> None:
    started = tmp_path / "started"
    done = run(tmp_path, f"echo once >> {started}; sleep 1")
    assert "4 passed" in done.stdout, done.stdout + done.stderr
    assert started.read_text("utf-8") == "once\n"


def test_an_engine_that_does_not_start_stops_the_tests_at_once_and_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "exit 1")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "FUNNEL_TEST_SQLSERVER_START did not start" in done.stderr


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_what_a_session_makes_after_a_refused_call_can_be_seen_by_others(database: TestedDatabase) -> None:
    # The undo is refused within a second; a session on Babelfish parses the deal for longer.
    with pytest.raises(pymssql.Error, match="There is no run to undo"):
        database.execute("EXEC dbo.sp_undo_wafunnel_assignment")
    database.execute("CREATE TABLE dbo.made_by_a_test (number INT)")
    try:
        with closing(TestedDatabase(database.url, database.schema)) as another:
            assert another.execute("SELECT OBJECT_NAME(OBJECT_ID('dbo.made_by_a_test'))") == [("made_by_a_test",)]
    finally:
        database.execute("DROP TABLE dbo.made_by_a_test")
