-- The schedule, 1 of 2: its terms, the copies of the service, and the next run.

-- name: database_now
-- The time by the database's clock; NULL, because SQLite has no clock of its own.
SELECT NULL AS now;

-- name: record_copy
-- traits: no-wait
-- Records that a copy of the service looks now, with its own terms and the difference of its clock in seconds.
INSERT INTO schedule_copy (name, run_at, timezone, weekdays, catch_up, clock_difference, looked_at)
VALUES (:copy, :run_at, :timezone, :weekdays, :catch_up, :clock_difference, :now)
ON CONFLICT (name) DO UPDATE SET
run_at = excluded.run_at, timezone = excluded.timezone, weekdays = excluded.weekdays, catch_up = excluded.catch_up,
clock_difference = excluded.clock_difference, looked_at = excluded.looked_at;

-- name: copies
-- The copies of the service that are on record.
SELECT c.name, c.run_at, c.timezone, c.weekdays, c.catch_up, c.clock_difference, c.looked_at
FROM schedule_copy AS c
ORDER BY c.name;

-- name: remove_copy
-- traits: no-wait
-- Removes a copy from the record.
DELETE FROM schedule_copy WHERE name = :copy;

-- name: terms
-- The terms of the schedule, newest first: those that hold, and up to 19 that held before.
SELECT t.run_at, t.timezone, t.weekdays, t.catch_up, t.recorded_at, t.recorded_by
FROM schedule_terms AS t
ORDER BY t.terms_id DESC
LIMIT 20;

-- name: record_terms
-- Records terms, which hold from now on.
INSERT INTO schedule_terms (run_at, timezone, weekdays, catch_up, recorded_at, recorded_by)
VALUES (:run_at, :timezone, :weekdays, :catch_up, :now, :actor);

-- name: next_run
-- The next scheduled run; no row during a pause.
SELECT n.business_date, n.due_at FROM schedule_next AS n;

-- name: record_next_run
-- traits: no-wait
-- Records the next scheduled run.
INSERT INTO schedule_next (row_id, business_date, due_at) VALUES (1, :business_date, :due_at)
ON CONFLICT (row_id) DO UPDATE SET business_date = excluded.business_date, due_at = excluded.due_at;

-- name: remove_next_run
-- traits: no-wait
-- Records that no scheduled run is to come.
DELETE FROM schedule_next;
