/*
The personal links of agents. A link opens the agent's own list and nothing else. A new link replaces the one in use.
*/

-- name: add_link
-- lock: links
-- busy: Another session is still making a link; nothing was changed. Try again.
-- Adds a link for an agent and returns it; the link in use before is revoked. Does nothing if there is no such agent.
-- The lock lets in one caller at a time: of two at once, neither would see the link of the other to revoke it.
DECLARE @agent NVARCHAR(255) = %(agent)s;

UPDATE dbo.agent_link
SET revoked_at = SYSUTCDATETIME(), revoked_by = %(actor)s
WHERE
    agent = @agent AND revoked_at IS NULL
    AND EXISTS (
        SELECT 1 FROM dbo.agents AS a
        WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
    );

INSERT INTO dbo.agent_link (agent, secret_hash, created_at, created_by)
SELECT @agent, %(secret_hash)s, SYSUTCDATETIME(), %(actor)s
WHERE EXISTS (
    SELECT 1 FROM dbo.agents AS a
    WHERE CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
);

SELECT l.link_id, l.agent, l.created_at, l.created_by, l.last_used_at
FROM dbo.agent_link AS l
WHERE l.secret_hash = %(secret_hash)s;

-- name: link_of_agent
-- The newest link in use of an agent.
SELECT TOP (1) l.link_id, l.agent, l.created_at, l.created_by, l.last_used_at
FROM dbo.agent_link AS l
WHERE l.agent = %(agent)s AND l.revoked_at IS NULL
ORDER BY l.link_id DESC;

-- name: links
-- All links in use, by agent.
SELECT l.link_id, l.agent, l.created_at, l.created_by, l.last_used_at
FROM dbo.agent_link AS l
WHERE l.revoked_at IS NULL
ORDER BY l.agent, l.link_id;

-- name: revoke_link
-- Revokes the links of an agent; returns how many were in use.
UPDATE dbo.agent_link
SET revoked_at = SYSUTCDATETIME(), revoked_by = %(actor)s
WHERE agent = %(agent)s AND revoked_at IS NULL;

SELECT @@ROWCOUNT AS revoked;

-- name: link_of_secret
-- parameters: @secret_hash CHAR(64)
-- The link in use with this hash, if its agent is active, and how many keys to the service have ever been made.
SELECT c.keys, l.link_id, l.agent, l.secret_hash, l.created_at, l.created_by, l.last_used_at
FROM (SELECT COUNT(*) AS keys FROM dbo.access_key) AS c
LEFT JOIN dbo.agent_link AS l
    ON
        l.secret_hash = @secret_hash
        AND l.revoked_at IS NULL
        AND EXISTS (
            SELECT 1 FROM dbo.agents AS a
            WHERE
                CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = l.agent
                AND LOWER(LTRIM(RTRIM(a.status)) COLLATE Latin1_General_BIN2) = 'active'
        );

-- name: note_link_use
-- traits: no-wait
-- Records that a link was used.
UPDATE dbo.agent_link
SET last_used_at = SYSUTCDATETIME()
WHERE link_id = %(link_id)s;
