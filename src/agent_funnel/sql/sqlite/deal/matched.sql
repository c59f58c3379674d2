-- The numbers of a deal whose match key other numbers have, too, or that must not be dealt: their match key is on the
-- do-not-contact list, or its hash is kept, because the person is forgotten. These are few, so the plan of the deal
-- compares numbers as they are written, and looks these up.

-- name: _matched
-- temp.matched: the numbers whose match key another number has, too, or that must not be dealt (`listed`), each with
-- the first number of its key. The match keys that are not kept yet are computed here; the run keeps them. A hash is
-- computed for each key only while there are forgotten people: without a salt, these joins have no row.
SELECT
    50007 AS throw,
    'Check failed: forgotten_salt has no row, so nobody knows which leads are of forgotten people; nothing was '
    || 'changed. Restore that row from a backup.' AS message
WHERE NOT EXISTS (SELECT 1 FROM forgotten_salt) AND EXISTS (SELECT 1 FROM forgotten_number);

DROP TABLE IF EXISTS temp.new_key;

CREATE TEMP TABLE new_key (number TEXT PRIMARY KEY, match_key TEXT) WITHOUT ROWID;

INSERT INTO temp.new_key (number, match_key)
WITH unkeyed AS (
    SELECT r.number
    FROM temp.record AS r
    WHERE NOT EXISTS (
        SELECT 1 FROM number_key AS k
        WHERE k.number = r.number AND k.country = (SELECT t.country FROM temp.this_run AS t)
    )
    UNION
    SELECT d.number
    FROM do_not_contact_entry AS d
    WHERE NOT EXISTS (
        SELECT 1 FROM number_key AS k
        WHERE k.number = d.number AND k.country = (SELECT t.country FROM temp.this_run AS t)
    )
    UNION
    -- The agent who had a lead last is found by its match key. Each run keeps the keys of its own leads, so only leads
    -- of runs of another country, since the last run of this one, can have no key yet.
    SELECT h.number
    FROM assignment_run AS r
    CROSS JOIN assignment_history AS h ON h.run_id = r.run_id
    WHERE r.run_id > (
        SELECT coalesce(max(o.run_id), 0)
        FROM assignment_run AS o
        LEFT JOIN assignment_country AS c ON o.run_id = c.run_id
        WHERE o.status IN ('succeeded', 'undone')
            AND coalesce(c.country, '') = (SELECT t.country FROM temp.this_run AS t)
    )
    AND NOT EXISTS (
        SELECT 1 FROM number_key AS k
        WHERE k.number = h.number AND k.country = (SELECT t.country FROM temp.this_run AS t)
    )
    UNION
    -- The history of a run may be purged when the country changes, but not what keeps a number out.
    SELECT o.number
    FROM assignment_outcome AS o
    WHERE o.stands = 1 AND o.outcome IN ('wrong_number', 'won', 'lost', 'call_back')
        AND NOT EXISTS (
            SELECT 1 FROM number_key AS k
            WHERE k.number = o.number AND k.country = (SELECT t.country FROM temp.this_run AS t)
        )
),

-- include: _match_keys

SELECT k.number, k.match_key FROM keyed AS k;

DROP TABLE IF EXISTS temp.shared_key;

CREATE TEMP TABLE shared_key (match_key TEXT PRIMARY KEY, listed INTEGER) WITHOUT ROWID;

INSERT INTO temp.shared_key (match_key, listed)
SELECT k.match_key, max(k.listed)
FROM (
    SELECT n.match_key, 1 AS listed
    FROM do_not_contact_entry AS d
    INNER JOIN number_key AS n ON n.number = d.number AND n.country = (SELECT t.country FROM temp.this_run AS t)
    UNION ALL
    SELECT n.match_key, 1 AS listed
    FROM do_not_contact_entry AS d
    INNER JOIN temp.new_key AS n ON n.number = d.number
    UNION ALL
    SELECT n.match_key, 1 AS listed
    FROM forgotten_salt AS s
    CROSS JOIN number_key AS n
    CROSS JOIN forgotten_number AS f ON f.hash = sha256(s.salt || n.match_key)
    WHERE n.country = (SELECT t.country FROM temp.this_run AS t) AND (NOT f.only_without_country OR n.country = '')
    UNION ALL
    SELECT n.match_key, 1 AS listed
    FROM forgotten_salt AS s
    CROSS JOIN temp.new_key AS n
    CROSS JOIN forgotten_number AS f ON f.hash = sha256(s.salt || n.match_key)
    WHERE NOT f.only_without_country OR (SELECT t.country FROM temp.this_run AS t) = ''
    UNION ALL
    SELECT n.match_key, 0 AS listed
    FROM number_key AS n
    WHERE n.country = (SELECT t.country FROM temp.this_run AS t)
    GROUP BY n.match_key, n.country
    HAVING count(*) > 1
    UNION ALL
    SELECT n.match_key, 0 AS listed
    FROM temp.new_key AS n
    GROUP BY n.match_key
    HAVING count(*) > 1
    UNION ALL
    SELECT n.match_key, 0 AS listed
    FROM temp.new_key AS n
    INNER JOIN number_key AS k
        ON k.match_key = n.match_key AND k.country = (SELECT t.country FROM temp.this_run AS t)
) AS k
GROUP BY k.match_key;

DROP TABLE IF EXISTS temp.matched;

CREATE TEMP TABLE matched (number TEXT PRIMARY KEY, first_number TEXT, listed INTEGER) WITHOUT ROWID;

INSERT INTO temp.matched (number, first_number, listed)
SELECT n.number, min(n.number) OVER (PARTITION BY n.match_key), n.listed
FROM (
    SELECT k.number, k.match_key, s.listed
    FROM temp.shared_key AS s
    INNER JOIN number_key AS k
        ON k.match_key = s.match_key AND k.country = (SELECT t.country FROM temp.this_run AS t)
    UNION ALL
    SELECT k.number, k.match_key, s.listed
    FROM temp.shared_key AS s
    INNER JOIN temp.new_key AS k ON k.match_key = s.match_key
) AS n;
