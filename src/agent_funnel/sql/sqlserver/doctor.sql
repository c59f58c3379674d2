/*
The questions of `agent-funnel doctor` on SQL Server. They change nothing, and need no right beyond those of the role
agent_funnel_service, except where it is said. Numbers of leads leave the database without all but their last three
characters.

  1. the server, the connection, the login     3. the data of the brief's tables
  2. tables, procedures, indexes               4. with --deep: whether stages, assignments and history agree
*/

-- name: doctor_engine
-- What kind of server this is. Babelfish calls itself a SQL Server, and tells the truth in a property of its own.
SELECT
    CAST(SERVERPROPERTY('EngineEdition') AS INT) AS engine_edition,
    CAST(SERVERPROPERTY('ProductVersion') AS NVARCHAR(128)) AS product_version,
    CAST(SERVERPROPERTY('Edition') AS NVARCHAR(128)) AS edition,
    CAST(SERVERPROPERTY('BabelfishVersion') AS NVARCHAR(128)) AS babelfish_version,
    @@VERSION AS version_text,
    d.compatibility_level
FROM sys.databases AS d
WHERE d.name = DB_NAME();

-- name: doctor_encryption
-- Whether this very connection is encrypted, and where it comes from. Needs VIEW SERVER STATE.
SELECT c.encrypt_option, c.client_net_address FROM sys.dm_exec_connections AS c
WHERE c.session_id = @@SPID;

-- name: doctor_clock
-- The server's clock, in UTC, and how many seconds its own time zone is ahead of that.
SELECT
    SYSUTCDATETIME() AS moment,
    DATEDIFF(SECOND, SYSUTCDATETIME(), SYSDATETIME()) AS ahead;

-- name: doctor_login
-- Who we are here, whether the role is ours, and what makes it so.
SELECT
    SUSER_SNAME() AS login_name,
    IS_ROLEMEMBER('agent_funnel_service') AS in_role,
    CONCAT(N'ALTER ROLE agent_funnel_service ADD MEMBER ', QUOTENAME(USER_NAME()), N';') AS remedy;

-- name: doctor_right
-- Whether this login has a right on an object.
SELECT HAS_PERMS_BY_NAME(%(object_name)s, 'OBJECT', %(permission)s) AS allowed;

-- name: doctor_columns
-- Columns that the brief's tables, where they are there, lack.
SELECT n.table_name, n.column_name
FROM (
    VALUES
    (N'agents', N'agent'), (N'agents', N'status'),
    (N'wafunnel', N'number'), (N'wafunnel', N'stage'), (N'wafunnel', N'date'),
    (N'agent_wafunnel_assignment', N'agent'), (N'agent_wafunnel_assignment', N'number')
) AS n(table_name, column_name)
INNER JOIN sys.objects AS o ON n.table_name = o.name
WHERE
    o.schema_id = SCHEMA_ID(%(schema)s) AND o.type IN ('U', 'V')
    AND NOT EXISTS (
        SELECT 1 FROM sys.columns AS c
        WHERE c.object_id = o.object_id AND c.name = n.column_name
    );

-- name: doctor_schemas
-- Other schemas that have tables of the brief's names, as far as this login sees them.
SELECT s.name AS schema_name, COUNT(*) AS found
FROM sys.objects AS o
INNER JOIN sys.schemas AS s ON o.schema_id = s.schema_id
WHERE
    o.name IN (N'agents', N'wafunnel', N'agent_wafunnel_assignment')
    AND o.type IN ('U', 'V', 'SN') AND o.schema_id <> SCHEMA_ID(%(schema)s)
GROUP BY s.name
ORDER BY s.name;

-- name: doctor_truncate
-- What would make TRUNCATE of the assignments fail, and what to do about it. A foreign key of a table that this login
-- must not see is known to be there, and no more.
SELECT
    CAST(CONCAT(
        N'the foreign key ', f.name, N' of ', OBJECT_SCHEMA_NAME(f.parent_object_id), N'.',
        OBJECT_NAME(f.parent_object_id), N' points to it'
    ) AS NVARCHAR(1000)) AS reason,
    CAST(CONCAT(
        N'ALTER TABLE ', QUOTENAME(OBJECT_SCHEMA_NAME(f.parent_object_id)), N'.',
        QUOTENAME(OBJECT_NAME(f.parent_object_id)), N' DROP CONSTRAINT ', QUOTENAME(f.name), N';'
    ) AS NVARCHAR(1000)) AS remedy
