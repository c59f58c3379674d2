"""The details and the targets in the audit, which are kept in English, as sentences for the reader of a page.

A detail is looked up among the templates of the catalogue. Texts that people wrote, such as names, stay as they are.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from babel import Locale
from babel.messages.mofile import read_mo

from agent_funnel import sentences
from agent_funnel.do_not_contact import list_word
from agent_funnel.errors import FunnelError
from agent_funnel.rules import read_rule
from agent_funnel.sentences import Sentence, counted, joined, sentence, with_values
from agent_funnel.stored_sentences import as_sentence
from agent_funnel.web.format import REPORTED
from agent_funnel.web.setting_words import rule_with_value

# Values that are sentences of ours; all others may be texts of people:
OURS = {"fault", "faults", "field", "limits", "reason", "reasons", "error", "why", "warning", "choices", "days"}
# A template with less text of its own than this, in characters, would fit nearly everything:
LEAST_TEXT = 8
_PLACE = re.compile(r"%\((\w+)\)s")
_AMOUNT = re.compile(r"\d{1,3}(,\d{3})*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Template(NamedTuple):
    """A text of the catalogue, with the plural if it has one, and the longest part of it that is no value."""

    text: str
    singular: str
    plural: str | None
    longest_part: str


@lru_cache(maxsize=2_000)
def detail_in_words(text: str, locale: Locale) -> str:
    """The reason of a refusal as a sentence, which can be translated; the text itself if it is none that we know."""
    known = as_sentence(text)
    return known if isinstance(known, Sentence) else _found(text, _templates(locale))


def _found(text: str, templates: dict[str, Template]) -> str:
    if text in templates:
        return with_values(text, {})
    for each in templates.values():
        if each.longest_part in text and (found := _pattern(each.text).fullmatch(text)):
            values: dict[str, object] = {
                name: _value(name, value, templates) for name, value in found.groupdict().items()
            }
            if each.plural is None or "count" not in values:
                return with_values(each.text, values)
            count = values["count"]
            return with_values(each.singular, values, each.plural, count if isinstance(count, int) else 0)
    return text


def _value(name: str, text: str, templates: dict[str, Template]) -> object:
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    if "," in text and _AMOUNT.fullmatch(text):
        return int(text.replace(",", ""))
    if name not in OURS:
        return int(text) if name == "count" and text.isdecimal() else text
    if name == "choices":
        return [_found(part, templates) for part in text.split(", ")]
    if "; " in text:
        return joined(*(_words(name, part, templates) for part in text.split("; ")), by="; ")
    return _words(name, text, templates)


def _words(name: str, text: str, templates: dict[str, Template]) -> str:
    """A value that is a sentence of ours; the faults of a form name a field each."""
    field, colon, fault = text.partition(": ")
    if name == "faults" and colon:
        return sentence("%(field)s: %(fault)s", field=_found(field, templates), fault=_found(fault, templates))
    return _found(text, templates)


@lru_cache(maxsize=8)
def _templates(locale: Locale) -> dict[str, Template]:
    """The templates of a catalogue, those with the most text of their own first; none for English."""
    path = gettext.find("messages", str(sentences.CATALOGUES), [str(locale)])
    if path is None:
        return {}
    with Path(path).open("rb") as file:
        messages = [message for message in read_mo(file) if message.id and not message.context]
    found = []
    for message in messages:
        forms = (message.id, None) if isinstance(message.id, str) else tuple(message.id)
        found += [_template(form, *forms) for form in forms if form]
    found.sort(key=lambda each: -len(_PLACE.sub("", each.text)))
    return {each.text: each for each in found if not _PLACE.search(each.text) or len(each.longest_part) >= LEAST_TEXT}


def _template(text: str, singular: str, plural: str | None) -> Template:
    return Template(text, singular, plural, max(map(_as_written, _PLACE.split(text)[::2]), key=len))


def _as_written(part: str) -> str:
    """A part of a template that is no value, as texts have it."""
    return part.replace("%%", "%")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """The pattern of the texts that a template makes."""
    parts = _PLACE.split(text)
    known: set[str] = set()
    for place in range(1, len(parts), 2):
        name = parts[place]
        parts[place] = f"(?P={name})" if name in known else f"(?P<{name}>.+?)"
        known.add(name)
    parts[::2] = [re.escape(_as_written(part)) for part in parts[::2]]
    return re.compile("".join(parts), re.DOTALL)


def target_in_words(path: str, target: str, locale: Locale) -> str:
    """What a request was done to; a sentence if a program wrote it, by the path of the request, which is without /api.

    Other targets are names and texts of people, and stay as they are.
    """
    for paths, pattern, words in TARGETS:
        if path in paths and (found := re.fullmatch(pattern, target)):
            return words(*found.groups())
    if path == "/schedule/adopt":
        return _found(target, _templates(locale))
    return target


def _days(first: str, last: str | None = None) -> str:
    days: dict[str, object] = {"first": date.fromisoformat(first), "last": last and date.fromisoformat(last)}
    return with_values("%(first)s to %(last)s" if last else "%(first)s", days)


def _rules(text: str) -> str:
    try:
        pairs = [part.partition(" ") for part in text.split(", ")]
        return joined(*(rule_with_value(name, read_rule(name, value)) for name, _, value in pairs), by="; ")
    except (FunnelError, KeyError):
        return text


def _numbers(count: str, list_name: str | None = None) -> str:
    numbers = counted("%(count)s number", "%(count)s numbers", int(count))
    return joined(numbers, list_word(list_name), by=", ") if list_name else numbers


HAND_BACKS = (
    "/hand-backs", "/hand-backs/undo", "/agents/hand-back", "/agents/hand-back/undo", "/mine/<secret>/hand-back",
    "/mine/<secret>/hand-back/undo",
)  # fmt: skip
OUTCOMES = ("/outcomes", "/outcomes/take-back", "/leads/outcomes/take-back", "/mine/<secret>/report",
    "/mine/<secret>/take-back", "/mine/<secret>/outcomes/take-back")  # fmt: skip
DAYS = (
    "/calendar/holidays", "/calendar/holidays/remove", "/nights/<day>/reopen", "/nights/<day>/skip", "/schedule/reopen",
    "/schedule/skip",
)  # fmt: skip
DAY = r"(\d{4}-\d\d-\d\d)"
# The paths of requests, the pattern of a target that a program wrote, and its words:
TARGETS: tuple[tuple[tuple[str, ...], str, Callable[..., str]], ...] = (
    (("/keys/revoke", "/keys/<int:key_id>"), r"key (\d+)", lambda key: sentence("key %(key_id)s", key_id=key)),
    (
        ("/agents/limits/remove", "/calendar/limits/remove", "/limits/<int:limit_id>"), r"limit (\d+)",
        lambda limit: sentence("number %(limit_id)s", limit_id=limit),
    ),
    (HAND_BACKS, r"hand-back (\d+)", lambda one: sentence("hand-back %(hand_back_id)s", hand_back_id=one)),
    (
        HAND_BACKS, r"(\d+) of (.+), run (\d+)",
        lambda leads, agent, run: counted(
            "%(count)s lead of %(agent)s, deal %(run_id)s", "%(count)s leads of %(agent)s, deal %(run_id)s",
            int(leads), agent=agent, run_id=run,
        ),
    ),
    (OUTCOMES, rf"({'|'.join(REPORTED)}) (\S+)", lambda outcome, number: joined(REPORTED[outcome], number, by=", ")),
    (
        ("/outcomes/several", "/mine/<secret>/outcomes"), r"(\d+) of (\d+) outcomes",
        lambda kept, all_of_them: counted(
            "%(kept)s of %(count)s outcome", "%(kept)s of %(count)s outcomes", int(all_of_them), kept=int(kept)
        ),
    ),
    (("/do-not-contact/several", "/do-not-contact/several/remove"), r"(\d+) numbers, (.+)", _numbers),
    (("/do-not-contact/several/look-up",), r"(\d+) numbers", _numbers),
    (("/do-not-contact/import", "/numbers/import"), r"(.+)", list_word),
    (("/start/agents",), r"(\d+) names", lambda names: counted("%(count)s name", "%(count)s names", int(names))),
    (
        ("/agents/activate-all",), r"(\d+) agents: (.*)",
        lambda agents, names: counted(
            "%(count)s agent: %(names)s", "%(count)s agents: %(names)s", int(agents), names=names
        ),
    ),
    (("/agents/links",), r"(\d+) links", lambda links: counted("%(count)s link", "%(count)s links", int(links))),
    (
        ("/calendar/public",), r"(\S+) (\d{4}): (\d+) days",
        lambda country, year, days: counted(
            "%(country)s %(year)s: %(count)s day", "%(country)s %(year)s: %(count)s days", int(days),
            country=country, year=year,
        ),
    ),
    (DAYS, DAY, _days),
    (DAYS, f"{DAY} to {DAY}", _days),
    (("/rules",), "no change", lambda: sentence("no change")),
    (("/rules",), r"(.+)", _rules),
    (("/person/forget",), "erasure(?:, (.+))?", lambda certificate: certificate or ""),
)  # fmt: skip
