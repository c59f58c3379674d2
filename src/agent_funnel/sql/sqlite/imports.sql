-- Imports: a temporary table takes the rows of a file, then one statement adds those that are new.
--
-- Until that statement, nothing is written but the temporary table, so no lock of the database is held.

-- name: room_for_numbers
-- The longest text that both columns of numbers hold, NULL for any; and whether one of them holds whole numbers only.
-- SQLite holds any text in any column of these tables.
SELECT NULL AS longest, 0 AS whole;

-- name: begin_import
-- Creates the temporary table for the rows of a file; only this connection sees it.
CREATE TEMP TABLE staged (line INTEGER PRIMARY KEY, first TEXT, second TEXT, third TEXT, match_key TEXT);

-- name: stage_rows
-- Stages rows, given as a JSON array of arrays: the line, and up to three texts.
INSERT INTO temp.staged (line, first, second, third)
SELECT
    json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), json_extract(j.value, '$[2]'),
    json_extract(j.value, '$[3]')
FROM json_each(:rows) AS j;

-- name: sort_staged
-- Sorts the staged rows by their key, while nobody waits for it. The index has all columns, so that adding the rows,
-- for which others wait, reads it from end to end: five times as fast as fetching each row by its line.
CREATE INDEX temp.staged_by_key ON staged (first, second, third);

-- name: key_staged
-- traits: read-only
-- Gives each staged lead the match key of its number, while nobody waits for it.
CREATE TEMP TABLE staged_key (number TEXT PRIMARY KEY, match_key TEXT) WITHOUT ROWID;

INSERT INTO temp.staged_key (number, match_key)
WITH unkeyed AS (SELECT DISTINCT s.first AS number FROM temp.staged AS s),

-- include: _match_keys

SELECT k.number, k.match_key FROM keyed AS k;

UPDATE temp.staged SET match_key = k.match_key
FROM temp.staged_key AS k
WHERE k.number = staged.first;

-- name: repeated_rows
-- The first staged rows whose key is on an earlier line, and that line. The key of a lead is its match key.
SELECT r.line, r.first_line
FROM (
    SELECT s.line, min(s.line) OVER (PARTITION BY coalesce(s.match_key, s.first)) AS first_line
        FROM temp.staged AS s
) AS r
WHERE r.line > r.first_line
ORDER BY r.line
LIMIT :most;

-- name: drop_repeated
-- traits: read-only
-- Drops the staged rows whose key is on an earlier line; returns how many there were.
DELETE FROM temp.staged
WHERE line IN (
    SELECT r.line
    FROM (
        SELECT s.line, min(s.line) OVER (PARTITION BY coalesce(s.match_key, s.first)) AS first_line
        FROM temp.staged AS s
    ) AS r
    WHERE r.line > r.first_line
);

SELECT changes() AS dropped;

-- name: import_leads
-- Adds the staged leads whose number does not exist yet, in any spelling; returns how many were added.
INSERT INTO wafunnel (number, stage, date)
SELECT s.first, CAST(s.second AS INTEGER), s.third
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM wafunnel AS w WHERE w.number = s.first COLLATE BINARY)
    AND NOT EXISTS (
        SELECT 1
        FROM number_key AS k
        INNER JOIN wafunnel AS w ON w.number = k.number COLLATE BINARY
        WHERE k.match_key = s.match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    )
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
