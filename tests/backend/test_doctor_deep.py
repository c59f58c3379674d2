"""doctor --deep: stages, assignments and history agree after every action of the product; each disagreement is found.

Damage to the product's own records is an error; changes that others are allowed to make are notes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent_funnel import deal
from agent_funnel.deal import undo
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.errors import NothingToUndo
from agent_funnel.imports import load_rows
from agent_funnel.settings import load
from support import LONG
from support.databases import TestedDatabase
from support.doctor import DAY, DEEP, deep_findings, deep_problems, deep_texts
from support.nights import TODAY, run_deal


def test_after_runs_and_undos_all_records_agree(dealt_and_undone: tuple[TestedDatabase, int]) -> None:
    database, run_id = dealt_and_undone
    assert deep_problems(database) == []
    assert [finding.check for finding in deep_findings(database)] == list(DEEP)
    assert deep_texts(database, "assignments") == [
        f"7 assignments are present, exactly those from before run {run_id + 1}, which is undone."
    ]
    assert deep_texts(database, "leads") == [f"Of 7 leads that run {run_id} dealt, none has changed since."]
    third = run_deal(database).run_id
    assert deep_texts(database, "assignments") == [f"7 assignments are present, exactly those of run {third}."]
    assert deep_problems(database) == []
    for _ in range(2):
        undo(database.backend)
        assert deep_problems(database) == []
    # Leads and assignments that no run dealt are not judged.
    assert deep_texts(database, "assignments") == [
        f"0 assignments are present, exactly those from before run {run_id}, which is undone."
    ]
    assert deep_texts(database, "leads") == ["No lead is in the history."]


def test_before_any_run_there_is_nothing_to_compare(database: TestedDatabase) -> None:
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("somebody", "+49300001000")])
    assert deep_problems(database) == []
    assert deep_texts(database, "assignments") == [
        "No run has been made yet; 1 assignment is present, written by others."
    ]


TAMPERED = r"find out who else writes to .*compare with a backup"

BROKEN = [
    (
        "runs",
        "UPDATE dbo.assignment_run SET status = 'running' WHERE run_id = {undone}",
        r"Run {undone} is on record as running",
    ),
    (
        "runs",
        "UPDATE dbo.assignment_run SET left_over = 2 WHERE run_id = {run}",
        r"Run {run} has 9 leads .*, but 7 in its pool",
    ),
    (
        "runs",
        "UPDATE dbo.assignment_run SET left_over = NULL WHERE run_id = {run}",
        r"Run {run} has no number leads .*, but 7 in its pool",
    ),
    (
        "runs",
        "UPDATE dbo.assignment_run SET pool = NULL, left_over = NULL WHERE run_id = {run}",
        r"Run {run} has no number leads .*, but no number in its pool",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_run SET smallest_share = 1 WHERE run_id = {run}",
        r"Run {run} has a smallest share of 2 in its history, but of 1 on record",
    ),
    (
        "runs",
        "UPDATE dbo.assignment_run SET pool = NULL WHERE run_id = {run}",
        r"7 leads .*, but no number in its pool",
    ),
    (
        "history",
        "DELETE FROM dbo.assignment_history WHERE run_id = {run} AND number = '+49300001000'",
        r"Run {run} has 6 leads in its history, but 7 assigned on record",
    ),
    (
        "history",
        "DELETE FROM dbo.assignment_history WHERE run_id >= {run} AND number = '+49300001000'",
        r"Run {run} has 6 leads .*; the same holds for 1 more run\.",
    ),
    (
        "history",
        "INSERT INTO dbo.assignment_history (run_id, agent, number, date, stage) "
        "SELECT 999, agent, number, date, stage FROM dbo.assignment_history WHERE run_id = {run}",
        r"Run 999 has 7 leads in the history, but is not on record",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_run SET max_per_agent = 2 WHERE run_id = {run}",
        r"In run {run} .* got 3 leads, but the most allowed was 2",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_history SET agent = 'agent 0' WHERE run_id = {run} AND agent = 'agent 2'",
        r"Run {run} has a smallest share of 0 in its history, but of 2 on record",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_history SET agent = 'agent 0' WHERE run_id = {run}",
        r"Run {run} has a largest share of 7 in its history, but of 3 on record",
    ),
    (
        "shares",
        "UPDATE dbo.assignment_run SET agents = 2 WHERE run_id = {run}",
        r"Run {run} dealt to 3 agents, but only 2 had room",
    ),
    (
        "undos",
        "DELETE FROM dbo.assignment_undo WHERE run_id = {undone}",
        r"Run {undone} is undone, but its undo is not on record",
    ),
    (
        "undos",
        "UPDATE dbo.assignment_run SET status = 'succeeded' WHERE run_id = {undone}",
        r"Run {undone} is not undone, but an undo of it is on record",
    ),
    (
        "undos",
        "UPDATE dbo.assignment_undo SET restored = restored - 1 WHERE run_id = {undone}",
        r"The undo of run {undone} accounts for 6 leads, but the run had dealt 7",
    ),
]


@pytest.mark.parametrize(("check", "statement", "pattern"), BROKEN)
def test_a_state_that_no_run_leaves_behind_is_an_error(
    dealt_and_undone: tuple[TestedDatabase, int], check: str, statement: str, pattern: str
) -> None:
    database, run_id = dealt_and_undone
    assert deep_problems(database) == []
    numbers = {"run": run_id, "undone": run_id + 1}
    database.execute(statement.format(**numbers))
    found = [finding for finding in deep_findings(database) if finding.check == check and finding.level == "error"]
    assert any(re.search(pattern.format(**numbers), finding.text) for finding in found), found
    for finding in found:
        assert finding.text.count(".") == 1
        running = "running" in finding.text
        assert re.search(r"UPDATE \S*assignment_run SET status" if running else TAMPERED, finding.remedy or "")


def test_the_remedy_ends_a_run_that_is_on_record_as_running(
    dealt_and_undone: tuple[TestedDatabase, int],
) -> None:
    database, _ = dealt_and_undone
    database.execute(
        "INSERT INTO dbo.assignment_run "
        "(business_date, [trigger], status, max_per_agent, window_days, newest_first, started_at) "
        "VALUES ('2026-11-23', 'schedule', 'running', 450, 45, 0, '2026-11-23T20:40:00')"
    )
    (finding,) = [finding for finding in deep_findings(database) if finding.level == "error"]
    assert finding.check == "runs"
    database.execute((finding.remedy or "").partition(": ")[2])
    assert deep_problems(database) == []


@contextmanager
def history_without_a_key(database: TestedDatabase) -> Iterator[None]:
    """The history without its key, as in a table that somebody copied."""
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


def test_a_number_that_is_twice_in_the_history_of_a_run_is_an_error(
    dealt_and_undone: tuple[TestedDatabase, int],
) -> None:
    database, run_id = dealt_and_undone
    with history_without_a_key(database):
        assert deep_problems(database) == []
        database.execute(
            "INSERT INTO dbo.assignment_history (run_id, agent, number, date, stage) "
            "SELECT run_id, agent, number, date, stage FROM dbo.assignment_history "
            f"WHERE run_id = {run_id} AND number IN ('+49300001000', '+49300001001')"
        )
        assert ("history", "error", f"Run {run_id} has 2 numbers more than once in its history.") in deep_problems(
            database
        )


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.sqlserver_if_long) for seed in (1, 2))])
def test_all_records_agree_after_any_actions_of_the_product(bare_database: TestedDatabase, seed: int) -> None:
    database, chance = bare_database, random.Random(seed)
    database.insert("agents", ("agent", "status"), [(f"agent {index}", "active") for index in range(4)])
    numbers: list[str] = []

    def add() -> None:
        fresh = [f"+493000{len(numbers) + n:05}" for n in range(chance.randrange(1, 12))]
        numbers.extend(fresh)
        load_rows(database.backend, "leads", [(number, str(chance.randrange(1, 5)), DAY) for number in fresh])

    def copy() -> None:
        number, stage = chance.choice(numbers), chance.randrange(1, 4)
        database.insert(
            "wafunnel", ("number", "stage", "date"), [(number, stage, f"2026-11-{chance.randrange(1, 10):02}")]
        )

    def run() -> None:
        deal.deal(database.backend, load(max_per_agent=chance.randrange(1, 9)), business_date=TODAY, again=True)

    def undo() -> None:
        with_nothing = database.execute("SELECT COUNT(*) FROM dbo.assignment_run WHERE status = 'succeeded'") == [(0,)]
        if with_nothing:
            with pytest.raises(NothingToUndo):
                deal.undo(database.backend)
        else:
            deal.undo(database.backend)

    def suppress() -> None:
        add_do_not_contact(database.backend, chance.choice(numbers))

    add()
    for step in range(4 if database.engine == "sqlserver" and not LONG else 40):
        chance.choice([add, copy, run, run, undo, suppress])()
        assert deep_problems(database) == [], f"step {step}"
        if chance.random() < 0.2:
            # Somebody edits the assignments, and the next run records the edit.
            pair = (chance.choice(["agent 0", "nobody"]), chance.choice(numbers))
            database.insert("agent_wafunnel_assignment", ("agent", "number"), [pair])
            deal.deal(database.backend, load(), business_date=TODAY, again=True)
            assert deep_problems(database) == [], f"step {step}, after an edit"
