"""Mistakes in the lists of agents, assignments, leads and runs, in imports and in the do-not-contact list, on both
engines.
"""

from __future__ import annotations

from mistakes.places import (
    AGENTS,
    ASSIGNMENTS,
    DO_NOT_CONTACT,
    FUNNEL,
    IMPORTS,
    LEADS,
    LIMITS,
    LINKS,
    ON_CASE,
    ON_DAYS,
    ON_FLOOR,
    ON_LISTS,
    ON_PURGE,
    ROSTER,
    RUNS,
    T_AGENTS,
    T_ASSIGNMENTS,
    T_DO_NOT_CONTACT,
    T_FUNNEL,
    T_IMPORTS,
    T_LEADS,
    T_LIMITS,
    T_LINKS,
    T_ROSTER,
    T_RUNS,
    Mistake,
)

BIN2 = " COLLATE Latin1_General_BIN2"

MISTAKES = (
    Mistake(
        "assignments: history of the newest run, whatever became of it",
        ASSIGNMENTS,
        "h.run_id = (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded')\n        AND h.number",
        "h.run_id = (SELECT max(r.run_id) FROM assignment_run AS r)\n        AND h.number",
        ON_LISTS, "failed_attempt or undo", "sqlite",
    ),
    Mistake(
        "T-SQL assignments: history of the newest run, whatever became of it",
        T_ASSIGNMENTS,
        "FROM dbo.assignment_run AS r\n                WHERE r.status = 'succeeded'\n            )\n    ) AS h",
        "FROM dbo.assignment_run AS r\n            )\n    ) AS h",
        ON_LISTS, "failed_attempt or undo", "sqlserver",
    ),
    Mistake(
        "agents: no bound on the leads that are looked at",
        AGENTS, " AND k.newer < 500000", "",
        ON_LISTS, "half_a_million", "sqlite",
    ),
    Mistake(
        "T-SQL agents: no bound on the leads that are looked at",
        T_AGENTS, " AND k.newer < 500000", "",
        ON_LISTS, "half_a_million", "sqlserver",
    ),
    Mistake(
        "agents: thirty-one runs are looked at",
        AGENTS, "k.back <= 30", "k.back <= 31",
        ON_LISTS, "thirty_runs", "sqlite",
    ),
    Mistake(
        "agents: an undone run counts as dealt",
        AGENTS, "FROM assignment_run AS s\n        WHERE s.status = 'succeeded'", "FROM assignment_run AS s",
        ON_FLOOR, "their_last_run", "sqlite",
    ),
    Mistake(
        "agents: a limit is shown for longer than it counts",
        AGENTS, "m.ends_on >= :business_date", "m.ends_on >= date(:business_date, '-1 day')",
        ON_DAYS, "limit_counts", "sqlite",
    ),
    Mistake(
        "roster: a limit is not shown on its last day",
        ROSTER, "m.ends_on >= :business_date", "m.ends_on > :business_date",
        ON_DAYS, "limit_counts", "sqlite",
    ),
    Mistake(
        "T-SQL roster: a limit is not shown on its first day",
        T_ROSTER, "m.starts_on <= @business_date", "m.starts_on < @business_date",
        ON_DAYS, "limit_counts", "sqlserver",
    ),
    Mistake(
        "T-SQL agents: a limit is not shown on its last day",
        T_AGENTS, "m.ends_on >= @business_date", "m.ends_on > @business_date",
        ON_DAYS, "limit_counts", "sqlserver",
    ),
    Mistake(
        "agents: a status counts for names that differ in case",
        AGENTS, "SET status = :status WHERE agent = :agent COLLATE BINARY", "SET status = :status WHERE agent = :agent",
        ON_CASE, "changed_and_counted_alone", "sqlite",
    ),
    Mistake(
        "T-SQL agents: a status counts for names that differ in case",
        T_AGENTS,
        f"SET status = %(status)s\nWHERE CAST(agent AS NVARCHAR(255)){BIN2} = @agent",
        "SET status = %(status)s\nWHERE CAST(agent AS NVARCHAR(255)) = @agent",
        ON_CASE, "changed_and_counted_alone", "sqlserver",
    ),
    Mistake(
        "limits: an agent of another case is taken for known",
        LIMITS, "WHERE a.agent = l.agent COLLATE BINARY) AS known", "WHERE a.agent = l.agent COLLATE NOCASE) AS known",
        ON_CASE, "limit_is_that", "sqlite",
    ),
    Mistake(
        "T-SQL limits: an agent of another case is taken for known",
        T_LIMITS, f"WHERE CAST(a.agent AS NVARCHAR(255)){BIN2} = l.agent", "WHERE LOWER(a.agent) = LOWER(l.agent)",
        ON_CASE, "limit_is_that", "sqlserver",
    ),
    Mistake(
        "do-not-contact: a number of another case leaves the assignments",
        DO_NOT_CONTACT,
        "DELETE FROM agent_wafunnel_assignment WHERE number = :number COLLATE BINARY;",
        "DELETE FROM agent_wafunnel_assignment WHERE number = :number;",
        ON_CASE, "listed_number_alone", "sqlite",
    ),
    Mistake(
        "T-SQL do-not-contact: a number of another case leaves the assignments",
        T_DO_NOT_CONTACT,
        f"DELETE FROM dbo.agent_wafunnel_assignment\n    WHERE CAST(number AS NVARCHAR(255)){BIN2} = @number;",
        "DELETE FROM dbo.agent_wafunnel_assignment\n    WHERE number = @number;",
        ON_CASE, "listed_number_alone", "sqlserver",
    ),
    Mistake(
        "links: one agent's list has numbers of another of another case",
        LINKS, "WHERE a.agent = :agent COLLATE BINARY;\n", "WHERE a.agent = :agent;\n",
        ON_CASE, "link_opens", "sqlite",
    ),
    Mistake(
        "T-SQL links: one agent's list has numbers of another of another case",
        T_LINKS, f"WHERE a.agent = @agent AND CAST(a.agent AS NVARCHAR(255)){BIN2} = @agent;",
        "WHERE a.agent = @agent;",
        ON_CASE, "link_opens", "sqlserver",
    ),
    Mistake(
        "T-SQL assignments: an agent's list has those of another of another case",
        T_ASSIGNMENTS, f"a.agent = @agent\n                AND CAST(a.agent AS NVARCHAR(255)){BIN2} = @agent",
        "a.agent = @agent",
        ON_CASE, "link_opens", "sqlserver",
    ),
    Mistake(
        "imports: a number of another case is taken for there already",
        IMPORTS, "w.number = s.first COLLATE BINARY", "w.number = s.first COLLATE NOCASE",
        ON_CASE, "a_file_adds", "sqlite",
    ),
    Mistake(
        "T-SQL imports: a number of another case is taken for there already",
        T_IMPORTS, f"WHERE CAST(w.number AS NVARCHAR(255)){BIN2} = s.first", "WHERE LOWER(w.number) = LOWER(s.first)",
        ON_CASE, "a_file_adds", "sqlserver",
    ),
    Mistake(
        "leads: the page leaves out further records of the last number of the page before",
        LEADS, "WHERE v.number >= coalesce(:after_number, '')", "WHERE v.number > coalesce(:after_number, '')",
        ON_FLOOR, "without_a_key_are_told_once", "sqlite",
    ),
    Mistake(
        "runs: the page begins with the last run of the page before",
        RUNS, "r.run_id < :before)", "r.run_id <= :before)",
        ON_DAYS, "before_a_run", "sqlite",
    ),
    Mistake(
        "T-SQL runs: the page begins with the last run of the page before",
        T_RUNS, "r.run_id < COALESCE(CAST(%(before)s", "r.run_id <= COALESCE(CAST(%(before)s",
        ON_DAYS, "before_a_run", "sqlserver",
    ),
    Mistake(
        "holders: a run that ended at the end of the time is in it",
        RUNS, "r.finished_at < :until)", "r.finished_at <= :until)",
        ON_DAYS, "holders_of_a_number", "sqlite",
    ),
    Mistake(
        "T-SQL holders: a holding that ended at the beginning of the time is not in it",
        T_RUNS, "n.finished_at, @since) >= @since)", "n.finished_at, DATEADD(DAY, 1, @since)) > @since)",
        ON_DAYS, "holders_of_a_number", "sqlserver",
    ),
    Mistake(
        "purge: the run before the last one is purged",
        RUNS, "ORDER BY k.run_id DESC LIMIT 2", "ORDER BY k.run_id DESC LIMIT 1",
        ON_PURGE, "never_what_the_last_undo_needs", "sqlite",
    ),
    Mistake(
        "T-SQL purge: the run before the last one is purged",
        T_RUNS, "SELECT TOP (2) k.run_id", "SELECT TOP (1) k.run_id",
        ON_PURGE, "never_what_the_last_undo_needs", "sqlserver",
    ),
    Mistake(
        "funnel: stage 4 is not a stage",
        FUNNEL, "f.stage BETWEEN 1 AND 4", "f.stage BETWEEN 1 AND 3",
        ON_LISTS, "funnel", "sqlite",
    ),
    Mistake(
        "T-SQL funnel: stage 0 is one",
        T_FUNNEL, "f.stage BETWEEN 1 AND 4", "f.stage BETWEEN 0 AND 4",
        ON_LISTS, "funnel", "sqlserver",
    ),
    Mistake(
        "pool report: leads at stage 4 are counted as too old",
        LEADS, "WHEN w.stage >= 4 THEN 'at_stage_4'", "WHEN w.stage > 4 THEN 'at_stage_4'",
        ON_FLOOR, "by_the_first_reason", "sqlite",
    ),
    Mistake(
        "T-SQL pool report: the first moment of the window is too old",
        T_LEADS, "WHEN w.date < @oldest", "WHEN w.date <= @oldest",
        ON_FLOOR, "by_the_first_reason", "sqlserver",
    ),
    Mistake(
        "pool report: a listed number keeps out one of another case",
        LEADS, "WHEN w.number COLLATE BINARY IN (SELECT d.number FROM do_not_contact AS d)",
        "WHEN w.number COLLATE NOCASE IN (SELECT d.number FROM do_not_contact AS d)",
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
        LEADS, "FROM agent_wafunnel_assignment AS a WHERE a.number = :number COLLATE BINARY) AS agent",
        "FROM agent_wafunnel_assignment AS a WHERE a.number = :number) AS agent",
        ON_CASE, "own_record_holder", "sqlite",
    ),
    Mistake(
        "agents: the oldest run of an agent is shown",
        AGENTS, "SELECT h.agent, max(h.run_id) AS run_id", "SELECT h.agent, min(h.run_id) AS run_id",
        ON_LISTS, "newest_run_of_an_agent", "sqlite",
    ),
    Mistake(
        "T-SQL agents: the oldest run of an agent is shown",
        T_AGENTS, "SELECT h.agent, MAX(h.run_id) AS run_id", "SELECT h.agent, MIN(h.run_id) AS run_id",
        ON_LISTS, "newest_run_of_an_agent", "sqlserver",
    ),
)  # fmt: skip
