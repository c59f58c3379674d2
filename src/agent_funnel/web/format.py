"""Formatting: numbers and dates in the reader's locale, and charts as inline SVG."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, match_skeleton
from babel.numbers import format_decimal
from flask import has_request_context
from markupsafe import Markup

from agent_funnel.runs import DEALT_STAGES
from agent_funnel.sentences import Sentence, sentence
from agent_funnel.web import languages

# Shown for a missing value:
NOTHING = "–"
# The most agents that a sentence names:
MOST_NAMED = 5
# Actors who are no people: a request from this machine without a key, and a command.
ACTORS = {"this machine": sentence("somebody on the server"), "command line": sentence("command line")}


class Words(dict[Any, Any]):
    """Words of pages, which are in the language of the page when they are read."""

    def __getitem__(self, key: Any) -> Any:
        return _read(super().__getitem__(key))

    def get(self, key: Any, default: Any = None) -> Any:
        """The word of a key, or the default."""
        return _read(super().get(key, default))

    def items(self) -> Any:
        """Every key with its word."""
        return [(key, self[key]) for key in self]

    def values(self) -> Any:
        """Every word."""
        return [self[key] for key in self]


def _read(word: Any) -> Any:
    if isinstance(word, tuple):
        return tuple(map(_read, word))
    return languages.translated(word) if isinstance(word, Sentence) and has_request_context() else word


STAGE_NAMES = Words(
    {
        1: sentence("never called"),
        2: sentence("called once"),
        3: sentence("called twice"),
        4: sentence("finished"),
    }
)
# Fields of a date, which each locale orders and joins in its own way, and their names in its data:
FIELDS = {
    "d MMM": "MMMd",
    "EEE d MMM": "MMMEd",
    "EEE d MMM y": "yMMMEd",
    "EEEE d MMMM": "MMMMEEEEd",
    "LLLL yyyy": "yMMMM",
}
# The whole date, as it is in a sentence; alone, it is Babel's "full":
WHOLE_DATE = "EEEE d MMMM y"
# What joins a weekday and its date in a sentence, where that is not what a date alone has: "el jueves 26 de noviembre",
# "am Donnerstag, dem 26. November". All German sentences with a weekday have the dative.
JOINED_IN_SENTENCES = {"es": " ", "de": ", 'dem' "}
# Which call it is for the agent, by the stage after the deal:
CALL_NAMES = Words({2: sentence("first call"), 3: sentence("second call"), 4: sentence("third call")})
# What an agent reports of a lead:
REPORTED = Words(
    {
        "talked": sentence("Talked"),
        "no_answer": sentence("No answer"),
        "won": sentence("Won"),
        "lost": sentence("Lost"),
        "call_back": sentence("Call back"),
        "wrong_number": sentence("Wrong number"),
        "opted_out": sentence("Does not want to be called"),
        "not_worked": sentence("Not called"),
    }
)
# The symbol and the name of the status of a run, and of the outcome of a night:
_STATUS = {
    "succeeded": ("✓", sentence("dealt")),
    "undone": ("↶", sentence("undone")),
    "failed": ("!", sentence("failed")),
    "held": ("△", sentence("held")),
}
RUN_STATUS = Words(_STATUS)
OUTCOMES = Words(
    {
        **_STATUS,
        "missed": ("✕", sentence("missed")),
        "paused": ("‖", sentence("paused")),
        "holiday": ("○", sentence("no deal planned")),
        "skipped": ("»", sentence("skipped")),
        "void": ("–", sentence("taken back")),
        "to_come": ("…", sentence("still to come")),
        "unknown": ("·", sentence("nothing known")),
    }
)
# The words for dates near today, by how many days they are after it:
NEAR_DAYS = Words({-1: sentence("yesterday"), 0: sentence("today"), 1: sentence("tomorrow")})
# The forms of a moment that have these words:
NEAR_FORMS = ("near", "when")
ROLES = {"viewer": sentence("viewer"), "operator": sentence("operator"), "admin": sentence("admin")}
ROLE_NAMES = Words(ROLES)


@lru_cache(maxsize=10_000)
def number(value: float | None, locale: Locale) -> str:
    """A number with the reader's separators: 8814 is 8,814 or 8.814."""
    return NOTHING if value is None else str(format_decimal(value, locale=locale))


@lru_cache(maxsize=10_000)
def percent(value: float, locale: Locale) -> str:
    """A rate with one decimal, in the reader's locale: 0.2553 is 25.5%."""
    pattern = copy(locale.percent_formats[None])
    # The locale says where the sign is; one decimal is ours.
    pattern.frac_prec = (1, 1)
    return str(pattern.apply(value, locale))


@lru_cache(maxsize=10_000)
def day(value: date | None, locale: Locale, form: str = "medium") -> str:
    """A date; `form` is one of FIELDS or of Babel's: short, medium, long, full, or a pattern such as EEEE."""
    return NOTHING if value is None else str(format_date(value, _pattern(form, locale), locale=locale))


@lru_cache(maxsize=1_000)
def _pattern(form: str, locale: Locale) -> str:
    """The pattern of a form in a locale."""
    if form == WHOLE_DATE:
        return _in_sentence(str(locale.date_formats["full"].pattern), locale)
    skeleton = FIELDS.get(form)
    if skeleton is None:
        return form
    known = locale.datetime_skeletons
    found = skeleton if skeleton in known else match_skeleton(skeleton, known)
    pattern = str(known[found].pattern)
    # Some locales have the fields with a short weekday only.
    return _in_sentence(re.sub("E+|c+", "EEEE", pattern, count=1), locale) if "EEEE" in form else pattern


