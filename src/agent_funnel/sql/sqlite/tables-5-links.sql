-- The table of version 5: the personal links of agents. Frozen once shipped; new tables only.

-- Links that open an agent's own list. The secret is not stored, only its hash; it is shown once, when the link is
-- made.
CREATE TABLE IF NOT EXISTS agent_link (
    link_id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    created_by TEXT,
    last_used_at TEXT,
    revoked_at TEXT,
    revoked_by TEXT
);
