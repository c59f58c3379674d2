-- Runs: the last one, lists, one run, its failure, the agents who held a number, shares, dealt leads, and the purge of
-- history.

-- name: _run_columns
-- The columns of the row that a deal returns. sqlserver/deal/sp_assign_wafunnel_to_agents.sql has the same columns.
r.run_id,
r.business_date,
r."trigger",
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
r.finished_at

-- name: _run_record
-- Runs, each with its rules, its undo and its purge. sqlserver/runs.sql has the same columns.
SELECT
    r.actor,
    r.max_per_agent,
    r.window_days,
    r.newest_first,
    c.country,
    coalesce(l.value, 'fresh') AS voice,
    u.undone_at,
    u.actor AS undone_by,
    u.restored,
    u.changed_since,
    p.purged_at,
    (SELECT coalesce(sum(f.leads), 0) FROM assignment_forgotten AS f WHERE f.run_id = r.run_id) AS forgotten,
    e.kept_out,
    v.came_round,
    v.same_agent,
    e.stayed,
    -- include: _run_columns
FROM assignment_run AS r
LEFT JOIN assignment_country AS c ON r.run_id = c.run_id
LEFT JOIN assignment_rule AS l ON r.run_id = l.run_id AND l.name = 'voice'
LEFT JOIN assignment_voice AS v ON r.run_id = v.run_id
LEFT JOIN assignment_outcome_effect AS e ON r.run_id = e.run_id
LEFT JOIN assignment_undo AS u ON r.run_id = u.run_id
LEFT JOIN assignment_purge AS p ON r.run_id = p.run_id

-- name: last_run
-- The newest run that succeeded and is not undone: of all runs, or of the runs before a given run.
-- include: _run_record
WHERE r.status = 'succeeded' AND (:before IS NULL OR r.run_id < :before)
ORDER BY r.run_id DESC
LIMIT 1;

-- name: runs
-- The newest runs, newest first: of all runs, of the runs before a given run, or of a business date.
-- include: _run_record
WHERE (:before IS NULL OR r.run_id < :before) AND (:business_date IS NULL OR r.business_date = :business_date)
ORDER BY r.run_id DESC
LIMIT :count;

-- name: run
-- One run, by its number.
-- include: _run_record
WHERE r.run_id = :run_id;

-- name: failure
-- The failure of a run: the attempt, the error number and the message.
SELECT f.attempt, f.error_number, f.message FROM assignment_failure AS f WHERE f.run_id = :run_id;

-- name: run_limits
-- The agents who had a lower limit when a run was made, or were away (0).
SELECT m.agent, m.max_records FROM assignment_limit AS m
WHERE m.run_id = :run_id
ORDER BY m.agent;

-- name: holders
-- The agents who held a number, in any spelling, newest first, between two moments (UTC) if these are given. An agent
-- held it until the next run that is not undone, or until the run that dealt it was undone.
SELECT
    h.run_id,
    r.business_date,
    h.agent,
    h.stage,
    r.finished_at AS held_from,
    coalesce(u.undone_at, n.finished_at) AS held_until,
    r.status
FROM assignment_history AS h
INNER JOIN assignment_run AS r ON h.run_id = r.run_id
LEFT JOIN assignment_undo AS u ON h.run_id = u.run_id
LEFT JOIN assignment_run AS n
    ON n.run_id = (
        SELECT min(m.run_id) FROM assignment_run AS m WHERE m.run_id > h.run_id AND m.status = 'succeeded'
    )
WHERE h.number IN (
        SELECT :number
        UNION ALL
        SELECT k.number FROM number_key AS k
        WHERE k.match_key = :match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    )
    AND (:until IS NULL OR r.finished_at < :until)
    AND (:since IS NULL OR coalesce(u.undone_at, n.finished_at, :since) >= :since)
ORDER BY h.run_id DESC;

-- name: shares
-- How many leads of each stage each agent got in a run. Leads that are forgotten since then count.
SELECT s.agent, s.stage, sum(s.leads) AS leads
FROM (
    SELECT h.agent, h.stage, count(*) AS leads
    FROM assignment_history AS h
    WHERE h.run_id = :run_id
    GROUP BY h.agent, h.stage
    UNION ALL
    SELECT f.agent, f.stage, f.leads
    FROM assignment_forgotten AS f
    WHERE f.run_id = :run_id
        AND NOT EXISTS (SELECT 1 FROM assignment_purge AS p WHERE p.run_id = f.run_id)
) AS s
GROUP BY s.agent, s.stage
ORDER BY s.agent, s.stage;

