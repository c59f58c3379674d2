"""What can be a number, and the spellings of one that a search treats as the same number."""

from __future__ import annotations

import re

import pytest

from agent_funnel.numbers import LONGEST_ID, differ_by_country, fault_in_number, spellings

FORMS = ("+4915112345678", "004915112345678", "4915112345678")


@pytest.mark.parametrize("separator", [" ", "-", "–", "(", ")", ".", "/", "\t", "\xa0", " / "])
@pytest.mark.parametrize("prefix", ["+", "00", ""])
def test_a_number_is_searched_without_its_separators_and_with_each_prefix(prefix: str, separator: str) -> None:
    written = f"{prefix}49{separator}151{separator}123{separator}45678"
    found = spellings(written)
    assert len(found) == 5
    assert set(found) == {written, *FORMS}


@pytest.mark.parametrize("text", ["x-7", "015112345", "+", "00", ""])
def test_the_text_itself_is_always_searched(text: str) -> None:
    assert spellings(text)[0] == text


def test_a_number_without_a_country_code_stays_without_it() -> None:
    assert set(spellings("0151 123")) == {"0151 123", "0151123", "+0151123", "000151123"}


@pytest.mark.parametrize("text", ["BR.1502512345678901", "003Dn00000AbCdE", " US.ENT.11815799212886844830 ", "tel:+55"])
def test_a_text_with_letters_has_one_spelling(text: str) -> None:
    assert set(spellings(text)) == {text, text.strip()}


@pytest.mark.parametrize(
    "text",
    [
        "1234", "+1234", "0" * 20, "+" + "9" * 20, "a1b2", "9Z" * 64, "BR.15025", "BR.1502512345678901",
        "US.ENT.11815799212886844830", f"BR.{'7' * LONGEST_ID}", f"BR.{'z' * LONGEST_ID}", "BR.abcdefghijklmnop",
    ],
)  # fmt: skip
def test_numbers_and_ids_are_taken(text: str) -> None:
    assert fault_in_number(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "123", "+", "1" * 21, "++1234", "١٢٣٤", "unknown", "a1b", "a1" * 64 + "b", "a_1234", "ä1234", "a1234\n",
        "BR.", "BR.1234", "br.15025", "BRA.15025", "B1.15025", "BR.15 025", f"BR.{'7' * (LONGEST_ID + 1)}",
        "BR.Department", "BR.ENT.", "BR.XYZ.15025", "BR..15025", "+BR.15025",
    ],
)  # fmt: skip
def test_other_texts_are_refused_with_the_reason_and_the_limit(text: str) -> None:
    fault = fault_in_number(text)
    assert fault is not None
    assert re.search(r" of 4 to 20 digits | a number has 4 to 20$| is not a phone number$", fault)
    assert re.search(r"\d{4}", fault) is None


NEITHER = "is neither a number of 4 to 20 digits nor an id of 4 to 128 letters and digits"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("119", "'119' is too short for a number: it has 3 digits, and a number has 4 to 20"),
        ("+1", "'+1' is too short for a number: it has 1 digit, and a number has 4 to 20"),
        ("+" + "1" * 21, "'…111' is too long for a number: it has 21 digits, and a number has 4 to 20"),
        ("a_1", f"'a_1' {NEITHER}: it has 3 characters"),
        ("11 99000_1703", f"'…703' {NEITHER}: it has 13 characters"),
        ("ontem", "“ontem” is not a phone number"),
    ],
)  # fmt: skip
def test_a_fault_names_the_value_and_the_limit_that_it_breaks(text: str, fault: str) -> None:
    assert fault_in_number(text) == fault


@pytest.mark.parametrize(
    ("national", "international", "expected"),
    [
        ("11990001703", "551190001703", True),  # Brazil: with its country code, the key has no ninth digit
        ("011990001703", "551190001703", True),
        ("1130001703", "551130001703", True),
        ("030123456", "4930123456", True),
        ("0612345678", "390612345678", True),  # Italy keeps the zero
        ("89161234567", "79161234567", True),
        ("912345678", "351912345678", True),
        ("2125550100", "12125550100", True),
        ("33334444", "1133334444", False),  # 11 is the code of a city, not of a country
        ("33334444", "551133334444", False),
        ("21990001703", "551190001703", False),
        ("11990001703", "521190001703", False),
        ("1234567", "551234567", False),
        ("11990001703", "11990001703", False),
        ("a1990001703", "551190001703", False),
        ("", "551190001703", False),
    ],
)
def test_one_number_is_the_other_with_its_country_code(national: str, international: str, expected: bool) -> None:
    assert differ_by_country(national, international) is expected
    assert differ_by_country(international, national) is expected
