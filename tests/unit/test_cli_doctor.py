"""`agent-funnel doctor` as users run it: its output and its exit codes."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent_funnel import cli
from support.command import answer, run_command
from support.databases import BARE, TestedDatabase


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A directory with a demo and one run."""
    answer("demo", "--leads", "300", cwd=tmp_path)
    answer("run", cwd=tmp_path)
    return tmp_path


def execute(directory: Path, statement: str) -> None:
    with closing(sqlite3.connect(directory / "funnel.db", isolation_level=None)) as connection:
        connection.execute(statement)


def test_a_healthy_database_ends_with_0_and_a_line_for_each_check(demo: Path) -> None:
    done = run_command("doctor", cwd=demo)
    assert (done.returncode, done.stderr) == (0, "")
    first, *lines = done.stdout.splitlines()
    assert first.startswith("SQLite, ")
    assert lines[0].startswith("+ ok       engine          The engine is SQLite 3.")
    assert not any("assignments are present" in line for line in lines)
    # A remedy is on a line of its own below its finding, so that it can be copied.
    place = next(index for index, line in enumerate(lines) if line.startswith("i note     indexes "))
    assert lines[place + 1].strip() == (
        "CREATE INDEX ix_agent_wafunnel_assignment_agent ON agent_wafunnel_assignment (agent);"
    )
    assert re.fullmatch(r"note: 1, ok: \d+", lines[-1])

    deep = run_command("doctor", "--deep", cwd=demo)
    assert deep.returncode == 0
    assert re.search(
        r"^\+ ok       assignments     \d+ assignments are present, exactly those of run 1\.$", deep.stdout, re.M
    )


def test_json_has_every_finding_and_the_worst_level(demo: Path) -> None:
    found = answer("doctor", "--deep", cwd=demo)
    assert set(found) == {"database", "worst", "findings"}
    assert found["worst"] == "note"
    assert found["findings"][0]["check"] == "engine"
    assert {tuple(finding) for finding in found["findings"]} == {("check", "level", "text", "remedy")}
    assert {"assignments", "leads"} <= {finding["check"] for finding in found["findings"]}


def test_a_warning_ends_with_4_and_an_error_with_5(demo: Path) -> None:
    execute(demo, "INSERT INTO wafunnel (number, stage, date) VALUES ('+4915112345678', 1, '2999-01-31 08:00:00')")
    warned = run_command("doctor", cwd=demo)
    assert warned.returncode == 4
    assert re.search(
        r"^! warning  dates           1 lead has a date in the future, up to 2999-01-31", warned.stdout, re.M
    )
    execute(demo, "DROP TABLE assignment_undo")
    broken = run_command("doctor", "--deep", "--json", cwd=demo)
    assert (broken.returncode, broken.stderr) == (5, "")
    found = json.loads(broken.stdout)
    assert found["worst"] == "error"
    shown = run_command("doctor", cwd=demo)
    assert shown.returncode == 5
    assert re.search(
        r"^x error    tables          1 table is missing: assignment_undo\.\n +agent-funnel install$",
        shown.stdout,
        re.M,
    )
    assert re.search(r"^error: 1, warning: 1, note: 1, ok: \d+$", shown.stdout, re.M)


def test_no_number_is_shown_whole(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "funnel.db")) as connection:
        connection.executescript(BARE["sqlite"])
    answer("install", cwd=tmp_path)
    for table in ("wafunnel (number, stage, date) VALUES ('+4915112345678', {n}, '2026-11-10 08:00:00')",
                  "agent_wafunnel_assignment (agent, number) VALUES ('a', '+4915112345678')"):  # fmt: skip
        for n in (1, 2):
            execute(tmp_path, f"INSERT INTO {table.format(n=n)}")
    execute(tmp_path, "INSERT INTO do_not_contact_entry VALUES ('+4915112345678', 1, NULL, '2026-11-10', 0)")
    done = run_command("doctor", "--deep", cwd=tmp_path)
    assert done.returncode == 4
    assert done.stdout.count("…678") == 4
    assert "5678" not in done.stdout


def test_a_database_that_cannot_be_reached_ends_with_3_as_for_every_command(tmp_path: Path) -> None:
    done = run_command("doctor", cwd=tmp_path)
    assert done.returncode == cli.ExitCode.NO_DATABASE
    assert "agent-funnel install" in done.stderr
    answered = run_command("doctor", "--json", cwd=tmp_path)
    assert answered.returncode == cli.ExitCode.NO_DATABASE
    assert json.loads(answered.stdout)["error"] == "DatabaseUnavailable"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.sqlserver_if_long
def test_the_doctor_runs_on_each_engine(database: TestedDatabase, tmp_path: Path) -> None:
    database.insert("agents", ("agent", "status"), [("Ana", "active")])
    database.insert("wafunnel", ("number", "stage", "date"), [("+4915112345678", 1, "2026-11-10 08:00:00.000")])
    where = {"FUNNEL_DATABASE_URL": database.url, "FUNNEL_SCHEMA": database.schema}
    answer("run", "--date", "2026-11-23", cwd=tmp_path, **where)
    done = run_command("doctor", "--deep", "--json", cwd=tmp_path, **where)
    found = json.loads(done.stdout)
    # The connection to this server, and other schemas in its database, may deserve a warning.
    odd = {finding["check"] for finding in found["findings"] if finding["level"] in ("warning", "error")}
    assert odd <= {"encryption", "schemas"}
    assert done.returncode == (4 if odd else 0)
    assert {"runs", "assignments"} <= {finding["check"] for finding in found["findings"]}
