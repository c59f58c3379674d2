/*
The do-not-contact lists: the lists themselves, their numbers, and what adds, looks up, removes and imports numbers.
A number that is on any list is never dealt.

Numbers come as a JSON array of arrays: line, number, reason. They go into a temporary table, and from there, each match
key once, into another one; until the last step of an import, no lock of the database is held. Leads and assignments are
compared with them as in leads.sql: first in the type and the collation of the column, then byte by byte.
*/

-- name: _begin_numbers
-- The temporary tables for numbers: as they come, their match keys, each key once, and its spellings.
CREATE TABLE #named (
    line INT NOT NULL,
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    reason NVARCHAR(255) NULL
);

CREATE TABLE #named_once (
    match_key NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    reason NVARCHAR(255) NULL
);

CREATE TABLE #named_key (
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
    match_key NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
);

CREATE TABLE #spelling (
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
    match_key NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL
);

-- name: _stage_numbers
-- Stages numbers.
INSERT INTO #named (line, number, reason)
SELECT j.line, j.number, j.reason
FROM OPENJSON (%(rows)s) WITH (
    line INT '$[0]', number NVARCHAR(255) '$[1]', reason NVARCHAR(255) '$[2]'
) AS j;

-- name: _sort_numbers
-- The match key of each staged number, and each key once, with the number and the reason of its first line.
-- Babelfish leaves the escapes of JSON as they are, \" and \\. They go once, when all numbers are there.
IF SERVERPROPERTY(N'BabelfishVersion') IS NOT NULL
    UPDATE #named
    SET
        number = REPLACE(REPLACE(REPLACE(number, N'\\', NCHAR(1)), N'\"', N'"'), NCHAR(1), N'\'),
        reason = REPLACE(REPLACE(REPLACE(reason, N'\\', NCHAR(1)), N'\"', N'"'), NCHAR(1), N'\')
    WHERE number LIKE N'%\%' ESCAPE N'!' OR reason COLLATE Latin1_General_BIN2 LIKE N'%\%' ESCAPE N'!';

INSERT INTO #named_key (number, match_key)
SELECT v.number, dbo.fn_match_key(v.number, COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)))
FROM (SELECT DISTINCT n.number FROM #named AS n) AS v;

INSERT INTO #named_once (match_key, number, reason)
SELECT v.match_key, v.number, v.reason
FROM (
    SELECT
        k.match_key,
        n.number,
        n.reason,
        ROW_NUMBER() OVER (PARTITION BY k.match_key ORDER BY n.line) AS occurrence
    FROM #named AS n
    INNER JOIN #named_key AS k ON n.number = k.number
) AS v
WHERE v.occurrence = 1;

-- name: _spell_numbers
-- The staged numbers, and all numbers that have a match key of theirs.
DECLARE @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

INSERT INTO #spelling (number, match_key)
SELECT n.number, n.match_key FROM #named_key AS n
UNION
SELECT k.number, k.match_key
FROM #named_once AS n
INNER JOIN dbo.number_key AS k ON n.match_key = k.match_key AND k.country = @country;

-- name: _take_numbers
-- Puts the staged numbers on a list, and takes them, in any spelling, out of the present assignments. To replace an
-- import also removes what imports put on the list and the file lacks; without a confirmation, up to a tenth of it.
-- Returns the counts, and whether they were applied.
DECLARE
    @list_id INT = %(list_id)s,
    @replaces BIT = %(replaces)s,
    @imported BIT = %(imported)s,
    @numbers INT,
    @kept INT,
    @removed INT = 0,
    @imports INT = 0,
    @leads INT,
    @assignments INT,
    @applied BIT;

-- include: _greatest_numbers

-- include: _spell_numbers

SELECT @numbers = COUNT(*) FROM #named_once;

SELECT @kept = COUNT(DISTINCT s.match_key)
FROM #spelling AS s
INNER JOIN dbo.do_not_contact_entry AS e ON s.number = e.number AND e.list_id = @list_id;

IF @replaces = 1
    SELECT
        @imports = COUNT(*),
        @removed = COUNT(*) - COUNT(s.number)
    FROM dbo.do_not_contact_entry AS e
    LEFT JOIN #spelling AS s ON e.number = s.number
    WHERE e.list_id = @list_id AND e.imported = 1;

SELECT @leads = COUNT(*)
FROM #spelling AS s
INNER JOIN dbo.wafunnel AS w
    ON
        w.number = ISNULL(
            (
                SELECT f.number FROM dbo.wafunnel AS f
                WHERE 1 = 0
            ),
            CASE
                WHEN @greatest_lead IS NULL OR TRY_CAST(s.number AS BIGINT) BETWEEN -@greatest_lead AND @greatest_lead
                    THEN CAST(CAST(s.number AS SQL_VARIANT) AS NVARCHAR(255))
            END
        )
        AND CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.number;

SELECT @assignments = COUNT(*)
FROM #spelling AS s
INNER JOIN dbo.agent_wafunnel_assignment AS a
    ON
        a.number = ISNULL(
            (
                SELECT b.number FROM dbo.agent_wafunnel_assignment AS b
                WHERE 1 = 0
            ),
            CASE
                WHEN @greatest_held IS NULL OR TRY_CAST(s.number AS BIGINT) BETWEEN -@greatest_held AND @greatest_held
                    THEN CAST(CAST(s.number AS SQL_VARIANT) AS NVARCHAR(255))
            END
        )
        AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.number;

SET @applied = CASE
    WHEN %(dry_run)s = 1 THEN 0
    WHEN %(confirmed)s = 1 OR CAST(@removed AS BIGINT) * 10 <= @imports THEN 1
    ELSE 0
END;

IF @applied = 1 AND @removed > 0
    DELETE FROM dbo.do_not_contact_entry
    WHERE
        list_id = @list_id AND imported = 1
        AND NOT EXISTS (
            SELECT 1 FROM #spelling AS s
            WHERE s.number = dbo.do_not_contact_entry.number
        );

-- A person's word outlasts the imports: the next one does not take the number back.
IF @applied = 1 AND @imported = 0
    UPDATE e
    SET imported = 0, reason = COALESCE(n.reason, e.reason)
    FROM dbo.do_not_contact_entry AS e
    INNER JOIN #spelling AS s ON e.number = s.number
    INNER JOIN #named_once AS n ON s.match_key = n.match_key
    WHERE e.list_id = @list_id AND e.imported = 1;

IF @applied = 1
    INSERT INTO dbo.do_not_contact_entry (number, list_id, reason, added_at, imported)
    SELECT n.number, @list_id, n.reason, SYSUTCDATETIME(), @imported
    FROM #named_once AS n
    WHERE
        NOT EXISTS (
            SELECT 1
            FROM #spelling AS s
            INNER JOIN dbo.do_not_contact_entry AS e ON s.number = e.number AND e.list_id = @list_id
            WHERE s.match_key = n.match_key
        );

IF @applied = 1
    INSERT INTO dbo.number_key (country, number, match_key, ending)
    SELECT @country, n.number, n.match_key, RIGHT(n.match_key, 4)
    FROM #named_once AS n
    WHERE
        NOT EXISTS (
            SELECT 1 FROM dbo.number_key AS k
            WHERE k.number = n.number AND k.country = @country
        );

IF @applied = 1 AND @assignments > 0
    DELETE a
    FROM dbo.agent_wafunnel_assignment AS a
    INNER JOIN #spelling AS s
        ON
            a.number = ISNULL(
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
            AND CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.number;

IF @applied = 1 AND @imported = 1
    UPDATE dbo.do_not_contact_list
    SET imported_at = SYSUTCDATETIME(), warned_at = NULL
    WHERE list_id = @list_id;

SELECT
    @numbers AS numbers,
    @kept AS kept,
    @removed AS removed,
    @imports AS imports,
    @leads AS leads,
    @assignments AS assignments,
    @applied AS applied;

-- name: do_not_contact_lists
-- The lists, each with how many numbers it has, and how many of them imports put there.
SELECT
    l.list_id, l.name, l.reason, l.source, l.bound_days, l.added_at, l.imported_at,
    COALESCE(n.entries, 0) AS entries,
    COALESCE(n.imported, 0) AS imported
FROM dbo.do_not_contact_list AS l
LEFT JOIN (
    SELECT e.list_id, COUNT(*) AS entries, SUM(CAST(e.imported AS INT)) AS imported
    FROM dbo.do_not_contact_entry AS e
    GROUP BY e.list_id
) AS n ON l.list_id = n.list_id
ORDER BY l.list_id;

-- name: do_not_contact_ages
-- The lists, with their bounds, and the moment of the last import, or of the creation of the list.
SELECT l.list_id, l.name, l.bound_days, COALESCE(l.imported_at, l.added_at) AS since FROM dbo.do_not_contact_list AS l
ORDER BY l.list_id;

-- name: note_old_list
-- Notes that people are told now that a list is old, unless they were told within a day; returns whether it was noted.
UPDATE dbo.do_not_contact_list
SET warned_at = CAST(%(now)s AS DATETIME2(3))
WHERE
    name = %(list_name)s
    AND (warned_at IS NULL OR warned_at <= CAST(%(day_before)s AS DATETIME2(3)));

SELECT @@ROWCOUNT AS noted;

-- name: add_do_not_contact_list
-- Adds a list; returns how many were added: none if the name is taken.
INSERT INTO dbo.do_not_contact_list (name, reason, source, bound_days, added_at)
SELECT %(list_name)s, %(reason)s, %(source)s, %(bound_days)s, SYSUTCDATETIME()
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.do_not_contact_list AS l
    WHERE l.name = %(list_name)s
);

SELECT @@ROWCOUNT AS added;

-- name: do_not_contact
-- A page of the numbers of a list, or of all lists, by number and list: those after a number and a list.
DECLARE
    @list_name NVARCHAR(255) = %(list_name)s,
    @after_number NVARCHAR(255) = COALESCE(%(after_number)s, N''),
    @after_list NVARCHAR(255) = COALESCE(%(after_list)s, N'');

SELECT TOP (%(count)s) e.number, l.name AS list_name, e.reason, e.added_at, e.imported
FROM dbo.do_not_contact_entry AS e
INNER JOIN dbo.do_not_contact_list AS l ON e.list_id = l.list_id
WHERE
    (@list_name IS NULL OR l.name = @list_name)
    AND e.number >= @after_number
    AND (e.number > @after_number OR l.name > @after_list)
ORDER BY e.number, l.name;

-- name: do_not_contact_of_number
-- The entries of one number, in any spelling, in the order of the lists.
DECLARE
    @number NVARCHAR(255) = %(number)s,
    @match_key NVARCHAR(255) = %(match_key)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT e.number, l.name AS list_name, e.reason, e.added_at, e.imported
FROM dbo.do_not_contact_entry AS e
INNER JOIN dbo.do_not_contact_list AS l ON e.list_id = l.list_id
WHERE
    e.number = @number
    OR e.number IN (
        SELECT k.number FROM dbo.number_key AS k
        WHERE k.match_key = @match_key AND k.country = @country
    )
ORDER BY e.list_id, e.number;

-- name: look_up_do_not_contact
-- traits: read-only
-- The entries of several numbers, in any spelling.
-- include: _begin_numbers

-- include: _stage_numbers

-- include: _sort_numbers

-- include: _spell_numbers

SELECT e.number, l.name AS list_name, e.reason, e.added_at, e.imported
FROM dbo.do_not_contact_entry AS e
INNER JOIN dbo.do_not_contact_list AS l ON e.list_id = l.list_id
WHERE e.number IN (SELECT s.number FROM #spelling AS s)
ORDER BY e.number, e.list_id;

DROP TABLE #named, #named_once, #named_key, #spelling;

-- name: add_do_not_contact
-- lock: records
-- busy: A run is still in progress; no number was put on the list. Try again when the run has ended.
-- Puts numbers on a list for a person, and takes them out of the present assignments. The lock makes it wait for a deal
-- in progress, which has read the lists already and would hand the numbers out again.
-- include: _begin_numbers

-- include: _stage_numbers

-- include: _sort_numbers

-- include: _take_numbers

-- The session is used again, so its temporary tables must go.
DROP TABLE #named, #named_once, #named_key, #spelling;

-- name: begin_do_not_contact
-- traits: read-only
-- Creates the temporary tables for the numbers of a file; only this connection sees them.
-- include: _begin_numbers

-- name: stage_do_not_contact
-- Stages numbers of a file.
-- include: _stage_numbers

-- name: sort_do_not_contact
-- traits: read-only
-- Keeps each staged number once, while nobody waits for it.
-- include: _sort_numbers

-- name: apply_do_not_contact
-- lock: records
-- busy: A run is still in progress; nothing was imported. Try again when the run has ended.
-- Adds the staged numbers to a list, or replaces its imports by them, and records that. The lock makes it wait for a
-- deal in progress.
-- include: _take_numbers

IF @applied = 1
    BEGIN
        -- include: _record_import

        INSERT INTO dbo.import_result (import_id, data_rows, added, changed, removed, kept, bad_rows)
        VALUES (
            SCOPE_IDENTITY(), %(rows)s, @numbers - @kept, 0, @removed, %(rows)s - %(bad_rows)s - (@numbers - @kept),
            %(bad_rows)s
        );
    END;

-- name: remove_do_not_contact
-- Removes numbers, in any spelling, from a list; returns how many were removed.
DECLARE @removed INT;

-- include: _begin_numbers

-- include: _stage_numbers

-- include: _sort_numbers

-- include: _spell_numbers

DELETE FROM dbo.do_not_contact_entry
WHERE list_id = %(list_id)s AND number IN (SELECT s.number FROM #spelling AS s);
SET @removed = @@ROWCOUNT;

DROP TABLE #named, #named_once, #named_key, #spelling;

SELECT @removed AS removed;
