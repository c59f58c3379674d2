"""Mistakes in the procedures: the deal, the preview and the undo in T-SQL."""

from __future__ import annotations

from mistakes.places import (
    ON_AGAIN,
    ON_DEAL,
    ON_LOCKS,
    ON_PREVIEW,
    ON_PROMISES,
    ON_REFUSALS,
    ON_ROWS,
    ON_SCHEDULE,
    ON_SESSION,
    ON_T_SQL,
    ON_UNDO,
    ON_UNDO_REFUSALS,
    T_ASSIGN,
    T_SCHEDULE,
    T_UNDO,
    Mistake,
)

# Between a comment and the conditions of the pool; the statement before has the same conditions:
POOL = f"\n{28 * ' '}WHERE "
ROLLBACK = "    BEGIN CATCH\n        IF XACT_STATE() <> 0\n            ROLLBACK TRANSACTION;\n        THROW;"
THROW = "    BEGIN CATCH\n        THROW;"

MISTAKES = (
    Mistake(
        "T-SQL deal: the window reaches a day farther back",
        T_ASSIGN, "DATEADD(DAY, -@window_days,", "DATEADD(DAY, -@window_days - 1,",
        ON_DEAL, "window_begins", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the first moment of the window is out",
        T_ASSIGN,
        f"conditions.{POOL}w.stage < 4 AND w.date >= @oldest",
        f"conditions.{POOL}w.stage < 4 AND w.date > @oldest",
        ON_DEAL, "window_begins", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: leads at stage 4 are dealt",
        T_ASSIGN, f"conditions.{POOL}w.stage < 4", f"conditions.{POOL}w.stage <= 4",
        ON_DEAL, "stage_3_becomes_4", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: do-not-contact is ignored",
        T_ASSIGN, "WHEN m.listed = 1 THEN 2", "WHEN m.listed = 2 THEN 2",
        ON_DEAL, "on_the_do_not_contact_list", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the rotation is lost",
        T_ASSIGN, "CASE WHEN a.agent <= @previous_agent THEN 1 ELSE 0 END, a.agent)", "a.agent)",
        ON_DEAL, "after_the_place_of_an_agent", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: blocks instead of rounds",
        T_ASSIGN, "h.seat = (p.position - s.first_position) % s.agents",
        "h.seat = (p.position - s.first_position) / ((s.last_position - s.first_position + s.agents) / s.agents)",
        ON_DEAL, "worked_example", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: who is full early gets the first leads",
        T_ASSIGN, "WHERE c.agent <> o.agent;", "WHERE c.agent IS NULL;",
        ON_DEAL, "limit_of_one", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: limited agents of one group get blocks instead of rounds",
        T_ASSIGN, "(n.round_number - 1) * q.agents + q.seat", "q.seat * q.leads + n.round_number - 1",
        ON_PROMISES, "same_mix", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the cap is one too high",
        T_ASSIGN, "THEN l.max_records ELSE @max_per_agent END", "THEN l.max_records ELSE @max_per_agent + 1 END",
        ON_DEAL, "beyond_450", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: a limit does not count on its last day",
        T_ASSIGN, "m.ends_on >= @business_date", "m.ends_on > @business_date",
        ON_DEAL, "its_first_and_its_last_day", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the tie-breaker is lost",
        T_ASSIGN, "k.date END DESC,\n                        k.number\n",
        "k.date END DESC,\n                        k.number DESC\n",
        ON_DEAL, "fewest_attempts", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: dates are read to the millisecond",
        T_ASSIGN, "CAST(w.date AS DATETIME2(7)) AS date", "CAST(w.date AS DATETIME2(3)) AS date",
        ON_ROWS, "more_exact", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: a name is compared in the column's collation",
        T_ASSIGN, "SELECT DISTINCT CAST(g.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent",
        "SELECT DISTINCT CAST(g.agent AS NVARCHAR(255)) AS agent",
        ON_DEAL, "differ_in_case_are_different", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: XACT_ABORT is off",
        T_ASSIGN, "    SET XACT_ABORT ON;\n", "",
        ON_T_SQL, "xact_abort",
    ),
    Mistake(
        "T-SQL undo: XACT_ABORT is off",
        T_UNDO, "    SET XACT_ABORT ON;\n", "",
        ON_T_SQL, "xact_abort",
    ),
    Mistake(
        "T-SQL deal: no rollback in CATCH",
        T_ASSIGN, ROLLBACK, THROW,
        ON_ROWS, "a_caller_who_catches", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: no rollback in CATCH",
        T_UNDO, ROLLBACK, THROW,
        ON_ROWS, "a_caller_who_catches", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: a wait without an end for the records",
        T_ASSIGN, "    IF @@LOCK_TIMEOUT = -1\n        SET LOCK_TIMEOUT 30000;\n", "",
        ON_T_SQL, "begins_with_xact_abort",
    ),
    Mistake(
        "T-SQL undo: the run lock is waited for",
        T_UNDO, "@LockOwner = 'Transaction', @LockTimeout = 0;", "@LockOwner = 'Transaction', @LockTimeout = @wait;",
        ON_LOCKS, "refused_at_once", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: a date that was settled gets its run all the same",
        T_ASSIGN, "WHERE @trigger = 'schedule' AND o.business_date = @business_date;",
        "WHERE @trigger = 'manual' AND o.business_date = @business_date;",
        ON_SCHEDULE, "settled_once", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: an undone scheduled run is made again",
        T_ASSIGN, "= @business_date AND r.status IN ('succeeded', 'undone');",
        "= @business_date AND r.status IN ('succeeded');",
        ON_REFUSALS, "undone_scheduled_run", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: a run a moment after another needs no confirmation",
        T_ASSIGN, "r.started_at > DATEADD(MINUTE, -2, SYSUTCDATETIME())",
        "r.started_at > DATEADD(MINUTE, -1, SYSUTCDATETIME())",
        ON_AGAIN, "two_minutes_after", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: just after its time, the scheduled run does not count as about to come",
        T_ASSIGN, "n.due_at > DATEADD(MINUTE, -1, SYSUTCDATETIME())", "n.due_at > SYSUTCDATETIME()",
        ON_AGAIN, "shortly_before_the_scheduled", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the scheduled run is refused, too, if the pool is empty",
        T_ASSIGN, "IF @trigger = 'manual' AND @pool = 0", "IF @pool = 0",
        ON_AGAIN, "never_refused", "sqlserver",
    ),
    Mistake(
        "T-SQL preview: the reasons are not returned",
        T_ASSIGN, "@refusal + N'.' AS refusal", "CAST(NULL AS NVARCHAR(9)) AS refusal",
        ON_AGAIN, "preview_is_never_refused", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the notice counts undone runs",
        T_ASSIGN, "WHERE r.business_date = @business_date AND r.status = 'succeeded';",
        "WHERE r.business_date = @business_date;",
        ON_AGAIN, "failed_attempts_and_undone or second_run", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: a table that is not the assignments is emptied",
        T_ASSIGN, "DELETE FROM dbo.agent_wafunnel_assignment WITH (TABLOCKX);", "DELETE FROM dbo.assignment_purge;",
        ON_DEAL, "run_with_an_empty_pool", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: what others put into the assignments is forgotten",
        T_ASSIGN, "WHERE v.copies IS NULL OR h.number IS NULL OR v.copies > 1;",
        "WHERE v.copies IS NULL OR v.copies > 1;",
        ON_UNDO, "others_have_edited", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: what others took out of the assignments comes back",
        T_ASSIGN, "WHERE v.copies IS NULL OR h.number IS NULL OR v.copies > 1;",
        "WHERE h.number IS NULL OR v.copies > 1;",
        ON_UNDO, "others_have_edited", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: edits come back once, however often they were there",
        T_UNDO, "WHILE @copy <= @copies", "WHILE @copy < @copies",
        ON_UNDO, "others_have_edited or without_keys", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: the assignments of the run itself come back",
        T_UNDO, "r.status = 'succeeded' AND r.run_id < @last_id;", "r.status = 'succeeded' AND r.run_id <= @last_id;",
        ON_UNDO, "one_run_at_a_time", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: a lead that somebody changed goes back",
        T_UNDO, "AND w.stage = CASE WHEN h.stage < 4 THEN h.stage + 1 ELSE h.stage END\n", "AND w.stage > h.stage\n",
        ON_UNDO, "were_changed_since", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: a purged deal before the run is not noticed",
        T_UNDO, "WHERE p.run_id IN (@last_id, @base_id);", "WHERE p.run_id IN (@last_id);",
        ON_UNDO_REFUSALS, "needs_purged_history", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: a call inside a transaction is not refused",
        T_ASSIGN, "IF @@TRANCOUNT > 0\n", "IF @@TRANCOUNT > 9\n",
        ON_SESSION, "inside_a_transaction", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: a call inside a transaction is not refused",
        T_UNDO, "IF @@TRANCOUNT > 0\n", "IF @@TRANCOUNT > 9\n",
        ON_SESSION, "inside_a_transaction", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the status is compared by the rules of the column",
        T_ASSIGN, "LTRIM(RTRIM(g.status)) COLLATE Latin1_General_BIN2)", "LTRIM(RTRIM(g.status)))",
        ON_SESSION, "turkish", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: the assignments are locked after the stages",
        T_UNDO, "AS a WITH (TABLOCKX, HOLDLOCK)", "AS a",
        ON_T_SQL, "locked_before_any_row",
    ),
    Mistake(
        "T-SQL undo: a change of the compatibility level loses leads",
        T_UNDO, "OR (@legacy = 1 AND CAST(w.date AS", "OR (@legacy = 0 AND CAST(w.date AS",
        ON_SESSION, "compatibility_level", "sqlserver",
    ),
    Mistake(
        "T-SQL deal: the help lacks a parameter",
        T_ASSIGN, "(8, '@request', 'NVARCHAR(64)', 'NULL', ", "(8, '@mark', 'NVARCHAR(64)', 'NULL', ",
        ON_T_SQL, "help_of_a_procedure",
    ),
    Mistake(
        "T-SQL holidays: a holiday is lost if its new name cannot be stored",
        T_SCHEDULE, "SET XACT_ABORT ON;\n\n", "",
        ON_T_SQL, "every_transaction_of_a_batch",
    ),
    Mistake(
        "T-SQL preview: a number whose key is kept meanwhile has two",
        T_ASSIGN, "number that was new.\n            UNION\n", "number that was new.\n            UNION ALL\n",
        ON_PREVIEW, "keeps_the_keys", "sqlserver",
    ),
    Mistake(
        "T-SQL preview: a lead of seven days is counted as older",
        T_ASSIGN, "DATEDIFF(DAY, d.date, @business_date) <= 7", "DATEDIFF(DAY, d.date, @business_date) < 7",
        ON_PREVIEW, "is_previewed or what_the_preview_said", "sqlserver",
    ),
    Mistake(
        "T-SQL undo: what was caught is not thrown on",
        T_UNDO, "            ROLLBACK TRANSACTION;\n        THROW;", "            ROLLBACK TRANSACTION;",
        ON_T_SQL, "rolls_back_and_throws_every",
    ),
)  # fmt: skip
