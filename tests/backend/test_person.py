"""A person's rights: all that is kept of a number in any spelling, and its erasure, which outlasts a new import."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent_funnel.agents import rename_agent
from agent_funnel.deal import undo
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import CheckFailed, NotFound, ParameterOutOfRange
from agent_funnel.leads import pool_report
from agent_funnel.person import find_person, forget, would_forget
from agent_funnel.rules import count_forgotten, record_rules
from agent_funnel.runs import dealt_leads, find_run, shares
from agent_funnel.settings import load
from support.databases import TestedDatabase, all_rows, snapshot
from support.doctor import deep_problems
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    put_agents,
    put_leads,
    run_deal,
    run_numbers,
    stored_assignments,
)

ANA = "+5511987654321"
# Ana's number in other spellings, and numbers of others that are close to it:
ANAS = (ANA, "5511987654321", "+55 (11) 8765-4321")
OTHERS = ("+5511987654322", "+5511912345678", "+5521912345678")


def put_numbers(database: TestedDatabase, *numbers: str, stage: int = 1) -> None:
    put_leads(database, [(number, stage, RECENT) for number in numbers])


def dealt(database: TestedDatabase, **flags: Any) -> set[str]:
    run_deal(database, **flags)
    return {number for (number,) in database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")}


def put_outcome(database: TestedDatabase, number: str, **columns: Any) -> None:
    """An outcome of the newest run, as a report writes it."""
    row = {
        "report": f"of {number}", "run_id": run_numbers(database)[-1], "agent": "Bo", "number": number,
        "date": RECENT, "stage": 1, "outcome": "call_back", "call_back_on": "2026-12-01", "same_agent": 1,
        "note": f"says {number}", "reported_at": "2026-11-25", "reported_on": "2026-11-25", "stands": 1,
        "stage_back": 0, **columns,
    }  # fmt: skip
    database.insert("assignment_outcome", tuple(row), [tuple(row.values())])


@pytest.fixture
def floor(database: TestedDatabase) -> TestedDatabase:
    """Two agents, and the leads of Ana and of others, dealt once."""
    put_agents(database, active_agents("Al", "Bo"))
    put_numbers(database, *ANAS, *OTHERS)
    run_deal(database)
    return database


def test_a_forgotten_number_is_not_dealt_when_it_is_stored_again_in_any_spelling(floor: TestedDatabase) -> None:
    forget(floor.backend, ANAS[1], actor="Eva")
    put_numbers(floor, *ANAS, "0055 11 98765 4321")
    # The second time, the match keys are kept.
    for run in (run_deal(floor), run_deal(floor)):
        assert (run.assigned, run.suppressed) == (3, 4)
    assert {number for _, number in stored_assignments(floor)} == set(OTHERS)
    assert pool_report(floor.backend, load(), TODAY).do_not_contact == 4


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_bare_call_leaves_forgotten_people_out(floor: TestedDatabase) -> None:
    floor.execute("EXEC dbo.sp_forget_number @number = %s", "55 11 98765-4321")
    put_numbers(floor, *ANAS)
    floor.execute("EXEC dbo.sp_assign_wafunnel_to_agents @business_date = %s, @again = 1", str(TODAY))
    assert set(floor.execute("SELECT number FROM dbo.agent_wafunnel_assignment")) == {(each,) for each in OTHERS}
    ((actor, target),) = floor.execute("SELECT actor, target FROM dbo.audit_entry")
    assert (actor != "", len(target)) == (True, 64)


def test_an_erasure_leaves_nothing_of_the_number_in_any_table(floor: TestedDatabase) -> None:
    add_do_not_contact(floor.backend, ANAS[2], "asked on the phone")
    floor.execute("INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES ('Bo', %s)", ANAS[1])
    run_deal(floor)
    floor.execute(
        "INSERT INTO dbo.audit_entry (recorded_at, actor, operation, target, address, status, detail) "
        "VALUES ('2026-11-01', 'Eva', 'POST /leads', %s, '::1', 200, %s)",
        "…321", "about …321 and …3",
    )  # fmt: skip
    put_outcome(floor, ANAS[1])
    put_outcome(floor, OTHERS[0])
    floor.execute("INSERT INTO dbo.assignment_call_back SELECT outcome_id, run_id FROM dbo.assignment_outcome")
    answers = {"a": f'{{"number": "{ANA}"}}', "b": "a bad row: 011987654321", "c": '{"run_id": 321}'}
    for name, answer in answers.items():
        floor.execute(
            "INSERT INTO dbo.request_answer (request_hash, content_hash, asked_at, status, answer) "
            "VALUES (%s, 'b', '2026-11-01', 200, %s)",
            name, answer,
        )  # fmt: skip
    would = would_forget(floor.backend, "(0055) 11 98765-4321")
    found = forget(floor.backend, "(0055) 11 98765-4321", actor="Eva")
    assert (found.leads, found.assignments, found.dealt, found.runs) == (3, 0, 1, 1)
    assert (found.edits, found.listed, found.answers, found.audit_entries) == (2, 1, 2, 1)
    assert found.outcomes == 1
    kept = "SELECT o.number FROM dbo.assignment_call_back AS c LEFT JOIN dbo.assignment_outcome AS o"
    assert floor.execute(f"{kept} ON o.outcome_id = c.outcome_id") == [(OTHERS[0],)]
    assert would == replace(found, audit_entries=0, certificate=None, applied=False)
    left = all_rows(floor)
    assert not [each for each in (*ANAS, "87654321", "…321") if each in left]
    assert floor.execute("SELECT target, detail FROM dbo.audit_entry ORDER BY entry_id") == [
        ("…", "about … and …3"),
        (
            found.certificate,
            "erased: 3 leads, 0 assignments, 1 of 1 runs in the history, 1 of do-not-contact lists",
        ),
    ]
    assert [name.strip() for (name,) in floor.execute("SELECT request_hash FROM dbo.request_answer")] == ["c"]
    assert count_forgotten(floor.backend) == 1


def test_a_stored_response_with_a_number_that_is_shorter_than_a_phone_number_goes_too(floor: TestedDatabase) -> None:
    put_leads(floor, [("4711999", 1, RECENT)])
    for name, answer in {"a": '{"number": "4711999"}', "b": '{"number": "4711"}'}.items():
        floor.execute(
            "INSERT INTO dbo.request_answer (request_hash, content_hash, asked_at, status, answer) "
            "VALUES (%s, 'b', '2026-11-01', 200, %s)",
            name, answer,
        )  # fmt: skip
    assert forget(floor.backend, "4711999", actor="Eva").answers == 1
    assert [name.strip() for (name,) in floor.execute("SELECT request_hash FROM dbo.request_answer")] == ["b"]


def test_runs_keep_their_totals_and_an_undo_counts_forgotten_leads(floor: TestedDatabase) -> None:
    first = run_numbers(floor)[-1]
    second = run_deal(floor)
    before = {run: shares(floor.backend, run) for run in (first, second.run_id)}
    forget(floor.backend, ANA, actor="Eva")
    assert {run: shares(floor.backend, run) for run in (first, second.run_id)} == before
    for run_id in (first, second.run_id):
        run = find_run(floor.backend, run_id)
        left = len(dealt_leads(floor.backend, run_id, count=99))
        assert (run.forgotten, run.assigned) == (1, left + run.forgotten)
        assert run.assigned == sum(share.leads for share in shares(floor.backend, run_id))
    assert deep_problems(floor) == []
    undone = undo(floor.backend, actor="Eva")
    assert (undone.restored, undone.changed_since) == (second.assigned - 1, 1)
    assert (undone.assignments, undone.suppressed) == (second.assigned - 1, 1)
    assert deep_problems(floor) == []
    put_outcome(floor, OTHERS[0], agent="Al")
    rename_agent(floor.backend, "Al", "Alba")
    assert floor.execute("SELECT agent FROM dbo.assignment_outcome") == [("Alba",)]
    assert not [share for run in before for share in shares(floor.backend, run) if share.agent == "Al"]


def test_an_undo_brings_no_assignment_of_a_forgotten_number_back(floor: TestedDatabase) -> None:
    forget(floor.backend, ANA, actor="Eva")
    floor.execute("INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES ('Bo', %s)", ANAS[1])
    put_numbers(floor, ANAS[1])
    run_deal(floor)
    undone = undo(floor.backend, actor="Eva")
    assert (undone.assignments, undone.suppressed) == (3, 2)
    assert ANAS[1] not in {number for _, number in stored_assignments(floor)}


def test_an_undo_knows_a_forgotten_number_that_no_lead_has_in_a_spelling_that_is_new(floor: TestedDatabase) -> None:
    # No do-not-contact list has a number, so nothing else asks for match keys.
    forget(floor.backend, ANA, actor="Eva")
    strange = "whatsapp:0055 (11) 98765.4321"
    floor.execute("INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES ('Bo', %s)", strange)
    run_deal(floor)
    undone = undo(floor.backend, actor="Eva")
    assert (undone.assignments, undone.suppressed) == (3, 2)
    assert {number for _, number in stored_assignments(floor)} == set(OTHERS)


def test_a_hash_of_another_salt_keeps_nobody_out_and_a_lost_salt_stops_deals(floor: TestedDatabase) -> None:
    forget(floor.backend, ANA, actor="Eva")
    put_numbers(floor, ANA)
    ((salt,),) = floor.execute("SELECT salt FROM dbo.forgotten_salt")
    floor.execute("UPDATE dbo.forgotten_salt SET salt = 'another'")
    assert ANA in dealt(floor)
    floor.execute("DELETE FROM dbo.forgotten_salt")
    before = snapshot(floor)
    for change in (
        lambda: run_deal(floor),
        lambda: undo(floor.backend, actor="Eva"),
        lambda: forget(floor.backend, OTHERS[0], actor="Eva"),
    ):
        with pytest.raises(CheckFailed, match="forgotten_salt has no row"):
            change()
    assert snapshot(floor) == before
    assert len(salt) > 60


def test_a_national_spelling_is_forgotten_with_the_country_and_in_deals_without_one(floor: TestedDatabase) -> None:
    """In deals of another country, nobody's number is taken for that of a forgotten person."""
    put_numbers(floor, "(34) 98765-4321")
    record_rules(floor.backend, {"country": "BR"}, actor="Eva")
    forget(floor.backend, "34987654321", actor="Eva")
    # Léon in Spain has the digits that Uberlândia in Brazil has without a country:
    put_numbers(floor, "(34) 98765-4321", "+553487654321", "+34987654321")
    assert "+34987654321" in dealt(floor)
    assert run_deal(floor).suppressed == 2
    # Without a country, the digits are the same number by the rule.
    assert run_deal(floor, country="none").suppressed == 3
    assert run_deal(floor, country="MX").suppressed == 1


