"""Charts of shares and nights as inline SVG, and the numbers in them.

They are hidden from screen readers, which have the same numbers beside them or in a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from agent_funnel.deal import PreviewShare
from agent_funnel.fairness import Fairness
from agent_funnel.names import by_name
from agent_funnel.results import Estimate
from agent_funnel.runs import DEALT_STAGES, RunRecord, Share
from agent_funnel.schedule.runway import RunwayNight

# With more agents than this, a histogram is shown, and the list of all has no bars:
MANY_AGENTS = 60
# The most agents with a lower limit that are shown one by one, and the most rows of a histogram:
MOST_LIMITED, MOST_ROWS = 12, 12
# The size of a chart of nights, in its own units; it is stretched to its place. A night is STEP wide:
STEP, HEIGHT = 100, 200
COLUMN = 80
# A line is drawn for the agents' room, unless it is so much higher than all columns that they would be tiny:
HIGHEST_ROOM = 1.5


def runway_scale(nights: Sequence[RunwayNight]) -> int:
    """The number of leads at the top of the chart of the runway."""
    pools = max((max(night.low.pool, night.high.pool) for night in nights), default=0)
    rooms = [night.room for night in nights if night.room <= HIGHEST_ROOM * pools]
    return max([pools, *rooms, 1])


def runway_columns(nights: Sequence[RunwayNight]) -> Markup:
    """A column for each date: the pool with few new leads, by stage; what more new leads add; a line for the room."""
    largest = runway_scale(nights)
    parts = []
    for place, night in enumerate(nights):
        left, at = place * STEP + (STEP - COLUMN) // 2, float(HEIGHT)
        if night.off:
            parts.append(f'<rect class="off" x="{place * STEP}" y="0" width="{STEP}" height="{HEIGHT}"/>')
        for stage in DEALT_STAGES:
            height = HEIGHT * night.low.by_stage[stage] / largest
            at -= height
            if height:
                parts.append(
                    f'<rect class="stage-{stage}" x="{left}" y="{at:.1f}" width="{COLUMN}" height="{height:.1f}"/>'
                )
        more = HEIGHT * max(0, night.high.pool - night.low.pool) / largest
        if more:
            parts.append(f'<rect class="more" x="{left}" y="{at - more:.1f}" width="{COLUMN}" height="{more:.1f}"/>')
        if night.room and night.room <= largest:
            height = HEIGHT * (1 - night.room / largest)
            parts.append(f'<path class="room" d="M{place * STEP} {height:.1f}h{STEP}"/>')
    # It holds only numbers.
    return Markup(  # noqa: S704
        f'<svg class="nights" viewBox="0 0 {STEP * len(nights)} {HEIGHT}" preserveAspectRatio="none" '
        f'aria-hidden="true">{"".join(parts)}</svg>'
    )


def interval_bar(rate: Estimate, highest: float) -> Markup:
    """The interval of a rate as a bar, with a mark at the rate; the chart ends at the rate `highest`."""
    at, low, high = (round(100 * value / highest, 1) if highest else 0.0 for value in (rate.rate, rate.low, rate.high))
    # It holds only numbers.
    return Markup(  # noqa: S704
        '<svg class="bar interval" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="share" x="{low}" width="{max(1.0, high - low):.1f}" y="3" height="4"/>'
        f'<path class="rate" d="M{at} 0v10"/></svg>'
    )


@dataclass(frozen=True)
class HistogramRow:
    """How many agents got from `first` to `last` leads."""

    first: int
    last: int
    agents: int


@dataclass(frozen=True)
class ShareChart:
    """The shares of a deal, for people: what varies comes first.

    `limited` are the agents who got fewer because of a limit, the smallest share first, at most MOST_LIMITED of them.
    `histogram` is empty if the verdict says it all. `all` are all shares, by name; `by_stage` is their sum.
    It `leaves_out` agents who took part and got nothing, where there were fewer leads than agents.
    """

    all: Sequence[Share | PreviewShare]
    leaves_out: bool
    largest: int
    limited: Sequence[Share | PreviewShare]
    by_stage: Mapping[int, int]
    histogram: Sequence[HistogramRow]

    @property
    def are_many(self) -> bool:
        return len(self.all) > MANY_AGENTS


def share_chart(shares: Iterable[Share | PreviewShare], fairness: Fairness) -> ShareChart:
    """Chooses what a chart of shares shows."""
    everybody = sorted(shares, key=lambda share: by_name(share.agent))
    named = {share.agent: share for share in everybody}
    by_stage: Counter[int] = Counter()
    for share in everybody:
        by_stage.update(share.by_stage)
    tells_more = len(everybody) > MANY_AGENTS or not fairness.is_fair
    return ShareChart(
        all=everybody,
        leaves_out=fairness.agents + len(fairness.limited) > len(everybody),
        largest=fairness.largest,
        limited=[named[name] for name in list(fairness.limited)[:MOST_LIMITED]],
        by_stage=by_stage,
        histogram=histogram([share.leads for share in everybody]) if tells_more else (),
    )


def histogram(values: Sequence[int]) -> list[HistogramRow]:
    """Counts values in at most MOST_ROWS ranges of equal width, the largest values first; empty ranges are left out."""
    if not values:
        return []
    smallest, largest = min(values), max(values)
    width = -(-(largest - smallest + 1) // MOST_ROWS)
    counts = Counter((value - smallest) // width for value in values)
    return [
        HistogramRow(smallest + place * width, min(largest, smallest + (place + 1) * width - 1), counts[place])
        for place in sorted(counts, reverse=True)
    ]


def share_bar(leads: int, largest: int) -> Markup:
    """A bar for a number of leads, relative to the largest."""
    width = 100 * leads / largest if largest else 0.0
    return Markup(  # noqa: S704 only numbers
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="share" width="{width:.2f}" height="10"/></svg>'
    )


def lists_bar(done: int, to_call: int, gone: int) -> Markup:
    """How far the lists of a deal are: from the left the leads that are done, at the right those that no agent has any
    longer, and between them what is left to call."""
    whole = done + to_call + gone
    done_width, gone_width = (100 * amount / whole if whole else 0.0 for amount in (done, gone))
    return Markup(  # noqa: S704 only numbers
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="share" width="{done_width:.2f}" height="10"/>'
        f'<rect class="gone" x="{100 - gone_width:.2f}" width="{gone_width:.2f}" height="10"/></svg>'
    )


def column_leads(run: RunRecord) -> int:
    """The number of leads that the column of a night shows."""
    return (run.assigned or 0) + (run.left_over or 0)


def tallest_column(runs: Mapping[date, RunRecord]) -> tuple[date, int]:
    """The night with the tallest column, the newest of several, and the leads that it shows."""
    night, run = max(runs.items(), key=lambda each: (column_leads(each[1]), each[0]))
    return night, column_leads(run)


def night_column(run: RunRecord, largest: int) -> Markup:
    """A column for a night: the leads dealt, and above them those left over; `largest` leads fill it."""
    dealt = 40 * (run.assigned or 0) / largest if largest else 0.0
    left = 40 * (run.left_over or 0) / largest if largest else 0.0
    return Markup(  # noqa: S704 only numbers
        '<svg viewBox="0 0 10 40" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="share" y="{40 - dealt:.1f}" width="10" height="{dealt:.1f}"/>'
        f'<rect class="more" y="{40 - dealt - left:.1f}" width="10" height="{left:.1f}"/></svg>'
    )
