-- The do-not-contact lists: the lists themselves, their numbers, and what adds, looks up, removes and imports numbers.
-- A number that is on any list is never dealt.
--
-- Numbers come as a JSON array of arrays: line, number, reason. They go into a temporary table, and from there, each
-- match key once, into another one; until the last step of an import, no lock of the database is held.

-- name: _begin_numbers
-- The temporary table for numbers as they come.
DROP TABLE IF EXISTS temp.named;

CREATE TEMP TABLE named (line INTEGER PRIMARY KEY, number TEXT NOT NULL, reason TEXT);

-- name: _stage_numbers
-- Stages numbers.
INSERT INTO temp.named (line, number, reason)
SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), json_extract(j.value, '$[2]')
FROM json_each(:rows) AS j;

-- name: _sort_numbers
-- The match key of each staged number, and each key once, with the number and the reason of its first line. A query with
-- min() takes the other columns from that row.
DROP TABLE IF EXISTS temp.named_key;

CREATE TEMP TABLE named_key (number TEXT NOT NULL PRIMARY KEY, match_key TEXT NOT NULL) WITHOUT ROWID;

INSERT INTO temp.named_key (number, match_key)
WITH unkeyed AS (SELECT DISTINCT n.number FROM temp.named AS n),

-- include: _match_keys

SELECT k.number, k.match_key FROM keyed AS k
ORDER BY k.number;

DROP TABLE IF EXISTS temp.named_once;

CREATE TEMP TABLE named_once (
    match_key TEXT NOT NULL PRIMARY KEY, number TEXT NOT NULL, reason TEXT, line INTEGER
) WITHOUT ROWID;

INSERT INTO temp.named_once (match_key, number, reason, line)
SELECT k.match_key, n.number, n.reason, min(n.line)
FROM temp.named AS n
INNER JOIN temp.named_key AS k ON k.number = n.number
GROUP BY k.match_key
ORDER BY k.match_key;

-- name: _spell_numbers
-- The staged numbers, and all numbers that have a match key of theirs.
DROP TABLE IF EXISTS temp.spelling;

CREATE TEMP TABLE spelling (number TEXT NOT NULL PRIMARY KEY, match_key TEXT NOT NULL) WITHOUT ROWID;

INSERT INTO temp.spelling (number, match_key)
SELECT n.number, n.match_key FROM temp.named_key AS n
UNION
SELECT k.number, k.match_key
FROM temp.named_once AS n
CROSS JOIN number_key AS k ON k.match_key = n.match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
ORDER BY 1;

-- name: _take_numbers
-- Puts the staged numbers on a list, and takes them, in any spelling, out of the present assignments. To replace an
-- import also removes what imports put on the list and the file lacks; without a confirmation, up to a tenth of it.
-- Returns the counts, and whether they were applied.
-- include: _spell_numbers

DROP TABLE IF EXISTS temp.listed_key;

CREATE TEMP TABLE listed_key (match_key TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;

INSERT INTO temp.listed_key (match_key)
SELECT DISTINCT s.match_key
FROM temp.spelling AS s
CROSS JOIN do_not_contact_entry AS e ON e.number = s.number AND e.list_id = :list_id;

DROP TABLE IF EXISTS temp.taken;

CREATE TEMP TABLE taken AS
SELECT
    c.numbers, c.kept, c.removed, c.imports, c.leads, c.assignments,
    NOT :dry_run AND (:confirmed OR c.removed * 10 <= c.imports) AS applied
FROM (
    SELECT
        (SELECT count(*) FROM temp.named_once) AS numbers,
        (SELECT count(*) FROM temp.listed_key) AS kept,
        (
            SELECT count(*) FROM do_not_contact_entry AS e
            WHERE :replaces AND e.list_id = :list_id AND e.imported = 1
                AND NOT EXISTS (SELECT 1 FROM temp.spelling AS s WHERE s.number = e.number)
        ) AS removed,
        (
            SELECT count(*) FROM do_not_contact_entry AS e
            WHERE :replaces AND e.list_id = :list_id AND e.imported = 1
        ) AS imports,
        (
            SELECT count(*) FROM temp.spelling AS s
            CROSS JOIN wafunnel AS w ON w.number = s.number COLLATE BINARY
        ) AS leads,
        (
            SELECT count(*) FROM temp.spelling AS s
            CROSS JOIN agent_wafunnel_assignment AS a ON a.number = s.number COLLATE BINARY
        ) AS assignments
) AS c;

DELETE FROM do_not_contact_entry
WHERE :replaces AND list_id = :list_id AND imported = 1
    AND (SELECT t.applied FROM temp.taken AS t)
    AND NOT EXISTS (SELECT 1 FROM temp.spelling AS s WHERE s.number = do_not_contact_entry.number);

-- A person's word outlasts the imports: the next one does not take the number back.
UPDATE do_not_contact_entry SET
    imported = 0,
    reason = coalesce(
        (
            SELECT n.reason
            FROM temp.spelling AS s
            INNER JOIN temp.named_once AS n ON n.match_key = s.match_key
            WHERE s.number = do_not_contact_entry.number
        ),
        reason
    )
WHERE NOT :imported AND list_id = :list_id AND imported = 1
    AND (SELECT t.applied FROM temp.taken AS t)
    AND number IN (SELECT s.number FROM temp.spelling AS s);

INSERT INTO do_not_contact_entry (number, list_id, reason, added_at, imported)
SELECT n.number, :list_id, n.reason, strftime('%Y-%m-%d %H:%M:%f', 'now'), :imported
FROM temp.named_once AS n
WHERE (SELECT t.applied FROM temp.taken AS t)
    AND NOT EXISTS (SELECT 1 FROM temp.listed_key AS l WHERE l.match_key = n.match_key)
ORDER BY n.number;

INSERT INTO number_key (country, number, match_key, ending)
SELECT coalesce(:country, (SELECT f.country FROM floor_country AS f)), n.number, n.match_key, substr(n.match_key, -4)
FROM temp.named_once AS n
WHERE (SELECT t.applied FROM temp.taken AS t)
    AND NOT EXISTS (
        SELECT 1 FROM number_key AS k
        WHERE k.number = n.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    )
ORDER BY n.number;

DELETE FROM agent_wafunnel_assignment
WHERE number COLLATE BINARY IN (SELECT s.number FROM temp.spelling AS s) AND (SELECT t.applied FROM temp.taken AS t);

UPDATE do_not_contact_list SET imported_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), warned_at = NULL
WHERE :imported AND list_id = :list_id AND (SELECT t.applied FROM temp.taken AS t);

