"""Health, readiness and metrics: of the app on each engine, and of the running process."""

from __future__ import annotations

import socket
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent_funnel.deal import deal
from agent_funnel.errors import NoActiveAgent
from agent_funnel.schedule.store import pause, record_failure, settle_date
from agent_funnel.settings import load
from agent_funnel.web import create_app
from support.databases import TestedDatabase, connect_to, seed_tables
from support.pages import client_of
from support.processes import run_as_process, run_program


def ready(database: TestedDatabase, beat_age: float | None = 1.0) -> tuple[int, Any]:
    app = create_app(load(), database.backend, None if beat_age is None else lambda: beat_age)
    response = app.test_client().get("/readyz")
    return response.status_code, response.json


def test_a_service_that_can_deal_is_ready(database: TestedDatabase) -> None:
    assert ready(database) == (200, {"status": "ok", "problems": {}})
    assert client_of(database).get("/healthz").status_code == 200


def test_a_service_whose_clock_has_stopped_is_not_ready(database: TestedDatabase) -> None:
    status, answer = ready(database, beat_age=61.0)
    assert status == 503
    assert list(answer["problems"]) == ["clock"]


def test_without_a_schema_of_the_right_version_the_service_is_not_ready(
    database: TestedDatabase, tmp_path: Path
) -> None:
    database.execute("UPDATE dbo.agent_funnel_version SET version = version - 1")
    try:
        status, answer = ready(database)
    finally:
        database.execute("UPDATE dbo.agent_funnel_version SET version = version + 1")
    assert status == 503
    assert "agent-funnel install" in answer["problems"]["schema"]
    empty = tmp_path / "empty.db"
    empty.touch()
    app = create_app(load(), connect_to(f"sqlite:///{empty}"))
    assert list(app.test_client().get("/readyz").json["problems"]) == ["schema"]  # type: ignore[index]


def test_without_a_key_nobody_learns_where_the_database_is(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "funnel.db"
    client = create_app(load(host="0.0.0.0"), connect_to(f"sqlite:///{missing}")).test_client()
    for path in ("/readyz", "/mine/mine_x", "/api/agents", "/agents", "/sign-in"):
        answer = client.post(path, data={"key": "x"}) if path == "/sign-in" else client.get(path)
        assert answer.status_code == 503
        assert "cannot be reached" in answer.text
        assert "funnel.db" not in answer.text
        assert str(tmp_path) not in answer.text


def test_the_reason_why_a_service_is_not_ready_is_logged_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    client = create_app(load(), connect_to(f"sqlite:///{tmp_path / 'missing.db'}")).test_client()
    for _ in range(3):
        assert client.get("/readyz").status_code == 503
    # The log is written to the terminal until a service of another test has set it up.
    assert (capsys.readouterr().out + caplog.text).count("missing.db") == 1


def test_a_database_that_hangs_is_reported_within_two_seconds_and_health_still_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        client = create_app(load(), connect_to(f"mssql+pymssql://sa:none@127.0.0.1:{port}/funnel")).test_client()
        for expected in ("did not answer within 2 s", "still has not answered"):
            began = time.monotonic()
            response = client.get("/readyz")
            assert time.monotonic() - began < 5
            assert response.status_code == 503
            assert expected in response.json["problems"]["database"]  # type: ignore[index]
        assert client.get("/healthz").status_code == 200


def samples(database: TestedDatabase, beat_age: float | None = 3.0) -> dict[str, float]:
    app = create_app(load(), database.backend, None if beat_age is None else lambda: beat_age)
    response = app.test_client().get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain")
    found = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            labels = "".join(f"{{{value}}}" for value in sample.labels.values())
            found[sample.name.removeprefix("agent_funnel_") + labels] = sample.value
    return found


def test_the_metrics_agree_with_the_records(database: TestedDatabase) -> None:
    empty = samples(database)
    assert "last_success_timestamp_seconds" not in empty
    assert empty["heartbeat_age_seconds"] == 3.0
    assert 0 < empty["next_run_timestamp_seconds"] - time.time() <= 86_400
    assert empty["dates_without_run{missed}"] == 0

    seed_tables(database, leads=7, agents=3)
    run = deal(database.backend, load(max_per_agent=2), business_date=datetime.now(UTC).date(), trigger="schedule")
    at = datetime(2026, 6, 1, 20, 40, tzinfo=UTC)
    settle_date(database.backend, date(2026, 6, 1), workday=True, closes_at=at, now=at)
    record_failure(
        database.backend,
        load(),
        date(2026, 6, 2),
        NoActiveAgent(),
        attempt=1,
        started_at=at,
        finished_at=at,
        actor="clock",
    )
    pause(database.backend, now=at, actor=None, reason=None)
    found = samples(database, beat_age=None)
    assert "heartbeat_age_seconds" not in found
    amounts = {"last_pool_leads": 7, "last_assigned_leads": 6, "last_left_over_leads": 1, "last_agents": 3}
    assert {name: found[name] for name in amounts} == amounts
    assert abs(found["last_success_timestamp_seconds"] - run.finished_at.timestamp()) < 0.001
    assert found["last_scheduled_success_timestamp_seconds"] == found["last_success_timestamp_seconds"]
    assert (found["failures{50002}"], found["dates_without_run{missed}"], found["paused"]) == (1, 1, 1)


@pytest.mark.timeout(60)
def test_a_service_whose_clock_has_died_ends_with_its_own_exit_code(tmp_path: Path) -> None:
    assert run_as_process("install", cwd=tmp_path).returncode == 0
    done = run_program("dying_clock", "serve", "--port", "0", cwd=tmp_path)
    assert done.returncode == 70, done.stderr
    assert "The scheduler has stopped responding" in done.stderr
