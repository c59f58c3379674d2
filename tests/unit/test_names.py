"""Names that are easily taken for one another."""

from __future__ import annotations

import unicodedata

import pytest

from agent_funnel.names import alike_names, likeness, spell


@pytest.mark.parametrize(
    "other",
    [
        "ANA SOUZA", " Ana Souza ", "Ana  Souza", "Ana\u00a0Souza", "AnaSouza", "Aná Souza", "Ana\u200b Souza",
        unicodedata.normalize("NFD", "Ána Sõuza"), "Ａna Souza",
    ],
)  # fmt: skip
def test_case_blanks_accents_and_unicode_forms_make_no_difference(other: str) -> None:
    assert likeness(other) == likeness("Ana Souza")


@pytest.mark.parametrize("other", ["Ana Sousa", "Ana", "Souza Ana", "Ana-Souza"])
def test_other_letters_make_a_difference(other: str) -> None:
    assert likeness(other) != likeness("Ana Souza")


def test_only_different_names_of_the_same_likeness_are_a_group() -> None:
    assert alike_names(["Bo", "Ana", "ana", "Ana", "Cy", "CY"]) == [("Ana", "ana"), ("CY", "Cy")]
    assert alike_names([]) == []
    # Names of which nothing would be left are not alike.
    assert alike_names(["\u200b", "\u200d"]) == []


def test_a_name_that_looks_like_another_one_is_shown_with_its_code_points() -> None:
    assert spell("José") == "'José'"
    assert spell(unicodedata.normalize("NFD", "José")) == "'Jose\u0301' (with U+0301)"
    assert spell("Ana\u00a0Souza").endswith("(with U+00A0)")
