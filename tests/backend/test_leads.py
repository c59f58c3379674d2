"""Agents, leads, and who has what now: on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from agent_funnel import floor, service
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from agent_funnel.records import AgentRow, Assignment, DealtLead, Lead, PoolReport
from agent_funnel.settings import load
from agent_funnel.sql import queries
from support.databases import TestedDatabase
from support.nights import (
    OLDEST,
    RECENT,
    TODAY,
    actives,
    fresh,
    put_agents,
    put_do_not_contact,
    put_leads,
    put_limits,
    run_deal,
    undo,
)
from support.properties import property_test
from support.strategies import messy as messy_rows
from support.strategies import piles

ODD = ["+49 151", "'; DROP TABLE agents; --", "%s %(x)s :y", "Zoë", "100%"]


def put_assignments(database: TestedDatabase, *rows: tuple[str | None, str | None]) -> None:
    database.insert("agent_wafunnel_assignment", ("agent", "number"), rows)


def pages(read: Callable[[Any], list[Any]], key: Callable[[Any], Any]) -> list[Any]:
    """All pages, put together."""
    found: list[Any] = []
    after = None
    while page := read(after):
        found += page
        assert key(page[-1]) != after
        after = key(page[-1])
    return found


# ---- Agents


def test_agents_are_told_with_their_leads_their_room_and_their_last_run(database: TestedDatabase) -> None:
    put_agents(database, [*actives("Bo", "Al"), ("Cy", "inactive"), (ODD[1], "inactive")])
    put_leads(database, fresh(3))
    put_limits(
        database,
        [
            ("Al", TODAY, None, 7),
            ("Al", TODAY - timedelta(days=3), TODAY, 5),
            ("Al", TODAY + timedelta(days=1), None, 1),
            ("Cy", TODAY - timedelta(days=1), TODAY - timedelta(days=1), 0),
        ],
    )
    run_deal(database)
    assert floor.agents(database.backend, TODAY) == [
        AgentRow(ODD[1], False, 0, None, None),
        AgentRow("Al", True, 2, 5, TODAY),
        AgentRow("Bo", True, 1, None, TODAY),
        AgentRow("Cy", False, 0, None, None),
    ]
    assert floor.agent(database.backend, "Cy", TODAY - timedelta(days=1)).room == 0
    with pytest.raises(NotFound):
        floor.agent(database.backend, "cy", TODAY)
    # The newest run of all does not count for whom it gave nothing, nor one that is undone.
    put_agents(database, actives("Bo"))
    run_deal(database, TODAY + timedelta(days=1))
    put_agents(database, actives("Al", "Bo"))
    last = {row.agent: row.last_dealt for row in floor.agents(database.backend, TODAY)}
    assert last == {"Al": TODAY, "Bo": TODAY + timedelta(days=1)}
    undo(database)
    assert floor.agent(database.backend, "Bo", TODAY).last_dealt == TODAY


def test_agents_in_several_rows_are_one_and_nameless_ones_none(bare_database: TestedDatabase) -> None:
    put_agents(
        bare_database,
        [("Al", "inactive"), ("Al", " Active"), ("Bo", None), ("Bo", "inactive"), (None, "active"), ("  ", "active")],
    )
    put_assignments(bare_database, ("Al", "1"), ("Al", "1"), (None, "2"), ("Bo", None))
    assert floor.agents(bare_database.backend, TODAY) == [
        AgentRow("Al", True, 2, None, None),
        AgentRow("Bo", False, 1, None, None),
    ]
    floor.set_agent_status(bare_database.backend, "Al", active=False)
    assert not floor.agent(bare_database.backend, "Al", TODAY).active
    assert bare_database.execute("SELECT status FROM dbo.agents WHERE agent = 'Al'") == [("inactive",)] * 2


def test_an_agent_is_added_once(database: TestedDatabase) -> None:
    check_adding(database)


def test_an_agent_is_added_once_to_a_table_without_a_key(bare_database: TestedDatabase) -> None:
    check_adding(bare_database)


def check_adding(database: TestedDatabase) -> None:
    for name in ODD:
        floor.add_agent(database.backend, name)
        with pytest.raises(AlreadyExists):
            floor.add_agent(database.backend, name, active=False)
    floor.add_agent(database.backend, "idle", active=False)
    found = {row.agent: row.active for row in floor.agents(database.backend, TODAY)}
    assert found == {**dict.fromkeys(ODD, True), "idle": False}
    for name in ("", "  ", "x" * 256):
        with pytest.raises(ParameterOutOfRange):
            floor.add_agent(database.backend, name)


def test_a_key_that_takes_two_names_for_one_has_the_last_word(bare_database: TestedDatabase) -> None:
    # By the collation of the column, which on a server is a matter of the database, here without regard to case.
    column = "agent COLLATE NOCASE" if bare_database.engine == "sqlite" else "agent"
    where = "" if bare_database.engine == "sqlite" else " ON dbo.agents"
    bare_database.execute(f"CREATE UNIQUE INDEX one_of_a_name ON dbo.agents ({column})")
    try:
        floor.add_agent(bare_database.backend, "Al")
        with pytest.raises(AlreadyExists):
            floor.add_agent(bare_database.backend, "AL")
        floor.add_agent(bare_database.backend, "Bo")
        assert [row.agent for row in floor.agents(bare_database.backend, TODAY)] == ["Al", "Bo"]
    finally:
        bare_database.execute(f"DROP INDEX one_of_a_name{where}")


def test_of_two_who_add_the_same_agent_at_once_one_does(bare_database: TestedDatabase) -> None:
    def add(_: int) -> bool:
        try:
            floor.add_agent(bare_database.backend, "Al")
        except AlreadyExists:
            return False
        return True

    for _ in range(5):
        bare_database.execute("DELETE FROM dbo.agents")
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(add, range(4))) == 1
        assert bare_database.execute("SELECT agent FROM dbo.agents") == [("Al",)]


def test_an_agent_is_deactivated_and_activated(database: TestedDatabase) -> None:
    put_agents(database, actives("Al", "al"))
    floor.set_agent_status(database.backend, "Al", active=False)
    assert [row.active for row in floor.agents(database.backend, TODAY)] == [False, True]
    floor.set_agent_status(database.backend, "Al", active=True)
    assert [row.active for row in floor.agents(database.backend, TODAY)] == [True, True]
    with pytest.raises(NotFound):
        floor.set_agent_status(database.backend, "AL", active=True)


# ---- Assignments


def test_assignments_are_told_with_their_lead_in_pages(database: TestedDatabase) -> None:
    put_agents(database, actives("Al", "Bo"))
    put_leads(database, fresh(11))
    run_deal(database)
    put_assignments(database, ("Al", "gone"))
    whole = floor.assignments(database.backend, count=100)
    assert whole == [
        *(Assignment("AlBo"[index % 2 * 2 :][:2], f"{index + 1:06}", 2, RECENT) for index in range(11)),
        Assignment("Al", "gone", None, None),
    ]
    for count in (1, 3, 12):
        assert whole == pages(
            lambda after, count=count: floor.assignments(database.backend, after=after, count=count),  # type: ignore[misc]
            lambda last: (last.number, last.agent),
        )
    of_bo = floor.assignments(database.backend, agent="Bo", count=100)
    assert of_bo == [assignment for assignment in whole if assignment.agent == "Bo"]
    assert floor.assignments(database.backend, agent="Bo", after=("000004", "Bo"), count=1) == of_bo[2:3]
    assert floor.assignments(database.backend, agent="bo", count=1) == []


def test_assignments_of_a_table_without_a_key(bare_database: TestedDatabase) -> None:
    put_agents(bare_database, actives("Al"))
    # Dealt is the first of the two in deal order, so that one is told, though the other has the higher stage by then.
    put_leads(bare_database, [("1", 1, RECENT), ("1", 3, RECENT + timedelta(days=1)), ("2", None, None)])
    run_deal(bare_database)
    put_assignments(bare_database, ("Bo", "1"), ("Al", "1"), (None, "1"), ("Al", None), ("Al", "2"), ("Zoe", "Z"))
    whole = floor.assignments(bare_database.backend, count=100)
    assert whole == [
        Assignment("", "1", 3, RECENT + timedelta(days=1)),
        Assignment("Al", "1", 2, RECENT),
        Assignment("Bo", "1", 3, RECENT + timedelta(days=1)),
        Assignment("Al", "2", None, None),
        Assignment("Zoe", "Z", None, None),
    ]
    for count in (1, 2):
        assert whole == pages(
            lambda after, count=count: floor.assignments(bare_database.backend, after=after, count=count),  # type: ignore[misc]
            lambda last: (last.number, last.agent),
        )


def test_a_run_and_an_undo_change_the_version_of_the_deal(database: TestedDatabase) -> None:
    put_agents(database, actives("Al"))
    put_leads(database, fresh(2))
    seen = [floor.deal_version(database.backend)]
    assert floor.deal_version(database.backend) == seen[0]
    for act in (run_deal, run_deal, undo, run_deal, undo, undo):
        act(database)
        seen.append(floor.deal_version(database.backend))
    assert len(set(seen)) == len(seen)


def test_what_a_run_dealt_stays_on_record_in_pages(database: TestedDatabase) -> None:
    put_agents(database, actives("Al", "Bo"))
    put_leads(database, fresh(5))
    run_id = run_deal(database).run_id
    run_deal(database)
    whole = floor.run_assignments(database.backend, run_id, count=100)
    assert whole[:2] == [DealtLead("Al", "000001", RECENT, 1), DealtLead("Bo", "000002", RECENT, 1)]
    assert len(whole) == 5
    assert whole == pages(
        lambda after: floor.run_assignments(database.backend, run_id, after=after, count=2), lambda last: last.number
    )
    with pytest.raises(NotFound):
        floor.run_assignments(database.backend, run_id + 100, count=1)


# ---- Leads


def test_leads_are_found_by_stage_and_day(database: TestedDatabase) -> None:
    put_agents(database, actives("Al"))
    midnight = datetime.combine(TODAY, time.min)
    rows = [("a", 1, midnight), ("b", 2, midnight + timedelta(hours=23, minutes=59)), ("c", 2, midnight)]
    put_leads(
        database, [*rows, ("d", 4, midnight + timedelta(days=1)), ("A", 1, midnight - timedelta(milliseconds=10))]
    )
    put_do_not_contact(database, ["b"])
    put_assignments(database, ("Al", "c"), ("Bo", "unknown"))

    def found(**filters: Any) -> str:
        return "".join(lead.number for lead in floor.leads(database.backend, count=100, **filters))

    assert found() == "Aabcd"
    assert found(stage=2) == "bc"
    assert found(stage=2, number="c") == "c"
    assert found(date_from=TODAY) == "abcd"
    assert found(date_to=TODAY) == "Aabc"
    assert found(date_from=TODAY, date_to=TODAY) == "abc"
    assert found(date_to=date.max) == "Aabcd"
    assert found(date_from=date.min, stage=4) == "d"
    (lead,) = floor.leads(database.backend, number="b", count=1)
    assert lead == Lead("b", 2, rows[1][2], None, True, 1)
    (lead,) = floor.leads(database.backend, number="c", count=1)
    assert lead == Lead("c", 2, midnight, "Al", False, 1)
    for count in (1, 2, 5):
        assert floor.leads(database.backend, count=100) == pages(
            lambda after, count=count: floor.leads(database.backend, after=after, count=count),  # type: ignore[misc]
            lambda last: (last.number, last.stage, last.date),
        )


def test_leads_are_found_by_a_number_in_its_common_spellings(database: TestedDatabase) -> None:
    stored = ["+4915112345678", "004915112345679", "4915112345680", "015112345678", "+49 1511/234-5681"]
    put_leads(database, [(number, 1, RECENT) for number in stored])

    def found(number: str) -> list[str]:
        return [lead.number for lead in floor.leads(database.backend, number=number, count=9)]

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


def test_leads_of_a_table_without_a_key_are_told_once_with_their_copies(bare_database: TestedDatabase) -> None:
    later = RECENT + timedelta(milliseconds=7)
    rows: list[Any] = [
        ("1", 2, RECENT), ("1", 2, RECENT), ("1", 2, later), ("1", None, None), ("1", None, None), ("1", 1, None),
        ("2", 1, RECENT), (None, 1, RECENT), ("", 1, RECENT), ("  ", 1, RECENT), ("2", 9, RECENT),
    ]  # fmt: skip
    put_leads(bare_database, rows)
    put_assignments(bare_database, ("Bo", "1"), ("Al", "1"), (None, "1"))
    whole = floor.leads(bare_database.backend, count=100)
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
            assert expected == pages(
                lambda after, count=count, filters=filters: floor.leads(  # type: ignore[misc]
                    bare_database.backend, after=after, count=count, **filters
                ),
                lambda last: (last.number, last.stage, last.date),
            )


def test_pages_are_all_leads_however_their_column_sorts_them(bare_database: TestedDatabase) -> None:
    # In the code page of a VARCHAR column the euro and the dash come before ä, in Unicode after it.
    numbers = ["0151ä1", "0151€1", "0151–1", "0151-1", "01511", "0151a1", "0151A1", "0151\u00a01", "+49151", "(0151) 1"]
    put_leads(bare_database, [(number, 1, RECENT) for number in numbers])
    for count in (1, 2, 3):
        found = pages(
            lambda after, count=count: floor.leads(bare_database.backend, after=after, count=count),  # type: ignore[misc]
            lambda last: (last.number, last.stage, last.date),
        )
        assert sorted(lead.number for lead in found) == sorted(numbers)


@pytest.mark.parametrize("bare_database", ["sqlite"], indirect=True)
def test_what_is_no_date_is_none(bare_database: TestedDatabase) -> None:
    for value in ("soon", "", 7, "0000-01-01", "2026-11-13", "2026-11-13T12:00"):
        bare_database.execute("INSERT INTO dbo.wafunnel (number, stage, date) VALUES (%s, 1, %s)", f"n{value}", value)
    put_assignments(bare_database, ("Al", "nsoon"))
    found = {lead.number[1:]: lead.date for lead in floor.leads(bare_database.backend, count=9)}
    midnight = datetime(2026, 11, 13)
    assert found == {
        "soon": None, "": None, "7": None, "0000-01-01": None, "2026-11-13": midnight,
        "2026-11-13T12:00": midnight + timedelta(hours=12),
    }  # fmt: skip
    assert floor.assignments(bare_database.backend, count=9) == [Assignment("Al", "nsoon", 1, None)]


def test_a_lead_is_told_with_its_history(database: TestedDatabase) -> None:
    put_agents(database, actives("Al"))
    put_leads(database, [*fresh(1), ("idle", 4, RECENT)])
    run_id = run_deal(database).run_id
    told = floor.lead(database.backend, "000001")
    assert told.records == (Lead("000001", 2, RECENT, "Al", False, 1),)
    assert (told.number, told.agent, told.do_not_contact) == ("000001", "Al", None)
    assert [(holder.run_id, holder.agent) for holder in told.holders] == [(run_id, "Al")]
    service.add_do_not_contact(database.backend, "000001", "asked")
    told = floor.lead(database.backend, "000001")
    assert told.agent is None
    assert told.do_not_contact
    assert (told.do_not_contact.number, told.do_not_contact.reason) == ("000001", "asked")
    assert told.records[0].do_not_contact

    idle = floor.lead(database.backend, "idle")
    assert (len(idle.records), idle.agent, idle.holders) == (1, None, ())
    # A number is known by its history alone, by the list alone, by an assignment alone.
    database.execute("DELETE FROM dbo.wafunnel")
    service.remove_do_not_contact(database.backend, "000001")
    assert len(floor.lead(database.backend, "000001").holders) == 1
    service.add_do_not_contact(database.backend, "listed")
    assert floor.lead(database.backend, "listed").records == ()
    put_assignments(database, ("Al", "held"))
    assert floor.lead(database.backend, "held").agent == "Al"
    for nobody in ("idle", "+000001", ""):
        with pytest.raises(NotFound):
            floor.lead(database.backend, nobody)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_pages_and_searches_follow_the_keys(database: TestedDatabase) -> None:
    leads = dict.fromkeys(("after_number", "after_stage", "after_date", "stage", "date_from", "date_before"))
    calls: dict[str, dict[str, Any]] = {
        "leads": leads,
        "leads_of_number": {**leads, **{f"spelling_{index}": "1" for index in range(1, 6)}},
        "assignments": {"agent": None, "after_number": None, "after_agent": ""},
        "run_assignments": {"run_id": 1, "after": None},
        "lead_now": {"number": "1"},
    }
    for name, parameters in calls.items():
        rows = database.raw.execute(f"EXPLAIN QUERY PLAN {queries('sqlite')[name]}", {**parameters, "count": 9})
        plan = [row[3] for row in rows.fetchall()]
        # Of what is scanned, all are pages: a few rows.
        assert not [step for step in plan if step.startswith("SCAN") and step[5:6] in ("w", "a", "h", "d", "v")], plan
        assert [step for step in plan if "PRIMARY KEY (" in step], plan


# ---- The pool


def counted(
    database: TestedDatabase, leads: list[Any], listed: set[str], newest_first: bool, window_days: int
) -> PoolReport:
    """The report, in plain Python."""
    oldest = datetime.combine(TODAY - timedelta(days=window_days), time.min)
    held = {number for (number,) in database.execute("SELECT number FROM dbo.agent_wafunnel_assignment")}

    def reason(number: str | None, stage: int | None, created: datetime | None) -> str:
        if number is None or not number.strip() or stage is None or created is None:
            return "unusable"
        if number in held:
            return "dealt"
        if stage >= 4:
            return "at_stage_4"
        if created < oldest:
            return "too_old"
        return "do_not_contact" if number in listed else "left_over"

    reasons = [reason(*lead) for lead in leads]
    firsts: dict[str, Any] = {}
    pool = [lead for lead, why in zip(leads, reasons, strict=True) if why == "left_over"]
    for number, stage, created in sorted(pool, key=lambda lead: lead[2], reverse=newest_first):
        if number not in firsts or stage < firsts[number][1]:
            firsts[number] = (number, stage, created)
    counts = Counter(
        "duplicate" if why == "left_over" and lead != firsts[lead[0]] else why
        for lead, why in zip(leads, reasons, strict=True)
    )
    names = ("dealt", "left_over", "at_stage_4", "too_old", "do_not_contact", "duplicate", "unusable")
    return PoolReport(TODAY, **{name: counts[name] for name in names}, total=len(leads))


def report(database: TestedDatabase, **rules: Any) -> PoolReport:
    return floor.pool_report(database.backend, load(**{"window_days": 45, "newest_first": False, **rules}), TODAY)


def test_each_lead_is_counted_once_by_the_first_reason(bare_database: TestedDatabase) -> None:
    assert report(bare_database) == PoolReport(TODAY, 0, 0, 0, 0, 0, 0, 0, 0)
    old = OLDEST - timedelta(milliseconds=10)
    put_leads(
        bare_database,
        [
            (None, 1, RECENT), ("  ", 4, old), ("u", None, RECENT), ("u", 1, None), ("held", None, RECENT),
            ("held", 4, old), ("held", 1, RECENT), ("held", 2, RECENT),
            ("listed", 4, old), ("listed", 4, RECENT), ("listed", 3, old), ("listed", 3, RECENT), ("listed", 1, RECENT),
            ("x", 1, OLDEST), ("x", 1, OLDEST), ("x", 1, RECENT), ("x", 2, OLDEST), ("x", 4, RECENT), ("y", 3, RECENT),
        ],
    )  # fmt: skip
    put_do_not_contact(bare_database, ["listed", "held", "nobody"])
    put_assignments(bare_database, (None, "held"), ("Al", "held"), ("Al", None), ("Al", "nobody"))
    assert report(bare_database) == PoolReport(
        TODAY, dealt=3, left_over=3, at_stage_4=3, too_old=1, do_not_contact=2, duplicate=2, unusable=5, total=19
    )
    assert report(bare_database, newest_first=True).left_over == 2
    assert report(bare_database, newest_first=True).duplicate == 3


def test_what_a_run_deals_is_what_the_report_had_left_over(database: TestedDatabase) -> None:
    put_agents(database, actives("Al", "Bo"))
    put_leads(database, fresh(9))
    before = report(database)
    assert (before.left_over, before.dealt) == (9, 0)
    run = run_deal(database, max_per_agent=3)
    after = report(database)
    assert (after.dealt, after.left_over) == (run.assigned, run.left_over) == (6, 3)
    undo(database)
    assert report(database) == before


@property_test(st.data(), st.booleans(), st.sampled_from([0, 3, 45]), st.booleans())
def test_the_report_is_that_of_a_plain_count(
    bare_database: TestedDatabase, data: st.DataObject, newest_first: bool, window_days: int, dealt: bool
) -> None:
    leads = data.draw(messy_rows(data.draw(piles(TODAY, window_days, "", 8)), TODAY, window_days))
    put_leads(bare_database, leads)
    numbers = sorted({number for number, _, _ in leads if number and number.strip()})
    listed = set(data.draw(st.lists(st.sampled_from(numbers), max_size=5))) if numbers else set()
    put_do_not_contact(bare_database, listed)
    if dealt:
        put_agents(bare_database, actives("Al", "Bo"))
        run_deal(bare_database, newest_first=newest_first, window_days=window_days, max_per_agent=2)
    stored = [
        (number, stage, None if created is None else _moment(created))
        for number, stage, created in bare_database.execute("SELECT number, stage, date FROM dbo.wafunnel")
    ]
    found = report(bare_database, newest_first=newest_first, window_days=window_days)
    assert found == counted(bare_database, stored, listed, newest_first, window_days)
    assert found.total == len(leads)


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
