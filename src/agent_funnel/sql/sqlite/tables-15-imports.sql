-- The tables of version 15: imports on record. Frozen once shipped; new tables only.

-- The imports: what, by whom, from where, of which file, and by which rules (JSON). source is command, api, page or
-- program, and address that of the client. last_run_id is the last run when the import was made; NULL without one.
CREATE TABLE IF NOT EXISTS import_record (
    import_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    imported_at TEXT NOT NULL,
    actor TEXT,
    source TEXT NOT NULL,
    address TEXT,
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    rules TEXT NOT NULL,
    last_run_id INTEGER
);

-- The amounts of each import; data_rows are the rows of the file. Written in the transaction of the import.
CREATE TABLE IF NOT EXISTS import_result (
    import_id INTEGER NOT NULL PRIMARY KEY,
    data_rows INTEGER NOT NULL,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    bad_rows INTEGER NOT NULL
);

-- The leads that an import added, or changed from stage_before and date_before, with stage and date as it wrote them.
-- An undo removes the rows of the leads that it takes back.
CREATE TABLE IF NOT EXISTS import_lead (
    import_id INTEGER NOT NULL,
    number TEXT NOT NULL,
    stage INTEGER NOT NULL,
    date TEXT NOT NULL,
    is_changed INTEGER NOT NULL,
    stage_before INTEGER,
    date_before TEXT,
    PRIMARY KEY (import_id, number)
) WITHOUT ROWID;

-- Finds the imports of a number.
CREATE INDEX IF NOT EXISTS ix_import_lead_number ON import_lead (number, import_id);

-- The undone imports: how many leads were taken back, got their stage and date back, and were left.
CREATE TABLE IF NOT EXISTS import_undo (
    import_id INTEGER NOT NULL PRIMARY KEY,
    undone_at TEXT NOT NULL,
    undone_by TEXT,
    taken_back INTEGER NOT NULL,
    put_back INTEGER NOT NULL,
    left_alone INTEGER NOT NULL
);
