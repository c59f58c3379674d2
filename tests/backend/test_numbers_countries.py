"""Another country of the sales floor: keys of the old one stay in their table, and nothing goes by them any more."""

from __future__ import annotations

import pytest

from agent_funnel.database import Database
from agent_funnel.deal import undo
from agent_funnel.do_not_contact import do_not_contact_of, look_up_several
from agent_funnel.doctor import deep
from agent_funnel.doctor.check import Finding, findings
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.leads import lead_history, pool_report, search_leads
from agent_funnel.numbers import match_key, stored_alike, take_in
from agent_funnel.rules import record_rules
from agent_funnel.settings import load
from support.calls import Connected
from support.databases import TestedDatabase
from support.doctor import examination, run_remedy
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    numbers_by_agent,
    put_agents,
    put_assignments,
    put_do_not_contact,
    put_leads,
    run_deal,
)

# One number in Brazil, and two numbers without a country:
NATIONAL, WHOLE = "11987654321", "+5511987654321"


@pytest.fixture
def moved(database: TestedDatabase) -> TestedDatabase:
    """A floor that was in Brazil, and kept the keys of its two leads, and that now has no country."""
    put_agents(database, active_agents("A"))
    put_leads(database, [(NATIONAL, 1, RECENT), (WHOLE, 1, RECENT)])
    record_rules(database.backend, {"country": "BR"}, actor="Ana")
    assert take_in(database.backend) == 2
    record_rules(database.backend, {"country": "none"}, actor="Ana")
    return database


@pytest.mark.parametrize("recorded", [True, False])
def test_a_national_number_is_matched_in_the_country_that_is_recorded_or_set(
    database: TestedDatabase, connected: Connected, recorded: bool
) -> None:
    backend = connected(database, country=None if recorded else "BR")
    if recorded:
        record_rules(backend, {"country": "BR"}, actor="Ana")
    put_agents(database, active_agents("A", "B"))
    put_leads(database, [(number, 1, RECENT) for number in (WHOLE, "(11) 98765-4322", "+5511987654322")])
    put_do_not_contact(database, [NATIONAL])
    run = run_deal(database, country=None if recorded else "BR")
    assert (run.assigned, run.duplicates, run.suppressed) == (1, 1, 1)
    assert found(backend, "11 98765-4322") == [("(11) 98765-4322", False), ("+5511987654322", False)]
    assert match_key(backend, NATIONAL) == "551187654321" == match_key(backend, WHOLE)


def found(backend: Database, number: str) -> list[tuple[str, bool]]:
    return [(lead.number, lead.do_not_contact) for lead in search_leads(backend, number=number, count=9)]


def test_a_search_goes_by_the_present_country(moved: TestedDatabase, connected: Connected) -> None:
    backend, here = moved.backend, connected(moved, country="BR")
    # Until the service has taken the numbers in again, only as they are written:
    assert (found(backend, "551187654321"), found(backend, WHOLE)) == ([], [(WHOLE, False)])
    put_do_not_contact(moved, [NATIONAL])
    # Its keys without a country, which the keys of Brazil do not make superfluous:
    assert (take_in(backend), take_in(here)) == (2, 0)
    assert found(backend, WHOLE) == [(WHOLE, False)]
    assert found(backend, NATIONAL) == [(NATIONAL, True)]
    assert [lead.do_not_contact for lead in search_leads(backend, count=9)] == [False, True]
    assert (stored_alike(backend, "87654321"), found(backend, "551187654321")) == ([WHOLE, NATIONAL], [(WHOLE, False)])
    assert found(here, WHOLE) == [(WHOLE, True), (NATIONAL, True)] == found(here, "551187654321")
    assert [lead.do_not_contact for lead in search_leads(here, count=9)] == [True, True]


def test_the_page_of_a_number_goes_by_the_present_country(moved: TestedDatabase, connected: Connected) -> None:
    backend, here = moved.backend, connected(moved, country="BR")
    run_deal(moved)
    put_do_not_contact(moved, [NATIONAL])
    whole = lead_history(backend, WHOLE)
    assert ([lead.number for lead in whole.records], len(whole.holders), whole.do_not_contact) == ([WHOLE], 1, ())
    moved.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE number = %s", WHOLE)
    assert [lead_history(database, WHOLE).agent for database in (backend, here)] == [None, "A"]
    both = lead_history(here, WHOLE)
    assert (len(both.records), len(both.holders), len(both.do_not_contact)) == (2, 2, 1)
    assert [len(do_not_contact_of(database, WHOLE)) for database in (backend, here)] == [0, 1]
    assert [len(look_up_several(database, [WHOLE])) for database in (backend, here)] == [0, 1]


def test_the_report_on_the_pool_goes_by_the_present_country(moved: TestedDatabase, connected: Connected) -> None:
    put_do_not_contact(moved, [NATIONAL])
    take_in(moved.backend)
    reports = [pool_report(each, load(), TODAY) for each in (moved.backend, connected(moved, country="BR"))]
    assert [(report.do_not_contact, report.left_over) for report in reports] == [(1, 1), (2, 0)]


@pytest.mark.parametrize("country", [None, "BR"])
def test_an_undo_goes_by_the_present_country(moved: TestedDatabase, connected: Connected, country: str | None) -> None:
    """That of the settings, if they name one; not that of the run."""
    run_deal(moved)
    run_deal(moved)
    put_do_not_contact(moved, [NATIONAL])
    done = undo(connected(moved, country=country))
    assert (done.assignments, done.suppressed) == ((1, 1) if country is None else (0, 2))
    assert numbers_by_agent(moved) == ({"A": [WHOLE]} if country is None else {})


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_an_undo_in_an_unknown_country_is_refused(database: TestedDatabase, connected: Connected) -> None:
    backend = connected(database)
    backend.country = "XX"
    with pytest.raises(
        ParameterOutOfRange, match=r"country is 'XX'; it must be none or one of BR, .* Nothing was changed\."
    ):
        undo(backend)


def test_the_doctor_goes_by_the_present_country(moved: TestedDatabase, connected: Connected) -> None:
    put_do_not_contact(moved, [NATIONAL])
    put_assignments(moved, ("A", WHOLE))
    take_in(moved.backend)

    def listed(backend: Database) -> Finding:
        exam = examination(backend, schema=moved.schema if moved.engine == "sqlserver" else None)
        (finding,) = findings("do-not-contact", deep.suppressed, exam)
        return finding

    assert listed(moved.backend).text == "No assigned number is on the do-not-contact list."
    found_here = listed(connected(moved, country="BR"))
    assert found_here.text == "1 number is assigned and on the do-not-contact list (…321)."
    run_remedy(moved, found_here)
    assert numbers_by_agent(moved) == {}
