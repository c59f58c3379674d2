-- What the connection itself asks: whether the database answers.

-- name: ping
-- Answers a row, if the database answers at all.
SELECT 1 AS alive;
