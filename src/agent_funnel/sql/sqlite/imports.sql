-- Imports: a temporary table takes the rows of a file, then one statement adds those that are new.
--
-- Until that statement, nothing is written but the temporary table, so no lock of the database is held.

-- name: number_columns
-- The longest text that both columns of numbers hold, NULL for any; and whether one of them holds whole numbers only.
-- SQLite holds any text in any column of these tables.
SELECT NULL AS longest, 0 AS whole;

-- name: begin_import
-- Creates the temporary table for the rows of a file; only this connection sees it. With 32 MB for each database, the
-- indexes are not read from the file again and again.
PRAGMA main.cache_size = -32000;

PRAGMA temp.cache_size = -32000;

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
-- Gives each staged lead the match key of its number, while nobody waits for it; returns the country of the keys.
CREATE TEMP TABLE staged_key (number TEXT PRIMARY KEY, match_key TEXT) WITHOUT ROWID;

INSERT INTO temp.staged_key (number, match_key)
WITH unkeyed AS (SELECT DISTINCT s.first AS number FROM temp.staged AS s),

-- include: _match_keys

SELECT k.number, k.match_key FROM keyed AS k;

UPDATE temp.staged SET match_key = k.match_key
FROM temp.staged_key AS k
WHERE k.number = staged.first;

SELECT coalesce(:country, (SELECT f.country FROM floor_country AS f)) AS country;

-- name: keep_staged_keys
-- Keeps the match keys of the staged leads that are stored: those of the next :most numbers after :after, '' for the
-- first ones. Returns the last of these numbers; NULL if there are no more.
INSERT INTO number_key (country, number, match_key, ending)
SELECT :country, n.first, n.match_key, substr(n.match_key, -4)
FROM (
    SELECT s.first, s.match_key FROM temp.staged AS s WHERE s.first > :after ORDER BY s.first LIMIT :most
) AS n
WHERE EXISTS (SELECT 1 FROM wafunnel AS w WHERE w.number = n.first COLLATE BINARY)
    AND NOT EXISTS (SELECT 1 FROM number_key AS k WHERE k.number = n.first AND k.country = :country);

SELECT max(n.first) AS last_number
FROM (SELECT s.first FROM temp.staged AS s WHERE s.first > :after ORDER BY s.first LIMIT :most) AS n;

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

-- name: compare_leads
-- traits: read-only
-- Finds the records of the staged leads that are there already. Returns how many leads are there in another spelling,
-- how many with another stage or date, as far as the file has these, and how many are on a do-not-contact list. For an
-- update, leads that are there in several records are set aside, since it is not clear which of these is meant.
CREATE TEMP TABLE staged_there (
    line INTEGER PRIMARY KEY, records INTEGER, number TEXT, stage, date TEXT, is_respelled INTEGER, is_different INTEGER
);

INSERT INTO temp.staged_there (line, records, number, stage, date)
SELECT r.line, count(*), min(r.number), min(r.stage), min(r.date)
FROM (
    SELECT s.line, w.number, w.stage, w.date
    FROM temp.staged AS s
    INNER JOIN wafunnel AS w ON w.number = s.first COLLATE BINARY
    UNION
    SELECT s.line, w.number, w.stage, w.date
    FROM temp.staged AS s
    INNER JOIN number_key AS k ON k.match_key = s.match_key
    INNER JOIN wafunnel AS w ON w.number = k.number COLLATE BINARY
    WHERE k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
) AS r
GROUP BY r.line;

CREATE TEMP TABLE staged_aside AS
SELECT t.line, t.records FROM temp.staged_there AS t WHERE :is_update AND t.records > 1;

DELETE FROM temp.staged WHERE line IN (SELECT a.line FROM temp.staged_aside AS a);

DELETE FROM temp.staged_there WHERE line IN (SELECT a.line FROM temp.staged_aside AS a);

UPDATE temp.staged_there
SET
    is_respelled = staged_there.number <> s.first,
    is_different = (:with_stage AND staged_there.stage IS NOT CAST(s.second AS INTEGER))
        OR (:with_date AND strftime('%Y-%m-%d %H:%M:%f', staged_there.date) IS NOT s.third)
FROM temp.staged AS s
WHERE s.line = staged_there.line;

