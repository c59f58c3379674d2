/*
The runway: the leads by stage and day, from which the next deals are computed.
*/

-- name: leads_by_day
-- How many leads each stage and day has, from the day @since on. Only those count that have a number, a stage and a
-- date, and may be dealt. kind is pool (the pool of that day), out (they are finished, or from before the day @oldest)
-- or waiting (behind another record of their number). The conditions of the pool are also in
-- deal/sp_assign_wafunnel_to_agents.sql, part 5: change both.
DECLARE
    @since DATE = %(since)s,
    @oldest DATE = %(oldest)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)),
    @newest_first BIT = %(newest_first)s;

DECLARE @matched TABLE (
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
    first_number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
);

INSERT INTO @matched (number, first_number)
SELECT k.number, s.first_number
FROM dbo.number_key AS k
INNER JOIN (
    SELECT n.match_key, MIN(n.number) AS first_number
    FROM dbo.number_key AS n
    WHERE n.country = @country
    GROUP BY n.match_key
    HAVING COUNT(*) > 1
) AS s ON k.match_key = s.match_key
WHERE k.country = @country;

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
            CASE WHEN w.stage >= 4 OR w.date < @oldest THEN 'out' ELSE 'pool' END AS kind
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
        WHERE d.number IS NULL
    ) AS g
) AS k
GROUP BY k.kind, k.stage, k.day;
