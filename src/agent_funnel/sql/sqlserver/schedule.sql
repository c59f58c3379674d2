/*
The schedule: its state, failed attempts, the outcome of each business date, pauses and holidays.
*/

-- name: schedule_state
-- The state of the schedule: the newest business date with an outcome, the time of the installation, the pause in
-- effect, the failed attempts at a business date, and whether that date is a holiday.
DECLARE @business_date DATE = %(business_date)s;

SELECT
    (
        SELECT MAX(s.business_date)
        FROM (
            SELECT r.business_date FROM dbo.assignment_run AS r
            WHERE r.[trigger] = 'schedule' AND r.status IN ('succeeded', 'undone')
            UNION ALL
            SELECT o.business_date FROM dbo.schedule_outcome AS o
        ) AS s
    ) AS settled,
    (SELECT MIN(v.installed_at) FROM dbo.agent_funnel_version AS v) AS installed_at,
    (
        SELECT MAX(p.pause_id) FROM dbo.schedule_pause AS p
        WHERE p.resumed_at IS NULL
    ) AS pause_id,
    (
        SELECT COUNT(*) FROM dbo.assignment_failure AS f
        WHERE f.business_date = @business_date
    ) AS failures,
    (
        SELECT MAX(r.finished_at)
        FROM dbo.assignment_failure AS f
        INNER JOIN dbo.assignment_run AS r ON f.run_id = r.run_id
        WHERE f.business_date = @business_date
    ) AS failed_at,
    (
        SELECT COUNT(*) FROM dbo.holiday AS h
        WHERE h.day = @business_date
    ) AS holiday;

-- name: record_failure
-- lock: records
-- busy: A run is still in progress; the failure was not recorded. Try again when the run has ended.
-- Records a failed attempt at the scheduled run of a business date, as a failed run. Returns whether it was recorded:
-- it is not if another copy of the service has recorded this attempt.
DECLARE
    @business_date DATE = %(business_date)s,
    @attempt INT = %(attempt)s,
    @country VARCHAR(20) = %(country)s,
    @voice VARCHAR(20) = %(voice)s,
    @run_id BIGINT,
    @recorded INT = 0;

IF
    @attempt = 1 + (
        SELECT COUNT(*) FROM dbo.assignment_failure AS f
        WHERE f.business_date = @business_date
    )
    BEGIN
        INSERT INTO dbo.assignment_run
        (
            business_date, [trigger], actor, status, max_per_agent, window_days, newest_first, started_at,
            finished_at
        )
        VALUES
        (
            @business_date, 'schedule', %(actor)s, 'failed', %(max_per_agent)s, %(window_days)s, %(newest_first)s,
            %(started_at)s, %(finished_at)s
        );

        SET @run_id = SCOPE_IDENTITY();

        IF @country <> 'none'
            INSERT INTO dbo.assignment_country (run_id, country) VALUES (@run_id, @country);

        IF @voice <> 'fresh'
            INSERT INTO dbo.assignment_rule (run_id, name, value) VALUES (@run_id, 'voice', @voice);

        INSERT INTO dbo.assignment_failure (run_id, business_date, attempt, error_number, message)
        VALUES (@run_id, @business_date, @attempt, %(error_number)s, %(message)s);
        SET @recorded = 1;
    END;

SELECT @recorded AS recorded;

-- name: settle_date
-- lock: records
-- busy: A run is still in progress; no outcome was recorded. Try again when the run has ended.
-- Records why a business date passed without a scheduled run, unless it had one or is recorded already. Returns the
-- outcome if it recorded one. The lock makes it wait for a run in progress, which may be the run of this date.
DECLARE
    @business_date DATE = %(business_date)s,
    @closes_at DATETIME2(3) = %(closes_at)s,
    @recorded INT = 0;

INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at)
SELECT
    @business_date,
    CASE
        WHEN
            %(workday)s = 0 OR EXISTS (
                SELECT 1 FROM dbo.holiday AS h
                WHERE h.day = @business_date
            ) THEN 'holiday'
        WHEN EXISTS (
            SELECT 1 FROM dbo.schedule_pause AS p
            WHERE p.paused_at <= @closes_at AND (p.resumed_at IS NULL OR p.resumed_at > @closes_at)
        ) THEN 'paused'
        WHEN EXISTS (
            SELECT 1 FROM dbo.assignment_failure AS f
            WHERE f.business_date = @business_date
        ) THEN 'failed'
        ELSE 'missed'
    END,
    %(now)s
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
SET @recorded = @@ROWCOUNT;

SELECT o.outcome FROM dbo.schedule_outcome AS o
WHERE o.business_date = @business_date AND @recorded = 1;

-- name: note_notice
-- lock: records
-- busy: A run is still in progress; the notice was not noted. Try again when the run has ended.
-- Notes that people get a notice of a kind for a business date; returns whether they had none. The lock makes one copy
-- of the service wait for another.
DECLARE
    @business_date DATE = %(business_date)s,
    @kind VARCHAR(20) = %(kind)s;

INSERT INTO dbo.schedule_notice (business_date, kind, noted_at, noted_by)
SELECT @business_date, @kind, %(now)s, %(actor)s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.schedule_notice AS n
    WHERE n.business_date = @business_date AND n.kind = @kind
);

SELECT @@ROWCOUNT AS noted;

-- name: notices_since
-- The notices that were noted after a moment.
SELECT
    n.business_date,
    n.kind,
    n.noted_at
FROM dbo.schedule_notice AS n
WHERE n.noted_at > %(since)s
ORDER BY n.business_date, n.kind;

-- name: _outcomes
-- The outcomes of business dates, newest first: at most @count, from @earliest to @latest. The outcome is the scheduled
-- run, the reason why there was no run, or that this record is void.
-- A void run of a date to come is not its outcome.
SELECT TOP (@count) s.business_date, s.outcome, s.run_id, s.at
FROM (
    SELECT r.business_date, r.status AS outcome, r.run_id, r.finished_at AS at
    FROM dbo.assignment_run AS r
    WHERE
        r.[trigger] = 'schedule' AND r.status IN ('succeeded', 'undone')
        AND NOT (
            r.business_date > DATEADD(DAY, 1, SYSUTCDATETIME())
            AND EXISTS (
                SELECT 1 FROM dbo.schedule_void AS v
                WHERE v.run_id = r.run_id
            )
        )
    UNION ALL
    SELECT o.business_date, o.outcome, NULL AS run_id, o.recorded_at AS at
    FROM dbo.date_without_run AS o
    -- A skip of a date to come is an outcome only for those who ask for that date.
    WHERE
        o.outcome <> 'skipped' OR o.business_date = @earliest
        OR o.business_date <= DATEADD(DAY, 1, SYSUTCDATETIME())
    UNION ALL
    SELECT v.business_date, 'void' AS outcome, NULL AS run_id, MAX(v.voided_at) AS at
    FROM dbo.schedule_void AS v
    WHERE
        v.window_closed = 1
        AND NOT EXISTS (
            SELECT 1 FROM dbo.date_without_run AS o
            WHERE o.business_date = v.business_date
        )
        AND NOT EXISTS (
            SELECT 1 FROM dbo.assignment_run AS r
            WHERE
                r.business_date = v.business_date AND r.[trigger] = 'schedule'
                AND r.status IN ('succeeded', 'undone')
        )
    GROUP BY v.business_date
) AS s
WHERE s.business_date BETWEEN @earliest AND @latest
ORDER BY s.business_date DESC;

-- name: outcomes
-- The outcomes of the newest business dates, newest first.
DECLARE
    @count INT = %(count)s,
    @earliest DATE = '0001-01-01',
    @latest DATE = '9999-12-31';

-- include: _outcomes

-- name: nights_without_run
-- The business dates between two others that passed without a scheduled run, newest first, with the reason.
DECLARE
    @after DATE = %(after)s,
    @before DATE = %(before)s;

