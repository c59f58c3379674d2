"""Formatting: numbers and dates in the reader's locale, and charts as inline SVG."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, match_skeleton
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup

from agent_funnel.leads import DEALT_STAGES

# Shown for a missing value:
NOTHING = "–"
STAGE_NAMES = {1: "never called", 2: "called once", 3: "called twice", 4: "finished"}
# Which call it is for the agent, by the stage after the deal:
CALL_NAMES = {2: "first call", 3: "second call", 4: "third call"}
# What an agent reports of a lead:
REPORTED = {
    "talked": "Talked",
    "no_answer": "No answer",
    "won": "Won",
    "lost": "Lost",
    "call_back": "Call back",
    "wrong_number": "Wrong number",
    "opted_out": "Does not want to be called",
    "not_worked": "Not called",
}
# The symbol and the name of the status of a run, and of the outcome of a night:
RUN_STATUS = {"succeeded": ("✓", "dealt"), "undone": ("↶", "undone"), "failed": ("!", "failed")}
OUTCOMES = {
    **RUN_STATUS,
    "missed": ("✕", "missed"),
    "paused": ("‖", "paused"),
    "holiday": ("○", "no deal planned"),
    "skipped": ("»", "skipped"),
    "void": ("–", "taken back"),
    "unknown": ("·", "nothing known"),
}


@lru_cache(maxsize=10_000)
def number(value: float | None, locale: Locale) -> str:
    """A number with the reader's separators: 8814 is 8,814 or 8.814."""
    return NOTHING if value is None else str(format_decimal(value, locale=locale))


@lru_cache(maxsize=10_000)
def percent(value: float, locale: Locale) -> str:
    """A rate with one decimal, in the reader's locale: 0.2553 is 25.5%."""
    return str(format_percent(value, "#,##0.0%", locale=locale))


@lru_cache(maxsize=10_000)
def day(value: date | None, locale: Locale, form: str = "medium") -> str:
    """A date; `form` is one of FIELDS or of Babel's: short, medium, long, full, or a pattern such as EEEE."""
    return NOTHING if value is None else str(format_date(value, _pattern(form, locale), locale=locale))


# Fields of a date, which each locale orders and joins in its own way, and their names in its data:
FIELDS = {
    "d MMM": "MMMd",
    "EEE d MMM": "MMMEd",
    "EEE d MMM y": "yMMMEd",
    "EEEE d MMMM": "MMMMEEEEd",
    "LLLL yyyy": "yMMMM",
}


@lru_cache(maxsize=1_000)
def _pattern(form: str, locale: Locale) -> str:
    """The pattern of a form in a locale."""
    skeleton = FIELDS.get(form)
    if skeleton is None:
        return form
    known = locale.datetime_skeletons
    found = skeleton if skeleton in known else match_skeleton(skeleton, known)
    pattern = str(known[found].pattern)
    # Some locales have the fields with a short weekday only.
    return re.sub("E+|c+", "EEEE", pattern, count=1) if "EEEE" in form else pattern


def moment(
    value: datetime | None, zone: ZoneInfo, locale: Locale, *, form: str = "minute", this_year: int | None = None
) -> Markup:
    """A moment in the configured time zone. The whole of it, with seconds and zone, is shown on hover, where a script
    adds the reader's own time.

    `form` is "minute" or "second", or "time" for the time of day alone. The year is left out if it is `this_year`, and
    the zone except with "time": the foot of each page names it.
    """
    if value is None:
        return Markup(NOTHING)  # noqa: S704 a constant
    local = value.astimezone(zone)
    naive, zone_now = local.replace(tzinfo=None), zone_name(local)
    exact = format_time(naive, "medium", locale=locale)
    clock = exact if form == "second" else format_time(naive, "short", locale=locale)
    text = f"{clock} {zone_now}" if form == "time" else f"{_short_day(local.date(), locale, this_year)}, {clock}"
    return Markup('<time datetime="{}" title="{}, {} {}">{}</time>').format(
        local.isoformat(timespec="seconds"), day(local.date(), locale, "full"), exact, zone_now, text
    )


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
    return "somebody on the server" if name == "this machine" else name or NOTHING


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
