"""Hand-backs: the rest of a list goes back, waits for the next deal, and comes back with one undo."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent_funnel.agents import rename_agent
from agent_funnel.call_backs import count_call_backs, list_call_backs
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.hand_backs import (
    HandBack,
    HandedBackByAgent,
    handed_back_by_agent,
    leads_to_hand_back,
    list_hand_backs,
    undo_hand_back,
)
from agent_funnel.leads import PoolReport, pool_report
from agent_funnel.outcomes import list_outcomes, take_back_outcome
from agent_funnel.person import forget
from agent_funnel.settings import load
from support.databases import TestedDatabase, snapshot
from support.doctor import deep_problems
from support.nights import put_assignments, run_deal, stages, stored_assignments, undo
from support.outcomes import (
    ANAS,
    BRUNOS,
    CARLOS,
    DEALT_ON,
    DORAS,
    deal_again,
    hand_back,
    now,
    put_floor,
    standing,
    take_back,
    tell,
)
from support.reported import handed_out


@pytest.fixture
def run_id(database: TestedDatabase) -> int:
    """Al has Bruno's lead and Carlo's, Bo has Ana's and Dora's."""
    return put_floor(database, BRUNOS, ANAS, CARLOS, DORAS)


def undo_it(database: TestedDatabase, agent: str | None = "Al", hand_back_id: int | None = None) -> HandBack:
    return undo_hand_back(database.backend, actor="Ugo", now=now(), agent=agent, hand_back_id=hand_back_id)


def refused(database: TestedDatabase, match: str, act: object, **fields: object) -> None:
    """Asserts that a hand-back or its undo is refused with this sentence and changes nothing."""
    before = snapshot(database)
    with pytest.raises(ParameterOutOfRange, match=match):
        act(database, **fields)  # type: ignore[operator]
    assert snapshot(database) == before


def test_the_leads_without_an_outcome_go_back_and_one_undo_brings_everything_back(
    database: TestedDatabase, run_id: int
) -> None:
    tell(database, CARLOS, "talked")
    before = {name: rows for name, rows in snapshot(database).items() if "outcome" not in name and "hand" not in name}
    assert leads_to_hand_back(database.backend, "Al").leads == 1
    done = hand_back(database, run_id=run_id)
    assert (done.run_id, done.agent, done.leads, done.put_back, done.handed_back_by) == (run_id, "Al", 1, 1, "Eva")
    assert stages(database) == {BRUNOS: 1, ANAS: 2, CARLOS: 2, DORAS: 2}
    assert sorted(stored_assignments(database)) == [("Al", CARLOS), ("Bo", ANAS), ("Bo", DORAS)]
    assert standing(database) == [(BRUNOS, "not_worked"), (CARLOS, "talked")]
    assert leads_to_hand_back(database.backend, "Al").leads == 0
    refused(database, f"Al has no lead of run {run_id} without an outcome; nothing was handed back", hand_back)

    undone = undo_it(database)
    assert (undone.hand_back_id, undone.undone_by, undone.returned) == (done.hand_back_id, "Ugo", 1)
    after = snapshot(database)
    assert {name: after[name] for name in before} == before
    assert standing(database) == [(CARLOS, "talked")]
    assert undo_it(database) == undone
    assert snapshot(database) == after
    assert list_hand_backs(database.backend, run_id=run_id, agent="Al", count=9) == [undone]
    assert list_hand_backs(database.backend, agent="Bo", count=9) == []


def test_leads_that_were_handed_back_are_dealt_next_and_stages_move_once(database: TestedDatabase, run_id: int) -> None:
    hand_back(database)
    newer = deal_again(database)
    assert stages(database) == {BRUNOS: 2, ANAS: 3, CARLOS: 2, DORAS: 3}
    refused(database, f"A newer run has replaced run {run_id}, so its hand-back cannot be undone", undo_it)
    refused(database, f"run {newer}, not of run {run_id}; nothing was handed back", hand_back, run_id=run_id)
    assert undo(database, newer).restored == 4
    # The undo of the deal leaves the list without the leads that were handed back; the hand-back can be undone again.
    assert sorted(stored_assignments(database)) == [("Bo", ANAS), ("Bo", DORAS)]
    assert undo_it(database).returned == 2
    assert stages(database) == dict.fromkeys((BRUNOS, ANAS, CARLOS, DORAS), 2)


def test_since_the_last_deal_each_agent_has_handed_back_so_many_leads(database: TestedDatabase, run_id: int) -> None:
    def since(last_run_id: int) -> list[HandedBackByAgent]:
        return handed_back_by_agent(database.backend, last_run_id)

    assert since(run_id) == []
    tell(database, CARLOS, "talked")
    of_al = hand_back(database)
    database.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = 'Al' WHERE number = %s", ANAS)
    also_of_al, of_bo = hand_back(database), hand_back(database, "Bo")
    assert since(run_id) == [
        HandedBackByAgent("Bo", 1, of_bo.handed_back_at),
        HandedBackByAgent("Al", 2, also_of_al.handed_back_at),
    ]
    # Undone, it does not count; nor does that of a run that is not the last one.
    undo_it(database, None, also_of_al.hand_back_id)
    assert since(run_id)[1:] == [HandedBackByAgent("Al", 1, of_al.handed_back_at)]
    newer = deal_again(database)
    assert since(newer) == []
    # Not Al's, whose newest hand-back is undone below.
    of_newer = hand_back(database, max(str(agent) for agent, _ in stored_assignments(database)))
    assert of_newer.agent == "Bo"
    assert [each.leads for each in since(newer)] == [of_newer.leads]
    # The undo of that deal makes this one the last one again.
    undo(database, newer)
    assert [(each.agent, each.leads) for each in since(run_id)] == [("Bo", 1), ("Al", 1)]
    undo_it(database)
    hand_back(database)
    assert [(each.agent, each.leads) for each in since(run_id)] == [("Al", 2), ("Bo", 1)]


def test_the_undo_of_a_run_gives_back_no_stage_twice(database: TestedDatabase, run_id: int) -> None:
    hand_back(database)
    undone = undo(database, run_id)
    assert (undone.restored, undone.changed_since) == (2, 2)
    assert set(stages(database).values()) == {1}
    refused(database, f"Run {run_id} was undone, so its hand-back cannot be undone", undo_it)
    refused(database, "There is no run yet", hand_back)


def test_a_lead_that_somebody_changed_keeps_its_stage_and_a_hand_back_takes_what_was_given_by_hand(
    database: TestedDatabase, run_id: int
) -> None:
    database.execute("UPDATE dbo.wafunnel SET stage = 4 WHERE number = %s", BRUNOS)
    database.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = 'Al' WHERE number = %s", ANAS)
    put_assignments(database, ("Al", "no deal's"))
    done = hand_back(database)
    assert (done.leads, done.put_back) == (3, 2)
    assert stages(database) == {BRUNOS: 4, ANAS: 1, CARLOS: 1, DORAS: 2}
    assert sorted(stored_assignments(database)) == [("Al", "no deal's"), ("Bo", DORAS)]
    of_bo = next(each for each in list_outcomes(database.backend, count=9) if each.number == ANAS)
    assert (of_bo.agent, of_bo.reported_by) == ("Bo", "Eva")
    # One of them alone comes back to Al, who handed it back; and the undo brings the others.
    take_back_outcome(database.backend, of_bo.report, actor="Eva", now=now())
    assert ("Al", ANAS) in stored_assignments(database)
    assert undo_it(database).returned == 2
    assert stages(database) == {BRUNOS: 4, ANAS: 2, CARLOS: 2, DORAS: 2}
    assert sorted(stored_assignments(database)) == [
        ("Al", BRUNOS), ("Al", ANAS), ("Al", CARLOS), ("Al", "no deal's"), ("Bo", DORAS)
    ]  # fmt: skip


def test_a_report_from_before_a_hand_back_holds_though_it_comes_later(database: TestedDatabase, run_id: int) -> None:
    before = now() - timedelta(milliseconds=5)
    hand_back(database)
    told = tell(database, BRUNOS, "won", agent="Al", reported_at=before)
    assert (told.stands, stages(database)[BRUNOS]) == (True, 2)
    assert standing(database) == [(BRUNOS, "won"), (CARLOS, "not_worked")]
    # Without that report, the hand-back holds again.
    take_back(database, told)
    assert stages(database)[BRUNOS] == 1
    tell(database, BRUNOS, "won", report="again")
    assert undo_it(database).returned == 2
    assert (standing(database), stages(database)[BRUNOS]) == ([(BRUNOS, "won")], 2)


def test_a_call_back_that_nobody_made_is_due_again(database: TestedDatabase, run_id: int) -> None:
    day = DEALT_ON + timedelta(days=1)
    tell(database, BRUNOS, "call_back", call_back_on=day, same_agent=True)
    database.execute("UPDATE dbo.wafunnel SET stage = 4 WHERE number = %s", BRUNOS)
    second = run_deal(database, day)
    assert ("Al", BRUNOS) in stored_assignments(database)
    # Today's rule would leave the lead out: it is finished, and its call-back was handed out.
    assert list_call_backs(database.backend, day, count=9) == []
    assert hand_back(database).put_back == 1
    assert [(each.number, each.state) for each in list_call_backs(database.backend, day, count=9)] == [
        (BRUNOS, "passed_over")
    ]
    assert (count_call_backs(database.backend, day).due, count_call_backs(database.backend, DEALT_ON).to_come) == (1, 1)
    third = run_deal(database, day, again=True)
    assert handed_out(database, third.run_id) == handed_out(database, second.run_id) == [(run_id, BRUNOS)]
    run_deal(database, day, again=True)
    assert BRUNOS not in {number for _, number in stored_assignments(database)}


def test_a_number_that_is_listed_or_given_away_meanwhile_does_not_come_back(
    database: TestedDatabase, run_id: int
) -> None:
    hand_back(database)
    add_do_not_contact(database.backend, "5511 91234-5678", None)
    spelled = "(0055) 21 91234-5678"
    put_assignments(database, ("Bo", spelled))
    key = database.execute("SELECT match_key FROM dbo.number_key WHERE number = %s", CARLOS)[0][0]
    database.insert("number_key", ("country", "number", "match_key", "ending"), [("", spelled, key, key[-4:])])
    done = undo_it(database)
    assert (done.leads, done.returned) == (2, 0)
    assert {agent for agent, _ in stored_assignments(database)} == {"Bo"}
    assert stages(database) == dict.fromkeys((BRUNOS, ANAS, CARLOS, DORAS), 2)


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_bare_call_hands_back_and_undoes_by_the_clock_of_the_server(database: TestedDatabase, run_id: int) -> None:
    ((hand_back_id, run, _, agent, at, by, leads, put_back, *undo_of),) = database.execute(
        "EXEC dbo.sp_hand_back_leads @agent = N'Al'"
    )
    ((login,),) = database.execute("SELECT SUSER_SNAME()")
    assert (run, agent, by, leads, put_back, undo_of) == (run_id, "Al", login, 2, 2, [None] * 3)
    assert abs(now().replace(tzinfo=None) - at) < timedelta(minutes=2)
    call = "EXEC dbo.sp_hand_back_leads @hand_back_id = %s, @undo = 1, @actor = N'Ugo'"
    ((*_, undone_by, returned),) = database.execute(call, hand_back_id)
    assert (undone_by, returned) == ("Ugo", 2)


def test_names_and_forgotten_people_go_along_with_a_hand_back(database: TestedDatabase, run_id: int) -> None:
    done = hand_back(database)
    rename_agent(database.backend, "Al", "Alba", actor="Eva")
    forget(database.backend, BRUNOS, actor="Eva")
    assert database.execute("SELECT COUNT(*) FROM dbo.assignment_hand_back_lead") == [(1,)]
    refused(database, "Al has handed nothing back", undo_it)
    refused(database, "There is no hand-back 9999999 of Alba", undo_it, agent="Alba", hand_back_id=9999999)
    undone = undo_it(database, None, done.hand_back_id)
    assert (undone.agent, undone.leads, undone.returned) == ("Alba", 2, 1)
    assert sorted(stored_assignments(database)) == [("Alba", CARLOS), ("Bo", ANAS), ("Bo", DORAS)]


def test_the_pool_report_and_the_doctor_take_what_was_handed_back_as_any_lead(
    database: TestedDatabase, run_id: int
) -> None:
    # A report of before, from a phone, replaces one; its lead is not on the list any more, and that is no change.
    before = now() - timedelta(milliseconds=5)
    assert report(database).left_over == 0
    hand_back(database)
    tell(database, BRUNOS, "talked", reported_at=before)
    assert (report(database).left_over, report(database).dealt) == (2, 2)
    assert deep_problems(database) == []
    undo_it(database)
    assert deep_problems(database) == []


def report(database: TestedDatabase) -> PoolReport:
    return pool_report(database.backend, load(), DEALT_ON)
