"""The pages of leads, as a browser without script asks for them: looked for, looked at, kept out, brought in by a file;
on each engine."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from agent_funnel import access, audit, service
from agent_funnel.settings import load
from agent_funnel.web import create_app
from databases import Database, small_floor

# What these pages ask the database is asked of each engine in tests/backend; the long version asks it here, too.
pytestmark = pytest.mark.sqlserver_if_long


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}
FORMS = ("/leads/do-not-contact", "/leads/do-not-contact/remove", "/leads/import")


class Somebody:
    """Somebody with a browser, and a key where a role is given."""

    def __init__(self, database: Database, role: str | None = None) -> None:
        self.client: FlaskClient = create_app(load(), database.backend).test_client()
        secret = role and access.add_key(database.backend, role, role)[1]
        self.headers = {**BROWSER, **({"Authorization": f"Bearer {secret}"} if secret else {})}

    def get(self, path: str, status: int = 200) -> str:
        """The source of a page."""
        answer = self.client.get(path, headers=self.headers)
        assert (path, answer.status_code) == (path, status)
        return answer.text

    def send(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data=fields, headers=self.headers)

    def done(self, path: str, **fields: Any) -> str:
        """What the page says that a form leads to."""
        answer = self.send(path, **fields)
        assert answer.status_code == 303, words(answer.text)
        return words(self.get(answer.location))


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def deal(database: Database) -> Any:
    return service.assign(database.backend, load(), business_date=datetime.now(UTC).date())


def of(number: str) -> str:
    return f"/leads/of?number={quote(number, safe='')}"


def test_leads_are_found_by_any_spelling_and_by_stage_and_day(database: Database) -> None:
    assert "There are no leads yet" in counted(Somebody(database))
    small_floor(database, leads=120, agents=1)
    reader = Somebody(database)
    assert "Never called 40 Called once 40" in (told := counted(reader))
    assert "All entries 120" in told
    database.execute("UPDATE dbo.agents SET agent = '<b>\"&Ann'")
    deal(database)
    for spelling in ("+49 30000-0001", "0049 (30000) 00 01", "49.30000.0001", "+49300000001 "):
        page = reader.get(f"/leads?number={quote(spelling)}")
        assert re.findall(r"\+4930000\d{4}", words(page)) == ["+49300000001"], spelling
        assert of("+49300000001") in page
    assert "&lt;b&gt;&#34;&amp;Ann" in page
    assert "<b>" not in page
    # Nothing found: what was looked for, and what to do next.
    told = words(reader.get("/leads?number=0049-7%3Cb%3E&stage=2"))
    assert "This number was not found" in told
    for spelling in ("0049-7&lt;b&gt;", "00497&lt;b&gt;", "+497&lt;b&gt;", "497&lt;b&gt;"):
        assert spelling in told
    assert "Search for the number alone" in told
    today, stages = datetime.now().date(), [int(row[0]) for row in database.execute("SELECT stage FROM dbo.wafunnel")]
    for stage in (2, 3, 4):
        assert numbers(reader, f"/leads?stage={stage}&date_from={today}&date_to={today}") == stages.count(stage) == 40
    assert "No matching leads" in words(reader.get("/leads?stage=4&date_from=2999-01-01"))
    # All of them, page by page.
    assert numbers(reader, "/leads?all=1") == 120
    for wrong in ("stage=many", "date_from=01/02/2026", "number=%00"):
        assert "The search was not made." in words(reader.get(f"/leads?{wrong}", 422))
    assert "cursor does not come from this list" in words(reader.get("/leads?after=nonsense", 422))


def counted(reader: Somebody) -> str:
    """What the page says without a search, once the leads are counted."""
    deadline = datetime.now() + timedelta(seconds=20)
    while "is being counted" in (told := words(reader.get("/leads"))):
        assert datetime.now() < deadline
    return told


def numbers(reader: Somebody, path: str) -> int:
    """How many numbers a list has on all its pages, none of which has more than fifty."""
    found: list[str] = []
    following: str | None = path
    while following:
        page = reader.get(following)
        rows = re.findall(r'<th scope="row">(?:<a[^>]*>)?([^<]+)', page)
        assert len(rows) <= 50
        found += rows
        link = re.search(r'<a href="([^"]+)" rel="next">Next page</a>', page)
        following = link and link[1].replace("&amp;", "&")
    return len(found)


def test_a_number_is_told_with_its_history_and_can_be_kept_out_of_the_present_deal(database: Database) -> None:
    small_floor(database, agents=1)
    first, second = deal(database), deal(database)
    reader = Somebody(database)
    number = "+49300000000"
    page = words(reader.get(of(number)))
    for told in ("With agent 0", "Dealt 2 times", "It is not on the list.", "has it now"):
        assert told in page
    for run in (first, second):
        assert f'href="/runs/{run.run_id}"' in reader.get(of(number))
    # One click, and it has left the list of tonight.
    told = reader.done("/leads/do-not-contact", number=number, reason="<i>asked</i>")
    assert "It was removed from the list of the agent who had it." in told
    assert "On the list since" in told
    assert ": &lt;i&gt;asked&lt;/i&gt;" in told
    assert "With nobody" in told
    assert "removed since" in told
    assert not database.execute("SELECT agent FROM dbo.agent_wafunnel_assignment WHERE number = %s", number)
    assert "on the list" in words(reader.get(f"/leads?number={quote(number)}"))
    assert "was on the list already. No agent had it." in reader.done("/leads/do-not-contact", number=number)
    assert "off the do-not-contact list" in reader.done("/leads/do-not-contact/remove", number=number)
    refused = reader.send("/leads/do-not-contact/remove", number=number)
    assert (refused.status_code, "That number is not on the list." in words(refused.text)) == (404, True)
    # The audit has the last digits alone, also of what the pages say of themselves.
    entries = audit.entries(database.backend, count=9)
    assert {entry.target for entry in entries} == {"…000"}


def test_a_number_that_is_not_known_can_be_kept_out_before_it_comes(database: Database) -> None:
    small_floor(database)
    reader = Somebody(database)
    page = reader.get(of("0049 170 1234567"))
    assert "Nothing is known of this number" in words(page)
    # In one of the spellings that leads may have, never as it was written with blanks.
    assert re.findall(r"<option>([^<]+)", page) == ["00491701234567", "+491701234567", "491701234567"]
    told = reader.done("/leads/do-not-contact", number="+491701234567")
    assert "No agent had it." in told
    # In another spelling it is found all the same.
    assert "On the list since" in words(reader.get(of("0049 170 1234567")))
    assert "another spelling" not in words(reader.get(of("+491701234567")))
    service.add_do_not_contact(database.backend, "00491701234567")
    assert "also stored in another spelling: 00491701234567" in words(reader.get(of("+491701234567")))
    assert "also stored in another spelling: +491701234567" in words(reader.get(of("00491701234567")))
    assert reader.client.get("/leads/of", headers=BROWSER).location == "/leads"


def test_a_viewer_sees_no_number_and_no_form(database: Database) -> None:
    small_floor(database, leads=60)
    deal(database)
    service.add_do_not_contact(database.backend, "+49300000001", "asked")
    reader = Somebody(database, "viewer")
    for path in (
        "/leads?all=1",
        "/leads?stage=2",
        "/leads?number=49%2030000%200001",
        of("49 30000 0001"),
        of("49300000001"),
    ):
        page = reader.get(path)
        assert "…001" in page or "stage" in path
        # Neither as text nor in a link; what they wrote themselves may come back.
        assert not re.search(r"(\+|%2B|00)49300000", page), path
        assert 'method="post" action="/leads' not in page
        assert "/leads/import" not in page
    page = reader.get("/leads?all=1")
    assert "/leads/of" not in page
    # Pages go by count, so that no address has a number either.
    assert numbers(reader, "/leads?all=1") == 60
    more = re.search(r'<a href="(/leads\?after=[^"]+)" rel="next">Next page', page)
    assert more
    assert reader.get(more[1]).count("…0") == 10
    assert "On the list since" in words(reader.get(of("+49 30000 0001")))
    assert "Nothing is known" in words(reader.get(of("+49 170 1")))
    for number in ("+49 170 1", "+49 30000 0002"):
        assert "Do not contact</button>" not in reader.get(of(number))
    reader.get("/leads/import", 403)
    for path in FORMS:
        assert reader.send(path, number="+49300000002").status_code == 403
    assert len(service.do_not_contact(database.backend)) == 1


def file(text: str, name: str = "leads.csv") -> tuple[BytesIO, str]:
    return BytesIO(text.encode()), name


def test_a_file_is_checked_then_refused_or_imported(database: Database) -> None:
    small_floor(database, leads=1)
    reader = Somebody(database, "operator")
    bad = (
        "number,stage,date\n+49300000000,1,2026-11-20\n+49300000001,1,2026-11-20\n+493,1,2026-11-20\n"
        "+49300000002,<b>7,2026-11-20\n+49300000003,1,soon\n"
    )

    def leads() -> int:
        return int(database.execute("SELECT COUNT(*) FROM dbo.wafunnel")[0][0])

    page = reader.send("/leads/import", what="check", file=file(bad, "<img src=x>.csv"))
    told = words(page.text)
    assert page.status_code == 200
    assert "Checked: nothing was imported yet &lt;img src=x&gt;.csv has 5 rows" in told
    assert "Would be added 1 Already there 1 Bad rows 3" in told
    assert "4 number is not 4 to 20 digits" in told
    assert "5 stage &#39;&lt;b&gt;7&#39; is not 1, 2, 3 or 4 6 date &#39;soon&#39; is not" in told
    assert leads() == 1

    page = reader.send("/leads/import", what="import", file=file(bad, "<img src=x>.csv"))
    told = words(page.text)
    assert (page.status_code, leads()) == (422, 1)
    assert "That was not done. The file has 3 bad rows; nothing was imported." in told
    assert "Nothing was imported from &lt;img src=x&gt;.csv." in told
    assert "6 date &#39;soon&#39;" in told

    page = reader.send("/leads/import", what="import", skip_bad="on", file=file(bad))
    assert (page.status_code, leads()) == (200, 2)
    assert "Added 1 Already there, not changed 1 Bad rows, left out 3" in words(page.text)

    for text, why in (
        ("", "the header must be number,stage,date"),
        ("+49300000009,1,2026-11-20\n", "begins with &#39;+…009,1,2026-11-20&#39;"),
        ("number,stage,date\n1\n", "has 1 bad row;"),
    ):
        refused = reader.send("/leads/import", what="import", file=file(text))
        assert (refused.status_code, why in words(refused.text)) == (422, True), words(refused.text)
    for nothing in ({}, {"file": file("", "")}):
        refused = reader.send("/leads/import", what="import", **nothing)
        assert (refused.status_code, "No file was chosen" in words(refused.text)) == (422, True)
    assert leads() == 2
    entries = audit.entries(database.backend, count=9)
    assert [entry.target for entry in reversed(entries)][:3] == ["dry run", "import", "import"]
    assert not [entry for entry in entries if re.search(r"\d{5}", entry.detail or "")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_many_bad_rows_are_told_up_to_a_thousand_and_a_file_may_be_large(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Somebody(database)
    rows = "".join(f"nobody,1,2026-11-{1 + index % 30:02}\n" for index in range(70_000))
    page = reader.send("/leads/import", what="check", file=file(f"number,stage,date\n{rows}"))
    assert "The first 1,000 of 70,000." in words(page.text)
    assert page.text.count("number is not 4 to 20 digits") == 1_000
    # The limit of every other form is smaller than that file; this one has its own.
    assert reader.send("/leads/do-not-contact", number="1" * 1_100_000).status_code == 413
    monkeypatch.setattr("agent_funnel.web.LARGEST_FILE", 1_000)
    refused = reader.send("/leads/import", what="check", file=file(rows))
    assert (refused.status_code, "nothing was imported" in words(refused.text)) == (413, True)