SELECT t.numbers, t.kept, t.removed, t.imports, t.leads, t.assignments, t.applied FROM temp.taken AS t;

-- name: do_not_contact_lists
-- The lists, each with how many numbers it has, and how many of them imports put there.
SELECT
    l.list_id, l.name, l.reason, l.source, l.bound_days, l.added_at, l.imported_at,
    coalesce(n.entries, 0) AS entries,
    coalesce(n.imported, 0) AS imported
FROM do_not_contact_list AS l
LEFT JOIN (
    SELECT e.list_id, count(*) AS entries, sum(e.imported) AS imported FROM do_not_contact_entry AS e
    GROUP BY e.list_id
) AS n ON l.list_id = n.list_id
ORDER BY l.list_id;

-- name: do_not_contact_ages
-- The lists, with their bounds, and the moment of the last import, or of the creation of the list.
SELECT l.list_id, l.name, l.bound_days, coalesce(l.imported_at, l.added_at) AS since FROM do_not_contact_list AS l
ORDER BY l.list_id;

-- name: note_old_list
-- Notes that people are told now that a list is old, unless they were told within a day; returns whether it was noted.
UPDATE do_not_contact_list SET warned_at = :now
WHERE name = :list_name AND (warned_at IS NULL OR warned_at <= :day_before);

SELECT changes() AS noted;

-- name: add_do_not_contact_list
-- Adds a list; returns how many were added: none if the name is taken.
INSERT INTO do_not_contact_list (name, reason, source, bound_days, added_at)
SELECT :list_name, :reason, :source, :bound_days, strftime('%Y-%m-%d %H:%M:%f', 'now')
WHERE NOT EXISTS (SELECT 1 FROM do_not_contact_list AS l WHERE l.name = :list_name);

SELECT changes() AS added;

-- name: do_not_contact
-- A page of the numbers of a list, or of all lists, by number and list: those after a number and a list.
SELECT e.number, l.name AS list_name, e.reason, e.added_at, e.imported
FROM do_not_contact_entry AS e
INNER JOIN do_not_contact_list AS l ON e.list_id = l.list_id
WHERE (:list_name IS NULL OR l.name = :list_name)
    AND e.number >= coalesce(:after_number, '')
    AND (e.number > coalesce(:after_number, '') OR l.name > coalesce(:after_list, ''))
ORDER BY e.number, l.name
LIMIT :count;

-- name: do_not_contact_of_number
-- The entries of one number, in any spelling, in the order of the lists.
SELECT e.number, l.name AS list_name, e.reason, e.added_at, e.imported
FROM do_not_contact_entry AS e
INNER JOIN do_not_contact_list AS l ON e.list_id = l.list_id
WHERE e.number = :number
    OR e.number IN (
        SELECT k.number FROM number_key AS k
        WHERE k.match_key = :match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
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
FROM do_not_contact_entry AS e
INNER JOIN do_not_contact_list AS l ON e.list_id = l.list_id
WHERE e.number IN (SELECT s.number FROM temp.spelling AS s)
ORDER BY e.number, e.list_id;

-- name: add_do_not_contact
-- Puts numbers on a list for a person, and takes them out of the present assignments.
-- include: _begin_numbers

-- include: _stage_numbers

-- include: _sort_numbers

-- include: _take_numbers

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
-- Adds the staged numbers to a list, or replaces its imports by them, and records that.
-- include: _take_numbers

-- include: _record_import
WHERE (SELECT t.applied FROM temp.taken AS t);

INSERT INTO import_result (import_id, data_rows, added, changed, removed, kept, bad_rows)
SELECT
    last_insert_rowid(), :rows, t.numbers - t.kept, 0, t.removed, :rows - :bad_rows - (t.numbers - t.kept), :bad_rows
FROM temp.taken AS t
WHERE t.applied;

-- name: remove_do_not_contact
-- Removes numbers, in any spelling, from a list; returns how many were removed.
-- include: _begin_numbers

-- include: _stage_numbers

-- include: _sort_numbers

-- include: _spell_numbers

DELETE FROM do_not_contact_entry
WHERE list_id = :list_id AND number IN (SELECT s.number FROM temp.spelling AS s);

SELECT changes() AS removed;
