-- `agent-funnel doctor`, 2 of 4: tables and indexes. These queries change nothing.

-- name: doctor_emptying
-- The reason why a deal could not empty the assignments, with a remedy: they must be a table.
SELECT
    'agent_wafunnel_assignment' AS table_name,
    'it is not a table' AS reason,
    'Rename the object that has this name now, and give the name to the table.' AS remedy
FROM sqlite_schema AS s
WHERE lower(s.name) = 'agent_wafunnel_assignment' AND s.type <> 'table';

-- name: doctor_delete_triggers
-- The triggers that each deal fires for the assignments that it deletes.
SELECT s.name
FROM sqlite_schema AS s
WHERE s.type = 'trigger' AND lower(s.tbl_name) = 'agent_wafunnel_assignment'
    AND upper(substr(s.sql, 1, instr(upper(s.sql), ' ON '))) LIKE '%DELETE%'
ORDER BY s.name;

-- name: doctor_indexes
-- The first two columns of every index of the two tables whose rows are looked up, except partial indexes.
SELECT
    t.name AS table_name,
    (SELECT c.name FROM pragma_index_info(i.name) AS c WHERE c.seqno = 0) AS first_column,
    (SELECT c.name FROM pragma_index_info(i.name) AS c WHERE c.seqno = 1) AS second_column
FROM (SELECT 'wafunnel' AS name UNION ALL SELECT 'agent_wafunnel_assignment') AS t
INNER JOIN pragma_index_list(t.name) AS i
WHERE NOT i.partial;

-- name: doctor_sizes
-- How many leads and assignments there are, and how many leads have a date from a day on.
SELECT
    (SELECT count(*) FROM wafunnel) AS leads,
    (SELECT count(*) FROM wafunnel AS w WHERE w.date >= :day) AS recent,
    (SELECT count(*) FROM agent_wafunnel_assignment) AS assignments;
