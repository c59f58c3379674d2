-- `agent-funnel doctor`, 1 of 4: the engine and the file. `doctor_write` writes a row, which is taken back; the other
-- queries change nothing.

-- name: doctor_engine
-- The version of SQLite.
SELECT sqlite_version() AS version;

-- name: doctor_contents
-- Up to three faults in the file's structure. A NULL in a NOT NULL column is no damage: the tables are checked for
-- missing values elsewhere, and SQLite 3.40 reports such NULLs where there are none. It would report them for every
-- assignment, so the largest count of faults is high. Nor is a value that breaks a rule of a table.
SELECT c.quick_check AS fault
FROM pragma_quick_check(10000000) AS c
WHERE c.quick_check <> 'ok' AND c.quick_check NOT LIKE 'NULL value in %'
    AND c.quick_check NOT LIKE 'CHECK constraint failed in %'
LIMIT 3;

-- name: doctor_write
-- Writes a row. The caller takes it back.
INSERT INTO assignment_request (request, run_id) VALUES (:request, NULL);

-- name: doctor_copies
-- The copies of the service, and whether their terms differ from the recorded ones.
SELECT
    c.name, c.clock_difference, c.looked_at, t.recorded_by,
    c.run_at || ' (' || c.timezone || '), ' || c.weekdays || ', catch-up ' || c.catch_up || ' s' AS own,
    t.run_at || ' (' || t.timezone || '), ' || t.weekdays || ', catch-up ' || t.catch_up || ' s' AS recorded,
    CASE
        WHEN c.run_at = t.run_at AND c.timezone = t.timezone AND c.weekdays = t.weekdays AND c.catch_up = t.catch_up
            THEN 0
        ELSE 1
    END AS differs
FROM schedule_copy AS c
INNER JOIN schedule_terms AS t ON t.terms_id = (SELECT max(n.terms_id) FROM schedule_terms AS n)
ORDER BY c.name;

-- name: doctor_ahead
-- The business dates after a day that are recorded as passed, and those recorded after a moment.
SELECT count(*) AS dates, min(o.business_date) AS first, max(o.business_date) AS last
FROM schedule_outcome AS o
WHERE o.business_date > :day OR o.recorded_at > :moment;
