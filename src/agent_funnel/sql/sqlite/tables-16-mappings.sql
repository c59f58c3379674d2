-- The table of version 16: columns that people chose for files. Frozen once shipped; new tables only.

-- The columns of each kind of file that has these names of columns: a JSON object of fields and names. header_hash is
-- the SHA-256 of the names in plain form.
CREATE TABLE IF NOT EXISTS import_mapping (
    kind TEXT NOT NULL,
    header_hash TEXT NOT NULL,
    chosen TEXT NOT NULL,
    chosen_at TEXT NOT NULL,
    chosen_by TEXT,
    PRIMARY KEY (kind, header_hash)
) WITHOUT ROWID;
