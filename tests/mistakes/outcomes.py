"""Mistakes in outcomes, on both engines."""

from __future__ import annotations

from mistakes.places import (
    IN_OWN_LIST,
    IN_OWN_LIST_ROWS,
    JS_KEPT,
    JS_SENDING,
    JS_TAPS,
    ON_OUTCOMES,
    ON_OUTCOMES_CONCURRENCY,
    ON_OUTCOMES_IMPORT,
    ON_OUTCOMES_WEB,
    ON_OWN_LIST_DAYS,
    ON_OWN_LIST_OUTCOMES,
    ON_STATES,
    OUTCOMES,
    P_OUTCOMES,
    P_OUTCOMES_FILES,
    T_OUTCOMES,
    T_OUTCOMES_QUERIES,
    T_OWN_LIST,
    W_API_OUTCOMES,
    W_AUTH,
    W_LIST,
    W_OWN_LIST,
    Mistake,
)

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
        OUTCOMES, "o.reported_at DESC, o.outcome_id DESC", "o.outcome_id DESC",
        ON_OUTCOMES, "replaces", "sqlite",
    ),
    Mistake(
        "outcomes: an outcome that is taken back may hold",
        OUTCOMES, "o.run_id = t.run_id AND o.taken_back_at IS NULL", "o.run_id = t.run_id",
        ON_STATES, "any_steps", "sqlite",
    ),
    Mistake(
        "outcomes: a lead that was handed back stays away when that is taken back",
        OUTCOMES, "WHERE t.returns\n", "WHERE FALSE\n", "tests/backend/test_hand_backs.py", "given_by_hand", "sqlite",
    ),
    Mistake(
        "outcomes: the stage stays back when not_worked is taken back",
        OUTCOMES, "ELSE NOT t.goes_back AND t.back_id IS NOT NULL", "ELSE FALSE",
        ON_STATES, "any_steps", "sqlite",
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
        "WHERE h.number = changed_lead.number AND h.date = changed_lead.date AND h.run_id > changed_lead.run_id",
        "WHERE FALSE",
        ON_OUTCOMES, "newer_run_has_moved", "sqlite",
    ),
    Mistake(
        "T-SQL outcomes: the stage moves although a newer run has dealt the record",
        T_OUTCOMES, "h.number = @dealt AND h.run_id > @run_id\n", "1 = 0 AND h.number = @dealt\n",
        ON_OUTCOMES, "newer_run_has_moved", "sqlserver",
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
    Mistake(
        "outcomes: the same file a second time adds its rows again",
        P_OUTCOMES_FILES, 'report=report,\n        run_id', "run_id",
        ON_OUTCOMES_IMPORT, "imported_once", "sqlite",
    ),
    Mistake(
        "outcomes: a refused row stops the import",
        P_OUTCOMES_FILES, "except RunError as error:", "except RunInProgress as error:",
        ON_OUTCOMES_IMPORT, "imported_once", "sqlite",
    ),
    Mistake(
        "own list: an agent reports the leads of others",
        W_OWN_LIST, "found = report_one(given.reported(link.agent)", "found = report_one(given.reported(None)",
        ON_OWN_LIST_OUTCOMES, "refused_says_why", "sqlite",
    ),
    Mistake(
        "own list: an agent takes back what others reported, and at any time",
        W_OWN_LIST, "take_back(read_form(OutcomeToTakeBack).report, actor=actor_of(link), agent=link.agent)",
        "take_back(read_form(OutcomeToTakeBack).report, actor=actor_of(link))",
        ON_OWN_LIST_OUTCOMES, "refused_says_why", "sqlite",
    ),
    Mistake(
        "own list: what an undo brings back is called again, although it was won",
        OUTCOMES, "WHERE o.run_id > :run_id AND o.stands = 1", "WHERE o.run_id = :run_id AND o.stands = 1",
        ON_OWN_LIST_OUTCOMES, "undo_brings_back", "sqlite",
    ),
    Mistake(
        "T-SQL own list: what an undo brings back is called again, although it was won",
        T_OUTCOMES_QUERIES, "o.run_id > @run_id AND o.stands = 1", "o.run_id = @run_id AND o.stands = 1",
        ON_OUTCOMES, "of_a_list", "sqlserver",
    ),
    Mistake(
        "own list: call-backs have no place of their own",
        W_LIST, "    if promise:\n", "    if False:\n",
        ON_OWN_LIST_OUTCOMES, "in_their_order", "sqlite",
    ),
    Mistake(
        "own list: a holiday has a deal",
        W_LIST, "{each.day for each in holidays} | skipped_dates", "skipped_dates",
        ON_OWN_LIST_OUTCOMES, "can_ask", "sqlite",
    ),
    Mistake(
        "own list: a call-back is offered for a day before the next deal",
        W_LIST, " if day >= first and day not in days_off]", " if day not in days_off]",
        ON_OWN_LIST_DAYS, "after_the_deal", "",
    ),
    Mistake(
        "own list: a tap without a connection is lost",
        JS_TAPS, "  keep(entry);\n  showRow(", "  showRow(",
        IN_OWN_LIST, "kept_on_the_phone", "sqlite",
    ),
    Mistake(
        "own list: a changed outcome leaves the one before",
        JS_TAPS, "  if (isChange) withdraw(", "  if (false) withdraw(",
        IN_OWN_LIST_ROWS, "changed_in_its_place", "sqlite",
    ),
    Mistake(
        "own list: Enter in the note reports that the agent talked",
        T_OWN_LIST, "  <button disabled hidden></button>\n", "",
        IN_OWN_LIST, "kept_on_the_phone", "sqlite",
    ),
    Mistake(
        "own list: a double tap reports the next lead, too",
        JS_TAPS, "  if (isSecond) return;\n", "",
        IN_OWN_LIST, "kept_on_the_phone", "sqlite",
    ),
    Mistake(
        "own list: the phone sends a report again with the time of sending",
        JS_SENDING, "reports: batch.map((entry) => entry.body)",
        "reports: batch.map((entry) => ({ ...entry.body, reported_at: serverNow().toISOString() }))",
        IN_OWN_LIST, "has_replaced_it", "sqlite",
    ),
    Mistake(
        "own list: an open page does not ask whether it is replaced",
        JS_SENDING, "  if (document.hidden) return;\n  ask();", "  if (document.hidden) return;",
        IN_OWN_LIST, "has_replaced_it", "sqlite",
    ),
    Mistake(
        "own list: what waits is dropped when the link opens nothing",
        JS_SENDING, "if (answer?.status === 404) closed = listTexts.dead_link;",
        "if (answer?.status === 404) { closed = listTexts.dead_link; batch.forEach(drop); }",
        IN_OWN_LIST, "has_replaced_it", "sqlite",
    ),
    Mistake(
        "own list: a report that finds a deal in progress is lost",
        JS_SENDING, "        if (code === 50001) return true;\n", "",
        IN_OWN_LIST, "kept_on_the_phone", "sqlite",
    ),
    Mistake(
        "own list: a phone sends what another agent reported on it",
        JS_KEPT, "${JSON.stringify(loaded.agent)} `", '"${loaded.agent}`',
        IN_OWN_LIST, "kept_on_the_phone", "sqlite",
    ),
    Mistake(
        "own list: what waits on the phone is lost when the agent is renamed",
        JS_KEPT, "`${SERVICE}${own.dataset.link} `", "`${SERVICE}${JSON.stringify(loaded.agent)} `",
        IN_OWN_LIST, "has_replaced_it", "sqlite",
    ),
    Mistake(
        "own list: the audit has no entry of what a link changes",
        W_AUTH, 'name = found.name if found else g.get("audit_actor")', "name = found.name if found else None",
        ON_OWN_LIST_OUTCOMES, "by_a_form", "sqlite",
    ),
    Mistake(
        "outcomes: viewers see whole numbers",
        W_API_OUTCOMES, "items=[mask_outcome(row) for row in rows]", "items=rows",
        ON_OUTCOMES_WEB, "masked_for_viewers", "sqlite",
    ),
)  # fmt: skip
