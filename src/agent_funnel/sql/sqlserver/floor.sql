/*
What the floor looks at, on SQL Server: agents, leads, who has what now. Pages go by keyset: a page begins after the
last row of the one before it. Numbers are in byte order, NULL or blank ones left out.
*/

-- name: agents
-- The agents, or the one of a name: active if any of their rows is; how many leads they have now; the lowest limit that
-- covers the business date; and the date of the newest run that dealt to them. For that, runs are looked at from the
-- newest on until thirty are, or half a million leads: history has no index by agent.
DECLARE
    @agent NVARCHAR(255) = %(agent)s,
    @business_date DATE = %(business_date)s;

SELECT g.agent, g.active, COALESCE(n.leads, 0) AS leads, l.room, r.business_date AS last_dealt
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
    FROM (
        SELECT
            s.run_id,
            ROW_NUMBER() OVER (ORDER BY s.run_id DESC) AS back,
            SUM(CAST(s.assigned AS BIGINT)) OVER (ORDER BY s.run_id DESC ROWS UNBOUNDED PRECEDING)
            - s.assigned AS newer
        FROM dbo.assignment_run AS s
        WHERE s.status = 'succeeded'
    ) AS k
    INNER JOIN dbo.assignment_history AS h ON k.run_id = h.run_id
    WHERE k.back <= 30 AND k.newer < 500000 AND (@agent IS NULL OR h.agent = @agent)
    GROUP BY h.agent
) AS d ON g.agent = d.agent
LEFT JOIN dbo.assignment_run AS r ON d.run_id = r.run_id
ORDER BY g.agent;

-- name: add_agent
-- Adds an agent, unless there is one of this name, or one that a key of the table takes for the same; answers whether
-- it did. A table without a key would take the same name from two callers, so they come one after the other.
DECLARE
    @agent NVARCHAR(255) = %(agent)s,
    @schema NVARCHAR(255) = SCHEMA_NAME(SCHEMA_ID(%(schema)s)),
    @resource NVARCHAR(255),
    @lock INT,
    @added INT;

SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', @schema, N':agents');

BEGIN TRY
    BEGIN TRANSACTION;

    EXECUTE @lock = sp_getapplock
        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @@LOCK_TIMEOUT;
    IF @lock < 0
        THROW 50001, N'Somebody else has been adding an agent all this time; nothing was changed.', 1;

    INSERT INTO dbo.agents (agent, status)
    SELECT @agent, %(status)s
    WHERE NOT EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
    );
    SET @added = @@ROWCOUNT;

    -- A VARCHAR column puts question marks in the place of what its code page lacks.
    IF
        NOT EXISTS (
            SELECT 1 FROM dbo.agents AS a
            WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
        )
        THROW 50006, N'The column of agents cannot hold some of the characters of this name; nothing was changed.', 1;

    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    IF ERROR_NUMBER() NOT IN (2601, 2627)
        THROW;
    SET @added = 0;
END CATCH;

SELECT @added AS added;

-- name: set_agent_status
-- Sets the status of all rows of an agent; answers how many there are.
DECLARE @agent NVARCHAR(255) = %(agent)s;

