-- What the connection itself asks: whether the database answers.

-- name: ping
-- Answers if the database does.
SELECT 1 AS alive;
