-- Who may use the service, what they did, and what they were answered.

-- name: add_key
-- Makes a key, unless one of its name is in use; answers with it then.
INSERT INTO access_key (name, role, secret_hash, created_at, created_by)
SELECT :label, :role, :secret_hash, strftime('%Y-%m-%d %H:%M:%f', 'now'), :actor
WHERE NOT EXISTS (SELECT 1 FROM access_key AS k WHERE k.name = :label AND k.revoked_at IS NULL);

SELECT
    k.key_id, k.name, k.role, k.created_at, k.created_by, k.last_used_at, k.revoked_at, k.revoked_by
FROM access_key AS k
WHERE k.secret_hash = :secret_hash;

-- name: access_keys
-- All keys, the revoked ones too, in the order in which they were made.
SELECT
    k.key_id, k.name, k.role, k.created_at, k.created_by, k.last_used_at, k.revoked_at, k.revoked_by
FROM access_key AS k
ORDER BY k.key_id;

-- name: revoke_key
-- Revokes a key and ends its sessions; answers how many there were of it.
DELETE FROM access_session WHERE key_id = :key_id;

UPDATE access_key SET revoked_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), revoked_by = :actor
WHERE key_id = :key_id AND revoked_at IS NULL;

SELECT changes() AS revoked;

-- name: key_of_secret
-- The key in use with this hash, and how many keys there have ever been.
SELECT
    c.keys, k.key_id, k.name, k.role, k.secret_hash, k.last_used_at
FROM (SELECT count(*) AS keys FROM access_key) AS c
LEFT JOIN access_key AS k ON k.secret_hash = :secret_hash AND k.revoked_at IS NULL;

-- name: key_of_session
-- The key in use that signed in with this token, and how many keys there have ever been.
SELECT
    c.keys, k.key_id, k.name, k.role, s.token_hash AS secret_hash, k.last_used_at
FROM (SELECT count(*) AS keys FROM access_key) AS c
LEFT JOIN access_session AS s
    ON s.token_hash = :secret_hash AND s.expires_at > strftime('%Y-%m-%d %H:%M:%f', 'now')
LEFT JOIN access_key AS k ON s.key_id = k.key_id AND k.revoked_at IS NULL;

-- name: note_key_use
-- Notes that a key was used.
UPDATE access_key SET last_used_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE key_id = :key_id;

-- name: add_session
-- Begins a session of so many seconds, and forgets those that are over.
DELETE FROM access_session WHERE expires_at <= strftime('%Y-%m-%d %H:%M:%f', 'now');

INSERT INTO access_session (token_hash, key_id, created_at, expires_at)
VALUES (
    :token_hash, :key_id, strftime('%Y-%m-%d %H:%M:%f', 'now'),
    strftime('%Y-%m-%d %H:%M:%f', 'now', '+' || :seconds || ' seconds')
);

-- name: end_session
-- Ends a session.
DELETE FROM access_session WHERE token_hash = :token_hash;

-- name: add_audit_entry
-- Records what somebody did or tried.
INSERT INTO audit_entry (recorded_at, actor, key_id, operation, target, address, status, detail)
VALUES (
    strftime('%Y-%m-%d %H:%M:%f', 'now'), :actor, :key_id, :operation, :target, :address, :status, :detail
);

-- name: audit_entries
-- The newest entries before one.
SELECT e.entry_id, e.recorded_at, e.actor, e.key_id, e.operation, e.target, e.address, e.status, e.detail
FROM audit_entry AS e
WHERE e.entry_id < :before
ORDER BY e.entry_id DESC
LIMIT :count;

-- name: claim_request
-- Begins to answer a request, unless it is on record; answers with what is on record for it, and whether that is new.
-- What is older than its time is forgotten.
DELETE FROM request_answer WHERE asked_at <= strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || :seconds || ' seconds');

INSERT INTO request_answer (request_hash, content_hash, asked_at)
SELECT :request_hash, :content_hash, strftime('%Y-%m-%d %H:%M:%f', 'now')
WHERE NOT EXISTS (SELECT 1 FROM request_answer AS a WHERE a.request_hash = :request_hash);

SELECT changes() AS claimed, a.content_hash, a.status, a.answer
FROM request_answer AS a
WHERE a.request_hash = :request_hash;

-- name: keep_answer
-- Keeps what a request was answered.
UPDATE request_answer SET status = :status, answer = :answer WHERE request_hash = :request_hash;

-- name: release_request
-- Forgets a request that changed nothing, so that it can be made again.
DELETE FROM request_answer WHERE request_hash = :request_hash;
