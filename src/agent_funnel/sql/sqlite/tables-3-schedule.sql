-- The tables of version 3: what the clock keeps. Frozen once shipped; new tables only.

-- Failed attempts at the scheduled run of a business date. The key lets one copy of the service record each of them.
CREATE TABLE IF NOT EXISTS assignment_failure (
    run_id INTEGER PRIMARY KEY,
    business_date TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    error_number INTEGER,
    message TEXT NOT NULL,
    UNIQUE (business_date, attempt)
);

-- Business dates that passed without a scheduled run, and why. One that is here never gets one any more.
CREATE TABLE IF NOT EXISTS schedule_outcome (
    business_date TEXT NOT NULL PRIMARY KEY,
    outcome TEXT NOT NULL CHECK (outcome IN ('missed', 'failed', 'holiday', 'paused')),
    recorded_at TEXT NOT NULL
);

-- When the clock was told to pause, by whom and why; without resumed_at it still does.
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
    day TEXT NOT NULL PRIMARY KEY,
    name TEXT
);
