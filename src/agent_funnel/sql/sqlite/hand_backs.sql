-- Hand-backs: an agent who goes home gives the rest of the list back. sqlserver/hand_backs/sp_hand_back_leads.sql is the
-- same for SQL Server, and says why it is so. Each lead gets an outcome not_worked, so the rule of the stages is that of
-- outcomes.sql.

-- name: _hand_back
-- The columns of a hand-back.
SELECT
    b.hand_back_id, b.run_id, r.business_date, b.agent, b.handed_back_at, b.handed_back_by, b.leads, b.put_back,
    b.undone_at, b.undone_by, b.returned
FROM assignment_hand_back AS b
INNER JOIN assignment_run AS r ON r.run_id = b.run_id

-- name: _rest
-- The leads of the last run that an agent has now, as far as they have no outcome.
FROM (SELECT max(r.run_id) AS run_id FROM assignment_run AS r WHERE r.status = 'succeeded') AS n
CROSS JOIN (
    SELECT DISTINCT CAST(a.number AS TEXT) COLLATE BINARY AS number FROM agent_wafunnel_assignment AS a
    WHERE a.agent = :agent COLLATE BINARY
) AS a
INNER JOIN assignment_history AS h ON h.run_id = n.run_id AND h.number = a.number
WHERE NOT EXISTS (
        SELECT 1 FROM assignment_outcome AS o
        WHERE o.run_id = h.run_id AND o.number = h.number AND o.stands = 1
    )

-- name: hand_back_leads
-- Hands back the leads of an agent that have no outcome yet. Assignments that no deal made stay.
SELECT 50006 AS throw, m.message
FROM (
    SELECT
        CASE
            WHEN n.run_id IS NULL THEN 'There is no run yet, so nobody has a lead; nothing was handed back.'
            WHEN :run_id <> n.run_id
                THEN 'The agents'' leads are those of run ' || n.run_id || ', not of run ' || :run_id
                    || '; nothing was handed back. Look at the present list.'
            WHEN EXISTS (SELECT 1 FROM assignment_purge AS p WHERE p.run_id = n.run_id)
                THEN 'The history of run ' || n.run_id || ' has been purged; nothing was handed back.'
        END AS message
    FROM (SELECT max(r.run_id) AS run_id FROM assignment_run AS r WHERE r.status = 'succeeded') AS n
) AS m
WHERE m.message IS NOT NULL;

DROP TABLE IF EXISTS temp.changed_lead;

CREATE TEMP TABLE changed_lead AS
SELECT
    h.run_id, h.number, h.agent, h.date, h.stage, lower(hex(randomblob(16))) AS report,
    NULL AS standing_id, NULL AS goes_back, NULL AS back_id, NULL AS moves, 0 AS moved
-- include: _rest
;

SELECT
    50006 AS throw,
    :agent || ' has no lead of run ' || n.run_id || ' without an outcome; nothing was handed back.' AS message
FROM (SELECT max(r.run_id) AS run_id FROM assignment_run AS r WHERE r.status = 'succeeded') AS n
WHERE NOT EXISTS (SELECT 1 FROM temp.changed_lead);

INSERT INTO assignment_hand_back (run_id, agent, handed_back_at, handed_back_by, leads, put_back)
SELECT max(t.run_id), :agent, :now, :actor, count(*), 0 FROM temp.changed_lead AS t;

INSERT INTO assignment_outcome (
    report, run_id, agent, number, date, stage, outcome, same_agent, reported_at, reported_on, reported_by, stands,
    stage_back, unassigned
)
SELECT
    t.report, t.run_id, t.agent, t.number, t.date, t.stage, 'not_worked', 0, :now, :reported_on, :actor, 0, 0, 1
FROM temp.changed_lead AS t
ORDER BY t.number;

INSERT INTO assignment_hand_back_lead (outcome_id, hand_back_id)
SELECT o.outcome_id, (SELECT max(b.hand_back_id) FROM assignment_hand_back AS b)
FROM temp.changed_lead AS t
CROSS JOIN assignment_outcome AS o ON o.report = t.report;

-- include: _holding_outcomes

UPDATE assignment_hand_back SET put_back = (SELECT count(*) FROM temp.changed_lead AS t WHERE t.moved > 0)
WHERE hand_back_id = (SELECT max(b.hand_back_id) FROM assignment_hand_back AS b);

DELETE FROM agent_wafunnel_assignment
WHERE agent = :agent COLLATE BINARY AND number COLLATE BINARY IN (SELECT t.number FROM temp.changed_lead AS t);

-- include: _hand_back
WHERE b.hand_back_id = (SELECT max(n.hand_back_id) FROM assignment_hand_back AS n);

-- name: undo_hand_back
-- Takes a hand-back back, or the newest one of an agent. A second time, it changes nothing and has the same answer.
DROP TABLE IF EXISTS temp.undoing;

