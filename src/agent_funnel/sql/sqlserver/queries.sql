/*
The queries of the service on SQL Server. Each has a name, a sentence and a body; the rows are those of the last result
set. Written for the schema dbo. Parameters are written as pymssql wants them. Each body runs on a connection that
commits by itself, so one that writes more than once opens its own transaction.
*/

-- name: ping
-- Answers if the database does.
SELECT 1 AS alive;

-- name: blocker
-- Whom a session waits for, 0 if for nobody. A wait for a lock is LCK_… on SQL Server, where parallel workers wait for
-- one another too, and Lock on Babelfish, which also names sessions that share a lock. Without VIEW SERVER STATE a
-- login sees no session but its own, and so no row.
SELECT TOP (1)
    CASE
        WHEN p.blocked NOT IN (0, p.spid, @@SPID) AND UPPER(p.lastwaittype) LIKE 'L%%CK%%' THEN p.blocked
        ELSE 0
    END AS blocked
FROM sys.sysprocesses AS p
WHERE p.spid = %(session)s
ORDER BY blocked DESC;

-- name: schema
-- Whether the schema is there.
SELECT %(schema)s AS name, CASE WHEN SCHEMA_ID(%(schema)s) IS NULL THEN 0 ELSE 1 END AS found;

-- name: objects
-- The tables, views and procedures that are there in this schema, by name.
SELECT o.name
FROM sys.objects AS o
WHERE o.schema_id = SCHEMA_ID(%(schema)s) AND o.type IN ('U', 'V', 'P');

-- name: columns
-- The columns of the brief's tables.
SELECT o.name AS table_name, c.name AS column_name
FROM sys.objects AS o
INNER JOIN sys.columns AS c ON o.object_id = c.object_id
WHERE o.schema_id = SCHEMA_ID(%(schema)s) AND o.name IN ('agents', 'wafunnel', 'agent_wafunnel_assignment');

-- name: version
-- The version of the tables, NULL before the first installation.
SELECT MAX(v.version) AS version FROM dbo.agent_funnel_version AS v;

-- name: record_version
-- Records that the tables are of this version now.
INSERT INTO dbo.agent_funnel_version (version, installed_at) VALUES (%(version)s, SYSUTCDATETIME());

-- name: definition
-- The text of a procedure of ours as the server gives it: NULL to a login without VIEW DEFINITION, and to everybody if
-- the procedure is encrypted.
SELECT m.[definition], COALESCE(OBJECTPROPERTY(o.object_id, 'IsEncrypted'), 0) AS is_encrypted
FROM sys.objects AS o
LEFT JOIN sys.sql_modules AS m ON o.object_id = m.object_id
WHERE o.schema_id = SCHEMA_ID(%(schema)s) AND o.name = %(procedure_name)s AND o.type = 'P';

-- name: checksums
-- What the procedures were when they were installed.
SELECT c.name, c.installed, c.script FROM dbo.agent_funnel_checksum AS c;

-- name: record_checksum
-- Records what a procedure is now. Within the transaction of the installer.
DELETE FROM dbo.agent_funnel_checksum
WHERE name = %(procedure_name)s;

INSERT INTO dbo.agent_funnel_checksum (name, installed, script, recorded_at)
VALUES (%(procedure_name)s, %(installed)s, %(script)s, SYSUTCDATETIME());

-- name: assign
-- The deal. The procedure decides everything; see there.
EXECUTE dbo.sp_assign_wafunnel_to_agents
    @business_date = %(business_date)s,
    @max_per_agent = %(max_per_agent)s,
    @window_days = %(window_days)s,
    @newest_first = %(newest_first)s,
    @trigger = %(trigger)s,
    @actor = %(actor)s,
    @request = %(request)s;

-- name: preview
-- What a run would do; the same procedure.
EXECUTE dbo.sp_assign_wafunnel_to_agents
    @business_date = %(business_date)s,
    @max_per_agent = %(max_per_agent)s,
    @window_days = %(window_days)s,
    @newest_first = %(newest_first)s,
    @trigger = %(trigger)s,
    @preview = 1;

