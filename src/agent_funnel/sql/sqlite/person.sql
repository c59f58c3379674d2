-- A person, who is known by a number in any spelling: all that is kept of them, and how it is erased.
--
-- The person's number is :number, and :country as for match keys. sqlserver/person/sp_forget_number.sql erases on SQL
-- Server. A table that gets a column with numbers must be cleared here, too, and there.

-- name: _find_person
-- temp.person: the number as it is given, and all its spellings that are stored. Match keys that are not kept yet are
-- computed here.
DROP TABLE IF EXISTS temp.person_key;

CREATE TEMP TABLE person_key (number TEXT NOT NULL PRIMARY KEY, match_key TEXT NOT NULL) WITHOUT ROWID;

INSERT INTO temp.person_key (number, match_key)
WITH unkeyed AS (
    SELECT CAST(:number AS TEXT) AS number
    UNION
    SELECT n.number
    FROM (
        SELECT w.number FROM wafunnel AS w
        UNION
        SELECT a.number FROM agent_wafunnel_assignment AS a
        UNION
        SELECT h.number FROM assignment_history AS h
        UNION
        SELECT e.number FROM assignment_edit AS e
        UNION
        SELECT d.number FROM do_not_contact_entry AS d
        UNION
        SELECT o.number FROM do_not_contact AS o
        UNION
        SELECT r.number FROM assignment_outcome AS r
        UNION
        SELECT i.number FROM import_lead AS i
    ) AS n
    WHERE trim(n.number) <> ''
        AND NOT EXISTS (
            SELECT 1 FROM number_key AS k
            WHERE k.number = n.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
        )
),

-- include: _match_keys

SELECT k.number, k.match_key FROM keyed AS k
WHERE TRUE;

DROP TABLE IF EXISTS temp.person;

CREATE TEMP TABLE person (number TEXT NOT NULL PRIMARY KEY, match_key TEXT NOT NULL) WITHOUT ROWID;

INSERT INTO temp.person (number, match_key)
SELECT k.number, k.match_key
FROM temp.person_key AS g
INNER JOIN temp.person_key AS k ON k.match_key = g.match_key
WHERE g.number = :number
UNION
SELECT k.number, k.match_key
FROM temp.person_key AS g
INNER JOIN number_key AS k
    ON k.match_key = g.match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
WHERE g.number = :number;

-- name: _count_person
-- temp.erased: how many rows an erasure concerns, and when the number was forgotten before.
DROP TABLE IF EXISTS temp.erased;

CREATE TEMP TABLE erased AS
SELECT
    (SELECT count(*) FROM wafunnel AS w WHERE w.number COLLATE BINARY IN (SELECT p.number FROM temp.person AS p)) AS leads,
    (
        SELECT count(*) FROM agent_wafunnel_assignment AS a
        WHERE a.number COLLATE BINARY IN (SELECT p.number FROM temp.person AS p)
    ) AS assignments,
    h.dealt,
    h.runs,
    (SELECT count(*) FROM assignment_edit AS e WHERE e.number IN (SELECT p.number FROM temp.person AS p)) AS edits,
    (
        SELECT count(*) FROM assignment_outcome AS o WHERE o.number IN (SELECT p.number FROM temp.person AS p)
    ) AS outcomes,
    (
        SELECT count(*) FROM do_not_contact_entry AS d WHERE d.number IN (SELECT p.number FROM temp.person AS p)
    ) AS listed,
    (SELECT count(*) FROM import_lead AS i WHERE i.number IN (SELECT p.number FROM temp.person AS p)) AS imports,
    (
        SELECT count(*) FROM request_answer AS r
        WHERE EXISTS (
            -- include: _in_response
        )
    ) AS answers,
    0 AS audit_entries,
    (
        SELECT f.forgotten_at
        FROM forgotten_salt AS s
        CROSS JOIN forgotten_number AS f
        WHERE f.hash = sha256(s.salt || (SELECT p.match_key FROM temp.person AS p LIMIT 1)) AND NOT f.only_without_country
    ) AS forgotten_at
FROM (
    SELECT count(*) AS dealt, count(DISTINCT g.run_id) AS runs
    FROM assignment_history AS g
    WHERE g.number IN (SELECT p.number FROM temp.person AS p)
) AS h;

-- name: _in_response
-- The spellings that a stored response `r` has. A text of a few characters is in many responses that have nothing to do
-- with it. A response may have a spelling that is stored nowhere else, such as a bad row of a file; most end with the
-- same eight digits.
SELECT 1 FROM temp.person AS p
WHERE (length(p.number) > 6 AND instr(r.answer, p.number) > 0)
    OR (length(p.match_key) > 9 AND instr(r.answer, substr(p.match_key, -8)) > 0)

-- name: would_forget
-- traits: read-only
-- What an erasure would concern now. It changes nothing.
-- include: _find_person

-- include: _count_person

SELECT
    e.leads, e.assignments, e.dealt, e.runs, e.edits, e.outcomes, e.listed, e.imports, e.answers,
    e.audit_entries,
    NULL AS certificate, e.forgotten_at, 0 AS applied
