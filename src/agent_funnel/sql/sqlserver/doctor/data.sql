/*
`agent-funnel doctor`, 3 of 4: the rows of your three tables. These queries change nothing. Of a number, only the
last three characters leave the database.
*/

-- name: doctor_nulls
-- Rows that lack a value, by table and column. A blank name or number counts as missing.
SELECT c.table_name, c.column_name, c.found
FROM (
    SELECT N'wafunnel' AS table_name, N'number' AS column_name, COUNT(*) AS found FROM dbo.wafunnel AS w
    WHERE w.number IS NULL OR LTRIM(w.number) = ''
    UNION ALL
    SELECT N'wafunnel', N'stage', COUNT(*) FROM dbo.wafunnel AS w
    WHERE w.stage IS NULL
    UNION ALL
    SELECT N'wafunnel', N'date', COUNT(*) FROM dbo.wafunnel AS w
    WHERE w.date IS NULL
    UNION ALL
    SELECT N'agents', N'agent', COUNT(*) FROM dbo.agents AS a
    WHERE a.agent IS NULL OR LTRIM(a.agent) = ''
    UNION ALL
    SELECT N'agents', N'status', COUNT(*) FROM dbo.agents AS a
    WHERE a.status IS NULL
    UNION ALL
    SELECT N'agent_wafunnel_assignment', N'agent', COUNT(*) FROM dbo.agent_wafunnel_assignment AS m
    WHERE m.agent IS NULL
    UNION ALL
    SELECT N'agent_wafunnel_assignment', N'number', COUNT(*) FROM dbo.agent_wafunnel_assignment AS m
    WHERE m.number IS NULL
) AS c
WHERE c.found > 0;

-- name: doctor_stages
-- Up to three invalid stages, and how many leads have each of them; `leads` is the number of leads with any invalid
-- stage.
SELECT TOP (3) w.stage, COUNT(*) AS found, SUM(COUNT(*)) OVER () AS leads
FROM dbo.wafunnel AS w
WHERE w.stage NOT IN (1, 2, 3, 4)
GROUP BY w.stage
ORDER BY w.stage;

-- name: doctor_dates
-- How many leads have a date from a day on, and the latest of these dates; how many dates, limits and holidays cannot
-- be read. A date column holds only dates, so these numbers are 0.
SELECT COUNT(*) AS leads, MAX(w.date) AS latest, 0 AS no_dates, 0 AS bad_limits, 0 AS bad_holidays
FROM dbo.wafunnel AS w
WHERE w.date >= CAST(%(day)s AS DATE);

-- name: doctor_duplicates
-- Up to three numbers that have several rows, the total of such numbers, and the total of their rows.
SELECT TOP (3)
    CONCAT(N'…', RIGHT(n.number, 3)) AS number,
    COUNT(*) OVER () AS numbers,
    SUM(n.copies) OVER () AS leads
FROM (
    SELECT v.number, COUNT(*) AS copies
    FROM (
        SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number FROM dbo.wafunnel AS w
        WHERE LTRIM(w.number) <> ''
    ) AS v
    GROUP BY v.number
    HAVING COUNT(*) > 1
) AS n
ORDER BY n.copies DESC, n.number ASC;

-- name: doctor_ambiguous
-- Up to three numbers with rows that have the same date but different stages, and the total of such pairs of number and
-- date.
SELECT TOP (3) CONCAT(N'…', RIGHT(n.number, 3)) AS number, COUNT(*) OVER () AS numbers
FROM (
    SELECT v.number, v.date
    FROM (
        SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number, w.date, w.stage
        FROM dbo.wafunnel AS w
        WHERE LTRIM(w.number) <> '' AND w.date IS NOT NULL
    ) AS v
    GROUP BY v.number, v.date
    HAVING MIN(v.stage) <> MAX(v.stage)
) AS n
ORDER BY n.number;

-- name: doctor_assigned_twice
-- Up to three numbers that are assigned more than once, and the total of such numbers.
SELECT TOP (3) CONCAT(N'…', RIGHT(n.number, 3)) AS number, COUNT(*) OVER () AS numbers
FROM (
    SELECT v.number
    FROM (
        SELECT CAST(m.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
        FROM dbo.agent_wafunnel_assignment AS m
        WHERE m.number IS NOT NULL
    ) AS v
    GROUP BY v.number
    HAVING COUNT(*) > 1
) AS n
ORDER BY n.number;

-- name: doctor_numbers
-- Up to three numbers that are not 8 to 15 digits, blanks and marks aside, also by their match key, and the total of
-- leads with such numbers.
DECLARE @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT TOP (3) CONCAT(N'…', RIGHT(n.number, 3)) AS number, COUNT(*) OVER () AS leads
FROM (
    SELECT
        v.number,
        REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(
            v.number, N' ', N''
        ), NCHAR(160), N''), N'-', N''), N'(', N''), N')', N''), N'.', N''), N'/', N''), N'+', N'') AS digits
    FROM (
        SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number FROM dbo.wafunnel AS w
        WHERE LTRIM(w.number) <> ''
    ) AS v
) AS n
WHERE
    (n.digits LIKE N'%%[^0-9]%%' OR LEN(n.digits) NOT BETWEEN 8 AND 15)
    AND NOT EXISTS (
        SELECT 1 FROM dbo.number_key AS k
        WHERE
            k.number = n.number AND k.country = @country
            AND k.match_key NOT LIKE N'%%[^0-9]%%' AND LEN(k.match_key) BETWEEN 8 AND 15
    )
ORDER BY n.number;

-- name: doctor_unread
-- Up to three numbers that are on no list, but in the table that was the do-not-contact list, and the total of them.
SELECT TOP (3) CONCAT(N'…', RIGHT(d.number, 3)) AS number, COUNT(*) OVER () AS numbers
FROM dbo.do_not_contact AS d
WHERE
    NOT EXISTS (
        SELECT 1 FROM dbo.do_not_contact_entry AS e
        WHERE e.number = d.number
    )
ORDER BY d.number;

-- name: doctor_statuses
-- Up to three statuses that the deal reads as neither active nor inactive, and the total of agents with such a status.
SELECT TOP (3) n.status, SUM(n.agents) OVER () AS agents
FROM (
    SELECT LOWER(LTRIM(RTRIM(a.status)) COLLATE Latin1_General_BIN2) AS status, COUNT(*) AS agents
    FROM dbo.agents AS a
    GROUP BY LOWER(LTRIM(RTRIM(a.status)) COLLATE Latin1_General_BIN2)
) AS n
WHERE n.status NOT IN ('active', 'inactive')
ORDER BY n.status;