FROM sys.foreign_keys AS f
WHERE
    f.referenced_object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment')
    AND f.parent_object_id <> f.referenced_object_id
UNION ALL
SELECT
    N'the foreign key of a table that this login must not see points to it',
    N'Run `agent-funnel doctor` as the owner of the database, who sees it.'
WHERE
    OBJECTPROPERTY(OBJECT_ID(N'dbo.agent_wafunnel_assignment'), 'TableHasForeignRef') = 1
    AND NOT EXISTS (
        SELECT 1 FROM sys.foreign_keys AS f
        WHERE f.referenced_object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment')
    )
UNION ALL
SELECT
    N'it is published for replication',
    N'Take the table out of its publication, with sp_droparticle.'
FROM sys.tables AS t
WHERE
    t.object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment')
    AND (t.is_published = 1 OR t.is_replicated = 1 OR t.is_merge_published = 1)
UNION ALL
SELECT
    N'its changes are captured (CDC)',
    CAST(CONCAT(
        N'EXECUTE sys.sp_cdc_disable_table @source_schema = N''', OBJECT_SCHEMA_NAME(t.object_id),
        N''', @source_name = N''', t.name, N''', @capture_instance = N''all'';'
    ) AS NVARCHAR(1000))
FROM sys.tables AS t
WHERE t.object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment') AND t.is_tracked_by_cdc = 1
UNION ALL
SELECT
    N'it is a temporal table',
    N'ALTER TABLE dbo.agent_wafunnel_assignment SET (SYSTEM_VERSIONING = OFF);'
FROM sys.tables AS t
WHERE t.object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment') AND t.temporal_type <> 0
UNION ALL
SELECT
    N'it is memory-optimized',
    N'Make it anew as an ordinary table.'
FROM sys.tables AS t
WHERE t.object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment') AND t.is_memory_optimized = 1
UNION ALL
SELECT
    CAST(CONCAT(N'the indexed view ', OBJECT_SCHEMA_NAME(v.object_id), N'.', v.name, N' reads it') AS NVARCHAR(1000)),
    CAST(
        CONCAT(N'DROP VIEW ', QUOTENAME(OBJECT_SCHEMA_NAME(v.object_id)), N'.', QUOTENAME(v.name), N';')
        AS NVARCHAR(1000)
    )
FROM sys.views AS v
INNER JOIN sys.indexes AS i ON v.object_id = i.object_id
INNER JOIN sys.sql_modules AS m ON v.object_id = m.object_id
WHERE i.index_id = 1 AND CHARINDEX(N'agent_wafunnel_assignment', m.[definition]) > 0
UNION ALL
SELECT
    N'it is no table',
    N'Give the table this name, and take what has it now out of the way.'
FROM sys.objects AS o
WHERE o.object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment') AND o.type <> 'U';

-- name: doctor_indexes
-- The first two columns of every index of the two tables whose rows are looked up, disabled and filtered ones aside.
SELECT o.name AS table_name, a.name AS first_column, b.name AS second_column
FROM sys.objects AS o
INNER JOIN sys.indexes AS i ON o.object_id = i.object_id
INNER JOIN sys.index_columns AS k ON i.object_id = k.object_id AND i.index_id = k.index_id AND k.key_ordinal = 1
INNER JOIN sys.columns AS a ON k.object_id = a.object_id AND k.column_id = a.column_id
LEFT JOIN sys.index_columns AS l ON i.object_id = l.object_id AND i.index_id = l.index_id AND l.key_ordinal = 2
LEFT JOIN sys.columns AS b ON l.object_id = b.object_id AND l.column_id = b.column_id
WHERE
    o.schema_id = SCHEMA_ID(%(schema)s) AND o.name IN (N'wafunnel', N'agent_wafunnel_assignment')
    AND i.type IN (1, 2) AND i.is_disabled = 0 AND i.has_filter = 0;

-- name: doctor_sizes
-- How many rows the tables have whose indexes matter, and how many leads there are from a day on.
SELECT
    (SELECT COUNT(*) FROM dbo.wafunnel) AS leads,
    (
        SELECT COUNT(*) FROM dbo.wafunnel AS w
        WHERE w.date >= CAST(%(day)s AS DATE)
    ) AS recent,
    (SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment) AS assignments;

-- name: doctor_nulls
-- Rows that lack a value, by table and column; a blank name or number is none.
SELECT c.table_name, c.column_name, c.found
FROM (
    SELECT N'wafunnel' AS table_name, N'number' AS column_name, COUNT(*) AS found FROM dbo.wafunnel AS w
    WHERE w.number IS NULL OR LTRIM(w.number) = ''
    UNION ALL
    SELECT N'wafunnel', N'stage', COUNT(*) FROM dbo.wafunnel AS w
    WHERE w.stage IS NULL
    UNION ALL
    SELECT N'wafunnel', N'date', COUNT(*) FROM dbo.wafunnel AS w
    WHERE w.date IS NULL
    UNION ALL
    SELECT N'agents', N'agent', COUNT(*) FROM dbo.agents AS a
    WHERE a.agent IS NULL OR LTRIM(a.agent) = ''
    UNION ALL
    SELECT N'agents', N'status', COUNT(*) FROM dbo.agents AS a
    WHERE a.status IS NULL
    UNION ALL
    SELECT N'agent_wafunnel_assignment', N'agent', COUNT(*) FROM dbo.agent_wafunnel_assignment AS m
    WHERE m.agent IS NULL
    UNION ALL
    SELECT N'agent_wafunnel_assignment', N'number', COUNT(*) FROM dbo.agent_wafunnel_assignment AS m
    WHERE m.number IS NULL
) AS c
WHERE c.found > 0;

-- name: doctor_stages
-- Up to three stages that are none, and how many leads have them; in all in `leads`.
SELECT TOP (3) w.stage, COUNT(*) AS found, SUM(COUNT(*)) OVER () AS leads
FROM dbo.wafunnel AS w
WHERE w.stage NOT IN (1, 2, 3, 4)
GROUP BY w.stage
ORDER BY w.stage;

-- name: doctor_dates
-- How many leads have a date from a day on, and the last of these dates. A column of dates holds nothing but dates.
SELECT COUNT(*) AS leads, MAX(w.date) AS latest, 0 AS no_dates
FROM dbo.wafunnel AS w
WHERE w.date >= CAST(%(day)s AS DATE);

-- name: doctor_duplicates
-- Up to three numbers that stand in more than one row; how many there are in all, and in how many rows.
SELECT TOP (3)
    CONCAT(N'…', RIGHT(n.number, 3)) AS number,
    COUNT(*) OVER () AS numbers,
    SUM(n.copies) OVER () AS leads
FROM (
    SELECT v.number, COUNT(*) AS copies
    FROM (
        SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number FROM dbo.wafunnel AS w
        WHERE LTRIM(w.number) <> ''
    ) AS v
    GROUP BY v.number
    HAVING COUNT(*) > 1
) AS n
ORDER BY n.copies DESC, n.number ASC;

-- name: doctor_ambiguous
-- Up to three numbers with rows that share the date but not the stage; how many such dates of numbers there are in all.
SELECT TOP (3) CONCAT(N'…', RIGHT(n.number, 3)) AS number, COUNT(*) OVER () AS numbers
FROM (
    SELECT v.number, v.date
    FROM (
        SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number, w.date, w.stage
        FROM dbo.wafunnel AS w
        WHERE LTRIM(w.number) <> '' AND w.date IS NOT NULL
    ) AS v
    GROUP BY v.number, v.date
    HAVING MIN(v.stage) <> MAX(v.stage)
) AS n
ORDER BY n.number;

-- name: doctor_assigned_twice
-- Up to three numbers that are assigned more than once; how many there are in all.
SELECT TOP (3) CONCAT(N'…', RIGHT(n.number, 3)) AS number, COUNT(*) OVER () AS numbers
FROM (
    SELECT v.number
    FROM (
        SELECT CAST(m.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
        FROM dbo.agent_wafunnel_assignment AS m
        WHERE m.number IS NOT NULL
    ) AS v
    GROUP BY v.number
    HAVING COUNT(*) > 1
) AS n
ORDER BY n.number;

-- name: doctor_statuses
-- Up to three statuses that are neither active nor inactive, as the deal reads them; how many agents have one.
SELECT TOP (3) n.status, SUM(n.agents) OVER () AS agents
FROM (
    SELECT LOWER(LTRIM(RTRIM(a.status))) AS status, COUNT(*) AS agents
    FROM dbo.agents AS a
    GROUP BY LOWER(LTRIM(RTRIM(a.status)))
) AS n
WHERE n.status NOT IN ('active', 'inactive')
ORDER BY n.status;

-- name: doctor_watermark
-- What has happened up to now, to see whether anything happened while the questions below were asked.
SELECT
    (SELECT MAX(r.run_id) FROM dbo.assignment_run AS r) AS last_id,
    (SELECT COUNT(*) FROM dbo.assignment_run) AS runs,
    (SELECT COUNT(*) FROM dbo.assignment_undo) AS undos,
    (SELECT COUNT(*) FROM dbo.assignment_purge) AS purges,
    (SELECT COUNT(*) FROM dbo.do_not_contact) AS listed;

-- name: doctor_records
-- Everything in the records of runs that no run and no undo can leave behind: the fact, the run, what is there and what
-- should be. No row where all is well. Runs whose history is purged are held to what is left of them.
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
                SELECT g.run_id, g.agent, COUNT(*) AS leads FROM dbo.assignment_history AS g
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
-- How the assignments differ from what the newest run that is not undone dealt (`base_id`), or from what the last undo
-- after it brought back (`undone_id`): rows that came and rows that have gone since. Numbers on the do-not-contact list
-- are not missed. `purged` is 1 if what that run dealt is no longer known.
DECLARE @base_id BIGINT, @undone_id BIGINT, @purged INT;

SELECT @base_id = MAX(r.run_id) FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded';

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
    COALESCE(SUM(CASE WHEN d.present > d.due THEN d.present - d.due END), 0) AS came,
    COALESCE(SUM(CASE WHEN d.present < d.due THEN d.due - d.present END), 0) AS gone
FROM (
    SELECT b.agent, b.number, SUM(b.due) AS due, SUM(b.present) AS present
    FROM (
        SELECT h.agent, h.number, CASE WHEN d.number IS NULL THEN 1 ELSE 0 END AS due, 0 AS present
        FROM dbo.assignment_history AS h
        LEFT JOIN dbo.do_not_contact AS d ON h.number = d.number
        WHERE
            h.run_id = @base_id
            AND NOT EXISTS (
                SELECT 1 FROM dbo.assignment_edit AS e
                WHERE e.run_id = @undone_id AND e.number = h.number AND e.agent = h.agent
            )
        UNION ALL
        SELECT e.agent, e.number, CASE WHEN d.number IS NULL THEN e.copies ELSE 0 END, 0
        FROM dbo.assignment_edit AS e
        LEFT JOIN dbo.do_not_contact AS d ON e.number = d.number
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
) AS d;

-- name: doctor_leads
-- Every lead by the last run that dealt it and is not undone: how many are no more as that run left them. One row for
-- those of the newest run (`newest` is 1), one for those of the runs before.
DECLARE @base_id BIGINT;

SELECT @base_id = MAX(r.run_id) FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded';

SELECT
    CASE WHEN h.run_id = @base_id THEN 1 ELSE 0 END AS newest,
    COUNT(*) AS leads,
    COUNT(*) - COUNT(w.number) AS changed,
    MAX(h.run_id) AS run_id
FROM (
    SELECT
        g.run_id, g.number, g.date, g.stage,
        ROW_NUMBER() OVER (PARTITION BY g.number, g.date ORDER BY g.run_id DESC) AS age
    FROM dbo.assignment_history AS g
    INNER JOIN dbo.assignment_run AS r ON g.run_id = r.run_id
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
        CAST(v.date AS DATETIME2(7)) AS date,
        v.stage
    FROM dbo.wafunnel AS v
) AS w ON h.number = w.number AND h.date = w.date AND h.stage + 1 = w.stage
WHERE h.age = 1
GROUP BY CASE WHEN h.run_id = @base_id THEN 1 ELSE 0 END
ORDER BY newest DESC;

-- name: doctor_listed
-- Up to three numbers that are assigned although they are on the do-not-contact list; how many there are in all.
SELECT TOP (3) CONCAT(N'…', RIGHT(n.number, 3)) AS number, COUNT(*) OVER () AS numbers
FROM (
    SELECT DISTINCT d.number
    FROM dbo.agent_wafunnel_assignment AS m
    INNER JOIN dbo.do_not_contact AS d ON CAST(m.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = d.number
) AS n
ORDER BY n.number;
