"""A fresh voice: a lead that comes round meets another agent, with everybody's part of each stage as it was."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import strategies as st

from agent_funnel.rules import record_rules
from agent_funnel.runs import find_run
from support.databases import TestedDatabase
from support.match_keys import match_key
from support.nights import (
    TODAY,
    active_agents,
    fresh,
    numbers_by_agent,
    preview,
    put_agents,
    put_leads,
    put_limits,
    run_deal,
    stored_history,
    undo,
)
from support.oracle import Lead, spread
from support.properties import property_test
from support.strategies import NAMES, phone


@st.composite
def floors(draw: st.DrawFn) -> tuple[list[list[str]], list[Lead], dict[str, int]]:
    """The agents of a few nights, leads in several spellings, and limits."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    few = st.lists(st.sampled_from(names), min_size=1, unique=True)
    leads: list[Lead] = []
    for stage in (1, 2, 3):
        leads += fresh(draw(st.integers(0, 30)), start=stage * 1000, stage=stage)
    leads += [(phone(which, 1), 1, leads[0][2]) for which in range(draw(st.integers(0, 5))) if leads]
    limits = draw(st.dictionaries(st.sampled_from(names), st.integers(1, 12), max_size=2))
    return draw(st.lists(few | st.just(names), min_size=2, max_size=4)), leads, limits


@property_test(floors(), share=0.5)
def test_everybodys_part_of_each_stage_stays_and_as_few_leads_as_possible_meet_the_same_agent(
    database: TestedDatabase, floor: tuple[list[list[str]], list[Lead], dict[str, int]]
) -> None:
    nights, leads, limits = floor
    put_leads(database, leads)
    put_limits(database, [(name, TODAY, None, most) for name, most in limits.items()])
    last: dict[str, str] = {}
    last_agent = ""
    for night, names in enumerate(nights):
        # Another spelling of a number that was dealt already is a new row of the same lead.
        put_leads(database, [(phone(night, 2 + night), 1, leads[0][2])] if leads else [])
        put_agents(database, active_agents(*names))
        run = run_deal(database, TODAY + timedelta(days=night))
        dealt = sorted((stage, created, number, agent) for agent, number, created, stage in
                       stored_history(database, run.run_id))  # fmt: skip
        # The slots of step 5, from the shares and the seats.
        seats = sorted(names, key=lambda name: (name.encode() <= last_agent.encode(), name.encode()))
        shares = Counter(agent for *_, agent in dealt)
        rooms = {name: limits.get(name, 450) for name in names}
        slots = spread(seats, {name: shares[name] for name in seats}, rooms)
        repeats = 0
        for stage in {row[0] for row in dealt}:
            of_stage = [(agent, slot, last.get(match_key(number)))
                        for (at, _, number, agent), slot in zip(dealt, slots, strict=True) if at == stage]  # fmt: skip
            agents, slotted, had = zip(*of_stage, strict=True)
            assert Counter(agents) == Counter(slotted)
            fewest = {name: max(0, had.count(name) + slotted.count(name) - len(had)) for name in names}
            assert Counter(a for a, b in zip(agents, had, strict=True) if a == b) == +Counter(fewest)
            repeats += sum(fewest.values())
        assert run.came_round == sum(match_key(number) in last for _, _, number, _ in dealt)
        assert run.same_agent == repeats
        # Whose turn is next: dealing round by round, the agent who got the last lead.
        if dealt:
            last_agent = turn_after(seats, rooms, len(dealt))
            found = database.execute("SELECT last_agent FROM dbo.assignment_run WHERE run_id = %s", run.run_id)
            assert found == [(last_agent,)]
        last |= {match_key(number): agent for _, _, number, agent in dealt}


def turn_after(seats: list[str], rooms: dict[str, int], leads: int) -> str:
    """The agent who gets the last of these leads, round by round."""
    turns = [name for turn in range(max(rooms.values())) for name in seats if turn < rooms[name]]
    return turns[leads - 1]


def test_with_all_leads_coming_round_in_the_same_order_nobody_meets_the_same_agent(database: TestedDatabase) -> None:
    # Twenty leads and four agents: each seat is the same every night.
    put_agents(database, active_agents("A", "B", "C", "D"))
    put_leads(database, fresh(20))
    assert (run_deal(database).came_round, run_deal(database).came_round) == (0, 20)
    held = numbers_by_agent(database)
    again = run_deal(database)
    assert (again.came_round, again.same_agent) == (20, 0)
    assert all(not set(held[name]) & set(numbers) for name, numbers in numbers_by_agent(database).items())


