"""Leads: found by stage, day and number, and shown with their history; on both engines."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from agent_funnel.agents import Assignment, assignments
from agent_funnel.do_not_contact import OWN_REQUESTS, add_do_not_contact, remove_do_not_contact
from agent_funnel.errors import NotFound
from agent_funnel.leads import Lead, lead_history, search_leads
from agent_funnel.numbers import stored_alike, take_in
from agent_funnel.sql import queries
from support.databases import TestedDatabase
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    fresh,
    put_agents,
    put_assignments,
    put_do_not_contact,
    put_leads,
    run_deal,
)
from support.paging import all_pages


def test_leads_are_found_by_stage_and_day(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al"))
    midnight = datetime.combine(TODAY, time.min)
    rows = [("a", 1, midnight), ("b", 2, midnight + timedelta(hours=23, minutes=59)), ("c", 2, midnight)]
    put_leads(
        database, [*rows, ("d", 4, midnight + timedelta(days=1)), ("A", 1, midnight - timedelta(milliseconds=10))]
    )
    put_do_not_contact(database, ["b"])
    put_assignments(database, ("Al", "c"), ("Bo", "unknown"))

    def found(**filters: Any) -> str:
        return "".join(lead.number for lead in search_leads(database.backend, count=100, **filters))

    assert found() == "Aabcd"
    assert found(stage=2) == "bc"
    assert found(stage=2, number="c") == "c"
    assert found(date_from=TODAY) == "abcd"
    assert found(date_to=TODAY) == "Aabc"
    assert found(date_from=TODAY, date_to=TODAY) == "abc"
    assert found(date_to=date.max) == "Aabcd"
    assert found(date_from=date.min, stage=4) == "d"
    (lead,) = search_leads(database.backend, number="b", count=1)
    assert lead == Lead("b", 2, rows[1][2], None, True, 1)
    (lead,) = search_leads(database.backend, number="c", count=1)
    assert lead == Lead("c", 2, midnight, "Al", False, 1)
    for count in (1, 2, 5):
        assert search_leads(database.backend, count=100) == all_pages(
            lambda after, count=count: search_leads(database.backend, after=after, count=count),  # type: ignore[misc]
            lambda last: (last.number, last.stage, last.date),
        )


def test_leads_are_found_by_a_number_in_its_common_spellings(database: TestedDatabase) -> None:
    stored = ["+4915112345678", "004915112345679", "4915112345680", "015112345678", "+49 1511/234-5681"]
    put_leads(database, [(number, 1, RECENT) for number in stored])

    def found(number: str) -> list[str]:
        return [lead.number for lead in search_leads(database.backend, number=number, count=9)]

    for spelling in (
        "+4915112345678",
        "+49 151 1234-5678",
        "0049 (151) 12345678",
        "49.151.12345678",
        " 004915112345678",
    ):
        assert found(spelling) == stored[:1]
    assert found("+49 151 12345679") == stored[1:2]
    assert found("004915112345680") == stored[2:3]
    assert found("0151 12345678") == stored[3:4]
    assert found("+49 1511/234-5681") == stored[4:5]
    for nobody in ("15112345678", "+4915112345671", "", "%", "+"):
        assert found(nobody) == []


def test_equal_rows_of_a_table_without_a_key_are_listed_once_with_their_count(bare_database: TestedDatabase) -> None:
    later = RECENT + timedelta(milliseconds=7)
    rows: list[Any] = [
        ("1", 2, RECENT), ("1", 2, RECENT), ("1", 2, later), ("1", None, None), ("1", None, None), ("1", 1, None),
        ("2", 1, RECENT), (None, 1, RECENT), ("", 1, RECENT), ("  ", 1, RECENT), ("2", 9, RECENT),
    ]  # fmt: skip
    put_leads(bare_database, rows)
    put_assignments(bare_database, ("Bo", "1"), ("Al", "1"), (None, "1"))
    whole = search_leads(bare_database.backend, count=100)
    assert whole == [
        Lead("1", None, None, "Al", False, 2),
        Lead("1", 1, None, "Al", False, 1),
        Lead("1", 2, RECENT, "Al", False, 2),
        Lead("1", 2, later, "Al", False, 1),
        Lead("2", 1, RECENT, None, False, 1),
        Lead("2", 9, RECENT, None, False, 1),
    ]
    for filters in ({}, {"number": "1"}):
        expected = [lead for lead in whole if lead.number == filters.get("number", lead.number)]
        for count in (1, 2, 3):
            assert expected == all_pages(
                lambda after, count=count, filters=filters: search_leads(  # type: ignore[misc]
                    bare_database.backend, after=after, count=count, **filters
                ),
                lambda last: (last.number, last.stage, last.date),
            )


def test_pages_reach_all_leads_whatever_the_collation_of_the_column(bare_database: TestedDatabase) -> None:
    # In the code page of a VARCHAR column the euro and the dash come before ä, in Unicode after it.
    numbers = ["0151ä1", "0151€1", "0151–1", "0151-1", "01511", "0151a1", "0151A1", "0151\u00a01", "+49151", "(0151) 1"]
    put_leads(bare_database, [(number, 1, RECENT) for number in numbers])
    for count in (1, 2, 3):
        found = all_pages(
            lambda after, count=count: search_leads(bare_database.backend, after=after, count=count),  # type: ignore[misc]
            lambda last: (last.number, last.stage, last.date),
        )
        assert sorted(lead.number for lead in found) == sorted(numbers)


@pytest.mark.parametrize("bare_database", ["sqlite"], indirect=True)
def test_a_text_that_is_not_a_date_is_shown_as_none(bare_database: TestedDatabase) -> None:
    for value in ("soon", "", 7, "0000-01-01", "2026-11-13", "2026-11-13T12:00"):
        bare_database.execute("INSERT INTO dbo.wafunnel (number, stage, date) VALUES (%s, 1, %s)", f"n{value}", value)
    put_assignments(bare_database, ("Al", "nsoon"))
    found = {lead.number[1:]: lead.date for lead in search_leads(bare_database.backend, count=9)}
    midnight = datetime(2026, 11, 13)
    assert found == {
        "soon": None, "": None, "7": None, "0000-01-01": None, "2026-11-13": midnight,
        "2026-11-13T12:00": midnight + timedelta(hours=12),
    }  # fmt: skip
    assert assignments(bare_database.backend, count=9) == [Assignment("Al", "nsoon", 1, None)]


def test_a_lead_is_shown_with_its_history(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al"))
    put_leads(database, [*fresh(1), ("idle", 4, RECENT)])
    run_id = run_deal(database).run_id
    told = lead_history(database.backend, "000001")
    assert told.records == (Lead("000001", 2, RECENT, "Al", False, 1),)
    assert (told.number, told.agent, told.do_not_contact) == ("000001", "Al", ())
    assert [(holder.run_id, holder.agent) for holder in told.holders] == [(run_id, "Al")]
    add_do_not_contact(database.backend, "000001", "asked")
    told = lead_history(database.backend, "000001")
    assert told.agent is None
    assert [(each.number, each.list_name, each.reason) for each in told.do_not_contact] == [
        ("000001", OWN_REQUESTS, "asked")
    ]
    assert told.records[0].do_not_contact

    idle = lead_history(database.backend, "idle")
    assert (len(idle.records), idle.agent, idle.holders) == (1, None, ())
    # A number is known even if only its history, only the do-not-contact list or only an assignment has it.
    database.execute("DELETE FROM dbo.wafunnel")
    remove_do_not_contact(database.backend, "000001")
    assert len(lead_history(database.backend, "000001").holders) == 1
    add_do_not_contact(database.backend, "listed1")
    assert lead_history(database.backend, "listed1").records == ()
    put_assignments(database, ("Al", "held"))
    assert lead_history(database.backend, "held").agent == "Al"
    for nobody in ("idle", "+000001", ""):
        with pytest.raises(NotFound):
            lead_history(database.backend, nobody)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_pages_and_searches_use_the_keys(database: TestedDatabase) -> None:
    leads = dict.fromkeys(("after_number", "after_stage", "after_date", "stage", "date_from", "date_before"))
    calls: dict[str, dict[str, Any]] = {
        "leads": leads,
        "leads_of_number": {
            **leads,
            **{f"spelling_{index}": "1" for index in range(1, 6)},
            "match_key": "1",
            "digits": "1234",
        },
        "assignments": {"agent": None, "after_number": None, "after_agent": ""},
        "run_assignments": {"run_id": 1, "after": None},
        "lead_now": {"number": "1", "match_key": "1"},
    }
    for name, parameters in calls.items():
        rows = database.raw.execute(
            f"EXPLAIN QUERY PLAN {queries('sqlite')[name]}", {**parameters, "count": 9, "country": ""}
        )
        plan = [row[3] for row in rows.fetchall()]
        # Only the rows of a page may be scanned, which are few.
        assert not [step for step in plan if step.startswith("SCAN") and step[5:6] in ("w", "a", "h", "d", "v")], plan
        assert [step for step in plan if "PRIMARY KEY (" in step], plan


def test_numbers_are_found_by_their_last_digits(database: TestedDatabase) -> None:
    put_leads(database, [(number, 1, RECENT) for number in ("+55 (11) 98765-4321", "5511987654322", "A4321", "x54321")])
    take_in(database.backend)

    def found(text: str) -> list[str]:
        return [lead.number for lead in search_leads(database.backend, number=text, count=9)]

    assert found("4321") == ["+55 (11) 98765-4321", "A4321", "x54321"]
    assert found("5-4321") == ["+55 (11) 98765-4321", "x54321"]
    assert found("8765 4321") == ["+55 (11) 98765-4321"]
    # Fewer than four digits are a whole number, or none.
    assert found("321") == []
    assert stored_alike(database.backend, "11 98765-4321") == ["+55 (11) 98765-4321"]
    assert stored_alike(database.backend, "11 98765-4320") == []
    assert stored_alike(database.backend, "x54321") == []
