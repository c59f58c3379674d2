-- The queries of the service on SQLite. Each has a name, a sentence and a body of one or more statements, which run in
-- one transaction; the rows are those of the last one. Parameters are named, `:like_this`.

-- name: ping
-- Answers if the database does.
SELECT 1 AS alive;

-- name: objects
-- The tables that are there, by name.
SELECT s.name FROM sqlite_schema AS s WHERE s.type IN ('table', 'view') AND s.name NOT LIKE 'sqlite_%';

-- name: columns
-- The columns of the brief's tables.
SELECT t.name AS table_name, c.name AS column_name
FROM (SELECT 'agents' AS name UNION ALL SELECT 'wafunnel' UNION ALL SELECT 'agent_wafunnel_assignment') AS t
INNER JOIN pragma_table_info(t.name) AS c;

-- name: version
-- The version of the tables, NULL before the first installation.
SELECT max(v.version) AS version FROM agent_funnel_version AS v;

-- name: record_version
-- Records that the tables are of this version now.
INSERT INTO agent_funnel_version (version, installed_at) VALUES (:version, strftime('%Y-%m-%d %H:%M:%f', 'now'));

-- name: last_run
-- The newest run that succeeded, undone ones aside.
SELECT
    r.run_id,
    r.business_date,
    r."trigger",
    r.status,
    r.agents,
    r.pool,
    r.per_agent,
    r.assigned,
    r.left_over,
    r.duplicates,
    r.suppressed,
    r.smallest_share,
    r.largest_share,
    r.started_at,
    r.finished_at
FROM assignment_run AS r
WHERE r.status = 'succeeded'
ORDER BY r.run_id DESC
LIMIT 1;

-- name: scheduled_run
-- The scheduled run of a business date, if it is done; an undone one is done too.
SELECT r.run_id FROM assignment_run AS r
WHERE r."trigger" = 'schedule' AND r.business_date = :business_date AND r.status IN ('succeeded', 'undone');

-- name: shares
-- How many leads of each stage each agent got in a run.
SELECT h.agent, h.stage, count(*) AS leads
FROM assignment_history AS h
WHERE h.run_id = :run_id
GROUP BY h.agent, h.stage
ORDER BY h.agent, h.stage;

-- name: count_leads
-- How many leads there are, and how many agents.
SELECT (SELECT count(*) FROM wafunnel) AS leads, (SELECT count(*) FROM agents) AS agents;

-- name: limits
-- All limits, the newest first among those of an agent.
SELECT l.limit_id, l.agent, l.starts_on, l.ends_on, l.max_records
FROM agent_limit AS l
ORDER BY l.agent, l.starts_on DESC, l.limit_id DESC;

-- name: add_limit
-- Adds a limit, and answers with it and with whether the agent is known.
INSERT INTO agent_limit (agent, starts_on, ends_on, max_records)
VALUES (:agent, :starts_on, :ends_on, :max_records);

SELECT l.limit_id, l.agent, l.starts_on, l.ends_on, l.max_records,
    EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = l.agent) AS known
FROM agent_limit AS l
WHERE l.limit_id = last_insert_rowid();

-- name: remove_limit
-- Removes a limit, and answers how many there were of it.
DELETE FROM agent_limit WHERE limit_id = :limit_id;

SELECT changes() AS removed;

-- name: do_not_contact
-- The numbers that are never dealt.
SELECT d.number, d.reason, d.added_at FROM do_not_contact AS d ORDER BY d.number;

-- name: add_do_not_contact
-- Puts a number on the list and takes it out of the present assignments; answers what was found.
DROP TABLE IF EXISTS temp.found;

CREATE TEMP TABLE found AS
SELECT
    (SELECT count(*) FROM do_not_contact AS d WHERE d.number = :number) AS listed,
    (SELECT count(*) FROM agent_wafunnel_assignment AS a WHERE a.number = :number) AS assignments,
    (SELECT count(*) FROM wafunnel AS w WHERE w.number = :number) AS leads;

INSERT INTO do_not_contact (number, reason, added_at)
SELECT :number, :reason, strftime('%Y-%m-%d %H:%M:%f', 'now')
WHERE NOT EXISTS (SELECT 1 FROM do_not_contact AS d WHERE d.number = :number);

DELETE FROM agent_wafunnel_assignment WHERE number = :number;

SELECT f.listed, f.assignments, f.leads FROM temp.found AS f;

-- name: remove_do_not_contact
-- Takes a number off the list, and answers how many there were of it.
DELETE FROM do_not_contact WHERE number = :number;

SELECT changes() AS removed;

-- name: begin_import
-- Makes room for the rows of a file, for this connection alone.
CREATE TEMP TABLE staged (first TEXT, second TEXT, third TEXT);

-- name: stage_rows
-- Takes rows in, as a JSON array of arrays of up to three texts.
INSERT INTO temp.staged (first, second, third)
SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), json_extract(j.value, '$[2]')
FROM json_each(:rows) AS j;

-- name: import_leads
-- Adds the staged leads whose number is not there yet.
INSERT INTO wafunnel (number, stage, date)
SELECT s.first, CAST(s.second AS INTEGER), s.third
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM wafunnel AS w WHERE w.number = s.first)
ORDER BY s.first;

SELECT changes() AS added;

-- name: import_agents
-- Adds the staged agents whose name is not there yet.
INSERT INTO agents (agent, status)
SELECT s.first, s.second
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = s.first);

SELECT changes() AS added;

-- name: end_import
-- Frees the room.
DROP TABLE IF EXISTS temp.staged;
