/*
Keys to the service, and the sessions of browsers that signed in with a key.
*/

-- name: add_key
-- lock: keys
-- busy: Another session is still adding a key; nothing was changed. Try again.
-- Adds a key and returns it, unless a key with this name is in use. The lock lets in one caller at a time, because the
-- name of a revoked key may be used again, so no index keeps two keys of one name out.
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
-- All keys, including revoked ones, in the order in which they were made.
SELECT
    k.key_id, k.name, k.role, k.created_at, k.created_by, k.last_used_at, k.revoked_at, k.revoked_by
FROM dbo.access_key AS k
ORDER BY k.key_id;

-- name: revoke_key
-- Revokes a key and ends its sessions; returns how many keys were revoked.
DELETE FROM dbo.access_session
WHERE key_id = %(key_id)s;

UPDATE dbo.access_key
SET revoked_at = SYSUTCDATETIME(), revoked_by = %(actor)s
WHERE key_id = %(key_id)s AND revoked_at IS NULL;

SELECT @@ROWCOUNT AS revoked;

-- name: key_of_secret
-- traits: polled
-- parameters: @secret_hash CHAR(64)
-- The key in use with this hash, and how many keys have ever been made.
SELECT
    c.keys, k.key_id, k.name, k.role, k.secret_hash, k.last_used_at
FROM (SELECT COUNT(*) AS keys FROM dbo.access_key) AS c
LEFT JOIN dbo.access_key AS k ON k.secret_hash = @secret_hash AND k.revoked_at IS NULL;

-- name: key_of_session
-- traits: polled
-- parameters: @secret_hash CHAR(64)
-- The key in use that signed in with this session token, and how many keys have ever been made.
SELECT
    c.keys, k.key_id, k.name, k.role, s.token_hash AS secret_hash, k.last_used_at
FROM (SELECT COUNT(*) AS keys FROM dbo.access_key) AS c
LEFT JOIN dbo.access_session AS s
    ON s.token_hash = @secret_hash AND s.expires_at > SYSUTCDATETIME()
LEFT JOIN dbo.access_key AS k ON s.key_id = k.key_id AND k.revoked_at IS NULL;

-- name: note_key_use
-- traits: no-wait
-- Records that a key was used.
UPDATE dbo.access_key
SET last_used_at = SYSUTCDATETIME()
WHERE key_id = %(key_id)s;

-- name: add_session
-- Begins a session that lasts a number of seconds, and deletes the sessions that have ended.
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
