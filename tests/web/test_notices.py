"""The page of notices: who gets which notices, a test message, and no address anywhere."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from agent_funnel import notify
from agent_funnel.access.audit import list_entries
from support.databases import TestedDatabase
from support.listener import listening
from support.pages import Page, reader_of

pytestmark = pytest.mark.sqlserver_if_long


def test_without_an_address_the_page_says_that_nobody_is_told(database: TestedDatabase) -> None:
    page = reader_of(database).get("/notices")
    assert "Nobody is told If a deal fails tonight, only this dashboard and the log say so." in page
    assert (
        "failed : a deal fails for the first time tonight, or the schedule cannot look for a while – to nobody" in page
    )
    assert "/notices/test" not in page.forms
    assert "Nobody is told, since the service cannot send anything then." in page


def test_without_an_address_the_page_has_lines_to_forward_that_work(database: TestedDatabase) -> None:
    page = reader_of(database).get("/notices")
    assert "Send this to the person who looks after the server" in page
    assert 'data-copy="to-forward"' in page.source
    forwarded = unescape(re.sub("</?code>", "", page.source.partition('id="to-forward">')[2].partition("</pre>")[0]))
    assert "In a password, write & as %26, + as %2B and % as %25." in forwarded
    lines = [line.partition("=")[2] for line in forwarded.splitlines() if line.startswith("FUNNEL_NOTIFY_URLS=")]
    configured = reader_of(database, notify_urls=" ".join(lines)).get("/notices")
    assert "Who gets notices E-Mail address 1 Telegram address 2" in configured
    assert "Send this to" not in configured
    # The docs have the same lines.
    docs = (Path(__file__).parents[2] / "docs" / "howto" / "operations.md").read_text("utf-8")
    assert [line for line in lines if f"FUNNEL_NOTIFY_URLS={line}\n" not in docs] == []


def test_services_are_named_and_their_addresses_never_shown(database: TestedDatabase) -> None:
    secrets = ("sonia", "hunter2", "mail.example", "123456789", "hidden_token", "abc-ping")
    reader = reader_of(
        database,
        notify_urls="mailtos://sonia:hunter2@mail.example tgram://123456789:abcdefg_hidden_token/12315544/",
        notify_on="failed",
        dead_man_url="https://hc.example/abc-ping",
    )
    page = reader.get("/notices")
    assert "Who gets notices E-Mail address 1 Telegram address 2" in page
    assert "– turned off" in page
    assert "The address in FUNNEL_DEAD_MAN_URL is called at each automatic deal." in page
    assert not [secret for secret in secrets if secret in page.source]


def test_an_admin_sends_a_test_message_and_sees_who_got_it(database: TestedDatabase) -> None:
    with listening() as works, listening() as fails:
        fails.errors = 99
        urls = " ".join(f"json://{each.address}/hook" for each in (works, fails))
        admin = reader_of(database, "admin", notify_urls=urls)
        answer = admin.send("/notices/test")
        (body,) = works.bodies
    page = Page(answer.text)
    assert answer.status_code == 200
    assert "JSON address 1 ✓ sent JSON address 2 ! not sent" in page
    assert json.loads(body)["title"] == "Agent Funnel: test"
    assert json.loads(body)["message"].startswith("A test message that admin sent.")
    assert "127.0.0.1" not in page.source
    assert list_entries(database.backend, count=1)[0].target == "test message"


def test_a_service_that_hangs_does_not_hang_the_page(database: TestedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "TEST_SECONDS", 0.1)
    with listening(hangs=True) as hangs:
        answer = reader_of(database, "admin", notify_urls=f"json://{hangs.address}/hook").send("/notices/test")
    assert "JSON address 1 … no answer yet" in Page(answer.text)


def test_only_admins_send_test_messages(database: TestedDatabase) -> None:
    operator = reader_of(database, "operator", notify_urls="json://127.0.0.1:9/hook")
    assert "/notices/test" not in operator.get("/notices").forms
    assert operator.send("/notices/test").status_code == 403


def test_an_address_that_is_not_known_is_named_by_its_number(database: TestedDatabase) -> None:
    page = reader_of(database, notify_urls="json://127.0.0.1:9/hook nonsense://secret").get("/notices")
    assert "apprise does not know URL number 2" in page
    assert "secret" not in page.source


def test_each_kind_of_notice_has_its_meaning_on_the_page_and_in_the_docs(database: TestedDatabase) -> None:
    page = reader_of(database).get("/notices")
    docs = (Path(__file__).parents[2] / "docs" / "howto" / "operations.md").read_text(encoding="utf-8")
    for kind in ("finished", "failed", "missed", "recovered", "warning", "held", "letter"):
        assert f"{kind} : " in page
        assert f"| `{kind}` |" in docs
