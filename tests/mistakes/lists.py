"""Mistakes in the lists of agents, assignments, leads and runs, in imports and in the do-not-contact list, on both
engines.
"""

from __future__ import annotations

from mistakes.places import (
    AGENTS,
    DO_NOT_CONTACT,
    IMPORTS,
    LEADS,
    ON_AGENTS,
    ON_AGENTS_AFTER_RUNS,
    ON_CASE,
    ON_LEADS,
    ON_POOL,
    ON_PURGE,
    ON_RANGES,
    POOL,
    RUNS,
    T_AGENTS,
    T_DO_NOT_CONTACT,
    T_IMPORTS,
    T_LEADS,
    T_POOL,
    T_RUNS,
    Mistake,
)

BIN2 = " COLLATE Latin1_General_BIN2"


# The same condition on the limits is in two queries of T-SQL; what follows it tells them apart:
END = ")\n    GROUP BY m.agent\n) AS l ON g.agent = l.agent\n"
REST = " AND (m.ends_on IS NULL OR m.ends_on >= @business_date" + END
# Of the two queries that return limits, this is the one that adds one:
ADDED = "\n    ) THEN 1 ELSE 0 END AS known\nFROM dbo.agent_limit AS l\nWHERE l.limit_id"


MISTAKES = (
    Mistake(
        "assignments: history of the newest run, whatever became of it",
        AGENTS,
        "h.run_id = (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded')\n        AND h.number",
        "h.run_id = (SELECT max(r.run_id) FROM assignment_run AS r)\n        AND h.number",
        ON_AGENTS_AFTER_RUNS, "failed_attempt or undo", "sqlite",
    ),
    Mistake(
        "T-SQL assignments: history of the newest run, whatever became of it",
        T_AGENTS,
        f"FROM dbo.assignment_run AS s\n{' ' * 36}WHERE s.status = 'succeeded'\n", "FROM dbo.assignment_run AS s\n",
        ON_AGENTS_AFTER_RUNS, "failed_attempt or undo", "sqlserver",
    ),
    Mistake(
        "agents: no bound on the leads that are looked at",
        AGENTS, " AND k.newer < 500000", "",
        ON_AGENTS_AFTER_RUNS, "half_a_million", "sqlite",
    ),
    Mistake(
        "T-SQL agents: no bound on the leads that are looked at",
        T_AGENTS, " AND k.newer < 500000", "",
        ON_AGENTS_AFTER_RUNS, "half_a_million", "sqlserver",
    ),
    Mistake(
        "agents: thirty-one runs are looked at",
        AGENTS, "k.back <= 30", "k.back <= 31",
        ON_AGENTS_AFTER_RUNS, "thirty_runs", "sqlite",
    ),
    Mistake(
        "T-SQL agents: thirty-one runs are looked at",
        T_AGENTS, "k.back <= 30", "k.back <= 31",
        ON_AGENTS_AFTER_RUNS, "thirty_runs", "sqlserver",
    ),
    Mistake(
        "agents: an undone run counts as dealt",
        AGENTS, "FROM assignment_run AS s\n    WHERE s.status = 'succeeded'", "FROM assignment_run AS s",
        ON_AGENTS, "their_last_run", "sqlite",
    ),
    Mistake(
        "activation of the recent agents: those who have left, too",
        AGENTS, "WHERE :deals IS NOT NULL AND agent NOT IN", "WHERE 0 AND agent NOT IN",
        ON_AGENTS, "who_have_left", "sqlite",
    ),
    Mistake(
        "T-SQL activation of the recent agents: those who have left, too",
        T_AGENTS, "@most_deals IS NOT NULL\n", "1 = 0\n",
        ON_AGENTS, "who_have_left", "sqlserver",
    ),
    Mistake(
        "activation of the recent agents: one deal too many is looked at",
        AGENTS, "k.back <= :deals", "k.back <= :deals + 1",
        ON_AGENTS, "last_few_deals", "sqlite",
    ),
    Mistake(
        "T-SQL activation of the recent agents: one deal too many is looked at",
        T_AGENTS, "k.back <= @most_deals", "k.back <= @most_deals + 1",
        ON_AGENTS, "last_few_deals", "sqlserver",
    ),
    Mistake(
        "agents: a limit is shown for longer than it counts",
        AGENTS, "m.ends_on >= :business_date", "m.ends_on >= date(:business_date, '-1 day')",
        ON_RANGES, "limit_applies", "sqlite",
    ),
    Mistake(
        "roster: a limit is not shown on its last day",
        AGENTS, "m.ends_on >= :business_date", "m.ends_on > :business_date",
        ON_RANGES, "limit_applies", "sqlite",
    ),
    Mistake(
        "T-SQL roster: a limit is not shown on its first day",
        T_AGENTS, f"m.starts_on <= @business_date{REST}ORDER", f"m.starts_on < @business_date{REST}ORDER",
        ON_RANGES, "limit_applies", "sqlserver",
    ),
    Mistake(
        "T-SQL agents: a limit is not shown on its last day",
        T_AGENTS, f"m.ends_on >= @business_date{END}LEFT", f"m.ends_on > @business_date{END}LEFT",
        ON_RANGES, "limit_applies", "sqlserver",
    ),
    Mistake(
        "agents: a status counts for names that differ in case",
        AGENTS, "SET status = :status WHERE agent = :agent COLLATE BINARY", "SET status = :status WHERE agent = :agent",
        ON_CASE, "changed_and_counted_separately", "sqlite",
    ),
    Mistake(
        "T-SQL agents: a status counts for names that differ in case",
        T_AGENTS,
        f"SET status = %(status)s\nWHERE CAST(agent AS NVARCHAR(255)){BIN2} = @agent",
        "SET status = %(status)s\nWHERE CAST(agent AS NVARCHAR(255)) = @agent",
        ON_CASE, "changed_and_counted_separately", "sqlserver",
    ),
    Mistake(
        "agents: all are activated, though others are inactive than those who were shown",
        AGENTS, "(:expected IS NULL OR :expected = (SELECT count(*) FROM temp.inactive))", "1",
        ON_AGENTS, "activated_at_once", "sqlite",
    ),
    Mistake(
        "T-SQL agents: all are activated, though others are inactive than those who were shown",
        T_AGENTS, "(@expected IS NULL OR @expected = (SELECT COUNT(*) FROM @inactive))", "1 = 1",
        ON_AGENTS, "activated_at_once", "sqlserver",
    ),
    Mistake(
        "limits: an agent of another case is taken for known",
        AGENTS, "WHERE a.agent = l.agent COLLATE BINARY) AS known", "WHERE a.agent = l.agent COLLATE NOCASE) AS known",
        ON_CASE, "limit_applies_to_one_agent", "sqlite",
    ),
    Mistake(
        "T-SQL limits: an agent of another case is taken for known",
        T_AGENTS,
        f"WHERE CAST(a.agent AS NVARCHAR(255)){BIN2} = l.agent{ADDED}",
        f"WHERE LOWER(a.agent) = LOWER(l.agent){ADDED}",
        ON_CASE, "limit_applies_to_one_agent", "sqlserver",
    ),
    Mistake(
        "do-not-contact: a number of another case leaves the assignments",
        DO_NOT_CONTACT,
        "WHERE number COLLATE BINARY IN (SELECT s.number FROM temp.spelling AS s) AND",
        "WHERE number IN (SELECT s.number FROM temp.spelling AS s) AND",
        ON_CASE, "removes_only_its_own_assignments", "sqlite",
    ),
    Mistake(
        "T-SQL do-not-contact: a number of another case leaves the assignments",
        T_DO_NOT_CONTACT,
        "DELETE a\n    FROM dbo.agent_wafunnel_assignment AS a\n    INNER JOIN #spelling AS s\n        ON\n"
        "            a.number = ",
        "DELETE a\n    FROM dbo.agent_wafunnel_assignment AS a\n    INNER JOIN #spelling AS s\n        ON\n"
        "            LOWER(a.number) = LOWER(s.number) OR a.number = ",
        ON_CASE, "removes_only_its_own_assignments", "sqlserver",
    ),
    Mistake(
        "links: one agent's list has numbers of another of another case",
        AGENTS, "WHERE a.agent = :agent COLLATE BINARY;\n", "WHERE a.agent = :agent;\n",
        ON_CASE, "link_opens", "sqlite",
    ),
    Mistake(
        "T-SQL links: one agent's list has numbers of another of another case",
        T_AGENTS, f"@holding_agent\n    )\n    AND CAST(a.agent AS NVARCHAR(255)){BIN2} = @agent;",
        "@holding_agent\n    );",
        ON_CASE, "link_opens", "sqlserver",
    ),
    Mistake(
        "T-SQL assignments: an agent's list has those of another of another case",
        T_AGENTS,
        f"@holding_agent\n{' ' * 20})\n{' ' * 20}AND CAST(a.agent AS NVARCHAR(255)){BIN2} = @agent\n",
        f"@holding_agent\n{' ' * 20})\n",
        ON_CASE, "link_opens", "sqlserver",
    ),
    Mistake(
        "imports: a number of another case is taken for there already",
        IMPORTS, "w.number = staged.first COLLATE BINARY", "w.number = staged.first COLLATE NOCASE",
        ON_CASE, "an_import_adds", "sqlite",
    ),
    Mistake(
        "T-SQL imports: a number of another case is taken for there already",
        T_IMPORTS, f"WHERE CAST(w.number AS NVARCHAR(255)){BIN2} = s.first", "WHERE LOWER(w.number) = LOWER(s.first)",
        ON_CASE, "an_import_adds", "sqlserver",
    ),
    Mistake(
        "leads: the page leaves out further records of the last number of the page before",
        LEADS, "WHERE w.number >= coalesce(:after_number, '') COLLATE BINARY",
        "WHERE w.number > coalesce(:after_number, '') COLLATE BINARY",
        ON_LEADS, "without_a_key_are_listed_once", "sqlite",
    ),
    Mistake(
        "runs: the page begins with the last run of the page before",
        RUNS, "r.run_id < :before) AND (:business_date", "r.run_id <= :before) AND (:business_date",
        ON_RANGES, "before_a_run", "sqlite",
    ),
    Mistake(
        "T-SQL runs: the page begins with the last run of the page before",
        T_RUNS, "COALESCE(CAST(%(before)s AS BIGINT) - 1,", "COALESCE(CAST(%(before)s AS BIGINT),",
        ON_RANGES, "before_a_run", "sqlserver",
    ),
    Mistake(
        "holders: a run that ended at the end of the time is in it",
        RUNS, "r.finished_at < :until)", "r.finished_at <= :until)",
        ON_RANGES, "holders_of_a_number", "sqlite",
    ),
    Mistake(
        "T-SQL holders: a holding that ended at the beginning of the time is not in it",
        T_RUNS, "n.finished_at, @since) >= @since)", "n.finished_at, DATEADD(DAY, 1, @since)) > @since)",
        ON_RANGES, "holders_of_a_number", "sqlserver",
    ),
    Mistake(
        "purge: the run before the last one is purged",
        RUNS, "ORDER BY k.run_id DESC LIMIT 2", "ORDER BY k.run_id DESC LIMIT 1",
        ON_PURGE, "that_the_last_undo_needs", "sqlite",
    ),
    Mistake(
        "T-SQL purge: the run before the last one is purged",
        T_RUNS, "SELECT TOP (2) k.run_id", "SELECT TOP (1) k.run_id",
        ON_PURGE, "that_the_last_undo_needs", "sqlserver",
    ),
    Mistake(
        "funnel: stage 4 is not a stage",
        LEADS, "f.stage BETWEEN 1 AND 4", "f.stage BETWEEN 1 AND 3",
        ON_AGENTS_AFTER_RUNS, "counted_by_stage", "sqlite",
    ),
    Mistake(
        "T-SQL funnel: stage 0 is one",
        T_LEADS, "f.stage BETWEEN 1 AND 4", "f.stage BETWEEN 0 AND 4",
        ON_AGENTS_AFTER_RUNS, "counted_by_stage", "sqlserver",
    ),
    Mistake(
        "pool report: leads at stage 4 are counted as too old",
        POOL, "WHEN w.stage >= 4 THEN 'at_stage_4'", "WHEN w.stage > 4 THEN 'at_stage_4'",
        ON_POOL, "by_the_first_reason", "sqlite",
    ),
    Mistake(
        "T-SQL pool report: the first moment of the window is too old",
        T_POOL, "WHEN w.date < @oldest", "WHEN w.date <= @oldest",
        ON_POOL, "by_the_first_reason", "sqlserver",
    ),
    Mistake(
        "pool as a list: a lead in the present assignments is missing",
        POOL, "held AS (SELECT NULL AS number WHERE 0)",
        "held AS (SELECT a.number FROM agent_wafunnel_assignment AS a)",
        ON_POOL, "count_in_plain_python", "sqlite",
    ),
    Mistake(
        "T-SQL pool as a list: a call-back that is due is not in it",
        T_POOL, "AND (t.call_back_on IS NOT NULL OR (w.stage < 4", "AND (1 = 0 OR (w.stage < 4",
        ON_POOL, "what_was_reported", "sqlserver",
    ),
    Mistake(
        "pool as a list: the places of masked numbers show their order",
        "src/agent_funnel/exports.py", '_nothing if name == "place" else', "",
        "tests/backend/test_exports.py", "order_of_the_deal", "sqlite",
    ),
    Mistake(
        "pool report: a listed number keeps out one of another case",
        POOL, "w.number COLLATE BINARY IN (\n                    -- include: _suppressed_numbers",
        "w.number COLLATE NOCASE IN (\n                    -- include: _suppressed_numbers",
        ON_CASE, "pool_report_counts", "sqlite",
    ),
    Mistake(
        "agents: a name of another case cannot be added",
        AGENTS, "WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = :agent COLLATE BINARY)",
        "WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = :agent)",
        ON_CASE, "another_case_can_be_added", "sqlite",
    ),
    Mistake(
        "leads: a number has the agent of another of another case",
        LEADS, "AS a\nWHERE a.number COLLATE BINARY IN (SELECT s.number FROM spelling AS s)",
        "AS a\nWHERE a.number COLLATE NOCASE IN (SELECT s.number FROM spelling AS s)",
        ON_CASE, "own_record_holder", "sqlite",
    ),
    Mistake(
        "agents: the oldest run of an agent is shown",
        AGENTS, "SELECT h.agent, max(h.run_id) AS run_id", "SELECT h.agent, min(h.run_id) AS run_id",
        ON_AGENTS_AFTER_RUNS, "last_deal_of_an_agent_is_also", "sqlite",
    ),
    Mistake(
        "T-SQL agents: the oldest run of an agent is shown",
        T_AGENTS, "SELECT h.agent, MAX(h.run_id) AS run_id", "SELECT h.agent, MIN(h.run_id) AS run_id",
        ON_AGENTS_AFTER_RUNS, "last_deal_of_an_agent_is_also", "sqlserver",
    ),
)  # fmt: skip
