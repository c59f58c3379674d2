-- Skips: business dates that get no scheduled run because a person said so. The deal writes the skip of a run that is
-- made instead.

-- name: skip_date
-- Skips the scheduled run of a business date, unless the date has it, or has no run for another reason. Returns whether
-- it did. A skip that has ended is replaced.
DELETE FROM schedule_skip
WHERE business_date = :business_date
    AND NOT EXISTS (SELECT 1 FROM date_without_run AS o WHERE o.business_date = :business_date);

INSERT INTO schedule_skip (business_date, run_id, skipped_at, skipped_by, closes_at)
SELECT :business_date, NULL, :now, :actor, :closes_at
WHERE NOT EXISTS (SELECT 1 FROM date_without_run AS o WHERE o.business_date = :business_date)
    AND NOT EXISTS (
        SELECT 1 FROM assignment_run AS r
        WHERE r."trigger" = 'schedule' AND r.business_date = :business_date AND r.status IN ('succeeded', 'undone')
    );

SELECT changes() AS skipped;

-- name: skips
-- The business dates from a day on whose scheduled run is skipped, with the run that was made instead.
SELECT o.business_date, o.recorded_at AS skipped_at, o.recorded_by AS skipped_by, o.run_id
FROM date_without_run AS o
WHERE o.outcome = 'skipped' AND o.business_date >= :since
ORDER BY o.business_date;
