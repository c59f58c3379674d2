-- The schedule, 2 of 2: the end of each business date, and records that are void.

-- name: ends
-- The end of each business date from a date on: a scheduled run, or the reason why there was none. A date that a person
-- voided after its window had closed ends as void. A run with is_void = 1 was made long before its time: at that time,
-- the date gets another run.
SELECT
    r.business_date, r.status AS outcome, r.run_id, r.finished_at AS at,
    EXISTS (SELECT 1 FROM schedule_void AS v WHERE v.run_id = r.run_id) AS is_void
FROM assignment_run AS r
WHERE r."trigger" = 'schedule' AND r.status IN ('succeeded', 'undone') AND r.business_date >= :since
UNION ALL
SELECT o.business_date, o.outcome, NULL AS run_id, o.recorded_at AS at, 0 AS is_void
FROM date_without_run AS o
WHERE o.business_date >= :since
UNION ALL
SELECT v.business_date, 'void' AS outcome, NULL AS run_id, max(v.voided_at) AS at, 0 AS is_void
FROM schedule_void AS v
WHERE v.window_closed = 1 AND v.business_date >= :since
GROUP BY v.business_date;

-- name: void_outcome
-- Voids the outcome of a business date; returns whether there was one.
INSERT INTO schedule_void (business_date, outcome, run_id, recorded_at, voided_at, voided_by, reason, window_closed)
SELECT o.business_date, o.outcome, NULL, o.recorded_at, :now, :actor, :reason, :window_closed
FROM date_without_run AS o
WHERE o.business_date = :business_date;

SELECT changes() AS voided;

DELETE FROM schedule_outcome WHERE business_date = :business_date;

DELETE FROM schedule_skip WHERE business_date = :business_date;

-- name: void_run
-- Voids a scheduled run that was made long before its time; returns whether it was not void before.
INSERT INTO schedule_void (business_date, outcome, run_id, recorded_at, voided_at, voided_by, reason, window_closed)
SELECT r.business_date, r.status, r.run_id, r.finished_at, :now, :actor, :reason, 0
FROM assignment_run AS r
WHERE r.run_id = :run_id
    AND NOT EXISTS (SELECT 1 FROM schedule_void AS v WHERE v.run_id = r.run_id);

SELECT changes() AS voided;

-- name: release_date
-- Makes a void run a run by hand, so that its business date can have its scheduled run.
UPDATE assignment_run SET "trigger" = 'manual'
WHERE "trigger" = 'schedule' AND business_date = :business_date
    AND EXISTS (SELECT 1 FROM schedule_void AS v WHERE v.run_id = assignment_run.run_id);

-- name: attempts
-- The failed attempts at business dates from a date on, and those recorded after a moment.
SELECT f.run_id, f.business_date, r.finished_at AS at
FROM assignment_failure AS f
INNER JOIN assignment_run AS r ON f.run_id = r.run_id
WHERE f.business_date >= :since OR r.finished_at > :now
ORDER BY f.run_id;

-- name: void_attempt
-- Voids a failed attempt; returns whether it was on record. The run stays, as a failed one.
INSERT INTO schedule_void (business_date, outcome, run_id, recorded_at, voided_at, voided_by, reason, window_closed)
SELECT f.business_date, 'attempt', f.run_id, r.finished_at, :now, :actor, :reason, 0
FROM assignment_failure AS f
INNER JOIN assignment_run AS r ON f.run_id = r.run_id
WHERE f.run_id = :run_id;

DELETE FROM assignment_failure WHERE run_id = :run_id;

SELECT changes() AS voided;

-- name: voids
-- The newest void records, newest first.
SELECT v.business_date, v.outcome, v.run_id, v.recorded_at, v.voided_at, v.voided_by, v.reason
FROM schedule_void AS v
ORDER BY v.void_id DESC
LIMIT :count;