-- name: undo
-- Takes the last run back. The procedure decides everything; see there.
EXECUTE dbo.sp_undo_wafunnel_assignment
    @run_id = %(run_id)s,
    @actor = %(actor)s;

-- name: settle
-- What became of a call whose connection broke: waits until no run is under way, and answers with its run, or makes
-- sure that the call makes none any more, should the server come upon it after all.
DECLARE
    @request NVARCHAR(64) = %(request)s,
    @schema NVARCHAR(255) = SCHEMA_NAME(SCHEMA_ID(%(schema)s)),
    @resource NVARCHAR(255),
    @lock INT;

SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', @schema);

BEGIN TRY
    BEGIN TRANSACTION;

    EXECUTE @lock = sp_getapplock
        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @@LOCK_TIMEOUT;
    IF @lock < 0
        THROW 50001, N'A run has been in progress all this time.', 1;

    INSERT INTO dbo.assignment_request (request, run_id)
    SELECT @request, NULL
    WHERE NOT EXISTS (
        SELECT 1 FROM dbo.assignment_request AS q
        WHERE q.request = @request
    );

    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH;

SELECT
    r.run_id,
    r.business_date,
    r.[trigger],
    r.status,
    r.agents,
    r.pool,
    r.per_agent,
    r.assigned,
    r.left_over,
    r.duplicates,
    r.suppressed,
    r.smallest_share,
    r.largest_share,
    r.started_at,
    r.finished_at
FROM dbo.assignment_request AS q
INNER JOIN dbo.assignment_run AS r ON q.run_id = r.run_id
WHERE q.request = @request;

-- name: last_run
-- The newest run that succeeded, undone ones aside.
SELECT TOP (1)
    r.run_id,
    r.business_date,
    r.[trigger],
    r.status,
    r.agents,
    r.pool,
    r.per_agent,
    r.assigned,
    r.left_over,
    r.duplicates,
    r.suppressed,
    r.smallest_share,
    r.largest_share,
    r.started_at,
    r.finished_at
FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded'
ORDER BY r.run_id DESC;

-- name: runs
-- The newest runs before one, or the newest of all, or those of a business date; with what became of them.
DECLARE @business_date DATE = %(business_date)s;

SELECT TOP (CAST(%(count)s AS INT))
    r.run_id,
    r.business_date,
    r.[trigger],
    r.actor,
    r.status,
    r.agents,
    r.pool,
    r.per_agent,
    r.assigned,
    r.left_over,
    r.duplicates,
    r.suppressed,
    r.smallest_share,
    r.largest_share,
    r.started_at,
    r.finished_at,
    r.max_per_agent,
    r.window_days,
    r.newest_first,
    u.undone_at,
    u.actor AS undone_by,
    u.restored,
    u.changed_since,
    p.purged_at
FROM dbo.assignment_run AS r
LEFT JOIN dbo.assignment_undo AS u ON r.run_id = u.run_id
LEFT JOIN dbo.assignment_purge AS p ON r.run_id = p.run_id
WHERE
    r.run_id < COALESCE(CAST(%(before)s AS BIGINT), 9223372036854775807)
    AND r.business_date = COALESCE(@business_date, r.business_date)
ORDER BY r.run_id DESC;

-- name: last_undoable
-- The number of the run that an undo would undo, NULL if there is none.
SELECT MAX(r.run_id) AS run_id FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded';

-- name: undone
-- The undo of a run, if it is undone.
SELECT u.run_id, r.business_date, u.undone_at, u.actor, u.restored, u.changed_since, u.assignments, u.suppressed
FROM dbo.assignment_undo AS u
INNER JOIN dbo.assignment_run AS r ON u.run_id = r.run_id
WHERE u.run_id = %(run_id)s;

-- name: holders
-- Who held a number, the newest first; between two moments (UTC) if they are given. It was held until the next run,
-- undone ones aside, or until its own run was undone.
DECLARE
    @number NVARCHAR(255) = %(number)s,
    @since DATETIME2(3) = %(since)s,
    @until DATETIME2(3) = %(until)s;

