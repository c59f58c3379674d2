"""The procedures in sessions of other clients: transactions, settings of the session, and collations. T-SQL only."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing

import pymssql
import pytest

from agent_funnel.access.links import look_up_link, make_link
from agent_funnel.agents import list_agents, roster
from agent_funnel.deal import deal, undo
from agent_funnel.import_records import undo_import
from agent_funnel.imports import import_file, load_rows
from agent_funnel.install import install
from agent_funnel.rules import record_rules
from agent_funnel.runs import last_run, shares
from agent_funnel.settings import load
from agent_funnel.sql import version
from support.databases import TestedDatabase, snapshot
from support.doctor import deep_texts, problems
from support.nights import TODAY, active_agents, fresh, put_agents, put_leads, run_deal, stages
from support.outcomes import BRUNOS, deal_again, now, put_floor, tell

DEAL = f"EXECUTE dbo.sp_assign_wafunnel_to_agents @business_date = '{TODAY}', @again = 1"
PREVIEW = f"{DEAL}, @preview = 1"
UNDO = "EXECUTE dbo.sp_undo_wafunnel_assignment"

pytestmark = pytest.mark.parametrize("database", ["sqlserver"], indirect=True)


@pytest.fixture
def dealt(database: TestedDatabase) -> TestedDatabase:
    """A deal to undo and leads to deal. The tests use the connection of the fixture, which is not the product's."""
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(7))
    run_deal(database)
    return database


def test_a_call_inside_a_transaction_is_refused_and_leaves_the_transaction_as_it_was(dealt: TestedDatabase) -> None:
    for abort in ("ON", "OFF"):
        for call in (DEAL, PREVIEW, UNDO):
            dealt.execute(f"SET XACT_ABORT {abort}")
            dealt.execute("DELETE FROM dbo.holiday")
            dealt.execute("BEGIN TRANSACTION")
            dealt.execute("INSERT INTO dbo.holiday (day, name) VALUES ('2026-12-24', 'ours')")
            before = snapshot(dealt)
            with pytest.raises(pymssql.Error) as refused:
                dealt.execute(call)
            assert refused.value.args[0] == 50006
            assert b"inside a transaction; nothing was changed" in refused.value.args[1]
            assert dealt.execute("SELECT @@TRANCOUNT, XACT_STATE()") == [(1, 1)]
            assert snapshot(dealt) == before
            dealt.execute("COMMIT TRANSACTION")
            assert len(dealt.execute("SELECT day FROM dbo.holiday")) == 1
            # Outside of it, the same call succeeds, and leaves nothing open.
            dealt.execute(call)
            assert dealt.execute("SELECT @@TRANCOUNT") == [(0,)]


def test_a_refused_call_leaves_nothing_open(dealt: TestedDatabase) -> None:
    put_agents(dealt, [])
    for call, number in (
        (DEAL, 50002),
        (f"{DEAL}, @window_days = -1", 50006),
        (DEAL.replace(", @again = 1", ""), 50008),
        (f"{UNDO} @run_id = 999999", 50005),
    ):
        with pytest.raises(pymssql.Error) as refused:
            dealt.execute(call)
        assert refused.value.args[0] == number
        assert dealt.execute("SELECT @@TRANCOUNT") == [(0,)]
    # No lock is left either: another session deals at once.
    put_agents(dealt, active_agents("A"))
    assert run_deal(dealt).assigned == 7


def test_what_a_session_has_set_makes_no_difference_and_stays(dealt: TestedDatabase) -> None:
    assert dealt.execute("SELECT @@LOCK_TIMEOUT") == [(-1,)]
    dealt.execute("SET IMPLICIT_TRANSACTIONS ON")
    try:
        (row,) = dealt.execute(DEAL)
        assert dealt.execute("SELECT @@TRANCOUNT, @@OPTIONS & 2, @@LOCK_TIMEOUT") == [(0, 2, -1)]
        # The product, in a session of its own, sees the run: it is committed.
        newest = last_run(dealt.backend)
        assert newest is not None
        assert newest.run_id == row[0]
        assert sum(share.leads for share in shares(dealt.backend, newest.run_id)) == 7
    finally:
        dealt.execute("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION")
        dealt.execute("SET IMPLICIT_TRANSACTIONS OFF")


