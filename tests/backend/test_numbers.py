"""Match keys: each engine computes them as the plain rule does, for every way in which people write a number."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

import phonenumbers
import pytest
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from agent_funnel.deal import preview
from agent_funnel.settings import load
from agent_funnel.sql import queries
from support import LONG
from support.databases import TestedDatabase
from support.match_keys import BLANKS, COUNTRIES, DASHES, MARKS, PREFIXES, SEPARATORS, SUFFIXES, match_key
from support.nights import RECENT, TODAY, active_agents, put_agents, put_do_not_contact, put_leads, run_deal
from support.properties import property_test

SPELLINGS = 200_000 if LONG else 4_000
BATCH = 400
# Characters that are no separators, and no digits of a phone number either:
OTHERS = "ox@'#½٣\u0085\u1680\u2016\ufeffé"

pieces = st.one_of(
    st.sampled_from(["(0)", "00", "0", "+", "55", "5511", "9", "521", "549", "39", "0039", "8", *SEPARATORS, *OTHERS]),
    st.text("0123456789", min_size=1, max_size=9),
)
written = st.builds(
    lambda start, middle, end: f"{start}{''.join(middle)}{end}",
    st.sampled_from(["", "", "", "+", " +", "(+", "\u202a+", "00", *PREFIXES]),
    st.lists(pieces, min_size=1, max_size=9),
    st.sampled_from(["", "", "", " ", "\u00a0", "\u202c", *SUFFIXES]),
)


def keys(database: TestedDatabase, numbers: Iterable[str], country: str) -> dict[str, str]:
    """The keys of these numbers, computed by the database."""
    numbers = list(dict.fromkeys(numbers))
    if database.engine == "sqlite":
        one = queries("sqlite")["match_key"]
        many = one.replace("SELECT :number AS number", "SELECT n.value AS number FROM json_each(:number) AS n")
        many = many.replace("SELECT k.match_key FROM", "SELECT k.number, k.match_key FROM")
        return dict(database.raw.execute(many, {"number": json.dumps(numbers), "country": country}).fetchall())
    database.execute("CREATE TABLE #spelled (place INT NOT NULL, number NVARCHAR(255) NOT NULL)")
    try:
        for first in range(0, len(numbers), BATCH):
            batch = numbers[first : first + BATCH]
            database.execute(
                f"INSERT INTO #spelled (place, number) VALUES {', '.join(['(%s, %s)'] * len(batch))}",
                *(value for place, number in enumerate(batch, start=first) for value in (place, number)),
            )
        found = database.execute("SELECT s.place, dbo.fn_match_key(s.number, %s) FROM #spelled AS s", country)
    finally:
        database.execute("DROP TABLE #spelled")
    return {numbers[place]: key for place, key in found}


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("+5511987654321", "551187654321"),
        ("5511987654321", "551187654321"),
        ("+551187654321", "551187654321"),
        ("0055 (11) 98765-4321", "551187654321"),
        ("\u202a+55 11 98765\u20114321\u202c", "551187654321"),
        ("5511987654321@s.whatsapp.net", "551187654321"),
        ("p:+5511987654321", "551187654321"),
        ("'+5511987654321", "551187654321"),
        # A landline in Sao Paulo, which has no ninth digit to lose:
        ("+551132654321", "551132654321"),
        # No mobile number begins with 93:
        ("+5511932654321", "5511932654321"),
        ("+5215512345678", "525512345678"),
        ("+5491123456789", "541123456789"),
        ("+44 (0)20 7946 0958", "442079460958"),
        ("+39 (0)6 6982 1234", "390669821234"),
        ("0039 (0)6 6982 1234", "390669821234"),
        ("BR.1502512345678901", "BR.1502512345678901"),
        (" 4711 ", "4711"),
        ("1234567890123456", "1234567890123456"),
        ("+1234567890123456", "+1234567890123456"),
        ("", ""),
    ],
)
def test_examples(database: TestedDatabase, number: str, key: str) -> None:
    assert match_key(number) == key
    assert keys(database, [number], "") == {number: key}


@pytest.mark.sqlserver_if_long
@pytest.mark.parametrize(
    ("country", "number", "key"),
    [
        ("BR", "(11) 98765-4321", "551187654321"),
        ("BR", "011 98765-4321", "551187654321"),
        ("BR", "11 3265-4321", "551132654321"),
        # Too long for a national number, so it stays as it is:
        ("BR", "5511987654321", "551187654321"),
        ("DE", "030 1234567", "49301234567"),
        ("DE", "+4930 1234567", "49301234567"),
        ("US", "1 (212) 555-0100", "12125550100"),
        ("US", "212-555-0100", "12125550100"),
        ("RU", "8 (495) 123-45-67", "74951234567"),
        ("IT", "06 6982 1234", "390669821234"),
        ("PT", "912 345 678", "351912345678"),
    ],
)
def test_a_national_number_gets_the_code_of_the_country(
    database: TestedDatabase, country: str, number: str, key: str
) -> None:
    assert match_key(number, country) == key
    assert keys(database, [number], country) == {number: key}


@property_test(st.lists(written, max_size=60), st.sampled_from(["", *COUNTRIES]), share=0.5)
def test_any_text_has_the_key_of_the_plain_rule(database: TestedDatabase, numbers: list[str], country: str) -> None:
    # The driver cannot send a character of zero, and the server's own length of a text ends at 255.
    numbers = [number[:255] for number in numbers]
    assert keys(database, numbers, country) == {number: match_key(number, country) for number in numbers}


def spellings_of_every_country(count: int) -> list[str]:
    """Numbers made from the examples of every country, each in a way in which people write numbers."""
    chance = random.Random(count)
    kinds = [value for name, value in vars(PhoneNumberType).items() if isinstance(value, int) and value >= 0]
    examples = [
        example
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in kinds
        if (example := phonenumbers.example_number_for_type(region, kind))
    ]
    found: dict[str, None] = {}
    while len(found) < count:
        example = chance.choice(examples)
        national = phonenumbers.national_significant_number(example)
        other = national[:-4] + "".join(chance.choices("0123456789", k=4))
        code = str(example.country_code)
        number = phonenumbers.parse(f"+{code}{other}")
        spelling = chance.choice(
            [
                f"+{code}{other}",
                f"00{code}{other}",
                f"{code}{other}",
                other,
                f"0{other}",
                f"+{code} (0){other}",
                phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
                phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
                phonenumbers.format_number(number, PhoneNumberFormat.RFC3966),
                f"{chance.choice(PREFIXES)}+{code}{other}",
                f"{code}{other}{chance.choice(SUFFIXES)}",
            ]
        )
        while chance.random() < 0.3:
            place = chance.randrange(len(spelling) + 1)
            spelling = spelling[:place] + chance.choice(BLANKS + MARKS + DASHES + "-./") + spelling[place:]
        found[spelling] = None
    return list(found)


def test_spellings_of_the_numbers_of_every_country_have_the_key_of_the_plain_rule(database: TestedDatabase) -> None:
    numbers = spellings_of_every_country(SPELLINGS)
    for country in ("", "BR", "DE"):
        assert keys(database, numbers, country) == {number: match_key(number, country) for number in numbers}


def test_a_deal_keeps_the_keys_that_it_computes_and_a_preview_keeps_none(database: TestedDatabase) -> None:
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(database, [("+55 (11) 98765-4321", 1, RECENT), ("5511987654322", 1, RECENT)])
    put_do_not_contact(database, ["551187654321"])
    kept = "SELECT number, match_key FROM dbo.number_key ORDER BY match_key, number"
    preview(database.backend, load(), business_date=TODAY)
    assert database.execute(kept) == []
    run = run_deal(database)
    assert (run.assigned, run.suppressed) == (1, 1)
    assert database.execute(kept) == [
        ("+55 (11) 98765-4321", "551187654321"), ("551187654321", "551187654321"), ("5511987654322", "551187654322"),
    ]  # fmt: skip


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_a_bare_call_obeys_the_keys(database: TestedDatabase) -> None:
    """The examples of a night on which a person who had said no was dealt, and two agents got one number."""
    put_agents(database, active_agents("Al", "Bo"))
    put_leads(
        database,
        [(number, 1, RECENT) for number in ("5511987654321", "+551187654321", "+5511987654322", "551187654322")],
    )
    put_do_not_contact(database, ["+5511987654321"])
    database.execute("EXEC dbo.sp_assign_wafunnel_to_agents @business_date = %s", str(TODAY))
    assert database.execute("SELECT number FROM dbo.agent_wafunnel_assignment") == [("+5511987654322",)]