def test_the_agent_who_had_a_lead_some_nights_ago_does_not_meet_it_again(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    first, second = fresh(2)
    put_leads(database, [first, second])
    run_deal(database)
    assert numbers_by_agent(database) == {"A": [first[0]], "B": [second[0]]}
    # A night of other leads lies between.
    database.execute("DELETE FROM dbo.wafunnel")
    put_leads(database, fresh(2, start=100))
    assert run_deal(database).came_round == 0
    database.execute("DELETE FROM dbo.wafunnel")
    put_leads(database, [first, second])
    run = run_deal(database)
    assert (run.came_round, run.same_agent) == (2, 0)
    assert numbers_by_agent(database) == {"A": [second[0]], "B": [first[0]]}


def test_where_one_agent_has_most_clashes_leads_that_nobody_had_take_their_places(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    came_round = fresh(3, start=100, stage=1)
    put_leads(database, came_round)
    run_deal(database)
    # Leads of the same stage that come after those in deal order. The seats are B, A, B, A, B, A.
    put_agents(database, active_agents("A", "B"))
    new = fresh(3, start=200, stage=2)
    put_leads(database, new)
    run = run_deal(database)
    assert (run.came_round, run.same_agent) == (3, 0)
    assert numbers_by_agent(database) == {"A": [lead[0] for lead in new], "B": [lead[0] for lead in came_round]}


def test_the_rule_leaves_every_lead_to_the_agent_whom_the_order_gives_it(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B", "C", "D"))
    put_leads(database, fresh(20))
    assert run_deal(database).assigned == 20
    held = numbers_by_agent(database)
    record_rules(database.backend, {"voice": " As-Dealt "}, actor="Ana")
    seen = preview(database)
    kept = run_deal(database)
    assert numbers_by_agent(database) == held
    assert (kept.came_round, kept.same_agent) == (seen.run.came_round, seen.run.same_agent) == (20, 20)
    assert find_run(database.backend, kept.run_id).voice == "as-dealt"
    # A setting wins over the record.
    again = run_deal(database, voice="fresh")
    assert (again.came_round, again.same_agent) == (20, 0)
    assert find_run(database.backend, again.run_id).voice == "fresh"


def test_an_agent_alone_meets_all_leads_again_and_the_run_says_so(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A"))
    put_leads(database, fresh(3))
    run_deal(database)
    seen = preview(database)
    again = run_deal(database)
    assert (again.came_round, again.same_agent) == (seen.run.came_round, seen.run.same_agent) == (3, 3)


def test_an_undone_run_and_a_purged_one_are_not_the_last_voice(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, fresh(6))
    first = run_deal(database)
    with_first = numbers_by_agent(database)
    undo(database)
    # As if the first run had never been: the same leads go to the same agents.
    assert run_deal(database).came_round == 0
    assert numbers_by_agent(database) == with_first
    database.execute("DELETE FROM dbo.assignment_run WHERE run_id = %s", first.run_id)
    database.execute("INSERT INTO dbo.assignment_purge (run_id, purged_at) "
                     "SELECT r.run_id, '2026-11-24T00:00:00' FROM dbo.assignment_run AS r")  # fmt: skip
    assert run_deal(database).came_round == 0


def test_another_spelling_and_another_country_find_the_agent_who_had_the_lead(database: TestedDatabase) -> None:
    put_agents(database, active_agents("A", "B"))
    put_leads(database, [("11 3000-0001", 1, fresh(1)[0][2]), ("11 3000-0002", 1, fresh(1)[0][2])])
    run_deal(database)
    assert numbers_by_agent(database) == {"A": ["11 3000-0001"], "B": ["11 3000-0002"]}
    # These leads are finished and gone. With Brazil as the country, the new ones are the same numbers.
    database.execute("DELETE FROM dbo.wafunnel")
    put_leads(database, [("+55 11 3000-0001", 1, fresh(1)[0][2]), ("+55 11 3000-0002", 1, fresh(1)[0][2])])
    run = run_deal(database, country="BR")
    assert (run.came_round, run.same_agent) == (2, 0)
    assert numbers_by_agent(database) == {"A": ["+55 11 3000-0002"], "B": ["+55 11 3000-0001"]}
