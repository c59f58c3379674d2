"""The language of a page: the reader's choice, else the setting, else the browser's; one locale for all of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from flask import render_template_string
from flask.testing import FlaskClient

from support.databases import TestedDatabase
from support.pages import BROWSER, client_of

HERE = {**BROWSER, "Origin": "http://localhost"}


def _locale_of(client: FlaskClient, browser: str) -> str:
    page = client.get("/sign-in", headers={**BROWSER, "Accept-Language": browser}).text
    return str(re.findall(r'<html lang="([^"]*)">', page)[0])


@pytest.mark.parametrize(
    ("browser", "locale"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("es-MX,es;q=0.9", "es-MX"),
        ("de", "de"),
        ("en-US", "en-US"),
        ("fr-FR,fr;q=0.9,de-AT;q=0.5", "de-AT"),
        ("fr", "en-GB"),
        ("*", "en-GB"),
        ("x_y!, q=,;;;", "en-GB"),
        ("", "en-GB"),
    ],
)
def test_the_browser_chooses_the_language_and_the_formats(client: FlaskClient, browser: str, locale: str) -> None:
    assert _locale_of(client, browser) == locale


def test_a_choice_is_kept_and_the_page_shows_again(client: FlaskClient) -> None:
    answer = client.post("/language", data={"language": "es", "page": "/agents?sort=name"}, headers=HERE)
    assert (answer.status_code, answer.location) == (303, "/agents?sort=name")
    assert _locale_of(client, "de") == "es"
    # The region of the browser still chooses the formats, where it has the same language.
    assert _locale_of(client, "de,es-MX;q=0.5") == "es-MX"
    client.post("/language", data={"language": "tlh", "page": "/"}, headers=HERE)
    assert _locale_of(client, "de") == "es"


@pytest.mark.sqlserver_if_long
def test_a_name_in_a_translated_text_is_escaped_and_shows_its_marks(client: FlaskClient) -> None:
    template = "{{ _('%(name)s is away', name=name) }} {% trans %}{{ name }} is back{% endtrans %}"
    with client.application.test_request_context():
        shown = render_template_string(template, name="<b>A\u202eB")
    assert shown == "&lt;b&gt;A\\u202eB is away &lt;b&gt;A\\u202eB is back"


@pytest.mark.sqlserver_if_long
def test_a_time_that_ends_with_a_full_stop_ends_the_sentence(client: FlaskClient) -> None:
    template = "{{ _('As of %(moment)s.', moment=at | moment) }}"
    with client.application.test_request_context(headers={"Accept-Language": "es-MX"}):
        assert render_template_string(template, at=datetime(2026, 11, 26, 3, tzinfo=UTC)).endswith(".m.</time>")


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "/a\r\nX: y"])
def test_a_choice_never_leads_to_another_host(client: FlaskClient, page: str) -> None:
    assert client.post("/language", data={"language": "es", "page": page}, headers=HERE).location == "/"


def test_the_setting_is_the_language_until_a_reader_chooses_another(database: TestedDatabase) -> None:
    client = client_of(database, language="pt-BR")
    assert _locale_of(client, "de") == "pt-BR"
    client.post("/language", data={"language": "en", "page": "/"}, headers=HERE)
    assert _locale_of(client, "de") == "en"
