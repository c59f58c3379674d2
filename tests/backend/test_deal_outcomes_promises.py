"""The promises of a deal that follows outcomes, checked directly on both engines, without the oracle's deal."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import strategies as st

from support.databases import TestedDatabase
from support.nights import (
    TODAY,
    active_agents,
    fresh,
    put_agents,
    put_leads,
    put_limits,
    run_deal,
    stored_history,
)
from support.oracle import Lead, spread
from support.properties import property_test
from support.reported import Report, put_outcomes, reported_of
from support.strategies import NAMES, REPORTED

TOMORROW = TODAY + timedelta(days=1)


@st.composite
def evenings(draw: st.DrawFn) -> tuple[list[str], list[Lead], list[Report], list[str], dict[str, int]]:
    """The agents of two nights, leads, what is reported in between, and limits of the second night."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    leads: list[Lead] = []
    for stage in (1, 2, 3):
        leads += fresh(draw(st.integers(0, 25)), start=stage * 1000, stage=stage)
    report = st.builds(
        Report, st.integers(0, 75), st.sampled_from(REPORTED), st.sampled_from([1, 1, 1, 2]), st.booleans()
    )
    second = draw(st.lists(st.sampled_from(names), min_size=1, unique=True) | st.just(names))
    limits = draw(st.dictionaries(st.sampled_from(names), st.integers(1, 12), max_size=2))
    return names, leads, draw(st.lists(report, max_size=60)), second, limits


@property_test(evenings(), share=0.6)
def test_nobody_kept_out_is_dealt_call_backs_come_first_and_each_part_of_a_class_is_that_of_the_slots(
    database: TestedDatabase,
    evening: tuple[list[str], list[Lead], list[Report], list[str], dict[str, int]],
) -> None:
    first_names, leads, reports, names, limits = evening
    put_agents(database, active_agents(*first_names))
    put_leads(database, leads)
    first = run_deal(database)
    history = sorted(stored_history(database, first.run_id), key=lambda row: row[1])
    outcomes = {one.number: one for one in reported_of(reports, first.run_id, TODAY, history)}
    put_outcomes(database, outcomes.values())
    put_agents(database, active_agents(*names))
    put_limits(database, [(name, TOMORROW, None, most) for name, most in limits.items()])
    (last_agent,) = database.execute("SELECT last_agent FROM dbo.assignment_run")[0]
    run = run_deal(database, TOMORROW)
    dealt = sorted((stage, created, number, agent) for agent, number, created, stage in
                   stored_history(database, run.run_id))  # fmt: skip
    held = {number: agent for _, _, number, agent in dealt}

    due = {number for number, one in outcomes.items() if one.call_back_on == TOMORROW}
    out = {
        number
        for number, one in outcomes.items()
        if one.outcome in ("won", "lost", "wrong_number") or (one.call_back_on and number not in due)
    }
    assert not out & held.keys()
    # A finished lead that is kept out is not counted: its stage does not let it in.
    stage_of = {number: stage + 1 for _, number, _, stage in history}
    assert run.kept_out == sum(stage_of[number] < 4 for number in out)
    # If a call-back that is due was not dealt, nothing else was.
    if due - held.keys():
        assert held.keys() <= due

    shares = {name: Counter(held.values())[name] for name in names}
    own = {number for number in due & held.keys() if outcomes[number].same_agent}
    kept = {number for number in own if held[number] == outcomes[number].agent}
    asked = Counter(outcomes[number].agent for number in due if outcomes[number].same_agent)
    assert Counter(held[number] for number in kept) == +Counter(
        {name: min(asked[name], shares[name]) for name in names}
    )

    # The slots of the other leads, from the shares and the seats; each class, beginning with the call-backs.
    last_agent = last_agent or ""
    seats = sorted(names, key=lambda name: (name.encode() <= last_agent.encode(), name.encode()))
    rooms = {name: limits.get(name, 450) for name in names}
    slots = spread(seats, shares, rooms, Counter(held[number] for number in kept))
    others = [(0 if number in due else stage, number) for stage, _, number, _ in dealt if number not in kept]
    others.sort(key=lambda lead: lead[0])
    stayed = len(kept)
    for one in {place for place, _ in others}:
        of_class = [(number, slot) for (place, number), slot in zip(others, slots, strict=True) if place == one]
        slotted = Counter(slot for _, slot in of_class)
        assert Counter(held[number] for number, _ in of_class) == slotted
        talked = [number for number, _ in of_class if number in outcomes and outcomes[number].outcome == "talked"]
        staying = Counter(outcomes[number].agent for number in talked)
        for name in names:
            wanted = min(staying[name], slotted[name])
            with_name = [number for number in talked if outcomes[number].agent == name == held[number]]
            # More may be with this agent only because it could not be helped.
            assert len(with_name) >= wanted
            stayed += wanted
    assert run.stayed == stayed
