/*
Agents: the roster, the list with the leads that each has now, their assignments, and their limits.
A page begins after the last row of the page before it. Names are compared byte by byte, and before that in the type
and the collation of the column, as leads.sql says of numbers.
*/

-- name: _own_agent
-- The agent for a comparison with agent_wafunnel_assignment.agent; NULL if that column has whole numbers and cannot
-- hold the name.
DECLARE @greatest_holding BIGINT = (
    SELECT
        CASE
            WHEN z.zero = '00' THEN CASE DATALENGTH(z.zero) WHEN 4 THEN 2147483647 ELSE 9223372036854775807 END
        END
    FROM (
        SELECT ISNULL(
            (
                SELECT f.agent FROM dbo.agent_wafunnel_assignment AS f
                WHERE 1 = 0
            ), '0'
        ) AS zero
    ) AS z
);

DECLARE @holding_agent NVARCHAR(255) = CASE
    WHEN @greatest_holding IS NULL OR TRY_CAST(@agent AS BIGINT) BETWEEN -@greatest_holding AND @greatest_holding
        THEN @agent
END;

-- name: _newest_deals
-- The newest deals. Whoever got leads in them is searched: thirty, or fewer that have half a million leads, because the
-- history has no index by agent. `back` counts from 1, the newest. Babelfish drops a bound on ROW_NUMBER if another
-- window of the same query has a different frame, so the runs are counted in the frame of the sum.
DECLARE @deals TABLE (run_id BIGINT NOT NULL PRIMARY KEY, back INT NOT NULL);

INSERT INTO @deals (run_id, back)
SELECT k.run_id, k.back
FROM (
    SELECT
        s.run_id,
        COUNT(*) OVER (ORDER BY s.run_id DESC ROWS UNBOUNDED PRECEDING) AS back,
        SUM(CAST(s.assigned AS BIGINT)) OVER (ORDER BY s.run_id DESC ROWS UNBOUNDED PRECEDING)
        - s.assigned AS newer
    FROM dbo.assignment_run AS s
    WHERE s.status = 'succeeded'
) AS k
WHERE k.back <= 30 AND k.newer < 500000;

-- name: agents
-- All agents: whether any row of the agent is active, how many leads the agent has now, the lowest limit on the
-- business date, and the date of the newest run that dealt to the agent, among the newest deals.
DECLARE @business_date DATE = %(business_date)s;

-- include: _newest_deals

