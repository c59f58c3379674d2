"""The rates of results: the interval of each, and the places of agents."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from agent_funnel.results import FEWEST, Estimate, GroupResult, Results, interval, usual_span, with_places
from agent_funnel.web.pages.results import sort_agents


# By hand, or from published tables: p = 0.2 of 100 gives 0.1334 to 0.2888 (Newcombe 1998, method 3, has 81 of 263 with
# 0.2553 to 0.3662, and 15 of 148 with 0.0624 to 0.1605).
@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (81, 263, Estimate(0.308, 0.2553, 0.3662)),
        (15, 148, Estimate(0.1014, 0.0624, 0.1605)),
        (0, 50, Estimate(0.0, 0.0, 0.0713)),
        (50, 50, Estimate(1.0, 0.9287, 1.0)),
        (51, 50, Estimate(1.0, 0.9287, 1.0)),
        (20, 100, Estimate(0.2, 0.1334, 0.2888)),
    ],
)
def test_a_rate_has_the_score_interval_of_wilson(part: int, whole: int, expected: Estimate) -> None:
    assert interval(part, whole) == expected


def test_agents_are_sorted_by_an_amount_or_a_rate_and_those_without_a_rate_come_last() -> None:
    def row(name: str, won: int, rate: float | None) -> GroupResult:
        estimate = None if rate is None else Estimate(rate, 0.0, 1.0)
        return GroupResult(name, None, 100, 0, 60, 50, won, estimate, estimate, estimate, estimate)

    agents = (row("Al", 1, None), row("Bo", 3, 0.0), row("Cy", 3, 0.5))
    day = date(2026, 11, 24)
    results = Results(day, day, 1, 0, 0, None, row("", 7, 0.2), agents, (), (), (), ())
    for order, names in {"name": "Al Bo Cy", "won": "Bo Cy Al", "conversion": "Cy Bo Al"}.items():
        assert " ".join(str(each.name) for each in sort_agents(results, order).agents) == names


def test_below_fifty_there_is_no_rate() -> None:
    assert interval(FEWEST - 1, FEWEST - 1) is None
    assert interval(0, 0) is None
    assert FEWEST == 50


def agent(name: str, low: float, high: float) -> GroupResult:
    """An agent whose list conversion has this interval."""
    rate = Estimate((low + high) / 2, low, high)
    return GroupResult(name, None, 100, 0, FEWEST, 0, 0, None, None, None, rate)


def test_only_intervals_with_nothing_in_common_tell_agents_apart() -> None:
    thin = GroupResult("Di", None, 49, 0, 49, 0, 0, None, None, None, None)
    placed = with_places((agent("Al", 0.1, 0.2), agent("Bo", 0.15, 0.3), agent("Cy", 0.25, 0.4), thin))
    assert [(each.name, each.best_place, each.worst_place) for each in placed] == [
        ("Al", 2, 3), ("Bo", 1, 3), ("Cy", 1, 2), ("Di", None, None),
    ]  # fmt: skip


def test_an_agent_who_reports_too_little_has_neither_a_place_nor_a_rate_of_sales() -> None:
    silent = replace(agent("Bo", 0.0, 0.05), reported=FEWEST - 1)
    al, bo = with_places((agent("Al", 0.1, 0.2), silent))
    assert (al.best_place, al.worst_place) == (1, 1)
    assert bo == replace(silent, list_conversion=None)


def test_without_dates_the_last_four_weeks_are_shown() -> None:
    today = date(2026, 11, 26)
    assert usual_span(today, None, None) == (date(2026, 10, 30), today)
    assert usual_span(today, date(2026, 11, 1), None) == (date(2026, 11, 1), today)
    assert usual_span(today, None, date(2026, 3, 31)) == (date(2026, 3, 4), date(2026, 3, 31))
    assert usual_span(today, date(2026, 12, 1), None) == (date(2026, 12, 1), date(2026, 12, 1))
    assert usual_span(today, None, date.min) == (date.min, date.min)