CREATE TEMP TABLE undoing AS
SELECT b.hand_back_id, b.run_id, b.agent, b.undone_at, r.status,
    (SELECT max(n.run_id) FROM assignment_run AS n WHERE n.status = 'succeeded') AS newest_id
FROM assignment_hand_back AS b
INNER JOIN assignment_run AS r ON r.run_id = b.run_id
WHERE b.hand_back_id = coalesce(
        :hand_back_id,
        (SELECT max(n.hand_back_id) FROM assignment_hand_back AS n WHERE n.agent = :agent AND n.undone_at IS NULL),
        (SELECT max(n.hand_back_id) FROM assignment_hand_back AS n WHERE n.agent = :agent)
    )
    AND b.agent = coalesce(:agent, b.agent);

SELECT
    50006 AS throw,
    CASE
        WHEN :hand_back_id IS NULL THEN :agent || ' has handed nothing back; nothing was changed.'
        ELSE 'There is no hand-back ' || :hand_back_id || coalesce(' of ' || :agent, '') || '; nothing was changed.'
    END AS message
WHERE NOT EXISTS (SELECT 1 FROM temp.undoing);

SELECT
    50006 AS throw,
    CASE
        WHEN t.status = 'undone' THEN 'Run ' || t.run_id || ' was undone'
        ELSE 'A newer run has replaced run ' || t.run_id
    END
    || ', so its hand-back cannot be undone; nothing was changed.' AS message
FROM temp.undoing AS t
WHERE t.undone_at IS NULL AND t.run_id IS NOT t.newest_id;

DROP TABLE IF EXISTS temp.changed_lead;

CREATE TEMP TABLE changed_lead AS
SELECT
    o.run_id, o.number, t.agent, o.date, o.stage, o.outcome_id, o.unassigned AS returns,
    NULL AS standing_id, NULL AS goes_back, NULL AS back_id, NULL AS moves, 0 AS moved
FROM temp.undoing AS t
CROSS JOIN assignment_hand_back_lead AS l ON l.hand_back_id = t.hand_back_id
CROSS JOIN assignment_outcome AS o ON o.outcome_id = l.outcome_id
WHERE t.undone_at IS NULL AND o.taken_back_at IS NULL;

UPDATE assignment_outcome SET taken_back_at = :now, taken_back_by = :actor, unassigned = 0
WHERE outcome_id IN (SELECT t.outcome_id FROM temp.changed_lead AS t);

-- include: _holding_outcomes

-- A number that somebody has put on a list meanwhile, or given to another agent, does not come back.
INSERT INTO agent_wafunnel_assignment (agent, number)
SELECT t.agent, t.number
FROM temp.changed_lead AS t
WHERE t.returns
    AND t.number NOT IN (
        -- include: _suppressed_numbers
    )
    AND NOT EXISTS (SELECT 1 FROM agent_wafunnel_assignment AS a WHERE a.number = t.number COLLATE BINARY)
    AND NOT EXISTS (
        SELECT 1
        FROM number_key AS k
        CROSS JOIN number_key AS s ON s.match_key = k.match_key AND s.country = k.country
        CROSS JOIN agent_wafunnel_assignment AS a ON a.number = s.number COLLATE BINARY
        WHERE k.number = t.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    )
ORDER BY t.number;

UPDATE assignment_hand_back SET undone_at = :now, undone_by = :actor, returned = changes()
WHERE hand_back_id = (SELECT t.hand_back_id FROM temp.undoing AS t WHERE t.undone_at IS NULL);

-- include: _hand_back
WHERE b.hand_back_id = (SELECT t.hand_back_id FROM temp.undoing AS t);

-- name: hand_backs
-- The newest hand-backs, newest first: of a run, or of an agent.
-- include: _hand_back
WHERE (:run_id IS NULL OR b.run_id = :run_id) AND (:agent IS NULL OR b.agent = :agent)
ORDER BY b.hand_back_id DESC
LIMIT :count;

-- name: handed_back_by_agent
-- How many leads of the last run each agent has handed back, and when last; the newest first. Reads the hand-backs of
-- this run and of later ones, which were undone, but no older ones: while a run is the last one, nobody hands leads of
-- an older one back.
SELECT b.agent, sum(b.leads) AS leads, max(b.handed_back_at) AS last_at
FROM assignment_hand_back AS b
WHERE b.run_id = :run_id AND b.undone_at IS NULL
    AND b.hand_back_id > coalesce(
        (
            SELECT o.hand_back_id FROM assignment_hand_back AS o
            WHERE o.run_id < :run_id
            ORDER BY o.hand_back_id DESC
            LIMIT 1
        ), 0
    )
GROUP BY b.agent
ORDER BY max(b.hand_back_id) DESC;

-- name: leads_to_hand_back
-- How many leads of the last run an agent has that have no outcome yet.
SELECT max(n.run_id) AS run_id, count(*) AS leads
-- include: _rest
;
