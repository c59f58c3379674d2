/*
`agent-funnel doctor`, 1 of 4: the server, the connection, the login and its rights. `doctor_write` writes a row,
which is taken back; the other queries change nothing.
*/

-- name: doctor_engine
-- The kind of server. Babelfish calls itself SQL Server; only a property of its own names it.
SELECT
    CAST(SERVERPROPERTY('EngineEdition') AS INT) AS engine_edition,
    CAST(SERVERPROPERTY('ProductVersion') AS NVARCHAR(128)) AS product_version,
    CAST(SERVERPROPERTY('Edition') AS NVARCHAR(128)) AS edition,
    CAST(SERVERPROPERTY('BabelfishVersion') AS NVARCHAR(128)) AS babelfish_version,
    @@VERSION AS version_text,
    d.compatibility_level
FROM sys.databases AS d
WHERE d.name = DB_NAME();

-- name: doctor_encryption
-- Whether this connection is encrypted, and the address that it comes from. Needs a right to see
-- the server's state, which `state_right` of database/lock_waits.py names.
SELECT c.encrypt_option, c.client_net_address FROM sys.dm_exec_connections AS c
WHERE c.session_id = @@SPID;

-- name: doctor_clock
-- The server's clock in UTC, and how many seconds its time zone is ahead of UTC.
SELECT
    SYSUTCDATETIME() AS moment,
    DATEDIFF(SECOND, SYSUTCDATETIME(), SYSDATETIME()) AS ahead;

-- name: doctor_login
-- The login, whether it has the role, and the statement that gives it the role.
SELECT
    SUSER_SNAME() AS login_name,
    IS_ROLEMEMBER('agent_funnel_service') AS in_role,
    CONCAT(N'ALTER ROLE agent_funnel_service ADD MEMBER ', QUOTENAME(USER_NAME()), N';') AS remedy;

-- name: doctor_right
-- Whether this login has a right on an object.
SELECT HAS_PERMS_BY_NAME(%(object_name)s, 'OBJECT', %(permission)s) AS allowed;

-- name: doctor_write
-- Writes a row. The caller takes it back.
INSERT INTO dbo.assignment_request (request, run_id)
VALUES (%(request)s, NULL);

-- name: doctor_copies
-- The copies of the service, and whether their terms differ from the recorded ones.
SELECT
    c.name, c.clock_difference, c.looked_at, t.recorded_by,
    CONCAT(c.run_at, ' (', c.timezone, '), ', c.weekdays, ', catch-up ', c.catch_up, ' s') AS own,
    CONCAT(t.run_at, ' (', t.timezone, '), ', t.weekdays, ', catch-up ', t.catch_up, ' s') AS recorded,
    CASE
        WHEN c.run_at = t.run_at AND c.timezone = t.timezone AND c.weekdays = t.weekdays AND c.catch_up = t.catch_up
            THEN 0
        ELSE 1
    END AS differs
FROM dbo.schedule_copy AS c
CROSS JOIN (
    SELECT TOP (1) n.run_at, n.timezone, n.weekdays, n.catch_up, n.recorded_by
    FROM dbo.schedule_terms AS n
    ORDER BY n.terms_id DESC
) AS t
ORDER BY c.name;

-- name: doctor_ahead
-- The business dates after a day that are recorded as passed, and those recorded after a moment.
SELECT COUNT(*) AS dates, MIN(o.business_date) AS first, MAX(o.business_date) AS last
FROM dbo.schedule_outcome AS o
WHERE o.business_date > CAST(%(day)s AS DATE) OR o.recorded_at > CAST(%(moment)s AS DATETIME2(3));
