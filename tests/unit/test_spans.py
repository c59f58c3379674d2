"""Lengths of time as people read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent_funnel.spans import span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (8040, "2 h 14 min"), (7200, "2 h"),
        (7203, "2 h"), (86_400, "1 d"), (93_600, "1 d 2 h"), (-5, "0 s"),
    ],
)  # fmt: skip
def test_a_span_is_shown_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text
