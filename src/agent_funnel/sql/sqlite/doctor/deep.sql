-- `agent-funnel doctor --deep`, 4 of 4: whether stages, assignments and history agree. These queries change nothing.
-- Of a number, only the last three characters leave the database.

-- name: doctor_watermark
-- A watermark of the present state. If it changes, a run, an undo or an erasure came while the queries below ran.
SELECT
    (SELECT max(r.run_id) FROM assignment_run AS r) AS last_id,
    (SELECT count(*) FROM assignment_run AS r) AS runs,
    (SELECT count(*) FROM assignment_undo AS u) AS undos,
    (SELECT count(*) FROM assignment_purge AS p) AS purges,
    (SELECT count(*) FROM do_not_contact_entry AS d) AS listed,
    (SELECT count(*) FROM assignment_forgotten AS f) AS forgotten;

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
            WHEN 'agents' THEN max(c.dealt_to, c.agents)
            WHEN 'cap' THEN max(c.largest, c.max_per_agent)
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
            coalesce(s.leads, 0) AS leads,
            coalesce(s.agents, 0) AS dealt_to,
            coalesce(s.smallest, 0) AS smallest,
            coalesce(s.largest, 0) AS largest
        FROM assignment_run AS r
        LEFT JOIN (
            SELECT
                h.run_id, sum(h.leads) AS leads, count(*) AS agents, min(h.leads) AS smallest, max(h.leads) AS largest
            FROM (
                SELECT g.run_id, g.agent, sum(g.leads) AS leads
                FROM (
                    SELECT d.run_id, d.agent, count(*) AS leads FROM assignment_history AS d
                    GROUP BY d.run_id, d.agent
                    UNION ALL
                    SELECT f.run_id, f.agent, f.leads FROM assignment_forgotten AS f
                ) AS g
                GROUP BY g.run_id, g.agent
            ) AS h
            GROUP BY h.run_id
        ) AS s ON r.run_id = s.run_id
        WHERE r.status IN ('succeeded', 'undone')
            AND NOT EXISTS (SELECT 1 FROM assignment_purge AS p WHERE p.run_id = r.run_id)
    ) AS c
    CROSS JOIN (
        SELECT 'assigned' AS fact UNION ALL SELECT 'largest' UNION ALL SELECT 'smallest' UNION ALL SELECT 'agents'
        UNION ALL SELECT 'cap'
    ) AS f
    UNION ALL
    SELECT 'pool', r.run_id, r.assigned + r.left_over, r.pool FROM assignment_run AS r
    WHERE r.status IN ('succeeded', 'undone')
    UNION ALL
    SELECT 'running', r.run_id, 1, 0 FROM assignment_run AS r WHERE r.status = 'running'
    UNION ALL
    SELECT 'stray', h.run_id, count(*), 0 FROM assignment_history AS h
    WHERE NOT EXISTS (SELECT 1 FROM assignment_run AS r WHERE r.run_id = h.run_id)
    GROUP BY h.run_id
    UNION ALL
    SELECT 'twice', g.run_id, count(*), 0
    FROM (
        SELECT h.run_id FROM assignment_history AS h
        GROUP BY h.run_id, h.number
        HAVING count(*) > 1
    ) AS g
    GROUP BY g.run_id
    UNION ALL
    SELECT 'undone', r.run_id, 0, 1 FROM assignment_run AS r
    WHERE r.status = 'undone' AND NOT EXISTS (SELECT 1 FROM assignment_undo AS u WHERE u.run_id = r.run_id)
    UNION ALL
    SELECT 'not undone', u.run_id, 1, 0 FROM assignment_undo AS u
    WHERE NOT EXISTS (SELECT 1 FROM assignment_run AS r WHERE r.run_id = u.run_id AND r.status = 'undone')
    UNION ALL
    SELECT 'restored', u.run_id, u.restored + u.changed_since, r.assigned
    FROM assignment_undo AS u
    INNER JOIN assignment_run AS r ON u.run_id = r.run_id
) AS q
WHERE q.found IS NOT q.expected OR q.found IS NULL
ORDER BY q.fact, q.run_id;

-- name: doctor_assignments
-- How the assignments differ from those that the newest run that is not undone dealt (`base_id`), or from those that
-- the last undo after it restored (`undone_id`): rows that were added and rows that were removed since. A number on the
-- do-not-contact list, a wrong one, or one that was handed back does not count as removed. `purged` is 1 if the history
-- of that run is purged.
WITH base (run_id) AS (
    SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded'
),

listed (number) AS MATERIALIZED (
    SELECT DISTINCT d.number
    FROM (
        -- include: _suppressed_numbers
    ) AS d
),

taken_out (number) AS MATERIALIZED (
    -- include: _wrong_numbers
    UNION ALL
    SELECT o.number
    FROM base AS b
    INNER JOIN assignment_outcome AS o ON o.run_id = b.run_id
    WHERE o.unassigned = 1 AND o.taken_back_at IS NULL
),

undone (run_id) AS (
    SELECT u.run_id FROM assignment_undo AS u
    WHERE u.run_id > coalesce((SELECT b.run_id FROM base AS b), 0)
    ORDER BY u.undone_at DESC, u.run_id
    LIMIT 1
),