def test_the_help_is_returned_and_nothing_is_done_even_inside_a_transaction(dealt: TestedDatabase) -> None:
    record_rules(dealt.backend, {"country": "BR", "max_per_agent": 9}, actor="Ana")
    record_rules(dealt.backend, {"max_per_agent": 8}, actor="Bea")
    before = snapshot(dealt)
    dealt.execute("BEGIN TRANSACTION")
    try:
        with dealt.raw.cursor() as cursor:
            cursor.execute("EXECUTE dbo.sp_assign_wafunnel_to_agents @help = 1")
            parameters = cursor.fetchall()
            assert cursor.nextset()
            examples = cursor.fetchall()
            assert cursor.nextset()
            recorded = cursor.fetchall()
            assert cursor.nextset()
            assert cursor.fetchall() == [(version("sqlserver"),)]
    finally:
        dealt.execute("ROLLBACK TRANSACTION")
    assert [row[0] for row in parameters][:2] == ["@business_date", "@max_per_agent"]
    assert [(name, value, by) for name, value, _, by in recorded] == [
        ("country", "BR", "Ana"), ("max_per_agent", "8", "Bea"),
    ]  # fmt: skip
    assert all(example.startswith(("EXECUTE dbo.sp_assign", "EXECUTE dbo.sp_undo")) for (example,) in examples)
    assert snapshot(dealt) == before


@pytest.mark.parametrize(("written", "recorded"), [("00.003", "00.0033333"), ("00.007", "00.0066667")])
def test_an_undo_restores_the_stages_after_a_change_of_the_compatibility_level(
    dealt: TestedDatabase, written: str, recorded: str
) -> None:
    """From level 130 on, a DATETIME becomes a DATETIME2 with its thirds of a hundredth of a second."""
    dealt.execute("UPDATE dbo.wafunnel SET date = %s, stage = 1", f"2026-11-13T12:00:{written}")
    run = run_deal(dealt)
    dealt.execute(
        "UPDATE dbo.assignment_history SET date = %s WHERE run_id = %s", f"2026-11-13T12:00:{recorded}", run.run_id
    )
    # The test has given the leads other dates after the run before, so these are named as changed.
    assert deep_texts(dealt, "leads")[0] == f"Of 7 leads that run {run.run_id} dealt, none has changed since."
    done = undo(dealt.backend)
    assert (done.restored, done.changed_since) == (7, 0)


def test_a_lead_is_known_again_after_a_change_of_the_compatibility_level(database: TestedDatabase) -> None:
    """By the doctor, by a late outcome, and by the undo of an import."""
    older = put_floor(database)
    assert change_level(database, "assignment_history", f"run_id = {older}") == 3
    between = now()
    newer = deal_again(database)
    assert deep_texts(database, "leads") == [f"Of 3 leads that run {newer} dealt, none has changed since."]
    # The stage is again that which the older run gave it, but the newer one has dealt the lead since.
    tell(database, BRUNOS, "not_worked")
    late = tell(database, BRUNOS, "not_worked", reported_at=between)
    assert (late.run_id, late.stage_back, stages(database)[BRUNOS]) == (older, False, 2)

    file = io.BytesIO(b"number,stage,date\n5521970000001,1,2026-11-13 12:00:00.003\n")
    done = import_file(database.backend, "leads", file, name="file", today=TODAY)
    assert change_level(database, "import_lead", "date > '2026-11-13 12:00'") == 1
    assert done.import_id is not None
    assert undo_import(database.backend, done.import_id, actor="Ana").taken_back == 1


