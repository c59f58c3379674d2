"""The settings and the rules in people's words: their titles, and their values."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from babel.dates import get_day_names

from agent_funnel.sentences import Sentence, joined, sentence, with_values
from agent_funnel.settings import describe
from agent_funnel.settings_types import NO_COUNTRY, WEEKDAYS, written
from agent_funnel.spans import span
from agent_funnel.web.languages import NAMES, locale

NONE, YES, NO, OFF = sentence("none"), sentence("yes"), sentence("no"), sentence("off")
EVERY_DAY = sentence("every day")
# What each setting is about:
TITLES = {
    "database_url": sentence("Database"),
    "database_password_file": sentence("File with its password"),
    "database_schema": sentence("Schema on SQL Server"),
    "encryption": sentence("Encrypted connection"),
    "ca_file": sentence("Certificates of the server’s authority"),
    "lock_wait": sentence("Longest wait for a lock"),
    "call_timeout": sentence("Longest call to the database"),
    "timezone": sentence("Time zone"),
    "run_at": sentence("Time of the deal"),
    "catch_up": sentence("How late it may start"),
    "warn_before": sentence("Warned of trouble"),
    "runway_nights": sentence("Warned when leads fall short"),
    "weekdays": sentence("Days with a deal"),
    "brake": sentence("Waits for a person"),
    "pool_factor": sentence("Unusual amount of leads"),
    "country": sentence("Country of numbers without one"),
    "max_per_agent": sentence("Most leads for an agent"),
    "window_days": sentence("Age up to which leads are dealt"),
    "newest_first": sentence("Newest leads first"),
    "voice": sentence("Leads that were dealt before"),
    "notify_urls": sentence("Who gets notices"),
    "notify_on": sentence("Which events send a notice"),
    "dead_man_url": sentence("Watched by another service"),
    "message_call_back": sentence("Message before a call-back"),
    "message_first": sentence("Message before a first call"),
    "message_second": sentence("Message before a second call"),
    "message_third": sentence("Message before a third call"),
    "language": sentence("Language"),
    "public_url": sentence("Address that letters link to"),
    "host": sentence("Network address"),
    "port": sentence("Port"),
    "proxy_hops": sentence("Trusted proxies"),
    "rate_limit": sentence("Most requests"),
    "log_format": sentence("Format of the log"),
}
# A setting without a value:
WITHOUT = {
    "encryption": sentence("required, except on this machine"),
    "ca_file": sentence("none: the server’s certificate is not checked"),
    "brake": sentence("never"),
    "notify_urls": sentence("nobody"),
    "dead_man_url": sentence("no"),
    "country": sentence("as in the rules"),
    "max_per_agent": sentence("as in the rules"),
    "window_days": sentence("as in the rules"),
    "newest_first": sentence("as in the rules"),
    "voice": sentence("as in the rules"),
}
# The groups of settings, by their names in the reference:
GROUPS = {
    "The database": sentence("The database"),
    "The schedule": sentence("The schedule"),
    "The deal": sentence("The deal"),
    "Messages to leads": sentence("Messages to leads"),
    "Notices": sentence("Notices"),
    "The service": sentence("The service"),
}
# Rules that are words, in the words of a person:
RULE_WORDS = {
    ("newest_first", False): sentence("oldest first"),
    ("newest_first", True): sentence("newest first"),
    ("voice", "fresh"): sentence("go to another agent where possible"),
    ("voice", "as-dealt"): sentence("go to any agent, as the order has it"),
    ("country", NO_COUNTRY): sentence("none"),
}
# Settings that are words, or lists of words, in the words of a person:
VALUE_WORDS = {
    "encryption": {
        "require": sentence("required"),
        "request": sentence("where the server has it"),
        "off": sentence("off"),
    },
    "brake": {
        "pool": sentence("an unusual amount of leads"),
        "procedure": sentence("procedures that are not those of this version"),
    },
    "notify_on": {
        "finished": sentence("finished"),
        "failed": sentence("failed"),
        "missed": sentence("missed"),
        "recovered": sentence("recovered"),
        "warning": sentence("warning"),
        "held": sentence("held"),
        "letter": sentence("letter"),
    },
    "log_format": {"console": sentence("for people"), "json": sentence("for programs (JSON)")},
}
# The most requests, by their unit of time:
RATES = {
    "second": sentence("%(count)s in a second"),
    "minute": sentence("%(count)s in a minute"),
    "hour": sentence("%(count)s in an hour"),
    "day": sentence("%(count)s in a day"),
}


def country_name(code: str) -> str:
    """The name of a country in the language of the page, by its code of two letters."""
    return str(locale().territories.get(code, code))


def setting_in_words(field: str, value: Any) -> str:
    """The value of a setting for people, as a sentence where it is words."""
    if value is None or value == () or value == frozenset():
        return WITHOUT.get(field, NONE)
    if (field, value) in RULE_WORDS or field == "country":
        return rule_in_words(field, value)
    match value:
        case bool():
            return YES if value else NO
        case timedelta():
            if not value:
                return OFF
            length = span(value)
            return sentence("%(length)s before", length=length) if field == "warn_before" else length
    if field in VALUE_WORDS:
        chosen = {value} if isinstance(value, str) else value
        return joined(*(words for word, words in VALUE_WORDS[field].items() if word in chosen), by=", ")
    if field == "rate_limit":
        count, _, unit = str(value).split()
        return with_values(RATES[unit].template, {"count": int(count)})
    if field == "language":
        return NAMES[value]
    if field == "weekdays":
        return EVERY_DAY if len(value) == len(WEEKDAYS) else _days(value)
    if field == "runway_nights":
        return sentence("for fewer than %(nights)s deals", nights=value) if value else OFF
    if field == "pool_factor":
        return sentence("%(factor)s times more or fewer than usual", factor=f"{value:g}")
    return str(written(value))


def _days(value: Collection[int]) -> str:
    """The names of weekdays, in the language of the page."""
    names = get_day_names("abbreviated", locale=locale())
    return ", ".join(names[day] for day in sorted(value))


def meaning(field: str) -> Sentence:
    """The first sentence of the description of a setting; the reference has all of them."""
    return with_values(re.split(r"(?<=\.)\s", describe(field).description, maxsplit=1)[0], {})


def rule_in_words(name: str, value: Any) -> str:
    """The value of a rule for people."""
    if (name, value) in RULE_WORDS:
        return RULE_WORDS[name, value]
    return f"{country_name(value)} ({value})" if name == "country" else str(value)


def rule_with_value(name: str, value: Any) -> Sentence:
    """A rule with its value, for people."""
    words = rule_in_words(name, value)
    match name:
        case "country":
            return sentence("country of numbers without one: %(country)s", country=words)
        case "max_per_agent":
            return sentence("most leads for an agent: %(amount)s", amount=words)
        case "window_days":
            return sentence("days that a lead is dealt: %(days)s", days=words)
        case "newest_first":
            return sentence("leads with the same number of calls: %(order)s", order=words)
        case _:
            return sentence("leads that were dealt before %(what)s", what=words)
