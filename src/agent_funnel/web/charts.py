"""Larger charts as inline SVG. They are hidden from screen readers, which have the same numbers in a table."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from agent_funnel.leads import DEALT_STAGES
from agent_funnel.schedule.runway import RunwayNight

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
