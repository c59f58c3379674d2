-- The tables of version 9: the rules of the deal. Frozen once shipped; new tables only.

-- The rules of the deal, by name: country, max_per_agent, window_days, newest_first. Rows are only added; of each name,
-- the newest one holds. A value is written as a text: BR or none, 450, 45, 0 or 1. recorded_by is a person.
CREATE TABLE IF NOT EXISTS floor_rule (
    rule_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    recorded_by TEXT NOT NULL
);

-- The country of a run's rules; no row if the run had none. The other rules of a run are in assignment_run.
CREATE TABLE IF NOT EXISTS assignment_country (
    run_id INTEGER NOT NULL PRIMARY KEY,
    country TEXT NOT NULL
);
