-- `agent-funnel doctor`: spellings of numbers, by their match keys. These queries change nothing. Of a number, only the
-- last three characters leave the database. They know the numbers whose match keys are kept for the present country;
-- the service keeps those of new numbers within a minute.

-- name: doctor_country
-- The country whose match keys hold, in two letters; '' without one.
SELECT coalesce(:country, (SELECT f.country FROM floor_country AS f)) AS country;

-- name: doctor_unkept
-- How many numbers of leads have no match key of the present country yet.
SELECT count(DISTINCT w.number) AS unkept
FROM wafunnel AS w
WHERE trim(w.number) <> ''
    AND NOT EXISTS (
        SELECT 1 FROM number_key AS k
        WHERE k.number = w.number COLLATE BINARY
            AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    );

-- name: doctor_spellings
-- Up to three match keys of which leads have several spellings, the total of these keys, and the total of spellings.
WITH shared AS MATERIALIZED (
    SELECT k.number, k.match_key
    FROM number_key AS k
    WHERE k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
        AND k.match_key IN (
            SELECT n.match_key FROM number_key AS n
            WHERE n.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
            GROUP BY n.match_key, n.country
            HAVING count(*) > 1
        )
)

SELECT '…' || substr(q.match_key, -3) AS number, count(*) OVER () AS numbers, sum(q.spellings) OVER () AS spellings
FROM (
    SELECT s.match_key, count(DISTINCT s.number) AS spellings
    FROM shared AS s
    INNER JOIN wafunnel AS w ON s.number = w.number COLLATE BINARY
    GROUP BY s.match_key
    HAVING count(DISTINCT s.number) > 1
) AS q
ORDER BY q.spellings DESC, q.match_key
LIMIT 3;

-- name: doctor_unmatched
-- For each do-not-contact list: its entries, those that match no lead, and those of these that nearly match one,
-- because the last eight digits are the same; the end of one that matches none, and of one that nearly does, with the
-- digits of that entry's match key and of the lead's.
WITH held AS MATERIALIZED (
    SELECT DISTINCT k.match_key
    FROM wafunnel AS w
    INNER JOIN number_key AS k ON k.number = w.number COLLATE BINARY AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
),

ending AS MATERIALIZED (
    SELECT substr(h.match_key, -8) AS ending, min(h.match_key) AS match_key
    FROM held AS h
    WHERE h.match_key NOT GLOB '*[^0-9]*' AND length(h.match_key) >= 8
    GROUP BY substr(h.match_key, -8)
)

SELECT
    q.name,
    q.entries,
    q.unmatched,
    q.nearly,
    '…' || substr(q.example, -3) AS number,
    '…' || substr(q.pair, -3) AS nearly_number,
    instr(q.pair, ' ') - 1 AS entry_digits,
    length(q.pair) - instr(q.pair, ' ') AS lead_digits
FROM (
    SELECT
        l.list_id,
        l.name,
        count(*) AS entries,
        sum(h.match_key IS NULL) AS unmatched,
        count(n.match_key) AS nearly,
        min(CASE WHEN h.match_key IS NULL THEN e.number END) AS example,
        min(k.match_key || ' ' || n.match_key) AS pair
    FROM do_not_contact_entry AS e
    INNER JOIN do_not_contact_list AS l ON e.list_id = l.list_id
    INNER JOIN number_key AS k ON e.number = k.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    LEFT JOIN held AS h ON k.match_key = h.match_key
    LEFT JOIN ending AS n
        ON h.match_key IS NULL AND k.match_key NOT GLOB '*[^0-9]*' AND length(k.match_key) >= 8
        AND n.ending = substr(k.match_key, -8)
    GROUP BY l.list_id, l.name
) AS q
WHERE q.unmatched > 0
ORDER BY q.list_id;

-- name: doctor_readings
-- Up to three numbers that can be read in two ways, and the total of them. Their match key in the country :floor begins
-- with its code :code. In the country :country, of which national numbers are as long, each gets that one's code :other
-- before it; so it has neither + nor 00, and as many digits as a national number.
WITH unkeyed AS (
    SELECT k.number
    FROM number_key AS k
    WHERE k.country = :floor AND k.match_key GLOB :code || '*' AND length(k.match_key) BETWEEN 8 AND 11
        AND instr(k.number, '+') = 0
),

-- include: _match_keys

SELECT '…' || substr(k.number, -3) AS number, count(*) OVER () AS numbers
FROM keyed AS k
INNER JOIN number_key AS n ON k.number = n.number AND n.country = :floor
WHERE k.match_key = :other || n.match_key
ORDER BY k.number
LIMIT 3;
