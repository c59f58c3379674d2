"""Preview, on both engines: it predicts the next run and changes nothing. test_deal_oracle.py also tests both."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent_funnel.deal import Preview
from agent_funnel.errors import NoActiveAgent, ParameterOutOfRange
from agent_funnel.runs import last_run, list_runs
from support import LONG
from support.databases import TestedDatabase, snapshot
from support.nights import (
    TODAY,
    active_agents,
    fresh,
    numbers_by_agent,
    preview,
    put_agents,
    put_do_not_contact,
    put_leads,
    put_limits,
    run_deal,
    stages,
    undo,
)
from support.oracle import Lead, Pair
from support.processes import run_in_progress
from support.waits import wait_until_somebody_waits

# The longest time that counts as "at once" on a busy machine; a statement waits 30 s for a lock:
AT_ONCE_SECONDS = 10.0
DEALS = 100 if LONG else 15


def assert_comes_true(database: TestedDatabase, seen: Preview, held: dict[str, str]) -> None:
    """Asserts that a run made now is the previewed one, by comparing the tables before and after it.

    `held` has the agent of each number at the time of the preview.
    """
    before = {
        number: (stage, datetime.fromisoformat(str(created)).date())
        for number, stage, created in database.execute("SELECT number, stage, date FROM dbo.wafunnel")
    }
    run = run_deal(database)
    names = set(run.__dataclass_fields__) - {"run_id", "status", "started_at", "finished_at"}
    assert {name: getattr(seen.run, name) for name in names} == {name: getattr(run, name) for name in names}
    assert (seen.run.run_id, seen.run.status) == (0, "preview")

    dealt = numbers_by_agent(database)
    assert {share.agent: share.leads for share in seen.shares if share.leads} == {
        agent: len(numbers) for agent, numbers in dealt.items()
    }
    for share in seen.shares:
        got = [before[number] for number in dealt.get(share.agent, ())]
        days = [(TODAY - created).days for _, created in got]
        assert share.by_stage == {stage: sum(each == stage for each, _ in got) for stage in (1, 2, 3)}
        assert share.by_age == {
            "0_to_7": sum(age <= 7 for age in days),
            "8_to_30": sum(8 <= age <= 30 for age in days),
            "31_and_more": sum(age >= 31 for age in days),
        }
    holds = {number: agent for agent, numbers in dealt.items() for number in numbers}
    assert seen.stay == sum(held.get(number) == agent for number, agent in holds.items())
    assert seen.change_hands == sum(number in held and held[number] != agent for number, agent in holds.items())
    assert seen.come == len(holds.keys() - held.keys())
    assert seen.leave == len(held.keys() - holds.keys())


def test_the_worked_example_is_previewed(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, [*fresh(5, stage=1), *fresh(3, start=6, stage=2)])
    put_limits(database, [("A", TODAY, TODAY, 1)])
    database.insert(
        "agent_wafunnel_assignment",
        ("agent", "number"),
        [("B", "000001"), ("A", "000002"), ("B", "000003"), ("gone", "000004"), ("B", "elsewhere")],
    )
    seen = preview(database)
    assert [(share.agent, share.room) for share in seen.shares] == [("A", 1), ("B", 450), ("C", 450)]
    assert [share.leads for share in seen.shares] == [1, 4, 3]
    assert [share.by_stage for share in seen.shares] == [{1: 1, 2: 0, 3: 0}, {1: 2, 2: 2, 3: 0}, {1: 2, 2: 1, 3: 0}]
    # 1 and 3 stay with B; 2 and 4 go to C; 5 to 8 come; the last one leaves.
    assert (seen.stay, seen.change_hands, seen.come, seen.leave) == (2, 2, 4, 1)
    assert (seen.run.pool, seen.run.per_agent, seen.run.assigned, seen.run.left_over) == (8, 3, 8, 0)


def test_the_next_run_does_what_the_preview_said(database: TestedDatabase) -> None:
    put_agents(database, [*active_agents("A", "B", "C", "É", "zoe"), ("away", "active"), ("off", "inactive")])
    put_limits(database, [("A", TODAY, None, 3), ("away", TODAY, None, 0)])
    put_do_not_contact(database, ["000004", "000009"])
    # Dates from before the window to the day after tomorrow, at the limits of the ages and of the days.
    leads: list[Lead] = []
    for index, days in enumerate((0, 0, 7, 8, 30, 31, 45, 46, -2)):
        midnight = datetime(2026, 11, 23) - timedelta(days=days)
        for moment in (midnight, midnight + timedelta(hours=23, minutes=59, seconds=59, milliseconds=997)):
            leads += fresh(2, start=1 + len(leads), stage=1 + index % 3, created=moment)
    put_leads(database, leads)
    # First without assignments, then with those of a deal, then with those of a deal that others have edited.
    for night in range(3):
        held = {number: agent for agent, numbers in numbers_by_agent(database).items() for number in numbers}
        before = snapshot(database)
        seen = preview(database)
        assert snapshot(database) == before
        assert bool(held) == bool(night)
        assert_comes_true(database, seen, held)
        if night == 1:
            database.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = 'off' WHERE agent = 'B'")
            database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE agent = 'C'")
            database.execute("UPDATE dbo.wafunnel SET stage = 1 WHERE stage = 4")


def test_a_preview_of_an_empty_pool_says_that_all_assignments_would_end(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(3))
    run_deal(database)
    seen = preview(database, TODAY + timedelta(days=90))
    assert [(share.agent, share.leads) for share in seen.shares] == [("A", 0), ("B", 0)]
    assert (seen.stay, seen.change_hands, seen.come, seen.leave) == (0, 0, 0, 3)
    assert (seen.run.pool, seen.run.assigned, seen.run.largest_share) == (0, 0, 0)


def test_a_number_assigned_several_times_is_counted_once(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("A", "B"))
    put_leads(bare_database, fresh(4))
    pairs: list[Pair] = [("A", "000001"), ("A", "000001"), ("B", "000001"), ("b", "000002"), (None, "000003")]
    pairs += [("A", "x"), ("A", "X"), ("B", "x"), (None, "x"), (None, None), ("A", None)]
    bare_database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs)
    seen = preview(bare_database)
    assert (seen.stay, seen.change_hands, seen.come, seen.leave) == (1, 2, 1, 2)


def test_a_preview_after_the_scheduled_run_shows_another_run_by_hand(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    run_deal(database, trigger="schedule")
    seen = preview(database)
    assert (seen.run.trigger, seen.run.assigned, seen.stay) == ("manual", 3, 3)


def test_a_preview_refuses_what_a_run_refuses(database: TestedDatabase) -> None:
    put_leads(database, fresh(3))
    before = snapshot(database)
    with pytest.raises(NoActiveAgent) as nobody:
        preview(database)
    assert nobody.value.number == 50002

    put_agents(database, active_agents("A"))
    before = snapshot(database)
    good: dict[str, Any] = {
        "business_date": TODAY.isoformat(), "max_per_agent": 450, "window_days": 45, "newest_first": 0, "country": None,
        "voice": None, "skip_date": None,
        "trigger": "manual",
    }  # fmt: skip
    for bad in ({"max_per_agent": 0}, {"window_days": -1}, {"trigger": "cron"}, {"business_date": "9999-01-01"}):
        with pytest.raises(ParameterOutOfRange) as refused:
            database.backend.sets("preview", **{**good, **bad})
        assert refused.value.number == 50006
    assert len(database.backend.sets("preview", **good)) == 3
    assert snapshot(database) == before


# ---- While others read and write


def test_a_preview_does_not_wait_for_a_run(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(5))
    run_deal(database)
    alone = preview(database)
    before = snapshot(database)
    with run_in_progress(database):
        began = time.monotonic()
        assert (seen := preview(database)).shares == alone.shares
        assert time.monotonic() - began < AT_ONCE_SECONDS
        assert (seen.stay, seen.change_hands) == (alone.stay, alone.change_hands)
    assert snapshot(database) == before


def test_a_preview_does_not_wait_for_a_writer_and_sees_the_state_before_it(database: TestedDatabase) -> None:
    """On SQL Server this needs READ_COMMITTED_SNAPSHOT, without which readers wait for writers."""
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(5))
    alone = preview(database)
    with closing(TestedDatabase(database.url, database.schema)) as other:
        other.execute("BEGIN IMMEDIATE" if database.engine == "sqlite" else "BEGIN TRANSACTION")
        other.execute("UPDATE dbo.wafunnel SET stage = 3")
        other.execute("DELETE FROM dbo.agents WHERE agent = 'B'")
        other.execute("INSERT INTO dbo.agent_wafunnel_assignment (agent, number) VALUES ('A', '000001')")
        began = time.monotonic()
        seen = preview(database)
        assert time.monotonic() - began < AT_ONCE_SECONDS
        other.execute("ROLLBACK" if database.engine == "sqlite" else "ROLLBACK TRANSACTION")
    assert (seen.shares, seen.come) == (alone.shares, 5)


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_preview_goes_on_when_an_import_keeps_the_keys_of_its_new_numbers(database: TestedDatabase) -> None:
    """On SQLite, a preview is one transaction, and sees no writes of others."""
    put_agents(database, active_agents("A"))
    put_do_not_contact(database, ["900001"])
    put_leads(database, [*fresh(2), *fresh(1, start=900001)])
    alone = preview(database)
    with closing(TestedDatabase(database.url, database.schema)) as other, ThreadPoolExecutor() as pool:
        # A preview reads this table after it has computed the keys of new numbers, and waits for a change of its form.
        other.execute("BEGIN TRANSACTION")
        other.execute("ALTER TABLE dbo.forgotten_number ADD remark INT NULL")
        seen = pool.submit(preview, database)
        wait_until_somebody_waits(database, seen)
        assert not seen.done()
        key = "dbo.fn_match_key(N'900001', '')"
        database.execute(f"INSERT INTO dbo.number_key SELECT '', '900001', {key}, RIGHT({key}, 4)")
        other.execute("ROLLBACK TRANSACTION")
        assert seen.result().shares == alone.shares
        assert (seen.result().run.pool, seen.result().run.suppressed) == (2, 1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_writes_between_the_statements_of_a_preview_do_not_wait_and_are_not_seen(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    results: list[str] = []
    with closing(TestedDatabase(database.url)) as other, database.backend._open_session() as session:
        other.execute("PRAGMA busy_timeout = 0")

        def add_a_lead_and_its_assignment(_: str) -> None:
            number = str(len(results))
            try:
                other.execute("BEGIN IMMEDIATE")
                other.execute("INSERT INTO wafunnel (number, stage, date) VALUES (%s, 1, '2026-11-13')", number)
                other.execute("INSERT INTO agent_wafunnel_assignment (agent, number) VALUES ('A', %s)", number)
                other.execute("COMMIT")
                results.append("written")
            except sqlite3.OperationalError as error:
                results.append(str(error))

        # Called at each statement of the preview, so that a write comes before each of them.
        session._connection.set_trace_callback(add_a_lead_and_its_assignment)
        _, (changes,), (summary,) = session.sets(
            "preview", business_date=TODAY.isoformat(), max_per_agent=450, window_days=45, newest_first=0, country=None,
            voice=None, skip_date=None,
            trigger="manual",
        )  # fmt: skip
    assert len(results) > 20
    assert set(results) == {"written"}
    # At every moment there were as many assignments as leads.
    assert changes == {"stay": summary["assigned"], "change_hands": 0, "come": 0, "leave": 0, "refusal": None}
    assert summary["assigned"] < len(results)


# On a T-SQL engine, the short version has a writer that has not committed, above. This needs many sessions.
@pytest.mark.sqlserver_if_long
def test_previews_during_runs_and_undos_show_one_state_or_the_other(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(40))
    run_deal(database, max_per_agent=10)
    known = [preview(database, max_per_agent=10)]
    run_deal(database, max_per_agent=10)
    known.append(preview(database, max_per_agent=10))
    undo(database)
    assert known[0].shares != known[1].shares

    def alternate() -> None:
        for _ in range(DEALS):
            run_deal(database, max_per_agent=10)
            undo(database)

    seen: Counter[int] = Counter()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(alternate)
        while not done.done():
            shown = preview(database, max_per_agent=10)
            # SQLite shows the tables as they were at one moment. On a server, a run may end between two statements of
            # the preview; what it shows then is still a deal, but of no moment.
            if database.engine == "sqlite":
                seen[[each.shares for each in known].index(shown.shares)] += 1
            assert shown.run.assigned == sum(share.leads for share in shown.shares) == 30
            # Of 40 leads 30 are assigned, whatever happens, so at least 20 of those 30 have somebody.
            assert shown.stay + shown.change_hands + shown.come == 30
            assert shown.come <= 10
        done.result()
    if database.engine == "sqlite":
        assert seen[0]
        assert seen[1]
    assert set(stages(database).values()) == {1, 2}


def test_previews_leave_no_trace_in_the_records(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    for _ in range(3):
        preview(database)
    assert list_runs(database.backend) == []
    assert last_run(database.backend) is None
    assert database.execute("SELECT COUNT(*) FROM dbo.assignment_request") == [(0,)]
