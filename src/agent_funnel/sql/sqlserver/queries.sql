/*
The queries of the service on SQL Server. Each has a name, a sentence and a body; the rows are those of the last result
set. Written for the schema dbo. Parameters are written as pymssql wants them. Each body runs on a connection that
commits by itself, so one that writes more than once opens its own transaction.
*/

-- name: ping
-- Answers if the database does.
SELECT 1 AS alive;

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

-- name: assign
-- The deal. The procedure decides everything; see there.
EXECUTE dbo.sp_assign_wafunnel_to_agents
    @business_date = %(business_date)s,
    @max_per_agent = %(max_per_agent)s,
    @window_days = %(window_days)s,
    @newest_first = %(newest_first)s,
    @trigger = %(trigger)s,
    @actor = %(actor)s;

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

-- name: scheduled_run
-- The scheduled run of a business date, if it is done; an undone one is done too.
SELECT r.run_id
FROM dbo.assignment_run AS r
WHERE r.[trigger] = 'schedule' AND r.business_date = %(business_date)s AND r.status IN ('succeeded', 'undone');

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
-- is under way: it has read the list already, and would hand the number out again. The name of the lock
-- is the procedure's, so the schema's is the server's, however the setting spells it.
DECLARE
    @number NVARCHAR(255) = %(number)s,
    @resource NVARCHAR(255) = CONCAT(N'agent_funnel:', DB_NAME(), N':', SCHEMA_NAME(SCHEMA_ID(%(schema)s))),
    @lock INT,
    @listed INT,
    @assignments INT,
    @leads INT;

BEGIN TRY
    BEGIN TRANSACTION;

    EXECUTE @lock = sp_getapplock
        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = 30000;
    IF @lock < 0
        THROW 50001, N'A run has been in progress for half a minute; the number was not put on the list.', 1;

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

-- name: end_import
-- Frees the room.
DROP TABLE IF EXISTS #staged;