-- name: mark_purge
-- Marks the runs whose history a purge deletes, and returns how many: those that ended before a moment (UTC), except
-- the last run that can be undone and the run before it, whose assignments that undo would restore.
INSERT INTO assignment_purge (run_id, purged_at)
SELECT r.run_id, strftime('%Y-%m-%d %H:%M:%f', 'now')
FROM assignment_run AS r
WHERE r.finished_at < :before
    AND r.run_id NOT IN (
        SELECT k.run_id FROM assignment_run AS k WHERE k.status = 'succeeded' ORDER BY k.run_id DESC LIMIT 2
    )
    AND r.run_id NOT IN (SELECT p.run_id FROM assignment_purge AS p);

SELECT changes() AS runs;

-- name: purge_history
-- Deletes up to a given number of history rows of marked runs; returns how many were deleted. SQLite joins the tables
-- of a CROSS JOIN in the order in which they are written; in the other order it would read the whole history.
DELETE FROM assignment_history
WHERE (run_id, number) IN (
    SELECT h.run_id, h.number
    FROM assignment_purge AS p
    CROSS JOIN assignment_history AS h ON p.run_id = h.run_id
    LIMIT :count
);

SELECT changes() AS deleted;

-- name: purge_edits
-- Deletes up to a given number of edit rows of marked runs; returns how many were deleted.
DELETE FROM assignment_edit
WHERE edit_id IN (
    SELECT e.edit_id
    FROM assignment_purge AS p
    CROSS JOIN assignment_edit AS e ON p.run_id = e.run_id
    LIMIT :count
);

SELECT changes() AS deleted;

-- name: purge_outcomes
-- Deletes up to a given number of outcomes of marked runs; returns how many were deleted. Those that keep a record or a
-- number out stay, and so do call-backs to come, and those that an undo could make due again; and the outcomes
-- not_worked that make a call-back due again.
DELETE FROM assignment_outcome
WHERE outcome_id IN (
    SELECT o.outcome_id FROM assignment_outcome AS o
    WHERE o.run_id IN (SELECT p.run_id FROM assignment_purge AS p)
        AND NOT (o.outcome = 'opted_out' AND o.taken_back_at IS NULL)
        AND NOT (o.outcome IN ('won', 'lost', 'wrong_number') AND o.stands = 1)
        AND NOT (
            o.outcome = 'not_worked' AND o.stands = 1
            AND EXISTS (
                SELECT 1
                FROM assignment_call_back AS c
                INNER JOIN assignment_outcome AS b ON c.outcome_id = b.outcome_id
                WHERE c.run_id = o.run_id AND b.number = o.number AND b.stands = 1
            )
        )
        AND NOT (
            o.outcome = 'call_back' AND o.stands = 1
            AND NOT EXISTS (
                SELECT 1
                FROM assignment_call_back AS c
                INNER JOIN assignment_run AS r ON c.run_id = r.run_id
                INNER JOIN assignment_purge AS q ON r.run_id = q.run_id
                WHERE c.outcome_id = o.outcome_id AND r.status = 'succeeded'
                    AND NOT EXISTS (
                        SELECT 1 FROM assignment_outcome AS n
                        WHERE n.run_id = c.run_id AND n.number = o.number AND n.stands = 1 AND n.outcome = 'not_worked'
                    )
            )
        )
    LIMIT :count
);

SELECT changes() AS deleted;

-- name: purge_call_backs
-- Deletes up to a given number of records of call-backs that were handed out and are purged; returns how many.
DELETE FROM assignment_call_back
WHERE (outcome_id, run_id) IN (
    SELECT c.outcome_id, c.run_id FROM assignment_call_back AS c
    WHERE NOT EXISTS (SELECT 1 FROM assignment_outcome AS o WHERE o.outcome_id = c.outcome_id)
    LIMIT :count
);

SELECT changes() AS deleted;

-- name: purge_hand_backs
-- Deletes up to a given number of records of leads that were handed back, whose outcomes are purged; returns how many.
-- The hand-backs themselves stay: they have no number.
DELETE FROM assignment_hand_back_lead
WHERE outcome_id IN (
    SELECT l.outcome_id FROM assignment_hand_back_lead AS l
    WHERE NOT EXISTS (SELECT 1 FROM assignment_outcome AS o WHERE o.outcome_id = l.outcome_id)
    LIMIT :count
);

SELECT changes() AS deleted;

-- name: run_assignments
-- A page of the leads that a run dealt: those after a number. Date and stage are those before the run.
SELECT h.agent, h.number, h.date, h.stage
FROM assignment_history AS h
WHERE h.run_id = :run_id AND h.number > coalesce(:after, '')
ORDER BY h.number
LIMIT :count;

-- name: _deal_version
-- The version of the deal: the newest run that dealt, and how many runs are undone. It changes with each deal and each
-- undo.
SELECT
    (SELECT coalesce(max(r.run_id), 0) FROM assignment_run AS r WHERE r.status IN ('succeeded', 'undone')) AS newest,
    (SELECT count(*) FROM assignment_undo) AS undone;

-- name: deal_version
-- traits: polled
-- The version of the deal.
-- include: _deal_version