UPDATE dbo.agents
SET status = %(status)s
WHERE CAST(agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent;

SELECT @@ROWCOUNT AS changed;

-- name: assignments
-- The present assignments, or those of an agent, after a number and agent; equal ones once. Of several records of a
-- number, the one that the last deal dealt is told, otherwise the one of the highest stage and the newest date.
-- Of one agent apart from all, and compared in the column's own collation, too, where an index may be. History is
-- looked up by its key, a lead at a time, and not read as a whole: that saves a quarter of what a poll costs.
DECLARE
    @agent NVARCHAR(255) = %(agent)s,
    @after_number NVARCHAR(255) = %(after_number)s,
    @after_agent NVARCHAR(255) = %(after_agent)s;

SELECT c.agent, c.number, c.stage, CAST(c.date AS DATETIME2(3)) AS date
FROM (
    SELECT
        p.agent, p.number, w.stage, w.date,
        ROW_NUMBER() OVER (
            PARTITION BY p.number, p.agent
            ORDER BY CASE WHEN w.date = h.date THEN 0 ELSE 1 END, COALESCE(w.stage, -2147483648) DESC, w.date DESC
        ) AS choice
    FROM (
        SELECT DISTINCT TOP (CAST(%(count)s AS INT)) v.number, v.agent
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
                a.agent = @agent
                AND CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
                AND a.number IS NOT NULL
        ) AS v
        WHERE
            @after_number IS NULL
            OR v.number > @after_number
            OR (v.number = @after_number AND v.agent > @after_agent)
        ORDER BY v.number, v.agent
    ) AS p
    OUTER APPLY (
        SELECT TOP (1) b.date
        FROM dbo.assignment_history AS b
        WHERE
            b.number = p.number AND b.agent = p.agent AND b.run_id = (
                SELECT MAX(r.run_id) FROM dbo.assignment_run AS r
                WHERE r.status = 'succeeded'
            )
    ) AS h
    LEFT JOIN (
        SELECT
            CAST(f.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
            f.stage,
            CAST(f.date AS DATETIME2(7)) AS date
        FROM dbo.wafunnel AS f
    ) AS w ON p.number = w.number
) AS c
WHERE c.choice = 1
ORDER BY c.number, c.agent;

-- name: deal_version
-- What tells one state of the deal from another: the newest run that dealt, and how many are undone.
SELECT
    (
        SELECT COALESCE(MAX(r.run_id), 0) FROM dbo.assignment_run AS r
        WHERE r.status IN ('succeeded', 'undone')
    ) AS newest,
    (SELECT COUNT(*) FROM dbo.assignment_undo) AS undone;

-- name: run_assignments
-- What a run dealt, after a number; date and stage are those before the run.
DECLARE @after NVARCHAR(255) = COALESCE(%(after)s, N'');

SELECT TOP (CAST(%(count)s AS INT)) h.agent, h.number, CAST(h.date AS DATETIME2(3)) AS date, h.stage
FROM dbo.assignment_history AS h
WHERE h.run_id = %(run_id)s AND h.number > @after
ORDER BY h.number;

-- name: leads
-- The leads, of a stage and between two days if they are given, after a number, stage and date; equal ones once. Dates
-- are told to the millisecond. Who has them is looked up for those of the page, not grouped for everybody before.
-- Numbers stay what the column has, without a CAST, so that our own key, which has the binary collation, gives them in
-- order. ISNULL, unlike COALESCE, takes the type of what comes first: the last number is compared as the column sorts.
DECLARE
    @stage INT = %(stage)s,
    @date_from DATETIME2(3) = %(date_from)s,
    @date_before DATETIME2(3) = %(date_before)s,
    @after_number NVARCHAR(255) = %(after_number)s,
    @after_stage BIGINT = COALESCE(%(after_stage)s, -2147483649),
    @after_date DATETIME2(3) = COALESCE(%(after_date)s, '0001-01-01');

SELECT
    CAST(p.number AS NVARCHAR(255)) AS number,
    p.stage,
    p.date,
    (
        SELECT MIN(CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2)
        FROM dbo.agent_wafunnel_assignment AS a
        WHERE a.number COLLATE Latin1_General_BIN2 = p.number
    ) AS agent,
    CASE
        WHEN EXISTS (
            SELECT 1 FROM dbo.do_not_contact AS d
            WHERE d.number = p.number
        ) THEN 1
        ELSE 0
    END AS do_not_contact,
    p.copies
FROM (
    SELECT TOP (CAST(%(count)s AS INT)) v.number, v.stage, v.date, COUNT(*) AS copies
    FROM (
        SELECT w.number COLLATE Latin1_General_BIN2 AS number, w.stage, CAST(w.date AS DATETIME2(3)) AS date
        FROM dbo.wafunnel AS w
        WHERE
            w.number <> ''
            AND w.number COLLATE Latin1_General_BIN2 >= ISNULL(
                (
                    SELECT f.number FROM dbo.wafunnel AS f
                    WHERE 1 = 0
                ),
                COALESCE(@after_number, N'')
            )
            AND (@stage IS NULL OR w.stage = @stage)
            AND (@date_from IS NULL OR w.date >= @date_from)
            AND (@date_before IS NULL OR w.date < @date_before)
    ) AS v
    WHERE
        @after_number IS NULL
        OR v.number <> @after_number
        OR COALESCE(CAST(v.stage AS BIGINT), -2147483649) > @after_stage
        OR (
            COALESCE(CAST(v.stage AS BIGINT), -2147483649) = @after_stage
            AND COALESCE(v.date, '0001-01-01') > @after_date
        )
    GROUP BY v.number, v.stage, v.date
    ORDER BY v.number, v.stage, v.date
) AS p
ORDER BY p.number, p.stage, p.date;

-- name: leads_of_number
-- The same, of the numbers that are one number in its several spellings. Compared in the column's own collation, too,
-- where an index may be; what is equal byte by byte is equal there.
DECLARE
    @spelling_1 NVARCHAR(255) = %(spelling_1)s,
    @spelling_2 NVARCHAR(255) = %(spelling_2)s,
    @spelling_3 NVARCHAR(255) = %(spelling_3)s,
    @spelling_4 NVARCHAR(255) = %(spelling_4)s,
    @spelling_5 NVARCHAR(255) = %(spelling_5)s,
    @stage INT = %(stage)s,
    @date_from DATETIME2(3) = %(date_from)s,
    @date_before DATETIME2(3) = %(date_before)s,
    @after_number NVARCHAR(255) = %(after_number)s,
    @after_stage BIGINT = COALESCE(%(after_stage)s, -2147483649),
    @after_date DATETIME2(3) = COALESCE(%(after_date)s, '0001-01-01');

SELECT
    p.number,
    p.stage,
    p.date,
    MIN(n.agent) AS agent,
    CASE
        WHEN EXISTS (
            SELECT 1 FROM dbo.do_not_contact AS d
            WHERE d.number = p.number
        ) THEN 1
        ELSE 0
    END AS do_not_contact,
    p.copies
FROM (
    SELECT TOP (CAST(%(count)s AS INT)) v.number, v.stage, v.date, COUNT(*) AS copies
    FROM (
        SELECT
            CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
            w.stage,
            CAST(w.date AS DATETIME2(3)) AS date
        FROM dbo.wafunnel AS w
        WHERE
            w.number <> '' AND w.number IN (@spelling_1, @spelling_2, @spelling_3, @spelling_4, @spelling_5)
            AND (@stage IS NULL OR w.stage = @stage)
            AND (@date_from IS NULL OR w.date >= @date_from)
            AND (@date_before IS NULL OR w.date < @date_before)
    ) AS v
    WHERE
        v.number IN (@spelling_1, @spelling_2, @spelling_3, @spelling_4, @spelling_5) AND (
            @after_number IS NULL
            OR v.number > @after_number
            OR (
                v.number = @after_number
                AND (
                    COALESCE(CAST(v.stage AS BIGINT), -2147483649) > @after_stage
                    OR (
                        COALESCE(CAST(v.stage AS BIGINT), -2147483649) = @after_stage
                        AND COALESCE(v.date, '0001-01-01') > @after_date
                    )
                )
            )
        )
    GROUP BY v.number, v.stage, v.date
    ORDER BY v.number, v.stage, v.date
) AS p
LEFT JOIN (
    SELECT
        CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
        CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent
    FROM dbo.agent_wafunnel_assignment AS a
) AS n ON p.number = n.number
GROUP BY p.number, p.stage, p.date, p.copies
ORDER BY p.number, p.stage, p.date;

-- name: lead_now
-- Who has a number now, and since when and why it is on the do-not-contact list; NULL where not.
DECLARE @number NVARCHAR(255) = %(number)s;

SELECT
    (
        SELECT MIN(CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2)
        FROM dbo.agent_wafunnel_assignment AS a
        WHERE CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @number
    ) AS agent,
    (
        SELECT d.added_at FROM dbo.do_not_contact AS d
        WHERE d.number = @number
    ) AS added_at,
    (
        SELECT d.reason FROM dbo.do_not_contact AS d
        WHERE d.number = @number
    ) AS reason;

-- name: pool_report
-- Each row of wafunnel, counted once, by the first of these that holds: it is unusable (a blank number, no stage, no
-- date); its number is in the present assignments; its stage is 4 or more; it is too old; its number is not to be
-- contacted; it waits behind another record of its number; it is in the pool and left over. The pool is that of the
-- deal.
DECLARE
    @oldest DATE = DATEADD(DAY, -%(window_days)s, CAST(%(business_date)s AS DATE)),
    @newest_first BIT = %(newest_first)s;

SELECT
    COALESCE(SUM(CASE WHEN k.reason = 'dealt' THEN 1 ELSE 0 END), 0) AS dealt,
    COALESCE(SUM(CASE WHEN k.reason = 'pool' AND k.occurrence = 1 THEN 1 ELSE 0 END), 0) AS left_over,
    COALESCE(SUM(CASE WHEN k.reason = 'at_stage_4' THEN 1 ELSE 0 END), 0) AS at_stage_4,
    COALESCE(SUM(CASE WHEN k.reason = 'too_old' THEN 1 ELSE 0 END), 0) AS too_old,
    COALESCE(SUM(CASE WHEN k.reason = 'do_not_contact' THEN 1 ELSE 0 END), 0) AS do_not_contact,
    COALESCE(SUM(CASE WHEN k.reason = 'pool' AND k.occurrence > 1 THEN 1 ELSE 0 END), 0) AS duplicate,
    COALESCE(SUM(CASE WHEN k.reason = 'unusable' THEN 1 ELSE 0 END), 0) AS unusable,
    COUNT(*) AS total
FROM (
    SELECT
        g.reason,
        DENSE_RANK() OVER (
            PARTITION BY g.reason, g.number
            ORDER BY
                g.stage,
                CASE WHEN @newest_first = 0 THEN g.date END,
                CASE WHEN @newest_first = 1 THEN g.date END DESC
        ) AS occurrence
    FROM (
        SELECT
            w.number, w.stage, w.date,
            CASE
                WHEN w.blank = 1 OR w.stage IS NULL OR w.date IS NULL THEN 'unusable'
                WHEN a.number IS NOT NULL THEN 'dealt'
                WHEN w.stage >= 4 THEN 'at_stage_4'
                WHEN w.date < @oldest THEN 'too_old'
                WHEN d.number IS NOT NULL THEN 'do_not_contact'
                ELSE 'pool'
            END AS reason
        FROM (
            SELECT
                CAST(f.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
                CASE WHEN f.number <> '' THEN 0 ELSE 1 END AS blank,
                f.stage,
                CAST(f.date AS DATETIME2(7)) AS date
            FROM dbo.wafunnel AS f
        ) AS w
        LEFT JOIN (
            SELECT DISTINCT CAST(b.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
            FROM dbo.agent_wafunnel_assignment AS b
        ) AS a ON w.number = a.number
        LEFT JOIN dbo.do_not_contact AS d ON w.number = d.number
    ) AS g
) AS k;