SELECT
    h.run_id,
    r.business_date,
    h.agent,
    h.stage,
    r.finished_at AS held_from,
    COALESCE(u.undone_at, n.finished_at) AS held_until,
    r.status
FROM dbo.assignment_history AS h
INNER JOIN dbo.assignment_run AS r ON h.run_id = r.run_id
LEFT JOIN dbo.assignment_undo AS u ON h.run_id = u.run_id
LEFT JOIN dbo.assignment_run AS n
    ON n.run_id = (
        SELECT MIN(m.run_id) FROM dbo.assignment_run AS m
        WHERE m.run_id > h.run_id AND m.status = 'succeeded'
    )
WHERE
    h.number = @number
    AND (@until IS NULL OR r.finished_at < @until)
    AND (@since IS NULL OR COALESCE(u.undone_at, n.finished_at, @since) >= @since)
ORDER BY h.run_id DESC;

-- name: mark_purge
-- Marks the runs whose history is to go: those that ended before a moment (UTC), but never the last run that can be
-- undone, nor the one before it, whose assignments its undo would bring back. Answers how many there are. Waits for a
-- run or an undo that is under way, since these change which run is the last.
DECLARE
    @before DATETIME2(3) = %(before)s,
    @schema NVARCHAR(255) = SCHEMA_NAME(SCHEMA_ID(%(schema)s)),
    @resource NVARCHAR(255),
    @lock INT,
    @runs INT;

SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', @schema, N':records');

BEGIN TRY
    BEGIN TRANSACTION;

    EXECUTE @lock = sp_getapplock
        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @@LOCK_TIMEOUT;
    IF @lock < 0
        THROW 50001, N'A run has been in progress all this time; nothing was purged.', 1;

    INSERT INTO dbo.assignment_purge (run_id, purged_at)
    SELECT r.run_id, SYSUTCDATETIME()
    FROM dbo.assignment_run AS r
    WHERE
        r.finished_at < @before
        AND r.run_id NOT IN (
            SELECT TOP (2) k.run_id FROM dbo.assignment_run AS k
            WHERE k.status = 'succeeded'
            ORDER BY k.run_id DESC
        )
        AND NOT EXISTS (
            SELECT 1 FROM dbo.assignment_purge AS p
            WHERE p.run_id = r.run_id
        );
    SET @runs = @@ROWCOUNT;

    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH;

SELECT @runs AS runs;

-- name: purge_history
-- Deletes so many rows of the history of runs that are marked; answers how many there were.
DELETE TOP (CAST(%(count)s AS INT)) FROM dbo.assignment_history
WHERE run_id IN (SELECT p.run_id FROM dbo.assignment_purge AS p);

SELECT @@ROWCOUNT AS deleted;

-- name: purge_edits
-- Deletes so many rows of the edits of runs that are marked; answers how many there were.
DELETE TOP (CAST(%(count)s AS INT)) FROM dbo.assignment_edit
WHERE run_id IN (SELECT p.run_id FROM dbo.assignment_purge AS p);

SELECT @@ROWCOUNT AS deleted;

-- name: schedule_state
-- What the clock needs to know: the newest business date that is settled, by a scheduled run or not; when this was
-- installed; the pause that is on; the failed attempts at a business date; and whether it is a holiday.
DECLARE @business_date DATE = %(business_date)s;

SELECT
    (
        SELECT MAX(s.business_date)
        FROM (
            SELECT r.business_date FROM dbo.assignment_run AS r
            WHERE r.[trigger] = 'schedule' AND r.status IN ('succeeded', 'undone')
            UNION ALL
            SELECT o.business_date FROM dbo.schedule_outcome AS o
        ) AS s
    ) AS settled,
    (SELECT MIN(v.installed_at) FROM dbo.agent_funnel_version AS v) AS installed_at,
    (
        SELECT MAX(p.pause_id) FROM dbo.schedule_pause AS p
        WHERE p.resumed_at IS NULL
    ) AS pause_id,
    (
        SELECT COUNT(*) FROM dbo.assignment_failure AS f
        WHERE f.business_date = @business_date
    ) AS failures,
    (
        SELECT MAX(r.finished_at)
        FROM dbo.assignment_failure AS f
        INNER JOIN dbo.assignment_run AS r ON f.run_id = r.run_id
        WHERE f.business_date = @business_date
    ) AS failed_at,
    (
        SELECT COUNT(*) FROM dbo.holiday AS h
        WHERE h.day = @business_date
    ) AS holiday;

