"""While no country is set, imports count the numbers that are stored with, or without, their country code."""

from __future__ import annotations

from io import BytesIO

import pytest

from agent_funnel import numbers
from agent_funnel.do_not_contact import OWN_REQUESTS, add_do_not_contact, add_several
from agent_funnel.do_not_contact_files import import_numbers
from agent_funnel.imports import import_file
from agent_funnel.numbers import EndsAlike, find_still_called, stored_with_country, take_in
from agent_funnel.rules import record_rules
from support.databases import TestedDatabase

WITH_COUNTRY = ("+5511990001701", "5511990001702", "+551130001703", "+4930123456", "A12345678")
NATIONAL = ("(11) 99000-1701", "011 99000-1702", "1130001703", "030 123456", "11 99000-1704", "12345678")
DO_NOT_CALL = "+5511990027679"


def check(database: TestedDatabase, *rows: str, dry_run: bool = True) -> EndsAlike | None:
    text = "number,date\n" + "".join(f"{row},2026-11-20\n" for row in rows)
    return import_file(database.backend, "leads", BytesIO(text.encode()), name="f", dry_run=dry_run).ends_alike


def check_list(database: TestedDatabase, *rows: str) -> EndsAlike | None:
    text = "number\n" + "".join(f"{row}\n" for row in rows)
    found = import_numbers(database.backend, BytesIO(text.encode()), list_name=OWN_REQUESTS, name="f", dry_run=True)
    return found.ends_alike


def test_a_check_counts_the_leads_that_only_a_country_would_match(database: TestedDatabase) -> None:
    assert check(database, *WITH_COUNTRY, dry_run=False) is None
    assert check(database, *NATIONAL, *WITH_COUNTRY) == EndsAlike(4, 4, 0, WITH_COUNTRY[1], at_least=False)
    # What is there already is not added, and so is not meant.
    check(database, NATIONAL[1], dry_run=False)
    assert check(database, *NATIONAL, *WITH_COUNTRY) == EndsAlike(3, 3, 0, WITH_COUNTRY[3], at_least=False)
    # Other numbers with the same last digits, of other cities and countries, are not meant.
    assert check(database, "21 99000-1701", "+5521990001702", "+351990001702", "990001701", "0001702") is None
    # The file with the country code is as bad, if those without are stored.
    assert check(database, *NATIONAL, dry_run=False) is not None
    assert check(database, "+55 11 99000-1704") == EndsAlike(1, 1, 0, "11990001704", at_least=False)


def test_a_check_counts_the_numbers_on_a_list_that_would_be_dealt(database: TestedDatabase) -> None:
    add_do_not_contact(database.backend, DO_NOT_CALL)
    check(database, WITH_COUNTRY[0], dry_run=False)
    found = check(database, "(11) 99002-7679", NATIONAL[0], "11 99002-7670")
    assert found == EndsAlike(2, 1, 1, DO_NOT_CALL, at_least=False)
    assert found.text == (
        "1 number is like one of your leads, apart from the country code. 1 number is like one on a do-not-contact "
        "list, apart from the country code. For example, +5511990027679 is stored. While no country is set, they "
        "count as different numbers, and may be dealt."
    )


def test_with_a_country_there_is_nothing_to_warn_of(database: TestedDatabase) -> None:
    add_do_not_contact(database.backend, DO_NOT_CALL)
    record_rules(database.backend, {"country": "BR"}, actor="test")
    assert check(database, "(11) 99002-7679") is None


def test_a_file_for_a_list_is_compared_with_the_leads(database: TestedDatabase) -> None:
    check(database, "(11) 99002-7679", "11 3000-1703", dry_run=False)
    add_do_not_contact(database.backend, NATIONAL[0])
    found = check_list(database, DO_NOT_CALL, WITH_COUNTRY[0], "+55 11 3000-1799")
    assert found == EndsAlike(1, 1, 0, "11990027679", at_least=False)
    assert check_list(database, WITH_COUNTRY[0]) is None


def test_of_too_many_the_count_says_that_it_is_no_whole_one(
    database: TestedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(database, *WITH_COUNTRY, dry_run=False)
    monkeypatch.setattr(numbers, "MOST_PAIRS", 2)
    found = check(database, *NATIONAL)
    assert found == EndsAlike(2, 2, 0, WITH_COUNTRY[1], at_least=True)
    assert "There may be more of them." in found.text


def test_a_number_finds_the_stored_one_with_or_without_its_country_code(database: TestedDatabase) -> None:
    check(database, *WITH_COUNTRY, "030 777777", dry_run=False)
    for number, stored in zip(NATIONAL[:4], WITH_COUNTRY, strict=False):
        assert stored_with_country(database.backend, number) == [stored]
    assert stored_with_country(database.backend, "+49 30 777777") == ["030777777"]
    assert stored_with_country(database.backend, WITH_COUNTRY[0]) == []
    assert stored_with_country(database.backend, "A12345678") == []


def test_of_many_listed_numbers_all_that_can_still_be_called_are_found_at_once(database: TestedDatabase) -> None:
    check(database, *WITH_COUNTRY, dry_run=False)
    database.insert("wafunnel", ("number", "stage", "date"), [("0049 30 123456", 1, "2026-11-20")])
    take_in(database.backend)
    add_several(database.backend, NATIONAL)
    database.insert(
        "agent_wafunnel_assignment", ("agent", "number"), [("Ana", WITH_COUNTRY[1]), ("Bia", "0049 30 123456")]
    )
    asked = [f"11 98{number:06}" for number in range(600)]
    found = find_still_called(database.backend, [*asked, *NATIONAL])
    # Of two spellings of one number, it names the one that an agent has.
    assert {each.number: each.agent for each in found} == {
        WITH_COUNTRY[0]: None,
        WITH_COUNTRY[1]: "Ana",
        WITH_COUNTRY[2]: None,
        "0049 30 123456": "Bia",
    }
    # One spelling on a list keeps all of its spellings out.
    add_several(database.backend, ["+5511990001702", "+49 30 123456"])
    assert {each.number for each in find_still_called(database.backend, NATIONAL)} == {WITH_COUNTRY[0], WITH_COUNTRY[2]}
    record_rules(database.backend, {"country": "BR"}, actor="test")
    assert find_still_called(database.backend, NATIONAL) == []
