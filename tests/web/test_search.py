"""The search at the top of every page: what it finds, where it leads, and what viewers do not find."""

from __future__ import annotations

import re
from datetime import date

import pytest

from agent_funnel.agents import add_agent, assignments
from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.numbers import take_in
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today
from support.pages import Reader, reader_of

pytestmark = pytest.mark.sqlserver_if_long


@pytest.fixture
def reader(database: TestedDatabase) -> Reader:
    """A browser on a floor with ten leads, and with agents whose names are alike."""
    seed_tables(database, leads=10, agents=1)
    take_in(database.backend)
    for name in ("João Pedro", "Joana", "Ana", "Agent 0007"):
        add_agent(database.backend, name)
    return reader_of(database)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("joao", "/agents/of?agent=Jo%C3%A3o+Pedro"),
        (" PEDRO ", "/agents/of?agent=Jo%C3%A3o+Pedro"),
        ("+49 3000 00004", "/leads/of?number=%2B49300000004"),
        ("0049300000004", "/leads/of?number=%2B49300000004"),
        # The only number that ends so, too.
        ("0004", "/leads/of?number=%2B49300000004"),
        ("00004", "/leads/of?number=%2B49300000004"),
    ],
)
def test_one_hit_leads_to_its_page(reader: Reader, text: str, place: str) -> None:
    answer = reader.client.get("/search", query_string={"q": text}, headers=reader.headers)
    assert (answer.status_code, answer.location) == (302, place)


def test_several_hits_are_listed_the_likeliest_first(reader: Reader) -> None:
    page = reader.get("/search", q="ana")
    assert "Search: ana Agents Ana Joana" in page
    page = reader.get("/search", q="0007")
    assert "Numbers +49 30 0000007 nobody Agents Agent 0007" in page
    assert {"/leads/of?number=%2B49300000007", "/agents/of?agent=Agent+0007"} <= {*page.links}


def test_each_of_several_numbers_says_who_has_it_since_when(database: TestedDatabase, reader: Reader) -> None:
    database.insert("wafunnel", ("number", "stage", "date"), [("+31300000004", 1, f"{date.today()}")])
    take_in(database.backend)
    deal_today(database)
    page = reader.get("/search", q="0004")
    assert "These numbers end like it." in page
    holders = {each.number: each.agent for each in assignments(database.backend, count=100)}
    for number, shown in (("+31300000004", "+31 30 000 0004"), ("+49300000004", "+49 30 0000004")):
        assert re.search(rf"{re.escape(shown)} {holders[number]}, since today, \d\d:\d\d", page.text), page
    # A whole number that only ends alike is not taken for the one that was meant.
    assert "This number ends like it. +49 30 0000003" in reader.get("/search", q="+55 11 3000 00003")


def test_the_field_of_leads_finds_endings_too(database: TestedDatabase, reader: Reader) -> None:
    assert "+49 30 0000004 called once" in reader.get("/leads", number="0004")
    # Where another condition leaves it out, it is named, and the page of the text offers no list.
    page = reader.get("/leads", number="0004", stage="4")
    assert "This stored number ends alike: +49 30 0000004 nobody" in page
    assert "in advance" not in page
    page = reader.get("/leads", number="777777")
    assert "ends alike" not in page
    assert "You can also add it to that list in advance." in page


def test_a_listed_number_without_a_lead_is_found(database: TestedDatabase, reader: Reader) -> None:
    add_do_not_contact(database.backend, "+49301112223")
    assert reader.client.get("/search?q=00493011-12223", headers=reader.headers).status_code == 302


def test_many_agents_are_bounded_and_lead_to_the_list(database: TestedDatabase, reader: Reader) -> None:
    for number in range(25):
        add_agent(database.backend, f"temp {number:02}")
    page = reader.get("/search", q="temp")
    assert "5 more agents" in page
    assert "temp 19" in page
    assert "temp 20" not in page
    assert "/agents?find=temp" in page.links


@pytest.mark.parametrize("text", ["", "\x00", "x" * 256, "<b>", "%", "\u202e'--", "12", "(((", "😀"])
def test_any_text_may_be_searched(reader: Reader, text: str) -> None:
    page = reader.get("/search", q=text)
    assert "<b>" not in page.source


def test_viewers_find_agents_and_no_numbers(database: TestedDatabase, reader: Reader) -> None:
    viewer = reader_of(database, "viewer")
    assert viewer.client.get("/search?q=joana", headers=viewer.headers).location == "/agents/of?agent=Joana"
    for text in ("+49300000004", "0004", "300000004", "49300000004"):
        page = viewer.get("/search", q=text)
        assert "Only operators find leads by their numbers." in page
        assert not [link for link in page.links if "number=" in link]
    # A number that exists and one that does not look alike.
    known, unknown = viewer.get("/search", q="+49300000004"), viewer.get("/search", q="+49300000904")
    assert known.text.replace("0000004", "0000904") == unknown.text


def test_the_field_is_on_every_page_of_those_who_are_signed_in(database: TestedDatabase, reader: Reader) -> None:
    viewer = reader_of(database, "viewer")
    for path in ("/", "/agents", "/calendar", "/search"):
        assert 'id="everywhere"' in viewer.get(path).source
    assert 'id="everywhere"' not in viewer.client.get("/sign-in").text
