/*
Imports: a temporary table takes the rows of a file, then one statement adds those that are new.

Until that statement, nothing is written but the temporary table, so no lock of the database is held.
*/

-- name: number_columns
-- The longest text that both columns of numbers hold, NULL for any; and whether one of them holds whole numbers only.
SELECT
    MIN(
        CASE
            WHEN c.type_name IN (N'char', N'varchar') AND c.max_length > 0 THEN c.max_length
            WHEN c.type_name IN (N'nchar', N'nvarchar') AND c.max_length > 0 THEN c.max_length / 2
        END
    ) AS longest,
    MAX(CASE WHEN c.type_name IN (N'int', N'bigint') THEN 1 ELSE 0 END) AS whole
FROM (
    SELECT CAST(n.max_length AS INT) AS max_length, LOWER(TYPE_NAME(n.system_type_id)) AS type_name
    FROM sys.columns AS n
    INNER JOIN sys.objects AS o ON n.object_id = o.object_id
    WHERE
        o.schema_id = SCHEMA_ID(%(schema)s) AND o.type IN ('U', 'V')
        AND o.name IN (N'wafunnel', N'agent_wafunnel_assignment') AND n.name = N'number'
) AS c;

-- name: begin_import
-- Creates the temporary table for the rows of a file; only this connection sees it.
CREATE TABLE #staged (
    line INT NOT NULL,
    first NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    second NVARCHAR(255) NULL,
    third NVARCHAR(255) NULL,
    match_key NVARCHAR(300) COLLATE Latin1_General_BIN2 NULL -- of the number of a lead, or of a limit
);

-- name: stage_rows
-- Stages rows, given as a JSON array of arrays: the line, and up to three texts.
INSERT INTO #staged (line, first, second, third)
SELECT j.line, j.first, j.second, j.third
FROM OPENJSON (%(rows)s) WITH (
    line INT '$[0]', first NVARCHAR(255) '$[1]', second NVARCHAR(255) '$[2]', third NVARCHAR(255) '$[3]'
) AS j;