SELECT o.business_date, o.outcome, NULL AS run_id, o.recorded_at AS at
FROM dbo.date_without_run AS o
WHERE o.business_date > @after AND o.business_date < @before
ORDER BY o.business_date DESC;

-- name: outcome_of_date
-- The outcome of one business date.
DECLARE
    @count INT = 1,
    @earliest DATE = %(business_date)s,
    @latest DATE = %(business_date)s;

-- include: _outcomes

-- name: failure_reasons
-- The failed attempts at the scheduled run of a business date, by reason, the newest first: how many there were, when
-- they began and ended, and the run of the last one.
DECLARE @business_date DATE = %(business_date)s;

SELECT
    f.error_number,
    f.message,
    COUNT(*) AS attempts,
    MIN(r.started_at) AS first_at,
    MAX(r.finished_at) AS last_at,
    MAX(f.run_id) AS run_id
FROM dbo.assignment_failure AS f
INNER JOIN dbo.assignment_run AS r ON f.run_id = r.run_id
WHERE f.business_date = @business_date
GROUP BY f.error_number, f.message
ORDER BY MAX(f.run_id) DESC;

-- name: later_deals
-- The runs that ended after a moment and are not undone, the oldest first.
SELECT
    r.run_id,
    r.business_date,
    r.[trigger],
    r.actor,
    r.finished_at
FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded' AND r.finished_at > %(since)s
ORDER BY r.run_id;

-- name: failure_counts
-- How many attempts at scheduled runs failed, by error number; NULL stands for any other error.
SELECT f.error_number, COUNT(*) AS failures FROM dbo.assignment_failure AS f
GROUP BY f.error_number
ORDER BY f.error_number;

-- name: outcome_counts
-- How many business dates passed without a scheduled run, by reason.
SELECT o.outcome, COUNT(*) AS dates FROM dbo.date_without_run AS o
GROUP BY o.outcome
ORDER BY o.outcome;

-- name: pauses
-- The newest pauses, newest first.
SELECT TOP (CAST(%(count)s AS INT)) p.pause_id, p.paused_at, p.paused_by, p.reason, p.resumed_at, p.resumed_by
FROM dbo.schedule_pause AS p
ORDER BY p.pause_id DESC;

-- name: pause
-- lock: pauses
-- busy: Another session is still pausing the schedule; nothing was changed. Try again.
-- Pauses the schedule, unless it is paused already; returns whether it was paused by this call. The lock lets in one
-- caller at a time, so that there is never a second pause.
INSERT INTO dbo.schedule_pause (paused_at, paused_by, reason)
SELECT %(now)s, %(actor)s, %(reason)s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.schedule_pause AS p
    WHERE p.resumed_at IS NULL
);

SELECT @@ROWCOUNT AS changed;

-- name: resume
-- Ends the pause; returns whether there was a pause.
UPDATE dbo.schedule_pause
SET resumed_at = %(now)s, resumed_by = %(actor)s
WHERE resumed_at IS NULL;

SELECT @@ROWCOUNT AS changed;

-- name: holidays
-- The holidays from a day on.
SELECT h.day, h.name FROM dbo.holiday AS h
WHERE h.day >= CAST(%(since)s AS DATE)
ORDER BY h.day;

-- name: add_holiday
-- Adds a holiday, or renames it. Without XACT_ABORT, a failed INSERT would be followed by COMMIT.
SET XACT_ABORT ON;

BEGIN TRANSACTION;

DELETE FROM dbo.holiday
WHERE day = CAST(%(day)s AS DATE);

INSERT INTO dbo.holiday (day, name) VALUES (%(day)s, %(label)s);

COMMIT TRANSACTION;

-- name: remove_holiday
-- Removes a holiday; returns how many rows were removed.
DELETE FROM dbo.holiday
WHERE day = CAST(%(day)s AS DATE);

SELECT @@ROWCOUNT AS removed;
