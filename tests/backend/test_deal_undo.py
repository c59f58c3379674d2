"""Undo, on both engines: which stages and assignments come back, and which do not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from agent_funnel import deal
from agent_funnel.do_not_contact import add_do_not_contact, remove_do_not_contact
from agent_funnel.errors import AlreadyRun, NotFound
from agent_funnel.runs import find_run, last_run, list_runs
from agent_funnel.schedule.store import schedule_state
from support.databases import TestedDatabase, snapshot
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    assert_undo_refused,
    fresh,
    numbers_by_agent,
    put_agents,
    put_assignments,
    put_do_not_contact,
    put_leads,
    run_deal,
    stages,
    stages_and_assignments,
    stored_assignments,
    stored_leads,
    undo,
)

COPIES = 3


def take_assignment(database: TestedDatabase, number: str) -> None:
    """Removes this number from the assignments, as another client might."""
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE number = %s", number)


# ---- The state that comes back


def test_undo_goes_back_one_run_at_a_time_as_far_as_history_reaches(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, [*fresh(5), *fresh(3, start=6, stage=2), *fresh(2, start=9, stage=3)])
    put_assignments(database, ("before", "1"))
    floors = [stages_and_assignments(database)]
    for night in range(3):
        run_deal(database, TODAY + timedelta(days=night))
        floors.append(stages_and_assignments(database))
    # All states differ, or the rest of the test would show nothing.
    assert len({repr(seen) for seen in floors}) == len(floors)

    for seen in reversed(floors[:-1]):
        undo(database)
        assert stages_and_assignments(database) == seen
    assert_undo_refused(database, None, "There is no run to undo; nothing was changed.")


def test_an_undo_returns_what_it_did_and_the_record_keeps_its_actor_and_moment(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(5))
    put_assignments(database, ("before", "1"), ("before", "2"))
    dealt = run_deal(database)
    earliest = datetime.now(UTC) - timedelta(seconds=1)
    undone = deal.undo(database.backend, actor="Zoë")
    latest = datetime.now(UTC) + timedelta(seconds=1)

    assert (undone.run_id, undone.business_date, undone.actor) == (dealt.run_id, TODAY, "Zoë")
    assert (undone.restored, undone.changed_since, undone.assignments, undone.suppressed) == (5, 0, 2, 0)
    assert earliest <= undone.undone_at <= latest
    kept = find_run(database.backend, dealt.run_id)
    assert (kept.status, kept.actor, kept.undone_by, kept.undone_at) == ("undone", "tests", "Zoë", undone.undone_at)
    assert (kept.restored, kept.changed_since, kept.purged_at) == (5, 0, None)
    # The run stays on record with its amounts, but it is no longer the last run.
    assert (kept.assigned, kept.pool) == (dealt.assigned, dealt.pool)
    assert len(database.execute("SELECT number FROM dbo.assignment_history")) == 5
    assert last_run(database.backend) is None


def test_runs_are_listed_newest_first_with_their_undos(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    first, second, third = (run_deal(database).run_id for _ in range(3))
    undo(database)
    assert [(run.run_id, run.status) for run in list_runs(database.backend)] == [
        (third, "undone"), (second, "succeeded"), (first, "succeeded"),
    ]  # fmt: skip
    assert [run.run_id for run in list_runs(database.backend, count=1, before=third)] == [second]
    with pytest.raises(NotFound, match=f"There is no run {third + 1};"):
        find_run(database.backend, third + 1)


def test_leads_that_were_changed_since_the_run_are_left_alone_and_counted(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(7))
    run_deal(database)
    database.execute("UPDATE dbo.wafunnel SET stage = 4 WHERE number = '000001'")
    # This holds even if the new stage is the one that the undo would restore.
    database.execute("UPDATE dbo.wafunnel SET stage = 1 WHERE number = '000002'")
    database.execute("UPDATE dbo.wafunnel SET date = '2026-11-20T00:00:00' WHERE number = '000003'")
    database.execute("DELETE FROM dbo.wafunnel WHERE number = '000004'")
    undone = undo(database)
    assert (undone.restored, undone.changed_since) == (3, 4)
    assert stages(database) == {"000001": 4, "000002": 1, "000003": 2, "000005": 1, "000006": 1, "000007": 1}


def test_rows_equal_in_number_stage_and_date_go_back_together(bare_database: TestedDatabase) -> None:
    later = RECENT + timedelta(days=1)
    put_agents(bare_database, active_agents("A"))
    put_leads(bare_database, [("7", 1, RECENT), ("7", 1, RECENT), ("7", 1, later), ("8", 3, RECENT), ("8", 3, RECENT)])
    before = stored_leads(bare_database, bare=True)
    run_deal(bare_database)
    assert [stage for _, stage, _ in stored_leads(bare_database, bare=True)] == [2, 2, 1, 4, 4]
    undone = undo(bare_database)
    # Equal rows are one record.
    assert (undone.restored, undone.changed_since) == (2, 0)
    assert stored_leads(bare_database, bare=True) == before


def test_of_equal_rows_only_the_unchanged_ones_go_back(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("A"))
    put_leads(bare_database, [("7", 1, RECENT)] * COPIES)
    run_deal(bare_database)
    bare_database.execute(
        "UPDATE dbo.wafunnel SET stage = 4 WHERE id = (SELECT MIN(other.id) FROM dbo.wafunnel AS other)"
    )
    undone = undo(bare_database)
    assert (undone.restored, undone.changed_since) == (1, 0)
    assert [stage for _, stage, _ in stored_leads(bare_database, bare=True)] == [4, 1, 1]


def test_numbers_and_names_that_differ_in_case_go_back_separately(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("ann", "Ann"))
    put_leads(bare_database, [("x7", 1, RECENT), ("X7", 2, RECENT)])
    run_deal(bare_database)
    seen = stages_and_assignments(bare_database)
    run_deal(bare_database)
    assert undo(bare_database).restored == 2
    assert stages_and_assignments(bare_database) == seen


def test_a_collation_of_existing_sqlite_tables_changes_nothing(nocase_database: TestedDatabase) -> None:
    database = nocase_database
    put_agents(database, active_agents("ann", "Ann"))
    put_leads(database, [("x7", 1, RECENT), ("X7", 2, RECENT), ("y7", 1, RECENT), ("Y7", 1, RECENT)])
    run_deal(database)
    put_assignments(database, ("ANN", "X7"), ("ann", "new"), ("Ann", "new"), ("Ann", "NEW"), ("Ann", "NEW"))
    seen = stages_and_assignments(database)
    run_deal(database)
    database.execute("UPDATE wafunnel SET stage = 4 WHERE number = %s COLLATE BINARY", "Y7")
    put_do_not_contact(database, ["y7", "new"])
    undone = undo(database)
    assert (undone.restored, undone.changed_since, undone.suppressed) == (3, 1, 3)
    assert stages(database) == {**seen[0], "Y7": 4}
    kept_out = {pair for pair in seen[1] if pair[1] in ("y7", "new")}
    assert stored_assignments(database) == Counter(pair for pair in seen[1].elements() if pair not in kept_out)


def test_assignments_that_others_have_edited_come_back_as_they_were(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(6))
    run_deal(database)
    put_assignments(database, ("A", "put there"), ("nobody", "another"))
    take_assignment(database, "000001")
    database.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = 'B' WHERE number = '000003'")
    database.execute("UPDATE dbo.agent_wafunnel_assignment SET number = 'renamed' WHERE number = '000005'")
    seen = stages_and_assignments(database)
    run_deal(database)
    # Edits that others made after the undone deal are undone with it.
    put_assignments(database, ("A", "in vain"))
    take_assignment(database, "000002")
    undone = undo(database)
    assert stages_and_assignments(database) == seen
    assert undone.assignments == seen[1].total() == 7


def test_assignments_on_tables_without_keys_come_back_row_by_row(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("A", "ann"))
    put_leads(bare_database, fresh(4))
    run_deal(bare_database)
    # Pairs of the deal and other pairs, once and several times, in different cases, and rows with a NULL.
    put_assignments(bare_database, *[("A", "000001")] * COPIES, ("B", "000001"), ("A", "000002"), ("ANN", "000002"))
    put_assignments(bare_database, *[("twice", "new")] * 2, ("", ""), (" A", "000001"))
    put_assignments(bare_database, *[(None, None)] * COPIES, (None, "000003"), ("A", None), ("A", None))
    take_assignment(bare_database, "000004")
    seen = stages_and_assignments(bare_database)
    assert seen[1]["A", "000001"] == 1 + COPIES
    run_deal(bare_database)
    assert undo(bare_database).assignments == seen[1].total()
    assert stages_and_assignments(bare_database) == seen

    # The same for assignments from before any deal, and from before a deal that followed an undo.
    seen = stages_and_assignments(bare_database)
    run_deal(bare_database)
    assert undo(bare_database).assignments == seen[1].total()
    assert stages_and_assignments(bare_database) == seen


def test_assignments_from_before_the_first_run_come_back(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("A"))
    put_leads(bare_database, fresh(2))
    put_assignments(bare_database, ("A", "000001"), ("old", "000001"), ("old", "7"), ("old", "7"), (None, "8"))
    seen = stages_and_assignments(bare_database)
    run_deal(bare_database)
    undo(bare_database)
    assert stages_and_assignments(bare_database) == seen


def test_assignments_of_an_agent_who_has_left_come_back(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4))
    run_deal(database)
    seen = stages_and_assignments(database)
    put_agents(database, active_agents("C"))
    run_deal(database)
    undo(database)
    assert stages_and_assignments(database) == seen
    assert list(numbers_by_agent(database)) == ["A", "B"]


def test_undoing_a_run_after_an_undo_restores_the_state_after_that_undo(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4))
    run_deal(database)
    put_assignments(database, ("A", "put there"))
    seen = stages_and_assignments(database)
    for night in range(3):
        run_deal(database, TODAY + timedelta(days=night))
        undo(database)
        assert stages_and_assignments(database) == seen


def test_a_number_that_was_listed_since_does_not_come_back_to_an_agent(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4))
    run_deal(database)
    put_assignments(database, ("A", "put there"))
    run_deal(database, max_per_agent=1)
    put_do_not_contact(database, ["000001", "000004", "put there", "no lead"])
    undone = undo(database)
    # Its stage does go back, since one deal of it was undone.
    assert stages(database) == {f"{number:06}": 2 for number in range(1, 5)}
    assert (undone.restored, undone.assignments, undone.suppressed) == (2, 2, 3)
    assert numbers_by_agent(database) == {"A": ["000003"], "B": ["000002"]}
    # The undo of the run before keeps it out as well; once it is off the list, it comes back.
    run = run_deal(database)
    assert (run.suppressed, run.assigned) == (2, 2)
    database.execute("DELETE FROM dbo.do_not_contact_entry")
    assert undo(database).suppressed == 0
    assert numbers_by_agent(database) == {"A": ["000003"], "B": ["000002"]}


def test_every_row_of_a_listed_number_is_kept_out_and_counted(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("A"))
    put_leads(bare_database, fresh(2))
    put_assignments(bare_database, *[("A", "7")] * COPIES, ("B", "7"), ("A", "8"), (None, None))
    run_deal(bare_database)
    put_do_not_contact(bare_database, ["7"])
    undone = undo(bare_database)
    assert (undone.assignments, undone.suppressed) == (2, COPIES + 1)
    assert stored_assignments(bare_database) == Counter({("A", "8"): 1, (None, None): 1})


def test_an_undo_does_not_count_a_number_that_was_listed_before_the_run(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    run_deal(database)
    assert add_do_not_contact(database.backend, "000002")["assignments"] == 1
    seen = stages_and_assignments(database)
    run_deal(database)
    remove_do_not_contact(database.backend, "000002")
    undone = undo(database)
    assert (undone.assignments, undone.suppressed) == (2, 0)
    assert stages_and_assignments(database) == seen


def test_the_undo_of_a_run_that_dealt_nothing_brings_the_assignments_back(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4))
    run_deal(database)
    seen = stages_and_assignments(database)
    assert run_deal(database, TODAY + timedelta(days=60)).assigned == 0
    assert numbers_by_agent(database) == {}
    undone = undo(database)
    assert (undone.restored, undone.changed_since, undone.assignments) == (0, 0, 4)
    assert stages_and_assignments(database) == seen


def test_after_an_undo_the_next_deal_begins_where_the_undone_one_began(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(4))
    run_deal(database)
    assert numbers_by_agent(database)["A"] == ["000001", "000004"]
    run_deal(database)
    dealt = numbers_by_agent(database)
    assert dealt["B"] == ["000001", "000004"]
    undo(database)
    # The undone run ended at C, which does not count.
    run_deal(database)
    assert numbers_by_agent(database) == dealt


def test_an_undone_scheduled_run_is_not_repeated_by_the_schedule(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(2))
    run_deal(database, trigger="schedule")
    undo(database)
    assert schedule_state(database.backend, TODAY).settled == TODAY
    before = snapshot(database)
    with pytest.raises(AlreadyRun):
        run_deal(database, trigger="schedule")
    assert snapshot(database) == before
    # A manual run, or the scheduled run of the next day, still works.
    assert run_deal(database).assigned == 2
    assert run_deal(database, TODAY + timedelta(days=1), trigger="schedule").assigned == 2
