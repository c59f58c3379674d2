/*
Exports: the rows of files that no other subject has a list of. Each is one statement, whose rows are streamed.
*/

-- name: exported_country
-- The country of the sales floor, '' or 'none' for none. It decides by what a spreadsheet separates columns.
SELECT COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f), '') AS country;

-- name: exported_leads
-- All rows of wafunnel, by number. Dates have milliseconds; one that cannot be read is NULL.
SELECT
    w.stage,
    CAST(w.number AS NVARCHAR(255)) AS number,
    TRY_CAST(w.date AS DATETIME2(3)) AS date
FROM dbo.wafunnel AS w
ORDER BY CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2, w.stage, w.date;

-- name: exported_history
-- All leads that the runs on record dealt, by run and number.
SELECT h.run_id, r.business_date, h.agent, h.number, h.stage, CAST(h.date AS DATETIME2(3)) AS date
FROM dbo.assignment_history AS h
INNER JOIN dbo.assignment_run AS r ON h.run_id = r.run_id
ORDER BY h.run_id, h.number;

-- name: exported_holidays
-- All holidays.
SELECT h.day, h.name
FROM dbo.holiday AS h
ORDER BY h.day;
