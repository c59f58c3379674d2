"""Messages to leads: the templates of the settings, with a greeting by the time of day in the language of the floor."""

from __future__ import annotations

from datetime import datetime

from agent_funnel.settings import Settings

# The greetings of the morning, the afternoon (from 12:00) and the evening (from 18:00), in the language of a country:
_PORTUGUESE = ("Bom dia", "Boa tarde", "Boa noite")
_SPANISH = ("Buenos días", "Buenas tardes", "Buenas noches")
_ENGLISH = ("Good morning", "Good afternoon", "Good evening")
GREETINGS = {
    "BR": _PORTUGUESE,
    "PT": _PORTUGUESE,
    "MX": _SPANISH,
    "AR": _SPANISH,
    "ES": _SPANISH,
    "DE": ("Guten Morgen", "Guten Tag", "Guten Abend"),
    "FR": ("Bonjour", "Bonjour", "Bonsoir"),
    "IT": ("Buongiorno", "Buon pomeriggio", "Buonasera"),
    "RU": ("Доброе утро", "Добрый день", "Добрый вечер"),
}


def messages(settings: Settings, *, agent: str, country: str | None, now: datetime) -> dict[str, str]:
    """The message to the leads of each class, at a moment in the zone of the floor; empty where none is wanted."""
    greetings = GREETINGS.get(country or "", _ENGLISH)
    greeting = greetings[0 if now.hour < 12 else 1 if now.hour < 18 else 2]
    templates = {
        "call_back": settings.message_call_back,
        "first": settings.message_first,
        "second": settings.message_second,
        "third": settings.message_third,
        "other": settings.message_first,
    }
    # The name comes last, so that nothing in it counts as a placeholder.
    return {name: text.replace("{greeting}", greeting).replace("{agent}", agent) for name, text in templates.items()}
