/*
Results: what came of the leads that were dealt. A lead counts once for each run that dealt it.

Only runs count that are not undone and whose history is there; of each lead, the outcome that holds. Outcomes have the
agent and the stage of the history, so the two tables are counted apart.
*/

-- name: _counted_runs
-- The runs that count, of the business dates from @date_from to @date_to, in the table @counted. last_import is the
-- last import that was made before the run; the numbers of imports and of runs grow together.
DECLARE
    @date_from DATE = %(date_from)s,
    @date_to DATE = %(date_to)s;

DECLARE @counted TABLE (
    run_id BIGINT NOT NULL PRIMARY KEY,
    business_date DATE NOT NULL,
    last_import BIGINT NULL
);

INSERT INTO @counted (run_id, business_date, last_import)
SELECT
    r.run_id,
    r.business_date,
    (
        SELECT MAX(i.import_id) FROM dbo.import_record AS i
        WHERE COALESCE(i.last_run_id, 0) < r.run_id
    )
FROM dbo.assignment_run AS r
WHERE
    r.status = 'succeeded' AND r.business_date BETWEEN @date_from AND @date_to
    AND NOT EXISTS (
        SELECT 1 FROM dbo.assignment_purge AS p
        WHERE p.run_id = r.run_id
    );

-- What an outcome counts as. Somebody was reached if they spoke: also to say that they do not want to be called.
DECLARE @kind TABLE (
    outcome VARCHAR(20) NOT NULL PRIMARY KEY,
    not_worked INT NOT NULL,
    reported INT NOT NULL,
    reached INT NOT NULL,
    won INT NOT NULL
);

INSERT INTO @kind (outcome, not_worked, reported, reached, won)
VALUES
('won', 0, 1, 1, 1),
('lost', 0, 1, 1, 0),
('talked', 0, 1, 1, 0),
('call_back', 0, 1, 1, 0),
('opted_out', 0, 1, 1, 0),
('no_answer', 0, 1, 0, 0),
('wrong_number', 0, 1, 0, 0),
('not_worked', 1, 0, 0, 0);

-- name: results
-- How many leads were dealt, and what came of them, by business date, agent, stage before the run, and whether it dealt
-- them as call-backs.
-- include: _counted_runs

DECLARE @handed_out TABLE (
    run_id BIGINT NOT NULL,
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    PRIMARY KEY (run_id, number)
);

INSERT INTO @handed_out (run_id, number)
SELECT DISTINCT b.run_id, o.number
FROM dbo.assignment_call_back AS b
INNER JOIN dbo.assignment_outcome AS o ON b.outcome_id = o.outcome_id;

SELECT
    t.business_date, t.agent, t.stage, t.is_call_back,
    SUM(t.leads) AS leads,
    SUM(t.not_worked) AS not_worked,
    SUM(t.reported) AS reported,
    SUM(t.reached) AS reached,
    SUM(t.won) AS won
FROM (
    SELECT
        c.business_date, h.agent, h.stage, CASE WHEN b.number IS NULL THEN 0 ELSE 1 END AS is_call_back,
        1 AS leads, 0 AS not_worked, 0 AS reported, 0 AS reached, 0 AS won
    FROM @counted AS c
    INNER JOIN dbo.assignment_history AS h ON c.run_id = h.run_id
    LEFT JOIN @handed_out AS b ON h.run_id = b.run_id AND h.number = b.number
    UNION ALL
    SELECT
        c.business_date, o.agent, o.stage, CASE WHEN d.number IS NULL THEN 0 ELSE 1 END AS is_call_back, 0 AS leads,
        k.not_worked, k.reported, k.reached, k.won
    FROM @counted AS c
    INNER JOIN dbo.assignment_outcome AS o ON c.run_id = o.run_id
    LEFT JOIN @handed_out AS d ON o.run_id = d.run_id AND o.number = d.number
    INNER JOIN @kind AS k ON o.outcome = k.outcome
    WHERE o.stands = 1
) AS t
GROUP BY t.business_date, t.agent, t.stage, t.is_call_back
ORDER BY t.business_date, t.agent, t.stage, t.is_call_back;

-- name: results_by_import
-- The same by import: the last one before the run that added or changed the lead, NULL if there is none on record.
-- include: _counted_runs

SELECT
    t.import_id, r.file_name,
    SUM(t.leads) AS leads,
    SUM(t.not_worked) AS not_worked,
    SUM(t.reported) AS reported,
    SUM(t.reached) AS reached,
    SUM(t.won) AS won
FROM (
    SELECT
        (
            SELECT MAX(l.import_id) FROM dbo.import_lead AS l
            WHERE l.number = h.number AND l.import_id <= c.last_import
        ) AS import_id,
        1 AS leads, 0 AS not_worked, 0 AS reported, 0 AS reached, 0 AS won
    FROM @counted AS c
    INNER JOIN dbo.assignment_history AS h ON c.run_id = h.run_id
    UNION ALL
    SELECT
        (
            SELECT MAX(l.import_id) FROM dbo.import_lead AS l
            WHERE l.number = o.number AND l.import_id <= c.last_import
        ) AS import_id,
        0 AS leads,
        k.not_worked, k.reported, k.reached, k.won
    FROM @counted AS c
    INNER JOIN dbo.assignment_outcome AS o ON c.run_id = o.run_id
    INNER JOIN @kind AS k ON o.outcome = k.outcome
    WHERE o.stands = 1
) AS t
LEFT JOIN dbo.import_record AS r ON t.import_id = r.import_id
GROUP BY t.import_id, r.file_name
ORDER BY t.import_id;

-- name: result_runs
-- How many runs of these business dates count, how many are undone, and of how many the history is purged; and the last
-- of all runs if it counts, whose leads agents have now.
DECLARE
    @date_from DATE = %(date_from)s,
    @date_to DATE = %(date_to)s;

SELECT
    COALESCE(SUM(CASE WHEN r.status = 'succeeded' AND p.run_id IS NULL THEN 1 ELSE 0 END), 0) AS deals,
    COALESCE(SUM(CASE WHEN r.status = 'undone' THEN 1 ELSE 0 END), 0) AS undone,
    COALESCE(SUM(CASE WHEN r.status = 'succeeded' AND p.run_id IS NOT NULL THEN 1 ELSE 0 END), 0) AS purged,
    MAX(CASE WHEN r.run_id = l.run_id AND p.run_id IS NULL THEN r.run_id END) AS called_now
FROM dbo.assignment_run AS r
CROSS JOIN (
    SELECT MAX(n.run_id) AS run_id FROM dbo.assignment_run AS n
    WHERE n.status = 'succeeded'
) AS l
LEFT JOIN dbo.assignment_purge AS p ON r.run_id = p.run_id
WHERE r.business_date BETWEEN @date_from AND @date_to;
