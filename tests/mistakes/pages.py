"""Mistakes in pages that change what deals read: the calendar, the do-not-contact lists, the search."""

from __future__ import annotations

from mistakes.places import ON_LISTS_PAGE, ON_MONTH, ON_SEARCH, W_CALENDAR, W_LISTS_PAGE, W_SEARCH, Mistake

MISTAKES = (
    Mistake(
        "calendar: public holidays that nobody chose are added",
        W_CALENDAR,
        " if each.isoformat() in chosen}",
        "}",
        ON_MONTH,
        "only_the_chosen",
        "sqlite",
    ),
    Mistake(
        "calendar: one form makes a year of holidays",
        W_CALENDAR,
        "if days > MOST_DAYS:",
        "if days > 12 * MOST_DAYS:",
        ON_MONTH,
        "impossible_holidays",
        "sqlite",
    ),
    Mistake(
        "calendar: viewers read numbers in the names of holidays",
        W_CALENDAR,
        'free_text(holidays[date]) or "holiday"',
        'holidays[date] or "holiday"',
        ON_MONTH,
        "without_numbers_in_names",
        "sqlite",
    ),
    Mistake(
        "do not contact: viewers look numbers up on the page",
        W_LISTS_PAGE,
        "    if not sees_numbers():\n        raise Forbidden(",
        "    if False:\n        raise Forbidden(",
        ON_LISTS_PAGE,
        "viewers",
        "sqlite",
    ),
    Mistake(
        "do not contact: a file that is only checked is imported",
        W_LISTS_PAGE,
        "dry_run=is_check",
        "dry_run=False",
        ON_LISTS_PAGE,
        "checked_first",
        "sqlite",
    ),
    Mistake(
        "do not contact: a blank line is a number",
        W_LISTS_PAGE,
        "dict.fromkeys(line for line in lines if line)",
        "dict.fromkeys(lines)",
        ON_LISTS_PAGE,
        "added_looked_up",
        "sqlite",
    ),
    Mistake(
        "search: viewers find numbers",
        W_SEARCH,
        "if may_be_number and sees_numbers() else",
        "if may_be_number else",
        ON_SEARCH,
        "viewers",
        "sqlite",
    ),
    Mistake(
        "search: all agents are shown",
        W_SEARCH,
        "agents=agents[:MOST_AGENTS]",
        "agents=agents",
        ON_SEARCH,
        "many_agents",
        "sqlite",
    ),
)
