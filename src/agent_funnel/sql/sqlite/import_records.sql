-- Imports on record: the list, the leads of an import, what became of them, and the undo. :country as for match keys.

-- name: _record_import
-- Records an import; its id is then last_insert_rowid().
INSERT INTO import_record (
    kind, imported_at, actor, source, address, file_name, sha256, rules, last_run_id
)
SELECT
    :kind, strftime('%Y-%m-%d %H:%M:%f', 'now'), :actor, :source, :address, :file_name, :sha256, :rules,
    (SELECT max(r.run_id) FROM assignment_run AS r)

-- name: record_import
-- Records an import, and returns its id. In the transaction of the import, before anything is written.
-- include: _record_import
;

SELECT last_insert_rowid() AS import_id;

-- name: record_result
-- Records the amounts of an import, at the end of its transaction.
INSERT INTO import_result (import_id, data_rows, added, changed, removed, kept, bad_rows)
VALUES (:import_id, :rows, :added, :changed, 0, :kept, :bad_rows);

-- name: imports
-- The newest imports, newest first: those before an import, or the import of this id alone.
SELECT
    r.import_id, r.kind, r.imported_at, r.actor, r.source, r.address, r.file_name, r.sha256, r.rules,
    t.data_rows AS rows, t.added, t.changed, t.removed, t.kept, t.bad_rows,
    u.undone_at, u.undone_by, u.taken_back, u.put_back, u.left_alone
FROM import_record AS r
INNER JOIN import_result AS t ON t.import_id = r.import_id
LEFT JOIN import_undo AS u ON u.import_id = r.import_id
WHERE (:import_id IS NULL OR r.import_id = :import_id) AND (:before IS NULL OR r.import_id < :before)
ORDER BY r.import_id DESC
LIMIT :count;

-- name: batch_stages
-- How many leads of an import have each stage now: of several records of a number, the greatest stage counts. NULL
-- stands for an invalid stage, and 0 for leads that are in the table no more.
SELECT v.stage, count(*) AS leads
FROM (
    SELECT
        CASE
            WHEN n.number IS NULL THEN 0
            WHEN n.stage BETWEEN 1 AND 4 THEN CAST(n.stage AS INTEGER)
        END AS stage
    FROM import_lead AS l
    LEFT JOIN (
        SELECT w.number COLLATE BINARY AS number, max(w.stage) AS stage
        FROM wafunnel AS w
        WHERE w.number COLLATE BINARY IN (SELECT i.number FROM import_lead AS i WHERE i.import_id = :import_id)
        GROUP BY w.number COLLATE BINARY
    ) AS n ON n.number = l.number
    WHERE l.import_id = :import_id
) AS v
GROUP BY v.stage
ORDER BY v.stage;

-- name: imports_of_number
-- The imports that added or changed a lead of a number, in any spelling, newest first.
SELECT r.import_id, r.imported_at, r.file_name, l.number, l.stage, l.date, l.is_changed, l.stage_before, l.date_before
FROM import_lead AS l
INNER JOIN import_record AS r ON r.import_id = l.import_id
WHERE l.number = :number
    OR l.number IN (
        SELECT k.number FROM number_key AS k
        WHERE k.match_key = :match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    )
ORDER BY l.import_id DESC, l.number;

-- name: _find_undoable
-- temp.undoable: the leads of an import that was not undone, and whether each of them is left as it is. A lead is taken
-- back if exactly one record is as the import wrote it, and since then no run has dealt its match key, and nobody has
-- reported an outcome of it. A run that was undone counts, too: an agent had the number.
DROP TABLE IF EXISTS temp.undoable;

CREATE TEMP TABLE undoable (
    number TEXT NOT NULL PRIMARY KEY,
    match_key TEXT NOT NULL,
    stage INTEGER NOT NULL,
    date TEXT NOT NULL,
    is_changed INTEGER NOT NULL,
    stage_before INTEGER,
    date_before TEXT,
    is_left INTEGER NOT NULL
) WITHOUT ROWID;

-- Most match keys are kept already, and the others are computed.
DROP TABLE IF EXISTS temp.undoable_key;

CREATE TEMP TABLE undoable_key (number TEXT NOT NULL PRIMARY KEY, match_key TEXT NOT NULL) WITHOUT ROWID;

INSERT INTO temp.undoable_key (number, match_key)
WITH unkeyed AS (
    SELECT l.number FROM import_lead AS l
    WHERE l.import_id = :import_id
        AND NOT EXISTS (
            SELECT 1 FROM number_key AS k
            WHERE k.number = l.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
        )
),

