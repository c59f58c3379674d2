-- The tables of version 2: the records of requests, edits, undos and purges. Frozen once shipped; new tables only, so
-- that nothing of version 1 is altered.

-- The run that each call made, so that a caller whose connection broke can find it. NULL in run_id: the call made no
-- run, and never will.
CREATE TABLE IF NOT EXISTS assignment_request (
    request TEXT NOT NULL PRIMARY KEY,
    run_id INTEGER
) WITHOUT ROWID;

-- The edits: how the assignments before a run differed from the deal before it. Copies is the number of rows of a pair;
-- it is 0 for a pair that the deal had made and somebody had removed. Agent and number can be NULL, as in the
-- assignments.
CREATE TABLE IF NOT EXISTS assignment_edit (
    edit_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    agent TEXT,
    number TEXT,
    copies INTEGER NOT NULL
);

CREATE INDEX IF NOT EXISTS ix_assignment_edit_run ON assignment_edit (run_id);

-- Each undo: the person and the time, how many leads went back, how many did not because somebody had changed them, how
-- many assignments came back, and how many did not because their number was on the do-not-contact list.
CREATE TABLE IF NOT EXISTS assignment_undo (
    run_id INTEGER PRIMARY KEY,
    undone_at TEXT NOT NULL,
    actor TEXT,
    restored INTEGER NOT NULL,
    changed_since INTEGER NOT NULL,
    assignments INTEGER NOT NULL,
    suppressed INTEGER NOT NULL
);

-- Runs whose history is purged or being purged. The row is written before the first row of history is deleted.
CREATE TABLE IF NOT EXISTS assignment_purge (
    run_id INTEGER PRIMARY KEY,
    purged_at TEXT NOT NULL
);
