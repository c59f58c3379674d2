"""Sends notices to people through apprise, and signals to a dead man's switch such as healthchecks.io.

A message never delays a deal or makes it fail: it goes into a queue, and a thread sends it. The thread tries again
after an error, and logs the messages that it could not send. No message contains the number of a lead. Messages are in
the language of the settings, and the log is in English.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import structlog
from tenacity import RetryError, Retrying, stop_after_attempt, wait_exponential

from agent_funnel.characters import visible
from agent_funnel.errors import SettingsError
from agent_funnel.masking import mask_digits
from agent_funnel.sentences import catalogue_of, sentence, translate
from agent_funnel.settings import Settings

log = structlog.get_logger(__name__)

# The seconds that a URL may take to answer:
ANSWER_SECONDS = 10
# How often a message is sent in all, if sending fails:
ATTEMPTS = 4
# The most messages that wait in the queue; further ones are dropped:
QUEUE_SIZE = 1_000
# The seconds that a stopping service waits until all messages are sent:
STOP_SECONDS = 5.0
# The seconds that the services may take for a test message, all together:
TEST_SECONDS = 15.0
# The title of each kind of notice:
TITLES = {
    "finished": sentence("Agent Funnel: finished"),
    "failed": sentence("Agent Funnel: failed"),
    "missed": sentence("Agent Funnel: missed"),
    "recovered": sentence("Agent Funnel: recovered"),
    "warning": sentence("Agent Funnel: warning"),
    "held": sentence("Agent Funnel: held"),
}
# The path of each signal, added to the dead-man URL; a convention of healthchecks.io:
SIGNAL_PATHS = {"start": "/start", "success": "", "fail": "/fail"}

Send = Callable[[], None]


class Notifier:
    """Sends notices and signals in the background, from `start` to `stop`.

    Raises SettingsError if there are notice URLs and apprise is not installed, or does not know one of them.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queue: Queue[tuple[str, Send]] = Queue(QUEUE_SIZE)
        self._stopping = Event()
        self._thread = Thread(target=self._work, name="notices", daemon=True)
        self._apprise = _apprise(settings) if settings.notify_urls else None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread. Waits a few seconds until the messages in the queue are sent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def notice(self, kind: str, text: str) -> None:
        """Sends a notice to people, if the settings want this kind (`settings.NOTICES`). Numbers in it are masked."""
        text = mask_digits(text)
        log.info("notice", kind=kind, text=text)
        apprise = self._apprise
        if apprise is None or kind not in self._settings.notify_on:
            return

        title, body = _in_language(self._settings, TITLES[kind]), _in_language(self._settings, text)

        def send() -> None:
            if not apprise.notify(title=title, body=body):
                raise OSError("not every notice could be sent")

        self._put(f"notice {kind}", send)

    def sends(self, kind: str) -> bool:
        """Whether notices of a kind are sent to anybody."""
        return self._apprise is not None and kind in self._settings.notify_on

    def letter(self, letter: Letter, ended: Send) -> None:
        """Sends a letter to people, if the settings want letters: as HTML to services that show it, else as text.

        Calls `ended` when nothing more will be tried; mostly in the thread that sends.
        """
        log.info("letter", subject=letter.title)
        title = _in_language(self._settings, sentence("Agent Funnel: %(title)s", title=letter.title))
        link = _in_language(self._settings, letter_link(self._settings, letter))
        translated = letter.changed(partial(_in_language, self._settings))
        if self._apprise is None or not self.sends("letter"):
            ended()
            return
        # Each address has a message of its own, so that a failure of one sends nothing twice to the others.
        for place, service in enumerate(self._apprise, start=1):
            self._put(f"letter to address {place}", partial(_send_letter, service, title, translated, link))
        # The messages are sent one after the other, so this is the end of all of them.
        self._put("the end of a letter", ended)

    def signal(self, name: str, text: str = "") -> None:
        """Signals `start`, `success` or `fail` of the scheduled run to the dead man's switch, if there is one."""
        url = self._settings.dead_man_url
        if url is None:
            return
        request = Request(url.rstrip("/") + SIGNAL_PATHS[name], data=mask_digits(text).encode(), method="POST")  # noqa: S310 - the settings allow only http(s)

        def send() -> None:
            with urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310
                pass

        self._put(f"signal {name}", send)

    def _put(self, name: str, send: Send) -> None:
        try:
            self._queue.put_nowait((name, send))
        except Full:
            log.error("too many messages wait to be sent; this one is dropped", message=name)

    def _work(self) -> None:
        while True:
            try:
                name, send = self._queue.get(timeout=0.2)
            except Empty:
                if self._stopping.is_set():
                    return
                continue
            try:
                Retrying(
                    stop=stop_after_attempt(ATTEMPTS), wait=wait_exponential(multiplier=0.5, max=30), sleep=self._sleep
                )(send)
            except (RetryError, URLError, OSError) as error:
                # Only the type of the error: its text may contain the URL, which is a secret.
                log.error("a message could not be sent", message=name, error=type(error).__name__)
            except Exception:
                log.exception("a message could not be sent", message=name)

    def _sleep(self, seconds: float) -> None:
        # A stopping service makes the remaining attempts without pauses.
        self._stopping.wait(seconds)


