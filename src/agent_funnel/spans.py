"""Lengths of time as people read them, wherever one is shown or sent."""

from __future__ import annotations

from datetime import timedelta

from agent_funnel.sentences import Sentence, joined, sentence


def span(value: timedelta) -> Sentence:
    """A length of time in its two largest units: 2 h 14 min. A negative one is 0 s."""
    seconds = max(0, round(value.total_seconds()))
    parts = [
        (seconds // 86_400, sentence("%(amount)s d", amount=seconds // 86_400)),
        (seconds % 86_400 // 3_600, sentence("%(amount)s h", amount=seconds % 86_400 // 3_600)),
        (seconds % 3_600 // 60, sentence("%(amount)s min", amount=seconds % 3_600 // 60)),
        (seconds % 60, sentence("%(amount)s s", amount=seconds % 60)),
    ]
    first = next((index for index, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    return joined(*(text for amount, text in parts[first : first + 2] if amount or text is parts[first][1]))
