-- The undo: takes back the last run that is not undone. Parameters: :run_id (the run to undo; it must be the last run
-- that is not undone; NULL = that run), :actor (the person or program that asked for the undo), :country (two letters,
-- or '' for none: the country of numbers that are written without one; NULL = the recorded rule).
--
-- The caller holds the two lock files of a run and runs all statements in one BEGIN IMMEDIATE transaction; a `throw`
-- rolls everything back. The last statement returns the record of the undo.
--
--   1. which run, and whether its history     3. assignments: as they were before the run, edits by others included
--      and that of the deal before it exist   4. the record, and its row
--   2. stages: each lead goes back, unless somebody has changed it since

-- name: undo
-- traits: run
-- Takes back the last run that is not undone.

-- 1. Which run. The deal before it is the newest earlier run that is not undone; its assignments come back.

DROP TABLE IF EXISTS temp.this_undo;

CREATE TEMP TABLE this_undo AS
SELECT
    l.last_id,
    l.base_id,
    (SELECT max(p.run_id) FROM assignment_purge AS p WHERE p.run_id IN (l.last_id, l.base_id)) AS purged,
    (SELECT r.status FROM assignment_run AS r WHERE r.run_id = :run_id) AS status,
    0 AS restored
FROM (
    SELECT
        m.last_id,
        (
            SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded' AND r.run_id < m.last_id
        ) AS base_id
    FROM (SELECT max(r.run_id) AS last_id FROM assignment_run AS r WHERE r.status = 'succeeded') AS m
) AS l;

SELECT 50005 AS throw, 'There is no run to undo; nothing was changed.' AS message
FROM temp.this_undo AS t
WHERE :run_id IS NULL AND t.last_id IS NULL;

SELECT
    50005 AS throw,
    CASE
        WHEN t.status IS NULL THEN 'There is no run ' || :run_id
        WHEN t.status = 'undone' THEN 'Run ' || :run_id || ' is undone already'
        WHEN t.status <> 'succeeded' THEN 'Run ' || :run_id || ' did not succeed'
        ELSE 'Run ' || :run_id || ' is not the last run'
    END
    || CASE
        WHEN t.last_id IS NULL THEN '; nothing was changed. There is no run to undo.'
        WHEN t.purged IS NOT NULL
            THEN '; nothing was changed. No run can be undone: the history needed has been purged.'
        ELSE '; nothing was changed. Only run ' || t.last_id || ' can be undone now.'
    END AS message
FROM temp.this_undo AS t
WHERE :run_id IS NOT NULL AND t.last_id IS NOT :run_id;

SELECT
    50005 AS throw,
    'Run ' || t.last_id || ' cannot be undone: the history of run ' || t.purged
    || ' has been purged; nothing was changed.' AS message
FROM temp.this_undo AS t
WHERE t.purged IS NOT NULL;

SELECT
    50007 AS throw,
    'Check failed: forgotten_salt has no row, so nobody knows which assignments are of forgotten people; nothing was '
    || 'changed. Restore that row from a backup.' AS message
WHERE NOT EXISTS (SELECT 1 FROM forgotten_salt) AND EXISTS (SELECT 1 FROM forgotten_number);

-- 2. Stages. A lead is identified by its number, its date and the stage that the run gave it.

UPDATE temp.this_undo SET
    restored = (
        SELECT count(*)
        FROM assignment_history AS h
        WHERE h.run_id = this_undo.last_id
            AND (h.number, h.date, h.stage + 1) IN (SELECT w.number, w.date, w.stage FROM wafunnel AS w)
    );

UPDATE wafunnel SET stage = wafunnel.stage - 1
FROM assignment_history AS h
WHERE h.run_id = (SELECT t.last_id FROM temp.this_undo AS t)
    -- As in the deal, the plus signs keep SQLite from using an index on date or stage.
    AND h.number = wafunnel.number AND h.stage + 1 = +wafunnel.stage AND h.date = +wafunnel.date;

