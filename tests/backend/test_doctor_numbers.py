"""The doctor's checks of numbers by their match keys: spellings, lists that match nothing or nearly, two readings."""

from __future__ import annotations

from functools import partial

import pytest

from agent_funnel.do_not_contact import add_number_list
from agent_funnel.doctor import numbers
from agent_funnel.doctor.check import Finding, findings, guarded
from agent_funnel.numbers import take_in
from agent_funnel.rules import record_rules
from support.calls import Connected
from support.databases import TestedDatabase
from support.doctor import assert_readable, examination, findings_of, problems, put_lead, run_remedy
from support.match_keys import COUNTRIES
from support.nights import put_do_not_contact

NO_COUNTRY = "No number can be read in two ways without a country."


def put_numbers(database: TestedDatabase, *written: str) -> None:
    """Adds leads with these numbers, and keeps their match keys."""
    for number in written:
        put_lead(database, number)
    take_in(database.backend)


def deep_findings(database: TestedDatabase, check: str) -> list[Finding]:
    exam = examination(database.backend, schema=database.schema if database.engine == "sqlserver" else None)
    found = list(guarded(check, partial(findings, check, numbers.DEEP_CHECKS[check], exam)))
    for finding in found:
        assert_readable(finding)
    return found


def test_a_number_in_several_spellings_is_a_warning(bare_database: TestedDatabase) -> None:
    put_numbers(bare_database, "+5511987654321", "5511987654322", "5511987654322", "11987654321")
    # The history and the lists have more spellings, which are no leads.
    put_do_not_contact(bare_database, ["5511987654321"])
    take_in(bare_database.backend)
    assert problems(bare_database, "spellings") == []
    put_numbers(bare_database, "551187654321", "00551187654322", "0055 11 8765-4321")
    (finding,) = problems(bare_database, "spellings")
    assert (finding.level, finding.text) == (
        "warning", "2 numbers (…321, …322) have leads in several spellings, 5 in all; of each number a deal deals one "
        "lead, and the others wait.",
    )  # fmt: skip
    assert_readable(finding)
    assert [row[1] for row in run_remedy(bare_database, finding)] == [
        "+5511987654321", "0055 11 8765-4321", "551187654321", "00551187654322", "5511987654322", "5511987654322",
    ]  # fmt: skip
    record_rules(bare_database.backend, {"country": "BR"}, actor="Ana")
    (fine,) = findings_of(bare_database, "spellings")
    assert (fine.level, fine.text) == (
        "ok", "No two leads have different spellings of one number; 6 numbers could not be compared, since no deal and "
        "no service has kept their match keys yet.",
    )  # fmt: skip
    take_in(bare_database.backend)
    (finding,) = problems(bare_database, "spellings")
    assert "2 numbers (…321, …322) have leads in several spellings, 6 in all" in finding.text


def test_a_number_that_has_a_phone_number_as_its_key_can_be_dialled(database: TestedDatabase) -> None:
    put_numbers(database, "tel:+55 11 98765-4321", "p:1234567")
    (finding,) = problems(database, "numbers")
    assert finding.text.startswith("1 lead has a number that nobody can dial (…567)")
    assert run_remedy(database, finding) == [("p:1234567",)]


def test_numbers_of_the_lists_that_match_no_lead_are_a_note(database: TestedDatabase) -> None:
    put_numbers(database, "+5511987654321", "BR.1502512345678901")
    # Matched in another spelling, too:
    put_do_not_contact(database, ["551187654321", "BR.1502512345678901"])
    take_in(database.backend)
    assert [finding.level for finding in deep_findings(database, "list matches")] == ["ok"]
    add_number_list(database.backend, "register 5511900000000")
    columns = ("number", "list_id", "added_at", "imported")
    ((register,),) = database.execute("SELECT MAX(list_id) FROM dbo.do_not_contact_list")
    rows = [
        (number, register, "2026-01-01T00:00:00", 1) for number in ("551187654321", "4915112345678", "BR.1502587654321")
    ]
    database.insert("do_not_contact_entry", columns, rows)
    take_in(database.backend)
    (finding,) = deep_findings(database, "list matches")
    assert (finding.level, finding.text) == (
        "note", "Of 3 numbers of the do-not-contact list register …000, 2 (…678) match no lead.",
    )  # fmt: skip


def test_numbers_of_the_lists_that_nearly_match_a_lead_are_a_warning(database: TestedDatabase) -> None:
    put_numbers(database, "+5511987654321", "+5511987654322")
    put_do_not_contact(database, ["11987654321", "+5511987654322", "1187654322", "87654329"])
    take_in(database.backend)
    warning, note = deep_findings(database, "list matches")
    assert (warning.level, warning.text) == (
        "warning", "2 numbers of the do-not-contact list own requests match no lead, but the last eight digits of one: "
        "…322 has 10 digits on the list, and 12 as a lead.",
    )  # fmt: skip
    assert "record the country: agent-funnel rules set country BR, for example" in (warning.remedy or "")
    assert run_remedy(database, warning) == [
        ("own requests", "1187654322", "+5511987654322"), ("own requests", "11987654321", "+5511987654321"),
    ]  # fmt: skip
    assert "3 (…322) match no lead" in note.text
    record_rules(database.backend, {"country": "BR"}, actor="Ana")
    take_in(database.backend)
    (note,) = deep_findings(database, "list matches")
    assert "1 (…329) matches no lead" in note.text


@pytest.mark.parametrize(("country", "first"), [("DE", "493"), ("IT", "3901")])
def test_numbers_that_can_be_read_in_two_ways_are_a_note(
    database: TestedDatabase, connected: Connected, country: str, first: str
) -> None:
    assert [finding.text for finding in deep_findings(database, "readings")] == [NO_COUNTRY]
    record_rules(database.backend, {"country": country}, actor="Ana")
    # International, with the prefix of calls within the country, and too long for a national number:
    put_numbers(database, f"+{first}012345", f"00{first}012346", "030123456", f"{first}0123456789")
    assert [finding.level for finding in deep_findings(database, "readings")] == ["ok"]
    put_numbers(database, f"{first}012347", f"tel:{first[:3]} {first[3:]}0-12348")
    (finding,) = deep_findings(database, "readings")
    assert finding.level == "note"
    assert "2 numbers (…347, …348) can be read in two ways: a match key takes the first 2 digits" in finding.text
    record_rules(database.backend, {"country": "BR"}, actor="Ana")
    (finding,) = deep_findings(database, "readings")
    assert finding.text == "No number can be read in two ways in the country BR."


def test_every_country_whose_numbers_can_be_read_in_two_ways_is_known() -> None:
    doubtful = {
        name: country
        for name, country in COUNTRIES.items()
        # As many digits as a national number, which are the code and as many digits as another national number:
        if country.lengths[-1] >= len(country.code) + country.lengths[0]
    }
    assert set(numbers.READINGS) == set(doubtful)
    for name, reading in numbers.READINGS.items():
        both = COUNTRIES[name], COUNTRIES[reading.other]
        assert (reading.code, reading.other_code) == tuple(country.code for country in both)
        fewest = len(reading.code) + both[0].lengths[0]
        assert set(range(max(8, fewest), both[0].lengths[-1] + 1)) <= set(both[1].lengths)
        assert max(8, fewest) >= 8
        assert both[0].lengths[-1] == 11
