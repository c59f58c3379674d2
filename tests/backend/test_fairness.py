"""A run keeps the limits that it was made with, on both engines, and its verdict stays what it was."""

from __future__ import annotations

from datetime import timedelta

from agent_funnel.agents import rename_agent
from agent_funnel.fairness import fairness_of_preview, fairness_of_run, verdict
from agent_funnel.runs import find_run, run_limits, shares
from support.databases import TestedDatabase
from support.nights import TODAY, active_agents, fresh, preview, put_agents, put_leads, put_limits, run_deal, undo

ONE_DAY = timedelta(days=1)


def test_a_run_keeps_the_limits_that_it_was_made_with(database: TestedDatabase) -> None:
    put_agents(database, [*active_agents("Ana", "Bo", "Cy", "Di", "Eva"), ("Flo", "inactive")])
    put_limits(
        database,
        [
            ("Ana", TODAY - ONE_DAY, TODAY, 3), ("Ana", TODAY, None, 2), ("Bo", TODAY, TODAY, 0),
            ("Cy", TODAY, None, 450), ("Di", TODAY + ONE_DAY, None, 0), ("Di", TODAY - ONE_DAY, TODAY - ONE_DAY, 1),
            ("Eva", TODAY, None, 9), ("Flo", TODAY, None, 0), ("Gus", TODAY, None, 1),
        ],
    )  # fmt: skip
    put_leads(database, fresh(13))
    backend = database.backend
    planned = fairness_of_preview(backend, preview(database))
    run = run_deal(database)
    assert run_limits(backend, run.run_id) == {"Ana": 2, "Bo": 0, "Eva": 9}
    found = fairness_of_run(backend, run, shares(backend, run.run_id))
    assert found == planned
    assert found is not None
    assert verdict(found) == "Fair: 3 agents got 3 or 4; Ana (2) by limit; Bo away."
    # Neither later limits, nor an undo, nor a new name changes it.
    database.execute("DELETE FROM dbo.agent_limit")
    rename_agent(backend, "Ana", "Anna")
    undo(database)
    record = find_run(backend, run.run_id)
    kept = fairness_of_run(backend, record, shares(backend, run.run_id))
    assert kept is not None
    assert verdict(kept) == "Fair: 3 agents got 3 or 4; Anna (2) by limit; Bo away."
    assert run_limits(backend, run_deal(database).run_id) == {}
