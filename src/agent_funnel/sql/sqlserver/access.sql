/*
Who may use the service, what they did, and what they were answered. As in queries.sql.
*/

-- name: add_key
-- Makes a key, unless one of its name is in use; answers with it then.
INSERT INTO dbo.access_key (name, role, secret_hash, created_at, created_by)
SELECT %(label)s, %(role)s, %(secret_hash)s, SYSUTCDATETIME(), %(actor)s
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.access_key AS k
    WHERE k.name = %(label)s AND k.revoked_at IS NULL
);

SELECT
    k.key_id, k.name, k.role, k.created_at, k.created_by, k.last_used_at, k.revoked_at, k.revoked_by
FROM dbo.access_key AS k
WHERE k.secret_hash = %(secret_hash)s;

-- name: access_keys
-- All keys, the revoked ones too, in the order in which they were made.
SELECT
    k.key_id, k.name, k.role, k.created_at, k.created_by, k.last_used_at, k.revoked_at, k.revoked_by
FROM dbo.access_key AS k
ORDER BY k.key_id;

-- name: revoke_key
-- Revokes a key and ends its sessions; answers how many there were of it.
DELETE FROM dbo.access_session
WHERE key_id = %(key_id)s;

UPDATE dbo.access_key
SET revoked_at = SYSUTCDATETIME(), revoked_by = %(actor)s
WHERE key_id = %(key_id)s AND revoked_at IS NULL;

SELECT @@ROWCOUNT AS revoked;

-- name: key_of_secret
-- The key in use with this hash, and how many keys there have ever been.
SELECT
    c.keys, k.key_id, k.name, k.role, k.secret_hash, k.last_used_at
FROM (SELECT COUNT(*) AS keys FROM dbo.access_key) AS c
LEFT JOIN dbo.access_key AS k ON k.secret_hash = %(secret_hash)s AND k.revoked_at IS NULL;

-- name: key_of_session
-- The key in use that signed in with this token, and how many keys there have ever been.
SELECT
    c.keys, k.key_id, k.name, k.role, s.token_hash AS secret_hash, k.last_used_at
FROM (SELECT COUNT(*) AS keys FROM dbo.access_key) AS c
LEFT JOIN dbo.access_session AS s
    ON s.token_hash = %(secret_hash)s AND s.expires_at > SYSUTCDATETIME()
LEFT JOIN dbo.access_key AS k ON s.key_id = k.key_id AND k.revoked_at IS NULL;

-- name: note_key_use
-- Notes that a key was used.
UPDATE dbo.access_key
SET last_used_at = SYSUTCDATETIME()
WHERE key_id = %(key_id)s;

-- name: add_session
-- Begins a session of so many seconds, and forgets those that are over.
DELETE FROM dbo.access_session
WHERE expires_at <= SYSUTCDATETIME();

INSERT INTO dbo.access_session (token_hash, key_id, created_at, expires_at)
VALUES (
    %(token_hash)s, %(key_id)s, SYSUTCDATETIME(),
    DATEADD(SECOND, CAST(%(seconds)s AS INT), SYSUTCDATETIME())
);

-- name: end_session
-- Ends a session.
DELETE FROM dbo.access_session
WHERE token_hash = %(token_hash)s;

-- name: add_audit_entry
-- Records what somebody did or tried.
INSERT INTO dbo.audit_entry (recorded_at, actor, key_id, operation, target, address, status, detail)
VALUES (
    SYSUTCDATETIME(), %(actor)s, %(key_id)s, %(operation)s, %(target)s, %(address)s, %(status)s, %(detail)s
);

-- name: audit_entries
-- The newest entries before one.
SELECT TOP (CAST(%(count)s AS INT))
    e.entry_id, e.recorded_at, e.actor, e.key_id, e.operation, e.target, e.address, e.status, e.detail
FROM dbo.audit_entry AS e
WHERE e.entry_id < CAST(%(before)s AS BIGINT)
ORDER BY e.entry_id DESC;

-- name: claim_request
-- Begins to answer a request, unless it is on record; answers with what is on record for it, and whether that is new.
-- What is older than its time is forgotten.
DECLARE @claimed INT;

DELETE FROM dbo.request_answer
WHERE asked_at <= DATEADD(SECOND, -CAST(%(seconds)s AS INT), SYSUTCDATETIME());

BEGIN TRY
    INSERT INTO dbo.request_answer (request_hash, content_hash, asked_at)
    SELECT %(request_hash)s, %(content_hash)s, SYSUTCDATETIME()
    WHERE NOT EXISTS (
        SELECT 1 FROM dbo.request_answer AS a
        WHERE a.request_hash = %(request_hash)s
    );
    SET @claimed = @@ROWCOUNT;
END TRY
BEGIN CATCH
    -- Another copy of the service came first by a moment.
    IF ERROR_NUMBER() NOT IN (2601, 2627)
        THROW;
    SET @claimed = 0;
END CATCH;

SELECT @claimed AS claimed, a.content_hash, a.status, a.answer
FROM dbo.request_answer AS a
WHERE a.request_hash = %(request_hash)s;

-- name: keep_answer
-- Keeps what a request was answered.
UPDATE dbo.request_answer
SET status = %(status)s, answer = %(answer)s
WHERE request_hash = %(request_hash)s;

-- name: release_request
-- Forgets a request that changed nothing, so that it can be made again.
DELETE FROM dbo.request_answer
WHERE request_hash = %(request_hash)s;
