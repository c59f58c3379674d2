-- The schedule: its state, failed attempts, the outcome of each business date, pauses and holidays.

-- name: schedule_state
-- The state of the schedule: the newest business date with an outcome, the time of the installation, the pause in
-- effect, the failed attempts at a business date, and whether that date is a holiday.
SELECT
    (
        SELECT max(s.business_date)
        FROM (
            SELECT r.business_date FROM assignment_run AS r
            WHERE r."trigger" = 'schedule' AND r.status IN ('succeeded', 'undone')
            UNION ALL
            SELECT o.business_date FROM schedule_outcome AS o
        ) AS s
    ) AS settled,
    (SELECT min(v.installed_at) FROM agent_funnel_version AS v) AS installed_at,
    (SELECT max(p.pause_id) FROM schedule_pause AS p WHERE p.resumed_at IS NULL) AS pause_id,
    (SELECT count(*) FROM assignment_failure AS f WHERE f.business_date = :business_date) AS failures,
    (
        SELECT max(r.finished_at)
        FROM assignment_failure AS f
        INNER JOIN assignment_run AS r ON f.run_id = r.run_id
        WHERE f.business_date = :business_date
    ) AS failed_at,
    EXISTS (SELECT 1 FROM holiday AS h WHERE h.day = :business_date) AS holiday;

-- name: record_failure
-- Records a failed attempt at the scheduled run of a business date, as a failed run. Returns whether it was recorded:
-- it is not if another copy of the service has recorded this attempt.
INSERT INTO assignment_run
(business_date, "trigger", actor, status, max_per_agent, window_days, newest_first, started_at, finished_at)
SELECT
    :business_date, 'schedule', :actor, 'failed', :max_per_agent, :window_days, :newest_first, :started_at, :finished_at
WHERE :attempt = 1 + (SELECT count(*) FROM assignment_failure AS f WHERE f.business_date = :business_date);

INSERT INTO assignment_failure (run_id, business_date, attempt, error_number, message)
SELECT last_insert_rowid(), :business_date, :attempt, :error_number, :message
WHERE changes() = 1;

SELECT changes() AS recorded;

INSERT INTO assignment_country (run_id, country)
SELECT last_insert_rowid(), :country
WHERE changes() = 1 AND :country <> 'none';

-- The run of this call, not that of a copy that recorded the same attempt.
INSERT OR IGNORE INTO assignment_rule (run_id, name, value)
SELECT f.run_id, 'voice', :voice
FROM assignment_failure AS f
INNER JOIN assignment_run AS r ON f.run_id = r.run_id
WHERE f.business_date = :business_date AND f.attempt = :attempt
    AND r.started_at = :started_at AND r.actor = :actor AND :voice <> 'fresh';

-- name: settle_date
-- Records why a business date passed without a scheduled run, unless it had one or is recorded already. Returns the
-- outcome if it recorded one.
INSERT INTO schedule_outcome (business_date, outcome, recorded_at)
SELECT
    :business_date,
    CASE
        WHEN :workday = 0 OR EXISTS (SELECT 1 FROM holiday AS h WHERE h.day = :business_date) THEN 'holiday'
        WHEN EXISTS (
            SELECT 1 FROM schedule_pause AS p
            WHERE p.paused_at <= :closes_at AND (p.resumed_at IS NULL OR p.resumed_at > :closes_at)
        ) THEN 'paused'
        WHEN EXISTS (SELECT 1 FROM assignment_failure AS f WHERE f.business_date = :business_date) THEN 'failed'
        ELSE 'missed'
    END,
    :now
WHERE NOT EXISTS (SELECT 1 FROM date_without_run AS o WHERE o.business_date = :business_date)
    AND NOT EXISTS (
        SELECT 1 FROM assignment_run AS r
        WHERE r."trigger" = 'schedule' AND r.business_date = :business_date AND r.status IN ('succeeded', 'undone')
    );

SELECT o.outcome FROM schedule_outcome AS o
WHERE o.business_date = :business_date AND changes() = 1;

-- name: note_notice
-- Notes that people get a notice of a kind for a business date; returns whether they had none.
INSERT INTO schedule_notice (business_date, kind, noted_at, noted_by)
SELECT :business_date, :kind, :now, :actor
WHERE NOT EXISTS (SELECT 1 FROM schedule_notice AS n WHERE n.business_date = :business_date AND n.kind = :kind);

SELECT changes() AS noted;

-- name: notices_since
-- The notices that were noted after a moment.
SELECT n.business_date, n.kind, n.noted_at FROM schedule_notice AS n
WHERE n.noted_at > :since
ORDER BY n.business_date, n.kind;

