-- The table of version 16: limits of the day. Frozen once shipped; new tables only.

-- The agents who had a limit below that of the rules when a run was made. max_records 0: the agent was away.
CREATE TABLE IF NOT EXISTS assignment_limit (
    run_id INTEGER NOT NULL,
    agent TEXT NOT NULL,
    max_records INTEGER NOT NULL,
    PRIMARY KEY (run_id, agent)
) WITHOUT ROWID;
