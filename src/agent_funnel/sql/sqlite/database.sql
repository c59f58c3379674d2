-- Queries of the connection itself: whether the database answers, and which version of the tables it has.

-- name: ping
-- Returns a row if the database answers at all.
SELECT 1 AS alive;

-- name: version
-- The version of the tables; NULL if none is recorded yet.
SELECT max(v.version) AS version FROM agent_funnel_version AS v;
