"""Pages about errors: in words for people, with the navigation of those who are signed in."""

from __future__ import annotations

from datetime import date
from gettext import NullTranslations

import pytest

from agent_funnel.errors import DatabaseUnavailable
from agent_funnel.web.auth import SESSION_COOKIE
from support.databases import TestedDatabase, seed_tables
from support.nights import deal_today
from support.pages import BROWSER, Page, Reader, client_of, key_of, reader_of, sign_in

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_an_address_that_leads_nowhere_keeps_the_navigation_of_those_who_are_signed_in(
    database: TestedDatabase,
) -> None:
    secret = key_of(database, "viewer")
    client = client_of(database)
    sign_in(client, secret)
    page = Page(client.get("/nowhere", headers=BROWSER).text)
    assert "There is no such page." in page
    assert "/runs" in page.links
    assert "Back to tonight" in page
    assert '<section class="headline off">' in page.source
    # A stranger sees nothing of it, and neither does a wrong session.
    for session in (None, "wrong"):
        client = client_of(database)
        if session:
            client.set_cookie(SESSION_COOKIE, session)
        stranger = client.get("/nowhere", headers=BROWSER, environ_base={"REMOTE_ADDR": "198.51.100.7"})
        page = Page(stranger.text)
        assert stranger.status_code == 404
        assert "/runs" not in page.links
        assert "Sign in" in page


def test_without_keys_this_machine_keeps_the_navigation(database: TestedDatabase, reader: Reader) -> None:
    assert "/runs" in reader.get("/nowhere", 404).links


def test_an_address_that_leads_nowhere_is_shown_while_the_database_is_down(
    database: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr("agent_funnel.web.auth.holder_of_key", down)
    assert "There is no such page." in reader.get("/nowhere", 404)


def test_a_key_without_the_role_is_told_whom_to_ask(database: TestedDatabase) -> None:
    viewer, operator = reader_of(database, "viewer"), reader_of(database, "operator")
    for reader, path, needed in ((viewer, "/leads/import", "an operator"), (operator, "/keys", "an admin")):
        page = reader.get(path, 403)
        assert "Your key does not allow this." in page
        assert f"this needs {needed}. Nothing was changed. Ask {needed} to do it." in page
        assert "/runs" in page.links
    # A program still gets the names of the roles.
    answer = client_of(database).get("/keys", headers={"Authorization": f"Bearer {key_of(database, 'viewer', 'v2')}"})
    assert "This needs the role admin; your key has the role viewer." in answer.get_json()["detail"]


def test_a_page_about_an_error_names_no_command(database: TestedDatabase, reader: Reader) -> None:
    page = reader.get("/runs/99", 404)
    assert "This does not exist. There is no deal 99." in page
    assert "agent-funnel" not in page.source.replace("agent-funnel.", "")


def test_an_agent_with_a_dead_link_sees_nothing_of_the_office(database: TestedDatabase, reader: Reader) -> None:
    key_of(database, "viewer")
    page = reader.get("/mine/nothing", 404)
    assert "Ask your team lead for a new one." in page
    for words in ("Back to tonight", "For programs", "Sign in"):
        assert words not in page


def test_dates_in_the_wrong_order_are_refused_in_words(database: TestedDatabase, reader: Reader) -> None:
    seed_tables(database)
    page = reader.refused(
        422, "/agents/limits", agent="agent 0",
        starts_on=str(date(2026, 12, 2)), ends_on=str(date(2026, 12, 1)), max_records="0",
    )  # fmt: skip
    assert "The last day, 1 Dec 2026, is before the first day, 2 Dec 2026. Nothing was changed." in page


def test_a_page_about_an_error_is_in_the_readers_language_and_the_api_in_english(
    database: TestedDatabase, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {
        "There is no deal %(run_id)s.": "Den Lauf %(run_id)s gibt es nicht.",
        "Deal %(run_id)s is undone already; nothing was changed. There is no deal to undo.": "Lauf %(run_id)s ist weg.",
        "%(field)s: %(fault)s": "%(field)s – %(fault)s",
        "First day": "Erster Tag",
        "is missing": "fehlt",
    }

    class German(NullTranslations):
        def gettext(self, message: str) -> str:
            return texts.get(message, message)

    monkeypatch.setattr("agent_funnel.web.languages.catalogue_of", lambda _: German())
    assert "Den Lauf 99 gibt es nicht." in reader.get("/runs/99", 404)
    # Raised in SQL, and in the models of forms:
    seed_tables(database)
    run = deal_today(database)
    reader.done(f"/runs/{run.run_id}/undo")
    assert f"Lauf {run.run_id} ist weg." in reader.refused(409, f"/runs/{run.run_id}/undo")
    page = reader.refused(422, "/agents/limits", agent="agent 0", max_records="0")
    assert "Erster Tag – fehlt. Nothing was changed." in page
    answer = client_of(database).get("/api/runs/99").get_json()
    assert answer["detail"] == "There is no run 99; `agent-funnel runs` lists them."


def test_words_of_the_framework_are_on_no_page(database: TestedDatabase, reader: Reader) -> None:
    page = reader.get("/agents/limits", 405)
    assert "This page cannot be opened like this. It belongs to a button on another page. Nothing was changed." in page
    assert "not allowed for the requested URL" in client_of(database).get("/agents/limits").get_json()["detail"]
