-- The deal: run_of_request finds out what became of a call whose connection broke, and undone finds the undo of a run.
-- assign, preview and undo are in deal/.

-- name: run_of_request
-- Finds the run of a call whose connection broke, after waiting for any run in progress. If the call made no run, this
-- makes sure that it never will. SQLite's write lock makes it wait.
INSERT INTO assignment_request (request, run_id)
SELECT :request, NULL
WHERE NOT EXISTS (SELECT 1 FROM assignment_request AS q WHERE q.request = :request);

-- include: _run_record
WHERE r.run_id = (SELECT q.run_id FROM assignment_request AS q WHERE q.request = :request);

-- name: _undo_record
-- The columns and tables of the undo of a run; a query adds its condition.
SELECT u.run_id, r.business_date, u.undone_at, u.actor, u.restored, u.changed_since, u.assignments, u.suppressed
FROM assignment_undo AS u
INNER JOIN assignment_run AS r ON u.run_id = r.run_id

-- name: undone
-- The undo of a run, if the run is undone.
-- include: _undo_record
WHERE u.run_id = :run_id;
