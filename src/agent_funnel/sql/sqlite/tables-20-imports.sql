-- The table of version 20: what imports of agents, limits and holidays wrote. Frozen once shipped; new tables only.

-- The agents, limits and holidays that an import added, as it wrote them, and the agents whose status it changed from
-- value_before. key_text is the agent or the day, value_text the status, the most leads or the name, and days_text the
-- first and last day of a limit. An undo removes the rows that it takes back.
CREATE TABLE IF NOT EXISTS import_row (
    import_id INTEGER NOT NULL,
    line INTEGER NOT NULL,
    key_text TEXT NOT NULL,
    value_text TEXT,
    days_text TEXT,
    is_changed INTEGER NOT NULL,
    value_before TEXT,
    PRIMARY KEY (import_id, line)
) WITHOUT ROWID;
