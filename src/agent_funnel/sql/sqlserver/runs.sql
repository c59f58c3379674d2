/*
Runs: the last one, lists, one run, its failure, the agents who held a number, shares, dealt leads, and the purge of
history.
*/

-- name: _run_records
-- Runs, each with its rules, its undo and its purge, newest first: at most @count, with numbers from @lowest to
-- @highest, of @business_date or of any date. sqlite/runs.sql has the same columns.
SELECT TOP (@count)
    r.run_id,
    r.business_date,
    r.[trigger],
    r.actor,
    r.status,
    r.agents,
    r.pool,
    r.per_agent,
    r.assigned,
    r.left_over,
    r.duplicates,
    r.suppressed,
    r.smallest_share,
    r.largest_share,
    r.started_at,
    r.finished_at,
    r.max_per_agent,
    r.window_days,
    r.newest_first,
    c.country,
    COALESCE(l.value, 'fresh') AS voice,
    u.undone_at,
    u.actor AS undone_by,
    u.restored,
    u.changed_since,
    p.purged_at,
    (
        SELECT COALESCE(SUM(f.leads), 0) FROM dbo.assignment_forgotten AS f
        WHERE f.run_id = r.run_id
    ) AS forgotten,
    e.kept_out,
    v.came_round,
    v.same_agent,
    e.stayed
FROM dbo.assignment_run AS r
LEFT JOIN dbo.assignment_country AS c ON r.run_id = c.run_id
LEFT JOIN dbo.assignment_rule AS l ON r.run_id = l.run_id AND l.name = 'voice'
LEFT JOIN dbo.assignment_voice AS v ON r.run_id = v.run_id
LEFT JOIN dbo.assignment_outcome_effect AS e ON r.run_id = e.run_id
LEFT JOIN dbo.assignment_undo AS u ON r.run_id = u.run_id
LEFT JOIN dbo.assignment_purge AS p ON r.run_id = p.run_id
WHERE
    r.run_id BETWEEN @lowest AND @highest
    AND r.business_date = COALESCE(@business_date, r.business_date)
ORDER BY r.run_id DESC;

-- name: last_run
-- The newest run that succeeded and is not undone: of all runs, or of the runs before a given run.
DECLARE
    @before BIGINT = COALESCE(%(before)s, 9223372036854775807),
    @count INT = 1,
    @business_date DATE,
    @lowest BIGINT,
    @highest BIGINT;

SELECT @lowest = MAX(r.run_id), @highest = MAX(r.run_id) FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded' AND r.run_id < @before;

-- include: _run_records

-- name: runs
-- The newest runs, newest first: of all runs, of the runs before a given run, or of a business date.
DECLARE
    @count INT = %(count)s,
    @business_date DATE = %(business_date)s,
    @lowest BIGINT = 0,
    @highest BIGINT = COALESCE(CAST(%(before)s AS BIGINT) - 1, 9223372036854775807);

-- include: _run_records

-- name: run
-- One run, by its number.
DECLARE
    @count INT = 1,
    @business_date DATE,
    @lowest BIGINT = %(run_id)s,
    @highest BIGINT = %(run_id)s;

-- include: _run_records

-- name: failure
-- The failure of a run: the attempt, the error number and the message.
SELECT f.attempt, f.error_number, f.message FROM dbo.assignment_failure AS f
WHERE f.run_id = %(run_id)s;

-- name: run_limits
-- The agents who had a lower limit when a run was made, or were away (0).
SELECT m.agent, m.max_records FROM dbo.assignment_limit AS m
WHERE m.run_id = %(run_id)s
ORDER BY m.agent;

-- name: holders
-- The agents who held a number, in any spelling, newest first, between two moments (UTC) if these are given. An agent
-- held it until the next run that is not undone, or until the run that dealt it was undone.
DECLARE
    @number NVARCHAR(255) = %(number)s,
    @match_key NVARCHAR(255) = %(match_key)s,
    @since DATETIME2(3) = %(since)s,
    @until DATETIME2(3) = %(until)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT
    h.run_id,
    r.business_date,
    h.agent,
    h.stage,
    r.finished_at AS held_from,
    COALESCE(u.undone_at, n.finished_at) AS held_until,
    r.status
FROM dbo.assignment_history AS h
INNER JOIN dbo.assignment_run AS r ON h.run_id = r.run_id
LEFT JOIN dbo.assignment_undo AS u ON h.run_id = u.run_id
LEFT JOIN dbo.assignment_run AS n
    ON n.run_id = (
        SELECT MIN(m.run_id) FROM dbo.assignment_run AS m
        WHERE m.run_id > h.run_id AND m.status = 'succeeded'
    )
WHERE
    h.number IN (
        SELECT @number
        UNION ALL
        SELECT k.number FROM dbo.number_key AS k
        WHERE k.match_key = @match_key AND k.country = @country
    )
    AND (@until IS NULL OR r.finished_at < @until)
    AND (@since IS NULL OR COALESCE(u.undone_at, n.finished_at, @since) >= @since)
ORDER BY h.run_id DESC;

-- name: shares
-- How many leads of each stage each agent got in a run. Leads that are forgotten since then count.
DECLARE @run_id BIGINT = %(run_id)s;

SELECT s.agent, s.stage, SUM(s.leads) AS leads
FROM (
    SELECT h.agent, h.stage, COUNT(*) AS leads
    FROM dbo.assignment_history AS h
    WHERE h.run_id = @run_id
    GROUP BY h.agent, h.stage
    UNION ALL
    SELECT f.agent, f.stage, f.leads
    FROM dbo.assignment_forgotten AS f
    WHERE
        f.run_id = @run_id
        AND NOT EXISTS (
            SELECT 1 FROM dbo.assignment_purge AS p
            WHERE p.run_id = f.run_id
        )
) AS s
GROUP BY s.agent, s.stage
ORDER BY s.agent, s.stage;

