"""What agents report of their leads, and what it does to the next deals, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from agent_funnel.deal import NoticeParts
from support.databases import TestedDatabase
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    fresh,
    numbers_by_agent,
    preview,
    put_agents,
    put_leads,
    put_limits,
    run_deal,
    stages,
    stored_history,
    undo,
)
from support.reported import Report, put_outcomes, reported_of

TOMORROW = TODAY + timedelta(days=1)


def deal_and_report(database: TestedDatabase, *reports: Report, business_date: date = TODAY) -> int:
    """Deals and reports these outcomes of the leads dealt, which are counted by their numbers; returns the run."""
    run_id = run_deal(database, business_date).run_id
    history = sorted(stored_history(database, run_id), key=lambda row: row[1])
    put_outcomes(database, reported_of(reports, run_id, business_date, history))
    return run_id


def all_held(database: TestedDatabase) -> list[str]:
    """The assigned numbers, sorted."""
    return sorted(number for numbers in numbers_by_agent(database).values() for number in numbers)


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_lead_that_is_won_or_lost_is_out_but_a_later_request_of_its_number_is_dealt(
    database: TestedDatabase, outcome: str
) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, [("+5511981234567", 1, RECENT), ("2", 1, RECENT)])
    deal_and_report(database, Report(0, outcome, 1))
    # Records of the same number: one of the day of the report, and one of the day after it.
    reported_on = datetime(2026, 11, 24)
    put_leads(database, [("5511981234567", 1, reported_on + timedelta(hours=23))])
    run = run_deal(database, TOMORROW)
    assert (run.pool, run.kept_out, all_held(database)) == (1, 2, ["2"])
    put_leads(database, [("551181234567", 1, reported_on + timedelta(days=1))])
    assert (run_deal(database, TOMORROW).kept_out, all_held(database)) == (2, ["2", "551181234567"])


def test_a_lead_that_is_won_is_out_even_if_its_date_lies_after_the_report(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, [("1", 1, RECENT + timedelta(days=30)), ("2", 1, RECENT)])
    deal_and_report(database, Report(0, "won", 0))
    assert (run_deal(database).kept_out, all_held(database)) == (1, ["2"])


def test_a_wrong_number_is_out_in_every_spelling_until_that_is_taken_back(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, [("+5511981234567", 1, RECENT)])
    deal_and_report(database, Report(0, "wrong_number"))
    put_leads(database, [("551181234567", 1, RECENT + timedelta(days=300))])
    assert (run_deal(database).kept_out, all_held(database)) == (2, [])
    database.execute("UPDATE dbo.assignment_outcome SET stands = 0")
    run = run_deal(database)
    assert (run.kept_out, run.duplicates, all_held(database)) == (0, 1, ["551181234567"])


def test_a_call_back_waits_for_its_day_and_then_comes_first_to_the_same_agent(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, [("1", 3, RECENT), ("2", 1, RECENT - timedelta(days=8)), *fresh(4)])
    run_id = deal_and_report(database, Report(4, "call_back", 2, True), Report(5, "call_back", 40))
    history = {number: agent for agent, number, _, _ in stored_history(database, run_id)}
    assert stages(database)["1"] == 4
    run = run_deal(database, TOMORROW)
    assert (run.kept_out, run.stayed, set(all_held(database)) & {"1", "2"}) == (1, 0, set())
    # On its day it is dealt although it is finished; its stage stays.
    seen = preview(database, TODAY + timedelta(days=2))
    run = run_deal(database, TODAY + timedelta(days=2))
    assert (run.stayed, run.kept_out, seen.run.stayed) == (1, 1, 1)
    assert {share.agent: (share.call_backs, share.kept_call_backs) for share in seen.shares} == {
        agent: (agent == history["1"], agent == history["1"]) for agent in "AB"
    }
    assert "1" in numbers_by_agent(database)[history["1"]]
    assert stages(database)["1"] == 4
    assert abs(run.largest_share - run.smallest_share) <= 1
    # The deal used it up; an undo makes it due again.
    assert undo(database).restored == run.assigned
    assert run_deal(database, TODAY + timedelta(days=3)).stayed == 1
    assert run_deal(database, TODAY + timedelta(days=3)).stayed == 0
    assert "1" not in all_held(database)
    # The other one is too old by its day, and goes to the agent whose turn it is.
    run_deal(database, TODAY + timedelta(days=40))
    assert all_held(database) == ["2"]


def test_a_call_back_whose_agent_is_away_or_full_goes_to_another(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4))
    deal_and_report(database, *(Report(which, "call_back", 1, True) for which in range(4)))
    put_limits(database, [("A", TOMORROW, TOMORROW, 0)])
    (seen,) = preview(database, TOMORROW).shares
    assert (seen.agent, seen.call_backs, seen.kept_call_backs) == ("B", 4, 2)
    run = run_deal(database, TOMORROW)
    assert (run.stayed, run.came_round, run.same_agent) == (2, 4, 0)
    assert numbers_by_agent(database) == {"B": ["000001", "000002", "000003", "000004"]}
    undo(database)
    put_limits(database, [("B", TOMORROW, TOMORROW, 1)])
    run = run_deal(database, TOMORROW)
    sentence = "No agent has room for 3 call-backs that are due; the next deal has them again."
    assert (run.left_over, run.notice) == (3, sentence)
    assert run.notice_parts == NoticeParts(None, sentence)
    assert numbers_by_agent(database) == {"B": ["000002"]}
    earlier = f"Run {run.run_id} of {TOMORROW} came before this one: 0 leads move on a second time that day. "
    for run in (preview(database, TOMORROW).run, run_deal(database, TOMORROW)):
        parts = run.notice_parts
        assert parts.earlier_run == f"{earlier}An undo takes that back."
        assert parts.no_room == sentence.replace("3", "2")
        assert run.notice == f"{parts.earlier_run} {parts.no_room}"
    assert replace(run, notice=None).notice_parts == NoticeParts(None, None)
    assert replace(run, notice="Something else.").notice_parts == NoticeParts("Something else.", None)


def test_a_lead_that_an_agent_talked_to_stays_with_that_agent_for_seven_days(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4))
    first = deal_and_report(database, Report(0, "talked"), Report(3, "talked"))
    assert numbers_by_agent(database) == {"A": ["000001", "000003"], "B": ["000002", "000004"]}
    run = run_deal(database, TODAY + timedelta(days=7))
    assert (run.came_round, run.same_agent, run.stayed) == (4, 0, 2)
    assert numbers_by_agent(database) == {"A": ["000001", "000002"], "B": ["000003", "000004"]}
    undo(database)
    assert run_deal(database, TODAY + timedelta(days=8)).stayed == 0
    assert numbers_by_agent(database) == {"A": ["000002", "000004"], "B": ["000001", "000003"]}
    undo(database)
    # Not talked any more: another agent had it since, and did not reach anybody.
    database.execute("UPDATE dbo.assignment_outcome SET outcome = 'no_answer' WHERE run_id = %s", first)
    assert run_deal(database, TOMORROW).stayed == 0


def test_leads_that_stay_are_no_repeats_among_those_that_change_places(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(9))
    deal_and_report(database, Report(0, "talked"), Report(3, "talked"))
    run = run_deal(database, TOMORROW)
    assert (run.came_round, run.same_agent, run.stayed) == (9, 0, 2)
    held = numbers_by_agent(database)
    assert {agent: len(numbers) for agent, numbers in held.items()} == {"A": 3, "B": 3, "C": 3}
    assert {"000001", "000004"} < set(held["A"])


def test_a_talk_counts_no_more_once_a_later_run_has_another_outcome_or_its_run_was_for_an_older_date(
    database: TestedDatabase,
) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(2))
    deal_and_report(database, Report(0, "talked"))
    deal_and_report(database, Report(0, "no_answer"), Report(1, "talked"), business_date=TOMORROW)
    assert run_deal(database, TOMORROW).stayed == 1
    undo(database)
    database.execute("DELETE FROM dbo.assignment_outcome")
    database.execute("UPDATE dbo.wafunnel SET stage = 1")
    # A run by hand of an older date, after those of this week.
    deal_and_report(database, Report(0, "talked"), Report(1, "talked"), business_date=TODAY - timedelta(days=7))
    run = run_deal(database, TOMORROW)
    assert (run.assigned, run.stayed) == (2, 0)


def test_the_other_leads_of_an_agent_with_call_backs_are_spread_over_the_whole_deal(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(6))
    deal_and_report(database, Report(0, "call_back", 1, True), Report(2, "call_back", 1, True))
    # A has one lead left, and B three: A's is in the middle.
    assert run_deal(database, TOMORROW, voice="as-dealt").stayed == 2
    assert numbers_by_agent(database) == {"A": ["000001", "000003", "000005"], "B": ["000002", "000004", "000006"]}


def test_an_undo_brings_no_wrong_number_back_and_leaves_the_outcomes(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, [("+5511981234567", 1, RECENT), ("2", 1, RECENT), ("3", 1, RECENT)])
    deal_and_report(database, Report(0, "wrong_number"), Report(1, "won"))
    outcomes = database.execute("SELECT * FROM dbo.assignment_outcome ORDER BY outcome_id")
    run_deal(database)
    undone = undo(database)
    assert (undone.assignments, undone.suppressed, undone.restored) == (2, 1, 1)
    assert all_held(database) == ["2", "3"]
    assert database.execute("SELECT * FROM dbo.assignment_outcome ORDER BY outcome_id") == outcomes