-- name: record_failure
-- Records a failed attempt at the scheduled run of a business date, as a run that failed; answers whether it did, or
-- another copy of the service has recorded it.
DECLARE
    @business_date DATE = %(business_date)s,
    @attempt INT = %(attempt)s,
    @schema NVARCHAR(255) = SCHEMA_NAME(SCHEMA_ID(%(schema)s)),
    @resource NVARCHAR(255),
    @lock INT,
    @recorded INT = 0;

SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', @schema, N':records');

BEGIN TRY
    BEGIN TRANSACTION;

    EXECUTE @lock = sp_getapplock
        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @@LOCK_TIMEOUT;
    IF @lock < 0
        THROW 50001, N'A run has been in progress all this time; the failure was not recorded.', 1;

    IF
        @attempt = 1 + (
            SELECT COUNT(*) FROM dbo.assignment_failure AS f
            WHERE f.business_date = @business_date
        )
        BEGIN
            INSERT INTO dbo.assignment_run
            (
                business_date, [trigger], actor, status, max_per_agent, window_days, newest_first, started_at,
                finished_at
            )
            VALUES
            (
                @business_date, 'schedule', %(actor)s, 'failed', %(max_per_agent)s, %(window_days)s, %(newest_first)s,
                %(started_at)s, %(finished_at)s
            );

            INSERT INTO dbo.assignment_failure (run_id, business_date, attempt, error_number, message)
            VALUES (SCOPE_IDENTITY(), @business_date, @attempt, %(error_number)s, %(message)s);
            SET @recorded = 1;
        END;

    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH;

SELECT @recorded AS recorded;

-- name: settle_date
-- Records why a business date passed without a scheduled run, unless it had one or is recorded already; answers with
-- what was recorded, or with nothing. Waits for a run that is under way, which may be that very one.
DECLARE
    @business_date DATE = %(business_date)s,
    @closes_at DATETIME2(3) = %(closes_at)s,
    @schema NVARCHAR(255) = SCHEMA_NAME(SCHEMA_ID(%(schema)s)),
    @resource NVARCHAR(255),
    @lock INT,
    @recorded INT = 0;

SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', @schema, N':records');

BEGIN TRY
    BEGIN TRANSACTION;

    EXECUTE @lock = sp_getapplock
        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @@LOCK_TIMEOUT;
    IF @lock < 0
        THROW 50001, N'A run has been in progress all this time; nothing was recorded.', 1;

    INSERT INTO dbo.schedule_outcome (business_date, outcome, recorded_at)
    SELECT
        @business_date,
        CASE
            WHEN
                %(workday)s = 0 OR EXISTS (
                    SELECT 1 FROM dbo.holiday AS h
                    WHERE h.day = @business_date
                ) THEN 'holiday'
            WHEN EXISTS (
                SELECT 1 FROM dbo.schedule_pause AS p
                WHERE p.paused_at <= @closes_at AND (p.resumed_at IS NULL OR p.resumed_at > @closes_at)
            ) THEN 'paused'
            WHEN EXISTS (
                SELECT 1 FROM dbo.assignment_failure AS f
                WHERE f.business_date = @business_date
            ) THEN 'failed'
            ELSE 'missed'
        END,
        %(now)s
    WHERE
        NOT EXISTS (
            SELECT 1 FROM dbo.schedule_outcome AS o
            WHERE o.business_date = @business_date
        )
        AND NOT EXISTS (
            SELECT 1 FROM dbo.assignment_run AS r
            WHERE
                r.[trigger] = 'schedule' AND r.business_date = @business_date
                AND r.status IN ('succeeded', 'undone')
        );
    SET @recorded = @@ROWCOUNT;

    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH;

SELECT o.outcome FROM dbo.schedule_outcome AS o
WHERE o.business_date = @business_date AND @recorded = 1;

