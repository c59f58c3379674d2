"""doctor --deep: stages, assignments and history agree after anything that the product does; each break is told.

What only somebody else can have broken is an error; what somebody else may have done is a note.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest

from agent_funnel import service, transfer
from agent_funnel.doctor import deep, examine
from agent_funnel.doctor.case import Case, Said
from agent_funnel.errors import NothingToUndo
from agent_funnel.records import Finding
from agent_funnel.settings import load
from support import LONG
from support.databases import TestedDatabase
from support.nights import run_deal

TONIGHT = date(2026, 11, 23)
DAY = "2026-11-10 08:00:00.000"
DEEP = ("runs", "history", "shares", "undos", "assignments", "leads", "do-not-contact")


def look(database: TestedDatabase) -> list[Finding]:
    """What the deep checks say. The others are left out, to save the time."""
    schema = None if database.engine == "sqlite" else database.schema
    return deep.records(Case(database.backend, schema=schema, babelfish=False, now=datetime.now(UTC), began=0.0))


def odd(database: TestedDatabase) -> list[tuple[str, str, str]]:
    """What the deep checks say where it is not ok."""
    found = look(database)
    for finding in found:
        assert (finding.remedy is None) == (finding.level == "ok")
        assert not re.search(r"\b\d{5}", finding.text)
    return [(finding.check, finding.level, finding.text) for finding in found if finding.level != "ok"]


def said(database: TestedDatabase, check: str) -> list[str]:
    return [finding.text for finding in look(database) if finding.check == check]


@pytest.fixture
def dealt(database: TestedDatabase) -> tuple[TestedDatabase, int]:
    """Seven leads, dealt to three agents by a run, and by another one that is undone; the number of the first run."""
    database.insert("agents", ("agent", "status"), [(f"agent {index}", "active") for index in range(3)])
    database.insert("wafunnel", ("number", "stage", "date"), [(f"+4930000100{n}", 1, DAY) for n in range(7)])
    run_id = run_deal(database).run_id
    run_deal(database)
    service.undo(database.backend)
    return database, run_id


def test_after_runs_and_undos_all_agrees_exactly(dealt: tuple[TestedDatabase, int]) -> None:
    database, run_id = dealt
    assert odd(database) == []
    assert [finding.check for finding in look(database)] == list(DEEP)
    assert [finding.check for finding in examine(database.backend, now=datetime.now(UTC), deep=True)][-7:] == list(DEEP)
    assert said(database, "assignments") == [
        f"7 assignments are there, exactly those from before run {run_id + 1}, which is undone."
    ]
    assert said(database, "leads") == [f"Of 7 leads that run {run_id} dealt, none has changed since."]
    third = run_deal(database).run_id
    assert said(database, "assignments") == [f"7 assignments are there, exactly those of run {third}."]
    assert odd(database) == []
    for _ in range(2):
        service.undo(database.backend)
        assert odd(database) == []
    # What nobody has dealt is there, and nobody's to judge.
    assert said(database, "assignments") == [
        f"0 assignments are there, exactly those from before run {run_id}, which is undone."
    ]
    assert said(database, "leads") == ["No lead is in the history."]


def test_before_any_run_there_is_nothing_to_compare(database: TestedDatabase) -> None:
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("somebody", "+49300001000")])
    assert odd(database) == []
    assert said(database, "assignments") == ["No run has been made yet; 1 assignment is there from others."]


TAMPERED = r"see who else writes to .*compare with a backup"
BROKEN = [
    (
        "runs",
        "UPDATE dbo.assignment_run SET status = 'running' WHERE run_id = {undone}",
        r"Run {undone} is on record as running",
    ),
    (
        "runs",
        "UPDATE dbo.assignment_run SET left_over = 2 WHERE run_id = {run}",
        r"Run {run} has 9 leads .*, and 7 in its pool",
    ),
    (
        "runs",
        "UPDATE dbo.assignment_run SET left_over = NULL WHERE run_id = {run}",
        r"Run {run} has no number leads .*, and 7 in its pool",
    ),
    (
        "runs",
        "UPDATE dbo.assignment_run SET pool = NULL, left_over = NULL WHERE run_id = {run}",
        r"Run {run} has no number leads .*, and no number in its pool",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_run SET smallest_share = 1 WHERE run_id = {run}",
        r"Run {run} has a smallest share of 2 in its history, and of 1 on record",
    ),
    (
        "runs",
        "UPDATE dbo.assignment_run SET pool = NULL WHERE run_id = {run}",
        r"7 leads .*, and no number in its pool",
    ),
    (
        "history",
        "DELETE FROM dbo.assignment_history WHERE run_id = {run} AND number = '+49300001000'",
        r"Run {run} has 6 leads in its history, and says that it assigned 7",
    ),
    (
        "history",
        "DELETE FROM dbo.assignment_history WHERE run_id >= {run} AND number = '+49300001000'",
        r"Run {run} has 6 leads .*; and so it is with 1 more run\.",
    ),
    (
        "history",
        "INSERT INTO dbo.assignment_history (run_id, agent, number, date, stage) "
        "SELECT 999, agent, number, date, stage FROM dbo.assignment_history WHERE run_id = {run}",
        r"Run 999 has 7 leads in the history, and is not on record",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_run SET max_per_agent = 2 WHERE run_id = {run}",
        r"In run {run} .* got 3 leads, where 2 was",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_history SET agent = 'agent 0' WHERE run_id = {run} AND agent = 'agent 2'",
        r"Run {run} has a smallest share of 0 in its history, and of 2 on record",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_history SET agent = 'agent 0' WHERE run_id = {run}",
        r"Run {run} has a largest share of 7 in its history, and of 3 on record",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_run SET agents = 2 WHERE run_id = {run}",
        r"Run {run} dealt to 3 agents, of 2 who had room",
    ),
    (
        "undos",
        "DELETE FROM dbo.assignment_undo WHERE run_id = {undone}",
        r"Run {undone} is undone, and its undo is not on record",
    ),
    (
        "undos",
        "UPDATE dbo.assignment_run SET status = 'succeeded' WHERE run_id = {undone}",
        r"Run {undone} is not undone, and an undo of it is on record",
    ),
    (
        "undos",
        "UPDATE dbo.assignment_undo SET restored = restored - 1 WHERE run_id = {undone}",
        r"The undo of run {undone} accounts for 6 leads, and the run had dealt 7",
    ),
]


@pytest.mark.parametrize(("check", "statement", "pattern"), BROKEN)
def test_what_no_run_leaves_behind_is_an_error(
    dealt: tuple[TestedDatabase, int], check: str, statement: str, pattern: str
) -> None:
    database, run_id = dealt
    assert odd(database) == []
    numbers = {"run": run_id, "undone": run_id + 1}
    database.execute(statement.format(**numbers))
    found = [finding for finding in look(database) if finding.check == check and finding.level == "error"]
    assert any(re.search(pattern.format(**numbers), finding.text) for finding in found), found
    for finding in found:
        assert finding.text.count(".") == 1
        running = "running" in finding.text
        assert re.search(r"UPDATE \S*assignment_run SET status" if running else TAMPERED, finding.remedy or "")


def test_a_run_that_is_on_record_as_running_is_ended_by_the_remedy(dealt: tuple[TestedDatabase, int]) -> None:
    database, _ = dealt
    database.execute(
        "INSERT INTO dbo.assignment_run "
        "(business_date, [trigger], status, max_per_agent, window_days, newest_first, started_at) "
        "VALUES ('2026-11-23', 'schedule', 'running', 450, 45, 0, '2026-11-23T20:40:00')"
    )
    (finding,) = [finding for finding in look(database) if finding.level == "error"]
    assert finding.check == "runs"
    database.execute((finding.remedy or "").partition(": ")[2])
    assert odd(database) == []


@contextmanager
def history_without_a_key(database: TestedDatabase) -> Iterator[None]:
    """The history as somebody might have copied it: without its key."""
    sqlite = database.engine == "sqlite"
    database.execute(
        "CREATE TABLE dbo.kept_history "
        "(run_id BIGINT, agent VARCHAR(255), number VARCHAR(255), date VARCHAR(30), stage INT)"
    )
    columns = "run_id, agent, number, date, stage"
    if sqlite:
        database.execute("ALTER TABLE assignment_history RENAME TO real_history")
        database.execute("ALTER TABLE kept_history RENAME TO assignment_history")
        database.execute(f"INSERT INTO assignment_history ({columns}) SELECT {columns} FROM real_history")
    else:
        database.execute("ALTER TABLE dbo.assignment_history DROP CONSTRAINT pk_assignment_history")
    try:
        yield
    finally:
        if sqlite:
            database.execute("DROP TABLE assignment_history")
            database.execute("ALTER TABLE real_history RENAME TO assignment_history")
        else:
            database.execute("DROP TABLE dbo.kept_history")
            database.execute("DELETE FROM dbo.assignment_history")
            database.execute(
                "ALTER TABLE dbo.assignment_history ADD CONSTRAINT pk_assignment_history PRIMARY KEY (run_id, number)"
            )


def test_a_number_twice_in_the_history_of_a_run_is_an_error(dealt: tuple[TestedDatabase, int]) -> None:
    database, run_id = dealt
    with history_without_a_key(database):
        assert odd(database) == []
        database.execute(
            "INSERT INTO dbo.assignment_history (run_id, agent, number, date, stage) "
            "SELECT run_id, agent, number, date, stage FROM dbo.assignment_history "
            f"WHERE run_id = {run_id} AND number IN ('+49300001000', '+49300001001')"
        )
        assert ("history", "error", f"Run {run_id} has 2 numbers more than once in its history.") in odd(database)


def test_what_others_do_to_the_assignments_is_a_note(dealt: tuple[TestedDatabase, int]) -> None:
    database, _ = dealt
    third = run_deal(database).run_id
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE number IN ('+49300001000', '+49300001001')")
    database.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = 'somebody' WHERE number = '+49300001002'")
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("somebody", "+49300002000")])
    text = (
        f"Since run {third}, 2 assignments came and 3 went without a deal (numbers on the do-not-contact list aside)."
    )
    assert odd(database) == [("assignments", "note", text)]
    # The next deal keeps in mind what it found, and its undo brings it back: that agrees.
    fourth = run_deal(database).run_id
    assert odd(database) == []
    service.undo(database.backend)
    assert odd(database) == []
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE number = '+49300001003'")
    (note,) = odd(database)
    assert note[:2] == ("assignments", "note")
    assert note[2].startswith(f"Since the undo of run {fourth}, 0 assignments came and 1 went")


def test_rows_without_a_number_and_copies_of_rows_are_compared_too(bare_database: TestedDatabase) -> None:
    database = bare_database
    database.insert("agents", ("agent", "status"), [("a", "active"), ("b", "active")])
    database.insert("wafunnel", ("number", "stage", "date"), [(f"+4930000100{n}", 1, DAY) for n in range(3)])
    run_deal(database)
    pairs = [("x", None), (None, None), ("y", "+49300001777"), ("y", "+49300001777")]
    database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs)
    assert "4 assignments came and 0 went" in odd(database)[0][2]
    run_deal(database)
    assert odd(database) == []
    service.undo(database.backend)
    assert odd(database) == []
    database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE agent = 'y'")
    assert "0 assignments came and 2 went" in odd(database)[0][2]
    # Nor do leads without a number, a stage or a date hide that one has changed.
    database.insert("wafunnel", ("number", "stage", "date"), [(None, None, None), ("+49300001000", None, DAY)])
    database.execute("DELETE FROM dbo.wafunnel WHERE number = '+49300001000' AND stage IS NOT NULL")
    assert "1 has changed since, or gone altogether" in str(odd(database))


def test_a_number_that_must_not_be_called_is_not_missed_and_a_warning_if_it_is_assigned(
    dealt: tuple[TestedDatabase, int],
) -> None:
    database, _ = dealt
    service.add_do_not_contact(database.backend, "+49300001000")
    assert odd(database) == []
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("somebody", "+49300001000")])
    found = odd(database)
    assert [finding[:2] for finding in found] == [("assignments", "note"), ("do-not-contact", "warning")]
    assert found[1][2] == "1 number is assigned and on the do-not-contact list (…000)."
    (finding,) = [finding for finding in look(database) if finding.check == "do-not-contact"]
    database.execute(finding.remedy or "")
    assert odd(database) == []
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
    dealt: tuple[TestedDatabase, int], statement: str
) -> None:
    database, run_id = dealt
    database.execute(statement)
    assert odd(database) == [
        (
            "leads",
            "note",
            f"Of 7 leads that run {run_id} dealt, 1 has changed since, or gone altogether.",
        )
    ]


def test_leads_of_earlier_runs_are_compared_as_well(dealt: tuple[TestedDatabase, int]) -> None:
    database, _ = dealt
    # Three of the seven stay behind.
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent <> 'agent 0'")
    newest = service.assign(database.backend, load(max_per_agent=4), business_date=TONIGHT).run_id
    assert odd(database) == []
    assert said(database, "leads") == [
        f"Of 4 leads that run {newest} dealt, none has changed since.",
        "Of 3 leads that earlier runs dealt, none has changed since.",
    ]
    database.execute("UPDATE dbo.wafunnel SET stage = 1 WHERE number = '+49300001006'")
    (note,) = odd(database)
    assert note[2].startswith("Of 3 leads that earlier runs dealt, 1 has changed since")
    database.execute("DELETE FROM dbo.wafunnel WHERE number = '+49300001006'")
    assert odd(database)[0][2].startswith("Of 3 leads that earlier runs dealt, 1 has")


def test_a_history_that_has_been_purged_is_not_missed(dealt: tuple[TestedDatabase, int]) -> None:
    database, run_id = dealt
    for _ in range(2):
        run_deal(database)
    assert service.purge(database.backend, datetime(2100, 1, 1, tzinfo=UTC)).runs == 2
    assert odd(database) == []
    # Only by hand can the history of the last run go.
    database.execute(
        f"INSERT INTO dbo.assignment_purge (run_id, purged_at) VALUES ({run_id + 3}, '2026-11-23T20:40:00')"
    )
    database.execute(f"DELETE FROM dbo.assignment_history WHERE run_id = {run_id + 3}")
    found = odd(database)
    assert ("assignments", "note", f"Could not be checked: the history of run {run_id + 3} has been purged.") in found
    assert not any(level == "error" for _, level, _ in found)


def test_a_run_in_between_means_to_look_again(
    dealt: tuple[TestedDatabase, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = dealt
    real = deep.leads
    asked = []

    def leads(case: Case) -> Iterator[Said]:
        asked.append(case)
        if len(asked) == 1:
            run_deal(database)
        yield from real(case)

    monkeypatch.setitem(deep.NOW, "leads", leads)
    assert odd(database) == []
    assert len(asked) == 2


def test_runs_that_keep_coming_are_a_note(dealt: tuple[TestedDatabase, int], monkeypatch: pytest.MonkeyPatch) -> None:
    database, _ = dealt

    def leads(case: Case) -> Iterator[Said]:
        run_deal(database)
        yield "ok", "None has changed.", None

    monkeypatch.setitem(deep.NOW, "leads", leads)
    assert odd(database) == [("records", "note", "Could not be checked: each time, a run or an undo came in between.")]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_product_does_all_agrees_exactly(bare_database: TestedDatabase, seed: int) -> None:
    database, chance = bare_database, random.Random(seed)
    database.insert("agents", ("agent", "status"), [(f"agent {index}", "active") for index in range(4)])
    numbers: list[str] = []

    def add() -> None:
        fresh = [f"+493000{len(numbers) + n:05}" for n in range(chance.randrange(1, 12))]
        numbers.extend(fresh)
        transfer.load(database.backend, "leads", [(number, str(chance.randrange(1, 5)), DAY) for number in fresh])

    def copy() -> None:
        number, stage = chance.choice(numbers), chance.randrange(1, 4)
        database.insert(
            "wafunnel", ("number", "stage", "date"), [(number, stage, f"2026-11-{chance.randrange(1, 10):02}")]
        )

    def run() -> None:
        service.assign(database.backend, load(max_per_agent=chance.randrange(1, 9)), business_date=TONIGHT)

    def undo() -> None:
        with_nothing = database.execute("SELECT COUNT(*) FROM dbo.assignment_run WHERE status = 'succeeded'") == [(0,)]
        if with_nothing:
            with pytest.raises(NothingToUndo):
                service.undo(database.backend)
        else:
            service.undo(database.backend)

    def suppress() -> None:
        service.add_do_not_contact(database.backend, chance.choice(numbers))

    add()
    for step in range(4 if database.engine == "sqlserver" and not LONG else 40):
        chance.choice([add, copy, run, run, undo, suppress])()
        assert odd(database) == [], f"step {step}"
        if chance.random() < 0.2:
            # Somebody edits the assignments, and the next run takes note of it.
            pair = (chance.choice(["agent 0", "nobody"]), chance.choice(numbers))
            database.insert("agent_wafunnel_assignment", ("agent", "number"), [pair])
            service.assign(database.backend, load(), business_date=TONIGHT)
            assert odd(database) == [], f"step {step}, after an edit"
