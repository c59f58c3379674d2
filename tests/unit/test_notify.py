"""Notices and the dead-man's switch, against a real HTTP server on loopback."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock, call

import pytest
from babel.support import NullTranslations

from agent_funnel import notify
from agent_funnel.errors import SettingsError
from agent_funnel.notify import Letter, Notifier
from agent_funnel.sentences import counted, sentence
from agent_funnel.settings import load
from support.listener import Listener, listening


class Upper(NullTranslations):
    """A language that is English in capitals."""

    def gettext(self, message: str) -> str:
        return re.sub(r"%\(\w+\)s|\w", lambda found: found[0] if found[0][1:] else found[0].upper(), message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as server:
        yield server


def wait_for(listener: Listener, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(listener.heard) < count and time.monotonic() < deadline:
        time.sleep(0.02)


def test_the_dead_mans_switch_is_called_at_start_success_and_failure(listener: Listener) -> None:
    notifier = Notifier(load(dead_man_url=f"http://{listener.address}/ping/abc"))
    notifier.start()
    for what in ("start", "success", "fail"):
        notifier.signal(what, "why")
    notifier.stop()
    assert listener.heard == [("/ping/abc/start", "why"), ("/ping/abc", "why"), ("/ping/abc/fail", "why")]


def test_only_notices_of_the_chosen_kinds_are_sent(listener: Listener) -> None:
    notifier = Notifier(load(notify_urls=f"json://{listener.address}/hook", notify_on="failed,missed"))
    notifier.start()
    for kind in ("finished", "failed", "warning", "missed"):
        notifier.notice(kind, f"about {kind}")
    wait_for(listener, 2)
    notifier.stop()
    sent = [json.loads(body) for _, body in listener.heard]
    assert [(each["title"], each["message"]) for each in sent] == [
        ("Agent Funnel: failed", "about failed"),
        ("Agent Funnel: missed", "about missed"),
    ]


def test_a_name_in_a_message_begins_no_line_and_turns_no_text(listener: Listener) -> None:
    notifier = Notifier(load(notify_urls=f"json://{listener.address}/hook", notify_on="failed,letter"))
    notifier.start()
    notifier.notice("failed", "Nobody but Bo\nAll is well \u202e.")
    notifier.letter(Letter("Deal", (("Away", ("Bo\nAll is well",)),), "/runs/7/letter"), lambda: None)
    wait_for(listener, 2)
    notifier.stop()
    notice, letter = (json.loads(body)["message"] for _, body in listener.heard)
    assert notice == "Nobody but Bo\\x0aAll is well \\u202e."
    assert "- Bo\\x0aAll is well\n" in letter


def test_a_number_in_a_notice_or_a_signal_is_masked(listener: Listener) -> None:
    notifier = Notifier(load(notify_urls=f"json://{listener.address}/hook", dead_man_url=f"http://{listener.address}"))
    notifier.start()
    notifier.notice("failed", sentence("The list %(name)s is old.", name="L +4915112345678"))
    notifier.signal("fail", "no list L +4915112345678")
    wait_for(listener, 2)
    notifier.stop()
    (_, notice), signal = listener.heard
    assert json.loads(notice)["message"] == "The list L …678 is old."
    assert signal == ("/fail", "no list L …678")


def test_a_message_that_could_not_be_sent_is_sent_again(listener: Listener) -> None:
    listener.errors = 2
    notifier = Notifier(load(dead_man_url=f"http://{listener.address}/ping"))
    notifier.start()
    notifier.signal("success")
    wait_for(listener, 1)
    notifier.stop()
    assert listener.heard == [("/ping", "")]


LETTER = Letter("Deal <b> & co", (("Dealt", ("7 leads to Ana <i>", "1 more")), ("Next", ("soon",))), "/runs/7/letter")


def test_a_letter_goes_to_each_address_in_its_form_with_a_link(listener: Listener) -> None:
    notifier = Notifier(
        load(
            notify_urls=f"json://{listener.address}/text json://{listener.address}/html",
            notify_on="letter", public_url="https://funnel.example/base/",
        )
    )  # fmt: skip
    # A service that prefers HTML, as e-mail does:
    services: Any = notifier._apprise
    services[1].notify_format = "html"
    notifier.start()
    ended = []
    notifier.letter(LETTER, lambda: ended.append(len(listener.heard)))
    notifier.stop()
    # The end is that of the last address.
    assert ended == [2]
    bodies = {path.split("?")[0]: json.loads(body) for path, body in listener.heard}
    link = "https://funnel.example/base/runs/7/letter"
    assert bodies["/text"]["title"] == "Agent Funnel: Deal <b> & co"
    assert bodies["/text"]["message"] == (
        f"Deal <b> & co\n\nDealt\n- 7 leads to Ana <i>\n- 1 more\n\nNext\n- soon\n\n{link}"
    )
    assert bodies["/html"]["message"] == (
        "<h1>Deal &lt;b&gt; &amp; co</h1><h2>Dealt</h2><ul><li>7 leads to Ana &lt;i&gt;</li><li>1 more</li></ul>"
        f'<h2>Next</h2><ul><li>soon</li></ul><p><a href="{link}">{link}</a></p>'
    )


def test_messages_are_in_the_language_of_the_settings(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "catalogue_of", lambda _: Upper())
    # The log, which other tests may have sent elsewhere, stays English.
    log = Mock()
    monkeypatch.setattr(notify, "log", log)
    settings = {"notify_urls": f"json://{listener.address}/", "notify_on": "letter,failed", "language": "de"}
    notifier = Notifier(load(**settings))
    notifier.start()
    dealt = counted("%(count)s lead to %(agent)s", "%(count)s leads to %(agent)s", 2601, agent="Ana")
    notifier.notice("failed", dealt)
    notifier.letter(Letter(dealt, ((sentence("Dealt"), (dealt,)),), "/runs/7/letter"), lambda: None)
    wait_for(listener, 2)
    notifier.stop()
    notice, letter = (json.loads(body) for _, body in listener.heard)
    assert (notice["title"], notice["message"]) == ("AGENT FUNNEL: FAILED", "2.601 LEADS TO Ana")
    assert letter["title"] == "AGENT FUNNEL: 2.601 LEADS TO Ana"
    assert letter["message"] == (
        "2.601 LEADS TO Ana\n\nDEALT\n- 2.601 LEADS TO Ana\n\n"
        "THE PAGE OF THE LETTER IS /runs/7/letter ON THE DASHBOARD."
    )
    assert call("notice", kind="failed", text="2,601 leads to Ana") in log.info.mock_calls


def test_a_letter_that_one_address_refuses_is_not_sent_twice_to_the_others(listener: Listener) -> None:
    with listening() as other:
        listener.errors = 1
        urls = f"json://{listener.address}/ json://{other.address}/"
        notifier = Notifier(load(notify_urls=urls, notify_on="letter"))
        notifier.start()
        notifier.letter(LETTER, lambda: None)
        wait_for(listener, 1)
        notifier.stop()
        assert (len(listener.heard), len(other.heard)) == (1, 1)
    # Without the address of the dashboard, it names the page.
    assert "The page of the letter is /runs/7/letter on the dashboard." in json.loads(listener.heard[0][1])["message"]


def test_letters_that_are_turned_off_are_not_sent(listener: Listener) -> None:
    notifier = Notifier(load(notify_urls=f"json://{listener.address}/", notify_on="failed"))
    notifier.letter(LETTER, lambda: None)
    assert notifier._queue.empty()
    assert not notifier.sends("letter")


def test_a_switch_that_hangs_and_a_notice_that_cannot_be_delivered_delay_nothing(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(notify, "STOP_SECONDS", 20.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        given = load(
            dead_man_url=f"http://127.0.0.1:{port}/", notify_urls=f"json://{listener.address}/ json://127.0.0.1:1/"
        )
        notifier = Notifier(given)
        notifier.start()
        began = time.monotonic()
        notifier.signal("start")
        notifier.notice("failed", "first")
        notifier.notice("failed", "second")
        assert time.monotonic() - began < 0.1
        notifier.stop()
    # The address that works got both notices, although the others failed.
    assert {json.loads(body)["message"] for _, body in listener.heard} == {"first", "second"}


def test_more_messages_than_can_wait_are_dropped_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "QUEUE_SIZE", 3)
    notifier = Notifier(load(dead_man_url="http://127.0.0.1:1/"))
    for _ in range(10):
        notifier.signal("start")
    assert notifier._queue.qsize() == 3


def test_a_url_that_apprise_does_not_know_stops_the_start_and_is_not_repeated() -> None:
    with pytest.raises(SettingsError, match="URL number 2") as refusal:
        Notifier(load(notify_urls="json://127.0.0.1/ nonsense-secret"))
    assert "nonsense" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"), [("notify_on", "failed,everything"), ("dead_man_url", "ftp://a"), ("brake", "all")]
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"FUNNEL_{name.upper()}"):
        load(**{name: value})
