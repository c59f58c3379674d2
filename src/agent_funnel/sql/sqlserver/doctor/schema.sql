/*
`agent-funnel doctor`, 2 of 4: tables and indexes, and other schemas. These queries change nothing.
*/

-- name: doctor_schemas
-- Other schemas that have tables with the names of your three tables, as far as this login can see them.
SELECT s.name AS schema_name, COUNT(*) AS found
FROM sys.objects AS o
INNER JOIN sys.schemas AS s ON o.schema_id = s.schema_id
WHERE
    o.name IN (N'agents', N'wafunnel', N'agent_wafunnel_assignment')
    AND o.type IN ('U', 'V', 'SN') AND o.schema_id <> SCHEMA_ID(%(schema)s)
GROUP BY s.name
ORDER BY s.name;

-- name: doctor_emptying
-- The reasons why DELETE of all assignments would fail, each with a remedy, and the tables of yours that a deal cannot
-- read. If this login cannot see the table of a foreign key, only the existence of the key is known. A memory-optimized
-- table takes no lock as a whole, and in a transaction it can be read only if the database reads it in a snapshot.
SELECT
    N'agent_wafunnel_assignment' AS table_name,
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
    N'agent_wafunnel_assignment',
    N'a foreign key of a table that this login cannot see points to it',
    N'Run `agent-funnel doctor` as the owner of the database, who can see the table.'
WHERE
    OBJECTPROPERTY(OBJECT_ID(N'dbo.agent_wafunnel_assignment'), 'TableHasForeignRef') = 1
    AND NOT EXISTS (
        SELECT 1 FROM sys.foreign_keys AS f
        WHERE f.referenced_object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment')
    )
UNION ALL
SELECT
    t.name,
    N'it is memory-optimized',
    N'Create it again as an ordinary table.'
FROM sys.tables AS t
INNER JOIN sys.databases AS d ON d.name = DB_NAME()
WHERE
    t.is_memory_optimized = 1
    AND (
        t.object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment')
        OR (
            t.object_id IN (OBJECT_ID(N'dbo.wafunnel'), OBJECT_ID(N'dbo.agents'))
            AND d.is_memory_optimized_elevate_to_snapshot_on = 0
        )
    )
UNION ALL
SELECT
    N'agent_wafunnel_assignment',
    N'it is not a table',
    N'Rename the object that has this name now, and give the name to the table.'
FROM sys.objects AS o
WHERE o.object_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment') AND o.type <> 'U';

-- name: doctor_delete_triggers
-- The triggers that each deal fires for the assignments that it deletes.
SELECT t.name
FROM sys.triggers AS t
INNER JOIN sys.trigger_events AS e ON t.object_id = e.object_id
WHERE
    t.parent_id = OBJECT_ID(N'dbo.agent_wafunnel_assignment') AND t.is_disabled = 0 AND e.type_desc = N'DELETE'
ORDER BY t.name;

-- name: doctor_indexes
-- The first two columns of every index of the two tables whose rows are looked up, except disabled and filtered
-- indexes.
SELECT
    OBJECT_NAME(i.object_id) AS table_name,
    MAX(CASE WHEN k.key_ordinal = 1 THEN COL_NAME(k.object_id, k.column_id) END) AS first_column,
    MAX(CASE WHEN k.key_ordinal = 2 THEN COL_NAME(k.object_id, k.column_id) END) AS second_column
FROM sys.indexes AS i
INNER JOIN sys.index_columns AS k ON i.object_id = k.object_id AND i.index_id = k.index_id
WHERE
    i.object_id IN (OBJECT_ID(N'dbo.wafunnel'), OBJECT_ID(N'dbo.agent_wafunnel_assignment'))
    AND i.type IN (1, 2) AND i.is_disabled = 0 AND i.has_filter = 0
GROUP BY i.object_id, i.index_id;

-- name: doctor_sizes
-- How many leads and assignments there are, and how many leads have a date from a day on.
SELECT
    (SELECT COUNT(*) FROM dbo.wafunnel) AS leads,
    (
        SELECT COUNT(*) FROM dbo.wafunnel AS w
        WHERE w.date >= CAST(%(day)s AS DATE)
    ) AS recent,
    (SELECT COUNT(*) FROM dbo.agent_wafunnel_assignment) AS assignments;
