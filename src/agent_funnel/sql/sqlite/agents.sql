-- Agents: the roster, the list with the leads that each has now, their assignments, and their limits.
-- A page begins after the last row of the page before it. Names are compared byte by byte.

-- name: _readable_limits
-- The limits whose days are days of the calendar, without their time of day if somebody wrote one. Other limits, such as
-- those with the day numbers of spreadsheets, hold for nobody, and the doctor reports them.
SELECT
    b.limit_id,
    b.agent,
    date(b.starts_on) AS starts_on,
    date(b.ends_on) AS ends_on,
    b.max_records
FROM agent_limit AS b
WHERE date(b.starts_on, '+0 days') = substr(b.starts_on, 1, 10)
    AND (b.ends_on IS NULL OR date(b.ends_on, '+0 days') = substr(b.ends_on, 1, 10))

-- name: _roster
-- The tables of the roster: all agents. An agent is active if any of its rows is. `room` is the lowest limit on the
-- business date.
FROM (
    SELECT
        CAST(a.agent AS TEXT) COLLATE BINARY AS agent,
        max(coalesce(lower(trim(a.status)) = 'active', 0)) AS active
    FROM agents AS a
    WHERE trim(a.agent) <> ''
    GROUP BY CAST(a.agent AS TEXT) COLLATE BINARY
) AS g
LEFT JOIN (
    SELECT m.agent, min(m.max_records) AS room
    FROM (
        -- include: _readable_limits
    ) AS m
    WHERE m.starts_on <= :business_date AND (m.ends_on IS NULL OR m.ends_on >= :business_date)
    GROUP BY m.agent
) AS l ON g.agent = l.agent

-- name: _newest_deals
-- The newest deals. Whoever got leads in them is searched: thirty, or fewer that have half a million leads, because the
-- history has no index by agent. `back` counts from 1, the newest.
SELECT k.run_id, k.back
FROM (
    SELECT
        s.run_id,
        row_number() OVER (ORDER BY s.run_id DESC) AS back,
        sum(s.assigned) OVER (ORDER BY s.run_id DESC ROWS UNBOUNDED PRECEDING) - s.assigned AS newer
    FROM assignment_run AS s
    WHERE s.status = 'succeeded'
) AS k
WHERE k.back <= 30 AND k.newer < 500000

-- name: agents
-- All agents: whether any row of the agent is active, how many leads the agent has now, the lowest limit on the
-- business date, and the date of the newest run that dealt to the agent, among the newest deals.
SELECT g.agent, g.active, coalesce(n.leads, 0) AS leads, l.room, r.business_date AS last_dealt
-- include: _roster
LEFT JOIN (
    SELECT CAST(w.agent AS TEXT) COLLATE BINARY AS agent, count(*) AS leads
    FROM agent_wafunnel_assignment AS w
    GROUP BY CAST(w.agent AS TEXT) COLLATE BINARY
) AS n ON g.agent = n.agent
LEFT JOIN (
    SELECT h.agent, max(h.run_id) AS run_id
    FROM (
        -- include: _newest_deals
    ) AS k
    CROSS JOIN assignment_history AS h ON k.run_id = h.run_id
    GROUP BY h.agent
) AS d ON g.agent = d.agent
LEFT JOIN assignment_run AS r ON d.run_id = r.run_id
ORDER BY g.agent;

-- name: leads_in_hand
-- How many leads each agent has now, and how many of them have no outcome of the last run. Agents without a lead are
-- left out. Names are cast after the count, when there are few rows.
SELECT
    CAST(n.agent AS TEXT) COLLATE BINARY AS agent,
    sum(n.leads) AS leads,
    sum(n.leads - coalesce(d.leads, 0)) AS to_call
