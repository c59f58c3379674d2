/*
Leads: the report on the pool, and the pool as a list.
*/

-- name: _kept_out_numbers
-- What outcomes keep out of the deal of @business_date, in tables: @matched has the numbers that share their match key
-- with another number; @reported the single records that are won, lost or to be called back; @kept_out what is reported
-- of a number, in every spelling. The same conditions are in deal/sp_assign_wafunnel_to_agents.sql, part 5.
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

DECLARE @call_back TABLE (
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    date DATETIME2(3) NOT NULL,
    call_back_on DATE NOT NULL,
    run_id BIGINT NOT NULL
);
-- The records that are won or lost and have a date after the day of the report, and the call-backs that are due.
DECLARE @reported TABLE (
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    date DATETIME2(3) NOT NULL,
    closed VARCHAR(20) NULL,
    call_back_on DATE NULL,
    PRIMARY KEY (number, date)
);
DECLARE @kept_out TABLE (
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
    wrong INT NOT NULL,
    won_on DATE NULL,
    lost_on DATE NULL,
    later INT NOT NULL
);

INSERT INTO @call_back (number, date, call_back_on, run_id)
SELECT o.number, CAST(o.date AS DATETIME2(3)), o.call_back_on, o.run_id
FROM dbo.assignment_outcome AS o
WHERE
    o.stands = 1 AND o.outcome = 'call_back'
    AND NOT EXISTS (
        SELECT 1
        FROM dbo.assignment_call_back AS c
        INNER JOIN dbo.assignment_run AS r ON c.run_id = r.run_id
        WHERE
            c.outcome_id = o.outcome_id AND r.status = 'succeeded'
            AND NOT EXISTS (
                SELECT 1 FROM dbo.assignment_outcome AS n
                WHERE n.run_id = c.run_id AND n.number = o.number AND n.stands = 1 AND n.outcome = 'not_worked'
            )
    );

INSERT INTO @reported (number, date, closed, call_back_on)
SELECT s.number, s.date, MAX(s.closed), MAX(s.call_back_on)
FROM (
    SELECT o.number, CAST(o.date AS DATETIME2(3)) AS date, o.outcome AS closed, NULL AS call_back_on
    FROM dbo.assignment_outcome AS o
    WHERE o.stands = 1 AND o.outcome IN ('won', 'lost') AND CAST(o.date AS DATE) > o.reported_on
    UNION ALL
    SELECT b.number, b.date, NULL, b.call_back_on
    FROM (
        SELECT
            n.number, n.date, n.call_back_on,
            ROW_NUMBER() OVER (PARTITION BY n.number, n.date ORDER BY n.run_id DESC) AS age
        FROM @call_back AS n
        WHERE n.call_back_on <= @business_date
    ) AS b
    WHERE b.age = 1
) AS s
GROUP BY s.number, s.date;

INSERT INTO @kept_out (number, wrong, won_on, lost_on, later)
SELECT
    COALESCE(i.number, o.number),
    MAX(CASE WHEN o.outcome = 'wrong_number' THEN 1 ELSE 0 END),
    MAX(CASE WHEN o.outcome = 'won' THEN o.reported_on END),
    MAX(CASE WHEN o.outcome = 'lost' THEN o.reported_on END),
    MAX(CASE WHEN o.outcome = 'call_back' THEN 1 ELSE 0 END)
FROM (
    SELECT a.number, a.outcome, a.reported_on FROM dbo.assignment_outcome AS a
    WHERE a.stands = 1 AND a.outcome IN ('wrong_number', 'won', 'lost')
    UNION ALL
    SELECT b.number, 'call_back', NULL FROM @call_back AS b
    WHERE b.call_back_on > @business_date
) AS o
LEFT JOIN @matched AS m ON o.number = m.number
LEFT JOIN @matched AS i ON m.first_number = i.first_number
GROUP BY COALESCE(i.number, o.number);