pair (agent, number, expected, present) AS (
    SELECT h.agent, h.number, d.number IS NULL, 0
    FROM base AS b
    INNER JOIN assignment_history AS h ON b.run_id = h.run_id
    LEFT JOIN listed AS d ON h.number = d.number
    WHERE NOT EXISTS (
        SELECT 1 FROM assignment_edit AS e
        INNER JOIN undone AS u ON e.run_id = u.run_id
        WHERE e.number = h.number AND e.agent = h.agent
    )
    UNION ALL
    SELECT e.agent, e.number, CASE WHEN d.number IS NULL THEN e.copies ELSE 0 END, 0
    FROM undone AS u
    INNER JOIN assignment_edit AS e ON u.run_id = e.run_id
    LEFT JOIN listed AS d ON e.number = d.number
    UNION ALL
    SELECT m.agent, m.number, 0, 1 FROM agent_wafunnel_assignment AS m
)

SELECT
    (SELECT b.run_id FROM base AS b) AS base_id,
    (SELECT u.run_id FROM undone AS u) AS undone_id,
    EXISTS (SELECT 1 FROM assignment_purge AS p INNER JOIN base AS b ON p.run_id = b.run_id) AS purged,
    coalesce(sum(d.present), 0) AS present,
    coalesce(sum(max(d.present - d.expected, 0)), 0) AS came,
    coalesce(
        sum(max(d.expected - d.present, 0)) FILTER (
            WHERE (d.number IN (SELECT w.number FROM taken_out AS w)) IS NOT TRUE
        ),
        0
    ) AS gone
FROM (
    SELECT p.number, sum(p.expected) AS expected, sum(p.present) AS present
    FROM pair AS p
    GROUP BY p.agent COLLATE BINARY, p.number COLLATE BINARY
) AS d;

-- name: doctor_leads
-- Counts every lead under the last run that dealt it and is not undone, and how many of these leads have changed since.
-- A lead whose stage was put back because nobody worked on it has not changed.
-- One row is for the newest run (`newest` is 1), one for all runs before it.
SELECT
    h.run_id = (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded') AS newest,
    count(*) AS leads,
    count(*) FILTER (
        WHERE (
            (
                h.number,
                h.date,
                h.stage + (
                    h.stage < 4 AND NOT EXISTS (
                        SELECT 1 FROM assignment_outcome AS o
                        WHERE o.run_id = h.run_id AND o.number = h.number AND o.stands = 1 AND o.stage_back = 1
                    )
                )
            ) IN (SELECT w.number, w.date, w.stage FROM wafunnel AS w)
        ) IS NOT TRUE
    ) AS changed,
    max(h.run_id) AS run_id
FROM (
    SELECT
        g.number, g.date, g.stage, g.run_id,
        row_number() OVER (PARTITION BY g.number, g.date ORDER BY g.run_id DESC) AS age
    FROM assignment_history AS g
    INNER JOIN assignment_run AS r ON g.run_id = r.run_id
    WHERE r.status = 'succeeded'
        AND NOT EXISTS (SELECT 1 FROM assignment_purge AS p WHERE p.run_id = r.run_id)
) AS h
WHERE h.age = 1
GROUP BY newest
ORDER BY newest DESC;

-- name: doctor_kept_out
-- Up to three leads that the newest run in force dealt although an outcome of an earlier run keeps them out, and the
-- total of such leads. The report may have come after that run.
WITH base (run_id, business_date) AS MATERIALIZED (
    SELECT r.run_id, r.business_date FROM assignment_run AS r
    WHERE r.run_id = (SELECT max(n.run_id) FROM assignment_run AS n WHERE n.status = 'succeeded')
),

told AS MATERIALIZED (
    SELECT
        o.number,
        o.date,
        CASE WHEN o.outcome IN ('won', 'lost') THEN o.reported_on END AS closed_on
    FROM base AS b
    INNER JOIN assignment_outcome AS o ON b.run_id > o.run_id
    WHERE o.stands = 1
        AND (
            o.outcome IN ('won', 'lost', 'wrong_number')
            OR (
                o.call_back_on > b.business_date
                AND NOT EXISTS (
                    SELECT 1
                    FROM assignment_call_back AS c
                    INNER JOIN assignment_run AS r ON c.run_id = r.run_id
                    WHERE c.outcome_id = o.outcome_id AND r.status = 'succeeded' AND r.run_id < b.run_id
                        AND NOT EXISTS (
                            SELECT 1 FROM assignment_outcome AS n
                            WHERE n.run_id = c.run_id AND n.number = o.number AND n.stands = 1 AND n.outcome = 'not_worked'
                        )
                )
            )
        )
),

spelled AS MATERIALIZED (
    SELECT t.number, t.number AS reported, t.date, t.closed_on FROM told AS t
    UNION
    SELECT s.number, t.number, t.date, t.closed_on
    FROM told AS t
    INNER JOIN number_key AS k
        ON t.number = k.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    INNER JOIN number_key AS s ON k.match_key = s.match_key AND k.country = s.country
)

SELECT '…' || substr(n.number, -3) AS number, n.run_id, count(*) OVER () AS numbers
FROM (
    SELECT DISTINCT h.number, h.run_id
    FROM base AS b
    CROSS JOIN spelled AS t
    CROSS JOIN assignment_history AS h ON h.run_id = b.run_id AND h.number = t.number
    WHERE t.closed_on IS NULL OR substr(h.date, 1, 10) <= t.closed_on OR (h.number = t.reported AND h.date = t.date)
) AS n
ORDER BY n.number
LIMIT 3;

-- name: doctor_listed
-- Up to three assigned numbers that are on the do-not-contact list, and the total of such numbers.
SELECT '…' || substr(n.number, -3) AS number, count(*) OVER () AS numbers
FROM (
    SELECT DISTINCT d.number
    FROM agent_wafunnel_assignment AS m
    INNER JOIN (
        -- include: _suppressed_numbers
    ) AS d ON m.number = d.number
) AS n
ORDER BY n.number
LIMIT 3;
