"""Notices to people by apprise URLs, and signals to a dead man's switch by the convention of healthchecks.io.

Nothing here delays a deal or makes it fail: messages go into a queue, and a thread sends them, tries again, and logs
those that it could not send. No message contains the number of a lead.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import structlog
from tenacity import RetryError, Retrying, stop_after_attempt, wait_exponential

from agent_funnel.errors import SettingsError
from agent_funnel.settings import Settings

log = structlog.get_logger(__name__)

# Seconds that a URL may take to answer, attempts for each message, and messages that may wait at most:
ANSWER_SECONDS = 10
ATTEMPTS = 4
MOST_WAITING = 1_000
# Seconds that an ending service waits for messages that are still to be sent:
FAREWELL_SECONDS = 5.0
# What the last part of the dead-man URL says, by the convention of healthchecks.io:
SIGNALS = {"start": "/start", "success": "", "fail": "/fail"}

Send = Callable[[], None]


class Notifier:
    """Sends notices in the background, from `start` to `stop`. Raises SettingsError for notice URLs without apprise."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queue: Queue[tuple[str, Send]] = Queue(MOST_WAITING)
        self._ending = Event()
        self._thread = Thread(target=self._work, name="notices", daemon=True)
        self._apprise = _apprise(settings) if settings.notify_urls else None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after a few seconds for the messages that wait."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(FAREWELL_SECONDS)

    def notice(self, kind: str, text: str) -> None:
        """Sends a notice to people, if the settings want this kind (`settings.NOTICES`)."""
        log.info("notice", kind=kind, text=text)
        apprise = self._apprise
        if apprise is None or kind not in self._settings.notify_on:
            return

        def send() -> None:
            if not apprise.notify(title=f"Agent Funnel: {kind}", body=text):
                raise OSError("not every notice could be sent")

        self._put(f"notice {kind}", send)

    def signal(self, what: str, text: str = "") -> None:
        """Signals the start, the success or the failure of the scheduled run to the dead man's switch (`SIGNALS`)."""
        url = self._settings.dead_man_url
        if url is None:
            return
        request = Request(url.rstrip("/") + SIGNALS[what], data=text.encode(), method="POST")  # noqa: S310 - http(s) by the settings

        def send() -> None:
            with urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310
                pass

        self._put(f"signal {what}", send)

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
                if self._ending.is_set():
                    return
                continue
            try:
                Retrying(
                    stop=stop_after_attempt(ATTEMPTS), wait=wait_exponential(multiplier=0.5, max=30), sleep=self._sleep
                )(send)
            except (RetryError, URLError, OSError) as error:
                log.error("could not be sent", message=name, error=type(error).__name__)
            except Exception:
                log.exception("could not be sent", message=name)

    def _sleep(self, seconds: float) -> None:
        # An ending service sends the rest without pauses.
        self._ending.wait(seconds)


def _apprise(settings: Settings) -> Any:
    try:
        library = importlib.import_module("apprise")
    except ImportError:
        raise SettingsError(
            "FUNNEL_NOTIFY_URLS is set, but apprise is not installed: pip install 'agent-funnel[notify]'"
        ) from None
    sender = library.Apprise()
    for number, url in enumerate(settings.notify_urls, start=1):
        # The URL itself is a secret.
        if not sender.add(url):
            raise SettingsError(f"FUNNEL_NOTIFY_URLS: apprise does not know URL number {number}")
    return sender
