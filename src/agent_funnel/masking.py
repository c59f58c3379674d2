"""Phone numbers with all but their last three digits hidden."""

from __future__ import annotations

import re

# A run of at least four digits before the last three:
_LONG_DIGITS = re.compile(r"\d{4,}(?=\d{3})")
# A number that a database server quotes in a message:
_QUOTED_NUMBER = re.compile(r"(?<=['\"])\+?\d+(?=\d{3}['\"])")


def last_digits(number: str) -> str:
    """The last three digits of a number, and none of a number of three characters or fewer."""
    return f"…{number[-3:] if len(number) > 3 else ''}"


def mask_digits(text: str) -> str:
    """A text in which every run of seven digits or more has only its last three."""
    return _LONG_DIGITS.sub("…", text)


def mask_quoted_numbers(text: str) -> str:
    """A message of a database server in which every number in quotation marks has only its last three digits."""
    return _QUOTED_NUMBER.sub("…", text)
