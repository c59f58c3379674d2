"""Mistakes in pages that change what deals read: the calendar."""

from __future__ import annotations

from mistakes.places import ON_MONTH, W_CALENDAR, Mistake

MISTAKES = (
    Mistake(
        "calendar: public holidays that nobody chose are added",
        W_CALENDAR, " if each.isoformat() in chosen}", "}",
        ON_MONTH, "only_the_chosen", "sqlite",
    ),
    Mistake(
        "calendar: one form makes a year of holidays",
        W_CALENDAR, "if days > MOST_DAYS:", "if days > 12 * MOST_DAYS:",
        ON_MONTH, "impossible_holidays", "sqlite",
    ),
    Mistake(
        "calendar: viewers read numbers in the names of holidays",
        W_CALENDAR, 'free_text(holidays[date]) or "holiday"', 'holidays[date] or "holiday"',
        ON_MONTH, "without_numbers_in_names", "sqlite",
    ),
)  # fmt: skip
