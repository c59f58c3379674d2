-- Stored responses for idempotent requests: a retry with the same key gets the first response.

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
