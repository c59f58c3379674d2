"""The do-not-contact lists: a number that is on any list is out, and people and imports do not undo each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_funnel.do_not_contact import (
    OWN_REQUESTS,
    add_do_not_contact,
    add_number_list,
    add_several,
    do_not_contact_of,
    list_do_not_contact,
    look_up_several,
    number_lists,
    remove_do_not_contact,
    remove_several,
)
from agent_funnel.errors import AlreadyExists, NotFound, ParameterOutOfRange
from agent_funnel.install import install
from agent_funnel.sql import scripts
from support.databases import TestedDatabase, snapshot
from support.nights import (
    RECENT,
    active_agents,
    fresh,
    numbers_by_agent,
    put_agents,
    put_leads,
    run_deal,
    undo,
)

REGISTER = "national register"


def test_a_number_is_out_while_any_list_has_it_and_counts_once(database: TestedDatabase) -> None:
    backend = database.backend
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    add_number_list(backend, REGISTER, reason="the law", source="the office of the register", bound_days=30)
    add_do_not_contact(backend, "000002", "asked us")
    add_do_not_contact(backend, "000002", list_name=REGISTER)
    entries = [(entry.list_name, entry.reason, entry.imported) for entry in do_not_contact_of(backend, "000002")]
    assert entries == [(OWN_REQUESTS, "asked us", False), (REGISTER, None, False)]
    assert [(each.name, each.entries, each.bound_days) for each in number_lists(backend, datetime.now(UTC))] == [
        (OWN_REQUESTS, 1, None),
        (REGISTER, 1, 30),
    ]
    run = run_deal(database)
    assert (run.pool, run.suppressed, run.duplicates) == (2, 1, 0)

    remove_do_not_contact(backend, "000002")
    assert [entry.list_name for entry in list_do_not_contact(backend)] == [REGISTER]
    assert run_deal(database).suppressed == 1
    remove_do_not_contact(backend, "000002", list_name=REGISTER)
    assert run_deal(database).assigned == 3


def test_an_undo_leaves_out_a_number_of_several_lists_once(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    run_deal(database)
    run_deal(database)
    add_number_list(database.backend, REGISTER)
    for name in (OWN_REQUESTS, REGISTER):
        add_do_not_contact(database.backend, "000002", list_name=name)
    undone = undo(database)
    assert (undone.assignments, undone.suppressed) == (2, 1)
    assert numbers_by_agent(database) == {"A": ["000001", "000003"]}


def test_numbers_come_in_pages_by_number_and_list(database: TestedDatabase) -> None:
    backend = database.backend
    add_number_list(backend, REGISTER)
    for number in ("0003", "0001", "0002"):
        for name in (OWN_REQUESTS, REGISTER):
            add_do_not_contact(backend, number, list_name=name)
    found, after = [], None
    while page := list_do_not_contact(backend, after=after, count=2):
        found += [(entry.number, entry.list_name) for entry in page]
        after = found[-1]
    # By the name of the list, byte by byte:
    assert found == [(number, name) for number in ("0001", "0002", "0003") for name in (REGISTER, OWN_REQUESTS)]
    assert [entry.number for entry in list_do_not_contact(backend, list_name=REGISTER)] == ["0001", "0002", "0003"]


def test_several_numbers_are_added_looked_up_and_removed_at_once(database: TestedDatabase) -> None:
    backend = database.backend
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    run_deal(database)
    add_number_list(backend, REGISTER)
    add_do_not_contact(backend, "000001", list_name=REGISTER)
    put_leads(database, [("+49301111", 1, RECENT)])
    taken = add_several(backend, ["000001", "000002", "+49301111", "000001"], "asked us")
    assert (taken.numbers, taken.kept, taken.leads, taken.assignments) == (3, 0, 3, 1)
    assert numbers_by_agent(database) == {"A": ["000003"]}
    found = look_up_several(backend, ["000002", "000001", "nobody"])
    assert [(entry.number, entry.list_name, entry.reason) for entry in found] == [
        ("000001", OWN_REQUESTS, "asked us"),
        ("000001", REGISTER, None),
        ("000002", OWN_REQUESTS, "asked us"),
    ]
    assert remove_several(backend, ["000001", "000002", "000003"]) == 2
    assert [(entry.number, entry.list_name) for entry in list_do_not_contact(backend)] == [
        ("+49301111", OWN_REQUESTS),
        ("000001", REGISTER),
    ]


def test_what_is_no_number_is_refused_unless_a_lead_has_it(database: TestedDatabase) -> None:
    backend = database.backend
    put_leads(database, [("lead 7", 1, RECENT)])
    assert add_several(backend, ["lead 7", "BR.1502512345678901"]).leads == 1
    before = snapshot(database)
    for numbers, message in (
        (["+4930111222", "hello"], "Number 2 of 2: “hello” is not a phone number; and no lead has it"),
        (["hello"], "^“hello” is not a phone number; and no lead has it"),
        (["+4930111222", " "], "1 to 255"),
        ([], "There are 0 numbers"),
        (["+4930111222"] * 1_001, "There are 1,001 numbers"),
    ):
        with pytest.raises(ParameterOutOfRange, match=message):
            add_several(backend, numbers)
    assert snapshot(database) == before


def test_what_is_not_there_is_refused_by_name_and_nothing_is_changed(database: TestedDatabase) -> None:
    backend = database.backend
    add_number_list(backend, REGISTER)
    add_do_not_contact(backend, "000001", list_name=REGISTER)
    before = snapshot(database)
    with pytest.raises(NotFound, match=f"no do-not-contact list other; .* The lists are: {OWN_REQUESTS}, {REGISTER}"):
        add_do_not_contact(backend, "000002", list_name="other")
    with pytest.raises(NotFound, match="no do-not-contact list other"):
        list_do_not_contact(backend, list_name="other")
    # It is not taken off a list that nobody named.
    with pytest.raises(NotFound, match=f"not on the do-not-contact list {OWN_REQUESTS}, but on {REGISTER}"):
        remove_do_not_contact(backend, "000001")
    with pytest.raises(AlreadyExists):
        add_number_list(backend, REGISTER)
    with pytest.raises(ParameterOutOfRange):
        add_number_list(backend, " ")
    assert snapshot(database) == before


@pytest.mark.parametrize("number", ['"quoted"', "back\\slash", "it's", "+49 30 ä"])
def test_every_text_that_a_lead_can_have_as_its_number_can_be_listed(database: TestedDatabase, number: str) -> None:
    database.execute("INSERT INTO dbo.wafunnel (number, stage, date) VALUES (%s, 1, '2026-11-10T08:00:00')", number)
    add_do_not_contact(database.backend, number, f"because {number}")
    (entry,) = do_not_contact_of(database.backend, number)
    assert (entry.number, entry.reason) == (number, f"because {number}")
    remove_do_not_contact(database.backend, number)
    assert list_do_not_contact(database.backend) == []


@pytest.fixture(params=["sqlite", "sqlserver"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestedDatabase]:
    """A database with the tables of version 7, on each engine."""
    if request.param == "sqlite":
        database = TestedDatabase(f"sqlite:///{tmp_path / 'funnel.db'}")
    else:
        database = TestedDatabase(request.getfixturevalue("sqlserver"), "older")
        database.execute("CREATE SCHEMA older")
    with database.backend.for_any_version().transaction(create=True) as session:
        for stem in scripts(database.engine):
            if stem.startswith("tables-") and int(stem.split("-")[1]) <= 7:
                session.script(stem)
        session.one("record_version", version=7)
    with closing(database):
        yield database


def test_an_upgrade_moves_the_numbers_to_the_first_list_once(older: TestedDatabase) -> None:
    database = older
    for number in ("000001", "000002", "000009"):
        database.execute(
            "INSERT INTO dbo.do_not_contact (number, reason, added_at) VALUES (%s, %s, '2026-11-01T08:00:00')",
            number, f"because {number}",
        )  # fmt: skip
    install(database.backend)
    found = list_do_not_contact(database.backend)
    assert [(each.number, each.list_name, each.reason, each.imported) for each in found] == [
        (number, OWN_REQUESTS, f"because {number}", False) for number in ("000001", "000002", "000009")
    ]
    assert {f"{each.added_at:%Y-%m-%d %H:%M}" for each in found} == {"2026-11-01 08:00"}
    # The table that had them is empty, so that what somebody else writes there can be seen.
    assert database.execute("SELECT * FROM dbo.do_not_contact") == []
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    assert run_deal(database).suppressed == 2

    remove_do_not_contact(database.backend, "000001")
    database.execute("INSERT INTO dbo.do_not_contact (number, added_at) VALUES ('000003', '2026-11-01T08:00:00')")
    install(database.backend)
    # No installation brings back a number that was removed, or takes one from the old table again.
    assert [each.number for each in list_do_not_contact(database.backend)] == ["000002", "000009"]
