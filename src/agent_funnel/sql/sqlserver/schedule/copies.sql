/*
The schedule, 1 of 2: its terms, the copies of the service, and the next run.
*/

-- name: database_now
-- The time by the database's clock.
SELECT SYSUTCDATETIME() AS now;

-- name: record_copy
-- traits: no-wait
-- Records that a copy of the service looks now, with its own terms and the difference of its clock in seconds.
DECLARE @copy NVARCHAR(255) = %(copy)s;

UPDATE dbo.schedule_copy
SET
    run_at = %(run_at)s, timezone = %(timezone)s, weekdays = %(weekdays)s, catch_up = %(catch_up)s,
    clock_difference = %(clock_difference)s, looked_at = %(now)s
WHERE name = @copy;

IF @@ROWCOUNT = 0
    INSERT INTO dbo.schedule_copy (name, run_at, timezone, weekdays, catch_up, clock_difference, looked_at)
    VALUES (@copy, %(run_at)s, %(timezone)s, %(weekdays)s, %(catch_up)s, %(clock_difference)s, %(now)s);

-- name: copies
-- The copies of the service that are on record.
SELECT c.name, c.run_at, c.timezone, c.weekdays, c.catch_up, c.clock_difference, c.looked_at
FROM dbo.schedule_copy AS c
ORDER BY c.name;

-- name: remove_copy
-- traits: no-wait
-- Removes a copy from the record.
DELETE FROM dbo.schedule_copy
WHERE name = %(copy)s;

-- name: terms
-- The terms of the schedule, newest first: those that hold, and up to 19 that held before.
SELECT TOP (20) t.run_at, t.timezone, t.weekdays, t.catch_up, t.recorded_at, t.recorded_by
FROM dbo.schedule_terms AS t
ORDER BY t.terms_id DESC;

-- name: record_terms
-- Records terms, which hold from now on.
INSERT INTO dbo.schedule_terms (run_at, timezone, weekdays, catch_up, recorded_at, recorded_by)
VALUES (%(run_at)s, %(timezone)s, %(weekdays)s, %(catch_up)s, %(now)s, %(actor)s);

-- name: next_run
-- The next scheduled run; no row during a pause.
SELECT n.business_date, n.due_at FROM dbo.schedule_next AS n;

-- name: record_next_run
-- traits: no-wait
-- Records the next scheduled run. Of two copies that both find no row, one may fail; they would write the same.
UPDATE dbo.schedule_next
SET business_date = %(business_date)s, due_at = %(due_at)s
WHERE row_id = 1;

IF @@ROWCOUNT = 0
    INSERT INTO dbo.schedule_next (row_id, business_date, due_at) VALUES (1, %(business_date)s, %(due_at)s);

-- name: remove_next_run
-- traits: no-wait
-- Records that no scheduled run is to come.
DELETE FROM dbo.schedule_next;
