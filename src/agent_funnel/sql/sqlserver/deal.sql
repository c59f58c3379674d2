/*
The deal: run_of_request finds out what became of a call whose connection broke, and undone finds the undo of a run.
assign, preview and undo call the two procedures in deal/.
*/

-- name: assign
-- traits: run
-- Deals the pool out. The procedure decides everything: see deal/sp_assign_wafunnel_to_agents.sql.
EXECUTE dbo.sp_assign_wafunnel_to_agents
    @business_date = %(business_date)s,
    @max_per_agent = %(max_per_agent)s,
    @window_days = %(window_days)s,
    @newest_first = %(newest_first)s,
    @country = %(country)s,
    @voice = %(voice)s,
    @trigger = %(trigger)s,
    @actor = %(actor)s,
    @request = %(request)s,
    @again = %(again)s,
    @skip_date = %(skip_date)s,
    @skip_until = %(skip_until)s;

-- name: preview
-- traits: read-only
-- Shows what a run would do now, with the same procedure.
EXECUTE dbo.sp_assign_wafunnel_to_agents
    @business_date = %(business_date)s,
    @max_per_agent = %(max_per_agent)s,
    @window_days = %(window_days)s,
    @newest_first = %(newest_first)s,
    @country = %(country)s,
    @voice = %(voice)s,
    @trigger = %(trigger)s,
    @preview = 1;

-- name: undo
-- traits: run
-- Takes back the last run that is not undone. The procedure decides everything: see
-- deal/sp_undo_wafunnel_assignment.sql.
EXECUTE dbo.sp_undo_wafunnel_assignment
    @run_id = %(run_id)s,
    @actor = %(actor)s,
    @country = %(country)s;

-- name: run_of_request
-- lock: records
-- busy: A run is still in progress, so it is not known yet whether the call made its run. Try again when it has ended.
-- Finds the run of a call whose connection broke, after waiting for any run in progress. If the call made no run, this
-- makes sure that it never will. The lock makes it wait. A run, in turn, waits for this lock and is not refused. The
-- server may still execute the lost call later; that call then fails, because its request is taken.
DECLARE
    @request NVARCHAR(64) = %(request)s,
    @count INT = 1,
    @business_date DATE,
    @lowest BIGINT,
    @highest BIGINT;

INSERT INTO dbo.assignment_request (request, run_id)
SELECT @request, NULL
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.assignment_request AS q
    WHERE q.request = @request
);

SELECT @lowest = q.run_id, @highest = q.run_id FROM dbo.assignment_request AS q
WHERE q.request = @request;

-- include: _run_records

-- name: undone
-- The undo of a run, if the run is undone.
SELECT u.run_id, r.business_date, u.undone_at, u.actor, u.restored, u.changed_since, u.assignments, u.suppressed
FROM dbo.assignment_undo AS u
INNER JOIN dbo.assignment_run AS r ON u.run_id = r.run_id
WHERE u.run_id = %(run_id)s;