FROM temp.erased AS e;

-- name: forget
-- Erases all that is kept of a person, except for the totals of runs and a hash. Deleted rows are overwritten in the
-- file, too.
PRAGMA secure_delete = ON;

SELECT
    50007 AS throw,
    'Check failed: forgotten_salt has no row. Restore it. Nothing changed.' AS message
WHERE NOT EXISTS (SELECT 1 FROM forgotten_salt) AND EXISTS (SELECT 1 FROM forgotten_number);

-- include: _find_person

-- include: _count_person

DELETE FROM agent_wafunnel_assignment WHERE number COLLATE BINARY IN (SELECT p.number FROM temp.person AS p);

DELETE FROM wafunnel WHERE number COLLATE BINARY IN (SELECT p.number FROM temp.person AS p);

-- Each run keeps a count, so that its sums still agree.
INSERT INTO assignment_forgotten (run_id, agent, stage, leads)
SELECT h.run_id, h.agent, h.stage, count(*)
FROM assignment_history AS h
WHERE h.number IN (SELECT p.number FROM temp.person AS p)
GROUP BY h.run_id, h.agent, h.stage;

DELETE FROM assignment_history WHERE number IN (SELECT p.number FROM temp.person AS p);

DELETE FROM assignment_edit WHERE number IN (SELECT p.number FROM temp.person AS p);

DELETE FROM assignment_call_back
WHERE outcome_id IN (
    SELECT o.outcome_id FROM assignment_outcome AS o WHERE o.number IN (SELECT p.number FROM temp.person AS p)
);

DELETE FROM assignment_hand_back_lead
WHERE outcome_id IN (
    SELECT o.outcome_id FROM assignment_outcome AS o WHERE o.number IN (SELECT p.number FROM temp.person AS p)
);

DELETE FROM assignment_outcome WHERE number IN (SELECT p.number FROM temp.person AS p);

DELETE FROM do_not_contact_entry WHERE number IN (SELECT p.number FROM temp.person AS p);

DELETE FROM do_not_contact WHERE number IN (SELECT p.number FROM temp.person AS p);

DELETE FROM import_lead WHERE number IN (SELECT p.number FROM temp.person AS p);

DELETE FROM request_answer AS r
WHERE EXISTS (
    -- include: _in_response
);

-- Audit and failures have only the last three characters of a number, after an ellipsis.
DROP TABLE IF EXISTS temp.person_ending;

CREATE TEMP TABLE person_ending (place INTEGER PRIMARY KEY, mask TEXT NOT NULL);

INSERT INTO temp.person_ending (mask)
SELECT '…' || substr(p.number, -3) FROM temp.person AS p WHERE length(p.number) > 3
UNION
SELECT '…' || substr(p.match_key, -3) FROM temp.person AS p WHERE length(p.match_key) > 3;

UPDATE audit_entry SET
    target = (
        WITH RECURSIVE cut (place, text) AS (
            SELECT 0, audit_entry.target
            UNION ALL
            SELECT e.place, replace(c.text, e.mask, '…')
            FROM cut AS c
            INNER JOIN temp.person_ending AS e ON e.place = c.place + 1
        )

        SELECT c.text FROM cut AS c ORDER BY c.place DESC LIMIT 1
    ),
    detail = (
        WITH RECURSIVE cut (place, text) AS (
            SELECT 0, audit_entry.detail
            UNION ALL
            SELECT e.place, replace(c.text, e.mask, '…')
            FROM cut AS c
            INNER JOIN temp.person_ending AS e ON e.place = c.place + 1
        )

        SELECT c.text FROM cut AS c ORDER BY c.place DESC LIMIT 1
    )
WHERE EXISTS (
    SELECT 1 FROM temp.person_ending AS e
    WHERE instr(audit_entry.target, e.mask) > 0 OR instr(audit_entry.detail, e.mask) > 0
);

UPDATE temp.erased SET audit_entries = changes();

UPDATE assignment_failure SET
    message = (
        WITH RECURSIVE cut (place, text) AS (
            SELECT 0, assignment_failure.message
            UNION ALL
            SELECT e.place, replace(c.text, e.mask, '…')
            FROM cut AS c
            INNER JOIN temp.person_ending AS e ON e.place = c.place + 1
        )

        SELECT c.text FROM cut AS c ORDER BY c.place DESC LIMIT 1
    )
WHERE EXISTS (SELECT 1 FROM temp.person_ending AS e WHERE instr(assignment_failure.message, e.mask) > 0);

DELETE FROM number_key WHERE number IN (SELECT p.number FROM temp.person AS p);

-- The hashes: of the match key, and of the keys that the spellings have in a deal without a country.
INSERT INTO forgotten_salt (row_id, salt)
SELECT 1, hex(randomblob(32))
WHERE NOT EXISTS (SELECT 1 FROM forgotten_salt);

INSERT INTO forgotten_number (hash, only_without_country, forgotten_at)
SELECT sha256(s.salt || (SELECT p.match_key FROM temp.person AS p LIMIT 1)), 0, strftime('%Y-%m-%d %H:%M:%f', 'now')
FROM forgotten_salt AS s
WHERE TRUE
ON CONFLICT (hash) DO UPDATE SET only_without_country = 0;

