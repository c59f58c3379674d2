"""doctor --deep: changes by others to assignments, leads and history are notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agent_funnel.deal import deal, undo
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.doctor import deep
from agent_funnel.doctor.check import Examination, Result
from agent_funnel.runs import purge
from agent_funnel.settings import load
from support.databases import TestedDatabase
from support.doctor import DAY, deep_findings, deep_problems, deep_texts
from support.nights import TODAY, run_deal, stored_history
from support.reported import Report, put_outcomes, reported_of


def test_edits_of_the_assignments_by_others_are_a_note(dealt_and_undone: tuple[TestedDatabase, int]) -> None:
    database, _ = dealt_and_undone
    third = run_deal(database).run_id
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE number IN ('+49300001000', '+49300001001')")
    database.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = 'somebody' WHERE number = '+49300001002'")
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("somebody", "+49300002000")])
    text = (
        f"Since run {third}, 2 assignments came and 3 went without a deal (not counting numbers on the do-not-contact "
        "list)."
    )
    assert deep_problems(database) == [("assignments", "note", text)]
    # The next deal records the edits, and its undo restores them, so the records agree.
    fourth = run_deal(database).run_id
    assert deep_problems(database) == []
    undo(database.backend)
    assert deep_problems(database) == []
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE number = '+49300001003'")
    (note,) = deep_problems(database)
    assert note[:2] == ("assignments", "note")
    assert note[2].startswith(f"Since the undo of run {fourth}, 0 assignments came and 1 went")


def test_rows_without_a_number_and_copies_of_rows_are_compared_too(bare_database: TestedDatabase) -> None:
    database = bare_database
    database.insert("agents", ("agent", "status"), [("a", "active"), ("b", "active")])
    database.insert("wafunnel", ("number", "stage", "date"), [(f"+4930000100{n}", 1, DAY) for n in range(3)])
    run_deal(database)
    pairs = [("x", None), (None, None), ("y", "+49300001777"), ("y", "+49300001777")]
    database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs)
    assert "4 assignments came and 0 went" in deep_problems(database)[0][2]
    run_deal(database)
    assert deep_problems(database) == []
    undo(database.backend)
    assert deep_problems(database) == []
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE agent = 'y'")
    assert "0 assignments came and 2 went" in deep_problems(database)[0][2]
    # Leads without a number, a stage or a date do not hide that another lead has changed.
    database.insert("wafunnel", ("number", "stage", "date"), [(None, None, None), ("+49300001000", None, DAY)])
    database.execute("DELETE FROM dbo.wafunnel WHERE number = '+49300001000' AND stage IS NOT NULL")
    assert "1 has changed since or is gone" in str(deep_problems(database))


def test_a_listed_number_may_be_missing_and_is_a_warning_if_assigned(
    dealt_and_undone: tuple[TestedDatabase, int],
) -> None:
    database, _ = dealt_and_undone
    add_do_not_contact(database.backend, "+49300001000")
    assert deep_problems(database) == []
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("somebody", "+49300001000")])
    found = deep_problems(database)
    assert [finding[:2] for finding in found] == [("assignments", "note"), ("do-not-contact", "warning")]
    assert found[1][2] == "1 number is assigned and on the do-not-contact list (…000)."
    (finding,) = [finding for finding in deep_findings(database) if finding.check == "do-not-contact"]
    database.execute(finding.remedy or "")
    assert deep_problems(database) == []
    assert database.execute("SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment") == [(6,)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE dbo.wafunnel SET stage = 4 WHERE number = '+49300001000'",
        "DELETE FROM dbo.wafunnel WHERE number = '+49300001000'",
        "UPDATE dbo.wafunnel SET date = '2026-11-11' WHERE number = '+49300001000'",
    ],
)
def test_a_lead_that_somebody_changed_since_it_was_dealt_is_a_note(
    dealt_and_undone: tuple[TestedDatabase, int], statement: str
) -> None:
    database, run_id = dealt_and_undone
    database.execute(statement)
    assert deep_problems(database) == [
        (
            "leads",
            "note",
            f"Of 7 leads that run {run_id} dealt, 1 has changed since or is gone.",
        )
    ]


def test_leads_of_earlier_runs_are_compared_as_well(dealt_and_undone: tuple[TestedDatabase, int]) -> None:
    database, _ = dealt_and_undone
    # Three of the seven leads are left over.
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent <> 'agent 0'")
    newest = deal(database.backend, load(max_per_agent=4), business_date=TODAY, again=True).run_id
    assert deep_problems(database) == []
    assert deep_texts(database, "leads") == [
        f"Of 4 leads that run {newest} dealt, none has changed since.",
        "Of 3 leads that earlier runs dealt, none has changed since.",
    ]
    database.execute("UPDATE dbo.wafunnel SET stage = 1 WHERE number = '+49300001006'")
    (note,) = deep_problems(database)
    assert note[2].startswith("Of 3 leads that earlier runs dealt, 1 has changed since")
    database.execute("DELETE FROM dbo.wafunnel WHERE number = '+49300001006'")
    assert deep_problems(database)[0][2].startswith("Of 3 leads that earlier runs dealt, 1 has")


def test_purged_history_is_not_reported_as_missing(dealt_and_undone: tuple[TestedDatabase, int]) -> None:
    database, run_id = dealt_and_undone
    for _ in range(2):
        run_deal(database)
    assert purge(database.backend, datetime(2100, 1, 1, tzinfo=UTC)).runs == 2
    assert deep_problems(database) == []
    # The product never purges the history of the last run; only somebody else can delete it.
    database.execute(
        f"INSERT INTO dbo.assignment_purge (run_id, purged_at) VALUES ({run_id + 3}, '2026-11-23T20:40:00')"
    )
    database.execute(f"DELETE FROM dbo.assignment_history WHERE run_id = {run_id + 3}")
    found = deep_problems(database)
    assert ("assignments", "note", f"Could not be checked: the history of run {run_id + 3} has been purged.") in found
    assert not any(level == "error" for _, level, _ in found)


def test_after_a_run_during_the_examination_the_records_are_read_again(
    dealt_and_undone: tuple[TestedDatabase, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = dealt_and_undone
    real = deep.leads
    asked = []

    def leads(case: Examination) -> Iterator[Result]:
        asked.append(case)
        if len(asked) == 1:
            run_deal(database)
        yield from real(case)

    monkeypatch.setitem(deep.PRESENT_CHECKS, "leads", leads)
    assert deep_problems(database) == []
    assert len(asked) == 2


def test_runs_during_every_attempt_are_a_note(
    dealt_and_undone: tuple[TestedDatabase, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = dealt_and_undone

    def leads(case: Examination) -> Iterator[Result]:
        run_deal(database)
        yield "ok", "None has changed.", None

    monkeypatch.setitem(deep.PRESENT_CHECKS, "leads", leads)
    assert deep_problems(database) == [
        ("records", "note", "Could not be checked: each time, a run or an undo came in between.")
    ]


def test_a_lead_that_was_dealt_although_an_earlier_outcome_keeps_it_out_is_a_note(
    dealt_and_undone: tuple[TestedDatabase, int],
) -> None:
    database, run_id = dealt_and_undone
    history = sorted(stored_history(database, run_id), key=lambda row: row[1])
    reports = [Report(0, "won"), Report(1, "wrong_number"), Report(2, "call_back", 5), Report(3, "call_back", 1)]
    put_outcomes(database, reported_of(reports, run_id, TODAY, history))
    # What is reported of the leads of the last run itself keeps them out of the next one only.
    assert deep_problems(database) == []
    run_deal(database)
    assert deep_problems(database) == []
    undo(database.backend)
    database.execute("UPDATE dbo.assignment_outcome SET stands = 0")
    third = run_deal(database).run_id
    # These reports came after that run.
    database.execute("UPDATE dbo.assignment_outcome SET stands = 1")
    text = f"Run {third} dealt 4 leads that an outcome of an earlier run keeps out (…000, …001, …002, …)."
    assert deep_problems(database) == [("outcomes", "note", text)]


def test_a_wrong_number_that_an_undo_left_out_and_a_stage_that_was_put_back_are_no_changes(
    dealt_and_undone: tuple[TestedDatabase, int],
) -> None:
    database, run_id = dealt_and_undone
    history = sorted(stored_history(database, run_id), key=lambda row: row[1])
    reports = [Report(0, "wrong_number"), Report(1, "not_worked")]
    put_outcomes(database, reported_of(reports, run_id, TODAY, history))
    number = history[1][1]
    database.execute("UPDATE dbo.assignment_outcome SET stage_back = 1 WHERE number = %s", number)
    database.execute("UPDATE dbo.wafunnel SET stage = stage - 1 WHERE number = %s", number)
    assert deep_problems(database) == []
    run_deal(database)
    undo(database.backend)
    assert deep_problems(database) == []
    # After the undo, six of the seven assignments are there.
    assert database.execute("SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment") == [(6,)]
