/*
Leads: search, one number, and counts by stage. The report on the pool is in leads/.
A page begins after the last row of the page before it. Numbers are in byte order; NULL and blank ones are left out.

A number is looked up twice: in the type and the collation of the column, so that an index can be used, and byte by
byte. The first comparison finds at least what the second one finds. A value gets the type of the column by ISNULL,
which takes the type of its first argument. If the column has whole numbers, a text that the column cannot hold is left
out before, because it would be an error.
*/

-- name: _greatest_lead
-- The greatest number that wafunnel.number can hold if it has whole numbers; NULL if it has text. As whole numbers, 0
-- and 00 are equal, as texts they are not. ISNULL, unlike COALESCE, takes the type of its first argument.
DECLARE @greatest_lead BIGINT = (
    SELECT
        CASE
            WHEN z.zero = '00' THEN CASE DATALENGTH(z.zero) WHEN 4 THEN 2147483647 ELSE 9223372036854775807 END
        END
    FROM (
        SELECT ISNULL(
            (
                SELECT f.number FROM dbo.wafunnel AS f
                WHERE 1 = 0
            ), '0'
        ) AS zero
    ) AS z
);

-- name: _greatest_numbers
-- The same for both columns of numbers.
-- include: _greatest_lead
DECLARE @greatest_held BIGINT = (
    SELECT
        CASE
            WHEN z.zero = '00' THEN CASE DATALENGTH(z.zero) WHEN 4 THEN 2147483647 ELSE 9223372036854775807 END
        END
    FROM (
        SELECT ISNULL(
            (
                SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                WHERE 1 = 0
            ), '0'
        ) AS zero
    ) AS z
);

-- name: leads
-- A page of leads: those after a number, stage and date, of one stage and between two days if these are given, each
-- once. Dates have milliseconds. The agents are looked up only for the leads of the page.
-- A column of text keeps its type, without a CAST, so that the key of our own table, which has the binary collation,
-- returns the numbers in order, and the last number is compared as the column sorts. A whole number has no collation
-- and needs the CAST. No server compiles one statement for both, so this is a text.
-- include: _greatest_numbers

DECLARE
    @after_stage BIGINT = COALESCE(%(after_stage)s, -2147483649),
    @after_date DATETIME2(3) = COALESCE(%(after_date)s, '0001-01-01'),
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)),
    @statement NVARCHAR(MAX) = N'
