"""Lengths of time as people read them, wherever one is shown or sent."""

from __future__ import annotations

from datetime import timedelta


def span(value: timedelta) -> str:
    """A length of time in its two largest units: 2 h 14 min. A negative one is 0 s."""
    seconds = max(0, round(value.total_seconds()))
    parts = [
        (seconds // 86_400, "d"),
        (seconds % 86_400 // 3_600, "h"),
        (seconds % 3_600 // 60, "min"),
        (seconds % 60, "s"),
    ]
    first = next((index for index, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    return " ".join(
        f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount or unit == parts[first][1]
    )
