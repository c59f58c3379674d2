"""The holders of a number, and when they held it; on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_funnel.do_not_contact import add_do_not_contact
from agent_funnel.runs import Holder, holders
from agent_funnel.sql import queries
from support.databases import TestedDatabase
from support.nights import TODAY, active_agents, fresh, put_agents, put_leads, run_deal, undo

NUMBER = "000001"
FIRST_EVENING = datetime(2026, 11, 1, 20, 40, tzinfo=UTC)


def evening(night: int) -> datetime:
    """The moment when the run of that night ends."""
    return FIRST_EVENING + timedelta(days=night)


def set_moment(database: TestedDatabase, table: str, column: str, run_id: int, moment: datetime) -> None:
    """Sets the moment when a run ended, or was undone."""
    text = moment.replace(tzinfo=None).isoformat(" ", "milliseconds")
    database.execute(f"UPDATE dbo.{table} SET {column} = %s WHERE run_id = %s", text, run_id)


def deal_on(database: TestedDatabase, night: int) -> int:
    """Makes a run that ends on that evening; returns its number."""
    run_id = run_deal(database, TODAY + timedelta(days=night)).run_id
    set_moment(database, "assignment_run", "finished_at", run_id, evening(night))
    return run_id


def undo_at(database: TestedDatabase, moment: datetime) -> None:
    """Undoes the last run, at that moment."""
    set_moment(database, "assignment_undo", "undone_at", undo(database).run_id, moment)


def at(database: TestedDatabase, moment: datetime) -> list[tuple[str, str]]:
    """The agents who held the number at a moment, each with the status of the run."""
    held = holders(database.backend, NUMBER, since=moment, until=moment + timedelta(milliseconds=1))
    return [(holder.agent, holder.status) for holder in held]


@pytest.fixture
def evenings(database: TestedDatabase) -> list[int]:
    """Three runs on three evenings, which deal the number to A, to B and to C."""
    put_leads(database, fresh(1))
    runs = []
    for night, name in enumerate(("A", "B", "C")):
        put_agents(database, active_agents(name))
        runs.append(deal_on(database, night))
    return runs


def test_the_holders_of_a_number_are_listed_newest_first_with_from_and_until(
    database: TestedDatabase, evenings: list[int]
) -> None:
    assert holders(database.backend, NUMBER) == [
        Holder(evenings[2], TODAY + timedelta(days=2), "C", 3, evening(2), None, "succeeded"),
        Holder(evenings[1], TODAY + timedelta(days=1), "B", 2, evening(1), evening(2), "succeeded"),
        Holder(evenings[0], TODAY, "A", 1, evening(0), evening(1), "succeeded"),
    ]
    assert holders(database.backend, "unknown") == []
    # Numbers are compared byte by byte, as everywhere.
    assert holders(database.backend, NUMBER[1:]) == []


@pytest.mark.usefixtures("evenings")
def test_the_holder_at_a_moment_is_found(database: TestedDatabase) -> None:
    assert at(database, evening(0) - timedelta(hours=1)) == []
    assert at(database, evening(0) + timedelta(hours=1)) == [("A", "succeeded")]
    assert at(database, evening(1) + timedelta(hours=23)) == [("B", "succeeded")]
    assert at(database, evening(99)) == [("C", "succeeded")]
    # The same moment in another time zone gives the same result.
    elsewhere = (evening(1) + timedelta(hours=1)).astimezone()
    assert at(database, elsewhere) == [("B", "succeeded")]


@pytest.mark.usefixtures("evenings")
def test_the_holders_between_two_moments_are_found(database: TestedDatabase) -> None:
    def agents(since: datetime | None, until: datetime | None) -> list[str]:
        return [holder.agent for holder in holders(database.backend, NUMBER, since=since, until=until)]

    noon = timedelta(hours=12)
    assert agents(evening(0) + noon, evening(1) + noon) == ["B", "A"]
    assert agents(evening(1) + noon, None) == ["C", "B"]
    assert agents(None, evening(0) + noon) == ["A"]
    assert agents(None, evening(0)) == []


def test_an_undone_run_is_listed_as_undone_and_held_until_its_undo(
    database: TestedDatabase, evenings: list[int]
) -> None:
    undo_at(database, evening(2) + timedelta(hours=2))
    newest, former, _ = holders(database.backend, NUMBER)
    assert (newest.agent, newest.status, newest.held_until) == ("C", "undone", evening(2) + timedelta(hours=2))
    # The undo gave the number back to B, who is listed from B's own run on, including C's time in between.
    assert (former.agent, former.status, former.held_until) == ("B", "succeeded", None)
    assert at(database, evening(2) + timedelta(hours=1)) == [("C", "undone"), ("B", "succeeded")]
    assert at(database, evening(2) + timedelta(hours=3)) == [("B", "succeeded")]

    put_agents(database, active_agents("D"))
    deal_on(database, 3)
    assert [(each.agent, each.held_until) for each in holders(database.backend, NUMBER)] == [
        ("D", None), ("C", evening(2) + timedelta(hours=2)), ("B", evening(3)), ("A", evening(1)),
    ]  # fmt: skip


def test_a_run_that_does_not_deal_the_number_ends_the_holding(database: TestedDatabase, evenings: list[int]) -> None:
    add_do_not_contact(database.backend, NUMBER)
    deal_on(database, 5)
    (newest, *_) = holders(database.backend, NUMBER)
    assert (newest.agent, newest.held_until) == ("C", evening(5))
    assert at(database, evening(6)) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_holders_of_a_number_are_found_by_an_index(database: TestedDatabase) -> None:
    rows = database.raw.execute(
        "EXPLAIN QUERY PLAN " + queries("sqlite")["holders"],
        {"number": NUMBER, "match_key": NUMBER, "since": None, "until": None, "country": None},
    ).fetchall()
    plan = [row[3] for row in rows]
    assert any("SEARCH h USING INDEX ix_assignment_history_number (number=?)" in step for step in plan), plan
    assert not any(step.startswith(("SCAN h", "SCAN u", "SCAN n", "SCAN r")) for step in plan), plan


@pytest.mark.parametrize("database", ["sqlserver"], indirect=True)
def test_the_server_has_the_index_by_number(database: TestedDatabase) -> None:
    indexes = database.execute(
        "SELECT i.name FROM sys.indexes AS i WHERE i.object_id = OBJECT_ID('dbo.assignment_history')"
    )
    # Babelfish appends a suffix of its own to the name.
    assert any(str(name).startswith("ix_assignment_history_number") for (name,) in indexes)
