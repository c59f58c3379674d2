"""Rows of a file that are there already: in another spelling, or with other values; numbers that are never dealt."""

from __future__ import annotations

import io

import pytest

from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.imports import Imported, import_file
from support.databases import TestedDatabase, snapshot
from support.tables import TODAY


def imported(
    database: TestedDatabase, text: str, kind: str = "leads", *, update: bool = False, dry_run: bool = False
) -> Imported:
    """Imports a file of leads or agents."""
    file = io.BytesIO(text.encode())
    return import_file(database.backend, kind, file, name="file", today=TODAY, update=update, dry_run=dry_run)


def test_a_lead_that_is_there_in_another_way_is_named_and_stays_as_it_is(database: TestedDatabase) -> None:
    rows = [("+55 (21) 97000-0001", 3, "2026-10-05 08:00:00.000"), ("5521970000002", 1, "2026-10-05 08:00:00.007")]
    database.insert("wafunnel", ("number", "stage", "date"), [*rows, ("+5521970000002", 2, "2026-10-06 08:00:00.000")])
    before = snapshot(database)["wafunnel"]
    text = (
        "number,stage,date\n5521970000001,1,2026-10-05 08:00\n005521970000002,1,2026-10-05\n21970000003,1,2026-10-05\n"
    )
    done = imported(database, text)
    assert (done.rows, done.added, done.kept, done.respelled, done.differing, done.listed) == (3, 1, 2, 2, 2, 0)
    assert [(row.line, row.there) for row in done.kept_rows] == [
        (2, "is there as +55 (21) 97000-0001, with stage 3 and date 2026-10-05 08:00:00"),
        (3, "is there as +5521970000002, in 2 entries"),
    ]
    assert set(before) < set(snapshot(database)["wafunnel"])
    # What the file does not say is no difference.
    again = imported(database, "number,date\n5521970000001,2026-10-05 08:00\n21970000003,2026-10-05\n")
    assert (again.kept, again.respelled, again.differing) == (2, 1, 0)
    assert [row.there for row in again.kept_rows] == ["is there as +55 (21) 97000-0001"]
    assert imported(database, text).added == 0


def test_an_agent_with_another_status_is_named_and_stays_as_it_is(database: TestedDatabase) -> None:
    database.insert("agents", ("agent", "status"), [("Ana", "Active"), ("Rui", "inactive")])
    done = imported(database, "agent,status\nAna,inativo\nRui,inativo\nEva,ativo\n", "agents")
    assert (done.added, done.kept, done.differing) == (1, 2, 1)
    assert [(row.line, row.there) for row in done.kept_rows] == [(2, "is active there")]
    assert ("Ana", "Active") in [tuple(row) for row in database.execute("SELECT agent, status FROM dbo.agents")]


def test_an_update_sets_the_status_of_the_agents_of_the_file_and_of_no_others(database: TestedDatabase) -> None:
    def stored() -> list[tuple[str, str]]:
        return sorted((name, status) for name, status in database.execute("SELECT agent, status FROM dbo.agents"))

    database.insert("agents", ("agent", "status"), [("Ana", "active"), ("Rui", "inactive"), ("ana", "active")])
    text = "agent,status\nAna,inativo\nRui,inativo\nEva,ativo\n"
    done = imported(database, text, "agents", update=True, dry_run=True)
    assert (done.rows, done.added, done.changed, done.kept) == (3, 1, 1, 1)
    assert stored() == [("Ana", "active"), ("Rui", "inactive"), ("ana", "active")]
    done = imported(database, text, "agents", update=True)
    assert (done.rows, done.added, done.changed, done.kept, done.differing) == (3, 1, 1, 1, 0)
    assert stored() == [("Ana", "inactive"), ("Eva", "active"), ("Rui", "inactive"), ("ana", "active")]
    assert imported(database, text, "agents", update=True).changed == 0


@pytest.mark.sqlserver_if_long
def test_leads_on_a_do_not_contact_list_are_counted_in_any_spelling(database: TestedDatabase) -> None:
    add_do_not_contact(database.backend, "+55 21 97000-0001")
    text = "number\n5521970000001\n21970000002\n"
    assert imported(database, text, dry_run=True).listed == 1
    done = imported(database, text)
    assert (done.added, done.listed) == (2, 1)
