"""The workflow, as far as it can be tried without the service that runs it: its matrix, its names, its shell lines."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8")
JOBS: dict[str, Any] = yaml.safe_load(TEXT)["jobs"]
SQLSERVER = JOBS["sqlserver"]
LOCKS = [ROOT / "tests" / "clients" / name for name in ("odbc.lock", "package-lock.json")]

with_bash = pytest.mark.skipif(
    os.name == "nt" or shutil.which("bash") is None, reason="the shell of the workflow's runners is bash"
)


def combinations() -> list[dict[str, str]]:
    """The jobs that the matrix of SQL Server makes, as the service expands it where an `include` changes a value."""
    matrix = dict(SQLSERVER["strategy"]["matrix"])
    included: list[dict[str, str]] = matrix.pop("include")
    return [dict(zip(matrix, values, strict=True)) for values in product(*matrix.values())] + included


def test_each_version_of_sql_server_is_tested_with_locks_and_with_row_versions() -> None:
    jobs = combinations()
    kinds = {(job["image"].split("-")[0], job["snapshot_reads"]) for job in jobs}
    assert kinds == set(product(("2019", "2022", "2025"), ("off", "on")))
    assert len(jobs) == len({tuple(sorted(job.items())) for job in jobs})
    # An index of VARCHAR in this collation is not found by every comparison, so it is tested once, too.
    assert [job["image"].split("-")[0] for job in jobs if job["collation"].startswith("SQL_")] == ["2022"]
    # The included image is one of the list, which is the one to update.
    assert {job["image"] for job in jobs} == set(SQLSERVER["strategy"]["matrix"]["image"])


@pytest.mark.parametrize("name", JOBS)
def test_every_value_of_a_matrix_is_used_and_every_used_value_is_in_it(name: str) -> None:
    used = set(re.findall(r"\$\{\{ matrix\.(\w+) \}\}", repr(JOBS[name])))
    assert used == set(JOBS[name].get("strategy", {}).get("matrix", {})) - {"include"}


def test_every_setting_of_the_tests_that_the_workflow_gives_is_read_by_them() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests" / "support").glob("*.py"))
    given = set(re.findall(r"FUNNEL_TEST_\w+", TEXT))
    assert "FUNNEL_TEST_SQLSERVER_SNAPSHOT_READS" in given
    for name in given:
        # The last word of some is put together where it is read.
        assert name in tests or name.replace("SQLSERVER_START", "SQLSERVER_{name}") in tests, name


def test_every_target_that_the_workflow_makes_is_in_the_makefile() -> None:
    made = set(re.findall(r"make ([\w-]+)", " ".join(shell_lines().values())))
    assert {"clients", "lint", "test"} <= made
    assert made <= set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def shell_lines() -> dict[str, str]:
    """Every step and every setting of the workflow that a shell runs, by the name of its job and its place in it."""
    lines = {
        f"{name} {place}": step["run"]
        for name, job in JOBS.items()
        for place, step in enumerate(job["steps"])
        if "run" in step
    }
    return {**lines, "start": SQLSERVER["env"]["FUNNEL_TEST_SQLSERVER_START"]}


@with_bash
@pytest.mark.parametrize("name", shell_lines())
def test_every_shell_line_is_one(name: str) -> None:
    line = re.sub(r"\$\{\{.*?\}\}", "value", shell_lines()[name])
    done = subprocess.run(["bash", "-n", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@with_bash
@pytest.mark.parametrize(("answers_at", "code"), [(1, 0), (3, 0), (61, 1)])
def test_the_tests_of_sql_server_wait_until_it_answers_and_not_for_ever(
    tmp_path: Path, answers_at: int, code: int
) -> None:
    """A client that gets its answer at the n-th try, and a sleep that takes no time."""
    tries = tmp_path / "tries"
    stubs = {"tsql": f'echo >> "{tries}"; [ "$(wc -l < "{tries}")" -ge {answers_at} ]', "sleep": "exit 0"}
    for name, text in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    # The tests start it in this way.
    done = subprocess.run(shell_lines()["start"], shell=True, env={**os.environ, "PATH": path}, check=False)
    assert done.returncode == code
    assert len(tries.read_text().splitlines()) == min(answers_at, 60)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_the_lock_files_of_the_clients_have_hashes_and_no_addresses(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "://" not in re.sub(r'"(url|funding)": .*', "", text)
    assert len(re.findall(r"sha(256|512)[:-]", text)) > 50


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_the_program_of_the_client_for_node_is_one() -> None:
    program = ROOT / "tests" / "clients" / "tedious_session.js"
    done = subprocess.run(["node", "--check", str(program)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