-- name: _outcomes
-- The outcomes of business dates: the scheduled run, the reason why there was no run, or that this record is void.
-- A void run of a date to come is not its outcome.
SELECT s.business_date, s.outcome, s.run_id, s.at
FROM (
    SELECT r.business_date, r.status AS outcome, r.run_id, r.finished_at AS at
    FROM assignment_run AS r
    WHERE r."trigger" = 'schedule' AND r.status IN ('succeeded', 'undone')
        AND NOT (
            r.business_date > date('now', '+1 day')
            AND EXISTS (SELECT 1 FROM schedule_void AS v WHERE v.run_id = r.run_id)
        )
    UNION ALL
    SELECT o.business_date, o.outcome, NULL AS run_id, o.recorded_at AS at FROM date_without_run AS o
    UNION ALL
    SELECT v.business_date, 'void' AS outcome, NULL AS run_id, max(v.voided_at) AS at
    FROM schedule_void AS v
    WHERE v.window_closed = 1
        AND NOT EXISTS (SELECT 1 FROM date_without_run AS o WHERE o.business_date = v.business_date)
        AND NOT EXISTS (
            SELECT 1 FROM assignment_run AS r
            WHERE r.business_date = v.business_date AND r."trigger" = 'schedule'
                AND r.status IN ('succeeded', 'undone')
        )
    GROUP BY v.business_date
) AS s

-- name: outcomes
-- The outcomes of the newest business dates, newest first. Skips of dates to come are left out.
-- include: _outcomes
WHERE s.outcome <> 'skipped' OR s.business_date <= date('now', '+1 day')
ORDER BY s.business_date DESC
LIMIT :count;

-- name: nights_without_run
-- The business dates between two others that passed without a scheduled run, newest first, with the reason.
SELECT o.business_date, o.outcome, NULL AS run_id, o.recorded_at AS at
FROM date_without_run AS o
WHERE o.business_date > :after AND o.business_date < :before
ORDER BY o.business_date DESC;

-- name: outcome_of_date
-- The outcome of one business date.
-- include: _outcomes
WHERE s.business_date = :business_date;

-- name: failure_reasons
-- The failed attempts at the scheduled run of a business date, by reason, the newest first: how many there were, when
-- they began and ended, and the run of the last one.
SELECT
    f.error_number,
    f.message,
    count(*) AS attempts,
    min(r.started_at) AS first_at,
    max(r.finished_at) AS last_at,
    max(f.run_id) AS run_id
FROM assignment_failure AS f
INNER JOIN assignment_run AS r ON f.run_id = r.run_id
WHERE f.business_date = :business_date
GROUP BY f.error_number, f.message
ORDER BY max(f.run_id) DESC;

-- name: later_deals
-- The runs that ended after a moment and are not undone, the oldest first.
SELECT r.run_id, r.business_date, r."trigger", r.actor, r.finished_at
FROM assignment_run AS r
WHERE r.status = 'succeeded' AND r.finished_at > :since
ORDER BY r.run_id;

-- name: failure_counts
-- How many attempts at scheduled runs failed, by error number; NULL stands for any other error.
SELECT f.error_number, count(*) AS failures FROM assignment_failure AS f
GROUP BY f.error_number
ORDER BY f.error_number;

-- name: outcome_counts
-- How many business dates passed without a scheduled run, by reason.
SELECT o.outcome, count(*) AS dates FROM date_without_run AS o
GROUP BY o.outcome
ORDER BY o.outcome;

-- name: pauses
-- The newest pauses, newest first.
SELECT p.pause_id, p.paused_at, p.paused_by, p.reason, p.resumed_at, p.resumed_by
FROM schedule_pause AS p
ORDER BY p.pause_id DESC
LIMIT :count;

-- name: pause
-- Pauses the schedule, unless it is paused already; returns whether it was paused by this call.
INSERT INTO schedule_pause (paused_at, paused_by, reason)
SELECT :now, :actor, :reason
WHERE NOT EXISTS (SELECT 1 FROM schedule_pause AS p WHERE p.resumed_at IS NULL);

SELECT changes() AS changed;

-- name: resume
-- Ends the pause; returns whether there was a pause.
UPDATE schedule_pause SET resumed_at = :now, resumed_by = :actor WHERE resumed_at IS NULL;

SELECT changes() AS changed;

-- name: holidays
-- The holidays from a day on. A text that is no day of the calendar is no holiday.
SELECT h.day, h.name FROM holiday AS h
WHERE h.day >= :since AND date(h.day, '+0 days') = h.day
ORDER BY h.day;

-- name: add_holiday
-- Adds a holiday, or renames it.
DELETE FROM holiday WHERE day = :day;

INSERT INTO holiday (day, name) VALUES (:day, :label);

-- name: remove_holiday
-- Removes a holiday; returns how many rows were removed.
DELETE FROM holiday WHERE day = :day;

SELECT changes() AS removed;
