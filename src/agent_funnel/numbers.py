"""Phone numbers: the spellings that a search treats as the same number."""

from __future__ import annotations

import re

# The characters that people write between the digits of a phone number:
_SEPARATORS = re.compile(r"[\s\-–()./]+")


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
