-- The tables of version 4: keys, sessions, the audit and stored responses. Frozen once shipped; new tables only.

-- Keys to the service. The secret is not stored, only its hash; it is shown once, when the key is made.
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

-- Sessions of signed-in browsers, by the hash of the token in the cookie.
CREATE TABLE IF NOT EXISTS access_session (
    token_hash TEXT NOT NULL PRIMARY KEY,
    key_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);

-- The audit: what was changed, or tried, through the service, with the person and the time.
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

-- Stored responses to requests with an Idempotency-Key. NULL in status means that the request is still in progress.
CREATE TABLE IF NOT EXISTS request_answer (
    request_hash TEXT NOT NULL PRIMARY KEY,
    content_hash TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    status INTEGER,
    answer TEXT
);
