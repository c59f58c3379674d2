"""Phone numbers: the ways to write one that a search takes for the same number."""

from __future__ import annotations

import re

# What people put between the digits of a phone number:
_SEPARATORS = re.compile(r"[\s\-–()./]+")


def compact(number: str) -> str:
    """A number without blanks, dashes, parentheses, dots and slashes."""
    return _SEPARATORS.sub("", number)


def spellings(number: str) -> tuple[str, ...]:
    """Five ways to write a number, of which some may be equal.

    As it is given; without blanks, dashes, parentheses, dots and slashes; and such with `+`, with `00` and with neither
    before the country's code. A number without its country's code stays without it.
    """
    plain = compact(number)
    digits = plain.removeprefix("+") if plain.startswith("+") else plain.removeprefix("00")
    return number, plain, f"+{digits}", f"00{digits}", digits
