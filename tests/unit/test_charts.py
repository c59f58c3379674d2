"""The charts of shares and nights: what varies comes first, and the columns can be compared."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

from agent_funnel.fairness import judge
from agent_funnel.runs import RunRecord, Share
from agent_funnel.web.charts import (
    MANY_AGENTS,
    MOST_LIMITED,
    MOST_ROWS,
    HistogramRow,
    ShareChart,
    histogram,
    night_column,
    share_chart,
    tallest_column,
)

NOW = datetime(2026, 11, 23, 20, 40, tzinfo=UTC)
RUN = RunRecord(
    run_id=1, business_date=date(2026, 11, 23), trigger="schedule", actor=None, status="succeeded", agents=2, pool=30,
    per_agent=10, assigned=20, left_over=10, duplicates=0, suppressed=0, smallest_share=10, largest_share=10,
    started_at=NOW, finished_at=NOW, kept_out=0, came_round=0, same_agent=0, stayed=0, max_per_agent=10, window_days=45,
    newest_first=False, country=None, voice="fresh", forgotten=0, undone_at=None, undone_by=None, restored=None,
    changed_since=None, purged_at=None,
)  # fmt: skip


def charted(leads: list[int], limits: dict[str, int] | None = None) -> ShareChart:
    shares = [Share(f"agent {place:03}", each, {1: each - 1, 3: 1}) for place, each in enumerate(leads)]
    fairness = judge({share.agent: share.leads for share in shares}, len(shares), limits or {})
    assert fairness is not None
    return share_chart(shares, fairness)


def test_equal_shares_are_not_drawn_one_by_one() -> None:
    chart = charted([8, 9, 8])
    assert (chart.limited, list(chart.histogram), chart.are_many) == ([], [], False)
    assert (chart.largest, chart.by_stage) == (9, {1: 22, 3: 3})
    assert [share.leads for share in chart.all] == [8, 9, 8]


def test_a_chart_says_whether_agents_got_nothing_and_are_left_out() -> None:
    assert not charted([1, 1]).leaves_out
    assert not charted([9, 4], {"agent 001": 4}).leaves_out
    shares = [Share("Ana", 1, {1: 1})]
    fairness = judge({"Ana": 1}, 2, {})
    assert fairness is not None
    assert share_chart(shares, fairness).leaves_out


def test_agents_with_a_lower_limit_come_first_and_at_most_a_dozen_of_them() -> None:
    chart = charted([9, 4, 2, 9], {"agent 001": 4, "agent 002": 2})
    assert [(share.agent, share.leads) for share in chart.limited] == [("agent 002", 2), ("agent 001", 4)]
    many = charted([*range(1, 40), 50], {f"agent {place:03}": place + 1 for place in range(39)})
    assert [share.leads for share in many.limited] == list(range(1, MOST_LIMITED + 1))


def test_many_agents_and_uneven_shares_are_counted_in_a_histogram() -> None:
    chart = charted([3] * MANY_AGENTS + [4])
    assert chart.are_many
    assert list(chart.histogram) == [HistogramRow(4, 4, 1), HistogramRow(3, 3, MANY_AGENTS)]
    assert list(charted([9, 2]).histogram) == [HistogramRow(9, 9, 1), HistogramRow(2, 2, 1)]


def test_a_histogram_counts_each_value_once_in_a_dozen_equal_ranges() -> None:
    assert histogram([]) == []
    values = [1, 1, 30, 100, 101, 450]
    rows = histogram(values)
    assert len(rows) <= MOST_ROWS
    assert [row.agents for row in rows] == [sum(row.first <= value <= row.last for value in values) for row in rows]
    assert sum(row.agents for row in rows) == len(values)
    assert (rows[0].last, rows[-1].first) == (450, 1)


def test_the_columns_of_nights_have_one_scale_whose_top_is_the_tallest() -> None:
    larger = replace(RUN, assigned=40, left_over=20)
    days = [date(2026, 11, number) for number in (21, 22, 23)]
    night, top = tallest_column(dict(zip(days, [RUN, larger, RUN], strict=True)))
    assert (night, top) == (days[1], 60)

    def heights(run: RunRecord) -> list[float]:
        return [float(height) for height in re.findall(r'<rect[^>]* height="([\d.]+)"', night_column(run, top))]

    assert heights(RUN) == [13.3, 6.7]
    assert heights(larger) == [26.7, 13.3]
    assert heights(replace(RUN, assigned=None, left_over=None)) == [0, 0]
    assert tallest_column({days[0]: larger, days[2]: larger}) == (days[2], 60)
