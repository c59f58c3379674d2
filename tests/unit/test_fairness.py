"""The verdict on a deal, from the leads that agents got and their limits."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent_funnel.fairness import Fairness, in_short, judge, verdict
from support import oracle
from support.nights import TODAY, active_agents, fresh


def test_agents_full_at_a_lower_limit_and_those_away_are_named_beside_the_others() -> None:
    shares = {f"agent {place:02}": 273 + place % 2 for place in range(22)} | {"Otávio": 100, "Kauã": 60}
    found = judge(shares, 24, {"Kauã": 60, "Otávio": 100, "Natália": 0})
    assert found == Fairness(22, 273, 274, {"Kauã": 60, "Otávio": 100}, ("Natália",), is_fair=True)
    assert verdict(found) == "Fair: 22 agents got 273 or 274; Kauã (60) and Otávio (100) by limit; Natália away."
    words = verdict(found, would=True)
    assert words == "Fair: 22 agents get 273 or 274; Kauã (60) and Otávio (100) by limit; Natália away."


def test_the_same_exceptions_are_not_named_twice() -> None:
    rooms = {"Kauã": 3, "Natália": 0}
    before, after = judge({"A": 9, "B": 8, "Kauã": 3}, 3, rooms), judge({"A": 6, "B": 6, "Kauã": 3}, 3, rooms)
    assert before is not None
    assert after is not None
    assert in_short(after, 15, before) == "15 leads, 6 each, with the same exceptions"
    assert verdict(after, would=True) == "Fair: 2 agents get 6; Kauã (3) by limit; Natália away."
    # Another limit, or somebody else who is away, is named as ever.
    for changed in ({"Kauã": 4, "Natália": 0}, {"Kauã": 3, "Otávio": 0}, {"Kauã": 3}):
        other = judge({"A": 6, "B": 6, "Kauã": changed["Kauã"]}, 3, changed)
        assert other is not None
        assert in_short(other, 15, before) is None
    plain = judge({"A": 6, "B": 6}, 2, {})
    assert plain is not None
    assert in_short(plain, 12, plain) is None
    assert in_short(after, 15, None) is None
    # An uneven deal says so.
    assert in_short(replace(after, is_fair=False), 15, before) is None


def test_names_are_in_the_order_of_people() -> None:
    found = judge(
        {"Zoe": 9, "Érica": 1, "Edu": 1, "Yara": 1}, 4, {"Érica": 1, "Edu": 1, "Yara": 1, "Úrsula": 0, "Vi": 0}
    )
    assert found is not None
    assert verdict(found) == "Fair: 1 agent got 9; Edu (1), Érica (1) and Yara (1) by limit; Úrsula and Vi away."


def test_a_name_that_ends_with_a_number_is_told_from_its_leads() -> None:
    found = judge({"agent 1": 5, "agent 2": 9, "agent 10": 6}, 3, {"agent 1": 5, "agent 10": 6})
    assert found is not None
    assert verdict(found) == "Fair: 1 agent got 9; agent 1 (5) and agent 10 (6) by limit."


def test_a_limit_that_was_not_reached_explains_nothing() -> None:
    found = judge({"A": 9, "B": 9, "C": 4}, 3, {"C": 5, "B": 9})
    assert found == Fairness(3, 4, 9, {}, (), is_fair=False)
    assert verdict(found) == "Uneven: 3 agents got 4 to 9."


def test_agents_without_a_lead_count_among_the_others() -> None:
    found = judge({"A": 1, "B": 1}, 5, {})
    assert found is not None
    assert (found.smallest, found.largest, found.agents) == (0, 1, 5)
    assert verdict(found) == "Fair: 5 agents got 0 or 1."
    assert judge({}, 5, {"A": 0}) is None
    assert judge({"A": 0}, 1, {}) is None


def test_many_names_become_numbers() -> None:
    shares = {f"agent {place}": place for place in range(1, 9)}
    found = judge(shares, 8, {**shares, **{f"away {place}": 0 for place in range(6)}})
    assert found is not None
    assert verdict(found) == "Fair: 1 agent got 8; 7 others (1 to 7) by limit; 6 away."
    assert verdict(found, would=True).startswith("Fair: 1 agent gets 8;")
    few = judge({"A": 2, "B": 1}, 2, {"B": 1, "C": 0, "D": 0, "E": 0})
    assert few is not None
    assert verdict(few) == "Fair: 1 agent got 2; B (1) by limit; C, D and E away."


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 60))
def test_every_deal_of_the_oracle_is_fair(rooms: list[int], leads: int) -> None:
    names = [f"agent {place}" for place in range(len(rooms))]
    limits = [(name, TODAY, None, room) for name, room in zip(names, rooms, strict=True)]
    if not any(rooms):
        return
    dealt = oracle.deal(active_agents(*names), fresh(leads), limits, (), None, TODAY)
    shares = {name: sum(each == name for each, _ in dealt.assignments) for name in names}
    got_some = {name: got for name, got in shares.items() if got}
    found = judge(got_some, len(dealt.rooms), dict(zip(names, rooms, strict=True)))
    assert found is not None
    assert found.is_fair
    assert len(found.away) == rooms.count(0)
    assert found.agents + len(found.limited) == len(dealt.rooms)
