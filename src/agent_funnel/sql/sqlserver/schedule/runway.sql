/*
The runway: the leads by stage and day, from which the next deals are computed.
*/

-- name: leads_by_day
-- How many leads each stage and day has, from the day @since on. Only those count that have a number, a stage and a
-- date, and may be dealt. kind is pool (the pool of @business_date), out (they are finished, from before the day
-- @oldest, or kept out by an outcome; call-backs that are due count by their stage and age) or waiting (behind another
-- record of their number). The conditions of the pool are also in deal/sp_assign_wafunnel_to_agents.sql, part 5: change
-- both.
DECLARE
    @business_date DATE = %(business_date)s,
    @since DATE = %(since)s,
    @oldest DATE = %(oldest)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)),
    @newest_first BIT = %(newest_first)s;

-- include: _kept_out_numbers

SELECT k.kind, k.stage, k.day, COUNT(*) AS leads
FROM (
    SELECT
        CASE
            WHEN g.kind = 'pool' AND ROW_NUMBER() OVER (
                PARTITION BY g.kind, COALESCE(g.first_number, g.number)
                ORDER BY
                    g.stage ASC,
                    CASE WHEN @newest_first = 0 THEN g.date END,
                    CASE WHEN @newest_first = 1 THEN g.date END DESC,
                    g.number
            ) > 1 THEN 'waiting'
            ELSE g.kind
        END AS kind,
        g.stage,
        CAST(g.date AS DATE) AS day
    FROM (
        SELECT
            w.number, m.first_number, w.stage, w.date,
            CASE
                WHEN w.stage >= 4 OR w.date < @oldest THEN 'out'
                WHEN r.wrong = 1 OR r.later = 1 OR t.closed IS NOT NULL THEN 'out'
                WHEN CAST(w.date AS DATE) <= r.won_on OR CAST(w.date AS DATE) <= r.lost_on THEN 'out'
                ELSE 'pool'
            END AS kind
        FROM (
            SELECT
                CAST(f.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
                f.stage,
                CAST(f.date AS DATETIME2(7)) AS date
            FROM dbo.wafunnel AS f
            WHERE f.number <> '' AND f.stage IS NOT NULL AND f.date >= @since
        ) AS w
        LEFT JOIN (
            SELECT DISTINCT s.number FROM dbo.suppressed_number AS s
            WHERE s.country IN ('*', @country)
        ) AS d ON w.number = d.number
        LEFT JOIN @matched AS m ON w.number = m.number
        LEFT JOIN @kept_out AS r ON w.number = r.number
        LEFT JOIN @reported AS t ON w.number = t.number AND CAST(w.date AS DATETIME2(3)) = t.date
        WHERE d.number IS NULL
    ) AS g
) AS k
GROUP BY k.kind, k.stage, k.day;
