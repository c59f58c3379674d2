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
-- Whether this connection is encrypted, and the address that it comes from. Needs VIEW SERVER STATE.
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
