/*
Skips: business dates that get no scheduled run because a person said so. The deal writes the skip of a run that is made
instead.
*/

-- name: skip_date
-- lock: records
-- busy: A run is still in progress; no date was skipped. Try again when the run has ended.
-- Skips the scheduled run of a business date, unless the date has it, or has no run for another reason. Returns whether
-- it did. A skip that has ended is replaced. The lock makes it wait for a run in progress, which may be that of this
-- date.
DECLARE
    @business_date DATE = %(business_date)s,
    @skipped INT;

DELETE FROM dbo.schedule_skip
WHERE
    business_date = @business_date
    AND NOT EXISTS (
        SELECT 1 FROM dbo.date_without_run AS o
        WHERE o.business_date = @business_date
    );

INSERT INTO dbo.schedule_skip (business_date, run_id, skipped_at, skipped_by, closes_at)
SELECT @business_date, NULL, %(now)s, %(actor)s, %(closes_at)s
WHERE
    NOT EXISTS (
        SELECT 1 FROM dbo.date_without_run AS o
        WHERE o.business_date = @business_date
    )
    AND NOT EXISTS (
        SELECT 1 FROM dbo.assignment_run AS r
        WHERE
            r.[trigger] = 'schedule' AND r.business_date = @business_date
            AND r.status IN ('succeeded', 'undone')
    );
SET @skipped = @@ROWCOUNT;

SELECT @skipped AS skipped;

-- name: skips
-- The business dates from a day on whose scheduled run is skipped, with the run that was made instead.
SELECT o.business_date, o.recorded_at AS skipped_at, o.recorded_by AS skipped_by, o.run_id
FROM dbo.date_without_run AS o
WHERE o.outcome = 'skipped' AND o.business_date >= CAST(%(since)s AS DATE)
ORDER BY o.business_date;
