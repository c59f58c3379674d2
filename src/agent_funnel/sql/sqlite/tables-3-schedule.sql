-- The tables of version 3: the records of the schedule. Frozen once shipped; new tables only.

-- Failed attempts at the scheduled run of a business date. The unique key lets only one copy of the service record each
-- attempt.
CREATE TABLE IF NOT EXISTS assignment_failure (
    run_id INTEGER PRIMARY KEY,
    business_date TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    error_number INTEGER,
    message TEXT NOT NULL,
    UNIQUE (business_date, attempt)
);

-- Business dates that passed without a scheduled run, and the reason. A date in this table never gets a scheduled run.
CREATE TABLE IF NOT EXISTS schedule_outcome (
    business_date TEXT NOT NULL PRIMARY KEY,
    outcome TEXT NOT NULL CHECK (outcome IN ('missed', 'failed', 'holiday', 'paused')),
    recorded_at TEXT NOT NULL
);

-- Pauses of the schedule, with the person and the reason. NULL in resumed_at means that the pause is in effect.
CREATE TABLE IF NOT EXISTS schedule_pause (
    pause_id INTEGER PRIMARY KEY AUTOINCREMENT,
    paused_at TEXT NOT NULL,
    paused_by TEXT,
    reason TEXT,
    resumed_at TEXT,
    resumed_by TEXT
);

-- Days on which no scheduled run is due.
CREATE TABLE IF NOT EXISTS holiday (
    day TEXT NOT NULL PRIMARY KEY CHECK (date(day, '+0 days') IS day),
    name TEXT
);
