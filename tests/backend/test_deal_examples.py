"""Examples of the deal, small enough to be dealt by hand, on both engines."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent_funnel.agents import add_limit
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.imports import load_rows
from agent_funnel.sql import queries, statements
from support.databases import TestedDatabase, sqlite_database
from support.nights import (
    OLDEST,
    RECENT,
    TODAY,
    Case,
    Night,
    active_agents,
    compare_with_oracle,
    fresh,
    numbers_by_agent,
    put_agents,
    put_assignments,
    put_do_not_contact,
    put_leads,
    put_limits,
    run_deal,
    stages,
    stored_leads,
)
from support.oracle import Lead

EXAMPLE = [*fresh(5, stage=1), *fresh(3, start=6, stage=2)]
STAGES_AFTER = {f"{number:06}": 2 if number <= 5 else 3 for number in range(1, 9)}


def numbers(*counted: int) -> list[str]:
    """The numbers of leads of `fresh`."""
    return [f"{number:06}" for number in counted]


def test_the_worked_example(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, EXAMPLE)
    run = run_deal(database)
    assert (run.per_agent, run.assigned, run.smallest_share, run.largest_share) == (3, 8, 2, 3)
    assert numbers_by_agent(database) == {"A": numbers(1, 4, 7), "B": numbers(2, 5, 8), "C": numbers(3, 6)}
    assert stages(database) == STAGES_AFTER
    # The last lead went to B, so the next run begins with C: its first lead is 1 again, at stage 2 like 2 to 5.
    run_deal(database)
    assert numbers_by_agent(database) == {"C": numbers(1, 4, 7), "A": numbers(2, 5, 8), "B": numbers(3, 6)}


def test_the_worked_example_with_a_limit_of_one_for_a(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, EXAMPLE)
    put_limits(database, [("A", TODAY, TODAY, 1)])
    run = run_deal(database)
    assert (run.per_agent, run.assigned, run.smallest_share, run.largest_share) == (3, 8, 1, 4)
    # A's only lead is from the middle. The last lead of the rounds went to B all the same.
    assert numbers_by_agent(database) == {"A": numbers(5), "B": numbers(1, 3, 6, 8), "C": numbers(2, 4, 7)}
    assert stages(database) == STAGES_AFTER
    # The next run begins with C. 3 to 5 would meet the same agent, and so would 6 and 7, so they change places.
    second = run_deal(database, TODAY + timedelta(days=1))
    assert (second.came_round, second.same_agent) == (8, 0)
    assert numbers_by_agent(database) == {"C": numbers(1, 3, 6), "A": numbers(2, 4, 8), "B": numbers(5, 7)}


def test_nine_leads_for_four_agents_are_not_blocks_of_three(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C", "D"))
    put_leads(database, fresh(9))
    run = run_deal(database)
    assert (run.per_agent, run.smallest_share, run.largest_share) == (3, 2, 3)
    assert [len(held) for held in numbers_by_agent(database).values()] == [3, 2, 2, 2]


def test_leads_beyond_450_for_each_agent_wait_for_another_night(database: TestedDatabase) -> None:
    leads = fresh(905)
    compare_with_oracle(
        database, Case(TODAY, [Night(agents=active_agents("A", "B"), arrivals=leads), Night(days_later=1)])
    )
    # The same without the oracle:
    database.clear()
    put_agents(database, active_agents("A", "B"))
    put_leads(database, leads)
    run = run_deal(database)
    assert (run.pool, run.per_agent, run.assigned, run.left_over) == (905, 450, 900, 5)
    assert [len(held) for held in numbers_by_agent(database).values()] == [450, 450]
    assert [number for number, stage in sorted(stages(database).items()) if stage == 1] == numbers(*range(901, 906))


def test_the_window_begins_at_midnight_45_days_ago_and_the_future_counts(database: TestedDatabase) -> None:
    tick = timedelta(milliseconds=3)
    put_agents(database, active_agents("A"))
    put_leads(
        database,
        [
            ("before", 1, OLDEST - tick),
            ("exactly", 1, OLDEST),
            ("after", 1, OLDEST + tick),
            ("tonight", 1, datetime(2026, 11, 23, 23, 59, 59, 997_000)),
            ("tomorrow", 1, datetime(2026, 11, 24)),
            ("in a year", 1, datetime(2027, 11, 23)),
        ],
    )
    run = run_deal(database)
    assert run.pool == 5
    assert stages(database)["before"] == 1
    assert numbers_by_agent(database) == {"A": ["after", "exactly", "in a year", "tomorrow", "tonight"]}


def test_fewest_attempts_come_first_then_the_oldest_then_the_number(database: TestedDatabase) -> None:
    later = OLDEST + timedelta(days=3)
    put_agents(database, active_agents("A"))
    put_leads(
        database,
        [("5", 1, OLDEST), ("1", 3, OLDEST), ("2", 2, later), ("3", 2, OLDEST), ("10", 1, OLDEST), ("4", 1, later)],
    )
    # Six agents get one lead each, so their names show the order.
    put_agents(database, active_agents("a", "b", "c", "d", "e", "f"))
    run_deal(database)
    assert numbers_by_agent(database) == {"a": ["10"], "b": ["5"], "c": ["4"], "d": ["3"], "e": ["2"], "f": ["1"]}


def test_newest_first_reverses_only_the_dates(database: TestedDatabase) -> None:
    later = OLDEST + timedelta(days=3)
    put_agents(database, active_agents("a", "b", "c", "d", "e"))
    put_leads(database, [("5", 1, OLDEST), ("10", 1, OLDEST), ("4", 1, later), ("3", 2, OLDEST), ("2", 2, later)])
    run_deal(database, newest_first=True)
    assert numbers_by_agent(database) == {"a": ["4"], "b": ["10"], "c": ["5"], "d": ["2"], "e": ["3"]}


def test_stage_3_becomes_4_and_4_is_the_end(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(1, stage=3))
    run_deal(database)
    assert list(stages(database).values()) == [4]
    assert run_deal(database).assigned == 0
    assert list(stages(database).values()) == [4]


def test_a_run_with_an_empty_pool_succeeds_and_clears_the_old_assignments(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    database.insert("agent_wafunnel_assignment", ("agent", "number"), [("A", "1"), ("gone", "2")])
    run = run_deal(database)
    assert (run.status, run.agents, run.pool, run.per_agent, run.assigned) == ("succeeded", 2, 0, 0, 0)
    assert (run.smallest_share, run.largest_share) == (0, 0)
    assert numbers_by_agent(database) == {}


def test_one_number_in_several_rows_is_dealt_once_and_the_others_wait(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("A", "B"))
    put_leads(
        bare_database, [("7", 2, OLDEST), ("7", 1, OLDEST), ("7", 1, OLDEST + timedelta(days=1)), ("8", 1, OLDEST)]
    )
    run = run_deal(bare_database)
    assert (run.pool, run.duplicates, run.assigned) == (2, 2, 2)
    assert numbers_by_agent(bare_database) == {"A": ["7"], "B": ["8"]}
    assert [stage for _, stage, _ in stored_leads(bare_database, bare=True)] == [2, 2, 1, 2]


def test_equal_rows_are_one_record_and_advance_together(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, active_agents("A", "B"))
    put_leads(bare_database, [("7", 1, OLDEST)] * 3)
    run = run_deal(bare_database)
    assert (run.pool, run.duplicates, run.assigned) == (1, 0, 1)
    assert numbers_by_agent(bare_database) == {"A": ["7"]}
    assert [stage for _, stage, _ in stored_leads(bare_database, bare=True)] == [2, 2, 2]


def check_that_case_matters(database: TestedDatabase) -> None:
    """Deals numbers that differ only in case to agents whose names differ only in case."""
    put_agents(database, active_agents("ann", "Ann"))
    put_leads(database, [("x7", 1, RECENT), ("X7", 1, RECENT), ("y7", 1, RECENT), ("Y7", 1, RECENT)])
    put_limits(database, [("ann", TODAY, None, 1)])
    put_do_not_contact(database, ["y7"])
    run = run_deal(database)
    assert (run.agents, run.pool, run.duplicates, run.suppressed) == (2, 3, 0, 1)
    # Capitals sort first, since names are compared by their bytes.
    assert numbers_by_agent(database) == {"Ann": ["X7", "x7"], "ann": ["Y7"]}
    assert stages(database) == {"x7": 2, "X7": 2, "y7": 1, "Y7": 2}


def test_names_and_numbers_that_differ_in_case_are_different(bare_database: TestedDatabase) -> None:
    """Existing tables have the collation of their database, which on SQL Server usually ignores case."""
    check_that_case_matters(bare_database)


def test_a_collation_of_existing_sqlite_tables_changes_nothing(nocase_database: TestedDatabase) -> None:
    check_that_case_matters(nocase_database)


@pytest.mark.parametrize(
    ("written", "eligible"),
    [
        ("2026-10-09", True),
        ("2026-10-09T00:00", True),
        ("2026-10-09 00:00:00", True),
        ("2026-10-09T00:00:00.000000", True),
        ("2026-10-08", False),
        ("2026-10-08T23:59", False),
        ("2026-10-08 23:59:59.999", False),
        # Python writes microseconds.
        ("2026-10-08 23:59:59.999600", False),
        ("2026-10-08T23:59:59.999999", False),
    ],
)
def test_sqlite_reads_every_common_spelling_of_iso_8601(tmp_path: Path, written: str, eligible: bool) -> None:
    with sqlite_database(tmp_path, "funnel", bare=True) as database:
        put_agents(database, active_agents("A"))
        database.execute("INSERT INTO wafunnel (number, stage, date) VALUES ('1', 1, %s)", written)
        assert run_deal(database).pool == int(eligible)
        assert stages(database) == {"1": 2 if eligible else 1}


def test_a_number_on_the_do_not_contact_list_is_never_dealt(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    put_do_not_contact(database, [*numbers(2), "someone else"])
    run = run_deal(database)
    assert (run.pool, run.suppressed, run.duplicates) == (2, 1, 0)
    assert numbers_by_agent(database) == {"A": numbers(1, 3)}
    assert stages(database)["000002"] == 1


def test_a_listed_number_in_several_rows_counts_as_suppressed_and_not_as_duplicate(
    bare_database: TestedDatabase,
) -> None:
    put_agents(bare_database, active_agents("A"))
    put_leads(bare_database, [("7", 1, OLDEST), ("7", 1, OLDEST), ("7", 1, RECENT), ("7", 2, OLDEST), ("8", 1, OLDEST)])
    put_do_not_contact(bare_database, ["7"])
    run = run_deal(bare_database)
    assert (run.pool, run.suppressed, run.duplicates) == (1, 3, 0)
    assert numbers_by_agent(bare_database) == {"A": ["8"]}


def test_a_lead_without_number_stage_or_date_is_never_dealt(bare_database: TestedDatabase) -> None:
    incomplete: list[Lead] = [("", 1, RECENT), ("  ", 1, RECENT), (None, 1, RECENT)]
    incomplete += [("1", None, RECENT), ("2", 1, None), (None, None, None)]
    put_agents(bare_database, active_agents("A"))
    put_leads(bare_database, [*incomplete, ("3", 1, RECENT)])
    run = run_deal(bare_database)
    assert (run.pool, run.duplicates, run.suppressed) == (1, 0, 0)
    assert Counter(stored_leads(bare_database, bare=True)) == Counter([*incomplete, ("3", 2, RECENT)])


def test_an_agent_in_several_rows_is_one_agent_and_active_if_any_row_is(bare_database: TestedDatabase) -> None:
    put_agents(
        bare_database,
        [("A", "inactive"), ("A", "active"), ("A", "Active"), ("B", None), ("B", " ACTIVE "), ("C", "inactive")],
    )
    put_leads(bare_database, fresh(4))
    assert run_deal(bare_database).agents == 2
    assert numbers_by_agent(bare_database) == {"A": numbers(1, 3), "B": numbers(2, 4)}


def test_a_row_without_a_name_is_not_an_agent(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, [(None, "active"), ("", "active"), ("  ", "active"), ("A", "active")])
    put_leads(bare_database, fresh(4))
    assert run_deal(bare_database).agents == 1
    assert numbers_by_agent(bare_database) == {"A": numbers(1, 2, 3, 4)}


@pytest.mark.parametrize(
    ("starts", "ends", "covers"),
    [(0, 0, True), (-1, 0, True), (0, 1, True), (-9, None, True), (0, None, True), (-9, -1, False), (1, None, False)],
)
def test_a_limit_includes_its_first_and_its_last_day(
    database: TestedDatabase, starts: int, ends: int | None, covers: bool
) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(4))
    ends_on = None if ends is None else TODAY + timedelta(days=ends)
    put_limits(database, [("A", TODAY + timedelta(days=starts), ends_on, 0)])
    run = run_deal(database)
    assert run.agents == (1 if covers else 2)
    assert len(numbers_by_agent(database).get("A", ())) == (0 if covers else 2)


def test_the_lowest_of_several_limits_applies(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(9))
    put_limits(database, [("A", TODAY, None, 3), ("A", TODAY, TODAY, 2), ("A", TODAY, None, 900)])
    assert run_deal(database).smallest_share == 2
    assert numbers_by_agent(database)["A"] == numbers(3, 7)


def test_a_limit_above_the_cap_does_not_raise_it(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(5))
    put_limits(database, [("A", TODAY, None, 1000)])
    assert run_deal(database, max_per_agent=3).assigned == 3


def test_the_next_deal_begins_after_the_place_of_an_agent_who_has_left(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(2))
    run_deal(database)
    put_agents(database, active_agents("A", "C", "D"))
    run_deal(database)
    assert numbers_by_agent(database) == {"C": numbers(1), "D": numbers(2)}


def test_a_run_that_deals_nothing_does_not_change_who_comes_first(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(1))
    run_deal(database)
    assert run_deal(database, TODAY + timedelta(days=60)).assigned == 0
    run_deal(database)
    assert list(numbers_by_agent(database)) == ["B"]


def test_an_undone_run_does_not_change_who_comes_first(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C"))
    put_leads(database, fresh(1))
    run_deal(database)
    second = run_deal(database)
    assert list(numbers_by_agent(database)) == ["B"]
    database.execute("UPDATE dbo.assignment_run SET status = 'undone' WHERE run_id = %s", second.run_id)
    run_deal(database)
    assert list(numbers_by_agent(database)) == ["B"]


@pytest.mark.parametrize("name", ["assign", "undo"])
def test_an_index_of_somebody_else_does_not_slow_the_deal_on_sqlite(tmp_path: Path, name: str) -> None:
    # SQLite used it, and read all leads of a day for each lead dealt: minutes instead of a second.
    with sqlite_database(tmp_path, "indexed", bare=True) as database:
        database.execute("CREATE INDEX by_date ON wafunnel (stage, date)")
        (update,) = (part for part in statements(queries("sqlite")[name]) if "UPDATE wafunnel" in part)
        database.execute("CREATE TEMP TABLE this_run (run_id INTEGER)")
        database.execute("CREATE TEMP TABLE this_undo (last_id INTEGER)")
        plan = " ".join(str(step) for step in database.execute(f"EXPLAIN QUERY PLAN {update}"))
        assert "by_date" not in plan
        assert "AUTOMATIC" in plan or "sqlite_autoindex" in plan or "PRIMARY KEY" in plan


def test_lists_and_imports_distinguish_case_too(nocase_database: TestedDatabase) -> None:
    put_agents(nocase_database, active_agents("ana"))
    put_leads(nocase_database, [("x1", 1, RECENT), ("x001", 1, RECENT)])
    put_assignments(nocase_database, ("ana", "x1"), ("ana", "x001"))
    backend = nocase_database.backend
    assert add_do_not_contact(backend, "X001") == {"listed": 0, "assignments": 0, "leads": 0}
    limit = add_limit(backend, "ANA", starts_on=TODAY, ends_on=None, max_records=0, new_agent=True)
    assert not limit.known
    assert load_rows(backend, "leads", [("X1", "1", "2026-11-10 00:00:00.000")]) == 1
    assert load_rows(backend, "agents", [("ANA", "active")]) == 1