FROM (
    SELECT w.agent, count(*) AS leads
    FROM agent_wafunnel_assignment AS w
    WHERE w.agent IS NOT NULL
    GROUP BY w.agent COLLATE BINARY
) AS n
LEFT JOIN (
    SELECT a.agent, count(*) AS leads
    FROM assignment_outcome AS o
    CROSS JOIN agent_wafunnel_assignment AS a ON a.number = o.number COLLATE BINARY
    WHERE o.run_id = (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded') AND o.stands = 1
    GROUP BY a.agent COLLATE BINARY
) AS d ON n.agent = d.agent COLLATE BINARY
GROUP BY CAST(n.agent AS TEXT) COLLATE BINARY;

-- name: leads_in_hand_of
-- The same for the agents of a JSON array of arrays, each with a name. It reads the leads of these agents only, if the
-- assignments have an index by agent; otherwise all, but it looks for the outcomes of these alone.
SELECT
    CAST(a.agent AS TEXT) COLLATE BINARY AS agent,
    count(*) AS leads,
    sum(
        NOT EXISTS (
            SELECT 1 FROM assignment_outcome AS o
            WHERE o.run_id = (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded')
                AND o.number = a.number COLLATE BINARY AND o.stands = 1
        )
    ) AS to_call
FROM agent_wafunnel_assignment AS a
WHERE a.agent COLLATE BINARY IN (SELECT j.value ->> '$[0]' FROM json_each(:agents) AS j)
GROUP BY CAST(a.agent AS TEXT) COLLATE BINARY;

-- name: roster
-- All agents, or the one with a given name: whether any row of the agent is active, and the lowest limit on the
-- business date.
SELECT g.agent, g.active, l.room
-- include: _roster
WHERE :agent IS NULL OR g.agent = :agent COLLATE BINARY
ORDER BY g.agent;

-- name: agent_names
-- The names of all agents.
SELECT DISTINCT CAST(a.agent AS TEXT) COLLATE BINARY AS agent
FROM agents AS a
WHERE trim(a.agent) <> ''
ORDER BY CAST(a.agent AS TEXT) COLLATE BINARY;

-- name: add_agent
-- Adds an agent, unless the name exists or a key of the table treats it as an existing name; returns whether it was
-- added.
INSERT INTO agents (agent, status)
SELECT :agent, :status
WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = :agent COLLATE BINARY)
ON CONFLICT DO NOTHING;

SELECT changes() AS added;

-- name: set_agent_status
-- Sets the status of all rows of an agent; returns how many rows there are.
UPDATE agents SET status = :status WHERE agent = :agent COLLATE BINARY;

SELECT changes() AS changed;

-- name: _inactive
-- The names of the agents none of whose rows is active. Rows without a name are no agents.
SELECT CAST(a.agent AS TEXT) COLLATE BINARY AS agent
FROM agents AS a
WHERE trim(a.agent) <> ''
GROUP BY CAST(a.agent AS TEXT) COLLATE BINARY
HAVING max(coalesce(lower(trim(a.status)) = 'active', 0)) = 0

-- name: inactive_agents
-- The inactive agents, by name: how many deals ago each last got leads, from 1, and its date, NULL if they got none in
-- the newest deals; and how many deals these are.
SELECT
    v.agent,
    d.back,
    r.business_date AS last_dealt,
    (
        SELECT count(*)
        FROM (
            -- include: _newest_deals
        ) AS k
    ) AS deals
FROM (
    -- include: _inactive
) AS v
LEFT JOIN (
    SELECT h.agent, min(k.back) AS back, max(h.run_id) AS run_id
    FROM (
        -- include: _newest_deals
    ) AS k
    CROSS JOIN assignment_history AS h ON k.run_id = h.run_id
    GROUP BY h.agent
) AS d ON v.agent = d.agent
LEFT JOIN assignment_run AS r ON d.run_id = r.run_id
ORDER BY v.agent;

-- name: activate_inactive_agents
-- Activates all inactive agents in all their rows, or only those who got leads in that many of the newest `deals`, if
-- they are as many as expected; NULL expects any number. Returns the names of those who were inactive. Rows without a
-- name are no agents, and stay as they are.
DROP TABLE IF EXISTS temp.inactive;

CREATE TEMP TABLE inactive AS
SELECT i.agent FROM (
    -- include: _inactive
) AS i;

DELETE FROM temp.inactive
WHERE :deals IS NOT NULL AND agent NOT IN (
    SELECT h.agent
    FROM (
        -- include: _newest_deals
    ) AS k
    CROSS JOIN assignment_history AS h ON k.run_id = h.run_id
    WHERE k.back <= :deals
);

UPDATE agents SET status = 'active'
WHERE CAST(agent AS TEXT) COLLATE BINARY IN (SELECT i.agent FROM temp.inactive AS i)
    AND (:expected IS NULL OR :expected = (SELECT count(*) FROM temp.inactive));

SELECT i.agent FROM temp.inactive AS i
ORDER BY i.agent;

-- name: rename_agent
-- Renames an agent in every table that names them. The history and the run's last agent are among these tables: an undo
-- brings back the agents of the history, and the next deal begins after the last agent. If no agent has the old name
-- but one has the new name, somebody has renamed only the row in `agents`; the other tables then follow. Nothing is
-- renamed if both names are agents (`taken`) or neither is. Returns how many rows of each kind were renamed; `others` are
-- those of all other tables. The audit gets an entry, unless the caller makes one (`recorded`).
DROP TABLE IF EXISTS temp.renaming;

CREATE TEMP TABLE renaming AS
SELECT
    (SELECT count(*) FROM agents AS a WHERE a.agent = :agent COLLATE BINARY) AS known,
    EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = :new_name COLLATE BINARY) AS taken,
    0 AS limits,
    0 AS links,
    0 AS assignments,
    0 AS dealt,
    0 AS others;

