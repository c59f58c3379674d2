/*
What the dashboard shows, on SQL Server.
*/

-- name: run_in_progress
-- Whether the lock of runs is free; nobody has to wait for the answer.
SELECT
    APPLOCK_TEST(
        'public',
        CONCAT(N'agent_funnel:', DB_NAME(), N':', SCHEMA_NAME(SCHEMA_ID(%(schema)s))),
        'Exclusive',
        'Session'
    ) AS free;

-- name: failure
-- Why a run failed.
SELECT f.attempt, f.error_number, f.message FROM dbo.assignment_failure AS f
WHERE f.run_id = %(run_id)s;

-- name: roster
-- The agents, or the one of a name: active if any of their rows is, and the lowest limit that covers the business date.
DECLARE
    @agent NVARCHAR(255) = %(agent)s,
    @business_date DATE = %(business_date)s;

SELECT g.agent, g.active, l.room
FROM (
    SELECT v.agent, MAX(v.active) AS active
    FROM (
        SELECT
            CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent,
            CASE WHEN LOWER(LTRIM(RTRIM(a.status))) = 'active' THEN 1 ELSE 0 END AS active
        FROM dbo.agents AS a
        WHERE LTRIM(a.agent) <> ''
    ) AS v
    WHERE @agent IS NULL OR v.agent = @agent
    GROUP BY v.agent
) AS g
LEFT JOIN (
    SELECT m.agent, MIN(m.max_records) AS room
    FROM dbo.agent_limit AS m
    WHERE m.starts_on <= @business_date AND (m.ends_on IS NULL OR m.ends_on >= @business_date)
    GROUP BY m.agent
) AS l ON g.agent = l.agent
ORDER BY g.agent;

-- name: funnel
-- How many records there are of each stage; NULL is what is no stage.
SELECT w.stage, COUNT(*) AS leads
FROM (
    SELECT CASE WHEN f.stage BETWEEN 1 AND 4 THEN f.stage END AS stage
    FROM dbo.wafunnel AS f
) AS w
GROUP BY w.stage
ORDER BY w.stage;
