-- The table of version 12: fresh voices. Frozen once shipped; new tables only.

-- How many of the leads of a run had been dealt before, and how many of these met the agent who had them last.
CREATE TABLE IF NOT EXISTS assignment_voice (
    run_id INTEGER NOT NULL PRIMARY KEY,
    came_round INTEGER NOT NULL,
    same_agent INTEGER NOT NULL
);
