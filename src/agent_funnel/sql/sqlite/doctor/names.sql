-- `agent-funnel doctor`: names of agents. This query changes nothing.

-- name: doctor_nobody
-- The present assignments, the limits from a day on and the links in use whose agent is not in `agents`, by agent;
-- `dealt` is whether one of the newest thirty runs dealt to an agent of that name.
SELECT q.kind, q.agent, q.found, d.agent IS NOT NULL AS dealt
FROM (
    SELECT 'assignment' AS kind, CAST(w.agent AS TEXT) COLLATE BINARY AS agent, count(*) AS found
    FROM agent_wafunnel_assignment AS w
    WHERE w.agent IS NOT NULL
    GROUP BY CAST(w.agent AS TEXT) COLLATE BINARY
    UNION ALL
    SELECT 'limit', l.agent, count(*) FROM agent_limit AS l
    WHERE l.ends_on IS NULL OR l.ends_on >= :day
    GROUP BY l.agent
    UNION ALL
    SELECT 'link', k.agent, count(*) FROM agent_link AS k WHERE k.revoked_at IS NULL
    GROUP BY k.agent
) AS q
LEFT JOIN (
    SELECT DISTINCT h.agent
    FROM (
        SELECT r.run_id FROM assignment_run AS r WHERE r.status = 'succeeded' ORDER BY r.run_id DESC LIMIT 30
    ) AS s
    CROSS JOIN assignment_history AS h ON s.run_id = h.run_id
) AS d ON q.agent = d.agent
WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = q.agent COLLATE BINARY)
ORDER BY q.kind, q.found DESC, q.agent;
