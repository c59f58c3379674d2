-- The tables of version 4: who may use the service, what they did, and what they were answered. Frozen once shipped;
-- new tables only.

-- Keys to the service. The secret itself is nowhere; it is shown once, when it is made.
CREATE TABLE IF NOT EXISTS access_key (
    key_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    secret_hash TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    created_by TEXT,
    last_used_at TEXT,
    revoked_at TEXT,
    revoked_by TEXT
);

-- Who is signed in with a browser, by the hash of what its cookie holds.
CREATE TABLE IF NOT EXISTS access_session (
    token_hash TEXT NOT NULL PRIMARY KEY,
    key_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);

-- Who changed or tried to change something through the service.
CREATE TABLE IF NOT EXISTS audit_entry (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    recorded_at TEXT NOT NULL,
    actor TEXT NOT NULL,
    key_id INTEGER,
    operation TEXT NOT NULL,
    target TEXT,
    address TEXT NOT NULL,
    status INTEGER NOT NULL,
    detail TEXT
);

-- What requests with an Idempotency-Key were answered; without a status, one that is being answered.
CREATE TABLE IF NOT EXISTS request_answer (
    request_hash TEXT NOT NULL PRIMARY KEY,
    content_hash TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    status INTEGER,
    answer TEXT
);
