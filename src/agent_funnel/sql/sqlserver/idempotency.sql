/*
Stored responses for idempotent requests: a retry with the same key gets the first response.
*/

-- name: claim_request
-- Claims a request, unless it has a record already; returns its record, and whether this call claimed it. Expired
-- records are deleted first.
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
    -- Another copy of the service claimed the request a moment earlier.
    IF ERROR_NUMBER() NOT IN (2601, 2627)
        THROW;
    SET @claimed = 0;
END CATCH;

SELECT @claimed AS claimed, a.content_hash, a.status, a.answer
FROM dbo.request_answer AS a
WHERE a.request_hash = %(request_hash)s;

-- name: keep_answer
-- Stores the response to a request.
UPDATE dbo.request_answer
SET status = %(status)s, answer = %(answer)s
WHERE request_hash = %(request_hash)s;

-- name: release_request
-- Deletes the record of a request that changed nothing, so that a retry runs again.
DELETE FROM dbo.request_answer
WHERE request_hash = %(request_hash)s;
