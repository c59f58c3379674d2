"""Outcomes: a report counts once, belongs to its run, replaces the one before it, and can be taken back."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pymssql
import pytest

from agent_funnel.do_not_contact import (
    OPTED_OUT,
    add_do_not_contact,
    add_number_list,
    import_do_not_contact,
    list_do_not_contact,
)
from agent_funnel.errors import AlreadyExists, ParameterOutOfRange
from agent_funnel.outcomes import (
    OutcomeReport,
    call_backs_of_list,
    list_outcomes,
    outcomes_of_list,
    report_outcomes,
    stream_outcomes,
)
from support.databases import TestedDatabase, snapshot
from support.nights import put_do_not_contact, stages, stored_assignments, undo
from support.outcomes import (
    ANAS,
    ARRIVED,
    BRUNOS,
    CARLOS,
    DEALT_ON,
    ZONE,
    deal_again,
    now,
    put_floor,
    standing,
    take_back,
    tell,
)


@pytest.fixture
def run_id(database: TestedDatabase) -> int:
    """Two agents and three leads, dealt once."""
    return put_floor(database)


def refused(database: TestedDatabase, match: str, *args: Any, **fields: Any) -> None:
    """Asserts that a report is refused with this sentence and changes nothing."""
    before = snapshot(database)
    with pytest.raises(ParameterOutOfRange, match=match):
        tell(database, *args, **fields)
    assert snapshot(database) == before


def test_a_report_is_kept_with_its_lead_in_any_spelling_and_counts_once(database: TestedDatabase, run_id: int) -> None:
    told = tell(database, "(0055) 11 98765-4321", "won", report="crm 1", note="  paid at once ")
    assert (told.run_id, told.business_date, told.agent, told.number) == (run_id, DEALT_ON, "Bo", ANAS)
    assert (told.report, told.outcome, told.note, told.reported_by) == ("crm 1", "won", "paid at once", "Eva")
    assert (told.stands, told.stage_back, told.taken_back_at, told.notice) == (True, False, None, None)
    assert told.reported_on == told.reported_at.astimezone(ZONE).date()
    before = snapshot(database)
    assert tell(database, "5511 987654321", "won", report="crm 1", note="paid at once") == told
    assert snapshot(database) == before
    ((number, arrived, stage),) = database.execute("SELECT number, date, stage FROM dbo.assignment_outcome")
    assert (number, str(arrived)[:10], stage) == (ANAS, str(ARRIVED)[:10], 1)
    for other in ({"outcome": "lost"}, {"note": "Paid at once"}, {"number": CARLOS}, {"run_id": run_id + 1}):
        fields = {"number": ANAS, "outcome": "won", "report": "crm 1", "note": "paid at once", **other}
        refused(database, "there already, with other content", fields.pop("number"), fields.pop("outcome"), **fields)


def test_a_lead_that_the_run_did_not_deal_is_refused(database: TestedDatabase, run_id: int) -> None:
    missing = f"Run {run_id} dealt no lead with the number …329; nothing was kept."
    refused(database, missing, "+5511987654329", "won")
    refused(database, f"There is no run {run_id + 1};", ANAS, "won", run_id=run_id + 1)
    refused(database, f"Run {run_id} dealt Al no lead with the number …321;", ANAS, "won", agent="Al")
    assert tell(database, ANAS, "won", agent="Bo").agent == "Bo"
    database.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = 'Al' WHERE number = %s", ANAS)
    # Al has the lead now, and the record says who was dealt it.
    assert tell(database, ANAS, "lost", agent="Al").agent == "Bo"


def test_a_lead_is_found_by_a_match_key_that_nobody_has_kept(database: TestedDatabase, run_id: int) -> None:
    database.execute(
        "INSERT INTO dbo.floor_rule (name, value, recorded_at, recorded_by) "
        "VALUES ('country', 'BR', '2026-01-01T00:00:00', 'Eva')"
    )
    database.execute("DELETE FROM dbo.number_key")
    assert tell(database, "(011) 98765-4321", "opted_out").number == ANAS
    # From now on it is kept, so that every deal knows the number in any spelling.
    assert database.execute("SELECT country, number FROM dbo.number_key") == [("BR", ANAS)]


def test_before_the_first_run_nobody_can_report(database: TestedDatabase) -> None:
    refused(database, "There is no run yet", ANAS, "won")


def test_a_report_from_before_a_deal_is_kept_for_its_run_and_a_later_one_is_refused(
    database: TestedDatabase, run_id: int
) -> None:
    before = now()
    newer = deal_again(database)
    refused(database, f"A newer run has replaced run {run_id}, so", ANAS, "won", run_id=run_id)
    late = tell(database, ANAS, "talked", reported_at=before)
    assert (late.run_id, late.reported_at, late.stands) == (run_id, before, True)
    present = tell(database, ANAS, "no_answer")
    assert (present.run_id, present.stands) == (newer, True)
    # A clock that is ahead is not.
    ahead = tell(database, CARLOS, "won", reported_at=now() + timedelta(hours=3))
    assert ahead.reported_at <= now() + timedelta(minutes=2)
    refused(database, "at most 7 days ago", CARLOS, "won", reported_at=now() - timedelta(days=8))


def test_a_run_that_is_undone_takes_reports_of_before_only(database: TestedDatabase, run_id: int) -> None:
    newer = deal_again(database)
    before = now()
    undo(database, newer)
    refused(database, f"Run {newer} was undone", ANAS, "won", run_id=newer)
    kept = tell(database, ANAS, "not_worked", reported_at=before)
    assert (kept.run_id, kept.stage_back) == (newer, False)
    assert "did not move" in (kept.notice or "")
    assert tell(database, ANAS, "won").run_id == run_id


def test_a_later_outcome_replaces_the_earlier_one_and_all_are_kept(database: TestedDatabase, run_id: int) -> None:
    before = now()
    first = tell(database, ANAS, "no_answer", reported_at=before)
    second = tell(database, ANAS, "won", reported_at=before + timedelta(milliseconds=2))
    late = tell(database, ANAS, "talked", reported_at=before + timedelta(milliseconds=1))
    assert standing(database) == [(ANAS, "won")]
    assert (late.stands, late.notice) == (False, "Kept. A later outcome of this lead holds: won.")
    gone = take_back(database, second)
    assert (gone.stands, gone.taken_back_by, gone.taken_back_at is not None) == (False, "Eva", True)
    assert take_back(database, second) == gone
    assert standing(database) == [(ANAS, "talked")]
    take_back(database, late)
    take_back(database, first)
    assert standing(database) == []
    assert [each.outcome for each in list_outcomes(database.backend, number="55 11987654321", count=9)] == [
        "talked", "won", "no_answer",
    ]  # fmt: skip
    assert tell(database, ANAS, "won", report=second.report).taken_back_at == gone.taken_back_at


def test_a_moment_at_the_beginning_of_the_calendar_is_no_reason_to_fail(database: TestedDatabase, run_id: int) -> None:
    """The moment of its day in the zone of the server may not exist."""
    first = datetime.min.replace(tzinfo=UTC)
    refused(
        database,
        r"reported_at is 0001-01-01 00:00:00\S*; it must be at most 7 days ago",
        ANAS,
        "won",
        reported_at=first,
    )
    told = tell(database, ANAS, "talked")
    assert take_back(database, told, agent="Bo", taken_back_at=first).taken_back_at == first
    assert take_back(database, told).taken_back_at == first


def test_not_worked_puts_the_stage_back_once_and_a_replacement_forward(database: TestedDatabase, run_id: int) -> None:
    assert stages(database)[ANAS] == 2
    first = tell(database, ANAS, "not_worked")
    assert (stages(database)[ANAS], first.stage_back, first.notice) == (1, True, None)
    second = tell(database, ANAS, "not_worked")
    assert (stages(database)[ANAS], second.stage_back) == (1, True)
    # Once: somebody sets the stage, and a third report leaves it.
    database.execute("UPDATE dbo.wafunnel SET stage = 2 WHERE number = %s", ANAS)
    third = tell(database, ANAS, "not_worked")
    assert stages(database)[ANAS] == 2
    database.execute("UPDATE dbo.wafunnel SET stage = 1 WHERE number = %s", ANAS)
    take_back(database, third)
    talked = tell(database, ANAS, "talked")
    assert stages(database)[ANAS] == 2
    take_back(database, talked)
    assert stages(database)[ANAS] == 1
    take_back(database, second)
    assert stages(database)[ANAS] == 1
    take_back(database, first)
    assert stages(database) == {ANAS: 2, BRUNOS: 2, CARLOS: 2}
    assert database.execute("SELECT stage_back FROM dbo.assignment_outcome WHERE stage_back = 1") == []


def deal_without(database: TestedDatabase, number: str) -> None:
    """Deals while a number is on a do-not-contact list."""
    put_do_not_contact(database, [number])
    deal_again(database)
    database.execute("DELETE FROM dbo.do_not_contact_entry")


def test_a_stage_that_a_newer_run_has_moved_stays(database: TestedDatabase, run_id: int) -> None:
    back, before = tell(database, ANAS, "not_worked"), now()
    deal_again(database)
    assert stages(database) == {ANAS: 2, BRUNOS: 3, CARLOS: 3}
    gone = take_back(database, back)
    assert (stages(database)[ANAS], gone.stage_back) == (2, True)
    assert "did not move" in (gone.notice or "")
    late = tell(database, BRUNOS, "not_worked", reported_at=before)
    assert (late.run_id, late.stage_back, stages(database)[BRUNOS]) == (run_id, False, 3)
    # Even if its stage is again that which the older run gave it.
    tell(database, BRUNOS, "not_worked")
    late = tell(database, BRUNOS, "not_worked", reported_at=before)
    assert (late.run_id, late.stage_back, stages(database)[BRUNOS]) == (run_id, False, 2)
    # A newer run that did not deal the record leaves it to the older one.
    before = now()
    deal_without(database, CARLOS)
    moved = tell(database, CARLOS, "not_worked", reported_at=before)
    assert (moved.run_id, moved.stage_back, stages(database)[CARLOS]) == (run_id + 1, True, 2)


def test_an_opt_out_is_on_its_list_and_off_the_assignments_and_only_it_goes_back(
    database: TestedDatabase, run_id: int
) -> None:
    before = stored_assignments(database)
    told = tell(database, "55 11 98765-4321", "opted_out")
    entries = "SELECT l.name, e.number FROM dbo.do_not_contact_entry AS e, dbo.do_not_contact_list AS l"
    entries += " WHERE e.list_id = l.list_id ORDER BY l.list_id, e.number"
    assert database.execute(entries) == [("opted out", ANAS)]
    assert stored_assignments(database) == before - Counter({("Bo", ANAS): 1})
    replaced = tell(database, ANAS, "won")
    assert "stays on the do-not-contact list" in (replaced.notice or "")
    assert database.execute(entries) == [("opted out", ANAS)]
    again = tell(database, ANAS, "opted_out")
    take_back(database, again)
    assert database.execute(entries) == [("opted out", ANAS)]
    take_back(database, told)
    assert (database.execute(entries), stored_assignments(database)) == ([], before)
    # What a person put on another list stays.
    put_do_not_contact(database, [ANAS])
    gone = take_back(database, tell(database, ANAS, "opted_out"))
    assert database.execute(entries) == [("own requests", ANAS)]
    assert ("Bo", ANAS) not in stored_assignments(database)
    assert "another entry" in (gone.notice or "")


def test_people_and_imports_cannot_add_to_the_list_of_the_outcomes(database: TestedDatabase, run_id: int) -> None:
    tell(database, ANAS, "opted_out")
    with pytest.raises(ParameterOutOfRange, match="Only reported outcomes add to the list opted out"):
        add_do_not_contact(database.backend, CARLOS, list_name=OPTED_OUT)
    with pytest.raises(AlreadyExists, match="reported outcomes"):
        add_number_list(database.backend, OPTED_OUT)
    with pytest.raises(ParameterOutOfRange, match="Only reported outcomes"):
        import_do_not_contact(
            database.backend, [], list_name=OPTED_OUT, replaces=True, confirmed=True, dry_run=False, check=dict
        )
    assert [entry.number for entry in list_do_not_contact(database.backend, list_name=OPTED_OUT)] == [ANAS]


def test_a_lead_comes_back_only_to_the_list_that_still_holds(database: TestedDatabase, run_id: int) -> None:
    told = tell(database, ANAS, "opted_out")
    deal_again(database)
    present = stored_assignments(database)
    take_back(database, told)
    assert stored_assignments(database) == present
    assert database.execute("SELECT number FROM dbo.do_not_contact_entry") == []


def test_a_call_back_has_a_day_after_the_deal_and_at_most_90_days_ahead(database: TestedDatabase, run_id: int) -> None:
    today = now().astimezone(ZONE).date()
    tomorrow, last = DEALT_ON + timedelta(days=1), today + timedelta(days=90)
    refused(database, "must be after the business date", ANAS, "call_back", call_back_on=DEALT_ON)
    refused(database, f"at most 90 days ahead, until {last}", ANAS, "call_back", call_back_on=last + timedelta(days=1))
    refused(database, "needs call_back_on", ANAS, "call_back")
    refused(database, "Only a call_back has", ANAS, "won", call_back_on=tomorrow)
    told = tell(database, ANAS, "call_back", call_back_on=tomorrow, same_agent=True)
    assert (told.call_back_on, told.same_agent) == (tomorrow, True)
    before = now()
    deal_again(database, tomorrow)
    # A report that comes late is held to the deal of its own run.
    assert tell(database, CARLOS, "call_back", call_back_on=tomorrow, reported_at=before).run_id == run_id


def test_an_agent_takes_back_until_the_next_deal_and_others_at_any_time(database: TestedDatabase, run_id: int) -> None:
    told = tell(database, ANAS, "wrong_number", actor="the link of Bo")
    with pytest.raises(ParameterOutOfRange, match="There is no outcome with the report"):
        take_back(database, told, agent="Al")
    before = now()
    deal_again(database)
    with pytest.raises(ParameterOutOfRange, match="An operator can"):
        take_back(database, told, agent="Bo")
    assert standing(database) == [(ANAS, "wrong_number")]
    # The phone of the agent had no connection when they took it back.
    assert take_back(database, told, agent="Bo", taken_back_at=before).taken_back_at == before
    deal_again(database)
    other = tell(database, ANAS, "wrong_number")
    deal_again(database)
    assert take_back(database, other).stands is False


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_bare_call_reports_and_takes_back_by_the_clock_of_the_server(database: TestedDatabase, run_id: int) -> None:
    call = "EXEC dbo.sp_report_outcome"
    ((_, report, run, _, agent, number, outcome, *rest),) = database.execute(
        f"{call} @number = %s, @outcome = 'won'", "(55) 11 98765-4321"
    )
    assert (run, agent, number, outcome, len(report)) == (run_id, "Bo", ANAS, "won", 36)
    # The login is the reporter, and the date is that of the server.
    assert (rest[5] != "", rest[4] in (DEALT_ON, now().date())) == (True, True)
    ((*_, stands, back, notice),) = database.execute(f"{call} @report = %s, @take_back = 1", report)
    assert (stands, back, notice) == (False, False, None)
    helped = database.execute(f"{call} @help = 1")
    assert [name for name, _ in helped] == [
        "won", "lost", "wrong_number", "opted_out", "call_back", "talked", "no_answer", "not_worked",
    ]  # fmt: skip
    for bad, said in (("@outcome = 'sold'", "outcome is sold"), ("@report = N''", "report has 0 characters")):
        with pytest.raises(pymssql.Error, match=f"{said}.*Nothing was changed"):
            database.execute(f"{call} @number = N'1', {bad}")


def test_several_reports_have_an_answer_each(database: TestedDatabase, run_id: int) -> None:
    reports = [
        OutcomeReport(ANAS, "won", report="a"),
        OutcomeReport("+5511987654329", "won", report="b"),
        OutcomeReport(CARLOS, "sold", report="c"),
        OutcomeReport(BRUNOS, "lost", report="d"),
    ]
    answers = report_outcomes(database.backend, reports, actor="Eva", now=now(), zone=ZONE)
    assert [answer.report for answer in answers] == ["a", "b", "c", "d"]
    assert [answer.outcome and answer.outcome.number for answer in answers] == [ANAS, None, None, BRUNOS]
    assert [answer.code for answer in answers] == [None, 50006, 50006, None]
    assert "it must be one of talked, no_answer" in (answers[2].refusal or "")
    again = report_outcomes(database.backend, reports, actor="Eva", now=now(), zone=ZONE)
    assert again == answers
    for many in ([], [reports[0]] * 1_001):
        with pytest.raises(ParameterOutOfRange, match="1 to 1,000"):
            report_outcomes(database.backend, many, actor="Eva", now=now(), zone=ZONE)


def test_outcomes_are_listed_by_run_agent_and_number_in_pages(
    database: TestedDatabase, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, outcome in ((ANAS, "won"), (ANAS, "lost"), (BRUNOS, "talked"), (CARLOS, "no_answer")):
        tell(database, number, outcome)
    backend = database.backend

    def found(**filters: Any) -> list[str]:
        return [each.outcome for each in list_outcomes(backend, **{"count": 9, **filters})]

    assert found() == ["no_answer", "talked", "lost", "won"]
    assert found(agent="Bo") == ["lost", "won"]
    assert found(run_id=run_id, standing=True) == ["no_answer", "talked", "lost"]
    assert found(run_id=run_id + 1) == []
    newest = list_outcomes(backend, count=2)
    assert found(before=newest[-1].outcome_id) == ["lost", "won"]
    monkeypatch.setattr("agent_funnel.outcomes.PAGE", 3)
    assert [each.outcome for each in stream_outcomes(backend)] == ["no_answer", "talked", "lost", "won"]


def test_the_outcomes_of_a_list_are_its_own_and_those_that_keep_its_leads_out_after_an_undo(
    database: TestedDatabase,
) -> None:
    put_floor(database, agents=("Al",))
    database.execute("UPDATE dbo.assignment_run SET business_date = %s", str(DEALT_ON - timedelta(days=1)))
    tell(database, BRUNOS, "call_back", call_back_on=DEALT_ON, note="after six")
    listed = deal_again(database)
    (promise,) = call_backs_of_list(database.backend, listed, "Al")
    assert (promise.number, promise.call_back_on, promise.agent, promise.note) == (BRUNOS, DEALT_ON, "Al", "after six")
    assert call_backs_of_list(database.backend, listed, "Bo") == []
    tell(database, CARLOS, "no_answer")
    deal_again(database)
    tell(database, ANAS, "won")
    tell(database, CARLOS, "talked")
    undo(database)
    found = outcomes_of_list(database.backend, listed, "Al")
    assert {number: outcome.outcome for number, outcome in found.items()} == {ANAS: "won", CARLOS: "no_answer"}
