"""Numbers on pages: grouped for people, and as they are stored wherever a program reads them."""

from __future__ import annotations

import csv
import re
from html import escape, unescape
from urllib.parse import quote, unquote

import pytest

from agent_funnel.access.links import make_link
from agent_funnel.do_not_contact import add_do_not_contact
from support.databases import TestedDatabase
from support.nights import deal_today
from support.pages import BROWSER, bearer, client_of, key_of, reader_of

# tests/backend runs the queries of these pages on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

ATTACK = "<script>alert('+5511987654399')</script>"
# Numbers as they are stored, and as people see them:
SHOWN = {
    "+5511987654321": "+55 11 98765-4321",
    "5521987654321": "+55 21 98765-4321",
    "004915112345678": "+49 1511 2345678",
    "+553187654321": "+55 31 8765-4321",
    "+5215512345678": "+52 1 55 1234 5678",
    "0301234567": "0301234567",
    "BR.1502512345678901": "BR.1502512345678901",
    ATTACK: ATTACK,
}
CALLED = ["+4915112345678", "+525512345678", "+5511987654321", "+5521987654321", "+5531987654321"]
WRITTEN_TO = ["4915112345678", "5215512345678", "5511987654321", "5521987654321", "553187654321"]


def filled(database: TestedDatabase) -> None:
    """One agent, who has all these leads."""
    database.insert("agents", ("agent", "status"), [("Ana", "active")])
    rows = [(number, 1, "2026-11-20T00:00:00") for number in SHOWN]
    database.insert("wafunnel", ("number", "stage", "date"), rows)
    deal_today(database)


def of(number: str) -> str:
    return f"/leads/of?number={quote(number, safe='')}"


def test_pages_group_numbers_and_carry_them_as_they_are_stored(database: TestedDatabase) -> None:
    filled(database)
    reader = reader_of(database, "operator")
    for path in ("/leads?all=1", "/agents/list?agent=Ana"):
        source = reader.get(path).source
        cells = re.findall(r'<th scope="row">(?:<a [^>]*>)?([^<]*)', source)
        assert sorted(map(unescape, cells)) == sorted(SHOWN.values()), path
        assert "<script>alert" not in source
    links = reader.get("/leads?all=1").links
    assert {unquote(of(number)) for number in SHOWN} <= {unquote(unescape(link)) for link in links}
    for number, shown in SHOWN.items():
        page = reader.get(of(number))
        assert re.findall(r"<h1>([^<]*)", page.source) == [str(escape(shown)).replace("&#x27;", "&#39;")]
        assert (f"The number is stored as {number}." in page) == (number != shown)
        # The form sends the number as it is stored.
        assert [unescape(value) for value in re.findall(r'name="number" value="([^"]*)"', page.source)] == [number]
        assert "<script>alert" not in page.source
    key = bearer(key_of(database, "admin"))
    assert {row["number"] for row in reader.client.get("/api/leads", headers=key).get_json()["items"]} == set(SHOWN)
    file = reader.client.get("/api/assignments?format=csv", headers=key).text
    assert {row[1] for row in csv.reader(file.splitlines()[1:])} == set(SHOWN)


def test_a_lead_is_called_or_written_to_from_its_page_unless_it_must_not_be(database: TestedDatabase) -> None:
    filled(database)
    reader = reader_of(database, "operator")
    pages = {number: reader.get(of(number)).source for number in SHOWN}
    called = [link for source in pages.values() for link in re.findall(r'href="tel:([^"]*)"', source)]
    written_to = [link for source in pages.values() for link in re.findall(r'href="https://wa\.me/([^"]*)"', source)]
    assert (sorted(called), sorted(written_to)) == (CALLED, WRITTEN_TO)
    assert "tel:" not in reader.get(of("+5541987654321")).source
    add_do_not_contact(database.backend, "+5511987654321")
    page = reader.get(of("+5511987654321"))
    assert "On the list" in page
    assert "tel:" not in page.source
    assert "wa.me" not in page.source


def test_an_agents_own_list_has_links_for_every_number_with_a_country(database: TestedDatabase) -> None:
    filled(database)
    key_of(database, "admin")
    path = f"/mine/{make_link(database.backend, 'Ana')[1]}"
    client = client_of(database)
    source = client.get(path, headers=BROWSER).text
    assert sorted(re.findall(r' href="tel:([^"]*)"', source)) == CALLED
    chats = re.findall(r'href="https://wa\.me/([^"?]*)\?text=[^"]*" rel="noreferrer noopener"', source)
    assert sorted(chats) == WRITTEN_TO
    shown = re.findall(r'<(?:a|span) class="tel"[^>]*>([^<]*)', source)
    assert sorted(map(unescape, shown)) == sorted(SHOWN.values())
    assert "<script>alert" not in source
    rows = csv.reader(client.get(f"{path}/list.csv").text.splitlines()[1:])
    assert {row[1] for row in rows} == set(SHOWN)


def test_masked_numbers_stay_masked(database: TestedDatabase) -> None:
    filled(database)
    client, viewer = client_of(database), {**BROWSER, **bearer(key_of(database, "viewer"))}
    for path in ("/leads?all=1", "/agents/list?agent=Ana"):
        source = client.get(path, headers=viewer).text
        cells = re.findall(r'<th scope="row">(?:<a [^>]*>)?([^<]*)', source)
        assert sorted(map(unescape, cells)) == sorted(f"…{number[-3:]}" for number in SHOWN), path
        assert "tel:" not in source
    add_do_not_contact(database.backend, "BR.1502512345678901", "once US.ENT.11815799212886844830")
    [entry] = client.get("/api/do-not-contact", headers=viewer).get_json()["items"]
    assert (entry["number"], entry["reason"]) == ("…901", "once …830")
