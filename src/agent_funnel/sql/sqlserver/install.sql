/*
The installation: schema, tables, columns and version, and the checksums of the procedures.
*/

-- name: schema
-- Whether the schema exists.
SELECT %(schema)s AS name, CASE WHEN SCHEMA_ID(%(schema)s) IS NULL THEN 0 ELSE 1 END AS found;

-- name: objects
-- The names of the tables, views, procedures and functions that exist in this schema.
SELECT o.name
FROM sys.objects AS o
WHERE o.schema_id = SCHEMA_ID(%(schema)s) AND o.type IN ('U', 'V', 'P', 'FN');

-- name: missing_columns
-- The columns that your three tables lack. A table that does not exist yet is left out.
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

-- name: column_types
-- The columns of your three tables that the deal uses, each with its type, the family of that type, and its size in
-- bytes. An alias type counts as the type that it stands for. Columns that do not exist are left out.
SELECT
    n.table_name,
    n.column_name,
    UPPER(COALESCE(t.type_name, N'of the database')) AS type_name,
    CASE
        WHEN t.type_name IN (N'char', N'varchar', N'nchar', N'nvarchar') THEN 'text'
        WHEN t.type_name IN (N'tinyint', N'smallint', N'int', N'bigint') THEN 'whole'
        WHEN t.type_name IN (N'date', N'smalldatetime', N'datetime', N'datetime2') THEN 'moment'
        WHEN t.type_name = N'datetimeoffset' THEN 'offset'
        WHEN t.type_name IN (N'float', N'real') THEN 'float'
        WHEN t.type_name IN (N'decimal', N'numeric', N'money', N'smallmoney') THEN 'exact'
        ELSE 'other'
    END AS family,
    CAST(t.max_length AS INT) AS size
FROM (
    VALUES
    (N'agents', N'agent'), (N'agents', N'status'),
    (N'wafunnel', N'number'), (N'wafunnel', N'stage'), (N'wafunnel', N'date'),
    (N'agent_wafunnel_assignment', N'agent'), (N'agent_wafunnel_assignment', N'number')
) AS n(table_name, column_name)
INNER JOIN (
    SELECT o.name AS table_name, c.name AS column_name, c.max_length, LOWER(TYPE_NAME(c.system_type_id)) AS type_name
    FROM sys.columns AS c
    INNER JOIN sys.objects AS o ON c.object_id = o.object_id
    WHERE o.schema_id = SCHEMA_ID(%(schema)s) AND o.type IN ('U', 'V')
) AS t ON n.table_name = t.table_name AND n.column_name = t.column_name;

-- name: record_version
-- Records that the tables have this version now.
INSERT INTO dbo.agent_funnel_version (version, installed_at) VALUES (%(version)s, SYSUTCDATETIME());

-- name: checksums
-- The checksums of the procedures, recorded when they were installed.
SELECT c.name, c.installed, c.script FROM dbo.agent_funnel_checksum AS c;

-- name: definitions
-- The texts of our procedures, as the server returns them: NULL for a login without VIEW DEFINITION, and for everybody
-- if the procedure is encrypted. @names has a comma before and after each name.
DECLARE @names NVARCHAR(4000) = %(names)s;

SELECT
    o.name,
    m.[definition],
    COALESCE(OBJECTPROPERTY(o.object_id, 'IsEncrypted'), 0) AS is_encrypted
FROM sys.objects AS o
LEFT JOIN sys.sql_modules AS m ON o.object_id = m.object_id
WHERE
    o.schema_id = SCHEMA_ID(%(schema)s) AND o.type IN ('P', 'FN')
    AND CHARINDEX(CONCAT(N',', o.name, N','), @names) > 0;

-- name: record_checksum
-- Records the checksum of a procedure, in the transaction of the installer.
DELETE FROM dbo.agent_funnel_checksum
WHERE name = %(procedure_name)s;

INSERT INTO dbo.agent_funnel_checksum (name, installed, script, recorded_at)
VALUES (%(procedure_name)s, %(installed)s, %(script)s, SYSUTCDATETIME());

-- name: row_versions
-- Whether readers see row versions and so wait for no writer, and the statement that turns this on.
SELECT
    CAST(d.is_read_committed_snapshot_on AS INT) AS is_on,
    N'ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE;' AS remedy
FROM sys.databases AS d
WHERE d.name = DB_NAME();
