"""Notices and the dead-man's switch, against a real HTTP server on loopback."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from agent_funnel import notify
from agent_funnel.errors import SettingsError
from agent_funnel.notify import Notifier
from agent_funnel.settings import load
from support.listener import Listener, listening


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


def test_a_message_that_could_not_be_sent_is_sent_again(listener: Listener) -> None:
    listener.errors = 2
    notifier = Notifier(load(dead_man_url=f"http://{listener.address}/ping"))
    notifier.start()
    notifier.signal("success")
    wait_for(listener, 1)
    notifier.stop()
    assert listener.heard == [("/ping", "")]


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
