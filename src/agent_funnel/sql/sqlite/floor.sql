-- What the floor looks at, on SQLite: agents, leads, who has what now. Pages go by keyset: a page begins after the last
-- row of the one before it. Numbers are in byte order, NULL or blank ones left out. Where a key is, pages follow it.

-- name: agents
-- The agents, or the one of a name: active if any of their rows is; how many leads they have now; the lowest limit that
-- covers the business date; and the date of the newest run that dealt to them. For that, runs are looked at from the
-- newest on until thirty are, or half a million leads: history has no index by agent.
SELECT g.agent, g.active, coalesce(n.leads, 0) AS leads, l.room, r.business_date AS last_dealt
FROM (
    SELECT
        CAST(a.agent AS TEXT) COLLATE BINARY AS agent,
        max(coalesce(lower(trim(a.status)) = 'active', 0)) AS active
    FROM agents AS a
    WHERE trim(a.agent) <> '' AND (:agent IS NULL OR a.agent = :agent COLLATE BINARY)
    GROUP BY CAST(a.agent AS TEXT) COLLATE BINARY
) AS g
LEFT JOIN (
    SELECT CAST(w.agent AS TEXT) COLLATE BINARY AS agent, count(*) AS leads
    FROM agent_wafunnel_assignment AS w
    WHERE :agent IS NULL OR w.agent = :agent COLLATE BINARY
    GROUP BY CAST(w.agent AS TEXT) COLLATE BINARY
) AS n ON g.agent = n.agent
LEFT JOIN (
    SELECT m.agent, min(m.max_records) AS room
    FROM agent_limit AS m
    WHERE m.starts_on <= :business_date AND (m.ends_on IS NULL OR m.ends_on >= :business_date)
    GROUP BY m.agent
) AS l ON g.agent = l.agent
LEFT JOIN (
    SELECT h.agent, max(h.run_id) AS run_id
    FROM (
        SELECT
            s.run_id,
            row_number() OVER (ORDER BY s.run_id DESC) AS back,
            sum(s.assigned) OVER (ORDER BY s.run_id DESC ROWS UNBOUNDED PRECEDING) - s.assigned AS newer
        FROM assignment_run AS s
        WHERE s.status = 'succeeded'
    ) AS k
    CROSS JOIN assignment_history AS h ON k.run_id = h.run_id
    WHERE k.back <= 30 AND k.newer < 500000 AND (:agent IS NULL OR h.agent = :agent)
    GROUP BY h.agent
) AS d ON g.agent = d.agent
LEFT JOIN assignment_run AS r ON d.run_id = r.run_id
ORDER BY g.agent;

-- name: add_agent
-- Adds an agent, unless there is one of this name, or one that a key of the table takes for the same; answers whether it
-- did.
INSERT INTO agents (agent, status)
SELECT :agent, :status
WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = :agent COLLATE BINARY)
ON CONFLICT DO NOTHING;

SELECT changes() AS added;

-- name: set_agent_status
-- Sets the status of all rows of an agent; answers how many there are.
UPDATE agents SET status = :status WHERE agent = :agent COLLATE BINARY;

SELECT changes() AS changed;

-- name: assignments
-- The present assignments, or those of an agent, after a number and agent; equal ones once. Of several records of a
-- number, the one that the last deal dealt is told, otherwise the one of the highest stage and the newest date: SQLite
-- takes stage and date from the row that has the maximum.
SELECT
    coalesce(a.agent, '') AS agent,
    a.number,
    w.stage,
    w.date,
    max(coalesce(w.date = h.date, 0) || printf('%+012d', w.stage) || coalesce(w.date, '')) AS choice
