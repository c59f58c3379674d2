"""No two people have one match key: valid numbers, and the neighbours that a national rule would merge with them."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from support import LONG
from support.match_keys import match_key
from support.properties import more_time

pytestmark = more_time

COUNTRIES = [
    "BR", "MX", "AR", "US", "CA", "DE", "GB", "ES", "PT", "FR", "IT", "RU", "IN", "NG", "ID", "CO", "CL", "PE", "ZA",
    "TR",
]  # fmt: skip
NUMBERS = 1_000_000 if LONG else 20_000
KINDS = {value: name for name, value in vars(PhoneNumberType).items() if isinstance(value, int) and value >= 0}
# The pairs of which both numbers are valid, by country and kinds. docs/explanation/match-keys.md says for each why they
# are one number.
ARGUED = {("AR", "FIXED_LINE", "MOBILE"), ("BR", "MOBILE", "MOBILE")}


def kind(digits: str) -> str | None:
    """The kind of a valid international number; None if it is not valid."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException:
        return None
    return KINDS[phonenumbers.number_type(number)] if phonenumbers.is_valid_number(number) else None


@cache
def valid_numbers(country: str, count: int) -> frozenset[str]:
    """Valid numbers of all kinds of a country, made from examples whose last digits are changed at random."""
    chance = random.Random(country)
    examples = [
        (str(example.country_code), phonenumbers.national_significant_number(example))
        for each in KINDS
        if (example := phonenumbers.example_number_for_type(country, each))
    ]
    found: set[str] = set()
    for _ in range(20 * count):
        if len(found) == count:
            break
        code, national = chance.choice(examples)
        kept = chance.randrange(len(national))
        digits = code + national[:kept] + "".join(chance.choices("0123456789", k=len(national) - kept))
        if kind(digits):
            found.add(digits)
    assert len(found) > count / 2
    return frozenset(found)


def neighbours(digits: str) -> set[str]:
    """The other ways to write a number, if one of the national rules is for it."""
    found = set()
    for code, place, digit in (("55", 4, "9"), ("52", 2, "1"), ("54", 2, "9")):
        if digits.startswith(code):
            found.add(digits[:place] + digit + digits[place:])
            if digits[place : place + 1] == digit:
                found.add(digits[:place] + digits[place + 1 :])
    return {each for each in found if match_key(f"+{each}") == match_key(f"+{digits}")}


def test_two_valid_numbers_have_one_key_only_where_they_are_known_to_be_one_number() -> None:
    valid = {country: valid_numbers(country, NUMBERS // len(COUNTRIES)) for country in COUNTRIES}
    both_valid: Counter[tuple[str, str, str]] = Counter()
    for country, numbers in valid.items():
        for digits in numbers:
            for each in neighbours(digits):
                if other := kind(each):
                    first, second = sorted([kind(digits) or "", other])
                    both_valid[country, first, second] += 1
    assert set(both_valid) == ARGUED, both_valid


def test_no_other_two_numbers_have_one_key() -> None:
    by_key: dict[str, set[str]] = defaultdict(set)
    for country in COUNTRIES:
        for digits in valid_numbers(country, NUMBERS // len(COUNTRIES)):
            by_key[match_key(f"+{digits}")].add(digits)
    for numbers in by_key.values():
        first = min(numbers)
        assert numbers <= {first} | neighbours(first)