-- name: pauses
-- The newest pauses.
SELECT TOP (CAST(%(count)s AS INT)) p.pause_id, p.paused_at, p.paused_by, p.reason, p.resumed_at, p.resumed_by
FROM dbo.schedule_pause AS p
ORDER BY p.pause_id DESC;

-- name: pause
-- Pauses the clock, unless it is paused already; answers whether that was new.
INSERT INTO dbo.schedule_pause (paused_at, paused_by, reason)
SELECT %(now)s, %(actor)s, %(reason)s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.schedule_pause AS p
    WHERE p.resumed_at IS NULL
);

SELECT @@ROWCOUNT AS changed;

-- name: resume
-- Ends the pause; answers whether there was one.
UPDATE dbo.schedule_pause
SET resumed_at = %(now)s, resumed_by = %(actor)s
WHERE resumed_at IS NULL;

SELECT @@ROWCOUNT AS changed;

-- name: holidays
-- The holidays from a day on.
SELECT h.day, h.name FROM dbo.holiday AS h
WHERE h.day >= CAST(%(since)s AS DATE)
ORDER BY h.day;

-- name: add_holiday
-- Adds a holiday, or names it anew.
BEGIN TRANSACTION;

DELETE FROM dbo.holiday
WHERE day = CAST(%(day)s AS DATE);

INSERT INTO dbo.holiday (day, name) VALUES (%(day)s, %(label)s);

COMMIT TRANSACTION;

-- name: remove_holiday
-- Removes a holiday, and answers how many there were of it.
DELETE FROM dbo.holiday
WHERE day = CAST(%(day)s AS DATE);

SELECT @@ROWCOUNT AS removed;

-- name: outcomes
-- What became of the newest business dates: the scheduled run, or why there was none.
SELECT TOP (CAST(%(count)s AS INT)) s.business_date, s.outcome, s.run_id, s.at
FROM (
    SELECT r.business_date, r.status AS outcome, r.run_id, r.finished_at AS at
    FROM dbo.assignment_run AS r
    WHERE r.[trigger] = 'schedule' AND r.status IN ('succeeded', 'undone')
    UNION ALL
    SELECT o.business_date, o.outcome, NULL AS run_id, o.recorded_at AS at FROM dbo.schedule_outcome AS o
) AS s
ORDER BY s.business_date DESC;

-- name: failure_counts
-- How many attempts at scheduled runs failed, by the number of the error; NULL is any other one.
SELECT f.error_number, COUNT(*) AS failures FROM dbo.assignment_failure AS f
GROUP BY f.error_number
ORDER BY f.error_number;

-- name: outcome_counts
-- How many business dates passed without a scheduled run, by why.
SELECT o.outcome, COUNT(*) AS dates FROM dbo.schedule_outcome AS o
GROUP BY o.outcome
ORDER BY o.outcome;

-- name: shares
-- How many leads of each stage each agent got in a run.
SELECT h.agent, h.stage, COUNT(*) AS leads
FROM dbo.assignment_history AS h
WHERE h.run_id = %(run_id)s
GROUP BY h.agent, h.stage
ORDER BY h.agent, h.stage;

-- name: count_leads
-- How many leads there are, and how many agents.
SELECT
    (SELECT COUNT(*) FROM dbo.wafunnel) AS leads,
    (SELECT COUNT(*) FROM dbo.agents) AS agents;

-- name: limits
-- All limits, the newest first among those of an agent.
SELECT l.limit_id, l.agent, l.starts_on, l.ends_on, l.max_records
FROM dbo.agent_limit AS l
ORDER BY l.agent ASC, l.starts_on DESC, l.limit_id DESC;

-- name: add_limit
-- Adds a limit, and answers with it and with whether the agent is known.
INSERT INTO dbo.agent_limit (agent, starts_on, ends_on, max_records)
VALUES (%(agent)s, %(starts_on)s, %(ends_on)s, %(max_records)s);

SELECT
    l.limit_id, l.agent, l.starts_on, l.ends_on, l.max_records,
    CASE WHEN EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = l.agent
    ) THEN 1 ELSE 0 END AS known
