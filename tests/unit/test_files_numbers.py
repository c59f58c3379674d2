"""Numbers as people and spreadsheets write them; the match key stays what it is."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_funnel.files import cells
from agent_funnel.files.cells import BadCell, number_cell
from agent_funnel.numbers import plain_number
from support.match_keys import match_key
from support.tables import leads_in, workbook


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+55 21 97000-0001", "+5521970000001"),
        ("(21) 97000-0001", "21970000001"),
        ("21.97000.0001", "21970000001"),
        ("2130.0000", "21300000"),
        ("0055 21 97000 0001", "005521970000001"),
        ("+49 (0)151 1234567", "+491511234567"),
        ("+39 (0)6 1234567", "+39061234567"),
        ("'5521970000001", "5521970000001"),
        ('="5521970000001"', "5521970000001"),
        ('="+55 21 97000-0001"', "+5521970000001"),
        ("5521970000001.0", "5521970000001"),
        ("5521970000001,00", "5521970000001"),
        ("5521970000001.000000", "5521970000001"),
        ("5.521970000001E+12", "5521970000001"),
        ("\u202a+55 21 97000\u20110001\u202c", "+5521970000001"),
        ("\u200b5521970000001\ufeff", "5521970000001"),
        ("55\xa021970000001", "5521970000001"),
        ("tel:+5521970000001", "+5521970000001"),
        ("p:+5521970000001", "+5521970000001"),
        ("5521970000001@c.us", "5521970000001"),
        ("003Dn00000AbCdE", "003Dn00000AbCdE"),
        ("BR.1502512345678901", "BR.1502512345678901"),
        ("5512E9", "5512E9"),
        ("Tel: 21 97000-0001", "21970000001"),
        ("cel 21970000001", "21970000001"),
        ("+55 21 97000-0001 (WhatsApp)", "+5521970000001"),
        ("+55 21 97000-0001 ::: +55 21 3333-4444", "+5521970000001"),
    ],
)
def test_a_number_is_taken_in_any_spelling(text: str, number: str) -> None:
    assert number_cell(text) == number


@pytest.mark.parametrize("text", ["5.52E+12", "5,52197E+12", "5.521970E+12", "5E+12", "5.52e+12"])
def test_a_number_that_a_spreadsheet_has_shortened_is_refused_with_that_reason(text: str) -> None:
    found = number_cell(text)
    assert isinstance(found, BadCell)
    assert "was shortened by a spreadsheet, and its last digits are lost" in found.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "number is missing"),
        ("\u200b ", "number is missing"),
        ("123", "'123' is too short for a number: it has 3 digits, and a number has 4 to 20"),
        *((text, f"“{text}” is not a phone number") for text in ("sem telefone", "tel: x")),
        ("=1+1", "'=1+1' is neither a number of 4 to 20 digits nor an id of 4 to 128 letters and digits"),
        ("٢١٩٧٠٠٠٠٠٠١", "'…٠٠١' is neither a number of"),
        ("21970000001 / 21970000002", "number has several numbers in one cell"),
        ("21970000001; 21970000002", "number has several numbers in one cell"),
        ("+1 212 555 0100 ext. 12", "number has an extension"),
        ("(11) 3333-4444 ramal 5", "number has an extension"),
        ("9" * 1_000_000 + " ", "'…999' is too long for a number: it has 1,000,000 digits, and a number has 4 to 20"),
    ],
)
def test_what_is_no_number_is_bad_for_its_reason(text: str, reason: str) -> None:
    found = number_cell(text)
    assert isinstance(found, BadCell)
    assert found.reason.startswith(reason)


PIECES = st.sampled_from(
    [*"0123456789" * 2, *"+-()./ ", "(0)", "\xa0", "\u2011", "\u202a", "00", "55", "+39", "tel:", "@c.us"]
)


@example("0(0)1000000", "DE")
@given(st.lists(PIECES, max_size=18).map("".join), st.sampled_from([None, "BR", "DE", "IT"]))
def test_a_number_without_its_separators_has_the_same_match_key(text: str, country: str | None) -> None:
    # The key of what is no phone number is its text.
    if (key := match_key(text, country)).isdigit():
        assert match_key(plain_number(text), country) == key


def test_numbers_of_a_workbook_keep_all_their_digits() -> None:
    book = workbook(["number"], [5521970000001], [21970000001.0], ["+55 21 97000-0001"], [5521970000001234567])
    found = leads_in(book)
    assert [each[0] for each in found[:3]] == ["5521970000001", "21970000001", "+5521970000001"]
    assert "was shortened by a spreadsheet" in found[3]


@given(st.text("+0123456789 ()-.E", min_size=1, max_size=24) | st.from_regex(r"\+?[0-9()\- ]{6,18}", fullmatch=True))
def test_the_usual_spellings_are_taken_like_all_others_only_sooner(text: str) -> None:
    with patch.object(cells, "_USUAL_NUMBER", re.compile("(?!)")):
        expected = number_cell(text.strip())
    assert number_cell(text.strip()) == expected
