-- The tables of version 19: leads that agents hand back. Frozen once shipped; new tables only.

-- The hand-backs: the agent whose leads of a run went back, how many, and of how many the stage went back. returned is
-- the number of leads that came back to the agent when the hand-back was undone.
CREATE TABLE IF NOT EXISTS assignment_hand_back (
    hand_back_id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL,
    agent TEXT NOT NULL,
    handed_back_at TEXT NOT NULL,
    handed_back_by TEXT,
    leads INTEGER NOT NULL,
    put_back INTEGER NOT NULL,
    undone_at TEXT,
    undone_by TEXT,
    returned INTEGER
);

-- The outcomes not_worked that a hand-back made, one for each of its leads.
CREATE TABLE IF NOT EXISTS assignment_hand_back_lead (
    outcome_id INTEGER NOT NULL PRIMARY KEY,
    hand_back_id INTEGER NOT NULL
);

CREATE INDEX IF NOT EXISTS ix_hand_back_lead_hand_back ON assignment_hand_back_lead (hand_back_id);
