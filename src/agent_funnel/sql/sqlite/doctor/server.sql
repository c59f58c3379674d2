-- `agent-funnel doctor`, 1 of 4: the engine and the file. `doctor_write` writes a row, which is taken back; the other
-- queries change nothing.

-- name: doctor_engine
-- The version of SQLite.
SELECT sqlite_version() AS version;

-- name: doctor_contents
-- Up to three faults in the file's structure. A NULL in a NOT NULL column is no damage: the tables are checked for missing
-- values elsewhere, and SQLite 3.40 reports such NULLs where there are none. It would report them for every assignment, so
-- the largest count of faults is high.
SELECT c.quick_check AS fault
FROM pragma_quick_check(10000000) AS c
WHERE c.quick_check <> 'ok' AND c.quick_check NOT LIKE 'NULL value in %'
LIMIT 3;

-- name: doctor_write
-- Writes a row. The caller takes it back.
INSERT INTO assignment_request (request, run_id) VALUES (:request, NULL);