FROM dbo.agent_limit AS l
WHERE l.limit_id = SCOPE_IDENTITY();

-- name: remove_limit
-- Removes a limit, and answers how many there were of it.
DELETE FROM dbo.agent_limit
WHERE limit_id = %(limit_id)s;

SELECT @@ROWCOUNT AS removed;

-- name: do_not_contact
-- The numbers that are never dealt.
SELECT d.number, d.reason, d.added_at FROM dbo.do_not_contact AS d
ORDER BY d.number;

-- name: add_do_not_contact
-- Puts a number on the list and takes it out of the present assignments; answers what was found. Waits for a deal that
-- is under way: it has read the list already, and would hand the number out again; a deal that comes meanwhile waits.
-- The name of the lock is the procedure's, so the schema's is the server's, however the setting spells it.
DECLARE
    @number NVARCHAR(255) = %(number)s,
    @schema NVARCHAR(255) = SCHEMA_NAME(SCHEMA_ID(%(schema)s)),
    @resource NVARCHAR(255),
    @lock INT,
    @listed INT,
    @assignments INT,
    @leads INT;

SET @resource = CONCAT(N'agent_funnel:', DB_NAME(), N':', @schema, N':records');

BEGIN TRY
    BEGIN TRANSACTION;

    EXECUTE @lock = sp_getapplock
        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @@LOCK_TIMEOUT;
    IF @lock < 0
        THROW 50001, N'A run has been in progress all this time; the number was not put on the list.', 1;

    SELECT @listed = COUNT(*) FROM dbo.do_not_contact AS d
    WHERE d.number = @number;

    SELECT @leads = COUNT(*)
    FROM dbo.wafunnel AS w
    WHERE CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @number;

    IF @listed = 0
        INSERT INTO dbo.do_not_contact (number, reason, added_at) VALUES (@number, %(reason)s, SYSUTCDATETIME());

    DELETE FROM dbo.agent_wafunnel_assignment
    WHERE CAST(number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @number;
    SET @assignments = @@ROWCOUNT;

    COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH;

SELECT @listed AS listed, @assignments AS assignments, @leads AS leads;

-- name: remove_do_not_contact
-- Takes a number off the list, and answers how many there were of it.
DELETE FROM dbo.do_not_contact
WHERE number = %(number)s;

SELECT @@ROWCOUNT AS removed;

-- name: begin_import
-- Makes room for the rows of a file, for this connection alone.
CREATE TABLE #staged (
    first NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
    second NVARCHAR(255) NULL,
    third NVARCHAR(255) NULL
);

-- name: stage_rows
-- Takes rows in, as a JSON array of arrays of up to three texts.
INSERT INTO #staged (first, second, third)
SELECT j.first, j.second, j.third
FROM OPENJSON (%(rows)s) WITH (
    first NVARCHAR(255) '$[0]', second NVARCHAR(255) '$[1]', third NVARCHAR(255) '$[2]'
) AS j;

-- name: import_leads
-- Adds the staged leads whose number is not there yet.
INSERT INTO dbo.wafunnel (number, stage, date)
SELECT s.first, CAST(s.second AS INT), CAST(REPLACE(s.third, ' ', 'T') AS DATETIME)
FROM #staged AS s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.wafunnel AS w
    WHERE CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.first
);

SELECT @@ROWCOUNT AS added;

-- name: import_agents
-- Adds the staged agents whose name is not there yet.
INSERT INTO dbo.agents (agent, status)
SELECT s.first, s.second
FROM #staged AS s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.agents AS a
    WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = s.first
);

SELECT @@ROWCOUNT AS added;

-- name: import_holidays
-- Adds the staged holidays whose day is not there yet.
INSERT INTO dbo.holiday (day, name)
SELECT CAST(s.first AS DATE), NULLIF(s.second, N'')
FROM #staged AS s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.holiday AS h
    WHERE h.day = CAST(s.first AS DATE)
);

SELECT @@ROWCOUNT AS added;

-- name: end_import
-- Frees the room.
DROP TABLE IF EXISTS #staged;
