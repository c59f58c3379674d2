"""The promises of the deal, checked directly on both engines, without the oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import timedelta

import pytest
from hypothesis import strategies as st

from agent_funnel.errors import NoActiveAgent
from support.databases import TestedDatabase
from support.nights import (
    OLDEST,
    TODAY,
    active_agents,
    fresh,
    numbers_by_agent,
    put_agents,
    put_leads,
    put_limits,
    run_deal,
)
from support.oracle import Lead
from support.properties import property_test
from support.strategies import CAPS, NAMES


@st.composite
def open_evenings(draw: st.DrawFn) -> tuple[list[str], list[Lead], int]:
    """Agents without limits, a pool of the stages 1 to 3, and a cap."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=40, unique=True))
    counts = draw(st.lists(st.integers(0, 60), min_size=3, max_size=3))
    leads: list[Lead] = []
    for stage, count in enumerate(counts, start=1):
        leads += fresh(
            count, start=stage * 1000, stage=stage, created=OLDEST + timedelta(days=draw(st.integers(0, 60)))
        )
    return names, leads, draw(CAPS)


def differ_by_at_most_one(amounts: Collection[int]) -> bool:
    """Whether these amounts are as even as whole leads can be."""
    return max(amounts) - min(amounts) <= 1


@property_test(open_evenings())
def test_shares_and_the_mix_of_stages_differ_by_at_most_one_without_limits(
    database: TestedDatabase, evening: tuple[list[str], list[Lead], int]
) -> None:
    names, leads, cap = evening
    put_agents(database, active_agents(*names))
    put_leads(database, leads)
    run = run_deal(database, max_per_agent=cap)
    held = numbers_by_agent(database)
    shares = [len(held.get(name, ())) for name in names]
    assert run.per_agent == min(-(-len(leads) // len(names)), cap)
    assert sum(shares) == run.assigned == min(run.per_agent * len(names), len(leads))
    assert differ_by_at_most_one(shares)
    assert (run.smallest_share, run.largest_share) == (min(shares), max(shares))
    stage_of = {number: stage for number, stage, _ in leads}
    for stage in (1, 2, 3):
        assert differ_by_at_most_one([sum(stage_of[n] == stage for n in held.get(name, ())) for name in names])


@property_test(st.integers(1, 9), st.lists(st.integers(0, 25), min_size=2, max_size=5), CAPS, share=0.5)
def test_totals_over_runs_with_the_same_agents_differ_by_at_most_one(
    database: TestedDatabase, count: int, nightly: list[int], cap: int
) -> None:
    names = NAMES[:count]
    put_agents(database, active_agents(*names))
    for night, arriving in enumerate(nightly):
        put_leads(database, fresh(arriving, start=1 + night * 1000))
        run_deal(database, TODAY + timedelta(days=night), max_per_agent=cap)
        totals = dict(database.execute("SELECT agent, COUNT(*) FROM dbo.assignment_history GROUP BY agent"))
        assert differ_by_at_most_one([totals.get(name, 0) for name in names])


@property_test(open_evenings(), st.data())
def test_nobody_exceeds_a_limit_and_the_others_differ_by_at_most_one(
    database: TestedDatabase, evening: tuple[list[str], list[Lead], int], data: st.DataObject
) -> None:
    names, leads, cap = evening
    some = st.sampled_from([None, 0, 1, 2, 5, 449, 1000])
    limits = {name: most for name in names if (most := data.draw(some)) is not None}
    rooms = {name: min(cap, limits.get(name, cap)) for name in names}
    put_agents(database, active_agents(*names))
    put_leads(database, leads)
    put_limits(database, [(name, TODAY, TODAY, most) for name, most in limits.items()])
    if not any(rooms.values()):
        with pytest.raises(NoActiveAgent):
            run_deal(database, max_per_agent=cap)
        return
    run = run_deal(database, max_per_agent=cap)
    shares = {name: len(numbers_by_agent(database).get(name, ())) for name in names}
    assert run.assigned == sum(shares.values()) == min(len(leads), sum(rooms.values()))
    assert all(shares[name] <= rooms[name] for name in names)
    # Agents at their limit got at most one lead more than any other, and the others differ by at most one.
    not_full = [shares[name] for name in names if shares[name] < rooms[name]]
    if not_full:
        assert differ_by_at_most_one(not_full)
        assert max(shares.values()) <= min(not_full) + 1


@st.composite
def rooms_of_all_sizes(draw: st.DrawFn) -> tuple[dict[str, int], list[Lead]]:
    """Agents with limits of their own, and a pool of the stages 1 to 3."""
    some = st.one_of(st.sampled_from([1000, 1000, 1, 2]), st.integers(1, 40))
    rooms = draw(st.dictionaries(st.sampled_from(NAMES), some, min_size=2, max_size=40))
    leads: list[Lead] = []
    for stage in (1, 2, 3):
        leads += fresh(draw(st.integers(0, 150)), start=stage * 1000, stage=stage)
    return rooms, leads


@property_test(rooms_of_all_sizes(), share=0.6)
def test_with_limits_too_everybody_gets_the_same_mix_of_stages(
    database: TestedDatabase, evening: tuple[dict[str, int], list[Lead]]
) -> None:
    rooms, leads = evening
    put_agents(database, active_agents(*rooms))
    put_leads(database, leads)
    put_limits(database, [(name, TODAY, None, room) for name, room in rooms.items()])
    run_deal(database)
    stage_of = {number: stage for number, stage, _ in leads}
    held = numbers_by_agent(database)
    parts = {name: Counter(stage_of[number] for number in held.get(name, ())) for name in rooms}
    shares = {name: sum(part.values()) for name, part in parts.items()}
    limited = {name for name in rooms if shares[name] == rooms[name] < max(shares.values())}
    for stage in (1, 2, 3):
        assert differ_by_at_most_one([parts[name][stage] for name in rooms if name not in limited])
        dealt = sum(part[stage] for part in parts.values())
        for name in limited:
            # At most 2.1 in thousands of random teams.
            assert abs(parts[name][stage] - shares[name] * dealt / sum(shares.values())) <= 3
