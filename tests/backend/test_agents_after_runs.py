"""The lists of agents and assignments after failed, undone, large and many runs: on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_funnel.agents import Assignment, assignments, list_agents
from agent_funnel.errors import NoActiveAgent
from agent_funnel.leads import count_by_stage
from agent_funnel.runs import deal_version
from agent_funnel.schedule.store import record_failure
from agent_funnel.settings import load
from support.databases import TestedDatabase, agent_named
from support.nights import RECENT, TODAY, active_agents, put_agents, put_leads, run_deal, undo

EVENING = datetime(2026, 11, 23, 20, 40, tzinfo=UTC)
LATER = RECENT + timedelta(days=1)


def failed_attempt(database: TestedDatabase) -> None:
    assert record_failure(
        database.backend, load(), TODAY, NoActiveAgent(), attempt=1, started_at=EVENING, finished_at=EVENING, actor="t"
    )


def test_after_a_failed_attempt_a_number_is_shown_with_the_record_that_was_dealt(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("Al"))
    put_leads(bare_database, [("1", 1, RECENT), ("1", 3, LATER)])
    run_deal(bare_database)
    dealt = [Assignment("Al", "1", 2, RECENT)]
    assert assignments(bare_database.backend, count=9) == dealt
    failed_attempt(bare_database)
    assert assignments(bare_database.backend, count=9) == dealt
    assert assignments(bare_database.backend, agent="Al", count=9) == dealt


def test_after_an_undo_a_number_is_shown_with_the_record_of_the_deal_before(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("Al"))
    # The first deal assigns the first record. Then both are at one stage, so the second deal assigns the older one.
    put_leads(bare_database, [("1", 1, RECENT), ("1", 2, RECENT - timedelta(days=5))])
    run_deal(bare_database)
    dealt = assignments(bare_database.backend, count=9)
    assert dealt == [Assignment("Al", "1", 2, RECENT)]
    run_deal(bare_database)
    assert assignments(bare_database.backend, count=9) == [Assignment("Al", "1", 3, RECENT - timedelta(days=5))]
    undo(bare_database)
    assert assignments(bare_database.backend, count=9) == dealt


def past_runs(database: TestedDatabase, *amounts: int) -> None:
    """Adds runs that dealt these amounts, the newest last: the first to Old, the others to New."""
    put_agents(database, active_agents("Old", "New"))
    for number, assigned in enumerate(amounts, start=1):
        database.insert(
            "assignment_run",
            ("business_date", "[trigger]", "status", "max_per_agent", "window_days", "newest_first", "assigned",
             "started_at"),
            [(str(TODAY + timedelta(days=number)), "manual", "succeeded", 450, 45, 0, assigned, "2026-01-01T00:00:00")],
        )  # fmt: skip
        run_id = database.execute("SELECT MAX(run_id) FROM dbo.assignment_run")[0][0]
        agent = "Old" if number == 1 else "New"
        database.insert(
            "assignment_history", ("run_id", "agent", "number", "date", "stage"),
            [(run_id, agent, "1", "2026-01-01T00:00:00", 1)],
        )  # fmt: skip


def last_dealt(database: TestedDatabase) -> dict[str, object]:
    return {row.agent: row.last_dealt for row in list_agents(database.backend, TODAY)}


@pytest.mark.parametrize(("newest", "found"), [(499_999, True), (500_000, False)])
def test_the_search_for_the_last_deal_of_an_agent_ends_after_half_a_million_leads(
    database: TestedDatabase, newest: int, found: bool
) -> None:
    past_runs(database, 1, newest)
    first, second = (TODAY + timedelta(days=day) for day in (1, 2))
    assert last_dealt(database) == {"New": second, "Old": first if found else None}


@pytest.mark.parametrize(("runs", "found"), [(30, True), (31, False)])
def test_the_search_for_the_last_deal_of_an_agent_ends_after_thirty_runs(
    database: TestedDatabase, runs: int, found: bool
) -> None:
    past_runs(database, *[1] * runs)
    assert last_dealt(database) == {
        "New": TODAY + timedelta(days=runs),
        "Old": TODAY + timedelta(days=1) if found else None,
    }


def test_the_last_deal_of_an_agent_is_also_found_by_name(database: TestedDatabase) -> None:
    past_runs(database, 1, 1, 1)
    assert agent_named(database.backend, "Old", TODAY).last_dealt == TODAY + timedelta(days=1)
    assert agent_named(database.backend, "New", TODAY).last_dealt == TODAY + timedelta(days=3)


def test_an_undo_changes_the_version_of_the_deal_and_a_failed_attempt_does_not(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al"))
    put_leads(database, [("1", 1, RECENT)])
    run_deal(database)
    version = deal_version(database.backend)
    failed_attempt(database)
    assert deal_version(database.backend) == version
    undo(database)
    assert deal_version(database.backend) != version


def test_leads_are_counted_by_stage_from_one_to_four_and_all_others_as_none(bare_database: TestedDatabase) -> None:
    stages = (None, -1, 0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5)
    put_leads(bare_database, [(str(number), stage, RECENT) for number, stage in enumerate(stages)])
    assert count_by_stage(bare_database.backend) == {None: 4, 1: 1, 2: 2, 3: 3, 4: 4}
