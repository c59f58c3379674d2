-- The runway: the leads by stage and day, from which the next deals are computed.

-- name: leads_by_day
-- How many leads each stage and day has, from the day :since on. Only those count that have a number, a stage and a
-- date, and may be dealt. kind is pool (the pool of the day :business_date) or out (they are finished, from before the
-- day :oldest, or kept out by an outcome; call-backs that are due count by their stage and age).
-- Those that wait behind another record of their number are in neither; a row of the pool with a negative number takes
-- them off again. The conditions of the pool are also in deal/plan.sql, part 2: change both.
WITH
-- include: _matched_numbers
,

-- include: _kept_out_numbers
,

given AS NOT MATERIALIZED (
    SELECT
        w.number,
        w.stage,
        w.date,
        substr(w.date, 1, 10) AS day,
        CASE
            WHEN w.stage >= 4 OR w.date < :oldest THEN 'out'
            WHEN k.wrong OR k.later OR substr(w.date, 1, 10) <= max(coalesce(k.won_on, ''), coalesce(k.lost_on, ''))
                THEN 'out'
            WHEN c.number IS NOT NULL THEN 'out'
            ELSE 'pool'
        END AS kind
    FROM wafunnel AS w
    LEFT JOIN kept_out AS k ON k.number = w.number COLLATE BINARY
    LEFT JOIN closed AS c ON c.number = w.number COLLATE BINARY AND c.date = w.date
    WHERE w.date >= :since AND w.stage IS NOT NULL AND trim(w.number) <> ''
        AND (
            -- include: _is_a_date
        )
        AND (
            w.number COLLATE BINARY IN (
                -- include: _suppressed_numbers
            )
        ) IS NOT TRUE
),

repeated AS (
    SELECT w.number
    FROM wafunnel AS w
    WHERE w.stage < 4 AND w.date >= :oldest
    GROUP BY w.number COLLATE BINARY
    HAVING count(*) > 1
    UNION
    SELECT m.number FROM matched AS m
),

ranked AS (
    SELECT
        g.stage,
        g.day,
        row_number() OVER (
            PARTITION BY coalesce(m.first_number, g.number COLLATE BINARY)
            ORDER BY
                g.stage, julianday(g.date) * CASE WHEN :newest_first THEN -1 ELSE 1 END, g.number COLLATE BINARY, g.date
        ) AS occurrence
    FROM given AS g
    LEFT JOIN matched AS m ON m.number = g.number
    WHERE g.number COLLATE BINARY IN (SELECT r.number FROM repeated AS r) AND g.kind = 'pool'
)

SELECT g.kind, g.stage, g.day, count(*) AS leads
FROM given AS g
GROUP BY g.kind, g.stage, g.day
UNION ALL
SELECT 'pool' AS kind, r.stage, r.day, -count(*) AS leads
FROM ranked AS r
WHERE r.occurrence > 1
GROUP BY r.stage, r.day;
