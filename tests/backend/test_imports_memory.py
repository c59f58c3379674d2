"""The memory of an import does not grow with its rows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support import LONG
from support.command import answer
from support.processes import run_program

ROWS = 1_000_000


@pytest.mark.skipif(not LONG or not sys.platform.startswith("linux"), reason="takes a minute, and reads /proc")
@pytest.mark.timeout(1800)
def test_a_million_leads_are_imported_in_less_than_200_mb(tmp_path: Path) -> None:
    with (tmp_path / "leads.csv").open("w") as file:
        file.write("number,stage,date\n")
        file.writelines(f"+55119{index:08},1,2026-11-01 10:00:00\n" for index in range(ROWS))
    answer("--database-url", f"sqlite:///{tmp_path / 'funnel.db'}", "install", cwd=tmp_path)
    done = run_program("measure_import", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    added, megabytes = map(int, done.stdout.split())
    assert added == ROWS
    assert megabytes < 200
