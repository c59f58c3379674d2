/*
The business dates that have no scheduled run and get none: those that passed without one, and those that are skipped. A
skip ends if the run that was made instead is undone before the window of the date has closed.
*/
DROP VIEW IF EXISTS dbo.date_without_run;
GO

CREATE VIEW dbo.date_without_run
AS
SELECT
    o.business_date,
    CAST(o.outcome AS VARCHAR(20)) AS outcome,
    o.recorded_at,
    CAST(NULL AS NVARCHAR(255)) AS recorded_by,
    CAST(NULL AS BIGINT) AS run_id
FROM dbo.schedule_outcome AS o
UNION ALL
SELECT
    s.business_date,
    CAST('skipped' AS VARCHAR(20)) AS outcome,
    s.skipped_at AS recorded_at,
    s.skipped_by AS recorded_by,
    s.run_id
FROM dbo.schedule_skip AS s
WHERE
    NOT EXISTS (
        SELECT 1 FROM dbo.assignment_undo AS u
        WHERE u.run_id = s.run_id AND (s.closes_at IS NULL OR u.undone_at < s.closes_at)
    );
GO
