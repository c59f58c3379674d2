-- A query of the connection itself: whether the database answers.

-- name: ping
-- Returns a row if the database answers at all.
SELECT 1 AS alive;
