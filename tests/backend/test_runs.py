"""The record of a run: the run itself, the leads that it dealt, and the version of the deal; on both engines."""

from __future__ import annotations

import pytest

from agent_funnel.errors import NotFound
from agent_funnel.runs import (
    LARGEST_RUN_ID,
    DealtLead,
    Run,
    RunRecord,
    deal_version,
    dealt_leads,
    find_run,
    last_run,
    list_runs,
)
from support.databases import TestedDatabase
from support.nights import (
    RECENT,
    active_agents,
    fresh,
    put_agents,
    put_leads,
    run_deal,
    undo,
)
from support.paging import all_pages


def test_a_run_and_an_undo_change_the_version_of_the_deal(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al"))
    put_leads(database, fresh(2))
    seen = [deal_version(database.backend)]
    assert deal_version(database.backend) == seen[0]
    for act in (run_deal, run_deal, undo, run_deal, undo, undo):
        act(database)
        seen.append(deal_version(database.backend))
    assert len(set(seen)) == len(seen)


def test_the_leads_that_a_run_dealt_stay_on_record_and_are_listed_in_pages(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, fresh(5))
    run_id = run_deal(database).run_id
    run_deal(database)
    whole = dealt_leads(database.backend, run_id, count=100)
    assert whole[:2] == [DealtLead("Al", "000001", RECENT, 1), DealtLead("Bo", "000002", RECENT, 1)]
    assert len(whole) == 5
    assert whole == all_pages(
        lambda after: dealt_leads(database.backend, run_id, after=after, count=2), lambda last: last.number
    )
    with pytest.raises(NotFound):
        dealt_leads(database.backend, run_id + 100, count=1)


def test_a_run_is_found_by_its_number_with_its_undo_and_the_others_without(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, fresh(3))
    first, second, third = (run_deal(database).run_id for _ in range(3))
    undo(database)
    by_number = {run_id: find_run(database.backend, run_id) for run_id in (first, second, third)}
    assert {run_id: (run.run_id, run.status) for run_id, run in by_number.items()} == {
        first: (first, "succeeded"), second: (second, "succeeded"), third: (third, "undone"),
    }  # fmt: skip
    assert by_number[second].undone_at is None
    assert by_number[third].restored == 3
    # The same columns as in the list, where a page of runs is read.
    assert list(by_number.values()) == list_runs(database.backend)[::-1]


@pytest.mark.parametrize("run_id", [0, 10**6, LARGEST_RUN_ID, LARGEST_RUN_ID + 1])
def test_a_number_without_a_run_is_named_in_the_error(database: TestedDatabase, run_id: int) -> None:
    put_agents(database, active_agents("Al"))
    run_deal(database)
    with pytest.raises(NotFound, match=rf"There is no run {run_id};"):
        find_run(database.backend, run_id)


def test_the_last_run_before_a_run_is_the_newest_older_one_that_was_not_undone(database: TestedDatabase) -> None:
    def before(run_id: int | None) -> int | None:
        run = last_run(database.backend, before=run_id)
        return None if run is None else run.run_id

    put_agents(database, active_agents("Al"))
    put_leads(database, fresh(3))
    assert before(None) is None
    first, undone = run_deal(database).run_id, run_deal(database).run_id
    undo(database)
    third, fourth = run_deal(database).run_id, run_deal(database).run_id
    assert [before(run_id) for run_id in (None, fourth, third, undone, first)] == [fourth, third, first, first, None]
    # A run that is still to come has all of them before it, and the amounts are those of the record.
    assert before(LARGEST_RUN_ID) == fourth
    assert last_run(database.backend, before=third) == summary_of(find_run(database.backend, first))


def summary_of(record: RunRecord) -> Run:
    """The columns of a record that a run has while it is made."""
    return Run(**{name: getattr(record, name) for name in Run.__dataclass_fields__})
