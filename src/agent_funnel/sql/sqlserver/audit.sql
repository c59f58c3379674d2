/*
The audit: what was changed, or tried, through the service, with the person and the time.
*/

-- name: add_audit_entry
-- Records a change or an attempt.
INSERT INTO dbo.audit_entry (recorded_at, actor, key_id, operation, target, address, status, detail)
VALUES (
    SYSUTCDATETIME(), %(actor)s, %(key_id)s, %(operation)s, %(target)s, %(address)s, %(status)s, %(detail)s
);

-- name: audit_entries
-- The newest entries before a given entry, newest first.
SELECT TOP (CAST(%(count)s AS INT))
    e.entry_id, e.recorded_at, e.actor, e.key_id, e.operation, e.target, e.address, e.status, e.detail
FROM dbo.audit_entry AS e
WHERE e.entry_id < CAST(%(before)s AS BIGINT)
ORDER BY e.entry_id DESC;
