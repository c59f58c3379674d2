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

-- name: column_types
-- The columns of your three tables that the deal uses, each with its declared type, the family of that type, and its
-- size in bytes. SQLite stores any value in any column, except that it changes texts that look like numbers in columns
-- of some types; the family says what becomes of the values that belong there. Columns that do not exist are left out.
WITH needed (table_name, column_name, family) AS (
    VALUES
    ('agents', 'agent', 'text'), ('agents', 'status', 'text'),
    ('wafunnel', 'number', 'text'), ('wafunnel', 'stage', 'whole'), ('wafunnel', 'date', 'moment'),
    ('agent_wafunnel_assignment', 'agent', 'text'), ('agent_wafunnel_assignment', 'number', 'text')
)

SELECT
    n.table_name,
    n.column_name,
    c.type AS type_name,
    CASE
        -- A date is a text that does not look like a number, so it is stored unchanged whatever the type.
        WHEN n.column_name = 'date' OR c.type = '' OR upper(c.type) LIKE '%BLOB%' THEN n.family
        WHEN upper(c.type) LIKE '%INT%' THEN iif(n.family = 'whole', 'whole', 'number')
        WHEN upper(c.type) LIKE '%CHAR%' OR upper(c.type) LIKE '%CLOB%' OR upper(c.type) LIKE '%TEXT%' THEN 'text'
        ELSE 'number'
    END AS family,
    8 AS size
FROM needed AS n
INNER JOIN pragma_table_info(n.table_name) AS c ON lower(c.name) = n.column_name;

-- name: record_version
-- Records that the tables have this version now.
INSERT INTO agent_funnel_version (version, installed_at) VALUES (:version, strftime('%Y-%m-%d %H:%M:%f', 'now'));

-- name: row_versions
-- Whether readers wait for no writer; in SQLite's WAL mode they do not.
SELECT 1 AS is_on, NULL AS remedy;