def change_level(database: TestedDatabase, table: str, which: str) -> int:
    """Sets dates of records as another compatibility level would have written them; returns how many there were."""
    database.execute(f"UPDATE dbo.{table} SET date = DATEADD(NANOSECOND, 333300, date) WHERE {which}")
    return int(database.execute(f"SELECT COUNT(*) FROM dbo.{table} WHERE {which}")[0][0])


# In a random order, tests of other files come between those of this one.
@pytest.fixture(scope="session")
def _order(sqlserver: str) -> Iterator[TestedDatabase]:
    with closing(TestedDatabase(sqlserver, "order")) as order:
        order.execute("CREATE SCHEMA [order]")
        order.execute(
            "CREATE TABLE dbo.agents "
            "(agent NVARCHAR(50) COLLATE Turkish_CI_AS, status VARCHAR(20) COLLATE Turkish_CI_AS)"
        )
        install(order.backend)
        yield order


@pytest.fixture
def order(_order: TestedDatabase) -> TestedDatabase:
    """An installed schema whose name is a reserved word, with agents in the Turkish collation."""
    _order.clear()
    return _order


def test_a_status_is_read_alike_in_a_turkish_column(order: TestedDatabase, database: TestedDatabase) -> None:
    """By Turkish rules, the small letter of I is another one than i."""
    put_agents(order, [("A", "ACTIVE"), ("B", " Active "), ("C", "active"), ("D", "INACTIVE"), ("E", "inactive")])
    put_leads(order, fresh(3))
    assert run_deal(order).agents == 3
    # What is read beside the deal agrees with it: the list of agents, their links, the doctor and its remedy.
    assert {agent.agent for agent in list_agents(order.backend, TODAY) if agent.active} == {"A", "B", "C"}
    assert [entry.agent for entry in roster(order.backend, TODAY) if entry.active] == ["A", "B", "C"]
    _, secret = make_link(order.backend, "A")
    assert look_up_link(order.backend, secret).link is not None
    assert problems(order, "statuses") == []
    before = order.execute("SELECT agent, status FROM dbo.agents ORDER BY agent")
    order.backend.sets("remedy_statuses")
    assert order.execute("SELECT agent, status FROM dbo.agents ORDER BY agent") == before


def test_an_import_and_its_undo_read_a_status_in_capitals_in_a_turkish_column(
    order: TestedDatabase, database: TestedDatabase
) -> None:
    put_agents(order, [("A", "ACTIVE"), ("B", "INACTIVE")])
    file = io.BytesIO(b"agent,status\nA,inactive\nB,active\nC,active\n")
    done = import_file(order.backend, "agents", file, name="file", update=True)
    assert (done.changed, done.added) == (2, 1)
    assert [agent.agent for agent in list_agents(order.backend, TODAY) if agent.active] == ["B", "C"]
    order.execute("UPDATE dbo.agents SET status = 'ACTIVE' WHERE agent IN ('B', 'C')")
    assert done.import_id is not None
    undone = undo_import(order.backend, done.import_id, actor="Ana")
    assert (undone.taken_back, undone.put_back, undone.left_alone) == (1, 2, 0)
    assert [agent.agent for agent in list_agents(order.backend, TODAY) if agent.active] == ["A"]


def test_a_schema_whose_name_is_a_reserved_word_works(order: TestedDatabase, database: TestedDatabase) -> None:
    backend = order.backend
    load_rows(backend, "agents", [("A", "active")])
    load_rows(backend, "leads", [("4930000001", "1", f"{TODAY} 08:00:00.000")])
    assert deal(backend, load(), business_date=TODAY).assigned == 1
    assert undo(backend).restored == 1
    for check in ("tables", "procedures", "rights", "emptying"):
        assert problems(order, check) == []
    # It locks under the same name as the procedures: a deal in progress is noticed.
    assert not backend.run_in_progress()
