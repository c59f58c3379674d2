"""The deal as SQL Server runs it for any client: `EXEC` by programs that are not ours."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta

import pytest

from agent_funnel.runs import last_run
from support.clients import NAMES, Answer, session
from support.databases import TestedDatabase
from support.doctor import is_babelfish
from support.locks import lock_is_held, lock_name
from support.nights import active_agents, put_agents
from support.processes import run_in_progress
from support.waits import wait_until_somebody_waits

DEAL = "EXEC sp_assign_wafunnel_to_agents"
UNDO = "EXEC sp_undo_wafunnel_assignment"
AGAIN = f"{DEAL} @again = 1"
# The columns of the answer; further ones come after these.
COLUMNS = (
    "run_id", "business_date", "trigger", "status", "agents", "pool", "per_agent", "assigned", "left_over",
    "duplicates", "suppressed", "smallest_share", "largest_share", "started_at", "finished_at",
)  # fmt: skip
# A part of the message of each refusal. Where a client has no numbers, it is told by this.
SAID = {
    50001: "A run or an undo is in progress",
    50002: "No agent is active; nothing was changed.",
    50003: "is already done",
    50004: "Try again",
    50005: "There is no run to undo",
    50006: "max_per_agent is 0",
    50007: "Check failed",
    50008: "To deal all the same, confirm it",
}

pytestmark = [
    pytest.mark.parametrize("client", NAMES),
    pytest.mark.parametrize("database", ["sqlserver"], indirect=True),
]


@pytest.fixture
def today(database: TestedDatabase) -> date:
    """The date of the server."""
    found: date = database.execute("SELECT CAST(SYSDATETIME() AS DATE)")[0][0]
    return found


@pytest.fixture
def filled(database: TestedDatabase, today: date) -> TestedDatabase:
    """Two agents, and seven leads of today."""
    put_agents(database, active_agents("a", "b"))
    leads = [(f"4930{number:04}", 1, f"{today} 00:00:00.000") for number in range(7)]
    database.insert("wafunnel", ("number", "stage", "date"), leads)
    return database


@pytest.fixture
def calls(database: TestedDatabase) -> Iterator[TestedDatabase]:
    """A table of the client, which its own transaction writes."""
    database.execute("CREATE TABLE dbo.calls (note VARCHAR(20))")
    yield database
    database.execute("DROP TABLE dbo.calls")


def state(database: TestedDatabase, *, implicit: bool = False) -> str:
    """A batch that returns what a session has open. Locks of a transaction end with it, so those need no look.

    With `implicit` transactions, a batch that reads a table would open one itself.
    """
    columns = [
        f"APPLOCK_MODE('public', N'{lock_name(database, name)}', 'Session') AS lock_{name or 'run'}"
        for name in ("", "looks", "records")
    ]
    if not implicit and not is_babelfish(database):
        columns.append(
            "(SELECT COUNT(*) FROM sys.dm_tran_locks AS k WHERE k.request_session_id = @@SPID"
            " AND k.resource_type IN ('APPLICATION', 'OBJECT', 'PAGE', 'KEY', 'RID')) AS locks"
        )
    return f"SELECT @@TRANCOUNT AS open_transactions, {', '.join(columns)}"


def assert_refused(answer: Answer, number: int, said: str | None = None) -> None:
    """Asserts that an answer is the refusal of this number, and says this or what such a refusal always says."""
    refusal = answer.refusal
    assert refusal.number in (number, None)
    assert (said or SAID[number]) in refusal.message


def assert_nothing_open(answer: Answer) -> None:
    """Asserts that a session has no transaction and no lock."""
    row = answer.row
    assert row.pop("open_transactions") == "0"
    assert set(row.values()) <= {"NoLock", "0"}


def test_exec_makes_a_whole_deal_and_each_refusal_comes_by_its_number_and_leaves_nothing_open(
    client: str, database: TestedDatabase, today: date
) -> None:
    """One session gets all of them, one after the other, since a new session on Babelfish parses for seconds."""
    database.insert("agents", ("agent", "status"), [("a", "active"), ("b", "active"), ("c", "inactive")])
    database.insert(
        "wafunnel",
        ("number", "stage", "date"),
        # A lead of the last of the 45 days, one of the day before it, and 902 of today: 903 in the pool, 3 too many.
        [("oldest", 1, f"{today - timedelta(days=45)} 00:00:00.000"), ("over", 1, f"{today - timedelta(days=46)}")]
        + [(f"4930{n:04}", 2, f"{today}") for n in range(902)],
    )
    fault = (
        "CREATE TRIGGER dbo.fault ON dbo.agent_wafunnel_assignment AFTER INSERT AS"
        " DELETE FROM dbo.agent_wafunnel_assignment WHERE number = '49300000'"
    )
    # Each batch, with the number of its refusal; 0 where there is none.
    steps: list[tuple[int, str]] = [
        (50005, UNDO),
        (50006, f"{DEAL} @max_per_agent = 0"),
        (0, "UPDATE dbo.agents SET status = 'inactive' WHERE agent <> 'c'"),
        (50002, DEAL),
        (0, "UPDATE dbo.agents SET status = 'active' WHERE agent <> 'c'"),
        (0, fault),
        (50007, DEAL),
        (0, "DROP TRIGGER dbo.fault"),
        (0, f"{DEAL} @trigger = 'schedule'"),
        (50003, f"{DEAL} @trigger = 'schedule'"),
        (50008, DEAL),
        (0, UNDO),
        (0, DEAL),
    ]
    look = state(database)
    answers = session(client, database, *(batch for _, words in steps for batch in (words, look)))
    for (number, words), answer, after in zip(steps, answers[::2], answers[1::2], strict=True):
        if number:
            assert_refused(answer, number)
        else:
            assert answer.errors == [], words
        assert_nothing_open(after)

    # The last batch is the deal without parameters; it answers one row.
    row = answers[-2].row
    assert tuple(row)[: len(COLUMNS)] == COLUMNS
    expected = {
        "trigger": "manual", "status": "succeeded", "agents": "2", "pool": "903", "per_agent": "450", "assigned": "900",
        "left_over": "3", "duplicates": "0", "suppressed": "0", "smallest_share": "450", "largest_share": "450",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    run = last_run(database.backend)
    assert run is not None
    assert (run.business_date, run.trigger, run.assigned) == (today, "manual", 900)
    shares = database.execute("SELECT agent, COUNT(*) FROM dbo.agent_wafunnel_assignment GROUP BY agent ORDER BY agent")
    assert shares == [("a", 450), ("b", 450)]
    stages = dict(database.execute("SELECT number, stage FROM dbo.wafunnel WHERE number IN ('oldest', 'over')"))
    assert stages == {"oldest": 2, "over": 1}
    assert database.execute("SELECT COUNT(*) FROM dbo.wafunnel WHERE stage = 3") == [(899,)]
    assert not lock_is_held(database)


# In the short version, our own driver gets this refusal: test_deal_session.py and test_deal_concurrency.py.
@pytest.mark.sqlserver_if_long
def test_a_call_during_another_run_gets_50001_and_leaves_nothing_open(client: str, filled: TestedDatabase) -> None:
    look = state(filled)
    with run_in_progress(filled):
        answers = session(client, filled, DEAL, look, UNDO, look)
    for refused, after in (answers[:2], answers[2:]):
        assert_refused(refused, 50001)
        assert_nothing_open(after)


# In the short version, the error comes through our own driver only: test_deal_concurrency.py.
@pytest.mark.sqlserver_if_long
def test_a_lead_that_changes_during_the_deal_gets_50004_and_leaves_nothing_open(
    client: str, filled: TestedDatabase
) -> None:
    filled.insert("agent_wafunnel_assignment", ("agent", "number"), [("a", "old")])
    change = "UPDATE dbo.wafunnel SET stage = 3 WHERE number = '49300000'"
    with closing(TestedDatabase(filled.url, filled.schema)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN TRANSACTION")
        # Babelfish waits for the changed lead. Microsoft's engine waits for the assignments, after it read the pool;
        # it would wait for the changed lead before that.
        babelfish = is_babelfish(filled)
        other.execute(change if babelfish else "UPDATE dbo.agent_wafunnel_assignment SET agent = 'b'")
        future = pool.submit(session, client, filled, DEAL, state(filled))
        try:
            wait_until_somebody_waits(filled, future)
            if not babelfish:
                other.execute(change)
        finally:
            other.execute("COMMIT TRANSACTION")
        refused, after = future.result()
    assert_refused(refused, 50004)
    assert_nothing_open(after)
    assert filled.execute("SELECT COUNT(*) FROM dbo.wafunnel WHERE stage = 1") == [(6,)]


# In the short version, our own driver gets this refusal: test_deal_session.py and test_deal_concurrency.py.
@pytest.mark.sqlserver_if_long
def test_a_call_inside_the_clients_own_transaction_gets_50006_and_leaves_that_transaction_as_it_was(
    client: str, filled: TestedDatabase, calls: TestedDatabase
) -> None:
    write = "INSERT INTO dbo.calls (note) VALUES ('{}')"
    look = "SELECT @@TRANCOUNT AS depth, XACT_STATE() AS state, SIGN(@@OPTIONS & 16384) AS xact_abort"
    cases = [(option, call) for option in ("OFF", "ON") for call in (DEAL, UNDO, f"{DEAL} @preview = 1")]
    batches = [batch for option, call in cases for batch in (f"SET XACT_ABORT {option}", write.format("x"), call, look)]
    answers = session(client, filled, *batches, write.format("last"), "COMMIT TRANSACTION", autocommit=False)
    for number, (option, call) in enumerate(cases):
        settings, written, refused, after = answers[4 * number : 4 * number + 4]
        assert (settings.errors, written.errors) == ([], []), (option, call)
        assert_refused(refused, 50006, "inside a transaction")
        assert after.row == {"depth": "1", "state": "1", "xact_abort": str(int(option == "ON"))}, (option, call)
    assert [answer.errors for answer in answers[-2:]] == [[], []]
    assert calls.execute("SELECT note FROM dbo.calls") == [("x",)] * len(cases) + [("last",)]
    assert filled.execute("SELECT COUNT(*) FROM dbo.assignment_run") == [(0,)]


def test_a_client_that_sets_implicit_transactions_deals_and_undoes_at_once_for_everybody(
    client: str, filled: TestedDatabase
) -> None:
    """The client rolls back after each call, and leaves without a COMMIT: deal and undo are there all the same."""
    rollback, look = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION", state(filled, implicit=True)
    option = "SELECT SIGN(@@OPTIONS & 2) AS implicit"
    answers = session(
        client, filled, "SET IMPLICIT_TRANSACTIONS ON", DEAL, look, option, rollback, AGAIN, look, rollback, UNDO, look,
        rollback,
    )  # fmt: skip
    assert [answers[number].row[name] for number, name in ((1, "assigned"), (5, "assigned"), (8, "restored"))] == [
        "7"
    ] * 3
    for number in (2, 6, 9):
        assert_nothing_open(answers[number])
    assert answers[3].row == {"implicit": "1"}
    runs = filled.execute("SELECT status, assigned FROM dbo.assignment_run ORDER BY run_id")
    assert runs == [("succeeded", 7), ("undone", 7)]
    assert filled.execute("SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment") == [(7,)]
    assert filled.execute("SELECT COUNT(*) FROM dbo.wafunnel WHERE stage = 2") == [(7,)]
