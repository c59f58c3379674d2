"""Warnings about settings that are allowed, but probably not meant: misspelt names, and a time zone that is not set."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from agent_funnel.settings import PREFIX, Settings, source, unknown_names, variable


def settings_warnings(settings: Settings, now: datetime) -> list[str]:
    """All warnings about these settings, each as a sentence or two."""
    return [*unknown_settings(settings), *unset_zone(settings, now)]


def unknown_settings(settings: Settings) -> list[str]:
    """Warns of each variable that looks like a setting and is none, and suggests the setting of the nearest name."""
    known = {variable(field).removeprefix(PREFIX): variable(field) for field in Settings.model_fields}
    found = []
    for name, place in unknown_names(settings).items():
        nearest = get_close_matches(name.removeprefix(PREFIX), known, n=1)
        advice = f"Did you mean {known[nearest[0]]}?" if nearest else "The page Settings lists them all."
        found.append(f"{name} ({place}) is not a setting of Agent Funnel, and has no effect. {advice}")
    return found


def unset_zone(settings: Settings, now: datetime) -> list[str]:
    """Warns if no time zone is set, so that the schedule is in UTC, on a machine whose own zone is another one."""
    here = machine_zone()
    if source(settings, "timezone") != "default" or here is None or _is_utc(here, now):
        return []
    there = datetime.combine(now.astimezone(settings.timezone), settings.run_at, settings.timezone).astimezone(here)
    name = _iana_name(here)
    called = name or f"UTC{there.isoformat()[-6:]}"
    ours = f"FUNNEL_TIMEZONE={name}" if name else "FUNNEL_TIMEZONE, for example to Europe/Berlin"
    return [
        f"FUNNEL_TIMEZONE is not set, so the schedule is in UTC: {settings.run_at:%H:%M} there is {there:%H:%M} in the "
        f"zone of this machine ({called}). Set {ours}; or set FUNNEL_TIMEZONE=UTC if you "
        "mean that."
    ]


def machine_zone() -> tzinfo | None:
    """The time zone of this machine; None if it cannot be found out."""
    # Imported here because few commands need it.
    import tzlocal

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Not get_localzone, which remembers the zone of its first call.
            return tzlocal.reload_localzone()
    except (LookupError, ValueError, OSError):
        return None


def _iana_name(zone: tzinfo) -> str | None:
    """The name of a zone, as it can be written in the setting; None if it has no such name, but only a file."""
    name = getattr(zone, "key", None)
    try:
        return str(ZoneInfo(name)) if name else None
    except (LookupError, ValueError, OSError):
        return None


def _is_utc(zone: tzinfo, now: datetime) -> bool:
    """Whether a zone keeps to UTC all year. London does not, although it does in winter."""
    year = (now + timedelta(days=days) for days in range(0, 366, 30))
    return all(not moment.astimezone(zone).utcoffset() for moment in year)
