/*
Numbers: the match keys, which tell whether two spellings are the same number. fn_match_key computes them.
*/

-- name: match_key
-- The match key of a number.
SELECT dbo.fn_match_key(%(number)s, COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f))) AS match_key;

-- name: are_numbers_new
-- Whether there are numbers whose match key is not kept: of leads, of the do-not-contact list and, with @with_history =
-- 1, of the history, which an older version of the tables has without keys.
DECLARE
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)),
    @with_history BIT = %(with_history)s;

SELECT
    CASE
        WHEN EXISTS (
            SELECT 1 FROM dbo.wafunnel AS w
            WHERE
                w.number <> ''
                AND NOT EXISTS (
                    SELECT 1 FROM dbo.number_key AS k
                    WHERE
                        k.number = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
                        AND k.country = @country
                )
        ) OR EXISTS (
            SELECT 1 FROM dbo.do_not_contact_entry AS d
            WHERE
                NOT EXISTS (
                    SELECT 1 FROM dbo.number_key AS k
                    WHERE k.number = d.number AND k.country = @country
                )
        ) OR EXISTS (
            SELECT 1 FROM dbo.assignment_history AS h
            WHERE
                @with_history = 1
                AND NOT EXISTS (
                    SELECT 1 FROM dbo.number_key AS k
                    WHERE k.number = h.number AND k.country = @country
                )
        ) THEN 1
        ELSE 0
    END AS are_new;

-- name: take_in_numbers
-- lock: records
-- busy: A run is still in progress; no match key was kept. Try again when the run has ended.
-- Keeps the match keys of up to @most numbers that have none yet; returns how many there were. The lock keeps a run
-- from keeping the same ones at the same time. It has a statement for each table: each reads its table once, while a
-- union of all sorts a million numbers, and takes ten times as long.
DECLARE
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)),
    @with_history BIT = %(with_history)s,
    @most INT = %(most)s,
    @taken_in INT;

INSERT INTO dbo.number_key (country, number, match_key, ending)
SELECT @country, f.number, f.match_key, RIGHT(f.match_key, 4)
FROM (
    SELECT u.number, dbo.fn_match_key(u.number, @country) AS match_key
    FROM (
        SELECT DISTINCT TOP (@most) CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
        FROM dbo.wafunnel AS w
        WHERE
            w.number <> ''
            AND NOT EXISTS (
                SELECT 1 FROM dbo.number_key AS k
                WHERE k.number = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AND k.country = @country
            )
    ) AS u
) AS f;
SET @taken_in = @@ROWCOUNT;

INSERT INTO dbo.number_key (country, number, match_key, ending)
SELECT @country, f.number, f.match_key, RIGHT(f.match_key, 4)
FROM (
    SELECT u.number, dbo.fn_match_key(u.number, @country) AS match_key
    FROM (
        SELECT DISTINCT TOP (@most - @taken_in) d.number
        FROM dbo.do_not_contact_entry AS d
        WHERE
            NOT EXISTS (
                SELECT 1 FROM dbo.number_key AS k
                WHERE k.number = d.number AND k.country = @country
            )
    ) AS u
) AS f;
SET @taken_in = @taken_in + @@ROWCOUNT;

INSERT INTO dbo.number_key (country, number, match_key, ending)
SELECT @country, f.number, f.match_key, RIGHT(f.match_key, 4)
FROM (
    SELECT u.number, dbo.fn_match_key(u.number, @country) AS match_key
    FROM (
        SELECT DISTINCT TOP (@most - @taken_in) h.number
        FROM dbo.assignment_history AS h
        WHERE
            @with_history = 1
            AND NOT EXISTS (
                SELECT 1 FROM dbo.number_key AS k
                WHERE k.number = h.number AND k.country = @country
            )
    ) AS u
) AS f;
SET @taken_in = @taken_in + @@ROWCOUNT;

SELECT @taken_in AS taken_in;

-- name: numbers_ending
-- Up to @most numbers whose match key ends with @digits, of which there are at least four, with their keys.
DECLARE
    @digits NVARCHAR(255) = %(digits)s,
    @most INT = %(most)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT TOP (@most) k.number, k.match_key
FROM dbo.number_key AS k
WHERE k.ending = RIGHT(@digits, 4) AND RIGHT(k.match_key, LEN(@digits)) = @digits AND k.country = @country
ORDER BY k.number;

