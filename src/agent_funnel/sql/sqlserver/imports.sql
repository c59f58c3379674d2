/*
Imports: a temporary table takes the rows of a file, then one statement adds those that are new.
*/

-- name: begin_import
-- Creates the temporary table for the rows of a file; only this connection sees it.
CREATE TABLE #staged (
    first NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
    second NVARCHAR(255) NULL,
    third NVARCHAR(255) NULL
);

-- name: stage_rows
-- Stages rows, given as a JSON array of arrays of up to three texts.
INSERT INTO #staged (first, second, third)
SELECT j.first, j.second, j.third
FROM OPENJSON (%(rows)s) WITH (
    first NVARCHAR(255) '$[0]', second NVARCHAR(255) '$[1]', third NVARCHAR(255) '$[2]'
) AS j;

-- name: import_leads
-- Adds the staged leads whose number does not exist yet; returns how many were added.
INSERT INTO dbo.wafunnel (number, stage, date)
SELECT s.first, CAST(s.second AS INT), CAST(REPLACE(s.third, ' ', 'T') AS DATETIME)
FROM #staged AS s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.wafunnel AS w
    WHERE CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.first
);

SELECT @@ROWCOUNT AS added;

-- name: import_agents
-- Adds the staged agents whose name does not exist yet; returns how many were added.
INSERT INTO dbo.agents (agent, status)
SELECT s.first, s.second
FROM #staged AS s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.agents AS a
    WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.first
);

SELECT @@ROWCOUNT AS added;

-- name: import_holidays
-- Adds the staged holidays whose day is not a holiday yet; returns how many were added.
INSERT INTO dbo.holiday (day, name)
SELECT CAST(s.first AS DATE), NULLIF(s.second, N'')
FROM #staged AS s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.holiday AS h
    WHERE h.day = CAST(s.first AS DATE)
);

SELECT @@ROWCOUNT AS added;

-- name: end_import
-- Drops the temporary table.
DROP TABLE IF EXISTS #staged;