def test_a_person_is_shown_in_every_spelling_with_all_that_is_kept(floor: TestedDatabase) -> None:
    floor.execute("INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES ('Bo', %s)", ANAS[1])
    run_deal(floor)
    add_do_not_contact(floor.backend, ANAS[2], "asked on the phone")
    put_outcome(floor, ANAS[1], outcome="won", call_back_on=None)
    put_numbers(floor, "551187654321")  # nobody has taken this spelling in yet
    found = find_person(floor.backend, "tel:+55 11 98765-4321")
    assert found.spellings == tuple(sorted((*ANAS, "551187654321")))
    assert [(lead.number, lead.date) for lead in found.leads] == [(each, RECENT) for each in found.spellings]
    history = floor.execute("SELECT run_id, agent, number, stage FROM dbo.assignment_history ORDER BY run_id DESC")
    assert [(each.run_id, each.agent, each.number, each.stage) for each in found.dealt] == [
        row for row in history if row[2] in ANAS
    ]
    assert [(edit.agent, edit.number, edit.copies) for edit in found.edits] == [("Bo", ANAS[1], 1)]
    assert [(entry.number, entry.reason) for entry in found.do_not_contact] == [(ANAS[2], "asked on the phone")]
    assert [(each.agent, each.number, each.outcome, each.note) for each in found.outcomes] == [
        ("Bo", ANAS[1], "won", f"says {ANAS[1]}")
    ]
    assert (found.assignments, found.forgotten_at) == ((), None)
    forget(floor.backend, ANA, actor="Eva")
    gone = find_person(floor.backend, ANA)
    assert (gone.spellings, gone.leads, gone.dealt) == ((), (), ())
    assert gone.forgotten_at is not None
    with pytest.raises(NotFound, match="Nothing is kept"):
        find_person(floor.backend, "+5511987654329")


def test_a_text_that_is_no_number_is_forgotten_only_if_it_is_stored(floor: TestedDatabase) -> None:
    with pytest.raises(ParameterOutOfRange, match="stored nowhere"):
        forget(floor.backend, "Ana Lima", actor="Eva")
    put_numbers(floor, "Ana Lima")
    assert forget(floor.backend, "Ana Lima", actor="Eva").leads == 1
    assert count_forgotten(floor.backend) == 1
