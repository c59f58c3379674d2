-- Exports: the rows of files that no other subject has a list of. Each is one statement, whose rows are streamed.

-- name: exported_country
-- The country of the sales floor, '' or 'none' for none. It decides by what a spreadsheet separates columns.
SELECT coalesce(:country, (SELECT f.country FROM floor_country AS f), '') AS country;

-- name: exported_leads
-- All rows of wafunnel, by number. Dates have milliseconds; one that cannot be read is NULL.
SELECT
    w.number,
    w.stage,
    CASE
        WHEN
            -- include: _is_a_date
            THEN strftime('%Y-%m-%d %H:%M:%f', w.date)
    END AS date
FROM wafunnel AS w
ORDER BY w.number COLLATE BINARY, w.stage, w.date;

-- name: exported_history
-- All leads that the runs on record dealt, by run and number.
SELECT h.run_id, r.business_date, h.agent, h.number, h.stage, h.date
FROM assignment_history AS h
INNER JOIN assignment_run AS r ON h.run_id = r.run_id
ORDER BY h.run_id, h.number;

-- name: exported_holidays
-- All holidays. A text that is no day of the calendar is no holiday.
SELECT h.day, h.name
FROM holiday AS h
WHERE date(h.day, '+0 days') = h.day
ORDER BY h.day;