-- name: sort_staged
-- Sorts the staged rows by their key, while nobody waits for it.
-- Babelfish leaves the escapes of JSON as they are, \" and \\. They go once, when all rows are there. CHARINDEX is no
-- way to find them: that engine may lose a temporary table in a function of its own, while others create many tables.
IF SERVERPROPERTY(N'BabelfishVersion') IS NOT NULL
    UPDATE #staged
    SET
        first = REPLACE(REPLACE(REPLACE(first, N'\\', NCHAR(1)), N'\"', N'"'), NCHAR(1), N'\'),
        second = REPLACE(REPLACE(REPLACE(second, N'\\', NCHAR(1)), N'\"', N'"'), NCHAR(1), N'\'),
        third = REPLACE(REPLACE(REPLACE(third, N'\\', NCHAR(1)), N'\"', N'"'), NCHAR(1), N'\')
    WHERE
        first LIKE N'%\%' ESCAPE N'!'
        OR second COLLATE Latin1_General_BIN2 LIKE N'%\%' ESCAPE N'!'
        OR third COLLATE Latin1_General_BIN2 LIKE N'%\%' ESCAPE N'!';

CREATE CLUSTERED INDEX staged_by_key ON #staged (first, line);

-- name: key_staged
-- traits: read-only
-- Gives each staged lead the match key of its number, while nobody waits for it; returns the country of the keys.
DECLARE @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

UPDATE #staged SET match_key = dbo.fn_match_key(first, @country);

SELECT @country AS country;

-- name: keep_staged_keys
-- lock: records
-- busy: A run is still in progress; no match key was kept. Try again when the run has ended.
-- Keeps the match keys of the staged leads that are stored: those of the next @most numbers after @after, '' for the
-- first ones. Returns the last of these numbers; NULL if there are no more.
-- include: _greatest_numbers

DECLARE
    @country VARCHAR(2) = %(country)s,
    @after NVARCHAR(255) = %(after)s,
    @most INT = %(most)s;

INSERT INTO dbo.number_key (country, number, match_key, ending)
SELECT @country, n.first, n.match_key, RIGHT(n.match_key, 4)
FROM (
    SELECT TOP (@most)
        s.first,
        s.match_key
    FROM #staged AS s
    WHERE s.first > @after
    ORDER BY s.first
) AS n
WHERE
    EXISTS (
        SELECT 1 FROM dbo.wafunnel AS w
        WHERE
            w.number = ISNULL(
                (
                    SELECT f.number FROM dbo.wafunnel AS f
                    WHERE 1 = 0
                ),
                CASE
                    WHEN
                        @greatest_lead IS NULL
                        OR TRY_CAST(n.first AS BIGINT) BETWEEN -@greatest_lead AND @greatest_lead
                        THEN CAST(CAST(n.first AS SQL_VARIANT) AS NVARCHAR(255))
                END
            )
            AND CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = n.first
    )
    AND NOT EXISTS (
        SELECT 1 FROM dbo.number_key AS k
        WHERE k.number = n.first AND k.country = @country
    );

SELECT MAX(n.first) AS last_number
FROM (
    SELECT TOP (@most) s.first
    FROM #staged AS s
    WHERE s.first > @after
    ORDER BY s.first
) AS n;

-- name: repeated_rows
-- The first staged rows whose key is on an earlier line, and that line. The key of a lead is its match key.
SELECT TOP (%(most)s) r.line, r.first_line
FROM (
    SELECT s.line, MIN(s.line) OVER (PARTITION BY COALESCE(s.match_key, s.first)) AS first_line FROM #staged AS s
) AS r
WHERE r.line > r.first_line
ORDER BY r.line;

-- name: drop_repeated
-- traits: read-only
-- Drops the staged rows whose key is on an earlier line; returns how many there were.
DELETE FROM #staged
WHERE line IN (
    SELECT r.line
    FROM (
        SELECT s.line, MIN(s.line) OVER (PARTITION BY COALESCE(s.match_key, s.first)) AS first_line FROM #staged AS s
    ) AS r
    WHERE r.line > r.first_line
);

SELECT @@ROWCOUNT AS dropped;

-- name: compare_leads
-- traits: read-only
-- Finds the records of the staged leads that are there already. Returns how many leads are there in another spelling,
-- how many with another stage or date, as far as the file has these, and how many are on a do-not-contact list. For an
-- update, leads that are there in several records are set aside, since it is not clear which of these is meant.
DECLARE @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

CREATE TABLE #staged_there (
    line INT NOT NULL,
    records INT NOT NULL,
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NULL,
    stage INT NULL,
    date DATETIME NULL,
    is_respelled INT NOT NULL DEFAULT 0,
    is_different INT NOT NULL DEFAULT 0
);

INSERT INTO #staged_there (line, records, number, stage, date)
SELECT r.line, COUNT(*) AS records, MIN(r.number) AS number, MIN(r.stage) AS stage, MIN(r.date) AS date
FROM (
    SELECT
        s.line,
        CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
        CAST(w.stage AS INT) AS stage,
        TRY_CAST(w.date AS DATETIME) AS date
    FROM #staged AS s
    INNER JOIN dbo.wafunnel AS w ON s.first = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
    UNION
    SELECT
        s.line,
        CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
        CAST(w.stage AS INT) AS stage,
        TRY_CAST(w.date AS DATETIME) AS date
    FROM #staged AS s
    INNER JOIN dbo.number_key AS k ON s.match_key = k.match_key AND k.country = @country
    INNER JOIN dbo.wafunnel AS w ON k.number = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
) AS r
GROUP BY r.line;

CREATE TABLE #staged_aside (line INT NOT NULL, records INT NOT NULL);

INSERT INTO #staged_aside (line, records)
SELECT t.line, t.records FROM #staged_there AS t
WHERE %(is_update)s = 1 AND t.records > 1;

DELETE FROM #staged
WHERE line IN (SELECT a.line FROM #staged_aside AS a);

DELETE FROM #staged_there
WHERE line IN (SELECT a.line FROM #staged_aside AS a);

UPDATE t
SET
    t.is_respelled = CASE WHEN t.number <> s.first THEN 1 ELSE 0 END,
    t.is_different = CASE
        WHEN %(with_stage)s = 1 AND COALESCE(t.stage, 0) <> CAST(s.second AS INT) THEN 1
        WHEN %(with_date)s = 1 AND t.date IS NULL THEN 1
        WHEN %(with_date)s = 1 AND t.date <> CAST(REPLACE(s.third, ' ', 'T') AS DATETIME) THEN 1
        ELSE 0
    END
FROM #staged_there AS t
INNER JOIN #staged AS s ON t.line = s.line;

SELECT
    (SELECT SUM(t.is_respelled) FROM #staged_there AS t) AS respelled,
    (SELECT SUM(t.is_different) FROM #staged_there AS t) AS differing,
    (SELECT COUNT(*) FROM #staged_aside) AS aside,
    (
        SELECT COUNT(*) FROM #staged AS s
        WHERE s.match_key IN (
            SELECT k.match_key
            FROM dbo.do_not_contact_entry AS d
            INNER JOIN dbo.number_key AS k ON d.number = k.number
            WHERE k.country = @country
        )
    ) AS listed;

-- name: leads_aside
-- The first staged leads that were set aside, and how many records each of them has.
SELECT TOP (%(most)s) a.line, a.records FROM #staged_aside AS a
ORDER BY a.line;

-- name: compare_agents
-- traits: read-only
-- Finds the staged agents that are there already. Returns how many have another status there. An agent in several rows
-- is active if one of them is.
CREATE TABLE #staged_there (line INT NOT NULL, status VARCHAR(8) NOT NULL, is_different INT NOT NULL);

INSERT INTO #staged_there (line, status, is_different)
SELECT a.line, a.status, CASE WHEN a.status <> a.wanted THEN 1 ELSE 0 END AS is_different
FROM (
    SELECT
        s.line,
        s.second AS wanted,
        MIN(
            CASE
                WHEN LOWER(LTRIM(RTRIM(g.status)) COLLATE Latin1_General_BIN2) = N'active' THEN 'active' ELSE 'inactive'
            END
        ) AS status
    FROM #staged AS s
    INNER JOIN dbo.agents AS g ON s.first = CAST(g.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
    GROUP BY s.line, s.second
) AS a;

SELECT 0 AS respelled, SUM(t.is_different) AS differing, 0 AS listed FROM #staged_there AS t;

-- name: kept_leads
-- The first staged leads that are there in another spelling, or with another stage or date, and what is there.
SELECT TOP (%(most)s) t.line, t.records, t.number, t.stage, t.date, t.is_respelled, t.is_different
FROM #staged_there AS t
WHERE t.is_respelled = 1 OR t.is_different = 1
ORDER BY t.line;

-- name: kept_agents
-- The first staged agents that have another status there.
SELECT TOP (%(most)s) t.line, t.status
FROM #staged_there AS t
WHERE t.is_different = 1
ORDER BY t.line;

-- name: import_leads
-- Adds the staged leads whose number does not exist yet, in any spelling, and keeps them on record for the import, if
-- there is one; returns how many were added. The record has number and date as the columns of the table keep them:
-- ISNULL takes the type of its first argument, and SQL_VARIANT takes the collation away.
DECLARE
    @import_id INT = %(import_id)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

DELETE s
FROM #staged AS s
WHERE EXISTS (
    SELECT 1 FROM dbo.wafunnel AS w
    WHERE CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.first
);

DELETE s
FROM #staged AS s
WHERE EXISTS (
    SELECT 1
    FROM dbo.number_key AS k
    INNER JOIN dbo.wafunnel AS w ON k.number = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
    WHERE k.match_key = s.match_key AND k.country = @country
);

INSERT INTO dbo.import_lead (import_id, number, stage, date, is_changed)
SELECT
    @import_id,
    CAST(
        ISNULL(
            (
                SELECT f.number FROM dbo.wafunnel AS f
                WHERE 1 = 0
            ),
            CAST(CAST(s.first AS SQL_VARIANT) AS NVARCHAR(255))
        ) AS NVARCHAR(255)
    ) COLLATE Latin1_General_BIN2,
    CAST(s.second AS INT),
    CAST(
        ISNULL(
            (
                SELECT f.date FROM dbo.wafunnel AS f
                WHERE 1 = 0
            ),
            CAST(REPLACE(s.third, ' ', 'T') AS DATETIME)
        ) AS DATETIME2(7)
    ),
    0
FROM #staged AS s
WHERE @import_id IS NOT NULL;

INSERT INTO dbo.wafunnel (number, stage, date)
SELECT s.first, CAST(s.second AS INT), CAST(REPLACE(s.third, ' ', 'T') AS DATETIME)
FROM #staged AS s;

SELECT @@ROWCOUNT AS added;

-- name: update_leads
-- Sets stage and date, as far as the file has them, of the staged leads that have others there, and keeps them on
-- record for the import, with what they were; returns how many they are. See imports/sp_update_leads.sql.
EXECUTE dbo.sp_update_leads @import_id = %(import_id)s, @with_stage = %(with_stage)s, @with_date = %(with_date)s;

-- name: _keep_added
-- Keeps the staged rows, which are new, on record for the import @import_id; NULL if there is none.
INSERT INTO dbo.import_row (import_id, line, key_text, value_text, days_text, is_changed)
SELECT @import_id, s.line, s.first, s.second, s.third, 0
FROM #staged AS s
WHERE @import_id IS NOT NULL;

-- name: update_agents
-- Sets the status of the staged agents that have another one there, and keeps them on record for the import; returns
-- how many they are.
DECLARE @import_id INT = %(import_id)s;

INSERT INTO dbo.import_row (import_id, line, key_text, value_text, days_text, is_changed, value_before)
SELECT @import_id, s.line, s.first, s.second, NULL, 1, t.status
FROM #staged AS s
INNER JOIN #staged_there AS t ON s.line = t.line
WHERE t.is_different = 1 AND @import_id IS NOT NULL;

UPDATE a
SET a.status = s.second
FROM dbo.agents AS a
INNER JOIN #staged AS s ON CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.first
INNER JOIN #staged_there AS t ON s.line = t.line
WHERE t.is_different = 1;

SELECT COALESCE(SUM(t.is_different), 0) AS changed FROM #staged_there AS t;

-- name: import_agents
-- Adds the staged agents whose name does not exist yet, and keeps them on record for the import, if there is one;
-- returns how many were added.
DECLARE @import_id INT = %(import_id)s;

DELETE s
FROM #staged AS s
WHERE EXISTS (
    SELECT 1 FROM dbo.agents AS a
    WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.first
);

-- include: _keep_added

INSERT INTO dbo.agents (agent, status)
SELECT s.first, s.second
FROM #staged AS s;

SELECT @@ROWCOUNT AS added;

-- name: import_holidays
-- Adds the staged holidays whose day is not a holiday yet, and keeps them on record for the import, if there is one;
-- returns how many were added.
DECLARE @import_id INT = %(import_id)s;

DELETE s
FROM #staged AS s
WHERE EXISTS (
    SELECT 1 FROM dbo.holiday AS h
    WHERE h.day = CAST(s.first AS DATE)
);

-- include: _keep_added

INSERT INTO dbo.holiday (day, name)
SELECT CAST(s.first AS DATE), NULLIF(s.second, N'')
FROM #staged AS s;

SELECT @@ROWCOUNT AS added;

-- name: key_limits
-- traits: read-only
-- Gives each staged limit a key: the agent with the days.
UPDATE #staged SET match_key = CONCAT(first, N' ', third);

-- name: limits_of_nobody
-- The first staged limits of agents who do not exist.
SELECT TOP (%(most)s) s.line, s.first AS agent
FROM #staged AS s
WHERE
    NOT EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.first
    )
ORDER BY s.line;

-- name: drop_limits_of_nobody
-- traits: read-only
-- Drops the staged limits of agents who do not exist; returns how many there were.
DELETE FROM #staged
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.agents AS a
    WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = #staged.first
);

SELECT @@ROWCOUNT AS removed;

-- name: compare_limits
-- traits: read-only
-- Finds the staged limits whose agent has limits of the same days. Returns how many of them have another number there.
CREATE TABLE #staged_there (line INT NOT NULL, max_records INT NOT NULL, is_different INT NOT NULL);

INSERT INTO #staged_there (line, max_records, is_different)
SELECT
    s.line,
    MIN(l.max_records) AS max_records,
    MIN(CASE WHEN l.max_records = CAST(s.second AS INT) THEN 0 ELSE 1 END) AS is_different
FROM #staged AS s
INNER JOIN dbo.agent_limit AS l
    ON
        s.first = l.agent AND l.starts_on = CAST(LEFT(s.third, 10) AS DATE)
        AND COALESCE(CONVERT(NVARCHAR(10), l.ends_on, 23), N'') = SUBSTRING(s.third, 12, 10)
GROUP BY s.line;

SELECT 0 AS respelled, SUM(t.is_different) AS differing, 0 AS listed FROM #staged_there AS t;

-- name: kept_limits
-- The first staged limits that have another number there.
SELECT TOP (%(most)s) t.line, t.max_records
FROM #staged_there AS t
WHERE t.is_different = 1
ORDER BY t.line;

-- name: import_limits
-- Adds the staged limits whose agent has none of the same days, and keeps them on record for the import, if there is
-- one; returns how many were added.
DECLARE @import_id INT = %(import_id)s;

DELETE s
FROM #staged AS s
WHERE EXISTS (
    SELECT 1 FROM dbo.agent_limit AS l
    WHERE
        l.agent = s.first AND l.starts_on = CAST(LEFT(s.third, 10) AS DATE)
        AND COALESCE(CONVERT(NVARCHAR(10), l.ends_on, 23), N'') = SUBSTRING(s.third, 12, 10)
);

-- include: _keep_added

INSERT INTO dbo.agent_limit (agent, starts_on, ends_on, max_records)
SELECT
    s.first,
    CAST(LEFT(s.third, 10) AS DATE),
    CAST(NULLIF(SUBSTRING(s.third, 12, 10), N'') AS DATE),
    CAST(s.second AS INT)
FROM #staged AS s
ORDER BY s.line;

SELECT @@ROWCOUNT AS added;
