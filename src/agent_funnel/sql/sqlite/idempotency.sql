-- Stored responses for idempotent requests: a retry with the same key gets the first response.

-- name: claim_request
-- Claims a request, unless it has a record already; returns its record, and whether this call claimed it. Expired
-- records are deleted first.
DELETE FROM request_answer WHERE asked_at <= strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || :seconds || ' seconds');

INSERT INTO request_answer (request_hash, content_hash, asked_at)
SELECT :request_hash, :content_hash, strftime('%Y-%m-%d %H:%M:%f', 'now')
WHERE NOT EXISTS (SELECT 1 FROM request_answer AS a WHERE a.request_hash = :request_hash);

SELECT changes() AS claimed, a.content_hash, a.status, a.answer
FROM request_answer AS a
WHERE a.request_hash = :request_hash;

-- name: keep_answer
-- Stores the response to a request.
UPDATE request_answer SET status = :status, answer = :answer WHERE request_hash = :request_hash;

-- name: release_request
-- Deletes the record of a request that changed nothing, so that a retry runs again.
DELETE FROM request_answer WHERE request_hash = :request_hash;