-- A unique index may treat the new name as that of another agent.
UPDATE OR IGNORE agents SET agent = :new_name
WHERE agent = :agent COLLATE BINARY AND (SELECT t.taken = 0 FROM temp.renaming AS t);

UPDATE temp.renaming SET taken = 1 WHERE changes() < known;

UPDATE agent_limit SET agent = :new_name
WHERE agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET limits = changes();

-- An agent has one link in use. That of the new name stays.
UPDATE agent_link SET revoked_at = strftime('%Y-%m-%d %H:%M:%f', 'now'), revoked_by = :actor
WHERE agent = :agent AND revoked_at IS NULL
    AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t)
    AND EXISTS (SELECT 1 FROM agent_link AS l WHERE l.agent = :new_name AND l.revoked_at IS NULL);

UPDATE agent_link SET agent = :new_name
WHERE agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET links = changes();

UPDATE agent_wafunnel_assignment SET agent = :new_name
WHERE agent = :agent COLLATE BINARY AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET assignments = changes();

UPDATE assignment_history SET agent = :new_name
WHERE agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET dealt = changes();

UPDATE assignment_edit SET agent = :new_name
WHERE agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET others = others + changes();

UPDATE assignment_forgotten SET agent = :new_name
WHERE agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET others = others + changes();

UPDATE assignment_outcome SET agent = :new_name
WHERE agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET others = others + changes();

UPDATE assignment_hand_back SET agent = :new_name
WHERE agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET others = others + changes();

-- If the same run has limits of both names, that of the new one stays.
DELETE FROM assignment_limit
WHERE agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t)
    AND run_id IN (SELECT l.run_id FROM assignment_limit AS l WHERE l.agent = :new_name);

UPDATE temp.renaming SET others = others + changes();

UPDATE assignment_limit SET agent = :new_name
WHERE agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET others = others + changes();

UPDATE assignment_run SET last_agent = :new_name
WHERE last_agent = :agent AND (SELECT (t.known > 0) <> t.taken FROM temp.renaming AS t);

UPDATE temp.renaming SET others = others + changes();

INSERT INTO audit_entry (recorded_at, actor, operation, target, address, status)
SELECT
    strftime('%Y-%m-%d %H:%M:%f', 'now'), coalesce(:actor, 'SQL'), 'rename agent',
    substr(:agent || ' → ' || :new_name, 1, 255), 'database', 200
FROM temp.renaming AS t
WHERE NOT :recorded AND (t.known > 0) <> t.taken
    AND (t.known > 0 OR t.limits + t.links + t.assignments + t.dealt + t.others > 0);

