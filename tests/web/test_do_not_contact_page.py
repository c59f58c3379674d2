"""The page of the do-not-contact lists: ages, looking a number up, adding, taking off, and what viewers see."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from agent_funnel.access.audit import list_entries
from agent_funnel.deal import deal
from agent_funnel.do_not_contact import add_number_list, list_do_not_contact
from agent_funnel.settings import load
from support.databases import TestedDatabase, seed_tables
from support.outcomes import tell
from support.pages import Reader, reader_of

pytestmark = pytest.mark.sqlserver_if_long

REGISTER = "national register"


@pytest.fixture
def keeper(database: TestedDatabase) -> Reader:
    """A browser on a floor that has dealt ten leads, and has an old list besides that of own requests."""
    seed_tables(database, leads=10, agents=2)
    add_number_list(database.backend, REGISTER, source="the office", bound_days=30)
    database.execute("UPDATE dbo.do_not_contact_list SET added_at = '2026-01-01 00:00:00' WHERE name = %s", REGISTER)
    # Other tests leave the list of own requests with a date of theirs.
    database.execute(
        "UPDATE dbo.do_not_contact_list SET added_at = %s WHERE name <> %s", f"{datetime.now(UTC):%F %T}", REGISTER
    )
    deal(database.backend, load(), business_date=datetime.now(UTC).date())
    return reader_of(database)


def numbers_on(database: TestedDatabase) -> dict[str, str]:
    """All entries: the number and its list."""
    return {each.number: each.list_name for each in list_do_not_contact(database.backend)}


def test_reasons_that_a_program_gave_are_in_the_language_of_the_page(database: TestedDatabase, keeper: Reader) -> None:
    ((number,),) = database.execute("SELECT min(number) FROM dbo.agent_wafunnel_assignment")
    tell(database, number, "opted_out")
    keeper.done("/do-not-contact/several", numbers="+4930111222", reason="outcomes, said Ana")
    german = Reader(keeper.client, **{"Accept-Language": "de"})
    page = german.get("/do-not-contact", number=number)
    assert "Grund: Ergebnisse, die Agenten melden." in page
    assert re.search(r": ein Agent hat es nach Verteilung \d+ gemeldet", page.text)
    assert "outcomes that agents" not in page
    # What people wrote stays as it is.
    assert ": outcomes, said Ana" in german.get("/do-not-contact", number="+4930111222")


def test_numbers_are_added_looked_up_and_taken_off(database: TestedDatabase, keeper: Reader) -> None:
    page = keeper.get("/do-not-contact")
    assert "direct requests : 0 numbers." in page
    assert "/numbers/import" in page.links
    assert page.text.index("direct requests :") < page.text.index(f"{REGISTER} :")
    sorted_by_age = keeper.get("/do-not-contact?sort=age").text
    assert sorted_by_age.index(f"{REGISTER} :") < sorted_by_age.index("direct requests :")
    assert "days old, import it again Never imported. A new import is due after 30 days. Source: the office." in page
    added = keeper.done(
        "/do-not-contact/several", numbers=" +49 300000001\n\n+49300000002\r\n+49300000001", reason="asked us"
    )
    assert "2 numbers were added to the list direct requests. 2 leads were taken off" in added
    found = keeper.get("/do-not-contact", number="0049300000001")
    assert "is on the list direct requests since" in found
    assert ": asked us Take off" in found
    off = keeper.done("/leads/do-not-contact/remove", number="+49300000002", list_name="own requests", page="lists")
    assert "+49300000002 is on no list: it may be dealt." in off
    taken = keeper.done("/do-not-contact/several/remove", numbers="+49300000001\n+49300000009")
    assert "1 number was taken off the list direct requests." in taken
    assert numbers_on(database) == {}
    # The audit has how many, and none of the numbers.
    targets = [entry.target or "" for entry in list_entries(database.backend, count=50)]
    assert "2 numbers, own requests" in targets
    assert not [target for target in targets if "300000001" in target]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ("\n \n", "There are 0 numbers; 1 to 1,000 are possible at once"),
        ("\n".join(f"+4930{number:07}" for number in range(1001)), "There are 1,001 numbers"),
        ("+49300000001\nBruno", "Nothing was changed"),
    ],
)
def test_all_numbers_are_added_or_none(database: TestedDatabase, keeper: Reader, numbers: str, words: str) -> None:
    refused = keeper.refused(422, "/do-not-contact/several", numbers=numbers)
    assert words in refused
    assert numbers.strip()[:20] in refused.source
    assert numbers_on(database) == {}


def test_a_list_is_created_with_a_bound_or_without(database: TestedDatabase, keeper: Reader) -> None:
    assert "The list partner is there" in keeper.done("/do-not-contact/lists", name="partner", bound_days="7")
    keeper.done("/do-not-contact/lists", name="court", bound_days="")
    page = keeper.get("/do-not-contact")
    assert "partner : 0 numbers. Never imported. A new import is due after 7 days." in page
    assert "court : 0 numbers. Add" in page
    assert "already" in keeper.refused(409, "/do-not-contact/lists", name="court")
    assert "must be at least 1" in keeper.refused(422, "/do-not-contact/lists", name="x", bound_days="0")


def test_viewers_see_the_lists_but_no_number_and_no_form(database: TestedDatabase, keeper: Reader) -> None:
    add_number_list(database.backend, "for +49300000777", reason="ask +49300000778")
    keeper.done("/do-not-contact/several", numbers="+49300000001")
    viewer = reader_of(database, "viewer")
    page = viewer.get("/do-not-contact")
    assert "direct requests : 1 number." in page
    assert not [action for action in page.forms if "do-not-contact" in action]
    assert not [digits for digits in ("0000777", "0000778", "0000001") if digits in page.source]
    assert viewer.get("/do-not-contact", 403, number="+49300000001")
