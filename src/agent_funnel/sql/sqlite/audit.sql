-- The audit: what was changed, or tried, through the service, with the person and the time.

-- name: add_audit_entry
-- Records a change or an attempt.
INSERT INTO audit_entry (recorded_at, actor, key_id, operation, target, address, status, detail)
VALUES (
    strftime('%Y-%m-%d %H:%M:%f', 'now'), :actor, :key_id, :operation, :target, :address, :status, :detail
);

-- name: audit_entries
-- The newest entries before a given entry, newest first.
SELECT e.entry_id, e.recorded_at, e.actor, e.key_id, e.operation, e.target, e.address, e.status, e.detail
FROM audit_entry AS e
WHERE e.entry_id < :before
ORDER BY e.entry_id DESC
LIMIT :count;
