/*
What is installed: schema, tables, columns and version, and the checksums of the procedures.
*/

-- name: schema
-- Whether the schema is there.
SELECT %(schema)s AS name, CASE WHEN SCHEMA_ID(%(schema)s) IS NULL THEN 0 ELSE 1 END AS found;

-- name: objects
-- The tables, views and procedures that are there in this schema, by name.
SELECT o.name
FROM sys.objects AS o
WHERE o.schema_id = SCHEMA_ID(%(schema)s) AND o.type IN ('U', 'V', 'P');

-- name: missing_columns
-- The columns that your three tables lack; a table that does not exist yet lacks none.
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

-- name: version
-- The version of the tables, NULL before the first installation.
SELECT MAX(v.version) AS version FROM dbo.agent_funnel_version AS v;

-- name: record_version
-- Records that the tables are of this version now.
INSERT INTO dbo.agent_funnel_version (version, installed_at) VALUES (%(version)s, SYSUTCDATETIME());

-- name: checksums
-- The checksums of the procedures at the time of their installation.
SELECT c.name, c.installed, c.script FROM dbo.agent_funnel_checksum AS c;

-- name: definition
-- The text of a procedure of ours as the server gives it: NULL to a login without VIEW DEFINITION, and to everybody if
-- the procedure is encrypted.
SELECT m.[definition], COALESCE(OBJECTPROPERTY(o.object_id, 'IsEncrypted'), 0) AS is_encrypted
FROM sys.objects AS o
LEFT JOIN sys.sql_modules AS m ON o.object_id = m.object_id
WHERE o.schema_id = SCHEMA_ID(%(schema)s) AND o.name = %(procedure_name)s AND o.type = 'P';

-- name: record_checksum
-- Records the checksum of a procedure, within the transaction of the installer.
DELETE FROM dbo.agent_funnel_checksum
WHERE name = %(procedure_name)s;

INSERT INTO dbo.agent_funnel_checksum (name, installed, script, recorded_at)
VALUES (%(procedure_name)s, %(installed)s, %(script)s, SYSUTCDATETIME());
