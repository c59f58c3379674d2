/*
Queries of the connection itself: whether the database answers, which version of the tables it has, whether a run is in
progress, and which session blocks another one. The frame of the queries that take a lock is here, too.
*/

-- name: ping
-- Returns a row if the database answers at all.
SELECT 1 AS alive;

-- name: _lock_name
-- The name of the run lock, as both procedures in deal/ write it. Application locks belong to a database on SQL Server
-- and to the whole server on Babelfish, so the name contains the database. The schema is that of a procedure, which a
-- login sees if it may execute it, as the server spells it; a login without rights on the schema may not see that.
DECLARE @resource NVARCHAR(255) = CONCAT(
    N'agent_funnel:', DB_NAME(), N':',
    COALESCE(
        OBJECT_SCHEMA_NAME(OBJECT_ID(N'dbo.sp_assign_wafunnel_to_agents')),
        SCHEMA_NAME(SCHEMA_ID(%(schema)s)),
        %(schema)s
    )
);

-- name: _lock
-- The frame of a query that takes a lock. The loader replaces the texts in angle brackets and the comment "body". A
-- body may end the transaction itself, as the body of add_agent does.
-- include: _lock_name

DECLARE @lock INT;

SET @resource = CONCAT(@resource, N'<lock>');

BEGIN TRY
    BEGIN TRANSACTION;

    EXECUTE @lock = sp_getapplock
        @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @@LOCK_TIMEOUT;
    IF @lock < 0
        THROW 50001, N'<busy>', 1;

    -- body

    IF @@TRANCOUNT > 0
        COMMIT TRANSACTION;
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0
        ROLLBACK TRANSACTION;
    THROW;
END CATCH;

-- name: run_in_progress
-- Fails with 50001 if a run or an undo is in progress. It shares the second lock of a run for a moment, and never takes
-- the first: a look does not wait, sees no other look, and never refuses a run. It fails instead of returning an answer
-- because Babelfish restarts after five calls in a session that do not get a lock and raise no error.
-- include: _lock_name

DECLARE @lock INT;

SET @resource = CONCAT(@resource, N':looks');

BEGIN TRANSACTION;

EXECUTE @lock = sp_getapplock
    @Resource = @resource, @LockMode = 'Shared', @LockOwner = 'Transaction', @LockTimeout = 0;

ROLLBACK TRANSACTION;

IF @lock < 0
    THROW 50001, N'A run or an undo is in progress; nothing was changed. Try again when it ends.', 1;

-- name: blocker
-- The session that a session waits for, or 0. The wait for a lock is called LCK_… on SQL Server and Lock on Babelfish.
-- On SQL Server, parallel workers of one session wait for one another, too; Babelfish also names sessions that share a
-- lock. Without a right to see the server's state (`state_right` of database/lock_waits.py says which one), a login
-- sees only its own session, and this query returns no row.
SELECT TOP (1)
    CASE
        WHEN p.blocked NOT IN (0, p.spid, @@SPID) AND UPPER(p.lastwaittype) LIKE 'L%%CK%%' THEN p.blocked
        ELSE 0
    END AS blocked
FROM sys.sysprocesses AS p
WHERE p.spid = %(session)s
ORDER BY blocked DESC;

-- name: server
-- The edition and the version of the server, which decide which right shows its state.
SELECT
    CAST(SERVERPROPERTY('EngineEdition') AS INT) AS engine_edition,
    CAST(SERVERPROPERTY('ProductVersion') AS NVARCHAR(128)) AS product_version,
    CAST(SERVERPROPERTY('BabelfishVersion') AS NVARCHAR(128)) AS babelfish_version;

-- name: session
-- The number of this session. Also shows that the connection is alive.
SELECT @@SPID AS session_id;

-- name: session_and_version
-- The same with the version of the tables, so that the check of the version takes no round trip of its own.
SELECT @@SPID AS session_id, MAX(v.version) AS version FROM dbo.agent_funnel_version AS v;

-- name: version
-- The version of the tables; NULL if none is recorded yet.
SELECT MAX(v.version) AS version FROM dbo.agent_funnel_version AS v;
