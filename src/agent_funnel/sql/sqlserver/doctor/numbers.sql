/*
`agent-funnel doctor`: spellings of numbers, by their match keys. These queries change nothing. Of a number, only the
last three characters leave the database. They know the numbers whose match keys are kept for the present country; the
service keeps those of new numbers within a minute.
*/

-- name: doctor_country
-- The country whose match keys hold, in two letters; '' without one.
SELECT COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)) AS country;

-- name: doctor_unkept
-- How many numbers of leads have no match key of the present country yet.
DECLARE @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT COUNT(DISTINCT v.number) AS unkept
FROM (
    SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number FROM dbo.wafunnel AS w
    WHERE LTRIM(w.number) <> ''
) AS v
WHERE
    NOT EXISTS (
        SELECT 1 FROM dbo.number_key AS k
        WHERE k.number = v.number AND k.country = @country
    );

-- name: doctor_spellings
-- Up to three match keys of which leads have several spellings, the total of these keys, and the total of spellings.
DECLARE @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT TOP (3)
    CONCAT(N'…', RIGHT(q.match_key, 3)) AS number,
    COUNT(*) OVER () AS numbers,
    SUM(q.spellings) OVER () AS spellings
FROM (
    SELECT k.match_key, COUNT(*) AS spellings
    FROM (
        SELECT n.match_key FROM dbo.number_key AS n
        WHERE n.country = @country
        GROUP BY n.match_key
        HAVING COUNT(*) > 1
    ) AS s
    INNER JOIN dbo.number_key AS k ON s.match_key = k.match_key AND k.country = @country
    INNER JOIN (
        SELECT DISTINCT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number FROM dbo.wafunnel AS w
    ) AS v ON k.number = v.number
    GROUP BY k.match_key
    HAVING COUNT(*) > 1
) AS q
ORDER BY q.spellings DESC, q.match_key ASC;

-- name: doctor_unmatched
-- For each do-not-contact list: its entries, those that match no lead, and those of these that nearly match one,
-- because the last eight digits are the same; the end of one that matches none, and of one that nearly does, with the
-- digits of that entry's match key and of the lead's.
DECLARE @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT
    q.name,
    q.entries,
    q.unmatched,
    q.nearly,
    CONCAT(N'…', RIGHT(q.example, 3)) AS number,
    CONCAT(N'…', RIGHT(q.pair, 3)) AS nearly_number,
    CHARINDEX(N' ', q.pair) - 1 AS entry_digits,
    LEN(q.pair) - CHARINDEX(N' ', q.pair) AS lead_digits
FROM (
    SELECT
        l.list_id,
        l.name,
        COUNT(*) AS entries,
        SUM(CASE WHEN h.match_key IS NULL THEN 1 ELSE 0 END) AS unmatched,
        COUNT(n.match_key) AS nearly,
        MIN(CASE WHEN h.match_key IS NULL THEN e.number END) AS example,
        MIN(k.match_key + N' ' + n.match_key) AS pair
    FROM dbo.do_not_contact_entry AS e
    INNER JOIN dbo.do_not_contact_list AS l ON e.list_id = l.list_id
    INNER JOIN dbo.number_key AS k ON e.number = k.number AND k.country = @country
    LEFT JOIN (
        SELECT DISTINCT s.match_key
        FROM dbo.wafunnel AS w
        INNER JOIN dbo.number_key AS s
            ON CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.number AND s.country = @country
    ) AS h ON k.match_key = h.match_key
    LEFT JOIN (
        SELECT RIGHT(s.match_key, 8) AS ending, MIN(s.match_key) AS match_key
        FROM dbo.wafunnel AS w
        INNER JOIN dbo.number_key AS s
            ON CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.number AND s.country = @country
        WHERE s.match_key NOT LIKE N'%%[^0-9]%%' AND LEN(s.match_key) >= 8
        GROUP BY RIGHT(s.match_key, 8)
    ) AS n
        ON
            h.match_key IS NULL
            AND RIGHT(k.match_key, 8) = n.ending
            AND k.match_key NOT LIKE N'%%[^0-9]%%'
            AND LEN(k.match_key) >= 8
    GROUP BY l.list_id, l.name
) AS q
WHERE q.unmatched > 0
ORDER BY q.list_id;

-- name: doctor_readings
-- Up to three numbers that can be read in two ways, and the total of them. Their match key in the country @floor begins
-- with its code @code. In the country @country, of which national numbers are as long, each gets that one's code @other
-- before it; so it has neither + nor 00, and as many digits as a national number.
DECLARE
    @country VARCHAR(2) = %(country)s,
    @floor VARCHAR(2) = %(floor)s,
    @code NVARCHAR(8) = %(code)s,
    @other NVARCHAR(8) = %(other)s;

SELECT TOP (3) CONCAT(N'…', RIGHT(k.number, 3)) AS number, COUNT(*) OVER () AS numbers
FROM dbo.number_key AS k
WHERE
    k.country = @floor
    AND k.match_key LIKE @code + N'%%'
    AND LEN(k.match_key) BETWEEN 8 AND 11
    AND CHARINDEX(N'+', k.number) = 0
    AND dbo.fn_match_key(k.number, @country) = @other + k.match_key
ORDER BY k.number;
