-- The personal links of agents. A link opens the agent's own list and nothing else. A new link replaces the one in use.

-- name: add_link
-- Adds a link for an agent and returns it; the link in use before is revoked. Does nothing if there is no such agent.
UPDATE agent_link SET revoked_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), revoked_by = :actor
WHERE agent = :agent AND revoked_at IS NULL
    AND EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = :agent COLLATE BINARY);

INSERT INTO agent_link (agent, secret_hash, created_at, created_by)
SELECT :agent, :secret_hash, strftime('%Y-%m-%d %H:%M:%f', 'now'), :actor
WHERE EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = :agent COLLATE BINARY);

SELECT l.link_id, l.agent, l.created_at, l.created_by, l.last_used_at
FROM agent_link AS l
WHERE l.secret_hash = :secret_hash;

-- name: link_of_agent
-- The newest link in use of an agent.
SELECT l.link_id, l.agent, l.created_at, l.created_by, l.last_used_at
FROM agent_link AS l
WHERE l.agent = :agent AND l.revoked_at IS NULL
ORDER BY l.link_id DESC
LIMIT 1;

-- name: links
-- All links in use, by agent.
SELECT l.link_id, l.agent, l.created_at, l.created_by, l.last_used_at
FROM agent_link AS l
WHERE l.revoked_at IS NULL
ORDER BY l.agent, l.link_id;

-- name: revoke_link
-- Revokes the links of an agent; returns how many were in use.
UPDATE agent_link SET revoked_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), revoked_by = :actor
WHERE agent = :agent AND revoked_at IS NULL;

SELECT changes() AS revoked;

-- name: link_of_secret
-- The link in use with this hash, if its agent is active, and how many keys to the service have ever been made.
SELECT c.keys, l.link_id, l.agent, l.secret_hash, l.created_at, l.created_by, l.last_used_at
FROM (SELECT count(*) AS keys FROM access_key) AS c
LEFT JOIN agent_link AS l
    ON l.secret_hash = :secret_hash
        AND l.revoked_at IS NULL
        AND EXISTS (
            SELECT 1 FROM agents AS a
            WHERE a.agent = l.agent COLLATE BINARY AND lower(trim(a.status)) = 'active'
        );

-- name: note_link_use
-- traits: no-wait
-- Records that a link was used.
UPDATE agent_link SET last_used_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE link_id = :link_id;