def _in_sentence(pattern: str, locale: Locale) -> str:
    """The pattern of a date with its whole weekday, for a sentence."""
    by = JOINED_IN_SENTENCES.get(locale.language)
    return pattern if by is None else re.sub("EEEE,? ", f"EEEE{by}", pattern)


def near_day(value: date | None, today: date, locale: Locale) -> str:
    """A date that stands alone, as in a table: today, yesterday and tomorrow in words; others with their weekday."""
    if value is None:
        return NOTHING
    word = NEAR_DAYS.get((_date_of(value) - today).days)
    return word or _short_day(value, locale, today.year)


def _date_of(value: date) -> date:
    """The date of a value that may have a time of day."""
    return value.date() if isinstance(value, datetime) else value


def dated(value: date, today: date, locale: Locale, form: str = "near", *, ends: bool = False) -> Markup:
    """A date in a sentence. The whole of it is shown on hover, and on the focus of a link that has it.

    `form` is "near", as `near_day` writes it, or a form of `day`. If it `ends` the sentence, it has no full stop of its
    own, which short dates have in some languages.
    """
    text = near_day(value, today, locale) if form == "near" else day(value, locale, form)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(), day(value, locale, "full"), text.rstrip(".") if ends else text
    )


def moment(
    value: datetime | None,
    zone: ZoneInfo,
    locale: Locale,
    *,
    form: str = "minute",
    this_year: int | None = None,
    today: date | None = None,
) -> Markup:
    """A moment in the configured time zone. The whole of it, with seconds and zone, is shown on hover, where a script
    adds the reader's own time.

    `form` is "minute" or "second", or "time" for the time of day alone. In two forms the day is a word where it is near
    `today`: "near" is for a moment that stands alone, as in a table, or after "since"; "when" is for all other
    sentences: today at 08:35, yesterday at 20:40, or on Tue 24 Nov, 20:40. The year is left out if it is `this_year`,
    and the zone always: the foot of each page names it.
    """
    if value is None:
        return Markup(NOTHING)  # noqa: S704 a constant
    local = value.astimezone(zone)
    naive, zone_now = local.replace(tzinfo=None), zone_name(local)
    exact = format_time(naive, "medium", locale=locale)
    clock = exact if form == "second" else format_time(naive, "short", locale=locale)
    text = clock if form == "time" else f"{_short_day(local.date(), locale, this_year)}, {clock}"
    word = NEAR_DAYS.get((local.date() - today).days) if form in NEAR_FORMS and today is not None else None
    if form == "when":
        text = _read(
            sentence("%(day)s at %(time)s", day=word, time=clock) if word else sentence("on %(moment)s", moment=text)
        )
    elif word:
        text = f"{word}, {clock}"
    # A page that stays open over midnight finds by the class which words to replace.
    shown = Markup('<time{} datetime="{}" title="{}, {} {}">{}</time>')
    return shown.format(
        Markup(' class="near"') if word else "",
        local.isoformat(timespec="seconds"), day(local.date(), locale, "full"), exact, zone_now, text,
    )  # fmt: skip


@lru_cache(maxsize=10_000)
def _short_day(value: date, locale: Locale, this_year: int | None) -> str:
    """A date with its weekday, and with its year if it is another one."""
    return str(format_skeleton("MMMEd" if value.year == this_year else "yMMMEd", value, locale=locale))


def zone_name(local: datetime) -> str:
    """The name of the zone of a moment: CET, or UTC-03 if its only name is the offset."""
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{name}"


def person(actor: str | None) -> str:
    """The name in a record, for people: "http: Ana" is Ana."""
    name = (actor or "").removeprefix("http: ")
    return _read(ACTORS[name]) if name in ACTORS else name or NOTHING


def bar(by_stage: Mapping[int, int], largest: int) -> Markup:
    """A bar for a share, relative to the largest share, with a part for each stage.

    It is hidden from screen readers, as the amount is written beside it.
    """
    parts, at = "", 0.0
    for stage in DEALT_STAGES:
        width = 100 * by_stage.get(stage, 0) / largest if largest else 0.0
        if width:
            parts += f'<rect class="stage-{stage}" x="{at:.2f}" width="{width:.2f}" height="10"/>'
        at += width
    # It holds only numbers, and a page has a thousand bars: escaping would take half of the time.
    return Markup(f'<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{parts}</svg>')  # noqa: S704


def sparkline(values: Sequence[int | None], largest: int = 0) -> Markup:
    """A column for each deal, the oldest first, as high as the share; an unknown share (None) leaves a gap.

    The columns of several charts can be compared if they have the same `largest` share; it is at least their own.
    """
    largest = max([largest, *(value for value in values if value is not None)])
    columns: dict[str, list[str]] = {"some": [], "none": []}
    for index, value in enumerate(values):
        if value is not None:
            # A night without leads still gets a visible column.
            height = max(1.0, 20 * value / largest) if largest else 1.0
            columns["some" if value else "none"].append(f"M{4 * index} 20v-{height:.1f}h3v{height:.1f}z")
    part = Markup('<path class="{}" d="{}"/>')
    whole = Markup('<svg class="sparkline" viewBox="0 0 {} 20" aria-hidden="true">{}</svg>')
    # Few elements, since a page has many sparklines.
    paths = (part.format(kind, "".join(drawn)) for kind, drawn in columns.items() if drawn)
    return whole.format(max(1, 4 * len(values) - 1), Markup("").join(paths))