-- include: _match_keys

SELECT k.number, k.match_key FROM keyed AS k;

INSERT INTO temp.undoable (number, match_key, stage, date, is_changed, stage_before, date_before, is_left)
SELECT
    l.number, coalesce(k.match_key, u.match_key), l.stage, l.date, l.is_changed, l.stage_before, l.date_before, 0
FROM import_lead AS l
LEFT JOIN number_key AS k
    ON k.number = l.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
LEFT JOIN temp.undoable_key AS u ON u.number = l.number
WHERE l.import_id = :import_id AND NOT EXISTS (SELECT 1 FROM import_undo AS u WHERE u.import_id = :import_id);

UPDATE temp.undoable SET is_left = 1
WHERE (
        SELECT count(*) FROM wafunnel AS w
        WHERE w.number = undoable.number COLLATE BINARY AND w.stage IS undoable.stage AND w.date IS undoable.date
    ) <> 1;

UPDATE temp.undoable SET is_left = 1
WHERE EXISTS (
        SELECT 1
        FROM import_record AS r
        CROSS JOIN assignment_history AS h
        WHERE r.import_id = :import_id AND h.number = undoable.number AND h.run_id > coalesce(r.last_run_id, 0)
    )
    OR EXISTS (
        SELECT 1
        FROM import_record AS r
        CROSS JOIN number_key AS k
        CROSS JOIN assignment_history AS h ON h.number = k.number
        WHERE r.import_id = :import_id AND k.match_key = undoable.match_key
            AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
            AND h.run_id > coalesce(r.last_run_id, 0)
    )
    OR EXISTS (
        SELECT 1
        FROM import_record AS r
        CROSS JOIN assignment_outcome AS o
        WHERE r.import_id = :import_id AND o.number = undoable.number AND o.reported_at >= r.imported_at
    )
    OR EXISTS (
        SELECT 1
        FROM import_record AS r
        CROSS JOIN number_key AS k
        CROSS JOIN assignment_outcome AS o ON o.number = k.number
        WHERE r.import_id = :import_id AND k.match_key = undoable.match_key
            AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
            AND o.reported_at >= r.imported_at
    );

-- name: _find_undoable_rows
-- temp.undoable_row: the agents, limits or holidays of an import that was not undone, and whether each of them is left as
-- it is. One that it added is taken back if it is as the import wrote it; an agent only if nobody has a lead, a limit or
-- a link under that name, and no run had it.
DROP TABLE IF EXISTS temp.undoable_row;

CREATE TEMP TABLE undoable_row AS
SELECT
    w.line,
    w.key_text,
    w.value_text,
    w.days_text,
    w.is_changed,
    w.value_before,
    CASE r.kind
        WHEN 'holidays' THEN NOT EXISTS (
            SELECT 1 FROM holiday AS h
            WHERE h.day = w.key_text AND coalesce(h.name, '') = coalesce(w.value_text, '')
        )
        WHEN 'limits' THEN (
            SELECT count(*) FROM agent_limit AS l
            WHERE l.agent = w.key_text AND l.starts_on = substr(w.days_text, 1, 10)
                AND coalesce(l.ends_on, '') = substr(w.days_text, 12) AND l.max_records = CAST(w.value_text AS INTEGER)
        ) <> 1
        ELSE (
            SELECT count(*) <> 1 OR max(lower(trim(a.status)) <> w.value_text) FROM agents AS a
            WHERE a.agent = w.key_text COLLATE BINARY
        ) OR (
            NOT w.is_changed AND w.key_text IN (
                SELECT s.agent FROM agent_wafunnel_assignment AS s
                UNION ALL SELECT h.agent FROM assignment_history AS h
                UNION ALL SELECT l.agent FROM agent_limit AS l
                UNION ALL SELECT k.agent FROM agent_link AS k
            )
        )
    END AS is_left
FROM import_row AS w
INNER JOIN import_record AS r ON r.import_id = w.import_id
WHERE w.import_id = :import_id AND NOT EXISTS (SELECT 1 FROM import_undo AS u WHERE u.import_id = :import_id);

-- name: _undo_amounts
-- The amounts of an undo, and when and by whom the import was undone before; no row if there is no such import.
SELECT
    r.kind,
    u.undone_at,
    u.undone_by,
    coalesce(sum(NOT n.is_left AND NOT n.is_changed), 0) AS taken_back,
    coalesce(sum(NOT n.is_left AND n.is_changed), 0) AS put_back,
    coalesce(sum(n.is_left), 0) AS left_alone
