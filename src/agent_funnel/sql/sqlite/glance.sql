-- What the dashboard shows, on SQLite.

-- name: failure
-- Why a run failed.
SELECT f.attempt, f.error_number, f.message FROM assignment_failure AS f WHERE f.run_id = :run_id;

-- name: roster
-- The agents, or the one of a name: active if any of their rows is, and the lowest limit that covers the business date.
SELECT g.agent, g.active, l.room
FROM (
    SELECT
        CAST(a.agent AS TEXT) COLLATE BINARY AS agent,
        max(coalesce(lower(trim(a.status)) = 'active', 0)) AS active
    FROM agents AS a
    WHERE trim(a.agent) <> '' AND (:agent IS NULL OR CAST(a.agent AS TEXT) = :agent COLLATE BINARY)
    GROUP BY CAST(a.agent AS TEXT) COLLATE BINARY
) AS g
LEFT JOIN (
    SELECT m.agent, min(m.max_records) AS room
    FROM agent_limit AS m
    WHERE m.starts_on <= :business_date AND (m.ends_on IS NULL OR m.ends_on >= :business_date)
    GROUP BY m.agent
) AS l ON g.agent = l.agent
ORDER BY g.agent;

-- name: funnel
-- How many records there are of each stage; NULL is what is no stage.
SELECT w.stage, count(*) AS leads
FROM (SELECT CASE WHEN f.stage BETWEEN 1 AND 4 THEN CAST(f.stage AS INTEGER) END AS stage FROM wafunnel AS f) AS w
GROUP BY w.stage
ORDER BY w.stage;
