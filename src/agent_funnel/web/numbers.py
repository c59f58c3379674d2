"""Numbers as people see them: grouped as in their country, with links that dial them and that open WhatsApp.

A number is stored, sent back by forms and written to files as it is; only pages show it in this form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from flask import g
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from agent_funnel.rules import list_rules
from agent_funnel.settings_types import NO_COUNTRY
from agent_funnel.web.services import services

# What programs put before and after a number:
_AROUND = re.compile(r"^(?:tel:|p:|whatsapp:|')|(?:@s\.whatsapp\.net|@c\.us)$")
# Separators and invisible marks, which a copied number may have anywhere:
_BLANKS_AND_MARKS = r"\t-\r \u00a0\u00ad\u2000-\u2015\u2028-\u202f\u2060-\u2069\u3000\ufeff"
_PLUS = re.compile(rf"^[{_BLANKS_AND_MARKS}()]*\+")
_SEPARATORS = re.compile(rf"[{_BLANKS_AND_MARKS}\-()./]+")
_DIGITS = re.compile(r"[0-9]{5,20}")
# With fewer digits, a number without + or 00 may as well be a national one. Of the national numbers of 14 countries,
# up to half would otherwise get a link to a stranger in another country.
_SHORTEST_CERTAIN = 11
# The calling code of numbers that belong to no country, such as satellite phones:
_NO_COUNTRY = phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY


@dataclass(frozen=True)
class ShownNumber:
    """A number for people. `tel` is for a dialler, `whatsapp` for wa.me; both are None if the country is in doubt."""

    text: str
    tel: str | None = None
    whatsapp: str | None = None


def floor_country() -> str | None:
    """The country, in two letters, whose national numbers the leads may have; None if none is set.

    It is asked once a request.
    """
    if "floor_country" not in g:
        given = services()
        (state,) = (state for state in list_rules(given.database, given.settings) if state.name == "country")
        g.floor_country = None if state.value in (None, NO_COUNTRY) else str(state.value)
    found: str | None = g.floor_country
    return found


@lru_cache(maxsize=20_000)
def shown_number(number: str, country: str | None = None) -> ShownNumber:
    """A number with its links. Ids, masked numbers and everything that is no valid number are shown as they are."""
    text = _AROUND.sub("", number.strip())
    plus = _PLUS.match(text)
    plain = text[plus.end() :] if plus else text
    is_international = plus is not None or _SEPARATORS.sub("", plain).startswith("00")
    digits = _SEPARATORS.sub("", _without_trunk_zero(plain) if is_international else plain)
    if is_international and not plus:
        digits = digits[2:]
    if not _DIGITS.fullmatch(digits):
        return ShownNumber(number)
    return (_read(digits) if is_international else _read_plain(digits, country)) or ShownNumber(number)


def _without_trunk_zero(text: str) -> str:
    """An international number without a zero in brackets, which is dialled only within the country: +49 (0)30 …"""
    # In Italy that zero is a part of the number.
    return text if _SEPARATORS.sub("", text).removeprefix("00").startswith("39") else text.replace("(0)", "", 1)


def _read_plain(digits: str, country: str | None) -> ShownNumber | None:
    """A number without + or 00: one of the country, or an international number that cannot well be a national one."""
    for each in [] if country is None else _own_readings(digits, country):
        if found := _read(each):
            return found
    # National numbers of Brazil have eleven digits, too, and are often written without a zero before them.
    if len(digits) < _SHORTEST_CERTAIN or _read(f"55{digits}"):
        return None
    return _read(digits)


def _own_readings(digits: str, country: str) -> list[str]:
    """The international numbers that digits may stand for in a country, of which the first valid one is meant."""
    code = str(phonenumbers.country_code_for_region(country))
    trunk = phonenumbers.ndd_prefix_for_region(country, True) or ""
    return [
        *([digits] if digits.startswith(code) else []),
        *([code + digits.removeprefix(trunk)] if trunk and digits.startswith(trunk) else []),
        code + digits,
    ]


def _read(digits: str) -> ShownNumber | None:
    """An international number, given by its digits; None if it is not valid."""
    number = _valid(digits)
    if number is not None:
        shown = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        has_country = phonenumbers.region_code_for_number(number) != _NO_COUNTRY
        return ShownNumber(shown, f"+{digits}", digits if has_country else None)
    # Older forms, which WhatsApp still knows numbers by: mobile numbers of Brazil without their ninth digit, and those
    # of Mexico with a 1. A telephone reaches them only in the form of today.
    if re.fullmatch(r"55[0-9]{2}[6-9][0-9]{7}", digits) and (today := _valid(f"{digits[:4]}9{digits[4:]}")):
        shown = phonenumbers.format_number(today, PhoneNumberFormat.INTERNATIONAL)
        return ShownNumber(shown.replace(" 9", " ", 1), f"+{digits[:4]}9{digits[4:]}", digits)
    if re.fullmatch(r"521[0-9]{10}", digits) and (today := _valid(f"52{digits[3:]}")):
        shown = phonenumbers.format_number(today, PhoneNumberFormat.INTERNATIONAL)
        return ShownNumber(shown.replace("+52 ", "+52 1 ", 1), f"+52{digits[3:]}", digits)
    return None


def _valid(digits: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except NumberParseException:
        return None
    # The parser drops digits that it takes for a trunk prefix; then the number is not what is written.
    if phonenumbers.format_number(number, PhoneNumberFormat.E164) != f"+{digits}":
        return None
    return number if phonenumbers.is_valid_number(number) else None
