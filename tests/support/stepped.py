"""Clocks of the schedule whose time a test sets, and a notifier that keeps what it is to send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from agent_funnel.database import Database
from agent_funnel.notify import Notifier
from agent_funnel.schedule.clock import Clock
from agent_funnel.settings import Settings, load
from agent_funnel.settings_types import NOTICES

OPENS = datetime(2026, 6, 1, 20, 40, tzinfo=UTC)


class RecordingNotifier(Notifier):
    """Keeps the notices and signals instead of sending them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.notices: list[tuple[str, str]] = []
        self.signals: list[tuple[str, str]] = []

    def notice(self, kind: str, text: str) -> None:
        assert kind in NOTICES
        self.notices.append((kind, text))

    def signal(self, what: str, text: str = "") -> None:
        self.signals.append((what, text))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.notices]

    @property
    def signalled(self) -> list[str]:
        return [what for what, _ in self.signals]


class SteppedClock:
    """A copy of the service whose time the test sets: the true time, and how far this copy's clock is ahead of it.

    A server's clock shows the true time, or is ahead of it by `server_ahead`. SQLite has no clock.
    """

    def __init__(self, backend: Database, *, name: str = "copy A", **settings: Any) -> None:
        # Most tests have few leads, and are about other notices.
        self.settings = load(**{"runway_nights": 0, **settings})
        self.notifier = RecordingNotifier(self.settings)
        self.now = OPENS
        self.ahead = self.server_ahead = timedelta(0)
        self.clock = Clock(
            backend,
            self.settings,
            lambda: self.now + self.ahead,
            self.notifier,
            database_now=lambda asked: self.now + self.server_ahead if asked.dialect == "sqlserver" else None,
            monotonic=lambda: self.now.timestamp(),
            name=name,
        )

    def look(self, at: datetime, *, ahead: timedelta | None = None) -> list[str]:
        """Looks at this moment; returns the kinds of the notices that this look sent."""
        self.now = at
        if ahead is not None:
            self.ahead = ahead
        before = len(self.notifier.notices)
        self.clock.look()
        return self.notifier.kinds[before:]

    @property
    def kinds(self) -> list[str]:
        return self.notifier.kinds
