-- The business dates that have no scheduled run and get none: those that passed without one, and skipped ones. A skip ends if the run that was made instead is undone before the window of the date has closed.
DROP VIEW IF EXISTS date_without_run;

CREATE VIEW date_without_run AS
SELECT o.business_date, o.outcome, o.recorded_at, NULL AS recorded_by, NULL AS run_id
FROM schedule_outcome AS o
UNION ALL
SELECT s.business_date, 'skipped' AS outcome, s.skipped_at AS recorded_at, s.skipped_by AS recorded_by, s.run_id
FROM schedule_skip AS s
WHERE NOT EXISTS (
    SELECT 1 FROM assignment_undo AS u
    WHERE u.run_id = s.run_id AND (s.closes_at IS NULL OR u.undone_at < s.closes_at)
);