-- name: mark_purge
-- lock: records
-- busy: A run is still in progress; nothing was purged. Try again when the run has ended.
-- Marks the runs whose history a purge deletes, and returns how many: those that ended before a moment (UTC), except
-- the last run that can be undone and the run before it, whose assignments that undo would restore. The lock makes it
-- wait for a run or an undo in progress, because these change which run is the last.
DECLARE @before DATETIME2(3) = %(before)s;

INSERT INTO dbo.assignment_purge (run_id, purged_at)
SELECT r.run_id, SYSUTCDATETIME()
FROM dbo.assignment_run AS r
WHERE
    r.finished_at < @before
    AND r.run_id NOT IN (
        SELECT TOP (2) k.run_id FROM dbo.assignment_run AS k
        WHERE k.status = 'succeeded'
        ORDER BY k.run_id DESC
    )
    AND NOT EXISTS (
        SELECT 1 FROM dbo.assignment_purge AS p
        WHERE p.run_id = r.run_id
    );
SELECT @@ROWCOUNT AS runs;

-- name: purge_history
-- Deletes up to a given number of history rows of marked runs; returns how many were deleted.
DELETE TOP (CAST(%(count)s AS INT)) FROM dbo.assignment_history
WHERE run_id IN (SELECT p.run_id FROM dbo.assignment_purge AS p);

SELECT @@ROWCOUNT AS deleted;

-- name: purge_edits
-- Deletes up to a given number of edit rows of marked runs; returns how many were deleted.
DELETE TOP (CAST(%(count)s AS INT)) FROM dbo.assignment_edit
WHERE run_id IN (SELECT p.run_id FROM dbo.assignment_purge AS p);

SELECT @@ROWCOUNT AS deleted;

-- name: purge_outcomes
-- Deletes up to a given number of outcomes of marked runs; returns how many were deleted. Those that keep a record or a
-- number out stay, and so do call-backs to come, and those that an undo could make due again; and the outcomes
-- not_worked that make a call-back due again.
DELETE TOP (CAST(%(count)s AS INT)) FROM dbo.assignment_outcome
WHERE
    outcome_id IN (
        SELECT o.outcome_id
        FROM dbo.assignment_outcome AS o
        INNER JOIN dbo.assignment_purge AS p ON o.run_id = p.run_id
        WHERE
            (o.outcome <> 'opted_out' OR o.taken_back_at IS NOT NULL)
            AND (o.outcome NOT IN ('won', 'lost', 'wrong_number') OR o.stands = 0)
            AND (
                o.outcome <> 'not_worked' OR o.stands = 0
                OR NOT EXISTS (
                    SELECT 1
                    FROM dbo.assignment_call_back AS c
                    INNER JOIN dbo.assignment_outcome AS b ON c.outcome_id = b.outcome_id
                    WHERE c.run_id = o.run_id AND b.number = o.number AND b.stands = 1
                )
            )
            AND (
                o.outcome <> 'call_back' OR o.stands = 0
                OR EXISTS (
                    SELECT 1
                    FROM dbo.assignment_call_back AS c
                    INNER JOIN dbo.assignment_run AS r ON c.run_id = r.run_id
                    INNER JOIN dbo.assignment_purge AS q ON r.run_id = q.run_id
                    WHERE
                        c.outcome_id = o.outcome_id AND r.status = 'succeeded'
                        AND NOT EXISTS (
                            SELECT 1 FROM dbo.assignment_outcome AS n
                            WHERE
                                n.run_id = c.run_id AND n.number = o.number AND n.stands = 1
                                AND n.outcome = 'not_worked'
                        )
                )
            )
    );

SELECT @@ROWCOUNT AS deleted;

-- name: purge_call_backs
-- Deletes up to a given number of records of call-backs that were handed out and are purged; returns how many.
DELETE TOP (CAST(%(count)s AS INT)) FROM dbo.assignment_call_back
WHERE outcome_id NOT IN (SELECT o.outcome_id FROM dbo.assignment_outcome AS o);

SELECT @@ROWCOUNT AS deleted;

-- name: purge_hand_backs
-- Deletes up to a given number of records of leads that were handed back, whose outcomes are purged; returns how many.
-- The hand-backs themselves stay: they have no number.
DELETE TOP (CAST(%(count)s AS INT)) FROM dbo.assignment_hand_back_lead
WHERE outcome_id NOT IN (SELECT o.outcome_id FROM dbo.assignment_outcome AS o);

SELECT @@ROWCOUNT AS deleted;

-- name: run_assignments
-- A page of the leads that a run dealt: those after a number. Date and stage are those before the run.
DECLARE @after NVARCHAR(255) = COALESCE(%(after)s, N'');

SELECT TOP (CAST(%(count)s AS INT)) h.agent, h.number, CAST(h.date AS DATETIME2(3)) AS date, h.stage
FROM dbo.assignment_history AS h
WHERE h.run_id = %(run_id)s AND h.number > @after
ORDER BY h.number;

-- name: _deal_version
-- The version of the deal: the newest run that dealt, and how many runs are undone. It changes with each deal and each
-- undo.
SELECT
    (
        SELECT COALESCE(MAX(r.run_id), 0) FROM dbo.assignment_run AS r
        WHERE r.status IN ('succeeded', 'undone')
    ) AS newest,
    (SELECT COUNT(*) FROM dbo.assignment_undo) AS undone;

-- name: deal_version
-- traits: polled
-- The version of the deal.
-- include: _deal_version
