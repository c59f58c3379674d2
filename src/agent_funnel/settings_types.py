"""The types of settings: how a value is read from a text, and written as one."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer
from pydantic_settings import NoDecode

# The countries whose numbers are known in their national form. The procedure of the deal and its script on SQLite have
# the same list:
COUNTRIES = ("BR", "MX", "AR", "US", "CA", "DE", "GB", "ES", "PT", "FR", "IT", "RU")
# The country of a floor whose numbers all have one of their own:
NO_COUNTRY = "none"
# Whether leads that come round meet another agent, as far as possible, or whoever the order gives them to:
VOICES = ("fresh", "as-dealt")
# The languages of pages and notices, as they are written in HTML:
Language = Literal["en", "pt-BR", "es", "de"]
LANGUAGES: tuple[str, ...] = get_args(Language)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NOTICES = ("finished", "failed", "missed", "recovered", "warning", "held", "letter")
# What a message to a lead may have in braces, and its longest text, in characters:
PLACEHOLDERS = ("{greeting}", "{agent}")
LONGEST_MESSAGE = 500
# The units of a duration, in seconds:
UNITS = {"h": 3600, "m": 60, "s": 1}


def _zone(value: str) -> object:
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a time zone; write an IANA name such as Europe/Berlin") from None


def _clock_time(value: str) -> object:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", value):
        raise ValueError("is not a time of day; write HH:MM, from 00:00 to 23:59")
    return time.fromisoformat(value)


def _duration(value: str) -> object:
    found = re.fullmatch(r"(\d{1,6})(s|m|h|)", value.strip())
    if not found or (not found[2] and found[1].strip("0")):
        raise ValueError("is not a duration; write for example 3h, 90m, 45s or 0")
    duration = timedelta(seconds=int(found[1]) * UNITS.get(found[2], 0))
    # A longer window would reach into the next evening.
    if duration >= timedelta(hours=24):
        raise ValueError("is not shorter than 24h")
    return duration


def _weekdays(value: str) -> object:
    """Reads `mon-fri` or `mon,wed,sat` as numbers of weekdays, where 0 is Monday."""
    found: set[int] = set()
    for part in value.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            raise ValueError("is not a list of weekdays; write for example mon-fri or mon,wed,sat")
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def country(value: str) -> str:
    """Reads a country, in any case, or the word for none."""
    found = value.upper()
    if found == NO_COUNTRY.upper():
        return NO_COUNTRY
    if not value.isascii() or found not in COUNTRIES:
        raise ValueError(f"is not a country that is known; write {NO_COUNTRY} or one of {', '.join(COUNTRIES)}")
    return found


def voice(value: str) -> str:
    """Reads whether leads that come round meet another agent, in any case."""
    found = value.lower()
    if found not in VOICES:
        raise ValueError(f"is not {' or '.join(VOICES)}")
    return found


def _message(value: str) -> str:
    text = value.strip()
    if len(text) > LONGEST_MESSAGE:
        raise ValueError(f"has {len(text)} characters; it must have at most {LONGEST_MESSAGE}")
    if found := re.search(r"\{[^{}]*\}?|\}", re.sub("|".join(map(re.escape, PLACEHOLDERS)), "", text)):
        raise ValueError(f"has {found[0]}; in braces, it may have only {' and '.join(PLACEHOLDERS)}")
    return text


def _host(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; write an address, for example 127.0.0.1")
    return value


def _check_certificates(value: Path) -> Path:
    try:
        # Read it first: for a directory, the library would report a missing certificate.
        value.read_bytes()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
    except ssl.SSLError:
        raise ValueError("holds no certificate in PEM format") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    return value.absolute()


def _words(*allowed: str) -> BeforeValidator:
    """Reads a list of allowed words, separated by commas."""

    def check(value: str) -> object:
        words = [word.strip().lower() for word in value.split(",") if word.strip()]
        if unknown := sorted(set(words) - set(allowed)):
            raise ValueError(f"has the unknown word {unknown[0]}; allowed are {', '.join(allowed)}")
        return frozenset(words)

    return _reader(check)


def _reader(read: Callable[[str], object]) -> BeforeValidator:
    """Applies `read` to a text; leaves a value that is not a text to pydantic."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


# A blank or a line end around it, as at the end of a file, is not meant.
Text = Annotated[str, _reader(str.strip)]
# A file with certificates:
Certificates = Annotated[Path, AfterValidator(_check_certificates)]
Zone = Annotated[ZoneInfo, _reader(_zone), PlainSerializer(str)]
ClockTime = Annotated[time, _reader(_clock_time)]
Duration = Annotated[timedelta, _reader(_duration)]
Country = Annotated[str, _reader(lambda text: country(text.strip()))]
Voice = Annotated[str, _reader(lambda text: voice(text.strip()))]
Message = Annotated[str, _reader(_message)]
Host = Annotated[str, _reader(_host)]
# NoDecode, because these lists are plain texts and pydantic-settings would read them as JSON.
Weekdays = Annotated[frozenset[int], NoDecode, _reader(_weekdays)]
Brakes = Annotated[frozenset[str], NoDecode, _words("pool", "procedure")]
Notices = Annotated[frozenset[str], NoDecode, _words(*NOTICES)]
Urls = Annotated[tuple[str, ...], NoDecode, _reader(lambda text: tuple(text.split()))]


def message(of: str) -> Any:
    """The setting of a message, for the leads of one class."""
    return Field(
        default="{greeting}!",
        description=f"The message that an agent's own list puts into WhatsApp for {of}. `{{greeting}}` is a greeting "
        f"by the time of day, and `{{agent}}` the agent's name; at most {LONGEST_MESSAGE} characters, or empty.",
        json_schema_extra={"group": "Messages to leads"},
    )


def written(value: object) -> str | None:
    """A value, written as in its variable; None for an empty value."""
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            seconds = int(value.total_seconds())
            return next(f"{seconds // length}{unit}" for unit, length in UNITS.items() if seconds % length == 0)
        case time():
            return value.isoformat("auto" if value.second else "minutes")
        case float():
            return f"{value:g}"
        case frozenset():
            return ",".join(WEEKDAYS[each] if isinstance(each, int) else each for each in sorted(value)) or None
        case tuple():
            return " ".join(value) or None
        case _:
            return None if value is None else str(value)
