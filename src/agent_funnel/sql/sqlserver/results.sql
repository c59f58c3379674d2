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
    c.business_date, t.agent, t.stage, t.is_call_back,
    SUM(t.leads) AS leads,
    COALESCE(SUM(t.told * k.not_worked), 0) AS not_worked,
    COALESCE(SUM(t.told * k.reported), 0) AS reported,
    COALESCE(SUM(t.told * k.reached), 0) AS reached,
    COALESCE(SUM(t.told * k.won), 0) AS won
FROM (
    SELECT
        h.run_id, h.agent, h.stage, CASE WHEN b.number IS NULL THEN 0 ELSE 1 END AS is_call_back,
        CAST(NULL AS VARCHAR(20)) AS outcome, COUNT(*) AS leads, 0 AS told
    FROM @counted AS n
    INNER JOIN dbo.assignment_history AS h ON n.run_id = h.run_id
    LEFT JOIN @handed_out AS b ON h.run_id = b.run_id AND h.number = b.number
    GROUP BY h.run_id, h.agent, h.stage, CASE WHEN b.number IS NULL THEN 0 ELSE 1 END
    UNION ALL
    SELECT
        o.run_id, o.agent, o.stage, CASE WHEN d.number IS NULL THEN 0 ELSE 1 END AS is_call_back,
        o.outcome, 0 AS leads, COUNT(*) AS told
    FROM @counted AS n
    INNER JOIN dbo.assignment_outcome AS o ON n.run_id = o.run_id
    LEFT JOIN @handed_out AS d ON o.run_id = d.run_id AND o.number = d.number
    WHERE o.stands = 1
    GROUP BY o.run_id, o.agent, o.stage, CASE WHEN d.number IS NULL THEN 0 ELSE 1 END, o.outcome
) AS t
INNER JOIN @counted AS c ON t.run_id = c.run_id
LEFT JOIN @kind AS k ON t.outcome = k.outcome
GROUP BY c.business_date, t.agent, t.stage, t.is_call_back
ORDER BY c.business_date, t.agent, t.stage, t.is_call_back;

-- name: results_by_import
-- The same by import: the last one before the run that added or changed the lead, NULL if there is none on record. A
-- search for the last import of each lead that a run dealt takes five times as long as these joins.
-- include: _counted_runs

-- Each import of a lead holds until the next one of the same lead.
WITH import_of_lead AS (
    SELECT i.number, i.import_id, LEAD(i.import_id) OVER (PARTITION BY i.number ORDER BY i.import_id) AS next_id
    FROM dbo.import_lead AS i
)

SELECT
    t.import_id, r.file_name,
    SUM(t.leads) AS leads,
    COALESCE(SUM(t.told * k.not_worked), 0) AS not_worked,
    COALESCE(SUM(t.told * k.reported), 0) AS reported,
    COALESCE(SUM(t.told * k.reached), 0) AS reached,
    COALESCE(SUM(t.told * k.won), 0) AS won
FROM (
    SELECT l.import_id, CAST(NULL AS VARCHAR(20)) AS outcome, COUNT(*) AS leads, 0 AS told
    FROM @counted AS n
    INNER JOIN dbo.assignment_history AS h ON n.run_id = h.run_id
    LEFT JOIN import_of_lead AS l
        ON
            h.number = l.number AND n.last_import >= l.import_id
            AND (n.last_import < l.next_id OR l.next_id IS NULL)
    GROUP BY l.import_id
    UNION ALL
    SELECT m.import_id, o.outcome, 0 AS leads, COUNT(*) AS told
    FROM @counted AS n
    INNER JOIN dbo.assignment_outcome AS o ON n.run_id = o.run_id
    LEFT JOIN import_of_lead AS m
        ON
            o.number = m.number AND n.last_import >= m.import_id
            AND (n.last_import < m.next_id OR m.next_id IS NULL)
    WHERE o.stands = 1
    GROUP BY m.import_id, o.outcome
) AS t
LEFT JOIN dbo.import_record AS r ON t.import_id = r.import_id
LEFT JOIN @kind AS k ON t.outcome = k.outcome
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
