"""Masks phone numbers and user ids of WhatsApp: all but the last three characters are hidden."""

from __future__ import annotations

import re

from agent_funnel.sentences import changed

# Digits that are no phone number: an ISO date or moment, a date with dots or slashes, a time of day, an IPv4 address.
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_OTHER = (
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:[+-]\d\d:?\d\d)?)?(?!\d)"
    r"|\d{1,2}[./]\d{1,2}[./]\d{4}(?!\d)"
    r"|\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?!\d)"
    rf"|{_BYTE}(?:\.{_BYTE}){{3}}(?::\d{{1,5}})?(?![\d.])"
)
# Characters that people write between the digits of a phone number, also the invisible ones of copied numbers:
_BETWEEN = (
    r"[ \t\u00a0\u00ad\u2000-\u200a\u202f\u3000\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff+\-()./]"
    r"{1,3}"
)
# Seven or more digits, with or without such characters between them:
_NUMBER = rf"[+(]{{0,2}}\d(?:\d|{_BETWEEN}(?!{_OTHER})\d){{5,}}(?:{_BETWEEN}(?!{_OTHER}))?\d"
# A user id of WhatsApp, such as BR.1502512345678901, by which a business knows a person without a number: two letters
# of a country, for some businesses ENT, and up to 128 letters and digits. A name of a file or of a class may begin in
# the same way, so at least five of these must be digits, or there must be at least sixteen of them:
WHATSAPP_ID = (
    r"(?:[A-Z]{2}\.(?:ENT\.)?(?=(?:[A-Za-z]*[0-9]){5})[A-Za-z0-9]+"
    r"|(?<![A-Za-z])[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{16,})"
)
_WHATSAPP_ID = re.compile(WHATSAPP_ID)
_OTHER_OR_NUMBER = re.compile(rf"(?<!\d)(?:{_OTHER})|(?P<id>{WHATSAPP_ID})|(?P<number>{_NUMBER})")
# A number in quotation marks, as database servers write it in messages:
_QUOTED_NUMBER = re.compile(r"(?<=['\"])\+?\d+(?=\d{3}['\"])")
_NO_DIGIT = re.compile(r"\D")


def last_digits(number: str) -> str:
    """Masks a number except for its last three digits. A number of up to three characters is masked completely."""
    return f"…{number[-3:] if len(number) > 3 else ''}"


def mask_digits(text: str) -> str:
    """Masks every phone number and every user id of WhatsApp in a text, except for their last three characters.

    A number is a sequence of seven or more digits, also with blanks, dashes, dots, slashes and parentheses between
    them. Dates, times and IP addresses stay. A sentence can still be translated, unless a number goes across its parts.
    """
    return changed(text, _mask_all)


def _mask_all(text: str) -> str:
    return _OTHER_OR_NUMBER.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    if found["id"] is not None:
        return last_digits(found["id"])
    number = found["number"]
    return found[0] if number is None else last_digits(_NO_DIGIT.sub("", number))


def mask_quoted_numbers(text: str) -> str:
    """Masks numbers in a message of a database server, except for their last three characters.

    These are all numbers in quotation marks, however short, and all user ids of WhatsApp.
    """
    return _WHATSAPP_ID.sub(lambda found: last_digits(found[0]), _QUOTED_NUMBER.sub("…", text))