FROM agent_wafunnel_assignment AS a
LEFT JOIN assignment_history AS h
    ON h.run_id = (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded')
        AND h.number = a.number
        AND h.agent = a.agent
LEFT JOIN wafunnel AS w ON w.number = a.number COLLATE BINARY
WHERE a.number >= coalesce(:after_number, '') COLLATE BINARY
    AND (
        :after_number IS NULL OR a.number > :after_number COLLATE BINARY
        OR coalesce(a.agent, '') > :after_agent COLLATE BINARY
    )
    AND (:agent IS NULL OR a.agent = :agent COLLATE BINARY)
GROUP BY a.number COLLATE BINARY, coalesce(a.agent, '') COLLATE BINARY
ORDER BY a.number COLLATE BINARY, coalesce(a.agent, '') COLLATE BINARY
LIMIT :count;

-- name: deal_version
-- What tells one state of the deal from another: the newest run that dealt, and how many are undone.
SELECT
    (SELECT coalesce(max(r.run_id), 0) FROM assignment_run AS r WHERE r.status IN ('succeeded', 'undone')) AS newest,
    (SELECT count(*) FROM assignment_undo) AS undone;

-- name: run_assignments
-- What a run dealt, after a number; date and stage are those before the run.
SELECT h.agent, h.number, h.date, h.stage
FROM assignment_history AS h
WHERE h.run_id = :run_id AND h.number > coalesce(:after, '')
ORDER BY h.number
LIMIT :count;

-- name: leads
-- The leads, of a stage and between two days if they are given, after a number, stage and date; equal ones once. Dates
-- are told to the millisecond; what is no date is NULL.
WITH page AS MATERIALIZED (
    SELECT DISTINCT v.number, v.stage, v.moment
    FROM (
        SELECT w.number, w.stage, w.date, CASE WHEN typeof(w.date) = 'text' THEN strftime('%Y-%m-%d %H:%M:%f', w.date) END AS moment
        FROM wafunnel AS w
    ) AS v
    WHERE v.number >= coalesce(:after_number, '') COLLATE BINARY
        AND trim(v.number) <> ''
        AND (
            :after_number IS NULL
            OR v.number > :after_number COLLATE BINARY
            OR (
                v.number = :after_number COLLATE BINARY
                AND (coalesce(v.stage, -2147483649), coalesce(v.moment, ''))
                > (coalesce(:after_stage, -2147483649), coalesce(:after_date, ''))
            )
        )
        AND (:stage IS NULL OR v.stage = :stage)
        AND (:date_from IS NULL OR v.date >= :date_from)
        AND (:date_before IS NULL OR v.date < :date_before)
    ORDER BY v.number COLLATE BINARY, v.stage, v.moment
    LIMIT :count
)

SELECT
    p.number,
    p.stage,
    p.moment AS date,
    n.agent,
    EXISTS (SELECT 1 FROM do_not_contact AS d WHERE d.number = p.number COLLATE BINARY) AS do_not_contact,
    c.copies
FROM page AS p
INNER JOIN (
    SELECT w.number, w.stage, CASE WHEN typeof(w.date) = 'text' THEN strftime('%Y-%m-%d %H:%M:%f', w.date) END AS moment, count(*) AS copies
    FROM wafunnel AS w
    WHERE w.number COLLATE BINARY IN (SELECT q.number FROM page AS q)
    GROUP BY w.number COLLATE BINARY, w.stage, moment
) AS c ON c.number = p.number COLLATE BINARY AND c.stage IS p.stage AND c.moment IS p.moment
LEFT JOIN (
    SELECT a.number, min(a.agent) AS agent
    FROM agent_wafunnel_assignment AS a
    WHERE a.number COLLATE BINARY IN (SELECT q.number FROM page AS q)
    GROUP BY a.number COLLATE BINARY
) AS n ON n.number = p.number COLLATE BINARY
ORDER BY p.number COLLATE BINARY, p.stage, p.moment;

-- name: leads_of_number
-- The same, of the numbers that are one number in its several spellings.
WITH page AS MATERIALIZED (
    SELECT DISTINCT v.number, v.stage, v.moment
    FROM (
        SELECT w.number, w.stage, w.date, CASE WHEN typeof(w.date) = 'text' THEN strftime('%Y-%m-%d %H:%M:%f', w.date) END AS moment
        FROM wafunnel AS w
    ) AS v
    WHERE v.number COLLATE BINARY IN (:spelling_1, :spelling_2, :spelling_3, :spelling_4, :spelling_5)
        AND trim(v.number) <> ''
        AND (
            :after_number IS NULL
            OR v.number > :after_number COLLATE BINARY
            OR (
                v.number = :after_number COLLATE BINARY
                AND (coalesce(v.stage, -2147483649), coalesce(v.moment, ''))
                > (coalesce(:after_stage, -2147483649), coalesce(:after_date, ''))
            )
        )
        AND (:stage IS NULL OR v.stage = :stage)
        AND (:date_from IS NULL OR v.date >= :date_from)
        AND (:date_before IS NULL OR v.date < :date_before)
    ORDER BY v.number COLLATE BINARY, v.stage, v.moment
    LIMIT :count
)

SELECT
    p.number,
    p.stage,
    p.moment AS date,
    n.agent,
    EXISTS (SELECT 1 FROM do_not_contact AS d WHERE d.number = p.number COLLATE BINARY) AS do_not_contact,
    c.copies
FROM page AS p
INNER JOIN (
    SELECT w.number, w.stage, CASE WHEN typeof(w.date) = 'text' THEN strftime('%Y-%m-%d %H:%M:%f', w.date) END AS moment, count(*) AS copies
    FROM wafunnel AS w
    WHERE w.number COLLATE BINARY IN (SELECT q.number FROM page AS q)
    GROUP BY w.number COLLATE BINARY, w.stage, moment
) AS c ON c.number = p.number COLLATE BINARY AND c.stage IS p.stage AND c.moment IS p.moment
LEFT JOIN (
    SELECT a.number, min(a.agent) AS agent
    FROM agent_wafunnel_assignment AS a
    WHERE a.number COLLATE BINARY IN (SELECT q.number FROM page AS q)
    GROUP BY a.number COLLATE BINARY
) AS n ON n.number = p.number COLLATE BINARY
ORDER BY p.number COLLATE BINARY, p.stage, p.moment;

-- name: lead_now
-- Who has a number now, and since when and why it is on the do-not-contact list; NULL where not.
SELECT
    (SELECT min(a.agent) FROM agent_wafunnel_assignment AS a WHERE a.number = :number COLLATE BINARY) AS agent,
    (SELECT d.added_at FROM do_not_contact AS d WHERE d.number = :number) AS added_at,
    (SELECT d.reason FROM do_not_contact AS d WHERE d.number = :number) AS reason;

-- name: pool_report
-- Each row of wafunnel, counted once, by the first of these that holds: it is unusable (a blank number, no stage, no
-- date); its number is in the present assignments; its stage is 4 or more; it is too old; its number is not to be
-- contacted; it waits behind another record of its number; it is in the pool and left over. The pool is that of the deal;
-- its order matters among the records of a number only, so only numbers that stand in several rows are ranked.
WITH given AS NOT MATERIALIZED (
    SELECT
        w.number,
        w.stage,
        w.date,
        CASE
            WHEN coalesce(trim(w.number), '') = '' OR w.stage IS NULL OR julianday(w.date) IS NULL THEN 'unusable'
            WHEN w.number COLLATE BINARY IN (SELECT a.number FROM agent_wafunnel_assignment AS a) THEN 'dealt'
            WHEN w.stage >= 4 THEN 'at_stage_4'
            WHEN w.date < (SELECT date(:business_date, '-' || :window_days || ' days')) THEN 'too_old'
            WHEN w.number COLLATE BINARY IN (SELECT d.number FROM do_not_contact AS d) THEN 'do_not_contact'
            ELSE 'pool'
        END AS reason
    FROM wafunnel AS w
),

repeated AS (
    SELECT w.number
    FROM wafunnel AS w
    WHERE w.stage < 4 AND w.date >= (SELECT date(:business_date, '-' || :window_days || ' days'))
    GROUP BY w.number COLLATE BINARY
    HAVING count(*) > 1
),

ranked AS MATERIALIZED (
    SELECT
        dense_rank() OVER (
            PARTITION BY g.number COLLATE BINARY
            ORDER BY g.stage, julianday(g.date) * CASE WHEN :newest_first THEN -1 ELSE 1 END, g.date
        ) AS occurrence
    FROM given AS g
    WHERE g.number COLLATE BINARY IN (SELECT r.number FROM repeated AS r) AND g.reason = 'pool'
)

SELECT
    coalesce(sum(g.reason = 'dealt'), 0) AS dealt,
    coalesce(sum(g.reason = 'pool'), 0) - (SELECT count(*) FROM ranked AS r WHERE r.occurrence > 1) AS left_over,
    coalesce(sum(g.reason = 'at_stage_4'), 0) AS at_stage_4,
    coalesce(sum(g.reason = 'too_old'), 0) AS too_old,
    coalesce(sum(g.reason = 'do_not_contact'), 0) AS do_not_contact,
    (SELECT count(*) FROM ranked AS r WHERE r.occurrence > 1) AS duplicate,
    coalesce(sum(g.reason = 'unusable'), 0) AS unusable,
    count(*) AS total
-- The limit, which is none, keeps SQLite from working the reason out anew for each of the sums.
FROM (SELECT v.reason FROM given AS v LIMIT -1) AS g;
