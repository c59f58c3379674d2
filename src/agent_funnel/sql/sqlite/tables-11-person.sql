-- The tables of version 11: what is kept of people who are forgotten. Frozen once shipped; new tables only.

-- The salt of the hashes: a random text, which the first erasure makes. It has at most one row.
CREATE TABLE IF NOT EXISTS forgotten_salt (
    row_id INTEGER NOT NULL PRIMARY KEY CHECK (row_id = 1),
    salt TEXT NOT NULL
);

-- The forgotten numbers: SHA-256 of the salt and the match key. With only_without_country = 1, the key is that of a
-- number without its country, and holds only in a deal without one: elsewhere, other people's numbers may look like it.
CREATE TABLE IF NOT EXISTS forgotten_number (
    hash BLOB NOT NULL PRIMARY KEY,
    only_without_country INTEGER NOT NULL,
    forgotten_at TEXT NOT NULL
) WITHOUT ROWID;

-- The dealt leads that are not in the history any more, because they are forgotten: how many of a run, an agent and a
-- stage before the run. With them, the sums of a run still agree.
CREATE TABLE IF NOT EXISTS assignment_forgotten (
    forgotten_id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL,
    agent TEXT NOT NULL,
    stage INTEGER NOT NULL,
    leads INTEGER NOT NULL
);

CREATE INDEX IF NOT EXISTS ix_assignment_forgotten_run ON assignment_forgotten (run_id);
