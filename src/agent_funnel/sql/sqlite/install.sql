-- The installation: schema, tables, columns and version.

-- name: schema
-- Whether the schema exists. SQLite has one schema, which always exists.
SELECT 'main' AS name, 1 AS found;

-- name: objects
-- The names of the tables and views that exist.
SELECT s.name FROM sqlite_schema AS s WHERE s.type IN ('table', 'view') AND s.name NOT LIKE 'sqlite_%';

-- name: missing_columns
-- The columns that your three tables lack. A table that does not exist yet is left out.
WITH needed (table_name, column_name) AS (
    VALUES
    ('agents', 'agent'), ('agents', 'status'),
    ('wafunnel', 'number'), ('wafunnel', 'stage'), ('wafunnel', 'date'),
    ('agent_wafunnel_assignment', 'agent'), ('agent_wafunnel_assignment', 'number')
)

SELECT n.table_name, n.column_name
FROM needed AS n
WHERE EXISTS (SELECT 1 FROM pragma_table_info(n.table_name))
    AND NOT EXISTS (SELECT 1 FROM pragma_table_info(n.table_name) AS c WHERE lower(c.name) = n.column_name);

-- name: record_version
-- Records that the tables have this version now.
INSERT INTO agent_funnel_version (version, installed_at) VALUES (:version, strftime('%Y-%m-%d %H:%M:%f', 'now'));

-- name: row_versions
-- Whether readers wait for no writer; in SQLite's WAL mode they do not.
SELECT 1 AS is_on, NULL AS remedy;
