-- Imports: a temporary table takes the rows of a file, then one statement adds those that are new.

-- name: begin_import
-- Creates the temporary table for the rows of a file; only this connection sees it.
CREATE TEMP TABLE staged (first TEXT, second TEXT, third TEXT);

-- name: stage_rows
-- Stages rows, given as a JSON array of arrays of up to three texts.
INSERT INTO temp.staged (first, second, third)
SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), json_extract(j.value, '$[2]')
FROM json_each(:rows) AS j;

-- name: import_leads
-- Adds the staged leads whose number does not exist yet; returns how many were added.
INSERT INTO wafunnel (number, stage, date)
SELECT s.first, CAST(s.second AS INTEGER), s.third
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM wafunnel AS w WHERE w.number = s.first COLLATE BINARY)
ORDER BY s.first;

SELECT changes() AS added;

-- name: import_agents
-- Adds the staged agents whose name does not exist yet; returns how many were added.
INSERT INTO agents (agent, status)
SELECT s.first, s.second
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = s.first COLLATE BINARY);

SELECT changes() AS added;

-- name: import_holidays
-- Adds the staged holidays whose day is not a holiday yet; returns how many were added.
INSERT INTO holiday (day, name)
SELECT s.first, nullif(s.second, '')
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM holiday AS h WHERE h.day = s.first);

SELECT changes() AS added;

-- name: end_import
-- Drops the temporary table.
DROP TABLE IF EXISTS temp.staged;
