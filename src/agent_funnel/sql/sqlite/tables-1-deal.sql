-- The tables of version 1. Frozen once shipped: a later change is a new tables file with the next number.
--
-- Your three tables come first; a table that exists is left exactly as it is. Dates are ISO 8601 text. WITHOUT ROWID
-- keeps a table in the order of its key, which is the order in which the deal writes.

CREATE TABLE IF NOT EXISTS agents (
    agent TEXT NOT NULL PRIMARY KEY,
    status TEXT NOT NULL CHECK (lower(trim(status)) IN ('active', 'inactive'))
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS wafunnel (
    number TEXT NOT NULL PRIMARY KEY,
    stage INTEGER NOT NULL CHECK (stage BETWEEN 1 AND 4),
    -- An ISO 8601 text, which begins with a day of the calendar. SQLite also reads times of day and the day numbers of
    -- spreadsheets as moments.
    date TEXT NOT NULL CHECK (
        (julianday(date) IS NOT NULL AND date(substr(date, 1, 10), '+0 days') = substr(date, 1, 10)) IS TRUE
    )
) WITHOUT ROWID;

-- A check instead of NOT NULL: in a table WITHOUT ROWID whose key comes last, PRAGMA integrity_check of SQLite 3.40
-- reports a NULL in each row of a NOT NULL column, where there is none.
CREATE TABLE IF NOT EXISTS agent_wafunnel_assignment (
    agent TEXT CHECK (agent IS NOT NULL),
    number TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

-- Runs. The amounts are NULL in a run that failed before it counted.
CREATE TABLE IF NOT EXISTS assignment_run (
    run_id INTEGER PRIMARY KEY AUTOINCREMENT,
    business_date TEXT NOT NULL,
    "trigger" TEXT NOT NULL CHECK ("trigger" IN ('manual', 'schedule')),
    actor TEXT,
    status TEXT NOT NULL,
    max_per_agent INTEGER NOT NULL,
    window_days INTEGER NOT NULL,
    newest_first INTEGER NOT NULL,
    agents INTEGER,
    pool INTEGER,
    per_agent INTEGER,
    assigned INTEGER,
    left_over INTEGER,
    duplicates INTEGER,
    suppressed INTEGER,
    smallest_share INTEGER,
    largest_share INTEGER,
    last_agent TEXT,
    started_at TEXT NOT NULL,
    finished_at TEXT
);

-- At most one scheduled run per business date, whatever the callers do.
CREATE UNIQUE INDEX IF NOT EXISTS ux_assignment_run_schedule
ON assignment_run (business_date)
WHERE "trigger" = 'schedule' AND status IN ('running', 'succeeded', 'undone');

-- Every lead that was ever dealt: the agent who got it, and its date and stage before the run.
CREATE TABLE IF NOT EXISTS assignment_history (
    run_id INTEGER NOT NULL,
    agent TEXT NOT NULL,
    number TEXT NOT NULL,
    date TEXT NOT NULL,
    stage INTEGER NOT NULL,
    PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

-- Finds the agents who held a number.
CREATE INDEX IF NOT EXISTS ix_assignment_history_number ON assignment_history (number, run_id);

-- Limits of agents. Both days are inclusive, and NULL in ends_on means no end. 0 means absent. The lowest limit that
-- covers the business date counts.
CREATE TABLE IF NOT EXISTS agent_limit (
    limit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent TEXT NOT NULL CHECK (trim(agent) <> ''),
    starts_on TEXT NOT NULL CHECK (date(starts_on, '+0 days') IS starts_on),
    ends_on TEXT CHECK (ends_on >= starts_on AND date(ends_on, '+0 days') IS ends_on),
    max_records INTEGER NOT NULL CHECK (max_records >= 0)
);

CREATE TABLE IF NOT EXISTS do_not_contact (
    number TEXT NOT NULL PRIMARY KEY CHECK (trim(number) <> ''),
    reason TEXT,
    added_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS agent_funnel_version (
    version INTEGER NOT NULL PRIMARY KEY,
    installed_at TEXT NOT NULL
);
