-- `agent-funnel doctor`, 2 of 4: tables and indexes. These queries change nothing.

-- name: doctor_truncate
-- The reason why emptying the assignments would fail, with a remedy: they must be a table.
SELECT
    'it is no table' AS reason,
    'Give the table this name, and take what has it now out of the way.' AS remedy
FROM sqlite_schema AS s
WHERE lower(s.name) = 'agent_wafunnel_assignment' AND s.type <> 'table';

-- name: doctor_indexes
-- The first two columns of every index of the two tables whose rows are looked up, partial ones aside.
SELECT
    t.name AS table_name,
    (SELECT c.name FROM pragma_index_info(i.name) AS c WHERE c.seqno = 0) AS first_column,
    (SELECT c.name FROM pragma_index_info(i.name) AS c WHERE c.seqno = 1) AS second_column
FROM (SELECT 'wafunnel' AS name UNION ALL SELECT 'agent_wafunnel_assignment') AS t
INNER JOIN pragma_index_list(t.name) AS i
WHERE NOT i.partial;

-- name: doctor_sizes
-- How many rows the tables have whose indexes matter, and how many leads there are from a day on.
SELECT
    (SELECT count(*) FROM wafunnel) AS leads,
    (SELECT count(*) FROM wafunnel AS w WHERE w.date >= :day) AS recent,
    (SELECT count(*) FROM agent_wafunnel_assignment) AS assignments;
