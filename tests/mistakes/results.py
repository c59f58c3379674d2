"""Mistakes in the results, on both engines."""

from __future__ import annotations

from mistakes.places import (
    ON_RESULTS,
    ON_RESULTS_RATES,
    ON_RESULTS_WEB,
    P_RESULTS,
    RESULTS,
    T_RESULTS,
    W_REQUESTER,
    Mistake,
)

MISTAKES = (
    Mistake(
        "results: leads of undone runs count",
        RESULTS, "r.status = 'succeeded' AND r.business_date", "r.status <> 'failed' AND r.business_date",
        ON_RESULTS, "the_product_writes", "sqlite",
    ),
    Mistake(
        "T-SQL results: leads of undone runs count",
        T_RESULTS, "r.status = 'succeeded' AND r.business_date", "r.status <> 'failed' AND r.business_date",
        ON_RESULTS, "call_by_call", "sqlserver",
    ),
    Mistake(
        "T-SQL results: each import of a lead has it for ever",
        T_RESULTS, "            AND (n.last_import < l.next_id OR l.next_id IS NULL)\n", "",
        ON_RESULTS, "call_by_call", "sqlserver",
    ),
    Mistake(
        "results: an outcome that is taken back counts",
        RESULTS, "    WHERE o.stands = 1\n    GROUP BY c.business_date", "    GROUP BY c.business_date",
        ON_RESULTS, "the_product_writes", "sqlite",
    ),
    Mistake(
        "results: a call-back is counted with its stage",
        RESULTS, "h.stage, b.number IS NOT NULL AS is_call_back", "h.stage, 0 AS is_call_back",
        ON_RESULTS, "the_product_writes", "sqlite",
    ),
    Mistake(
        "results: a purged run counts",
        RESULTS, "        AND NOT EXISTS (SELECT 1 FROM assignment_purge AS p WHERE p.run_id = r.run_id)\n", "",
        ON_RESULTS, "call_by_call", "sqlite",
    ),
    Mistake(
        "results: an import that was made after the run gets the lead",
        RESULTS, "coalesce(i.last_run_id, 0) < r.run_id", "coalesce(i.last_run_id, 0) >= 0",
        ON_RESULTS, "call_by_call", "sqlite",
    ),
    Mistake(
        "results: a wrong number counts as reached",
        RESULTS, "'call_back', 'opted_out')", "'call_back', 'opted_out', 'wrong_number')",
        ON_RESULTS, "call_by_call", "sqlite",
    ),
    Mistake(
        "results: a lead that was not called lowers the rates",
        P_RESULTS, "dealt = leads - not_worked", "dealt = leads",
        ON_RESULTS, "the_product_writes", "sqlite",
    ),
    Mistake(
        "results: a rate of few leads is shown",
        P_RESULTS, "if whole < FEWEST:", "if whole == 0:",
        ON_RESULTS_RATES, "below_fifty",
    ),
    Mistake(
        "results: agents are ranked by their rates alone",
        P_RESULTS, "other.low > own.high", "other.rate > own.rate",
        ON_RESULTS_RATES, "nothing_in_common",
    ),
    Mistake(
        "results: viewers see the number in the name of a file",
        W_REQUESTER, "label=each.label and mask_digits(each.label)", "label=each.label",
        ON_RESULTS_WEB, "the_api", "sqlite",
    ),
)  # fmt: skip
