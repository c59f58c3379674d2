-- `agent-funnel doctor`, 1 of 4: the engine. These queries change nothing.

-- name: doctor_engine
-- The version of SQLite.
SELECT sqlite_version() AS version;
