"""The deal as SQL Server runs it for any client: `EXEC` without parameters."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from agent_funnel.runs import last_run
from support.databases import TestedDatabase

PROCEDURE = "sp_assign_wafunnel_to_agents"


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_exec_without_parameters_by_another_client_makes_a_whole_deal(database: TestedDatabase, tmp_path: Path) -> None:
    client = shutil.which("tsql")
    if client is None:
        reason = "FreeTDS's client tsql is not installed (Debian: freetds-bin)"
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    today: date = database.execute("SELECT CAST(SYSDATETIME() AS DATE)")[0][0]
    database.insert("agents", ("agent", "status"), [("a", "active"), ("b", "active"), ("c", "inactive")])
    database.insert(
        "wafunnel",
        ("number", "stage", "date"),
        # A lead of the last of the 45 days, one of the day before it, and 902 of today: 903 in the pool, 3 too many.
        [("oldest", 1, f"{today - timedelta(days=45)} 00:00:00.000"), ("over", 1, f"{today - timedelta(days=46)}")]
        + [(f"4930{n:04}", 2, f"{today}") for n in range(902)],
    )
    url = make_url(database.url)
    sent = subprocess.run(
        [client, "-H", url.host or "", "-p", str(url.port), "-U", url.username or "", "-P", str(url.password or ""),
         "-D", url.database or ""],
        input=f"EXEC {PROCEDURE};\ngo\nexit\n",
        env={**os.environ, "TDSVER": "7.4", "LC_ALL": "C"}, cwd=tmp_path, text=True, capture_output=True, timeout=120,
        check=False,
    )  # fmt: skip

    lines = sent.stdout.splitlines()
    header = next(number for number, line in enumerate(lines) if "run_id\tbusiness_date\ttrigger\tstatus\t" in line)
    names = lines[header].split("run_id", 1)[1].split("\t")[1:]
    answer = dict(zip(names, lines[header + 1].split("\t")[1:], strict=True))
    expected = {
        "trigger": "manual", "status": "succeeded", "agents": "2", "pool": "903", "per_agent": "450", "assigned": "900",
        "left_over": "3", "duplicates": "0", "suppressed": "0", "smallest_share": "450", "largest_share": "450",
    }  # fmt: skip
    assert {name: answer[name] for name in expected} == expected
    assert "started_at" in names
    assert "finished_at" in names

    run = last_run(database.backend)
    assert run is not None
    assert (run.business_date, run.trigger, run.assigned) == (today, "manual", 900)
    shares = database.execute("SELECT agent, COUNT(*) FROM dbo.agent_wafunnel_assignment GROUP BY agent ORDER BY agent")
    assert shares == [("a", 450), ("b", 450)]
    stages = dict(database.execute("SELECT number, stage FROM dbo.wafunnel WHERE number IN ('oldest', 'over')"))
    assert stages == {"oldest": 2, "over": 1}
    assert database.execute("SELECT COUNT(*) FROM dbo.wafunnel WHERE stage = 3") == [(899,)]
