"""What can be a number, and the spellings of one that a search treats as the same number."""

from __future__ import annotations

import re

import pytest

from agent_funnel.numbers import LONGEST_ID, fault_in_number, spellings

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
    assert fault.startswith("number is not 4 to 20 digits with an optional + before them, and no id of 4 to 128 ")
    assert fault.endswith(f", length {len(text)}")
    assert re.search(r"\d{4}", fault) is None
