-- The table of version 16: dates whose scheduled run is skipped. Frozen once shipped; new tables only.

-- Business dates that get no scheduled run because a person said so. run_id is the run by hand that was made instead;
-- an undo of it before closes_at, the end of the window of that date, ends the skip. Read date_without_run.
CREATE TABLE IF NOT EXISTS schedule_skip (
    business_date TEXT NOT NULL PRIMARY KEY,
    run_id INTEGER,
    skipped_at TEXT NOT NULL,
    skipped_by TEXT,
    closes_at TEXT
);
