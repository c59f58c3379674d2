"""While no country is set, pages say which numbers are known with, or without, their country code; on each engine."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from agent_funnel.do_not_contact import add_do_not_contact, add_number_list, list_do_not_contact
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
    assert f"{warning} With a country, they count as one. Set the country Import 2 new leads Import nothing" in page
    assert "The file is in order." not in page
    assert "/settings#country" in page.links
    page = checked(reader_of(floor, "operator"), "/leads/import", text)
    assert (
        f"{warning} When an admin sets the country, on the page Settings, they count as one. "
        "Import nothing Import 2 new leads" in page
    )
    page = checked(reader, "/numbers/import", "number\n11990001703\n", list_name="own requests")
    assert "1 number is like one of your leads, apart from the country code." in page
    assert "Import nothing" not in page
    # What has no such number is as it was.
    page = checked(reader, "/leads/import", "number,date\n11 99000-1799,2026-11-20\n")
    assert "Import 1 new lead The file is in order." in page
    set_country(floor)
    page = checked(reader, "/leads/import", text)
    assert "Already there 1" in page
    assert "country" not in page.source[page.source.index('role="status"') : page.source.index('id="choose"')]


def test_where_a_file_has_nothing_new_the_loud_button_imports_nothing(floor: TestedDatabase) -> None:
    reader = reader_of(floor, "operator")
    nothing = r'class="button primary" href="/leads">Import nothing</a>\s*'
    page = checked(reader, "/leads/import", "number,date\n(11) 99000-1703,2026-11-20\n")
    assert re.search(nothing + r'<button name="what" value="import" class="outline">Import 1 new lead<', page.source)
    page = checked(reader, "/leads/import", "number,date\n(11) 99000-1703,2026-11-20\n119,2026-11-20\n")
    assert re.search(
        nothing + r'<button name="what" value="import" class="outline">Import 1 new lead, leave', page.source
    )
    # One other lead in the file is worth the import.
    page = checked(reader, "/leads/import", "number,date\n(11) 99000-1703,2026-11-20\n11 4444-5555,2026-11-20\n")
    assert '<button name="what" value="import">Import 2 new leads' in page.source
    assert "Import 2 new leads 1 of these 2 are like numbers that are stored." in page
    assert "Import nothing" not in page
    # One that is there already is not.
    page = checked(reader, "/leads/import", "number,date\n(11) 99000-1703,2026-11-20\n+5511990001703,2026-11-20\n")
    assert re.search(nothing + r'<button name="what" value="import" class="outline">Import 1 new lead<', page.source)

    page = checked(reader, "/numbers/import", f"number\n{DO_NOT_CALL}\n", list_name="own requests")
    assert "The file has no new numbers. Import nothing" in page


def test_where_all_new_leads_are_alike_an_admin_is_led_to_the_country_first(floor: TestedDatabase) -> None:
    reader = reader_of(floor, "admin")
    page = checked(reader, "/leads/import", "number,date\n(11) 99000-1703,2026-11-20\n")
    assert re.search(
        r'class="button primary" href="/settings#country">Set the country</a>\s*'
        r'<button name="what" value="import" class="outline">Import 1 new lead</button>\s*'
        r'<a href="/leads">Import nothing</a>', page.source,
    )  # fmt: skip
    page = checked(reader, "/leads/import", "number,date\n11 4444-5555,2026-11-20\n")
    assert "Set the country" not in page


def test_a_look_up_says_which_list_has_the_number_with_its_country_code(floor: TestedDatabase) -> None:
    reader = reader_of(floor, "admin")
    page = reader.get("/do-not-contact", number=ASKED)
    assert f"{ASKED} is on no list in this spelling, so it may be dealt. {BOTH}" in page
    assert page.text.count("Set the country") == 1
    assert "Set the country" in reader.get("/do-not-contact")
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


def notice_of(page: Page) -> str:
    """The class and the text of the notice at the top of the page."""
    found = re.search(r'<p class="([^"]*)" role="status">(.*?)</p>', page.source)
    assert found
    return f"{found[1]}: {found[2]}"


def fields_of_box(page: Page) -> dict[str, str]:
    """The hidden fields of the button in the box, which is above all sections of the page."""
    return Page(page.source[: page.source.index("<h2")]).forms["/do-not-contact/several"]


def test_of_numbers_that_are_put_on_a_list_all_others_that_can_be_called_are_shown_with_one_button(
    floor: TestedDatabase,
) -> None:
    reader = reader_of(floor, "operator")
    add_number_list(floor.backend, "partner")
    rows = "".join(f"+55119900018{place:02},2026-11-20\n" for place in range(12))
    import_file(floor.backend, "leads", BytesIO(f"number,date\n{rows}".encode()), name="f")
    floor.insert("agent_wafunnel_assignment", ("agent", "number"), [("agent 0", "+5511990001811")])
    asked = [f"11 4444-{place:04}" for place in range(60)] + [f"(11) 99000-18{place:02}" for place in range(12)]
    numbers = "\n".join(asked)
    answer = reader.send("/do-not-contact/several", numbers=numbers, list_name="partner", reason="they asked")
    # The page is the answer itself, so that no address has the numbers.
    assert (answer.status_code, answer.headers.get("Location")) == (200, None)
    page = Page(answer.text)
    assert notice_of(page) == (
        "notice careful: 72 numbers were added to the list partner. 12 numbers can still be called in another spelling."
    )
    assert "12 numbers can still be called and dealt. Apart from the country code they are numbers on the list" in page
    assert "Put these 12 numbers on the list partner, too +55 11 99000-1800 nobody" in page
    assert "and 2 more +55 11 99000-1810 nobody +55 11 99000-1811 agent 0 When an admin sets the country" in page
    assert page.text.index("and 2 more") < page.text.index("Look up a number")
    left = fields_of_box(page)
    assert left["numbers"].splitlines() == [f"+55119900018{place:02}" for place in range(12)]
    page = reader.done("/do-not-contact/several", **left)
    assert notice_of(page) == "notice: 12 numbers were added to the list partner. 1 lead was taken off an agent’s list."
    assert "can still be called" not in page
    entries = {each.number: each for each in list_do_not_contact(floor.backend, list_name="partner")}
    assert entries["+5511990001811"].reason == entries["(11) 99000-1811"].reason == "they asked"


def test_a_number_on_a_list_names_its_other_spelling_that_can_still_be_called(floor: TestedDatabase) -> None:
    reader = reader_of(floor, "operator")
    add_number_list(floor.backend, "partner")
    listed, lead = "(11) 99000-1703", "+5511990001703"
    warning = "+55 11 99000-1703 can still be called and dealt. Apart from the country code it is the number on the"
    add_do_not_contact(floor.backend, listed, "she asked", list_name="partner")
    for address in ("/leads/of", "/do-not-contact"):
        page = reader.get(address, number=listed)
        assert page.text.index(warning) < page.text.index("Look up a number" if "not" in address else "On the list")
        assert "Put +55 11 99000-1703 on the list partner, too" in page
        assert "It is never dealt." not in page
        # From the other spelling, too.
        page = reader.get(address, number=lead)
        assert "is on the list partner since" in page
        assert "Reason: she asked. Put +55 11 99000-1703 on the list partner, too" in page
    fields = fields_of_box(reader.get("/leads/of", number=listed))
    assert fields == {"numbers": lead, "list_name": "partner", "reason": "she asked", "lead": listed}
    page = reader.done("/do-not-contact/several", **fields)
    assert "It is never dealt." in page
    assert "can still be called" not in page
    for number in (listed, lead):
        assert "can still be called" not in reader.get("/do-not-contact", number=number)


def test_the_notice_of_one_number_is_green_only_if_nobody_can_call_it(floor: TestedDatabase) -> None:
    reader = reader_of(floor, "operator")
    page = reader.done("/leads/do-not-contact", number="(11) 99000-1703")
    assert notice_of(page) == (
        "notice careful: The number is on the list, but can still be called in another spelling. No agent had it."
    )
    page = reader.done("/leads/do-not-contact", number="+5511990001703")
    assert notice_of(page) == "notice: This number will not be contacted again. No agent had it."


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
