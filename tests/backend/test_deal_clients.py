"""Many clients deal, undo, preview and import at random; afterwards all records agree, on both engines."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_funnel.doctor import examine
from agent_funnel.runs import list_runs
from support import LONG
from support.databases import TestedDatabase, moment
from support.nights import TODAY, active_agents, fresh, put_agents, put_leads, stages, stored_assignments
from support.processes import random_clients

SECONDS = 60 if LONG else 6
RECENT = "2026-11-13 12:00:00.000"
# The results that a client may get. These calls cause neither a changed pool nor a lock timeout.
ALLOWED = {"run: RunInProgress", "undo: RunInProgress", "undo: NothingToUndo"}
# With fewer calls, the clients would hardly have met:
AT_LEAST = {"run": 5, "undo": 2, "preview": 5, "import": 5, "run: RunInProgress": 1}
# The doctor's checks of the records, with `deep`:
RECORDS = {"runs", "history", "shares", "undos", "assignments", "leads", "do-not-contact"}

pytestmark = pytest.mark.timeout(3600 if LONG else 300)


def replay(database: TestedDatabase, imported: dict[str, int]) -> tuple[dict[str, int], list[int]]:
    """Replays all runs and undos from the records; returns the resulting stages, and the runs that are not undone."""
    history: dict[int, dict[str, int]] = {}
    for run_id, number, stage in database.execute("SELECT run_id, number, stage FROM dbo.assignment_history"):
        dealt = history.setdefault(run_id, {})
        assert number not in dealt
        dealt[number] = stage
    assigned = dict(database.execute("SELECT run_id, assigned FROM dbo.assignment_run"))
    assert history.keys() == {run_id for run_id, leads in assigned.items() if leads}
    undos = {
        run_id: amounts
        for run_id, *amounts in database.execute(
            "SELECT run_id, restored, changed_since, assignments, suppressed FROM dbo.assignment_undo"
        )
    }
    # Runs and undos share a lock, so no two of them ended at the same moment.
    events = [
        *database.execute("SELECT finished_at, 'run', run_id FROM dbo.assignment_run"),
        *database.execute("SELECT undone_at, 'undo', run_id FROM dbo.assignment_undo"),
    ]
    stage_of = dict(imported)
    standing: list[int] = []
    for _, event, run_id in sorted(events, key=lambda event: (moment(event[0]), event[1])):
        dealt = history.get(run_id, {})
        assert assigned[run_id] == len(dealt)
        if event == "run":
            # Each lead was dealt at the stage it had then: no run overlooked the effect of another.
            assert {number: stage_of[number] for number in dealt} == dealt
            standing.append(run_id)
        else:
            assert standing.pop() == run_id
            came_back = len(history.get(standing[-1], ())) if standing else 0
            assert undos[run_id] == [len(dealt), 0, came_back, 0]
        for number in dealt:
            stage_of[number] += 1 if event == "run" else -1
    return stage_of, standing


@pytest.mark.sqlserver_if_long
def test_stages_assignments_and_history_agree_after_clients_acted_at_random(
    database: TestedDatabase, tmp_path: Path
) -> None:
    put_agents(database, active_agents(*(f"agent {number}" for number in range(7))))
    put_leads(database, fresh(30))
    at_first = stages(database)
    # On a T-SQL engine, each new session of a client parses the procedures for seconds.
    clients = 8 if LONG else 2 if database.engine == "sqlserver" else 4
    results, added = random_clients(database, tmp_path, TODAY, RECENT, clients, SECONDS)

    refusals = {result for result in results if ": " in result}
    assert refusals <= ALLOWED
    for result, least in AT_LEAST.items():
        # Two clients on a T-SQL engine that has much else to do make few calls.
        assert results[result] >= (1 if database.engine == "sqlserver" and not LONG else least)

    runs = list_runs(database.backend, count=100_000)
    # Of either there may be none: perhaps each run was undone at last.
    assert Counter(run.status for run in runs) == Counter({
        "succeeded": results["run"] - results["undo"], "undone": results["undo"],
    })  # fmt: skip
    # The records hold exactly the runs and leads that the clients reported.
    imported = at_first | {number: int(number[-1]) for number in added}
    assert len(imported) == len(at_first) + len(added)
    stage_of, standing = replay(database, imported)
    assert stages(database) == stage_of
    assert [run.run_id for run in reversed(runs) if run.status == "succeeded"] == standing
    newest = database.execute(
        "SELECT agent, number FROM dbo.assignment_history WHERE run_id = %s", max(standing, default=0)
    )
    assert stored_assignments(database) == Counter(newest)

    everything = examine(database.backend, now=datetime.now(UTC), deep=True)
    found = [finding for finding in everything if finding.check in RECORDS]
    assert {finding.check for finding in found} == RECORDS
    assert [finding for finding in found if finding.level != "ok"] == []
