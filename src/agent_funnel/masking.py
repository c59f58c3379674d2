"""Masks phone numbers: all but the last three digits are hidden."""

from __future__ import annotations

import re

# Four or more digits before the last three:
_LONG_DIGITS = re.compile(r"\d{4,}(?=\d{3})")
# A number in quotation marks, as database servers write it in messages:
_QUOTED_NUMBER = re.compile(r"(?<=['\"])\+?\d+(?=\d{3}['\"])")


def last_digits(number: str) -> str:
    """Masks a number except for its last three digits. A number of up to three characters is masked completely."""
    return f"…{number[-3:] if len(number) > 3 else ''}"


def mask_digits(text: str) -> str:
    """Masks every sequence of seven or more digits in a text, except for its last three digits."""
    return _LONG_DIGITS.sub("…", text)


def mask_quoted_numbers(text: str) -> str:
    """Masks every number in quotation marks in a message of a database server, except for its last three digits."""
    return _QUOTED_NUMBER.sub("…", text)