SELECT
    (SELECT count(*) FROM temp.staged_there AS t WHERE t.is_respelled) AS respelled,
    (SELECT count(*) FROM temp.staged_there AS t WHERE t.is_different) AS differing,
    (SELECT count(*) FROM temp.staged_aside AS a) AS aside,
    (
        SELECT count(*) FROM temp.staged AS s
        WHERE s.match_key IN (
            SELECT k.match_key
            FROM do_not_contact_entry AS d
            INNER JOIN number_key AS k ON d.number = k.number
            WHERE k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
        )
    ) AS listed;

-- name: leads_aside
-- The first staged leads that were set aside, and how many records each of them has.
SELECT a.line, a.records FROM temp.staged_aside AS a
ORDER BY a.line
LIMIT :most;

-- name: compare_agents
-- traits: read-only
-- Finds the staged agents that are there already. Returns how many have another status there. An agent in several rows
-- is active if one of them is.
CREATE TEMP TABLE staged_there (line INTEGER PRIMARY KEY, status TEXT, is_different INTEGER);

INSERT INTO temp.staged_there (line, status, is_different)
SELECT a.line, a.status, a.status <> a.wanted
FROM (
    SELECT s.line, s.second AS wanted, min(CASE WHEN lower(trim(g.status)) = 'active' THEN 'active' ELSE 'inactive' END) AS status
    FROM temp.staged AS s
    INNER JOIN agents AS g ON g.agent = s.first COLLATE BINARY
    GROUP BY s.line, s.second
) AS a;

SELECT 0 AS respelled, count(*) AS differing, 0 AS listed FROM temp.staged_there AS t WHERE t.is_different;

-- name: kept_leads
-- The first staged leads that are there in another spelling, or with another stage or date, and what is there.
SELECT t.line, t.records, t.number, t.stage, t.date, t.is_respelled, t.is_different
FROM temp.staged_there AS t
WHERE t.is_respelled OR t.is_different
ORDER BY t.line
LIMIT :most;

-- name: kept_agents
-- The first staged agents that have another status there.
SELECT t.line, t.status
FROM temp.staged_there AS t
WHERE t.is_different
ORDER BY t.line
LIMIT :most;

-- name: import_leads
-- Adds the staged leads whose number does not exist yet, in any spelling, and keeps them on record for the import, if
-- there is one; returns how many were added.
DELETE FROM temp.staged
WHERE EXISTS (SELECT 1 FROM wafunnel AS w WHERE w.number = staged.first COLLATE BINARY)
    OR EXISTS (
        SELECT 1
        FROM number_key AS k
        INNER JOIN wafunnel AS w ON w.number = k.number COLLATE BINARY
        WHERE k.match_key = staged.match_key
            AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    );

INSERT INTO import_lead (import_id, number, stage, date, is_changed)
SELECT :import_id, s.first, CAST(s.second AS INTEGER), s.third, 0
FROM temp.staged AS s
WHERE :import_id IS NOT NULL
ORDER BY s.first;

INSERT INTO wafunnel (number, stage, date)
SELECT s.first, CAST(s.second AS INTEGER), s.third
FROM temp.staged AS s
ORDER BY s.first;

SELECT changes() AS added;

-- name: update_leads
-- Sets stage and date, as far as the file has them, of the staged leads that have others there, and keeps them on record
-- for the import, with what they were; returns how many they are. Only records that are still as they were compared.
INSERT INTO import_lead (import_id, number, stage, date, is_changed, stage_before, date_before)
SELECT DISTINCT
    :import_id,
    w.number,
    CASE WHEN :with_stage THEN CAST(s.second AS INTEGER) ELSE w.stage END,
    CASE WHEN :with_date THEN s.third ELSE w.date END,
    1,
    w.stage,
    w.date
FROM temp.staged_there AS t
INNER JOIN temp.staged AS s ON s.line = t.line
INNER JOIN wafunnel AS w ON w.number = t.number COLLATE BINARY AND w.stage IS t.stage AND w.date IS t.date
WHERE t.is_different AND (:with_stage OR w.stage IS NOT NULL) AND (:with_date OR w.date IS NOT NULL);

UPDATE wafunnel SET stage = l.stage, date = l.date
FROM import_lead AS l
WHERE l.import_id = :import_id AND l.is_changed AND wafunnel.number = l.number COLLATE BINARY
    AND wafunnel.stage IS l.stage_before AND wafunnel.date IS l.date_before;

SELECT count(*) AS changed FROM import_lead AS l WHERE l.import_id = :import_id AND l.is_changed;

