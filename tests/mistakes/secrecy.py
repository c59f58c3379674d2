"""Mistakes that would show something to people to whom it does not belong."""

from __future__ import annotations

from mistakes.places import (
    ON_MASKS,
    P_EXPORTS,
    W_API_LEADS,
    W_REQUESTER,
    Mistake,
)

MISTAKES = (
    Mistake(
        "masks: a viewer's list is in the order of the numbers",
        W_REQUESTER,
        "return sorted(masked, key=_shown_order)",
        "return masked",
        ON_MASKS,
        "hidden_digits",
        "sqlite",
    ),
    Mistake(
        "masks: a viewer may search for a number",
        W_API_LEADS,
        "if query.number is not None and not sees_numbers():",
        "if False:",
        ON_MASKS,
        "on_record or program",
        "sqlite",
    ),
    Mistake(
        "masks: a masked file is in the order of the numbers",
        P_EXPORTS,
        "_sorted(map(_masked, rows)) if mask",
        "map(_masked, rows) if mask",
        ON_MASKS,
        "hidden_digits",
        "sqlite",
    ),
)
