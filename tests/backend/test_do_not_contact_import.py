"""The import of do-not-contact lists: what a file adds, what it takes back, and what it never touches."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pytest

from agent_funnel.do_not_contact import (
    OWN_REQUESTS,
    add_do_not_contact,
    add_number_list,
    list_do_not_contact,
    look_up_several,
    number_lists,
    remove_several,
)
from agent_funnel.do_not_contact_files import ImportedNumbers, TooManyRemoved, import_numbers
from agent_funnel.errors import ImportRefused, NotFound
from agent_funnel.imports import BadRows
from support.databases import TestedDatabase, snapshot
from support.nights import RECENT, active_agents, numbers_by_agent, put_agents, put_leads, run_deal

REGISTER = "national register"
NUMBERS = [f"+5511900000{n:03}" for n in range(40)]


@pytest.fixture
def register(database: TestedDatabase) -> TestedDatabase:
    """A database with a list besides that of own requests."""
    add_number_list(database.backend, REGISTER, bound_days=30)
    return database


def imported(database: TestedDatabase, text: str, **options: object) -> ImportedNumbers:
    """Imports a file to the register."""
    options = {"list_name": REGISTER, "name": "file", **options}
    return import_numbers(database.backend, BytesIO(text.encode()), **options)  # type: ignore[arg-type]


def numbers_of(database: TestedDatabase, list_name: str = REGISTER) -> list[str]:
    return [entry.number for entry in list_do_not_contact(database.backend, list_name=list_name)]


def test_an_import_adds_what_is_new_and_takes_it_out_of_the_present_assignments(register: TestedDatabase) -> None:
    put_agents(register, active_agents("A"))
    put_leads(register, [(number, 1, RECENT) for number in NUMBERS[:3]])
    run_deal(register)
    add_do_not_contact(register.backend, NUMBERS[0], "asked us", list_name=REGISTER)
    text = f"reason,number,more\nbecause,{NUMBERS[0]},x\n,{NUMBERS[1]},x\nthe law,{NUMBERS[9]},x\n,{NUMBERS[9]},x\n"

    before = snapshot(register)
    dry = imported(register, text, dry_run=True)
    assert (dry.rows, dry.added, dry.kept, dry.removed, dry.bad_rows) == (4, 2, 2, 0, 0)
    assert (dry.leads, dry.assignments, dry.needs_confirmation) == (2, 1, False)
    assert snapshot(register) == before
    assert number_lists(register.backend, datetime.now(UTC))[1].imported_at is None

    done = imported(register, text)
    assert done.dry_run is False
    assert (done.added, done.kept, done.leads, done.assignments) == (2, 2, 2, 1)
    found = [(e.number, e.reason, e.imported) for e in list_do_not_contact(register.backend, list_name=REGISTER)]
    # What a person put there stays a person's, with its reason. Of equal numbers, the first row counts.
    assert found == [(NUMBERS[0], "asked us", False), (NUMBERS[1], None, True), (NUMBERS[9], "the law", True)]
    assert numbers_by_agent(register) == {"A": [NUMBERS[2]]}
    assert number_lists(register.backend, datetime.now(UTC))[1].imported_at is not None
    assert number_lists(register.backend, datetime.now(UTC))[0].imported_at is None
    assert run_deal(register).suppressed == 2


def test_a_replacement_removes_only_what_an_import_of_that_list_put_there(register: TestedDatabase) -> None:
    backend = register.backend
    imported(register, "\n".join(NUMBERS[:30]))
    add_do_not_contact(backend, NUMBERS[0])
    add_do_not_contact(backend, NUMBERS[35], list_name=REGISTER)
    # An import had put this number there, and then a person asked for it, too: it stays.
    add_do_not_contact(backend, NUMBERS[1], "asked us", list_name=REGISTER)
    # Another list has imported numbers, too.
    add_number_list(backend, "another", bound_days=30)
    imported(register, "\n".join(NUMBERS[:3]), list_name="another")
    done = imported(register, "\n".join([*NUMBERS[3:30], NUMBERS[36]]), replaces=True)
    assert (done.added, done.kept, done.removed) == (1, 27, 2)
    assert numbers_of(register) == [NUMBERS[1], *NUMBERS[3:30], *NUMBERS[35:37]]
    assert numbers_of(register, OWN_REQUESTS) == [NUMBERS[0]]
    assert numbers_of(register, "another") == NUMBERS[:3]


def test_more_than_a_tenth_is_removed_only_if_that_is_confirmed(register: TestedDatabase) -> None:
    imported(register, "\n".join(NUMBERS[:30]))
    before = snapshot(register)
    text = "\n".join(NUMBERS[4:30])
    assert imported(register, text, replaces=True, dry_run=True).needs_confirmation
    with pytest.raises(TooManyRemoved, match="would remove 4 of the 30 numbers"):
        imported(register, text, replaces=True)
    with pytest.raises(TooManyRemoved, match="would remove 30 of the 30 numbers"):
        imported(register, "number\n", replaces=True)
    assert snapshot(register) == before
    # Exactly a tenth needs no confirmation.
    assert imported(register, "\n".join(NUMBERS[3:30]), replaces=True).removed == 3
    assert imported(register, text, replaces=True, confirmed=True).removed == 1
    assert numbers_of(register) == NUMBERS[4:30]


@pytest.mark.parametrize(
    "number",
    ["+5511987654321", "5511987654321", "0055 11 98765-4321", "(11) 98765.4321", "\u202a+55 11 98765-4321\u202c",
     "tel:+5511987654321", "5511987654321@c.us", "BR.1502512345678901", "crm4711"],
)  # fmt: skip
@pytest.mark.sqlserver_if_long
def test_a_number_in_any_way_of_writing_it_and_an_id_are_taken_as_they_are_written(
    register: TestedDatabase, number: str
) -> None:
    assert imported(register, f"\ufeff{number}\r\n").added == 1
    assert numbers_of(register) == [number]


@pytest.mark.sqlserver_if_long
def test_what_is_no_number_is_named_by_line_and_nothing_is_imported(register: TestedDatabase) -> None:
    before = snapshot(register)
    text = f"number,reason\n{NUMBERS[0]},\n,\nsomebody,\n+49 30 X,\n123,\n{NUMBERS[1]},a\u202eb\n{NUMBERS[2]}\n"
    with pytest.raises(BadRows, match="5 bad rows; nothing was imported") as refused:
        imported(register, text)
    assert [row.line for row in refused.value.bad] == [4, 5, 6, 7, 8]
    assert snapshot(register) == before
    done = imported(register, text, skip_bad=True)
    assert (done.rows, done.added, done.bad_rows, numbers_of(register)) == (6, 1, 5, [NUMBERS[0]])
    with pytest.raises(BadRows):
        imported(register, "somebody\nelse\n", skip_bad=True, replaces=True, confirmed=True)
    assert numbers_of(register) == [NUMBERS[0]]
    # A message shows no number whole.
    with pytest.raises(BadRows) as refused:
        imported(register, "\nx +5511 98765 4321\n")
    assert "98765" not in str(refused.value)
    assert refused.value.bad[0].line == 2


@pytest.mark.sqlserver_if_long
def test_a_file_for_a_list_that_is_not_there_or_that_is_no_text_is_refused(register: TestedDatabase) -> None:
    with pytest.raises(NotFound, match="no do-not-contact list other"):
        imported(register, NUMBERS[0], list_name="other")
    with pytest.raises(ImportRefused, match="file is a PDF document"):
        imported(register, "%PDF-1.7")
    assert numbers_of(register) == []


def test_a_list_knows_its_numbers_in_every_spelling(register: TestedDatabase) -> None:
    backend = register.backend
    put_agents(register, active_agents("A"))
    put_leads(register, [("5511987654321", 1, RECENT), ("+5511900000001", 1, RECENT)])
    run_deal(register)
    # Two lines of one number are one entry, and the lead is taken out of the assignments in its own spelling.
    done = imported(register, "+55 (11) 98765-4321\n+551187654321\n")
    assert (done.rows, done.added, done.kept, done.leads, done.assignments) == (2, 1, 1, 1, 1)
    assert numbers_by_agent(register) == {"A": ["+5511900000001"]}
    assert [entry.number for entry in look_up_several(backend, ["005511987654321"])] == ["+55 (11) 98765-4321"]
    # The next file writes it in another way, which is neither new nor a reason to remove the old one.
    again = imported(register, "551187654321\n", replaces=True)
    assert (again.added, again.kept, again.removed) == (0, 1, 0)
    assert add_do_not_contact(backend, "5511987654321", list_name=REGISTER)["listed"] == 1
    assert imported(register, f"{NUMBERS[5]}\n", replaces=True, confirmed=True).removed == 0
    assert remove_several(backend, ["551187654321"], list_name=REGISTER) == 1
    assert numbers_of(register) == [NUMBERS[5]]
