-- Results: what came of the leads that were dealt. A lead counts once for each run that dealt it.
--
-- Only runs count that are not undone and whose history is there; of each lead, the outcome that holds counts. Outcomes
-- have the agent and the stage of the history, so the two tables are counted apart, each in one pass.

-- name: _counted_runs
-- The runs that count, of the business dates from :date_from to :date_to: a table to use. last_import is the last import
-- that was made before the run; the numbers of imports and of runs grow together.
counted AS MATERIALIZED (
    SELECT
        r.run_id,
        r.business_date,
        (SELECT max(i.import_id) FROM import_record AS i WHERE coalesce(i.last_run_id, 0) < r.run_id) AS last_import
    FROM assignment_run AS r
    WHERE r.status = 'succeeded' AND r.business_date BETWEEN :date_from AND :date_to
        AND NOT EXISTS (SELECT 1 FROM assignment_purge AS p WHERE p.run_id = r.run_id)
)

-- name: _outcome_counts
-- The counts of outcomes. Somebody was reached if they spoke: also to say that they do not want to be called.
sum(o.outcome = 'not_worked') AS not_worked,
sum(o.outcome <> 'not_worked') AS reported,
sum(o.outcome IN ('talked', 'won', 'lost', 'call_back', 'opted_out')) AS reached,
sum(o.outcome = 'won') AS won

-- name: _summed
-- The sums of both passes.
sum(t.leads) AS leads,
sum(t.not_worked) AS not_worked,
sum(t.reported) AS reported,
sum(t.reached) AS reached,
sum(t.won) AS won

-- name: results
-- How many leads were dealt, and what came of them, by business date, agent, stage before the run, and whether it dealt
-- them as call-backs.
WITH
-- include: _counted_runs
,

handed_out AS MATERIALIZED (
    SELECT DISTINCT b.run_id, o.number
    FROM assignment_call_back AS b
    INNER JOIN assignment_outcome AS o ON o.outcome_id = b.outcome_id
)

SELECT
    t.business_date, t.agent, t.stage, t.is_call_back,
    -- include: _summed
FROM (
    SELECT
        c.business_date, h.agent, h.stage, b.number IS NOT NULL AS is_call_back,
        count(*) AS leads, 0 AS not_worked, 0 AS reported, 0 AS reached, 0 AS won
    FROM counted AS c
    CROSS JOIN assignment_history AS h ON h.run_id = c.run_id
    LEFT JOIN handed_out AS b ON b.run_id = h.run_id AND b.number = h.number
    GROUP BY c.business_date, h.agent, h.stage, b.number IS NOT NULL
    UNION ALL
    SELECT
        c.business_date, o.agent, o.stage, b.number IS NOT NULL AS is_call_back, 0 AS leads,
        -- include: _outcome_counts
    FROM counted AS c
    CROSS JOIN assignment_outcome AS o ON o.run_id = c.run_id
    LEFT JOIN handed_out AS b ON b.run_id = o.run_id AND b.number = o.number
    WHERE o.stands = 1
    GROUP BY c.business_date, o.agent, o.stage, b.number IS NOT NULL
) AS t
GROUP BY t.business_date, t.agent, t.stage, t.is_call_back
ORDER BY t.business_date, t.agent, t.stage, t.is_call_back;

-- name: results_by_import
-- The same by import: the last one before the run that added or changed the lead, NULL if there is none on record.
WITH
-- include: _counted_runs

SELECT
    t.import_id, r.file_name,
    -- include: _summed
FROM (
    SELECT
        (SELECT max(l.import_id) FROM import_lead AS l WHERE l.number = h.number AND l.import_id <= c.last_import)
            AS import_id,
        count(*) AS leads, 0 AS not_worked, 0 AS reported, 0 AS reached, 0 AS won
    FROM counted AS c
    CROSS JOIN assignment_history AS h ON h.run_id = c.run_id
    GROUP BY 1
    UNION ALL
    SELECT
        (SELECT max(l.import_id) FROM import_lead AS l WHERE l.number = o.number AND l.import_id <= c.last_import)
            AS import_id,
        0 AS leads,
        -- include: _outcome_counts
    FROM counted AS c
    CROSS JOIN assignment_outcome AS o ON o.run_id = c.run_id
    WHERE o.stands = 1
    GROUP BY 1
) AS t
LEFT JOIN import_record AS r ON r.import_id = t.import_id
GROUP BY t.import_id, r.file_name
ORDER BY t.import_id;

-- name: result_runs
-- How many runs of these business dates count, how many are undone, and of how many the history is purged; and the last
-- of all runs if it counts, whose leads agents have now.
SELECT
    coalesce(sum(r.status = 'succeeded' AND p.run_id IS NULL), 0) AS deals,
    coalesce(sum(r.status = 'undone'), 0) AS undone,
    coalesce(sum(r.status = 'succeeded' AND p.run_id IS NOT NULL), 0) AS purged,
    max(CASE WHEN r.run_id = l.run_id AND p.run_id IS NULL THEN r.run_id END) AS called_now
FROM assignment_run AS r
CROSS JOIN (SELECT max(n.run_id) AS run_id FROM assignment_run AS n WHERE n.status = 'succeeded') AS l
LEFT JOIN assignment_purge AS p ON p.run_id = r.run_id
WHERE r.business_date BETWEEN :date_from AND :date_to;
