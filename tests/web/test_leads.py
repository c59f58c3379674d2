"""The pages of leads: search, one number, do not contact; in a browser without scripts, on each engine."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from agent_funnel.access.audit import list_entries
from agent_funnel.do_not_contact import add_do_not_contact, list_do_not_contact
from agent_funnel.numbers import take_in
from support.databases import TestedDatabase, seed_tables
from support.nights import RECENT, deal_today, put_leads, undo
from support.outcomes import ANAS, DEALT_ON, put_floor, standing, tell
from support.pages import BROWSER, Page, Reader, reader_of

# tests/backend runs the queries of these pages on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

FORMS = ("/leads/do-not-contact", "/leads/do-not-contact/remove", "/leads/import")


def of(number: str) -> str:
    return f"/leads/of?number={quote(number, safe='')}"


def test_leads_are_found_by_any_spelling_and_by_stage_and_day(database: TestedDatabase) -> None:
    assert "There are no leads yet" in counted_leads(reader_of(database))
    seed_tables(database, leads=120, agents=1)
    reader = reader_of(database)
    assert "Never called 40 Called once 40" in (told := counted_leads(reader))
    assert "All entries 120" in told
    database.execute("UPDATE dbo.agents SET agent = '<b>\"&Ann'")
    deal_today(database)
    for spelling in ("+49 30000-0001", "0049 (30000) 00 01", "49.30000.0001", "+49300000001 "):
        page = reader.get(f"/leads?number={quote(spelling)}")
        assert re.findall(r"\+49 30 0000\d{3}", page.text) == ["+49 30 0000001"], spelling
        assert of("+49300000001") in page.links
    assert '<b>"&Ann' in page
    # The result comes before the links and the help; what was not asked is folded up.
    assert page.source.index('<table class="leads stacked">') < page.source.index('id="any-way"')
    assert "<details>" in page.source
    assert "<details open>" in reader.get("/leads?stage=2").source
    assert "<b>" not in page.source
    # When nothing is found, the page repeats the search and says what to do next.
    told = reader.get("/leads?number=0049-7%3C%3E&stage=2")
    assert "This number was not found" in told
    for spelling in ("0049-7<>", "00497<>", "+497<>", "497<>"):
        assert spelling in told
    assert "Search for the number alone" in told
    today, stages = datetime.now().date(), [int(row[0]) for row in database.execute("SELECT stage FROM dbo.wafunnel")]
    for stage in (2, 3, 4):
        assert (
            count_numbers(reader, f"/leads?stage={stage}&date_from={today}&date_to={today}")
            == stages.count(stage)
            == 40
        )
    assert "No matching leads" in reader.get("/leads?stage=4&date_from=2999-01-01")
    # All leads, page by page.
    assert count_numbers(reader, "/leads?all=1") == 120
    for wrong in ("stage=many", "date_from=01/02/2026", "number=%00"):
        assert "The search was not made." in reader.get(f"/leads?{wrong}", 422)
    assert "cursor does not come from this list" in reader.get("/leads?after=nonsense", 422)


def counted_leads(reader: Reader) -> Page:
    """The page without a search, once the leads are counted."""
    return reader.wait_for("/leads", lambda page: "is being counted" not in page)


def count_numbers(reader: Reader, path: str) -> int:
    """Counts the numbers on all pages of a list, and checks that no page has more than fifty."""
    found: list[str] = []
    following: str | None = path
    while following:
        page = reader.get(following).source
        rows = re.findall(r'<th scope="row">(?:<a[^>]*>)?([^<]+)', page)
        assert len(rows) <= 50
        found += rows
        link = re.search(r'<a href="([^"]+)" rel="next">Next page</a>', page)
        following = link and link[1].replace("&amp;", "&")
    return len(found)


def test_a_number_is_shown_with_its_history_and_can_be_removed_from_the_present_deal(database: TestedDatabase) -> None:
    seed_tables(database, agents=1)
    first, second = deal_today(database), deal_today(database)
    reader = reader_of(database)
    number = "+49300000000"
    page = reader.get(of(number))
    assert re.search(r"agent 0 has it, since .* \(.*\): second call\. It was dealt 2 times\.", page.text)
    for part in ("It is not on the list.", "has it now", 'data-copy="to-copy"'):
        assert part in page.source
    # The history is read before the form that would end it.
    assert page.source.index("Who held it when") < page.source.index('action="/leads/do-not-contact"')
    for run, call in ((first, "first"), (second, "second")):
        assert f"/runs/{run.run_id}" in reader.get(of(number)).links
        # The status is that of the deal, so it is not beside the call.
        assert f"Deal {run.run_id} ✓ dealt · {call} call" in page.text
    # One click removes it from tonight's list.
    told = reader.done("/leads/do-not-contact", number=number, reason="<i>asked</i>")
    assert "It was removed from the list of agent 0." in told
    # That is said once, and the history is beside it, above the entries.
    assert told.text.count("On the list “direct requests” since") == 1
    assert "⊘ Do not contact" not in told
    right = told.source.partition('<div class="halves">')[2].partition("</div>\n<div>")[2]
    assert right.index('id="held"') < right.index('id="entries"')
    assert 'class="amount none" data-label="Equal rows">1' in right
    assert ": <i>asked</i>" in told
    assert "Nobody has it." in told
    assert "removed since" in told
    assert not database.execute("SELECT agent FROM dbo.agent_wafunnel_assignment WHERE number = %s", number)
    assert "on the list" in reader.get(f"/leads?number={quote(number)}")
    assert "was on the list already. No agent had it." in reader.done("/leads/do-not-contact", number=number)
    assert "off the do-not-contact list" in reader.done("/leads/do-not-contact/remove", number=number)
    refused = reader.send("/leads/do-not-contact/remove", number=number)
    assert (refused.status_code, "That number is not on the do-not-contact list" in Page(refused.text)) == (404, True)
    # The audit has only the last digits, also in entries that pages make.
    entries = list_entries(database.backend, count=9)
    assert {entry.target for entry in entries} == {"…000"}


def test_a_wrong_number_is_not_called_until_an_operator_takes_that_back(database: TestedDatabase) -> None:
    put_floor(database, ANAS)
    reader = reader_of(database, "operator")
    assert f"tel:{ANAS}" in reader.get(of(ANAS)).source
    told = tell(database, ANAS, "wrong_number", note="an old lady")
    page = reader.get(of(ANAS))
    assert re.search(r"Wrong number , Al , .* : kept out of deals until somebody takes that back\. “an old", page.text)
    for way in ("tel:", "wa.me"):
        assert way not in page.source
    page = reader.done("/leads/outcomes/take-back", number=ANAS, report=told.report)
    assert "Taken back: Wrong number." in page
    assert "kept out" not in page
    assert re.search(r"Taken back by .*, ", page.text)
    assert f"tel:{ANAS}" in page.source
    assert standing(database) == []
    assert reader_of(database, "viewer").send("/leads/outcomes/take-back", report=told.report).status_code == 403


def test_a_call_back_shows_its_day_and_its_note_and_an_undone_deal_does_not_count(database: TestedDatabase) -> None:
    put_floor(database, ANAS)
    day = DEALT_ON + timedelta(days=3)
    tell(database, ANAS, "call_back", call_back_on=day, note="after six")
    reader = reader_of(database, "operator")
    page = reader.get(of(ANAS))
    assert re.search(rf"Call back on \w+ {day.day} \w+ , Al , .* “after six”", page.text)
    assert "It was dealt 1 time." in page
    undo(database)
    assert "It was never dealt." in reader.get(of(ANAS))


def test_an_unknown_number_can_be_put_on_the_do_not_contact_list(database: TestedDatabase) -> None:
    seed_tables(database)
    reader = reader_of(database)
    page = reader.get(of("0049 170 1234567"))
    assert "Nothing is known of this number" in page
    # The page offers the spellings that leads may have, never the one with blanks that was typed.
    assert re.findall(r"<option[^>]*>([^<]+)", page.source) == ["00491701234567", "+491701234567", "491701234567"]
    told = reader.done("/leads/do-not-contact", number="+491701234567")
    assert "No agent had it." in told
    # The number is found in another spelling, too.
    assert "On the list “direct requests” since" in reader.get(of("0049 170 1234567"))
    assert "another spelling" not in reader.get(of("+491701234567"))
    # A second spelling is no second entry.
    add_do_not_contact(database.backend, "00491701234567")
    assert [entry.number for entry in list_do_not_contact(database.backend)] == ["+491701234567"]
    assert "off the do-not-contact list" in reader.done("/leads/do-not-contact/remove", number="491701234567")
    assert "Nothing is known of this number" in reader.get(of("+491701234567"))
    assert reader.client.get("/leads/of", headers=BROWSER).location == "/leads"


def test_a_viewer_sees_no_number_and_no_form(database: TestedDatabase) -> None:
    seed_tables(database, leads=60)
    deal_today(database)
    reader = reader_of(database, "viewer")
    for path in ("/leads", "/leads?all=1", "/leads?stage=2"):
        page = reader.get(path)
        assert ("…0" in page.source) == ("?" in path)
        # No whole number is in the text or in a link, and no field asks for one.
        assert not re.search(r"49 ?30 ?0000", page.source), path
        assert 'method="post" action="/leads' not in page.source
        assert 'name="number"' not in page.source
        assert "/leads/import" not in page.source
        assert "/leads/of" not in page.source
    assert 'name="number"' in reader_of(database, "operator").get("/leads").source
    # The link to the next page has a count, so that no address has a number either.
    assert count_numbers(reader, "/leads?all=1") == 60
    more = re.search(r'<a href="(/leads\?after=[^"]+)" rel="next">Next page', reader.get("/leads?all=1").source)
    assert more
    assert reader.get(more[1]).source.count("…0") == 10
    for path in ("/leads?number=49300000001", of("+49 30000 0002"), "/leads/import"):
        reader.get(path, 403)
    for path in FORMS:
        assert reader.send(path, number="+49300000002").status_code == 403
    assert not list_do_not_contact(database.backend)


def test_a_number_that_ends_like_a_stored_one_is_not_offered_for_the_do_not_contact_list(
    database: TestedDatabase,
) -> None:
    put_leads(database, [("+5511987654321", 1, RECENT)])
    take_in(database.backend)
    reader = reader_of(database)
    page = reader.get(of("11987654321"))
    assert "This stored number ends alike: +5511987654321" in page
    assert "do-not-contact/add" not in page.source
    assert 'action="/leads/do-not-contact"' not in page.source
    assert 'action="/leads/do-not-contact"' in reader.get(of("11987654320")).source
