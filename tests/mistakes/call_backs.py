"""Mistakes in the list of call-backs, on both engines."""

from __future__ import annotations

from mistakes.places import (
    CALL_BACKS,
    ON_CALL_BACKS,
    ON_CALL_BACKS_WEB,
    T_CALL_BACKS,
    W_CALL_BACKS,
    Mistake,
)

MISTAKES = (
    Mistake(
        "call-backs: one that an undone run handed out is missing",
        CALL_BACKS, "WHERE c.outcome_id = o.outcome_id AND r.status = 'succeeded'", "WHERE c.outcome_id = o.outcome_id",
        ON_CALL_BACKS, "those_that_are_due", "sqlite",
    ),
    Mistake(
        "call-backs: only the number itself is looked for",
        CALL_BACKS, "CROSS JOIN number_key AS s ON s.match_key = k.match_key AND s.country = k.country",
        "CROSS JOIN number_key AS s ON s.number = k.number AND s.country = k.country",
        ON_CALL_BACKS, "those_that_are_due", "sqlite",
    ),
    Mistake(
        "T-SQL call-backs: only the number itself is looked for",
        T_CALL_BACKS, "INNER JOIN dbo.number_key AS s ON k.match_key = s.match_key AND k.country = s.country",
        "INNER JOIN dbo.number_key AS s ON k.number = s.number AND k.country = s.country",
        ON_CALL_BACKS, "those_that_are_due", "sqlserver",
    ),
    Mistake(
        "call-backs: one that nobody could be dealt is said to be due",
        CALL_BACKS, "AND r.business_date >= b.call_back_on", "AND FALSE",
        ON_CALL_BACKS, "those_that_are_due", "sqlite",
    ),
    Mistake(
        "call-backs: a page begins with the last one of the page before",
        CALL_BACKS, "(o.call_back_on, o.outcome_id) > (", "(o.call_back_on, o.outcome_id) >= (",
        ON_CALL_BACKS, "in_pages", "sqlite",
    ),
    Mistake(
        "call-backs: viewers see the numbers",
        W_CALL_BACKS, "[mask_outcome(row) for row in rows]", "rows",
        ON_CALL_BACKS_WEB, "masks_numbers", "sqlite",
    ),
)  # fmt: skip