-- name: _keep_added
-- Keeps the staged rows, which are new, on record for the import :import_id; NULL if there is none.
INSERT INTO import_row (import_id, line, key_text, value_text, days_text, is_changed)
SELECT :import_id, s.line, s.first, s.second, s.third, 0
FROM temp.staged AS s
WHERE :import_id IS NOT NULL;

-- name: update_agents
-- Sets the status of the staged agents that have another one there, and keeps them on record for the import; returns how
-- many they are.
INSERT INTO import_row (import_id, line, key_text, value_text, days_text, is_changed, value_before)
SELECT :import_id, s.line, s.first, s.second, NULL, 1, h.status
FROM temp.staged AS s
INNER JOIN temp.staged_there AS h ON h.line = s.line
WHERE h.is_different AND :import_id IS NOT NULL;

UPDATE agents SET status = t.wanted
FROM (
    SELECT s.first AS agent, s.second AS wanted
    FROM temp.staged AS s
    INNER JOIN temp.staged_there AS h ON h.line = s.line
    WHERE h.is_different
) AS t
WHERE agents.agent = t.agent COLLATE BINARY;

SELECT count(*) AS changed FROM temp.staged_there AS t WHERE t.is_different;

-- name: import_agents
-- Adds the staged agents whose name does not exist yet, and keeps them on record for the import, if there is one;
-- returns how many were added.
DELETE FROM temp.staged
WHERE EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = staged.first COLLATE BINARY);

-- include: _keep_added

INSERT INTO agents (agent, status)
SELECT s.first, s.second
FROM temp.staged AS s;

SELECT changes() AS added;

-- name: import_holidays
-- Adds the staged holidays whose day is not a holiday yet, and keeps them on record for the import, if there is one;
-- returns how many were added.
DELETE FROM temp.staged
WHERE EXISTS (SELECT 1 FROM holiday AS h WHERE h.day = staged.first);

-- include: _keep_added

INSERT INTO holiday (day, name)
SELECT s.first, nullif(s.second, '')
FROM temp.staged AS s;

SELECT changes() AS added;

-- name: key_limits
-- traits: read-only
-- Gives each staged limit a key: the agent with the days.
UPDATE temp.staged SET match_key = first || ' ' || third;

-- name: limits_of_nobody
-- The first staged limits of agents who do not exist.
SELECT s.line, s.first AS agent
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = s.first COLLATE BINARY)
ORDER BY s.line
LIMIT :most;

-- name: drop_limits_of_nobody
-- traits: read-only
-- Drops the staged limits of agents who do not exist; returns how many there were.
DELETE FROM temp.staged
WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = staged.first COLLATE BINARY);

SELECT changes() AS removed;

-- name: compare_limits
-- traits: read-only
-- Finds the staged limits whose agent has limits of the same days. Returns how many of them have another number there.
CREATE TEMP TABLE staged_there (line INTEGER PRIMARY KEY, max_records INTEGER, is_different INTEGER);

INSERT INTO temp.staged_there (line, max_records, is_different)
SELECT s.line, min(l.max_records), max(l.max_records = CAST(s.second AS INTEGER)) = 0
FROM temp.staged AS s
INNER JOIN agent_limit AS l
    ON l.agent = s.first AND l.starts_on = substr(s.third, 1, 10) AND coalesce(l.ends_on, '') = substr(s.third, 12)
GROUP BY s.line;

SELECT 0 AS respelled, count(*) AS differing, 0 AS listed FROM temp.staged_there AS t WHERE t.is_different;

-- name: kept_limits
-- The first staged limits that have another number there.
SELECT t.line, t.max_records
FROM temp.staged_there AS t
WHERE t.is_different
ORDER BY t.line
LIMIT :most;

-- name: import_limits
-- Adds the staged limits whose agent has none of the same days, and keeps them on record for the import, if there is
-- one; returns how many were added.
DELETE FROM temp.staged
WHERE EXISTS (
    SELECT 1 FROM agent_limit AS l
    WHERE l.agent = staged.first AND l.starts_on = substr(staged.third, 1, 10)
        AND coalesce(l.ends_on, '') = substr(staged.third, 12)
);

-- include: _keep_added

INSERT INTO agent_limit (agent, starts_on, ends_on, max_records)
SELECT s.first, substr(s.third, 1, 10), nullif(substr(s.third, 12), ''), CAST(s.second AS INTEGER)
FROM temp.staged AS s
ORDER BY s.line;

SELECT changes() AS added;
