"""The list of call-backs: what each of them waits for, as the next deal sees it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from agent_funnel.call_backs import count_call_backs, list_call_backs, stream_call_backs
from agent_funnel.numbers import take_in
from support.databases import TestedDatabase
from support.nights import (
    RECENT,
    TODAY,
    active_agents,
    put_agents,
    put_do_not_contact,
    put_leads,
    put_limits,
    run_deal,
    stored_history,
    undo,
)
from support.reported import Report, handed_out, put_outcomes, reported_of

TOMORROW = TODAY + timedelta(days=1)
LATER = TODAY + timedelta(days=9)
ANN, BOB, CID, DAN, EVE, FAY, GUS, HAL = (f"+55119812345{which:02}" for which in range(8))


def states(database: TestedDatabase, business_date: date) -> dict[str, str]:
    """The state of each call-back, by its number."""
    return {each.number: each.state for each in list_call_backs(database.backend, business_date, count=100)}


def test_each_call_back_says_what_it_waits_for_and_the_deal_hands_out_those_that_are_due(
    database: TestedDatabase,
) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, [(number, 1, RECENT) for number in (ANN, BOB, CID, DAN, EVE, FAY, GUS, HAL)])
    first = run_deal(database).run_id
    history = sorted(stored_history(database, first), key=lambda row: row[1])
    days = {7: (LATER - TODAY).days}
    asked = [Report(which, "call_back", days.get(which, 1), which == 0) for which in range(8)]
    put_outcomes(database, reported_of(asked, first, TODAY, history))
    assert set(states(database, TODAY).values()) == {"to_come"}
    assert set(states(database, LATER).values()) == {"due"}

    # Other spellings of these numbers: on a list, wrong, won, and to be called back later. One lead leaves the table.
    listed = "55119" + BOB[6:]
    put_do_not_contact(database, [listed])
    others = [("55" + number[3:], 1, RECENT) for number in (CID, DAN, EVE)]
    more = [("A", number, created, stage) for number, stage, created in others]
    told = [Report(0, "wrong_number"), Report(1, "won", 0), Report(2, "call_back", days[7])]
    put_outcomes(database, reported_of(told, first, TODAY, more))
    put_leads(database, [(number, 4, RECENT) for number in (listed, *(number for number, _, _ in others))])
    take_in(database.backend)
    database.execute("DELETE FROM dbo.wafunnel WHERE number = %s", FAY)
    found = states(database, TOMORROW)
    assert {number: found[number] for number in (ANN, BOB, CID, DAN, EVE, FAY, GUS, HAL)} == {
        ANN: "due", BOB: "do_not_contact", CID: "wrong_number", DAN: "won", EVE: "later", FAY: "gone", GUS: "due",
        HAL: "to_come",
    }  # fmt: skip

    # There is room for one of the two.
    put_limits(database, [("A", TOMORROW, TOMORROW, 0), ("B", TOMORROW, TOMORROW, 1)])
    run = run_deal(database, TOMORROW)
    assert [number for _, number in handed_out(database, run.run_id)] == [ANN]
    found = states(database, TOMORROW)
    assert (ANN in found, found[GUS], found[BOB]) == (False, "passed_over", "do_not_contact")
    undo(database)
    found = states(database, TOMORROW)
    assert (found[ANN], found[GUS]) == ("due", "due")


def test_the_list_is_by_day_in_pages_and_can_be_of_one_agent(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, [(number, 1, RECENT) for number in (ANN, BOB, CID)])
    run_id = run_deal(database).run_id
    history = sorted(stored_history(database, run_id), key=lambda row: row[1])
    asked = [Report(0, "call_back", 3), Report(1, "call_back", 1, True), Report(2, "call_back", 3)]
    put_outcomes(database, reported_of(asked, run_id, TODAY, history))
    found = list_call_backs(database.backend, TOMORROW, count=9)
    assert [(each.number, each.agent, each.same_agent) for each in found] == [
        (BOB, "B", True), (ANN, "A", False), (CID, "A", False),
    ]  # fmt: skip
    assert (found[0].call_back_on, found[0].run_id, found[0].note) == (TOMORROW, run_id, None)
    assert isinstance(found[0].reported_at, datetime)
    second = list_call_backs(database.backend, TOMORROW, after=found[0].place, count=1)
    assert second == [found[1]]
    assert list_call_backs(database.backend, TOMORROW, after=found[1].place, count=9) == [found[2]]
    assert list(stream_call_backs(database.backend, TOMORROW)) == found
    assert list(stream_call_backs(database.backend, TOMORROW, agent="A")) == found[1:]
    counts = count_call_backs(database.backend, TOMORROW)
    assert (counts.due, counts.to_come) == (1, 2)
