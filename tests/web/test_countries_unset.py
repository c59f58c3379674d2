"""While no country is set, pages say which numbers are known with, or without, their country code; on each engine."""

from __future__ import annotations

from io import BytesIO

import pytest

from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.imports import import_file
from agent_funnel.numbers import take_in
from agent_funnel.rules import record_rules
from support.databases import TestedDatabase, seed_tables
from support.pages import Page, Reader, reader_of

# tests/backend runs the queries of these pages on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

DO_NOT_CALL = "+5511990027679"
ASKED = "(11) 99002-7679"
BOTH = "But with or without its country code, it is: +55 11 99002-7679 is on the list direct requests since"


@pytest.fixture
def floor(database: TestedDatabase) -> TestedDatabase:
    seed_tables(database, agents=1)
    import_file(database.backend, "leads", BytesIO(b"number,date\n+5511990001703,2026-11-20\n"), name="f")
    add_do_not_contact(database.backend, DO_NOT_CALL)
    return database


def set_country(floor: TestedDatabase) -> None:
    record_rules(floor.backend, {"country": "BR"}, actor="test")
    # The service does this within a minute.
    take_in(floor.backend)


def checked(reader: Reader, address: str, text: str, **choices: str) -> Page:
    return Page(reader.send(address, what="check", file=(BytesIO(text.encode()), "f.csv"), **choices).text)


def test_a_check_warns_before_its_button_and_says_who_sets_the_country(floor: TestedDatabase) -> None:
    text = f"number,date\n{ASKED},2026-11-20\n11 99000-1703,2026-11-20\n"
    reader = reader_of(floor, "admin")
    page = checked(reader, "/leads/import", text)
    warning = (
        "1 number is like one of your leads, apart from the country code. 1 number is like one on a do-not-contact "
        "list, apart from the country code. For example, +55 11 99002-7679 is stored. While no country is set, they "
        "count as different numbers, and may be dealt."
    )
    assert f"{warning} Set the country , so that they count as one. Import 2 new leads" in page
    assert "The file is in order." not in page
    assert "/settings#country" in page.links
    page = checked(reader_of(floor, "operator"), "/leads/import", text)
    assert (
        f"{warning} When an admin sets the country, on the page Settings, they count as one. Import 2 new leads" in page
    )
    page = checked(reader, "/numbers/import", "number\n11990001703\n", list_name="own requests")
    assert "1 number is like one of your leads, apart from the country code." in page
    # What has no such number is as it was.
    page = checked(reader, "/leads/import", "number,date\n11 99000-1799,2026-11-20\n")
    assert "Import 1 new lead The file is in order." in page
    set_country(floor)
    page = checked(reader, "/leads/import", text)
    assert "Already there 1" in page
    assert "country" not in page.source[page.source.index('role="status"') : page.source.index('id="choose"')]


def test_a_look_up_says_which_list_has_the_number_with_its_country_code(floor: TestedDatabase) -> None:
    reader = reader_of(floor, "admin")
    page = reader.get("/do-not-contact", number=ASKED)
    assert f"{ASKED} is on no list in this spelling, so it may be dealt. {BOTH}" in page
    assert "it may be dealt." not in reader.get("/do-not-contact", number=DO_NOT_CALL)
    assert "is on no list: it may be dealt." in reader.get("/do-not-contact", number="(21) 99002-7679")
    # Viewers cannot look numbers up, and see what lists keep out.
    page = reader_of(floor, "viewer").get("/do-not-contact")
    assert "A number is never dealt while any of these lists has it. While no country is set, that holds for" in page
    assert "7679" not in page.source
    set_country(floor)
    page = reader.get("/do-not-contact", number=ASKED)
    assert "99002-7679 is on the list direct requests" in page
    assert "while any of these lists has it, in any spelling." in page


def test_a_number_that_is_put_on_a_list_leads_to_the_lead_that_can_still_be_called(floor: TestedDatabase) -> None:
    reader = reader_of(floor, "operator")
    listed, lead = "(11) 99000-1703", "+5511990001703"
    warning = "With or without its country code, it is on no list, and may still be called and dealt: +55 11 99000-1703"
    # One number, and several, of which one is such a lead.
    page = reader.done("/do-not-contact/several", numbers=f"(11) 4444-5555\n{listed}")
    assert "2 numbers were added" in page
    assert warning in page
    assert "Put +55 11 99000-1703 on the list, too" in page
    page = reader.get("/leads/of", number=listed)
    assert warning in page
    assert "It is never dealt." not in page
    page = reader.done("/leads/do-not-contact", number=lead)
    for number in (listed, lead):
        page = reader.get("/leads/of", number=number)
        assert "may still be called" not in page
        assert "It is never dealt." in page
    assert "may still be called" not in reader.get("/do-not-contact", number=listed)


def test_the_page_of_a_lead_says_it_too_and_invites_nobody_to_call(floor: TestedDatabase) -> None:
    reader = reader_of(floor, "admin")
    page = reader.get("/leads/of", number=ASKED)
    assert BOTH in page
    text = "number,date\n11990027679,2026-11-20\n11990027670,2026-11-20\n"
    import_file(floor.backend, "leads", BytesIO(text.encode()), name="f")
    page = reader.get("/leads/of", number="11990027679")
    assert BOTH in page
    assert "A deal keeps out every spelling" not in page
    assert "Copy" not in page
    page = reader.get("/leads/of", number="11990027670")
    assert "It is not on the list." in page
    assert "Copy" in page
    set_country(floor)
    assert "A deal keeps out every spelling" in reader.get("/leads/of", number="11990027670")


def test_a_search_that_finds_a_number_by_its_end_says_so_and_not_that_it_found_nothing(floor: TestedDatabase) -> None:
    reader = reader_of(floor, "operator")
    page = reader.get("/leads", number="(11) 99000-1703")
    assert "No lead is written exactly so, but this one ends alike +55 11 99000-1703" in page
    assert "not found" not in page
    assert "This number was not found" in reader.get("/leads", number="(11) 99000-1799")