-- name: pool_report
-- Counts each row of wafunnel once, under the first of these reasons that applies: it is unusable (a blank number, no
-- stage or no date); its number is in the present assignments; its number is on the do-not-contact list; an outcome
-- keeps it out (its number is wrong, it is won or lost, or its number is to be called back later); its stage is 4 or
-- more; it is too old; it waits behind another record of its number; it is in the pool and left over. A call-back that
-- is due is in the pool whatever its stage and age. The conditions of the pool
-- are also in deal/sp_assign_wafunnel_to_agents.sql, part 5: change both. Numbers with the same match key are the same
-- number.
DECLARE
    @business_date DATE = %(business_date)s,
    @oldest DATE = DATEADD(DAY, -%(window_days)s, CAST(%(business_date)s AS DATE)),
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)),
    @newest_first BIT = %(newest_first)s;

-- include: _kept_out_numbers

SELECT
    COALESCE(SUM(CASE WHEN k.reason = 'dealt' THEN 1 ELSE 0 END), 0) AS dealt,
    COALESCE(SUM(CASE WHEN k.reason = 'pool' AND k.occurrence = 1 THEN 1 ELSE 0 END), 0) AS left_over,
    COALESCE(SUM(CASE WHEN k.reason = 'at_stage_4' THEN 1 ELSE 0 END), 0) AS at_stage_4,
    COALESCE(SUM(CASE WHEN k.reason = 'too_old' THEN 1 ELSE 0 END), 0) AS too_old,
    COALESCE(SUM(CASE WHEN k.reason = 'do_not_contact' THEN 1 ELSE 0 END), 0) AS do_not_contact,
    COALESCE(SUM(CASE WHEN k.reason = 'wrong_number' THEN 1 ELSE 0 END), 0) AS wrong_number,
    COALESCE(SUM(CASE WHEN k.reason = 'won' THEN 1 ELSE 0 END), 0) AS won,
    COALESCE(SUM(CASE WHEN k.reason = 'lost' THEN 1 ELSE 0 END), 0) AS lost,
    COALESCE(SUM(CASE WHEN k.reason = 'call_back_to_come' THEN 1 ELSE 0 END), 0) AS call_back_to_come,
    COALESCE(SUM(CASE WHEN k.reason = 'pool' AND k.occurrence > 1 THEN 1 ELSE 0 END), 0) AS duplicate,
    COALESCE(SUM(CASE WHEN k.reason = 'unusable' THEN 1 ELSE 0 END), 0) AS unusable,
    COUNT(*) AS total
