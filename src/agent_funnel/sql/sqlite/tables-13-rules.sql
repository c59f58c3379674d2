-- The table of version 13: rules of a run. Frozen once shipped; new tables only.

-- The rules of a run that have no column in assignment_run, where they were not the default: the name and the value,
-- both as in floor_rule. The country of a run is in assignment_country.
CREATE TABLE IF NOT EXISTS assignment_rule (
    run_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, name)
);
