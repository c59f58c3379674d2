"""Mistakes in outcomes, on both engines."""

from __future__ import annotations

from mistakes.places import ON_OUTCOMES, ON_OUTCOMES_CONCURRENCY, OUTCOMES, P_OUTCOMES, T_OUTCOMES, Mistake

MISTAKES = (
    Mistake(
        "outcomes: a row of an older run takes new reports",
        OUTCOMES, "WHEN t.at >= t.closes_at\n", "WHEN FALSE\n",
        ON_OUTCOMES, "from_before_a_deal", "sqlite",
    ),
    Mistake(
        "T-SQL outcomes: a row of an older run takes new reports",
        T_OUTCOMES, "            WHEN @at >= @closes_at\n                THEN CONCAT(\n                    N'A newer",
        "            WHEN 1 = 0\n                THEN CONCAT(\n                    N'A newer",
        ON_OUTCOMES, "from_before_a_deal", "sqlserver",
    ),
    Mistake(
        "outcomes: a run that is undone takes new reports",
        OUTCOMES, "WHEN t.at >= t.closes_at AND t.status = 'undone'", "WHEN FALSE",
        ON_OUTCOMES, "undone", "sqlite",
    ),
    Mistake(
        "outcomes: a clock that is ahead is believed",
        OUTCOMES,
        "(SELECT min(coalesce(:reported_at, :now), :now) AS at) AS a",
        "(SELECT coalesce(:reported_at, :now) AS at) AS a",
        ON_OUTCOMES, "from_before_a_deal", "sqlite",
    ),
    Mistake(
        "outcomes: the report that comes last holds, whenever it was made",
        OUTCOMES, "ORDER BY o.reported_at DESC, o.outcome_id DESC", "ORDER BY o.outcome_id DESC",
        ON_OUTCOMES, "replaces", "sqlite",
    ),
    Mistake(
        "T-SQL outcomes: an outcome that is taken back may hold",
        T_OUTCOMES, "WHERE o.number = @dealt AND o.run_id = @run_id AND o.taken_back_at IS NULL",
        "WHERE o.number = @dealt AND o.run_id = @run_id",
        ON_OUTCOMES, "replaces", "sqlserver",
    ),
    Mistake(
        "outcomes: the stage goes back twice",
        OUTCOMES, "t.goes_back AND t.back_id IS NULL AND t.stage < 4", "t.goes_back AND t.stage < 4",
        ON_OUTCOMES, "puts_the_stage", "sqlite",
    ),
    Mistake(
        "outcomes: the stage moves although a newer run has dealt the record",
        OUTCOMES,
        "WHERE h.number = settling.number AND h.date = settling.date AND h.run_id > settling.run_id", "WHERE FALSE",
        ON_OUTCOMES, "newer_run_has_moved", "sqlite",
    ),
    Mistake(
        "T-SQL outcomes: a replaced not_worked leaves the stage back",
        T_OUTCOMES, "IF @goes_back <> CASE WHEN @back_id IS NULL THEN 0 ELSE 1 END", "IF @goes_back = 1",
        ON_OUTCOMES, "puts_the_stage", "sqlserver",
    ),
    Mistake(
        "outcomes: a taking back leaves no other opt-out of the number",
        OUTCOMES, "WHERE o.outcome = 'opted_out' AND o.taken_back_at IS NULL\n    );", "WHERE FALSE\n    );",
        ON_OUTCOMES, "only_it_goes_back", "sqlite",
    ),
    Mistake(
        "outcomes: a taking back removes what a person put on another list",
        OUTCOMES, "AND list_id = (SELECT l.list_id FROM do_not_contact_list AS l WHERE l.name = 'opted out')", "",
        ON_OUTCOMES, "only_it_goes_back", "sqlite",
    ),
    Mistake(
        "T-SQL outcomes: a lead that opted out stays assigned",
        T_OUTCOMES, "                        DELETE a\n", "                        IF 1 = 0 DELETE a\n",
        ON_OUTCOMES, "only_it_goes_back", "sqlserver",
    ),
    Mistake(
        "outcomes: an agent takes an outcome of another agent back",
        OUTCOMES, "ON o.report = :report AND o.agent = coalesce(:agent, o.agent)", "ON o.report = :report",
        ON_OUTCOMES, "an_agent_takes_back", "sqlite",
    ),
    Mistake(
        "outcomes: a call-back may be on the date of the deal",
        OUTCOMES, "WHEN :call_back_on <= t.business_date", "WHEN :call_back_on < t.business_date",
        ON_OUTCOMES, "call_back", "sqlite",
    ),
    Mistake(
        "outcomes: each of many reports waits for a deal that takes too long",
        P_OUTCOMES, "busy = error if isinstance(error, RunInProgress) else None", "busy = None",
        ON_OUTCOMES_CONCURRENCY, "bounded", "sqlserver",
    ),
)  # fmt: skip