FROM (
    SELECT
        g.reason,
        DENSE_RANK() OVER (
            PARTITION BY g.reason, COALESCE(g.first_number, g.number)
            ORDER BY
                CASE WHEN g.call_back_on IS NULL THEN 1 ELSE 0 END ASC,
                g.call_back_on ASC,
                g.stage ASC,
                CASE WHEN @newest_first = 0 THEN g.date END ASC,
                CASE WHEN @newest_first = 1 THEN g.date END DESC,
                g.number ASC
        ) AS occurrence
    FROM (
        SELECT
            w.number, m.first_number, w.stage, w.date, t.call_back_on,
            CASE
                WHEN w.blank = 1 OR w.stage IS NULL OR w.date IS NULL THEN 'unusable'
                WHEN a.number IS NOT NULL THEN 'dealt'
                WHEN d.number IS NOT NULL THEN 'do_not_contact'
                WHEN r.wrong = 1 THEN 'wrong_number'
                WHEN CAST(w.date AS DATE) <= r.won_on OR t.closed = 'won' THEN 'won'
                WHEN CAST(w.date AS DATE) <= r.lost_on OR t.closed = 'lost' THEN 'lost'
                WHEN r.later = 1 THEN 'call_back_to_come'
                WHEN t.call_back_on IS NOT NULL THEN 'pool'
                WHEN w.stage >= 4 THEN 'at_stage_4'
                WHEN w.date < @oldest THEN 'too_old'
                ELSE 'pool'
            END AS reason
        FROM (
            SELECT
                CAST(f.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
                CASE WHEN f.number <> '' THEN 0 ELSE 1 END AS blank,
                f.stage,
                CAST(f.date AS DATETIME2(7)) AS date
            FROM dbo.wafunnel AS f
        ) AS w
        LEFT JOIN (
            SELECT CAST(b.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
            FROM dbo.agent_wafunnel_assignment AS b
            UNION
            SELECT o.number
            FROM dbo.agent_wafunnel_assignment AS b
            INNER JOIN @matched AS h ON CAST(b.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = h.number
            INNER JOIN @matched AS o ON h.first_number = o.first_number
        ) AS a ON w.number = a.number
        LEFT JOIN (
            SELECT DISTINCT s.number FROM dbo.suppressed_number AS s
            WHERE s.country IN ('*', @country)
        ) AS d ON w.number = d.number
        LEFT JOIN @matched AS m ON w.number = m.number
        LEFT JOIN @kept_out AS r ON w.number = r.number
        LEFT JOIN @reported AS t ON w.number = t.number AND CAST(w.date AS DATETIME2(3)) = t.date
    ) AS g
) AS k;

-- name: pool_leads
-- The pool, as a deal would have it now: its records in deal order, by the conditions of pool_report. The present
-- assignments do not matter, since a deal clears them. Equal rows are one record, and of the records of a match key the
-- first one is in the pool.
DECLARE
    @business_date DATE = %(business_date)s,
    @oldest DATE = DATEADD(DAY, -%(window_days)s, CAST(%(business_date)s AS DATE)),
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)),
    @newest_first BIT = %(newest_first)s;

-- include: _kept_out_numbers

SELECT k.number, k.stage, k.date, k.call_back_on
FROM (
    SELECT
        w.number, w.stage, w.date, t.call_back_on,
        ROW_NUMBER() OVER (
            PARTITION BY COALESCE(m.first_number, w.number)
            ORDER BY
                CASE WHEN t.call_back_on IS NULL THEN 1 ELSE 0 END ASC,
                t.call_back_on ASC,
                w.stage ASC,
                CASE WHEN @newest_first = 0 THEN w.date END ASC,
                CASE WHEN @newest_first = 1 THEN w.date END DESC,
                w.number ASC
        ) AS place
    FROM (
        SELECT
            CAST(f.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
            f.stage,
            CAST(f.date AS DATETIME2(7)) AS date
        FROM dbo.wafunnel AS f
        WHERE f.number <> ''
    ) AS w
    LEFT JOIN (
        SELECT DISTINCT s.number FROM dbo.suppressed_number AS s
        WHERE s.country IN ('*', @country)
    ) AS d ON w.number = d.number
    LEFT JOIN @matched AS m ON w.number = m.number
    LEFT JOIN @kept_out AS r ON w.number = r.number
    LEFT JOIN @reported AS t ON w.number = t.number AND CAST(w.date AS DATETIME2(3)) = t.date
    WHERE
        d.number IS NULL
        AND COALESCE(r.wrong, 0) = 0 AND COALESCE(r.later, 0) = 0 AND t.closed IS NULL
        AND (r.won_on IS NULL OR CAST(w.date AS DATE) > r.won_on)
        AND (r.lost_on IS NULL OR CAST(w.date AS DATE) > r.lost_on)
        AND w.stage IS NOT NULL AND w.date IS NOT NULL
        AND (t.call_back_on IS NOT NULL OR (w.stage < 4 AND w.date >= @oldest))
) AS k
WHERE k.place = 1
ORDER BY
    CASE WHEN k.call_back_on IS NULL THEN 1 ELSE 0 END ASC,
    k.call_back_on ASC,
    k.stage ASC,
    CASE WHEN @newest_first = 0 THEN k.date END ASC,
    CASE WHEN @newest_first = 1 THEN k.date END DESC,
    k.number ASC;
