"""The settings and the rules in people's words: their titles, and their values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from babel import Locale

from agent_funnel.settings_types import NO_COUNTRY, WEEKDAYS, written
from agent_funnel.spans import span

ENGLISH = Locale("en")
# What each setting is about:
TITLES = {
    "database_url": "Database",
    "database_password_file": "File with its password",
    "database_schema": "Schema on SQL Server",
    "encryption": "Encrypted connection",
    "ca_file": "Certificates of the server’s authority",
    "lock_wait": "Wait for others who write",
    "call_timeout": "Longest call to the database",
    "timezone": "Time zone",
    "run_at": "Time of the deal",
    "catch_up": "Made up for within",
    "warn_before": "Warned of trouble",
    "runway_nights": "Warned when leads run out",
    "weekdays": "Days with a deal",
    "brake": "Waits for a person",
    "pool_factor": "Unusual amount of leads",
    "country": "Country of numbers without one",
    "max_per_agent": "Most leads for an agent",
    "window_days": "Age up to which leads are dealt",
    "newest_first": "Newest leads first",
    "voice": "Leads that were dealt before",
    "notify_urls": "Who is told",
    "notify_on": "What they are told",
    "dead_man_url": "Watched by another service",
    "message_call_back": "Message before a call-back",
    "message_first": "Message before a first call",
    "message_second": "Message before a second call",
    "message_third": "Message before a third call",
    "language": "Language",
    "public_url": "Address that letters link to",
    "host": "Network address",
    "port": "Port",
    "proxy_hops": "Trusted proxies",
    "rate_limit": "Most requests",
    "log_format": "Form of the log",
}
# A setting without a value:
WITHOUT = {
    "encryption": "required, except on this machine",
    "ca_file": "none: the server’s certificate is not checked",
    "brake": "never",
    "notify_urls": "nobody",
    "dead_man_url": "no",
    "country": "as in the rules",
    "max_per_agent": "as in the rules",
    "window_days": "as in the rules",
    "newest_first": "as in the rules",
    "voice": "as in the rules",
}
# Rules that are words, in the words of a person:
RULE_WORDS = {
    ("newest_first", False): "oldest first",
    ("newest_first", True): "newest first",
    ("voice", "fresh"): "go to another agent where possible",
    ("voice", "as-dealt"): "go to any agent, as the order has it",
    ("country", NO_COUNTRY): "none",
}


def country_name(code: str) -> str:
    """The English name of a country, by its code of two letters."""
    return str(ENGLISH.territories.get(code, code))


def setting_in_words(field: str, value: Any) -> str:
    """The value of a setting for people."""
    if value is None or value == () or value == frozenset():
        return WITHOUT.get(field, "none")
    if (field, value) in RULE_WORDS or field == "country":
        return rule_in_words(field, value)
    match value:
        case bool():
            return "yes" if value else "no"
        case timedelta():
            text = span(value) if value else "off"
            return f"{text} before" if field == "warn_before" and value else text
    if field == "weekdays":
        return "every day" if len(value) == len(WEEKDAYS) else str(written(value)).replace(",", ", ")
    if field == "runway_nights":
        return f"for fewer than {value} deals" if value else "off"
    if field == "pool_factor":
        return f"{value:g} times more or fewer than usual"
    return str(written(value)).replace(",", ", ") if isinstance(value, frozenset) else str(written(value))


def rule_in_words(name: str, value: Any) -> str:
    """The value of a rule for people."""
    if (name, value) in RULE_WORDS:
        return RULE_WORDS[name, value]
    return f"{country_name(value)} ({value})" if name == "country" else str(value)
