"""Dates as people and programs write them, and the order of day and month in a file."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from agent_funnel.files.columns import plain_name
from agent_funnel.sentences import sentence

DateOrder = Literal["dmy", "mdy", "ymd"]
ORDER_NAMES: dict[str, str] = {
    "dmy": sentence("day first"),
    "mdy": sentence("month first"),
    "ymd": sentence("year first"),
}
# The years that a DATETIME of SQL Server can hold, with room for the window:
YEARS = range(1900, 9999)
# Day numbers of spreadsheets count from this day on. Those of 1954 to 2119 are taken; other numbers are no dates.
DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 dates of leads have no zone
DAY_NUMBERS = range(20_000, 80_001)
# The languages whose names of months are read:
LANGUAGES = ("en", "pt", "es", "de", "fr", "it")

# The longest date, with a weekday, the name of the month and a time zone, is shorter:
LONGEST_DATE = 100

_TIME = (
    r"(?P<hour>\d{1,2})(?:(?:[:h]|(?<=\d)\.(?=\d\d\b))(?P<minute>\d\d)"
    r"(?:[:.](?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?\s*(?:h(?:rs?)?\b|Uhr)?"
    r"\s*(?P<half>[ap]\.?\s?m\b\.?)?\s*(?P<zone>Z|(?:UTC|GMT)?\s*[+-]\d{1,2}(?::?\d\d)?|UTC|GMT)?"
)
# Between a date and its time:
_THEN = r"(?:\s*[,T]\s*|\s+-\s+|\s+(?:at|às|as|a las|um|à|alle|ore|kl\.?)\s+|\s+)"
_REST = rf"(?:{_THEN}{_TIME})?"
_WEEKDAY = r"(?:[^\W\d_]{2,10}(?:-feira)?\.?,?\s+)?"
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})([-/.])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}}){_REST}", re.I)
_PARTS = re.compile(
    rf"{_WEEKDAY}(?P<first>\d{{1,2}})([-/.])(?P<second_part>\d{{1,2}})\2(?P<third>\d{{4}}|\d\d){_REST}", re.I
)
_DAY_MONTH = re.compile(
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th|º|er)?[\s-]*(?:de\s+|of\s+)?(?P<name>[^\W\d_]{{3,10}})\.?,?[\s-]*"
    rf"(?:de\s+)?(?P<year>\d{{4}}|\d\d){_REST}", re.I,
)  # fmt: skip
_MONTH_DAY = re.compile(
    rf"{_WEEKDAY}(?P<name>[^\W\d_]{{3,10}})\.?[\s-]+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[\s-]+(?P<year>\d{{4}}){_REST}",
    re.I,
)
# The usual forms, which need no more than a look. All others are read by the patterns above.
_USUAL_ORDER = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(?:\d{4}|\d\d)(?: \d{1,2}:\d\d(?::\d\d)?)?")
_USUAL = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?: (\d{1,2}):(\d\d)(?::(\d\d))?)?")
_DAY_NUMBER = re.compile(r"(\d{5})(?:[.,](\d{1,15}))?")


class Ambiguous(NamedTuple):
    """A date whose day and month cannot be told apart by itself."""

    first: int
    second: int


def order_of(text: str) -> DateOrder | Ambiguous | None:
    """The order of day and month that a date shows by itself; None if it has no such order, as in 2026-01-31.

    A date such as 05/05/2026 is the same in both orders.
    """
    if found := _USUAL_ORDER.fullmatch(text):
        return _order(int(found[1]), int(found[3]))
    return _unusual_order(text) if len(text) <= LONGEST_DATE else None


@lru_cache(10_000)
def _unusual_order(text: str) -> DateOrder | Ambiguous | None:
    found = _PARTS.fullmatch(_with_single_blanks(text))
    return None if found is None else _order(int(found["first"]), int(found["second_part"]))


def _order(first: int, second: int) -> DateOrder | Ambiguous | None:
    if first == second or not (1 <= first <= 31 and 1 <= second <= 31):
        return None
    if first > 12:
        return "dmy" if second <= 12 else None
    return "mdy" if second > 12 else Ambiguous(first, second)


def moment_of(text: str, order: DateOrder | None, zone: tzinfo) -> datetime | None:
    """The moment of a date as it is written, local to the zone; None if it is not a date.

    Where day and month are numbers, `order` says which of them is first.
    """
    if order in ("dmy", "mdy") and (found := _USUAL.fullmatch(text)):
        first, _, second, year, hour, minute, seconds = found.groups("0")
        day, month = (first, second) if order == "dmy" else (second, first)
        try:
            return datetime(int(year), int(month), int(day), int(hour), int(minute), int(seconds))  # noqa: DTZ001 no zone
        except ValueError:
            return None
    if text[4:5] == "-" and (moment := _iso(text)) is not None and moment.tzinfo is None:
        return moment
    return _unusual(text, order, zone) if len(text) <= LONGEST_DATE else None


@lru_cache(10_000)
def _unusual(text: str, order: DateOrder | None, zone: tzinfo) -> datetime | None:
    """The moment of a date in any form."""
    try:
        moment = _iso(text) or _day_number(text) or _written(_with_single_blanks(text), order)
    except (ValueError, OverflowError):
        return None
    if moment is not None and moment.tzinfo is not None:
        try:
            moment = moment.astimezone(zone).replace(tzinfo=None)
        except OverflowError:
            return None
    return moment


def _with_single_blanks(text: str) -> str:
    """The patterns have blanks in many places; with a hundred of them, matching takes a second."""
    return " ".join(text.split())


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _day_number(text: str) -> datetime | None:
    found = _DAY_NUMBER.fullmatch(text)
    if found is None or int(found[1]) not in DAY_NUMBERS:
        return None
    seconds = round(float(f"0.{found[2] or 0}") * 86_400)
    return DAY_ZERO + timedelta(days=int(found[1]), seconds=seconds)


def _written(text: str, order: DateOrder | None) -> datetime | None:
    if found := _YEAR_FIRST.fullmatch(text):
        return _moment(found, int(found["year"]), int(found["month"]), int(found["day"]))
    if found := _PARTS.fullmatch(text):
        first, second, third = int(found["first"]), int(found["second_part"]), found["third"]
        if order == "ymd":
            return _moment(found, _year(f"{first:02}"), second, int(third)) if len(third) == 2 else None
        if order is None and first == second:
            order = "dmy"
        if order is None:
            return None
        day, month = (first, second) if order == "dmy" else (second, first)
        return _moment(found, _year(third), month, day)
    for pattern in (_DAY_MONTH, _MONTH_DAY):
        if (found := pattern.fullmatch(text)) and (named := _months().get(plain_name(found["name"]))):
            return _moment(found, _year(found["year"]), named, int(found["day"]))
    return None


def _year(text: str) -> int:
    """A year of four digits, or of two: 69 to 99 are of the last century."""
    year = int(text)
    return year if len(text) == 4 else year + (1900 if year > 68 else 2000)


def _moment(found: re.Match[str], year: int, month: int, day: int) -> datetime | None:
    moment = datetime(year, month, day)  # noqa: DTZ001 the zone follows
    if found["hour"] is None:
        return moment
    hour, half = int(found["hour"]), (found["half"] or "")[:1].lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    elif found["minute"] is None:
        return None
    fraction = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    moment = moment.replace(hour=hour, minute=int(found["minute"] or 0), second=int(found["second"] or 0))
    return moment.replace(microsecond=fraction, tzinfo=_zone(found["zone"]))


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    offset = re.fullmatch(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d\d))?", text, re.I)
    if offset is None:
        return UTC
    return timezone((1 if offset[1] == "+" else -1) * timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0)))


@cache
def _months() -> dict[str, int]:
    """The months by their names and short names in the languages that are read."""
    from babel.dates import get_month_names  # few files have names of months

    names: dict[str, int] = {}
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for month, name in get_month_names(width, context, language).items():
                    names[plain_name(name)] = month
                    names.setdefault(plain_name(name)[:3], month)
    # June or July in French:
    del names["jui"]
    return names
