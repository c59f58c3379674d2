"""Clients of the service: of the pages, as a browser without JavaScript, and of the API, as a program."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, NamedTuple

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from agent_funnel.access.keys import Role, add_key
from agent_funnel.settings import load
from agent_funnel.web import create_app
from agent_funnel.web.auth import SESSION_COOKIE
from support.databases import TestedDatabase

# Confirms a deal just after another one, as arguments of a request:
AGAIN: dict[str, Any] = {"json": {"again": True}}
# The headers of a browser on the service's own pages:
BROWSER = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language": "en-GB",
    "Sec-Fetch-Site": "same-origin",
}


def client_of(database: TestedDatabase, **settings: Any) -> FlaskClient:
    """A client of the service on this database; `settings` override its settings."""
    return create_app(load(**settings), database.backend).test_client()


def key_of(database: TestedDatabase, role: Role, name: str | None = None) -> str:
    """The secret of a new key; its name is its role, unless another name is given."""
    return add_key(database.backend, name or role, role)[1]


def bearer(secret: str) -> dict[str, str]:
    """The header of a request with this key."""
    return {"Authorization": f"Bearer {secret}"}


def sign_in(client: FlaskClient, secret: str, **options: Any) -> TestResponse:
    """Signs a browser in by the form."""
    return client.post("/sign-in", data={"key": secret}, **options)


def token_in(client: FlaskClient) -> str | None:
    """The token of the session in the client's cookie; None without one."""
    cookie = client.get_cookie(SESSION_COOKIE)
    return None if cookie is None else cookie.value


class Page(HTMLParser):
    """A page: its source, its text without tags, its links, and its forms with their hidden fields.

    `"some words" in page` looks at the text. A person's input is in it unchanged if the page escapes it, and missing if
    the page lets it become a tag. The second lines of rows, which only a phone shows, are left out: they repeat a
    column.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.forms: dict[str, dict[str, str]] = {}
        self.links: list[str] = []
        self._texts: list[str] = []
        self._form = ""
        # The elements that are open, from one for phones on:
        self._for_phones: list[str] = []
        self.feed(source)
        self.close()
        self.text = " ".join(" ".join(self._texts).split())

    def __contains__(self, words: str) -> bool:
        return words in self.text

    def __repr__(self) -> str:
        return self.text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes a form, a hidden field of one, or a link."""
        given = {name: value or "" for name, value in attrs}
        if self._for_phones or given.get("class") == "phone":
            self._for_phones.append(tag)
            return
        if tag == "form":
            self._form = given.get("action", "")
            self.forms[self._form] = {}
        elif tag == "input" and given.get("type") == "hidden":
            self.forms[self._form][given["name"]] = given["value"]
        elif tag == "a":
            self.links.append(given.get("href", ""))

    def handle_data(self, data: str) -> None:
        """Notes a part of the text."""
        if not self._for_phones:
            self._texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Notes where an element for phones ends."""
        if self._for_phones and self._for_phones[-1] == tag:
            self._for_phones.pop()


class Reader:
    """A person with a browser without JavaScript, and with a key if `secret` is given.

    `get` reads a page, `send` sends a form, `done` follows the form's redirect, `refused` expects that it is refused.
    """

    def __init__(self, client: FlaskClient, secret: str | None = None, **headers: str) -> None:
        self.client = client
        self.headers = {**BROWSER, **(bearer(secret) if secret else {}), **headers}

    def get(self, path: str, status: int = 200, /, **query: str) -> Page:
        """The page at this address; the response must have this status."""
        answer = self.client.get(path, query_string=query or None, headers=self.headers)
        assert (path, answer.status_code) == (path, status)
        assert answer.mimetype == "text/html"
        return Page(answer.text)

    def wait_for(self, path: str, ready: Callable[[Page], bool]) -> Page:
        """The page once it is ready, since the service counts in the background."""
        deadline = time.monotonic() + 20
        while not ready(page := self.get(path)):
            assert time.monotonic() < deadline, page
            time.sleep(0.05)
        return page

    def send(self, path: str, **fields: Any) -> TestResponse:
        """The response to a form."""
        return self.client.post(path, data=fields, headers=self.headers)

    def done(self, path: str, **fields: Any) -> Page:
        """The page that a form leads to."""
        answer = self.send(path, **fields)
        assert answer.status_code == 303, Page(answer.text)
        return self.get(answer.location)

    def refused(self, status: int, path: str, **fields: Any) -> Page:
        """The page that says that the form was refused, with this status."""
        answer = self.send(path, **fields)
        page = Page(answer.text)
        assert (path, answer.status_code) == (path, status)
        assert "That was not done." in page
        return page


def reader_of(database: TestedDatabase, role: Role | None = None, **settings: Any) -> Reader:
    """A person who uses the service on this database, with a new key of the role if one is given."""
    return Reader(client_of(database, **settings), key_of(database, role) if role else None)


def reader_at(database: TestedDatabase, moment: datetime, role: Role | None = None, **settings: Any) -> Reader:
    """A person who uses the service on this database at a moment; the clock of the database stays as it is.

    With a role, they have a new key of it.
    """
    app = create_app(load(**settings), database.backend)
    app.extensions["agent_funnel"] = replace(app.extensions["agent_funnel"], now=lambda: moment)
    return Reader(app.test_client(), key_of(database, role) if role else None)


def reader_in_the_morning(database: TestedDatabase, role: Role | None = None) -> Reader:
    """A person who uses the service at an hour at which no deal of the evening is late."""
    return reader_at(database, datetime.now(UTC).replace(hour=8), role)


class Operation(NamedTuple):
    """An operation of the OpenAPI document: its method, its path, and its description there."""

    method: str
    path: str
    described: dict[str, Any]

    @property
    def url(self) -> str:
        """An example of its address."""
        return re.sub(r"\{\w+\}", "1", self.path)


def operations(client: FlaskClient) -> Iterator[Operation]:
    """All operations of the document."""
    document: Any = client.get("/api/openapi.json").json
    for path, described in document["paths"].items():
        for method, each in described.items():
            yield Operation(method.upper(), path, each)
