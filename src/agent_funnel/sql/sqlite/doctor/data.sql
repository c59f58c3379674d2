-- `agent-funnel doctor`, 3 of 4: the rows of your three tables. These queries change nothing. Of a number, only the
-- last three characters leave the database.

-- name: doctor_nulls
-- Rows that lack a value, by table and column. A blank name or number counts as missing.
SELECT c.table_name, c.column_name, c.found
FROM (
    SELECT 'wafunnel' AS table_name, 'number' AS column_name, count(*) AS found FROM wafunnel AS w
    WHERE w.number IS NULL OR trim(w.number) = ''
    UNION ALL
    SELECT 'wafunnel', 'stage', count(*) FROM wafunnel AS w WHERE w.stage IS NULL
    UNION ALL
    SELECT 'wafunnel', 'date', count(*) FROM wafunnel AS w WHERE w.date IS NULL
    UNION ALL
    SELECT 'agents', 'agent', count(*) FROM agents AS a WHERE a.agent IS NULL OR trim(a.agent) = ''
    UNION ALL
    SELECT 'agents', 'status', count(*) FROM agents AS a WHERE a.status IS NULL
    UNION ALL
    SELECT 'agent_wafunnel_assignment', 'agent', count(*) FROM agent_wafunnel_assignment AS m WHERE m.agent IS NULL
    UNION ALL
    SELECT 'agent_wafunnel_assignment', 'number', count(*) FROM agent_wafunnel_assignment AS m WHERE m.number IS NULL
) AS c
WHERE c.found > 0;

-- name: doctor_stages
-- Up to three invalid stages, and how many leads have each of them; `leads` is the number of leads with any invalid
-- stage.
SELECT w.stage, count(*) AS found, sum(count(*)) OVER () AS leads
FROM wafunnel AS w
WHERE w.stage NOT IN (1, 2, 3, 4)
GROUP BY w.stage
ORDER BY w.stage
LIMIT 3;

-- name: doctor_dates
-- How many leads have a date from a day on, and the latest of these dates; how many dates, limits and holidays are not
-- ISO 8601 texts.
SELECT
    (
        SELECT count(*) FROM agent_limit AS l WHERE l.limit_id NOT IN (
            SELECT m.limit_id
            FROM (
                -- include: _readable_limits
            ) AS m
        )
    ) AS bad_limits,
    (SELECT count(*) FROM holiday AS h WHERE date(h.day, '+0 days') IS NOT h.day) AS bad_holidays,
    count(*) FILTER (WHERE d.is_date AND d.date >= :day) AS leads,
    max(d.date) FILTER (WHERE d.is_date AND d.date >= :day) AS latest,
    count(*) FILTER (WHERE NOT d.is_date) AS no_dates
FROM (
    SELECT
        w.date,
        (
            -- include: _is_a_date
        ) IS TRUE AS is_date
    FROM wafunnel AS w
    WHERE w.date IS NOT NULL
) AS d;

-- name: doctor_duplicates
-- Up to three numbers that have several rows, the total of such numbers, and the total of their rows.
SELECT '…' || substr(n.number, -3) AS number, count(*) OVER () AS numbers, sum(n.copies) OVER () AS leads
FROM (
    SELECT w.number COLLATE BINARY AS number, count(*) AS copies
    FROM wafunnel AS w
    WHERE trim(w.number) <> ''
    GROUP BY w.number COLLATE BINARY
    HAVING count(*) > 1
) AS n
ORDER BY n.copies DESC, n.number
LIMIT 3;

-- name: doctor_ambiguous
-- Up to three numbers with rows that have the same date but different stages, and the total of such pairs of number and
-- date.
SELECT '…' || substr(n.number, -3) AS number, count(*) OVER () AS numbers
FROM (
    SELECT w.number COLLATE BINARY AS number
    FROM wafunnel AS w
    WHERE trim(w.number) <> '' AND w.date IS NOT NULL
    GROUP BY w.number COLLATE BINARY, w.date COLLATE BINARY
    HAVING min(w.stage) <> max(w.stage)
) AS n
ORDER BY n.number
LIMIT 3;

-- name: doctor_assigned_twice
-- Up to three numbers that are assigned more than once, and the total of such numbers.
SELECT '…' || substr(n.number, -3) AS number, count(*) OVER () AS numbers
FROM (
    SELECT m.number COLLATE BINARY AS number
    FROM agent_wafunnel_assignment AS m
    WHERE m.number IS NOT NULL
    GROUP BY m.number COLLATE BINARY
    HAVING count(*) > 1
) AS n
ORDER BY n.number
LIMIT 3;

-- name: doctor_numbers
-- Up to three numbers that are not 8 to 15 digits, blanks and marks aside, also by their match key, and the total of
-- leads with such numbers.
SELECT '…' || substr(n.number, -3) AS number, count(*) OVER () AS leads
FROM (
    SELECT
        w.number,
        replace(replace(replace(replace(replace(replace(replace(replace(
            w.number, ' ', ''), char(160), ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', ''
        ) AS digits
    FROM wafunnel AS w
    WHERE trim(w.number) <> ''
) AS n
WHERE (n.digits GLOB '*[^0-9]*' OR length(n.digits) NOT BETWEEN 8 AND 15)
    AND NOT EXISTS (
        SELECT 1
        FROM number_key AS k
        WHERE k.number = n.number COLLATE BINARY AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
            AND k.match_key NOT GLOB '*[^0-9]*' AND length(k.match_key) BETWEEN 8 AND 15
    )
ORDER BY n.number
LIMIT 3;

-- name: doctor_unread
-- Up to three numbers that are on no list, but in the table that was the do-not-contact list, and the total of them.
SELECT '…' || substr(d.number, -3) AS number, count(*) OVER () AS numbers FROM do_not_contact AS d
WHERE NOT EXISTS (SELECT 1 FROM do_not_contact_entry AS e WHERE e.number = d.number)
ORDER BY d.number
LIMIT 3;

-- name: doctor_statuses
-- Up to three statuses that the deal reads as neither active nor inactive, and the total of agents with such a status.
SELECT n.status, sum(n.agents) OVER () AS agents
FROM (
    SELECT lower(trim(a.status)) AS status, count(*) AS agents
    FROM agents AS a
    GROUP BY lower(trim(a.status))
) AS n
WHERE n.status NOT IN ('active', 'inactive')
ORDER BY n.status
LIMIT 3;
