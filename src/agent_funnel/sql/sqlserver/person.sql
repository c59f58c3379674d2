/*
A person, who is known by a number in any spelling: all that is kept of them, and how it is erased. The procedure
person/sp_forget_number.sql erases.
*/

-- name: person
-- traits: read-only
-- All that is kept of a person, in seven result sets: the stored spellings, the records of wafunnel, the present
-- assignments, the dealt leads, the edits of assignments, which an undo needs, the reported outcomes, and the imports.
-- Match keys that are not kept yet are computed here.
DECLARE
    @number NVARCHAR(255) = %(number)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f)),
    @match_key NVARCHAR(255);

SET @match_key = dbo.fn_match_key(@number, @country);

-- The numbers whose match keys are not kept go into a table first: in one statement, the server may compute the match
-- keys of all numbers.
CREATE TABLE #unkeyed (number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

INSERT INTO #unkeyed (number)
SELECT n.number
FROM (
    SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number FROM dbo.wafunnel AS w
    WHERE w.number <> ''
    UNION
    SELECT CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
    FROM dbo.agent_wafunnel_assignment AS a
    WHERE a.number <> ''
    UNION
    SELECT h.number FROM dbo.assignment_history AS h
    UNION
    SELECT e.number FROM dbo.assignment_edit AS e
    WHERE e.number <> N''
    UNION
    SELECT d.number FROM dbo.do_not_contact_entry AS d
    UNION
    SELECT o.number FROM dbo.do_not_contact AS o
    UNION
    SELECT r.number FROM dbo.assignment_outcome AS r
    UNION
    SELECT i.number FROM dbo.import_lead AS i
) AS n
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.number_key AS k
    WHERE k.number = n.number AND k.country = @country
);

CREATE TABLE #person (number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY);

INSERT INTO #person (number)
SELECT k.number FROM dbo.number_key AS k
WHERE k.match_key = @match_key AND k.country = @country
UNION
SELECT u.number FROM #unkeyed AS u
WHERE dbo.fn_match_key(u.number, @country) = @match_key;

SELECT p.number FROM #person AS p
ORDER BY p.number;

SELECT v.number, v.stage, CAST(v.date AS DATETIME2(3)) AS date, COUNT(*) AS copies
FROM (
    SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number, w.stage, w.date
    FROM dbo.wafunnel AS w
) AS v
INNER JOIN #person AS p ON v.number = p.number
GROUP BY v.number, v.stage, v.date
ORDER BY v.number, v.stage, v.date;

SELECT v.agent, v.number, COUNT(*) AS copies
FROM (
    SELECT
        CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS agent,
        CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number
    FROM dbo.agent_wafunnel_assignment AS a
) AS v
INNER JOIN #person AS p ON v.number = p.number
GROUP BY v.agent, v.number
ORDER BY v.number, v.agent;

SELECT h.run_id, r.business_date, r.status, h.agent, h.number, CAST(h.date AS DATETIME2(3)) AS date, h.stage
FROM #person AS p
INNER JOIN dbo.assignment_history AS h ON p.number = h.number
INNER JOIN dbo.assignment_run AS r ON h.run_id = r.run_id
ORDER BY h.run_id DESC, h.number ASC;

SELECT e.run_id, e.agent, e.number, e.copies
FROM dbo.assignment_edit AS e
INNER JOIN #person AS p ON e.number = p.number
ORDER BY e.edit_id DESC;

SELECT
    o.outcome_id, o.run_id, o.agent, o.number, o.outcome, o.call_back_on, o.same_agent, o.note,
    o.reported_at, o.reported_by, o.taken_back_at, o.taken_back_by
FROM dbo.assignment_outcome AS o
INNER JOIN #person AS p ON o.number = p.number
ORDER BY o.outcome_id DESC;

SELECT
    r.import_id,
    r.imported_at,
    r.file_name,
    i.number,
    i.stage,
    CAST(i.date AS DATETIME2(3)) AS date,
    i.is_changed,
    i.stage_before,
    CAST(i.date_before AS DATETIME2(3)) AS date_before
FROM #person AS p
INNER JOIN dbo.import_lead AS i ON p.number = i.number
INNER JOIN dbo.import_record AS r ON i.import_id = r.import_id
ORDER BY i.import_id DESC, i.number ASC;

DROP TABLE #person;
DROP TABLE #unkeyed;

-- name: would_forget
-- traits: read-only
-- What an erasure would concern now. The procedure decides everything: see person/sp_forget_number.sql.
EXECUTE dbo.sp_forget_number @number = %(number)s, @country = %(country)s, @preview = 1;

-- name: forget
-- Erases all that is kept of a person. The procedure decides everything: see person/sp_forget_number.sql.
EXECUTE dbo.sp_forget_number @number = %(number)s, @actor = %(actor)s, @country = %(country)s;
