/*
`agent-funnel doctor`: names of agents. This query changes nothing.
*/

-- name: doctor_nobody
-- The present assignments, the limits from a day on and the links in use whose agent is not in `agents`, by agent;
-- `dealt` is whether one of the newest thirty runs dealt to an agent of that name.
SELECT q.kind, q.agent, q.found, CASE WHEN d.agent IS NULL THEN 0 ELSE 1 END AS dealt
FROM (
    SELECT N'assignment' AS kind, v.agent, COUNT(*) AS found
    FROM (
        SELECT CAST(w.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent
        FROM dbo.agent_wafunnel_assignment AS w
        WHERE w.agent IS NOT NULL
    ) AS v
    GROUP BY v.agent
    UNION ALL
    SELECT N'limit', l.agent, COUNT(*) FROM dbo.agent_limit AS l
    WHERE l.ends_on IS NULL OR l.ends_on >= CAST(%(day)s AS DATE)
    GROUP BY l.agent
    UNION ALL
    SELECT N'link', k.agent, COUNT(*) FROM dbo.agent_link AS k
    WHERE k.revoked_at IS NULL
    GROUP BY k.agent
) AS q
LEFT JOIN (
    SELECT DISTINCT h.agent
    FROM (
        SELECT TOP (30) r.run_id FROM dbo.assignment_run AS r
        WHERE r.status = 'succeeded'
        ORDER BY r.run_id DESC
    ) AS s
    INNER JOIN dbo.assignment_history AS h ON s.run_id = h.run_id
) AS d ON q.agent = d.agent
WHERE
    NOT EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = q.agent
    )
ORDER BY q.kind ASC, q.found DESC, q.agent ASC;
