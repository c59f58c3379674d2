"""Numbers as people see them: grouped, with links where the country is certain."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from agent_funnel.web.numbers import ShownNumber, shown_number

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def mobile(region: str) -> str:
    """The example of a mobile number of a region, as phonenumbers has it: +4915123456789."""
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    example = example or phonenumbers.example_number(region)
    assert example is not None
    return phonenumbers.format_number(example, PhoneNumberFormat.E164)


def same(text: str, number: str) -> ShownNumber:
    """A number with its country: the telephone and WhatsApp know it by the same digits."""
    return ShownNumber(text, f"+{number}", number)


BRAZIL = same("+55 11 98765-4321", "5511987654321")
OLD_BRAZIL = ShownNumber("+55 11 8765-4321", "+5511987654321", "551187654321")
OLD_MEXICO = ShownNumber("+52 1 55 1234 5678", "+525512345678", "5215512345678")
GERMANY = same("+49 1511 2345678", "4915112345678")

# Numbers whose country is certain:
CERTAIN = {
    "+5511987654321": BRAZIL,
    "005511987654321": BRAZIL,
    "5511987654321": BRAZIL,
    "p:+5511987654321": BRAZIL,
    "whatsapp:+5511987654321": BRAZIL,
    "tel:+55-11-98765-4321": BRAZIL,
    "'5511987654321": BRAZIL,
    "5511987654321@s.whatsapp.net": BRAZIL,
    "5511987654321@c.us": BRAZIL,
    " \u202a(+55) 11 98765\u20114321\u202c\xa0": BRAZIL,
    "+551133334444": same("+55 11 3333-4444", "551133334444"),
    "+551187654321": OLD_BRAZIL,
    "551187654321": OLD_BRAZIL,
    "+525512345678": same("+52 55 1234 5678", "525512345678"),
    "+5215512345678": OLD_MEXICO,
    "5215512345678": OLD_MEXICO,
    "+5491123456789": same("+54 9 11 2345-6789", "5491123456789"),
    "5491123456789": same("+54 9 11 2345-6789", "5491123456789"),
    "+541123456789": same("+54 11 2345-6789", "541123456789"),
    "+4915112345678": GERMANY,
    "0049 1511 2345678": GERMANY,
    "+49 (0)151 12345678": GERMANY,
    "00 49 (0) 151/12345678": GERMANY,
    "+39 (0)6 12345678": same("+39 06 1234 5678", "390612345678"),
    "+1 (415) 555-2671": same("+1 415-555-2671", "14155552671"),
    "14155552671": same("+1 415-555-2671", "14155552671"),
    "33612345678": same("+33 6 12 34 56 78", "33612345678"),
    "+51987654321": same("+51 987 654 321", "51987654321"),
    # It belongs to no country, and can only be dialled.
    "+80012345678": ShownNumber("+800 1234 5678", "+80012345678"),
}


@pytest.mark.parametrize("number", CERTAIN)
def test_a_number_with_a_country_is_grouped_and_has_links(number: str) -> None:
    assert shown_number(number) == CERTAIN[number]


@pytest.mark.parametrize(
    "number",
    [
        "", " ", "+", "00", "112", "190", "+112", "5712", "+49", "+491701", "+999", "+0151123456789", "0301234567",
        "015112345678", "11987654321", "4155552671", "+55 11 187654321", "+49 0151 12345678", "++5511987654321",
        "+55 11 98765-4321 x12", "5511987654321/5521987654321", "+55+11987654321", "+٤٩١٥١١٢٣٤٥٦٧٨",
        "+5531687654321", "+55311876543211", "+521123456789012", "+5491523456", "0" * 20, "9" * 20, "…321",
        "BR.1502512345678901", "US.ENT.11815799212886844830", "003Dn00000AbCdE", "lead 5511987654321", "=1+1",
        "javascript:alert(1)", '"><script>',
    ],
)  # fmt: skip
def test_what_is_no_valid_number_is_shown_as_it_is_written_without_links(number: str) -> None:
    assert shown_number(number) == ShownNumber(number)


@pytest.mark.parametrize(
    "number",
    [
        "6591234567",  # Singapore, or a number of Alabama
        "4930123456",  # Berlin, or a number of ten digits anywhere
        "51987654321",  # Peru, or Porto Alegre
        "3212345678",  # Belgium, or Colombia
    ],
)
def test_without_a_plus_a_number_that_can_be_read_in_two_ways_has_no_links(number: str) -> None:
    assert shown_number(f"+{number}").whatsapp == number
    assert shown_number(number) == ShownNumber(number)


@pytest.mark.parametrize(
    ("country", "number", "international"),
    [
        ("BR", "11987654321", "5511987654321"),
        ("BR", "011987654321", "5511987654321"),
        ("BR", "(51) 98765-4321", "5551987654321"),
        ("BR", "55 99123-4567", "5555991234567"),
        ("BR", "5511987654321", "5511987654321"),
        ("BR", "447911123456", "447911123456"),
        ("BR", "+51987654321", "51987654321"),
        ("MX", "5512345678", "525512345678"),
        ("AR", "01123456789", "541123456789"),
        ("AR", "91123456789", "5491123456789"),
        ("US", "4155552671", "14155552671"),
        ("US", "14155552671", "14155552671"),
        ("DE", "015112345678", "4915112345678"),
        ("DE", "0301234567", "49301234567"),
        ("DE", "4915112345678", "4915112345678"),
        ("IT", "0612345678", "390612345678"),
        ("RU", "89123456789", "79123456789"),
        ("ES", "612345678", "34612345678"),
        ("PE", "51987654321", "51987654321"),
    ],
)
def test_the_country_makes_a_national_number_one_that_can_be_dialled(
    country: str, number: str, international: str
) -> None:
    assert shown_number(number, country) == shown_number(f"+{international}")
    assert shown_number(number, country).tel == f"+{international}"


@pytest.mark.parametrize(
    ("country", "number"), [("DE", "01512345678"), ("BR", "112"), ("BR", "0119876543"), ("XX", "1")]
)
def test_with_a_country_too_what_is_no_valid_number_has_no_links(country: str, number: str) -> None:
    assert shown_number(number, country) == ShownNumber(number)


@pytest.mark.parametrize("region", REGIONS)
def test_numbers_of_every_country_are_grouped_and_have_links(region: str) -> None:
    number = mobile(region)
    shown = shown_number(number)
    assert shown == same(shown.text, number[1:])
    assert shown.text == phonenumbers.format_number(phonenumbers.parse(number), PhoneNumberFormat.INTERNATIONAL)
    assert shown_number(f"00{number[1:]}") == shown
    assert shown_number(number[1:], region) == shown


SEPARATORS = st.text(alphabet=" -./()\xa0\u202a\u2011\ufeff\t", max_size=2)
DIGITS_OF_COUNTRIES = st.sampled_from([mobile(region)[1:] for region in REGIONS])


@st.composite
def written(draw: st.DrawFn) -> str:
    """A number of any country, in any spelling, perhaps with a digit too many or too few."""
    digits = draw(DIGITS_OF_COUNTRIES)
    digits = draw(st.sampled_from((digits, digits[:-1], digits + "0", digits[2:], "0" + digits[2:])))
    spelled = "".join(digit + draw(SEPARATORS) for digit in digits)
    return draw(SEPARATORS) + draw(st.sampled_from(("+", "00", "", "p:", "tel:+"))) + spelled


def digits_of(text: str) -> str:
    return "".join(each for each in text if each.isdigit())


@given(
    st.one_of(written(), st.text(max_size=30), st.text(alphabet="+0123456789 -()./:BRx\u202a…", max_size=24)),
    st.sampled_from((None, "BR", "DE", "US", "MX", "XX")),
)
def test_no_digit_is_changed_and_what_has_no_link_is_left_alone(number: str, country: str | None) -> None:
    shown = shown_number(number, country)
    if shown.tel is None:
        assert shown == ShownNumber(number)
        return
    assert re.fullmatch(r"\+[1-9][0-9]{4,14}", shown.tel)
    given_digits, shown_digits = digits_of(number), digits_of(shown.text)
    if re.search(r"\(0\)", number) is None:
        # What may go is what is dialled before a number; what may come is the country's code.
        assert shown_digits.endswith(given_digits.lstrip("0")) or shown_digits.endswith(given_digits[1:])
    assert shown.whatsapp in (None, shown_digits)
    assert shown.text.startswith("+")
    assert shown_number(shown.text, country) == shown
    assert shown_number(shown.text) == shown
