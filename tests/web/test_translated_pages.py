"""Nothing on a page is left in English: in a made-up language that puts each text into brackets, none is outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.mofile import write_mo

from agent_funnel import sentences
from agent_funnel.schedule.public_holidays import public_holidays
from agent_funnel.web import languages
from agent_funnel.web.pages import agent_marks
from support.catalogues import extracted, strings_of
from support.databases import TestedDatabase
from support.evening import evening
from support.pages import BROWSER, client_of, key_of, sign_in

OPEN, CLOSED = "⟦", "⟧"
# Attributes that a person reads:
READ = ("title", "aria-label", "placeholder", "alt")
# Elements whose text nobody reads, or that is another program's:
UNREAD = ("script", "style", "code", "time", "option", "svg")
GERMAN = Locale("de")
# Texts that are no sentences of ours: names of this floor and of holidays, kinds of files, values of settings, dates.
NAMES = [
    r"agent \d", "Ana", "http: ", "the operator", "asked us", "after six", r"fair\.csv", r"FUNNEL_\w+",
    "Agent Funnel", "UTC", "CSV", "XLSX", "UTF-8", "Excel", "WhatsApp", r"(GET|POST) /\S*", r"SQLite, \S+", "dbo",
    "greeting",
]  # fmt: skip
DATES = [
    name for names in (GERMAN.days, GERMAN.months) for forms in names["format"].values() for name in forms.values()
]
HOLIDAYS = public_holidays("DE", 2027, "BY", language="de").values()
WORDS = [*languages.NAMES.values(), *HOLIDAYS, *(name for name in DATES if len(name) > 2)]
DATA = re.compile(rf"\b({'|'.join([*NAMES, *map(re.escape, WORDS)])})(?!\w)")


class Outside(HTMLParser):
    """Collects the texts of a page that are outside of the brackets."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0
        self._unread = 0
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Looks at the attributes, and notes where unread text begins."""
        self._unread += tag in UNREAD
        for name, value in attrs:
            if name in READ and value:
                self._look(value, 0)

    def handle_endtag(self, tag: str) -> None:
        """Notes where unread text ends."""
        self._unread -= tag in UNREAD

    def handle_data(self, data: str) -> None:
        """Looks at a text; its brackets may close in another element."""
        if not self._unread:
            self._depth = self._look(data, self._depth)

    def _look(self, text: str, depth: int) -> int:
        outside = ""
        for character in text:
            depth += (character == OPEN) - (character == CLOSED)
            outside += " " if depth or character == CLOSED else character
        if re.search(r"[^\W\d_]{3}", DATA.sub("", outside)):
            self.found.append(" ".join(outside.split()))
        return depth


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Has German pages show each text in brackets."""
    texts = extracted()
    texts.locale = "de"
    for message in texts:
        if message.id:
            both = tuple(f"{OPEN}{text}{CLOSED}" for text in strings_of(message.id))
            message.string = both[0] if len(both) == 1 else both
    path = tmp_path / "de" / "LC_MESSAGES" / "messages.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, texts)
    monkeypatch.setattr(languages, "CATALOGUES", tmp_path)
    monkeypatch.setattr(sentences, "CATALOGUES", tmp_path)
    # What was translated before, by the real catalogue, or is now, by this one.
    kept = (sentences.catalogue_of, agent_marks.chart)
    for each in kept:
        each.cache_clear()
    yield
    for each in kept:
        each.cache_clear()


@pytest.mark.usefixtures("made_up")
def test_no_text_of_a_page_is_left_in_english(database: TestedDatabase) -> None:
    pages = evening(database)
    client = client_of(database)
    sign_in(client, key_of(database, "admin", "Ana"), headers=BROWSER)
    left = {}
    for name, path in {**pages, "sign-in": "/sign-in", "nowhere": "/nowhere"}.items():
        page = client.get(path, headers={**BROWSER, "Accept-Language": "de"}).text
        assert page.count(OPEN) == page.count(CLOSED) > 0, name
        # The settings name the database, as the log does.
        if outside := Outside(page.replace(database.backend.name, "")).found:
            left[name] = sorted(set(outside))
    assert left == {}
