-- The tables of version 2: what preview, undo and purge keep. Frozen once shipped; new tables only, so that nothing
-- that version 1 made is altered.

-- Which call made which run, so that a caller whose connection broke finds out. No run_id: that call never deals now.
CREATE TABLE IF NOT EXISTS assignment_request (
    request TEXT NOT NULL PRIMARY KEY,
    run_id INTEGER
) WITHOUT ROWID;

-- How the assignments before a run differed from the deal before it: how many rows there were of a pair that the deal
-- had not made, or that had gone (0). Agent and number are what was there, NULL included.
CREATE TABLE IF NOT EXISTS assignment_edit (
    edit_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    agent TEXT,
    number TEXT,
    copies INTEGER NOT NULL
);

CREATE INDEX IF NOT EXISTS ix_assignment_edit_run ON assignment_edit (run_id);

-- Each undo: by whom, when, how many leads went back, how many stayed because somebody had changed them, how many
-- assignments came back, and how many were kept out because their number is on the do-not-contact list now.
CREATE TABLE IF NOT EXISTS assignment_undo (
    run_id INTEGER PRIMARY KEY,
    undone_at TEXT NOT NULL,
    actor TEXT,
    restored INTEGER NOT NULL,
    changed_since INTEGER NOT NULL,
    assignments INTEGER NOT NULL,
    suppressed INTEGER NOT NULL
);

-- Runs whose history is gone, or is going: written before the first row of it is deleted.
CREATE TABLE IF NOT EXISTS assignment_purge (
    run_id INTEGER PRIMARY KEY,
    purged_at TEXT NOT NULL
);
