/*
`agent-funnel doctor --deep`, 4 of 4: whether stages, assignments and history agree. These queries change nothing.
Of a number, only the last three characters leave the database.
*/

-- name: doctor_watermark
-- A watermark of the present state. If it changes, a run, an undo or an erasure came while the queries below ran.
SELECT
    (SELECT MAX(r.run_id) FROM dbo.assignment_run AS r) AS last_id,
    (SELECT COUNT(*) FROM dbo.assignment_run) AS runs,
    (SELECT COUNT(*) FROM dbo.assignment_undo) AS undos,
    (SELECT COUNT(*) FROM dbo.assignment_purge) AS purges,
    (SELECT COUNT(*) FROM dbo.do_not_contact_entry) AS listed,
    (SELECT COUNT(*) FROM dbo.assignment_forgotten) AS forgotten;

-- name: doctor_records
-- Everything in the records of runs that no run and no undo can leave behind: the fact, the run, the value found and
-- the value expected. No rows if all is well. For runs whose history is purged, only the remaining records are checked.
-- Leads that are forgotten, and so not in the history any more, count.
SELECT q.fact, q.run_id, q.found, q.expected
FROM (
    SELECT
        f.fact,
        c.run_id,
        CASE f.fact
            WHEN 'assigned' THEN c.leads
            WHEN 'largest' THEN c.largest
            WHEN 'smallest' THEN CASE WHEN c.dealt_to < c.agents THEN 0 ELSE c.smallest END
            WHEN 'agents' THEN CASE WHEN c.dealt_to > c.agents THEN c.dealt_to ELSE c.agents END
            WHEN 'cap' THEN CASE WHEN c.largest > c.max_per_agent THEN c.largest ELSE c.max_per_agent END
        END AS found,
        CASE f.fact
            WHEN 'assigned' THEN c.assigned
            WHEN 'largest' THEN c.largest_share
            WHEN 'smallest' THEN c.smallest_share
            WHEN 'agents' THEN c.agents
            WHEN 'cap' THEN c.max_per_agent
        END AS expected
    FROM (
        SELECT
            r.run_id, r.assigned, r.agents, r.max_per_agent, r.smallest_share, r.largest_share,
            COALESCE(s.leads, 0) AS leads,
            COALESCE(s.agents, 0) AS dealt_to,
            COALESCE(s.smallest, 0) AS smallest,
            COALESCE(s.largest, 0) AS largest
        FROM dbo.assignment_run AS r
        LEFT JOIN (
            SELECT
                h.run_id, SUM(h.leads) AS leads, COUNT(*) AS agents, MIN(h.leads) AS smallest, MAX(h.leads) AS largest
            FROM (
                SELECT g.run_id, g.agent, SUM(g.leads) AS leads
                FROM (
                    SELECT d.run_id, d.agent, COUNT(*) AS leads FROM dbo.assignment_history AS d
                    GROUP BY d.run_id, d.agent
                    UNION ALL
                    SELECT f.run_id, f.agent, f.leads FROM dbo.assignment_forgotten AS f
                ) AS g
                GROUP BY g.run_id, g.agent
            ) AS h
            GROUP BY h.run_id
        ) AS s ON r.run_id = s.run_id -- noqa: ST09
        WHERE
            r.status IN ('succeeded', 'undone')
            AND NOT EXISTS (
                SELECT 1 FROM dbo.assignment_purge AS p
                WHERE p.run_id = r.run_id
            )
    ) AS c
    CROSS JOIN (VALUES ('assigned'), ('largest'), ('smallest'), ('agents'), ('cap')) AS f(fact)
    UNION ALL
    SELECT 'pool', r.run_id, r.assigned + r.left_over, r.pool FROM dbo.assignment_run AS r
    WHERE r.status IN ('succeeded', 'undone')
    UNION ALL
    SELECT 'running', r.run_id, 1, 0 FROM dbo.assignment_run AS r
    WHERE r.status = 'running'
    UNION ALL
    SELECT 'stray', h.run_id, COUNT(*), 0 FROM dbo.assignment_history AS h
    WHERE
        NOT EXISTS (
            SELECT 1 FROM dbo.assignment_run AS r
            WHERE r.run_id = h.run_id
        )
    GROUP BY h.run_id
    UNION ALL
    SELECT 'twice', g.run_id, COUNT(*), 0
    FROM (
        SELECT h.run_id, h.number FROM dbo.assignment_history AS h
        GROUP BY h.run_id, h.number
        HAVING COUNT(*) > 1
    ) AS g
    GROUP BY g.run_id
    UNION ALL
    SELECT 'undone', r.run_id, 0, 1 FROM dbo.assignment_run AS r
    WHERE
        r.status = 'undone'
        AND NOT EXISTS (
            SELECT 1 FROM dbo.assignment_undo AS u
            WHERE u.run_id = r.run_id
        )
    UNION ALL
    SELECT 'not undone', u.run_id, 1, 0 FROM dbo.assignment_undo AS u
    WHERE
        NOT EXISTS (
            SELECT 1 FROM dbo.assignment_run AS r
            WHERE r.run_id = u.run_id AND r.status = 'undone'
        )
    UNION ALL
    SELECT 'restored', u.run_id, u.restored + u.changed_since, r.assigned
    FROM dbo.assignment_undo AS u
    INNER JOIN dbo.assignment_run AS r ON u.run_id = r.run_id
) AS q
WHERE q.found <> q.expected OR q.found IS NULL OR q.expected IS NULL
ORDER BY q.fact, q.run_id;

