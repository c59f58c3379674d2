"""Checks of the settings of this program, which are not in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agent_funnel.doctor.check import Finding
from agent_funnel.settings import Settings
from agent_funnel.settings_warnings import settings_warnings


def settings_findings(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Finds variables that look like settings and are none, and a time zone that is not set."""
    found = settings_warnings(settings, now)
    for text in found:
        # The warning says what to do.
        yield Finding("settings", "warning", text)
    if not found:
        yield Finding(
            "settings", "ok", f"Every variable FUNNEL_… is a setting; the schedule is in {settings.timezone}."
        )