SELECT t.known, t.taken, t.limits, t.links, t.assignments, t.dealt, t.others FROM temp.renaming AS t;

-- name: _assignments
-- A page of the present assignments, or of one agent's: those after a number and agent, each pair once. If a number has
-- several records, the query shows the record that the last deal dealt, otherwise the one with the highest stage and
-- then the newest date. SQLite takes stage and date from the row that has the maximum. The page is chosen first, by the
-- key of the table, or by its index by agent if there is one.
SELECT
    p.agent,
    p.number,
    w.stage,
    w.date,
    max(coalesce(w.date = h.date, 0) || printf('%+012d', w.stage) || coalesce(w.date, '')) AS choice
FROM (
    SELECT coalesce(v.agent, '') COLLATE BINARY AS agent, v.number COLLATE BINARY AS number
    FROM agent_wafunnel_assignment AS v
    WHERE :agent IS NULL
        AND v.number >= coalesce(:after_number, '') COLLATE BINARY
        AND (
            :after_number IS NULL OR v.number > :after_number COLLATE BINARY
            OR coalesce(v.agent, '') > :after_agent COLLATE BINARY
        )
    UNION
    SELECT v.agent COLLATE BINARY, v.number COLLATE BINARY FROM agent_wafunnel_assignment AS v
    WHERE v.agent = :agent COLLATE BINARY
        AND v.number >= coalesce(:after_number, '') COLLATE BINARY
        AND (:after_number IS NULL OR v.number > :after_number COLLATE BINARY OR v.agent > :after_agent COLLATE BINARY)
    ORDER BY number, agent
    LIMIT :count
) AS p
LEFT JOIN assignment_history AS h
    ON h.run_id = (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded')
        AND h.number = p.number
        AND h.agent = p.agent
LEFT JOIN wafunnel AS w ON w.number = p.number COLLATE BINARY
GROUP BY p.number, p.agent
ORDER BY p.number, p.agent;

-- name: assignments
-- traits: polled
-- A page of the present assignments; see the part _assignments.
-- include: _assignments

-- name: assignments_of_deal
-- traits: polled, read-only
-- The same between two readings of the version of the deal: if they differ, the page may be of two deals.
-- include: _deal_version
-- include: _assignments
-- include: _deal_version

-- name: count_of_agent
-- How many numbers an agent has now.
SELECT count(DISTINCT a.number COLLATE BINARY) AS leads
FROM agent_wafunnel_assignment AS a
WHERE a.agent = :agent COLLATE BINARY;

-- name: _known
-- Whether an agent has the name of a limit.
EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = l.agent COLLATE BINARY) AS known

-- name: limits
-- All limits, by agent; an agent's newest limit comes first. `known` is whether there is an agent of that name.
SELECT
    l.limit_id,
    l.agent,
    l.starts_on,
    l.ends_on,
    l.max_records,
    -- include: _known
FROM (
    -- include: _readable_limits
) AS l
ORDER BY l.agent, l.starts_on DESC, l.limit_id DESC;

-- name: add_limit
-- Adds a limit and returns it. The name without surrounding blanks counts, unless an agent has the blanks, too. Adds
-- none if no agent has the name, unless the agent is yet to come (`new_agent`).
INSERT INTO agent_limit (agent, starts_on, ends_on, max_records)
SELECT n.agent, :starts_on, :ends_on, :max_records
FROM (
    SELECT
        CASE
            WHEN EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = :agent COLLATE BINARY) THEN :agent
            ELSE :trimmed
        END AS agent
) AS n
WHERE :new_agent OR EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = n.agent COLLATE BINARY);

SELECT
    l.limit_id,
    l.agent,
    l.starts_on,
    l.ends_on,
    l.max_records,
    -- include: _known
FROM agent_limit AS l
WHERE l.limit_id = last_insert_rowid() AND changes() = 1;

-- name: remove_limit
-- Removes a limit; returns how many rows were removed.
DELETE FROM agent_limit WHERE limit_id = :limit_id;

SELECT changes() AS removed;
