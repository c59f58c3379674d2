"""`agent-funnel serve` as a process: how it starts, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support import command
from support.databases import TestedDatabase, seed_tables
from support.processes import run_as_process, run_program, running_service


def post(address: str) -> Any:
    request = urllib.request.Request(f"{address}/run-now", method="POST")
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def settings_of(database: TestedDatabase) -> dict[str, str]:
    return {"FUNNEL_DATABASE_URL": database.url, "FUNNEL_SCHEMA": database.schema}


def test_importing_the_modules_and_making_the_app_start_nothing(tmp_path: Path) -> None:
    done = run_program("import_everything", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


# On a T-SQL engine, the copies of tests/backend/test_schedule_processes.py do the same.
@pytest.mark.sqlserver_if_long
def test_a_running_service_deals_at_the_scheduled_time(database: TestedDatabase, tmp_path: Path) -> None:
    seed_tables(database)
    at = datetime.now(UTC) + timedelta(seconds=5)
    with running_service(tmp_path, "--run-at", f"{at:%H:%M:%S}", **settings_of(database)):
        deadline = time.monotonic() + 30
        while not (found := database.execute("SELECT [trigger], status FROM dbo.assignment_run")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert datetime.now(UTC) >= at.replace(microsecond=0)
        assert found == [("schedule", "succeeded")]


@pytest.mark.sqlserver_if_long
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send to a process")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_after_a_signal_a_running_deal_finishes_and_its_answer_arrives(
    database: TestedDatabase, tmp_path: Path, number: signal.Signals
) -> None:
    # Enough leads for a slow deal on SQLite; on a T-SQL engine, the planning of a session's first deal is slow.
    seed_tables(database, leads=80_000 if database.engine == "sqlite" else 2_000, agents=400)
    with running_service(tmp_path, "--run-at", "00:00", FUNNEL_CATCH_UP="0", **settings_of(database)) as (
        process,
        address,
    ):
        with ThreadPoolExecutor() as pool:
            answered = pool.submit(post, address)
            time.sleep(0.3)
            assert not answered.done()
            process.send_signal(number)
            run = answered.result()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert "Agent Funnel has ended." in output
    assert "Traceback" not in output
    assert database.execute("SELECT run_id, assigned FROM dbo.assignment_run") == [(run["run_id"], run["assigned"])]


def test_a_service_that_cannot_start_says_why_in_a_sentence(tmp_path: Path) -> None:
    nowhere = run_as_process("serve", cwd=tmp_path)
    assert nowhere.returncode == 3
    assert "agent-funnel install" in nowhere.stderr
    assert "Traceback" not in nowhere.stderr
    command.run_command("install", cwd=tmp_path)
    with running_service(tmp_path) as (_, address):
        taken = run_as_process("serve", "--port", address.rsplit(":", 1)[1], cwd=tmp_path)
    assert taken.returncode == 2
    assert "FUNNEL_PORT" in taken.stderr
    assert "Traceback" not in taken.stderr


def test_a_service_starts_and_waits_while_the_database_server_is_away_and_shows_no_password(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"mssql+pymssql://sa:hunter2@127.0.0.1:{nobody.getsockname()[1]}/funnel"
        with running_service(tmp_path, FUNNEL_DATABASE_URL=away) as (process, address):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{address}/readyz", timeout=30)
            assert refused.value.code == 503
            assert process.poll() is None
            process.terminate()
            said = refused.value.read().decode() + process.communicate(timeout=30)[0]
    assert "cannot be reached" in said
    assert "hunter2" not in said
    assert "Traceback" not in said


def test_a_service_does_not_start_on_a_mistyped_path(tmp_path: Path) -> None:
    done = run_as_process("serve", "--port", "0", cwd=tmp_path, FUNNEL_DATABASE_URL="sqlite:///mistyped.db")
    assert done.returncode == 3
    assert "agent-funnel install" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_others_can_reach_does_not_start_without_a_key(tmp_path: Path) -> None:
    assert command.run_command("install", cwd=tmp_path).returncode == 0
    done = run_as_process("serve", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path)
    assert done.returncode == 2
    assert "agent-funnel keys add NAME --role admin" in done.stderr
    assert "Traceback" not in done.stderr
    assert command.run_command("keys", "add", "ops", "--role", "admin", cwd=tmp_path).returncode == 0
    with running_service(tmp_path, "--host", "0.0.0.0") as (_, address):
        port = address.rpartition(":")[2]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            post(f"http://127.0.0.1:{port}")
