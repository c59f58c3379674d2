"""The spellings of a number that a search treats as the same number."""

from __future__ import annotations

import pytest

from agent_funnel.numbers import spellings

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