SELECT g.agent, g.active, COALESCE(n.leads, 0) AS leads, l.room, r.business_date AS last_dealt
FROM (
    SELECT v.agent, MAX(v.active) AS active
    FROM (
        SELECT
            CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent,
            CASE WHEN LOWER(LTRIM(RTRIM(a.status)) COLLATE Latin1_General_BIN2) = 'active' THEN 1 ELSE 0 END AS active
        FROM dbo.agents AS a
        WHERE LTRIM(a.agent) <> ''
    ) AS v
    GROUP BY v.agent
) AS g
LEFT JOIN (
    SELECT v.agent, COUNT(*) AS leads
    FROM (
        SELECT CAST(w.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent
        FROM dbo.agent_wafunnel_assignment AS w
    ) AS v
    GROUP BY v.agent
) AS n ON g.agent = n.agent
LEFT JOIN (
    SELECT m.agent, MIN(m.max_records) AS room
    FROM dbo.agent_limit AS m
    WHERE m.starts_on <= @business_date AND (m.ends_on IS NULL OR m.ends_on >= @business_date)
    GROUP BY m.agent
) AS l ON g.agent = l.agent
LEFT JOIN (
    SELECT h.agent, MAX(h.run_id) AS run_id
    FROM @deals AS k
    INNER JOIN dbo.assignment_history AS h ON k.run_id = h.run_id
    GROUP BY h.agent
) AS d ON g.agent = d.agent
LEFT JOIN dbo.assignment_run AS r ON d.run_id = r.run_id
ORDER BY g.agent;

-- name: leads_in_hand
-- How many leads each agent has now, and how many of them have no outcome of the last run. Agents without a lead are
-- left out. Both counts read only the key of agent and number.
DECLARE @run_id BIGINT = (
    SELECT MAX(r.run_id) FROM dbo.assignment_run AS r
    WHERE r.status = 'succeeded'
);

SELECT n.agent, n.leads, n.leads - COALESCE(d.leads, 0) AS to_call
FROM (
    SELECT v.agent, COUNT(*) AS leads
    FROM (
        SELECT CAST(w.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent
        FROM dbo.agent_wafunnel_assignment AS w
        WHERE w.agent IS NOT NULL
    ) AS v
    GROUP BY v.agent
) AS n
LEFT JOIN (
    SELECT v.agent, COUNT(*) AS leads
    FROM (
        SELECT
            CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent,
            CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
        FROM dbo.agent_wafunnel_assignment AS a
    ) AS v
    INNER JOIN dbo.assignment_outcome AS o ON v.number = o.number
    WHERE o.run_id = @run_id AND o.stands = 1
    GROUP BY v.agent
) AS d ON n.agent = d.agent;

-- name: leads_in_hand_of
-- The same for the agents of a JSON array of arrays, each with a name. It reads the key of all assignments, but looks
-- for the outcomes of these agents' leads alone.
DECLARE @wanted TABLE (agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL);

INSERT INTO @wanted (agent)
SELECT j.agent
FROM OPENJSON (%(agents)s) WITH (agent NVARCHAR(255) '$[0]') AS j;

-- Babelfish leaves the escapes of JSON as they are, \" and \\.
IF SERVERPROPERTY(N'BabelfishVersion') IS NOT NULL
    UPDATE @wanted
    SET agent = REPLACE(REPLACE(REPLACE(agent, N'\\', NCHAR(1)), N'\"', N'"'), NCHAR(1), N'\')
    WHERE agent LIKE N'%\%' ESCAPE N'!';

DECLARE @run_id BIGINT = (
    SELECT MAX(r.run_id) FROM dbo.assignment_run AS r
    WHERE r.status = 'succeeded'
);

SELECT v.agent, COUNT(*) AS leads, SUM(CASE WHEN o.number IS NULL THEN 1 ELSE 0 END) AS to_call
FROM (
    SELECT
        CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent,
        CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
    FROM dbo.agent_wafunnel_assignment AS a
) AS v
LEFT JOIN dbo.assignment_outcome AS o ON v.number = o.number AND o.run_id = @run_id AND o.stands = 1
WHERE v.agent IN (SELECT n.agent FROM @wanted AS n)
GROUP BY v.agent;

-- name: roster
-- All agents, or the one with a given name: whether any row of the agent is active, and the lowest limit on the
-- business date. The query `agents` has the same subqueries g and l: change both.
DECLARE
    @agent NVARCHAR(255) = %(agent)s,
    @business_date DATE = %(business_date)s;

SELECT g.agent, g.active, l.room
FROM (
    SELECT v.agent, MAX(v.active) AS active
    FROM (
        SELECT
            CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent,
            CASE WHEN LOWER(LTRIM(RTRIM(a.status)) COLLATE Latin1_General_BIN2) = 'active' THEN 1 ELSE 0 END AS active
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

-- name: agent_names
-- The names of all agents.
SELECT DISTINCT CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent
FROM dbo.agents AS a
WHERE LTRIM(a.agent) <> ''
ORDER BY agent;

-- name: add_agent
-- lock: agents
-- busy: Another session is still adding or activating agents; nothing was changed. Try again.
-- Adds an agent, unless the name exists or a key of the table treats it as an existing name; returns whether it was
-- added. The lock lets in one caller at a time, because a table without a key would accept the same name from two
-- callers.
DECLARE
    @agent NVARCHAR(255) = %(agent)s,
    @added INT;

BEGIN TRY
    INSERT INTO dbo.agents (agent, status)
    SELECT @agent, %(status)s
    WHERE NOT EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
    );
    SET @added = @@ROWCOUNT;
END TRY
BEGIN CATCH
    -- A key of the table treats the name as an existing one.
    IF ERROR_NUMBER() NOT IN (2601, 2627)
        THROW;
    ROLLBACK TRANSACTION;
    SET @added = 0;
END CATCH;

-- A VARCHAR column stores a question mark for a character that its code page lacks.
IF
    @added = 1 AND NOT EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
    )
    THROW 50006, N'The column agents.agent cannot store all characters of this name; nothing was changed.', 1;

SELECT @added AS added;

-- name: set_agent_status
-- Sets the status of all rows of an agent; returns how many rows there are.
DECLARE @agent NVARCHAR(255) = %(agent)s;

UPDATE dbo.agents
SET status = %(status)s
WHERE CAST(agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent;

SELECT @@ROWCOUNT AS changed;

-- name: _inactive
-- The names of the agents none of whose rows is active. Rows without a name are no agents.
DECLARE @inactive TABLE (agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL);

INSERT INTO @inactive (agent)
SELECT v.agent
FROM (
    SELECT
        CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent,
        CASE WHEN LOWER(LTRIM(RTRIM(a.status)) COLLATE Latin1_General_BIN2) = 'active' THEN 1 ELSE 0 END AS active
    FROM dbo.agents AS a
    WHERE LTRIM(a.agent) <> ''
) AS v
GROUP BY v.agent
HAVING MAX(v.active) = 0;

-- name: inactive_agents
-- The inactive agents, by name: how many deals ago each last got leads, from 1, and its date, NULL if they got none in
-- the newest deals; and how many deals these are.
-- include: _inactive
-- include: _newest_deals

SELECT
    i.agent,
    d.back,
    r.business_date AS last_dealt,
    (SELECT COUNT(*) FROM @deals) AS deals
FROM @inactive AS i
LEFT JOIN (
    SELECT h.agent, MIN(k.back) AS back, MAX(h.run_id) AS run_id
    FROM @deals AS k
    INNER JOIN dbo.assignment_history AS h ON k.run_id = h.run_id
    GROUP BY h.agent
) AS d ON i.agent = d.agent
LEFT JOIN dbo.assignment_run AS r ON d.run_id = r.run_id
ORDER BY i.agent;

-- name: activate_inactive_agents
-- lock: agents
-- busy: Another session is still adding or activating agents; nothing was changed. Try again.
-- Activates all inactive agents in all their rows, or only those who got leads in that many of the newest `deals`, if
-- they are as many as expected; NULL expects any number. Returns the names of those who were inactive. Rows without a
-- name are no agents, and stay as they are.
DECLARE @expected INT = %(expected)s, @most_deals INT = %(deals)s;

-- include: _inactive
-- include: _newest_deals

DELETE FROM @inactive
WHERE
    @most_deals IS NOT NULL
    AND agent NOT IN (
        SELECT h.agent
        FROM @deals AS k
        INNER JOIN dbo.assignment_history AS h ON k.run_id = h.run_id
        WHERE k.back <= @most_deals
    );

UPDATE dbo.agents
SET status = 'active'
WHERE
    CAST(agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 IN (SELECT i.agent FROM @inactive AS i)
    AND (@expected IS NULL OR @expected = (SELECT COUNT(*) FROM @inactive));

SELECT i.agent FROM @inactive AS i
ORDER BY i.agent;

-- name: rename_agent
-- Renames an agent in every table that names them; see agents/sp_rename_agent.sql.
EXECUTE dbo.sp_rename_agent
    @agent = %(agent)s,
    @new_name = %(new_name)s,
    @actor = %(actor)s,
    @recorded = %(recorded)s;

-- name: _assignments
-- A page of the present assignments, or of one agent's: those after a number and agent, each pair once. If a number has
-- several records, the query shows the record that the last deal dealt, otherwise the one with the highest stage and
-- then the newest date. The branch for one agent also compares the name in the column's own collation, because the
-- column may have an index. Only for numbers with several records, the history is looked up, by its key.
-- include: _own_agent
-- include: _greatest_lead

SELECT c.agent, c.number, c.stage, CAST(c.date AS DATETIME2(3)) AS date
FROM (
    SELECT
        r.agent, r.number, r.stage, r.date,
        ROW_NUMBER() OVER (
            PARTITION BY r.number, r.agent
            ORDER BY
                CASE
                    WHEN r.records > 1
                        THEN (
                            SELECT
                                CASE
                                    WHEN r.date = h.date THEN 0
                                    -- A DATETIME as DATETIME2 depends on the compatibility level, which may have
                                    -- changed since.
                                    WHEN CAST(r.date AS DATETIME2(3)) = CAST(h.date AS DATETIME2(3)) THEN 1
                                    ELSE 2
                                END
                            FROM dbo.assignment_history AS h
                            WHERE
                                h.number = r.number AND h.agent = r.agent AND h.run_id = (
                                    SELECT MAX(s.run_id) FROM dbo.assignment_run AS s
                                    WHERE s.status = 'succeeded'
                                )
                        )
                END,
                COALESCE(r.stage, -2147483647) DESC, r.date DESC
        ) AS choice
    FROM (
        SELECT
            p.agent, p.number, w.stage, CAST(w.date AS DATETIME2(7)) AS date,
            COUNT(*) OVER (PARTITION BY p.number, p.agent) AS records
        FROM (
            SELECT DISTINCT TOP (@count) v.number, v.agent
            FROM (
                SELECT
                    CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
                    COALESCE(CAST(a.agent AS NVARCHAR(255)), N'') COLLATE Latin1_General_BIN2 AS agent
                FROM dbo.agent_wafunnel_assignment AS a
                WHERE @agent IS NULL AND a.number IS NOT NULL
                UNION ALL
                SELECT CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2, @agent
                FROM dbo.agent_wafunnel_assignment AS a
                WHERE
                    a.agent = ISNULL(
                        (
                            SELECT f.agent FROM dbo.agent_wafunnel_assignment AS f
                            WHERE 1 = 0
                        ), @holding_agent
                    )
                    AND CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
                    AND a.number IS NOT NULL
            ) AS v
            WHERE
                @after_number IS NULL
                OR v.number > @after_number
                OR (v.number = @after_number AND v.agent > @after_agent)
            ORDER BY v.number, v.agent
        ) AS p
        LEFT JOIN dbo.wafunnel AS w
            ON
                w.number = ISNULL(
                    (
                        SELECT g.number FROM dbo.wafunnel AS g
                        WHERE 1 = 0
                    ),
                    CASE
                        WHEN
                            @greatest_lead IS NULL
                            OR TRY_CAST(p.number AS BIGINT) BETWEEN -@greatest_lead AND @greatest_lead
                            THEN CAST(CAST(p.number AS SQL_VARIANT) AS NVARCHAR(255))
                    END
                )
                AND CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = p.number
    ) AS r
) AS c
WHERE c.choice = 1
ORDER BY c.number, c.agent;

-- name: assignments
-- traits: polled
-- parameters: @agent NVARCHAR(255), @after_number NVARCHAR(255), @after_agent NVARCHAR(255), @count INT
-- A page of the present assignments; see the part _assignments.
-- include: _assignments

-- name: assignments_of_deal
-- traits: polled, read-only
-- parameters: @agent NVARCHAR(255), @after_number NVARCHAR(255), @after_agent NVARCHAR(255), @count INT
-- The same between two readings of the version of the deal: if they differ, the page may be of two deals.
-- include: _deal_version
-- include: _assignments
-- include: _deal_version

-- name: count_of_agent
-- parameters: @agent NVARCHAR(255)
-- How many numbers an agent has now. The name is also compared in the column's own collation, because the column may
-- have an index.
-- include: _own_agent

SELECT COUNT(DISTINCT CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2) AS leads
FROM dbo.agent_wafunnel_assignment AS a
WHERE
    a.agent = ISNULL(
        (
            SELECT f.agent FROM dbo.agent_wafunnel_assignment AS f
            WHERE 1 = 0
        ), @holding_agent
    )
    AND CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent;

-- name: limits
-- All limits, by agent; an agent's newest limit comes first. `known` is whether there is an agent of that name.
SELECT
    l.limit_id, l.agent, l.starts_on, l.ends_on, l.max_records,
    CASE WHEN EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = l.agent
    ) THEN 1 ELSE 0 END AS known
FROM dbo.agent_limit AS l
ORDER BY l.agent ASC, l.starts_on DESC, l.limit_id DESC;

-- name: add_limit
-- Adds a limit and returns it. The name without surrounding blanks counts, unless an agent has the blanks, too. Adds
-- none if no agent has the name, unless the agent is yet to come (`new_agent`).
DECLARE
    @agent NVARCHAR(255) = %(agent)s,
    @added INT;

IF
    NOT EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
    )
    SET @agent = %(trimmed)s;

INSERT INTO dbo.agent_limit (agent, starts_on, ends_on, max_records)
SELECT @agent, %(starts_on)s, %(ends_on)s, %(max_records)s
WHERE
    %(new_agent)s = 1
    OR EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
    );
SET @added = @@ROWCOUNT;

SELECT
    l.limit_id, l.agent, l.starts_on, l.ends_on, l.max_records,
    CASE WHEN EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = l.agent
    ) THEN 1 ELSE 0 END AS known
FROM dbo.agent_limit AS l
WHERE l.limit_id = SCOPE_IDENTITY() AND @added = 1;

-- name: remove_limit
-- Removes a limit; returns how many rows were removed.
DELETE FROM dbo.agent_limit
WHERE limit_id = %(limit_id)s;

SELECT @@ROWCOUNT AS removed;