-- 3. Assignments: those of the deal before, except the pairs that others had edited. These come back with as many rows
-- as they had. A number that is on the do-not-contact list now, or of a forgotten person, does not come back.

-- Nobody may have kept the match keys of these numbers, or of the lists, in the present country. Without them, a number
-- of a list or of a forgotten person would not be recognised in another spelling.
INSERT INTO number_key (country, number, match_key, ending)
WITH unkeyed AS (
    SELECT n.number
    FROM (
        SELECT h.number
        FROM temp.this_undo AS t
        CROSS JOIN assignment_history AS h ON h.run_id = t.base_id
        UNION
        SELECT e.number
        FROM temp.this_undo AS t
        CROSS JOIN assignment_edit AS e ON e.run_id = t.last_id AND e.copies > 0
        UNION
        SELECT d.number FROM do_not_contact_entry AS d
    ) AS n
    WHERE (EXISTS (SELECT 1 FROM do_not_contact_entry) OR EXISTS (SELECT 1 FROM forgotten_number))
        AND n.number IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM number_key AS k
            WHERE k.number = n.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
        )
),

-- include: _match_keys

SELECT coalesce(:country, (SELECT f.country FROM floor_country AS f)), k.number, k.match_key, substr(k.match_key, -4) FROM keyed AS k
WHERE TRUE;

DROP TABLE IF EXISTS temp.former;

CREATE TEMP TABLE former AS
SELECT
    b.agent,
    b.number,
    -- An assignment may have no number. It is on no list.
    coalesce(
        b.number IN (
            -- include: _suppressed_numbers
        ),
        0
    ) AS suppressed
FROM (
    SELECT h.agent, h.number
    FROM temp.this_undo AS t
    CROSS JOIN assignment_history AS h ON h.run_id = t.base_id
    LEFT JOIN assignment_edit AS e ON e.run_id = t.last_id AND e.number = h.number AND e.agent = h.agent
    WHERE e.edit_id IS NULL
    UNION ALL
    SELECT c.agent, c.number
    FROM (
        WITH RECURSIVE copy (agent, number, copies) AS (
            SELECT e.agent, e.number, e.copies
            FROM assignment_edit AS e
            WHERE e.run_id = (SELECT t.last_id FROM temp.this_undo AS t) AND e.copies > 0
            UNION ALL
            SELECT p.agent, p.number, p.copies - 1 FROM copy AS p
            WHERE p.copies > 1
        )

        SELECT p.agent, p.number FROM copy AS p
    ) AS c
) AS b;

DELETE FROM agent_wafunnel_assignment;

INSERT INTO agent_wafunnel_assignment (agent, number)
SELECT f.agent, f.number FROM temp.former AS f
WHERE NOT f.suppressed;

-- 4. The record. Forgotten leads are not in the history any more; they are counted, so that the sums still agree.

UPDATE assignment_run SET status = 'undone'
WHERE run_id = (SELECT t.last_id FROM temp.this_undo AS t);

INSERT INTO assignment_undo (run_id, undone_at, actor, restored, changed_since, assignments, suppressed)
SELECT
    t.last_id,
    strftime('%Y-%m-%d %H:%M:%f', 'now'),
    :actor,
    t.restored,
    (SELECT count(*) FROM assignment_history AS h WHERE h.run_id = t.last_id)
    + (SELECT coalesce(sum(f.leads), 0) FROM assignment_forgotten AS f WHERE f.run_id = t.last_id)
    - t.restored,
    (SELECT count(*) FROM temp.former AS f WHERE NOT f.suppressed),
    (SELECT count(*) FROM temp.former AS f WHERE f.suppressed)
    + (SELECT coalesce(sum(f.leads), 0) FROM assignment_forgotten AS f WHERE f.run_id = t.base_id)
FROM temp.this_undo AS t;

-- include: _undo_record
WHERE u.run_id = (SELECT t.last_id FROM temp.this_undo AS t);
