"""The oracle for match keys: the rule in plain Python, written without a look at the SQL."""

from __future__ import annotations

import re
from typing import NamedTuple

BLANKS = "\t\n\v\f\r \u00a0" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u3000"
# Characters without a width: they tell programs where a line may break, and in which direction a text runs.
MARKS = "\u00ad" + "".join(map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]))
DASHES = "".join(map(chr, range(0x2010, 0x2016)))
SEPARATORS = BLANKS + MARKS + DASHES + "+-()./"
PREFIXES = ("tel:", "p:", "whatsapp:", "'")
SUFFIXES = ("@s.whatsapp.net", "@c.us")


class Country(NamedTuple):
    """A country: its calling code, the lengths of its national numbers, and the prefix that people dial within it."""

    code: str
    lengths: range
    trunk: str


COUNTRIES = {
    "BR": Country("55", range(10, 12), "0"),
    "MX": Country("52", range(10, 11), ""),
    "AR": Country("54", range(10, 11), "0"),
    "US": Country("1", range(10, 11), "1"),
    "CA": Country("1", range(10, 11), "1"),
    "DE": Country("49", range(7, 12), "0"),
    "GB": Country("44", range(9, 11), "0"),
    "ES": Country("34", range(9, 10), ""),
    "PT": Country("351", range(9, 10), ""),
    "FR": Country("33", range(9, 10), "0"),
    "IT": Country("39", range(6, 12), ""),
    "RU": Country("7", range(10, 11), "8"),
}


def match_key(text: str, country: str | None = None) -> str:
    """The match key of a number as it is written, for a sales floor in a country; None if its country is not set."""
    trimmed = text.strip(BLANKS)
    digits, international = _read(_bare(trimmed))
    if not re.fullmatch("[0-9]{8,15}", digits):
        return trimmed
    if country and not international:
        digits = _with_code(digits, COUNTRIES[country])
    return _national_rules(digits)


def _bare(text: str) -> str:
    for prefix in PREFIXES:
        if text.startswith(prefix):
            text = text[len(prefix) :]
            break
    for suffix in SUFFIXES:
        if text.endswith(suffix):
            return text[: -len(suffix)]
    return text


def _read(text: str) -> tuple[str, bool]:
    """The text without what people put between digits, and whether it is written with its country's code."""
    plus = text.lstrip(BLANKS + MARKS + "()").startswith("+")
    digits = _without_separators(text)
    if not plus and not digits.startswith("00"):
        return digits, False
    if not digits.startswith(("39", "0039") if plus else "0039"):
        digits = _without_separators(text.replace("(0)", ""))
    return digits.removeprefix("00"), True


def _without_separators(text: str) -> str:
    return "".join(char for char in text if char not in SEPARATORS)


def _with_code(digits: str, country: Country) -> str:
    code, lengths, trunk = country
    if digits.startswith(code) and len(digits) - len(code) in lengths:
        return digits
    if trunk and digits.startswith(trunk) and len(digits) - len(trunk) in lengths:
        return code + digits.removeprefix(trunk)
    return code + digits if len(digits) in lengths else digits


def _national_rules(digits: str) -> str:
    if re.fullmatch("55[0-9]{2}9[6-9][0-9]{7}", digits):
        return digits[:4] + digits[5:]
    if re.fullmatch("521[0-9]{10}", digits):
        return "52" + digits[3:]
    if re.fullmatch("549[0-9]{10}", digits):
        return "54" + digits[3:]
    return digits