FROM import_record AS r
LEFT JOIN import_undo AS u ON u.import_id = r.import_id
LEFT JOIN (
    SELECT l.is_left, l.is_changed FROM temp.undoable AS l
    UNION ALL
    SELECT o.is_left, o.is_changed FROM temp.undoable_row AS o
) AS n
WHERE r.import_id = :import_id
GROUP BY r.kind, u.undone_at, u.undone_by

-- name: would_undo_import
-- traits: read-only
-- What an undo of an import would do now. It changes nothing.
-- include: _find_undoable

-- include: _find_undoable_rows

-- include: _undo_amounts
;

-- name: undo_import
-- Takes back what an import added, and puts back what it changed, as far as it still is as the import wrote it.
-- include: _find_undoable

-- include: _find_undoable_rows

DROP TABLE IF EXISTS temp.undone_import;

CREATE TEMP TABLE undone_import AS
-- include: _undo_amounts
;

DELETE FROM wafunnel
WHERE number COLLATE BINARY IN (SELECT n.number FROM temp.undoable AS n WHERE NOT n.is_left AND NOT n.is_changed)
    AND EXISTS (
        SELECT 1 FROM temp.undoable AS n
        WHERE n.number = wafunnel.number COLLATE BINARY AND n.stage IS wafunnel.stage AND n.date IS wafunnel.date
    );

UPDATE wafunnel SET stage = n.stage_before, date = n.date_before
FROM temp.undoable AS n
WHERE n.number = wafunnel.number COLLATE BINARY AND n.stage IS wafunnel.stage AND n.date IS wafunnel.date
    AND NOT n.is_left AND n.is_changed;

DELETE FROM import_lead
WHERE import_id = :import_id AND number IN (SELECT n.number FROM temp.undoable AS n WHERE NOT n.is_left);

DELETE FROM holiday
WHERE day IN (SELECT n.key_text FROM temp.undoable_row AS n WHERE NOT n.is_left)
    AND (SELECT r.kind FROM import_record AS r WHERE r.import_id = :import_id) = 'holidays';

DELETE FROM agent_limit
WHERE EXISTS (
    SELECT 1 FROM temp.undoable_row AS n
    WHERE NOT n.is_left AND n.key_text = agent_limit.agent AND agent_limit.starts_on = substr(n.days_text, 1, 10)
        AND coalesce(agent_limit.ends_on, '') = substr(n.days_text, 12)
        AND agent_limit.max_records = CAST(n.value_text AS INTEGER)
)
    AND (SELECT r.kind FROM import_record AS r WHERE r.import_id = :import_id) = 'limits';

UPDATE agents SET status = n.value_before
FROM temp.undoable_row AS n
WHERE NOT n.is_left AND n.is_changed AND n.key_text = agents.agent COLLATE BINARY
    AND (SELECT r.kind FROM import_record AS r WHERE r.import_id = :import_id) = 'agents';

DELETE FROM agents
WHERE agent COLLATE BINARY IN (SELECT n.key_text FROM temp.undoable_row AS n WHERE NOT n.is_left AND NOT n.is_changed)
    AND (SELECT r.kind FROM import_record AS r WHERE r.import_id = :import_id) = 'agents';

DELETE FROM import_row
WHERE import_id = :import_id AND line IN (SELECT n.line FROM temp.undoable_row AS n WHERE NOT n.is_left);

INSERT INTO import_undo (import_id, undone_at, undone_by, taken_back, put_back, left_alone)
SELECT :import_id, strftime('%Y-%m-%d %H:%M:%f', 'now'), :actor, n.taken_back, n.put_back, n.left_alone
FROM temp.undone_import AS n
WHERE n.undone_at IS NULL AND n.kind IN ('leads', 'agents', 'limits', 'holidays');

SELECT n.kind, n.undone_at, n.undone_by, n.taken_back, n.put_back, n.left_alone FROM temp.undone_import AS n;

-- name: chosen_columns
-- The columns that people chose for files of a kind, by the hash of the header; the newest choices.
SELECT m.header_hash, m.chosen FROM import_mapping AS m
WHERE m.kind = :kind
ORDER BY m.chosen_at DESC
LIMIT 1000;

-- name: choose_columns
-- Remembers the columns that somebody chose for files with this header; NULL forgets them.
DELETE FROM import_mapping WHERE kind = :kind AND header_hash = :header_hash;

INSERT INTO import_mapping (kind, header_hash, chosen, chosen_at, chosen_by)
SELECT :kind, :header_hash, :chosen, strftime('%Y-%m-%d %H:%M:%f', 'now'), :actor
WHERE :chosen IS NOT NULL;
