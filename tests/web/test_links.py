"""The page of all personal links, and new ones with QR codes."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import segno

from agent_funnel.access.audit import list_entries
from agent_funnel.access.links import look_up_link, make_link
from agent_funnel.web.pages import links
from support.databases import TestedDatabase, seed_tables
from support.pages import Page, Reader, client_of, key_of

# tests/backend runs the queries on each engine; here, only the long version uses SQL Server, too.
pytestmark = pytest.mark.sqlserver_if_long

ODD = '<b>&"x'


@pytest.fixture
def floor(database: TestedDatabase) -> TestedDatabase:
    """Three agents: one with a link, one without, and one who is inactive."""
    seed_tables(database, agents=3)
    database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = 'agent 0'", ODD)
    database.execute("UPDATE dbo.agents SET status = 'inactive' WHERE agent = 'agent 2'")
    make_link(database.backend, "agent 1")
    return database


def chosen(page: Page) -> list[str]:
    """The agents who are chosen on the page."""
    return [unescape(name) for name in re.findall(r'name="agent" value="([^"]*)" checked', page.source)]


def addresses(page: Page) -> list[str]:
    """The links that the page shows."""
    return re.findall(r'<code id="made-link-\d+">(\S+)</code>', page.source)


def test_the_page_says_who_has_a_link_and_chooses_the_active_agents_without_one(
    floor: TestedDatabase, reader: Reader
) -> None:
    assert "/agents/links" in reader.get("/agents").links
    page = reader.get("/agents/links")
    assert chosen(page) == [ODD]
    assert f"{ODD} no link – agent 1" in page
    assert "agent 2 (inactive) no link" in page
    assert "mine_" not in page.source


def test_new_links_are_shown_once_with_a_code_to_print_and_a_message_to_send(
    floor: TestedDatabase, reader: Reader
) -> None:
    (old,) = floor.execute("SELECT secret_hash FROM dbo.agent_link")
    answer = reader.send("/agents/links", agent=[ODD, "agent 1"])
    page = Page(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "2 new links. You will not see them again" in page
    assert page.source.count('class="qr"') == 2
    assert "data-print" in page.source
    found = addresses(page)
    for agent, address in zip((ODD, "agent 1"), found, strict=True):
        link = look_up_link(floor.backend, address.rsplit("/", 1)[1]).link
        assert link is not None
        assert (link.agent, link.created_by) == (agent, "http: this machine")
        (sent,) = [unquote(each) for each in page.links if address in unquote(each)]
        assert sent.startswith(f"https://wa.me/?text={agent}, this link opens your list of leads: {address} ")
    assert f"<h3>{ODD}" not in page.source
    assert old not in floor.execute("SELECT secret_hash FROM dbo.agent_link WHERE revoked_at IS NULL")
    assert not any(address in reader.get("/agents/links").source for address in found)
    assert [(entry.operation, entry.target) for entry in list_entries(floor.backend, count=1)] == [
        ("POST /agents/links", "2 links")
    ]


class Printed(HTMLParser):
    """The cards that a page prints: the agent, the address, and the dark modules of each code; and all other texts.

    Elements with the class `noprint`, the header and the footer are left out, as the style sheet does.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.agents: list[str] = []
        self.addresses: list[str] = []
        self.codes: list[set[tuple[int, int]]] = []
        self.others: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(source[source.index("<body") :])
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        hidden = bool({"noprint", "layout", "hidden", "skip"} & set(given.get("class", "").split()))
        if tag not in ("meta", "link", "input", "path", "br", "img"):
            self._open.append((tag, hidden))
        elif tag == "path" and not self._is_hidden() and given.get("stroke") == "#000":
            self.codes.append(dark_modules(given["d"]))

    def handle_endtag(self, tag: str) -> None:
        if tag in [each for each, _ in self._open]:
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._is_hidden():
            texts = {"h3": self.agents, "code": self.addresses}.get(self._open[-1][0], self.others)
            texts.append(data.strip())

    def _is_hidden(self) -> bool:
        return any(hidden for _, hidden in self._open)


def dark_modules(path: str) -> set[tuple[int, int]]:
    """The modules, column and row, of a path of horizontal lines, as QR codes are drawn, without the quiet zone."""
    found, x, y = set(), 0, 0.0
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", path):
        if command == "h":
            found |= {(column - 4, int(y) - 4) for column in range(x, x + int(first))}
        if command == "M":
            x, y = 0, 0.0
        x, y = x + int(first), y + (float(second) if command != "h" else 0)
    return found


def test_the_printed_sheet_has_one_code_for_each_new_link_and_the_links_before_open_nothing(
    floor: TestedDatabase,
) -> None:
    # An address of this machine's own would be warned of, on paper, too.
    reader = Reader(client_of(floor), key_of(floor, "operator"), Host="funnel:5000")
    before = addresses(Page(reader.send("/agents/links", agent=[ODD, "agent 1", "agent 2"]).text))
    source = reader.send("/agents/links", agent=["agent 1", ODD]).text
    printed = Printed(source)
    assert printed.agents == ["agent 1", ODD]
    assert printed.addresses == addresses(Page(source))
    assert printed.others == []
    for code, address in zip(printed.codes, printed.addresses, strict=True):
        rows = segno.make(address, micro=False, error="m").matrix
        assert code == {(x, y) for y, row in enumerate(rows) for x, dark in enumerate(row) if dark}
    browser = Reader(reader.client, Host="funnel:5000")
    opened = {
        address: browser.client.get(urlsplit(address).path, headers=browser.headers)
        for address in [*before, *printed.addresses]
    }
    assert [opened[address].status_code for address in printed.addresses] == [200, 200]
    # The link that nobody replaced is that of an agent who is inactive.
    for address in before:
        assert opened[address].status_code == 404
        assert "+4930" not in opened[address].text


def test_a_choice_that_is_refused_makes_no_link(
    floor: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = floor.execute("SELECT secret_hash, revoked_at FROM dbo.agent_link")
    assert "No agents are chosen" in reader.refused(422, "/agents/links")
    assert "There is no agent 'gone'" in reader.refused(404, "/agents/links", agent=["agent 1", "gone"])
    monkeypatch.setattr(links, "MOST_LINKS", 1)
    assert "2 agents are chosen; choose 1 to 1" in reader.refused(422, "/agents/links", agent=["agent 1", ODD])
    assert chosen(reader.get("/agents/links")) == [ODD]
    assert floor.execute("SELECT secret_hash, revoked_at FROM dbo.agent_link") == before


@pytest.mark.parametrize(
    ("host", "warns"),
    [
        ("localhost:5000", True),
        ("127.0.0.1", True),
        ("[::1]:5000", True),
        ("192.168.1.5:5000", False),
        ("funnel", False),
    ],
)
def test_an_address_that_is_this_machine_alone_is_warned_of(database: TestedDatabase, host: str, warns: bool) -> None:
    seed_tables(database, agents=1)
    reader = Reader(client_of(database), key_of(database, "operator"), Host=host)
    assert ("No phone can open these links." in reader.get("/agents/links")) == warns
    assert ("No phone can open these links." in Page(reader.send("/agents/link", agent="agent 0").text)) == warns