INSERT OR IGNORE INTO forgotten_number (hash, only_without_country, forgotten_at)
WITH unkeyed AS (SELECT p.number FROM temp.person AS p),

-- include: _match_keys

SELECT sha256(s.salt || b.match_key), 1, strftime('%Y-%m-%d %H:%M:%f', 'now')
FROM forgotten_salt AS s
CROSS JOIN (
    SELECT
        -- include: _national_key
        AS match_key
    FROM phone AS w
) AS b;

INSERT INTO audit_entry (recorded_at, actor, operation, target, address, status, detail)
SELECT
    strftime('%Y-%m-%d %H:%M:%f', 'now'),
    coalesce(:actor, 'SQL'),
    'forget',
    lower(hex(sha256(s.salt || (SELECT p.match_key FROM temp.person AS p LIMIT 1)))),
    '',
    200,
    'erased: ' || e.leads || ' leads, ' || e.assignments || ' assignments, ' || e.dealt || ' of ' || e.runs
    || ' runs in the history, ' || e.listed || ' of do-not-contact lists'
FROM temp.erased AS e
CROSS JOIN forgotten_salt AS s;

SELECT
    e.leads, e.assignments, e.dealt, e.runs, e.edits, e.outcomes, e.listed, e.imports, e.answers,
    e.audit_entries,
    lower(hex(sha256(s.salt || (SELECT p.match_key FROM temp.person AS p LIMIT 1)))) AS certificate,
    e.forgotten_at,
    1 AS applied
FROM temp.erased AS e
CROSS JOIN forgotten_salt AS s;

-- name: person
-- traits: read-only
-- All that is kept of a person, in seven result sets: the stored spellings, the records of wafunnel, the present
-- assignments, the dealt leads, the edits of assignments, which an undo needs, the reported outcomes, and the
-- imports.
-- include: _find_person

-- The given spelling may be stored nowhere.
DELETE FROM temp.person
WHERE number = :number
    AND NOT EXISTS (SELECT 1 FROM number_key AS k WHERE k.number = :number)
    AND NOT EXISTS (SELECT 1 FROM wafunnel AS w WHERE w.number = :number COLLATE BINARY)
    AND NOT EXISTS (SELECT 1 FROM agent_wafunnel_assignment AS a WHERE a.number = :number COLLATE BINARY)
    AND NOT EXISTS (SELECT 1 FROM assignment_history AS h WHERE h.number = :number)
    AND NOT EXISTS (SELECT 1 FROM assignment_edit AS e WHERE e.number = :number)
    AND NOT EXISTS (SELECT 1 FROM do_not_contact_entry AS d WHERE d.number = :number)
    AND NOT EXISTS (SELECT 1 FROM do_not_contact AS o WHERE o.number = :number)
    AND NOT EXISTS (SELECT 1 FROM assignment_outcome AS r WHERE r.number = :number)
    AND NOT EXISTS (SELECT 1 FROM import_lead AS i WHERE i.number = :number);

SELECT p.number FROM temp.person AS p ORDER BY p.number;

SELECT w.number, w.stage, w.date, count(*) AS copies
FROM wafunnel AS w
WHERE w.number COLLATE BINARY IN (SELECT p.number FROM temp.person AS p)
GROUP BY w.number COLLATE BINARY, w.stage, w.date
ORDER BY w.number COLLATE BINARY, w.stage, w.date;

SELECT a.agent, a.number, count(*) AS copies
FROM agent_wafunnel_assignment AS a
WHERE a.number COLLATE BINARY IN (SELECT p.number FROM temp.person AS p)
GROUP BY a.number COLLATE BINARY, a.agent COLLATE BINARY
ORDER BY a.number COLLATE BINARY, a.agent COLLATE BINARY;

SELECT h.run_id, r.business_date, r.status, h.agent, h.number, h.date, h.stage
FROM temp.person AS p
CROSS JOIN assignment_history AS h ON h.number = p.number
CROSS JOIN assignment_run AS r ON r.run_id = h.run_id
ORDER BY h.run_id DESC, h.number;

SELECT e.run_id, e.agent, e.number, e.copies
FROM assignment_edit AS e
WHERE e.number IN (SELECT p.number FROM temp.person AS p)
ORDER BY e.edit_id DESC;

SELECT
    o.outcome_id, o.run_id, o.agent, o.number, o.outcome, o.call_back_on, o.same_agent, o.note,
    o.reported_at, o.reported_by, o.taken_back_at, o.taken_back_by
FROM assignment_outcome AS o
WHERE o.number IN (SELECT p.number FROM temp.person AS p)
ORDER BY o.outcome_id DESC;

SELECT r.import_id, r.imported_at, r.file_name, i.number, i.stage, i.date, i.is_changed, i.stage_before, i.date_before
FROM import_lead AS i
INNER JOIN import_record AS r ON r.import_id = i.import_id
WHERE i.number IN (SELECT p.number FROM temp.person AS p)
ORDER BY i.import_id DESC, i.number;