-- name: doctor_assignments
-- How the assignments differ from those that the newest run that is not undone dealt (`base_id`), or from those that
-- the last undo after it restored (`undone_id`): rows that were added and rows that were removed since. A number on the
-- do-not-contact list, a wrong one, or one that was handed back does not count as removed. `purged` is 1 if the history
-- of that run is purged.
DECLARE
    @base_id BIGINT,
    @undone_id BIGINT,
    @purged INT,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

DECLARE @listed TABLE (number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

INSERT INTO @listed (number)
SELECT DISTINCT d.number FROM dbo.suppressed_number AS d
WHERE d.country IN ('*', @country);

SELECT @base_id = MAX(r.run_id) FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded';

DECLARE @taken_out TABLE (number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

INSERT INTO @taken_out (number)
SELECT o.number FROM dbo.assignment_outcome AS o
WHERE o.stands = 1 AND o.outcome = 'wrong_number'
UNION
SELECT n.number
FROM dbo.assignment_outcome AS o
INNER JOIN dbo.number_key AS k ON o.number = k.number AND k.country = @country
INNER JOIN dbo.number_key AS n ON k.match_key = n.match_key AND n.country = @country
WHERE o.stands = 1 AND o.outcome = 'wrong_number'
UNION
SELECT o.number FROM dbo.assignment_outcome AS o
WHERE o.run_id = @base_id AND o.unassigned = 1 AND o.taken_back_at IS NULL;

SELECT TOP (1) @undone_id = u.run_id FROM dbo.assignment_undo AS u
WHERE u.run_id > COALESCE(@base_id, 0)
ORDER BY u.undone_at DESC, u.run_id ASC;

SELECT @purged = COUNT(*) FROM dbo.assignment_purge AS p
WHERE p.run_id = @base_id;

SELECT
    @base_id AS base_id,
    @undone_id AS undone_id,
    @purged AS purged,
    COALESCE(SUM(d.present), 0) AS present,
    COALESCE(SUM(CASE WHEN d.present > d.expected THEN d.present - d.expected END), 0) AS came,
    COALESCE(SUM(CASE WHEN d.present < d.expected AND w.number IS NULL THEN d.expected - d.present END), 0) AS gone
FROM (
    SELECT b.agent, b.number, SUM(b.expected) AS expected, SUM(b.present) AS present
    FROM (
        SELECT h.agent, h.number, CASE WHEN d.number IS NULL THEN 1 ELSE 0 END AS expected, 0 AS present
        FROM dbo.assignment_history AS h
        LEFT JOIN @listed AS d ON h.number = d.number
        WHERE
            h.run_id = @base_id
            AND NOT EXISTS (
                SELECT 1 FROM dbo.assignment_edit AS e
                WHERE e.run_id = @undone_id AND e.number = h.number AND e.agent = h.agent
            )
        UNION ALL
        SELECT e.agent, e.number, CASE WHEN d.number IS NULL THEN e.copies ELSE 0 END, 0
        FROM dbo.assignment_edit AS e
        LEFT JOIN @listed AS d ON e.number = d.number
        WHERE e.run_id = @undone_id
        UNION ALL
        SELECT
            CAST(m.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2,
            CAST(m.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2,
            0,
            1
        FROM dbo.agent_wafunnel_assignment AS m
    ) AS b
    GROUP BY b.agent, b.number
) AS d
LEFT JOIN @taken_out AS w ON d.number = w.number;

-- name: doctor_leads
-- Counts every lead under the last run that dealt it and is not undone, and how many of these leads have changed since.
-- A lead whose stage was put back because nobody worked on it has not changed.
-- One row is for the newest run (`newest` is 1), one for all runs before it. If the dates of your leads are DATETIMEs,
-- they are compared to the millisecond, as in an undo: as a DATETIME2, such a date depends on the compatibility level.
DECLARE @base_id BIGINT, @legacy BIT = 0;

SELECT @base_id = MAX(r.run_id) FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded';

SELECT
    @legacy = CASE
        WHEN CAST(SQL_VARIANT_PROPERTY(CAST(d.date AS SQL_VARIANT), 'BaseType') AS NVARCHAR(128)) = N'datetime'
            THEN 1
        ELSE 0
    END
FROM (
    SELECT TOP (1) w.date FROM dbo.wafunnel AS w
    WHERE w.date IS NOT NULL
) AS d;

SELECT
    CASE WHEN h.run_id = @base_id THEN 1 ELSE 0 END AS newest,
    COUNT(*) AS leads,
    COUNT(*) - COUNT(w.number) AS changed,
    MAX(h.run_id) AS run_id
FROM (
    SELECT
        g.run_id, g.number, g.date,
        CASE WHEN g.stage >= 4 OR o.number IS NOT NULL THEN g.stage ELSE g.stage + 1 END AS stage_after,
        ROW_NUMBER() OVER (PARTITION BY g.number, g.date ORDER BY g.run_id DESC) AS age
    FROM (
        SELECT
            e.run_id, e.number, e.stage,
            CASE WHEN @legacy = 1 THEN CAST(CAST(e.date AS DATETIME2(3)) AS DATETIME2(7)) ELSE e.date END AS date
        FROM dbo.assignment_history AS e
    ) AS g
    INNER JOIN dbo.assignment_run AS r ON g.run_id = r.run_id
    LEFT JOIN dbo.assignment_outcome AS o
        ON g.run_id = o.run_id AND g.number = o.number AND o.stands = 1 AND o.stage_back = 1
    WHERE
        r.status = 'succeeded'
        AND NOT EXISTS (
            SELECT 1 FROM dbo.assignment_purge AS p
            WHERE p.run_id = r.run_id
        )
) AS h
LEFT JOIN (
    SELECT DISTINCT
        CAST(v.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
        CASE
            WHEN @legacy = 1 THEN CAST(CAST(v.date AS DATETIME2(3)) AS DATETIME2(7)) ELSE CAST(v.date AS DATETIME2(7))
        END AS date,
        v.stage
    FROM dbo.wafunnel AS v
) AS w ON h.number = w.number AND h.date = w.date AND h.stage_after = w.stage
WHERE h.age = 1
GROUP BY CASE WHEN h.run_id = @base_id THEN 1 ELSE 0 END
ORDER BY newest DESC;

-- name: doctor_kept_out
-- Up to three leads that the newest run in force dealt although an outcome of an earlier run keeps them out, and the
-- total of such leads. The report may have come after that run.
DECLARE
    @base_id BIGINT,
    @business_date DATE,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

DECLARE @told TABLE (
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    date DATETIME2(3) NOT NULL,
    closed_on DATE NULL
);

SELECT TOP (1) @base_id = r.run_id, @business_date = r.business_date
FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded'
ORDER BY r.run_id DESC;

INSERT INTO @told (number, date, closed_on)
SELECT
    o.number, CAST(o.date AS DATETIME2(3)),
    CASE WHEN o.outcome IN ('won', 'lost') THEN o.reported_on END
FROM dbo.assignment_outcome AS o
WHERE
    o.run_id < @base_id AND o.stands = 1
    AND (
        o.outcome IN ('won', 'lost', 'wrong_number')
        OR (
            o.call_back_on > @business_date
            AND NOT EXISTS (
                SELECT 1
                FROM dbo.assignment_call_back AS c
                INNER JOIN dbo.assignment_run AS r ON c.run_id = r.run_id
                WHERE
                    c.outcome_id = o.outcome_id AND r.status = 'succeeded' AND r.run_id < @base_id
                    AND NOT EXISTS (
                        SELECT 1 FROM dbo.assignment_outcome AS n
                        WHERE n.run_id = c.run_id AND n.number = o.number AND n.stands = 1 AND n.outcome = 'not_worked'
                    )
            )
        )
    );

SELECT TOP (3) CONCAT(N'…', RIGHT(n.number, 3)) AS number, @base_id AS run_id, COUNT(*) OVER () AS numbers
FROM (
    SELECT DISTINCT h.number
    FROM (
        SELECT t.number, t.number AS reported, t.date, t.closed_on FROM @told AS t
        UNION
        SELECT s.number, t.number AS reported, t.date, t.closed_on
        FROM @told AS t
        INNER JOIN dbo.number_key AS k ON t.number = k.number AND k.country = @country
        INNER JOIN dbo.number_key AS s ON k.match_key = s.match_key AND s.country = @country
    ) AS p
    INNER JOIN dbo.assignment_history AS h ON p.number = h.number AND h.run_id = @base_id
    WHERE
        p.closed_on IS NULL OR CAST(h.date AS DATE) <= p.closed_on
        OR (h.number = p.reported AND CAST(h.date AS DATETIME2(3)) = p.date)
) AS n
ORDER BY n.number;

-- name: doctor_listed
-- Up to three assigned numbers that are on the do-not-contact list, and the total of such numbers.
DECLARE @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT TOP (3) CONCAT(N'…', RIGHT(n.number, 3)) AS number, COUNT(*) OVER () AS numbers
FROM (
    SELECT DISTINCT d.number
    FROM dbo.agent_wafunnel_assignment AS m
    INNER JOIN dbo.suppressed_number AS d ON CAST(m.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = d.number
    WHERE d.country IN ('*', @country)
) AS n
ORDER BY n.number;