SELECT
    CAST(p.number AS NVARCHAR(255)) AS number,
    p.stage,
    p.date,
    (
        SELECT MIN(CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2)
        FROM dbo.agent_wafunnel_assignment AS a
        WHERE
            a.number = ISNULL(
                (
                    SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                    WHERE 1 = 0
                ),
                CASE
                    WHEN
                        @greatest_held IS NULL
                        OR TRY_CAST(p.number AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                        THEN CAST(CAST(p.number AS SQL_VARIANT) AS NVARCHAR(255))
                END
            )
            AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = CAST(p.number AS NVARCHAR(255))
    ) AS agent,
    CASE
        WHEN EXISTS (
            SELECT 1 FROM dbo.do_not_contact_entry AS d
            WHERE d.number = p.number
        ) OR EXISTS (
            SELECT 1
            FROM dbo.number_key AS k
            INNER JOIN dbo.number_key AS s ON k.match_key = s.match_key AND k.country = s.country
            INNER JOIN dbo.do_not_contact_entry AS d ON s.number = d.number
            WHERE k.number = p.number AND k.country = @country
        ) THEN 1
        ELSE 0
    END AS do_not_contact,
    p.copies
FROM (
    SELECT TOP (@count) v.number, v.stage, v.date, COUNT(*) AS copies
    FROM (
        SELECT <number> AS number, w.stage, CAST(w.date AS DATETIME2(3)) AS date
        FROM dbo.wafunnel AS w
        WHERE
            w.number <> '''' AND <number> >= <after>
            AND (@stage IS NULL OR w.stage = @stage)
            AND (@date_from IS NULL OR w.date >= @date_from)
            AND (@date_before IS NULL OR w.date < @date_before)
    ) AS v
    WHERE
        @after_number IS NULL
        OR v.number <> @after_number
        OR COALESCE(CAST(v.stage AS BIGINT), CAST(-2147483649 AS BIGINT)) > @after_stage
        OR (
            COALESCE(CAST(v.stage AS BIGINT), CAST(-2147483649 AS BIGINT)) = @after_stage
            AND COALESCE(v.date, ''0001-01-01'') > @after_date
        )
    GROUP BY v.number, v.stage, v.date
    ORDER BY v.number, v.stage, v.date
) AS p
ORDER BY p.number, p.stage, p.date;';

SET @statement = CASE
    WHEN @greatest_lead IS NULL
        THEN REPLACE(
            REPLACE(@statement, N'<number>', N'w.number COLLATE Latin1_General_BIN2'),
            N'<after>',
            N'ISNULL((SELECT f.number FROM dbo.wafunnel AS f WHERE 1 = 0), COALESCE(@after_number, N''''))'
        )
    ELSE REPLACE(
        REPLACE(@statement, N'<number>', N'CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2'),
        N'<after>',
        N'COALESCE(@after_number, N'''')'
    )
END;

EXECUTE sp_executesql
    @statement,
    N'@count INT, @stage INT, @date_from DATETIME2(3), @date_before DATETIME2(3), @after_number NVARCHAR(255),
        @after_stage BIGINT, @after_date DATETIME2(3), @greatest_held BIGINT, @country VARCHAR(2)',
    @count = %(count)s,
    @stage = %(stage)s,
    @date_from = %(date_from)s,
    @date_before = %(date_before)s,
    @after_number = %(after_number)s,
    @after_stage = @after_stage,
    @after_date = @after_date,
    @greatest_held = @greatest_held,
    @country = @country;

-- name: leads_of_number
-- The same page of leads, but of one number only: in its usual spellings, and in those that have its match key. Or of
-- the numbers that end with @digits, if they are given. The plan differs from that of `leads`, so
-- the two queries share nothing. SQL_VARIANT takes the collation away from the spelling, which would otherwise be in
-- conflict with that of the column.
-- include: _greatest_numbers

DECLARE
    @match_key NVARCHAR(255) = %(match_key)s,
    @digits NVARCHAR(255) = %(digits)s,
    @stage INT = %(stage)s,
    @date_from DATETIME2(3) = %(date_from)s,
    @date_before DATETIME2(3) = %(date_before)s,
    @after_number NVARCHAR(255) = %(after_number)s,
    @after_stage BIGINT = COALESCE(%(after_stage)s, -2147483649),
    @after_date DATETIME2(3) = COALESCE(%(after_date)s, '0001-01-01'),
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT
    p.number,
    p.stage,
    p.date,
    (
        SELECT MIN(CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2)
        FROM dbo.agent_wafunnel_assignment AS a
        WHERE
            a.number = ISNULL(
                (
                    SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                    WHERE 1 = 0
                ),
                CASE
                    WHEN
                        @greatest_held IS NULL
                        OR TRY_CAST(p.number AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                        THEN CAST(CAST(p.number AS SQL_VARIANT) AS NVARCHAR(255))
                END
            )
            AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = p.number
    ) AS agent,
    CASE
        WHEN EXISTS (
            SELECT 1 FROM dbo.do_not_contact_entry AS d
            WHERE d.number = p.number
        ) OR EXISTS (
            SELECT 1
            FROM dbo.number_key AS k
            INNER JOIN dbo.number_key AS s ON k.match_key = s.match_key AND k.country = s.country
            INNER JOIN dbo.do_not_contact_entry AS d ON s.number = d.number
            WHERE k.number = p.number AND k.country = @country
        ) THEN 1
        ELSE 0
    END AS do_not_contact,
    p.copies
FROM (
    SELECT TOP (CAST(%(count)s AS INT)) v.number, v.stage, v.date, COUNT(*) AS copies
    FROM (
        SELECT
            CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
            w.stage,
            CAST(w.date AS DATETIME2(3)) AS date
        FROM (
            SELECT DISTINCT CAST(t.spelling AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS spelling
            FROM (
                SELECT v.spelling
                FROM (
                    VALUES (%(spelling_1)s), (%(spelling_2)s), (%(spelling_3)s), (%(spelling_4)s), (%(spelling_5)s)
                ) AS v(spelling)
                UNION ALL
                SELECT k.number FROM dbo.number_key AS k
                WHERE k.match_key = @match_key AND k.country = @country
                UNION ALL
                SELECT k.number FROM dbo.number_key AS k
                WHERE
                    k.ending = RIGHT(@digits, 4) AND RIGHT(k.match_key, LEN(@digits)) = @digits
                    AND k.country = @country
            ) AS t
        ) AS s
        INNER JOIN dbo.wafunnel AS w
            ON
                w.number = ISNULL(
                    (
                        SELECT f.number FROM dbo.wafunnel AS f
                        WHERE 1 = 0
                    ),
                    CASE
                        WHEN
                            @greatest_lead IS NULL
                            OR TRY_CAST(s.spelling AS BIGINT) BETWEEN -@greatest_lead AND @greatest_lead
                            THEN CAST(CAST(s.spelling AS SQL_VARIANT) AS NVARCHAR(255))
                    END
                )
                AND CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.spelling
        WHERE
            s.spelling <> N''
            AND (@stage IS NULL OR w.stage = @stage)
            AND (@date_from IS NULL OR w.date >= @date_from)
            AND (@date_before IS NULL OR w.date < @date_before)
    ) AS v
    WHERE
        @after_number IS NULL
        OR v.number > @after_number
        OR (
            v.number = @after_number
            AND (
                COALESCE(CAST(v.stage AS BIGINT), CAST(-2147483649 AS BIGINT)) > @after_stage
                OR (
                    COALESCE(CAST(v.stage AS BIGINT), CAST(-2147483649 AS BIGINT)) = @after_stage
                    AND COALESCE(v.date, '0001-01-01') > @after_date
                )
            )
        )
    GROUP BY v.number, v.stage, v.date
    ORDER BY v.number, v.stage, v.date
) AS p
ORDER BY p.number, p.stage, p.date;

-- name: leads_of_import
-- The same page of leads, but of those numbers only that an import added or changed.
-- include: _greatest_numbers

DECLARE
    @import_id INT = %(import_id)s,
    @stage INT = %(stage)s,
    @date_from DATETIME2(3) = %(date_from)s,
    @date_before DATETIME2(3) = %(date_before)s,
    @after_number NVARCHAR(255) = %(after_number)s,
    @after_stage BIGINT = COALESCE(%(after_stage)s, -2147483649),
    @after_date DATETIME2(3) = COALESCE(%(after_date)s, '0001-01-01'),
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT
    p.number,
    p.stage,
    p.date,
    (
        SELECT MIN(CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2)
        FROM dbo.agent_wafunnel_assignment AS a
        WHERE
            a.number = ISNULL(
                (
                    SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                    WHERE 1 = 0
                ),
                CASE
                    WHEN
                        @greatest_held IS NULL
                        OR TRY_CAST(p.number AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                        THEN CAST(CAST(p.number AS SQL_VARIANT) AS NVARCHAR(255))
                END
            )
            AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = p.number
    ) AS agent,
    CASE
        WHEN EXISTS (
            SELECT 1 FROM dbo.do_not_contact_entry AS d
            WHERE d.number = p.number
        ) OR EXISTS (
            SELECT 1
            FROM dbo.number_key AS k
            INNER JOIN dbo.number_key AS s ON k.match_key = s.match_key AND k.country = s.country
            INNER JOIN dbo.do_not_contact_entry AS d ON s.number = d.number
            WHERE k.number = p.number AND k.country = @country
        ) THEN 1
        ELSE 0
    END AS do_not_contact,
    p.copies
FROM (
    SELECT TOP (CAST(%(count)s AS INT)) v.number, v.stage, v.date, COUNT(*) AS copies
    FROM (
        SELECT
            CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number,
            w.stage,
            CAST(w.date AS DATETIME2(3)) AS date
        FROM (
            SELECT l.number AS spelling FROM dbo.import_lead AS l
            WHERE l.import_id = @import_id AND l.number >= COALESCE(@after_number, N'')
        ) AS s
        INNER JOIN dbo.wafunnel AS w
            ON
                w.number = ISNULL(
                    (
                        SELECT f.number FROM dbo.wafunnel AS f
                        WHERE 1 = 0
                    ),
                    CASE
                        WHEN
                            @greatest_lead IS NULL
                            OR TRY_CAST(s.spelling AS BIGINT) BETWEEN -@greatest_lead AND @greatest_lead
                            THEN CAST(CAST(s.spelling AS SQL_VARIANT) AS NVARCHAR(255))
                    END
                )
                AND CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.spelling
        WHERE
            (@stage IS NULL OR w.stage = @stage)
            AND (@date_from IS NULL OR w.date >= @date_from)
            AND (@date_before IS NULL OR w.date < @date_before)
    ) AS v
    WHERE
        @after_number IS NULL
        OR v.number > @after_number
        OR (
            v.number = @after_number
            AND (
                COALESCE(CAST(v.stage AS BIGINT), CAST(-2147483649 AS BIGINT)) > @after_stage
                OR (
                    COALESCE(CAST(v.stage AS BIGINT), CAST(-2147483649 AS BIGINT)) = @after_stage
                    AND COALESCE(v.date, '0001-01-01') > @after_date
                )
            )
        )
    GROUP BY v.number, v.stage, v.date
    ORDER BY v.number, v.stage, v.date
) AS p
ORDER BY p.number, p.stage, p.date;

-- name: lead_now
-- The agent who has a number now, in any spelling; NULL if nobody has it.
DECLARE
    @number NVARCHAR(255) = %(number)s,
    @match_key NVARCHAR(255) = %(match_key)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

-- include: _greatest_numbers

SELECT MIN(CAST(h.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2) AS agent
FROM (
    SELECT CAST(@number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
    UNION ALL
    SELECT k.number FROM dbo.number_key AS k
    WHERE k.match_key = @match_key AND k.country = @country
) AS s
INNER JOIN dbo.agent_wafunnel_assignment AS h
    ON
        h.number = ISNULL(
            (
                SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                WHERE 1 = 0
            ),
            CASE
                WHEN
                    @greatest_held IS NULL
                    OR TRY_CAST(s.number AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                    THEN CAST(CAST(s.number AS SQL_VARIANT) AS NVARCHAR(255))
            END
        )
        AND CAST(h.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.number;

-- name: funnel
-- How many rows of wafunnel each stage has; NULL stands for an invalid stage.
SELECT w.stage, COUNT(*) AS leads
FROM (
    SELECT CASE WHEN f.stage BETWEEN 1 AND 4 THEN f.stage END AS stage
    FROM dbo.wafunnel AS f
) AS w
GROUP BY w.stage
ORDER BY w.stage;

-- name: count_leads
-- How many leads and how many agents there are.
SELECT
    (SELECT COUNT(*) FROM dbo.wafunnel) AS leads,
    (SELECT COUNT(*) FROM dbo.agents) AS agents;
