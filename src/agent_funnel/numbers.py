"""Phone numbers: the match keys that tell whether two spellings are the same number, and the usual spellings."""

from __future__ import annotations

import re

from agent_funnel.database import Database
from agent_funnel.values import LONGEST_TEXT, text_length

# A deal waits while this many numbers are taken in, about a second on a small server:
NUMBERS_AT_ONCE = 10_000

# The characters that people write between the digits of a phone number:
_SEPARATORS = re.compile(r"[\s\-–()./]+")


def match_key(database: Database, number: str) -> str:
    """The match key of a number as it is written.

    A number that is too long for the tables is its own key. The rule is in SQL, so that a deal that any client asks for
    obeys it.
    """
    if text_length(number) > LONGEST_TEXT:
        return number
    row = database.one("match_key", number=number)
    assert row is not None
    return str(row["match_key"])


def take_in(database: Database, *, with_history: bool = False) -> int:
    """Keeps the match keys of the numbers that others have inserted since the last time. Returns how many there were.

    Until then a search finds these numbers in their usual spellings only; a deal takes in those that it needs itself.
    With `with_history` also those of past runs, which an older version of the tables has without keys.
    """
    found = 0
    parameters = {"with_history": int(with_history)}
    row = database.one("are_numbers_new", **parameters)
    while row is not None and row["are_new"]:
        taken = database.one("take_in_numbers", most=NUMBERS_AT_ONCE, **parameters)
        found += taken["taken_in"] if taken else 0
        row = database.one("are_numbers_new", **parameters)
    return found


def compact(number: str) -> str:
    """A number without blanks, dashes, parentheses, dots and slashes."""
    return _SEPARATORS.sub("", number)


def spellings(number: str) -> tuple[str, ...]:
    """Returns five ways to write a number; some of them may be equal.

    The first is the number as it is given, the second is without blanks, dashes, parentheses, dots and slashes. The
    others are the second with `+`, with `00` and with neither before the country code. No country code is added to a
    number that has none.
    """
    plain = compact(number)
    digits = plain.removeprefix("+") if plain.startswith("+") else plain.removeprefix("00")
    return number, plain, f"+{digits}", f"00{digits}", digits