-- name: _alike
-- Up to @most pairs of a number of #sought and a stored number whose other match key, without a country, has the same
-- last eight characters; and whether the stored one is a lead, and on a do-not-contact list. Where the sales floor has
-- a country, there are no such pairs.
DECLARE
    @most INT = %(most)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT TOP (@most)
    s.match_key AS sought_key,
    k.number,
    k.match_key,
    CASE
        WHEN
            EXISTS (
                SELECT 1 FROM dbo.wafunnel AS w
                WHERE CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = k.number
            ) THEN 1
        ELSE 0
    END AS is_lead,
    CASE
        WHEN
            EXISTS (
                SELECT 1 FROM dbo.do_not_contact_entry AS d
                WHERE d.number = k.number
            ) THEN 1
        ELSE 0
    END AS is_listed
FROM #sought AS s
INNER JOIN dbo.number_key AS k
    ON RIGHT(s.tail, 4) = k.ending AND s.tail = RIGHT(k.match_key, 8) AND s.match_key <> k.match_key
WHERE k.country = '' AND @country = ''
ORDER BY s.match_key, k.number;

-- name: leads_alike
-- traits: read-only
-- Pairs of a staged lead of an import that is not there yet, in any spelling, and a stored number that ends alike.
CREATE TABLE #sought (
    match_key NVARCHAR(300) COLLATE Latin1_General_BIN2 NOT NULL,
    tail NVARCHAR(8) COLLATE Latin1_General_BIN2 NOT NULL
);

INSERT INTO #sought (match_key, tail)
SELECT s.match_key, RIGHT(s.match_key, 8)
FROM #staged AS s
WHERE
    NOT EXISTS (
        SELECT 1 FROM #staged_there AS t
        WHERE t.line = s.line
    );

-- include: _alike

-- name: numbers_alike
-- traits: read-only
-- Pairs of a staged number of a do-not-contact file and a stored number that ends alike.
CREATE TABLE #sought (
    match_key NVARCHAR(300) COLLATE Latin1_General_BIN2 NOT NULL,
    tail NVARCHAR(8) COLLATE Latin1_General_BIN2 NOT NULL
);

INSERT INTO #sought (match_key, tail)
SELECT n.match_key, RIGHT(n.match_key, 8) FROM #named_once AS n;

-- include: _alike

-- name: still_called
-- traits: read-only
-- Up to @most stored numbers on no list whose match key, without a country, ends like that of one of several numbers,
-- each with that key and with the agent who has it now. Where the sales floor has a country, there are none.
DECLARE
    @most INT = %(most)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

-- include: _greatest_numbers

-- include: _begin_numbers

-- include: _stage_numbers

-- include: _sort_numbers

CREATE TABLE #ends_alike (
    sought_key NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    match_key NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
);

INSERT INTO #ends_alike (sought_key, number, match_key)
SELECT TOP (@most) n.match_key AS sought_key, k.number, k.match_key
FROM #named_once AS n
INNER JOIN dbo.number_key AS k
    ON
        RIGHT(n.match_key, 4) = k.ending
        AND RIGHT(n.match_key, 8) = RIGHT(k.match_key, 8)
        AND n.match_key <> k.match_key
WHERE
    k.country = '' AND @country = ''
    AND NOT EXISTS (
        SELECT 1 FROM dbo.suppressed_number AS d
        WHERE d.number = k.number AND d.country IN ('*', '')
    )
ORDER BY n.match_key, k.number;

SELECT e.sought_key, e.number, e.match_key, MIN(CAST(h.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2) AS agent
FROM #ends_alike AS e
LEFT JOIN dbo.agent_wafunnel_assignment AS h
    ON
        h.number = ISNULL(
            (
                SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                WHERE 1 = 0
            ),
            CASE
                WHEN @greatest_held IS NULL OR TRY_CAST(e.number AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                    THEN CAST(CAST(e.number AS SQL_VARIANT) AS NVARCHAR(255))
            END
        )
        AND CAST(h.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = e.number
GROUP BY e.sought_key, e.number, e.match_key
ORDER BY e.sought_key, e.number;

DROP TABLE #named, #named_once, #named_key, #spelling, #ends_alike;
