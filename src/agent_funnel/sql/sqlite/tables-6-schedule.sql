-- The tables of version 6: what the copies of the service know of one another, and of their clocks. Frozen once
-- shipped; new tables only.

-- The terms of the schedule: time, zone, weekdays (mon,tue,…) and catch-up in seconds. The newest row holds; the others
-- are its history. recorded_by is the name of a copy of the service, or a person.
CREATE TABLE IF NOT EXISTS schedule_terms (
    terms_id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_at TEXT NOT NULL,
    timezone TEXT NOT NULL,
    weekdays TEXT NOT NULL,
    catch_up INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    recorded_by TEXT NOT NULL
);

-- The copies of the service: their own terms, their last look, and by how many seconds their clock is ahead of the
-- database's. A copy that stops removes its row; rows of others that look no more are removed after a while.
CREATE TABLE IF NOT EXISTS schedule_copy (
    name TEXT NOT NULL PRIMARY KEY,
    run_at TEXT NOT NULL,
    timezone TEXT NOT NULL,
    weekdays TEXT NOT NULL,
    catch_up INTEGER NOT NULL,
    clock_difference REAL NOT NULL,
    looked_at TEXT NOT NULL
);

-- The next scheduled run by the recorded terms; no row during a pause. It has at most one row.
CREATE TABLE IF NOT EXISTS schedule_next (
    row_id INTEGER NOT NULL PRIMARY KEY CHECK (row_id = 1),
    business_date TEXT NOT NULL,
    due_at TEXT NOT NULL
);

-- Records of the schedule that hold no more: a date's outcome, a scheduled run (which counts as a run by hand since
-- then) or a failed attempt. recorded_at is the record's own moment. With window_closed = 1 a person voided the outcome
-- of a date whose window had closed, and the date has no other outcome.
CREATE TABLE IF NOT EXISTS schedule_void (
    void_id INTEGER PRIMARY KEY AUTOINCREMENT,
    business_date TEXT NOT NULL,
    outcome TEXT NOT NULL,
    run_id INTEGER,
    recorded_at TEXT,
    voided_at TEXT NOT NULL,
    voided_by TEXT,
    reason TEXT NOT NULL,
    window_closed INTEGER NOT NULL
);