@dataclass(frozen=True)
class Letter:
    """A letter about a night: its title, its parts, each with a heading and sentences, and the path of its page."""

    title: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    path: str

    def changed(self, change: Callable[[str], str]) -> Letter:
        """The letter with its texts changed, such as translated."""
        parts = tuple((change(heading), tuple(map(change, lines))) for heading, lines in self.parts)
        return Letter(change(self.title), parts, self.path)

    def as_text(self, link: str) -> str:
        """The letter as plain text."""
        parts = [f"{heading}\n" + "\n".join(f"- {line}" for line in lines) for heading, lines in self.parts]
        return "\n\n".join([self.title, *parts, link])

    def as_html(self, link: str) -> str:
        """The letter as HTML that mail programs show; it has no style of its own."""
        parts = [
            f"<h2>{escape(heading)}</h2><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
            for heading, lines in self.parts
        ]
        foot = f'<a href="{escape(link)}">{escape(link)}</a>' if link.startswith("http") else escape(link)
        return f"<h1>{escape(self.title)}</h1>{''.join(parts)}<p>{foot}</p>"


def letter_link(settings: Settings, letter: Letter) -> str:
    """The address of a letter's page, or in words where it is."""
    if settings.public_url is None:
        return sentence("The page of the letter is %(path)s on the dashboard.", path=letter.path)
    return settings.public_url.rstrip("/") + letter.path


def _in_language(settings: Settings, text: str) -> str:
    """A sentence in the language of the settings, for a message; without one, in English."""
    # Each text is one line of a message: no name in it may begin another one, or turn the text around it.
    if settings.language in (None, "en"):
        return visible(text)
    from babel import Locale

    locale = Locale.parse(settings.language, sep="-")
    return visible(translate(text, locale, catalogue_of(locale)))


def _send_letter(service: Any, title: str, letter: Letter, link: str) -> None:
    """Sends a letter to one service, in the form that it prefers: HTML, or else text."""
    preferred = service.notify_format
    # From version 2 on, apprise has the forms of a service in a tuple, the preferred one first.
    preferred = preferred[0] if isinstance(preferred, tuple) else preferred
    is_html = str(getattr(preferred, "value", preferred)) == "html"
    sender = importlib.import_module("apprise").Apprise()
    sender.add(service)
    if not sender.notify(
        title=title,
        body=letter.as_html(link) if is_html else letter.as_text(link),
        body_format="html" if is_html else "text",
    ):
        raise OSError("a letter could not be sent")


@dataclass
class NoticeService:
    """A service that gets notices, such as E-Mail; its address is a secret. `sent` is the result of a test message.

    `sent` is None as long as the service has not answered.
    """

    service: str
    sent: bool | None = None


def notice_services(settings: Settings) -> list[NoticeService]:
    """The services that get notices, in the order of their addresses. Raises SettingsError as `Notifier` does."""
    return [NoticeService(str(each.service_name)) for each in _apprise(settings)] if settings.notify_urls else []


def send_test(settings: Settings, text: str) -> list[NoticeService]:
    """Sends a test message to each service at the same time, without further attempts, and waits for their answers."""
    senders = list(_apprise(settings)) if settings.notify_urls else []
    found = [NoticeService(str(each.service_name)) for each in senders]
    title, body = _in_language(settings, sentence("Agent Funnel: test")), _in_language(settings, text)

    def send(place: int) -> None:
        try:
            found[place].sent = bool(senders[place].notify(title=title, body=body))
        except Exception as error:
            # Only the type of the error: its text may contain the address.
            log.error("a test message could not be sent", service=found[place].service, error=type(error).__name__)
            found[place].sent = False

    threads = [Thread(target=send, args=(place,), name="test message", daemon=True) for place in range(len(senders))]
    deadline = time.monotonic() + TEST_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    # A late answer changes nothing in the result.
    return [NoticeService(each.service, each.sent) for each in found]


def _apprise(settings: Settings) -> Any:
    try:
        library = importlib.import_module("apprise")
    except ImportError:
        raise SettingsError(
            sentence("FUNNEL_NOTIFY_URLS is set, but apprise is not installed: pip install 'agent-funnel[notify]'")
        ) from None
    sender = library.Apprise()
    for number, url in enumerate(settings.notify_urls, start=1):
        # The message names the position, because the URL itself is a secret.
        if not sender.add(url):
            raise SettingsError(
                sentence("FUNNEL_NOTIFY_URLS: apprise does not know URL number %(number)s", number=number)
            )
    return sender
