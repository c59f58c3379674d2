/*
Imports on record: the list, the leads of an import, and what became of them. The procedure
import_records/sp_undo_import.sql undoes an import.
*/

-- name: _record_import
-- Records an import; its id is then SCOPE_IDENTITY().
INSERT INTO dbo.import_record (
    kind, imported_at, actor, source, address, file_name, sha256, rules, last_run_id
)
SELECT
    %(kind)s, SYSUTCDATETIME(), %(actor)s, %(source)s, %(address)s, %(file_name)s, %(sha256)s, %(rules)s,
    (SELECT MAX(r.run_id) FROM dbo.assignment_run AS r);

-- name: record_import
-- Records an import, and returns its id. In the transaction of the import, before anything is written.
-- include: _record_import

SELECT CAST(SCOPE_IDENTITY() AS INT) AS import_id;

-- name: record_result
-- Records the amounts of an import, at the end of its transaction.
INSERT INTO dbo.import_result (import_id, data_rows, added, changed, removed, kept, bad_rows)
VALUES (%(import_id)s, %(rows)s, %(added)s, %(changed)s, 0, %(kept)s, %(bad_rows)s);

-- name: imports
-- The newest imports, newest first: those before an import, or the import of this id alone.
DECLARE
    @import_id INT = %(import_id)s,
    @before INT = %(before)s;

SELECT TOP (CAST(%(count)s AS INT))
    r.import_id, r.kind, r.imported_at, r.actor, r.source, r.address, r.file_name, r.sha256, r.rules,
    t.data_rows AS rows, t.added, t.changed, t.removed, t.kept, t.bad_rows,
    u.undone_at, u.undone_by, u.taken_back, u.put_back, u.left_alone
FROM dbo.import_record AS r
INNER JOIN dbo.import_result AS t ON r.import_id = t.import_id
LEFT JOIN dbo.import_undo AS u ON r.import_id = u.import_id
WHERE (@import_id IS NULL OR r.import_id = @import_id) AND (@before IS NULL OR r.import_id < @before)
ORDER BY r.import_id DESC;

-- name: batch_stages
-- How many leads of an import have each stage now: of several records of a number, the greatest stage counts. NULL
-- stands for an invalid stage, and 0 for leads that are in the table no more.
DECLARE @import_id INT = %(import_id)s;

SELECT v.stage, COUNT(*) AS leads
FROM (
    SELECT
        CASE
            WHEN n.number IS NULL THEN 0
            WHEN n.stage BETWEEN 1 AND 4 THEN n.stage
        END AS stage
    FROM dbo.import_lead AS l
    LEFT JOIN (
        SELECT c.number, MAX(c.stage) AS stage
        FROM (
            SELECT CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AS number, CAST(w.stage AS INT) AS stage
            FROM dbo.wafunnel AS w
        ) AS c
        GROUP BY c.number
    ) AS n ON l.number = n.number
    WHERE l.import_id = @import_id
) AS v
GROUP BY v.stage
ORDER BY v.stage;

-- name: imports_of_number
-- The imports that added or changed a lead of a number, in any spelling, newest first.
DECLARE
    @number NVARCHAR(255) = %(number)s,
    @match_key NVARCHAR(255) = %(match_key)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT
    r.import_id,
    r.imported_at,
    r.file_name,
    l.number,
    l.stage,
    CAST(l.date AS DATETIME2(3)) AS date,
    l.is_changed,
    l.stage_before,
    CAST(l.date_before AS DATETIME2(3)) AS date_before
FROM dbo.import_lead AS l
INNER JOIN dbo.import_record AS r ON l.import_id = r.import_id
WHERE
    l.number IN (
        SELECT @number
        UNION ALL
        SELECT k.number FROM dbo.number_key AS k
        WHERE k.match_key = @match_key AND k.country = @country
    )
ORDER BY l.import_id DESC, l.number ASC;

-- name: would_undo_import
-- traits: read-only
-- What an undo of an import would do now. The procedure decides everything: see import_records/sp_undo_import.sql.
EXECUTE dbo.sp_undo_import @import_id = %(import_id)s, @country = %(country)s, @preview = 1;

-- name: undo_import
-- Takes back what an import added, and puts back what it changed, as far as it still is as the import wrote it. The
-- procedure decides everything: see import_records/sp_undo_import.sql.
EXECUTE dbo.sp_undo_import @import_id = %(import_id)s, @actor = %(actor)s, @country = %(country)s;

-- name: chosen_columns
-- The columns that people chose for files of a kind, by the hash of the header; the newest choices.
SELECT TOP (1000) m.header_hash, m.chosen FROM dbo.import_mapping AS m
WHERE m.kind = %(kind)s
ORDER BY m.chosen_at DESC;

-- name: choose_columns
-- Remembers the columns that somebody chose for files with this header; NULL forgets them.
DECLARE
    @header_hash VARCHAR(64) = %(header_hash)s,
    @chosen NVARCHAR(4000) = %(chosen)s;

DELETE FROM dbo.import_mapping
WHERE kind = %(kind)s AND header_hash = @header_hash;

INSERT INTO dbo.import_mapping (kind, header_hash, chosen, chosen_at, chosen_by)
SELECT %(kind)s, @header_hash, @chosen, SYSUTCDATETIME(), %(actor)s
WHERE
    @chosen IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM dbo.import_mapping AS m
        WHERE m.kind = %(kind)s AND m.header_hash = @header_hash
    );
