/*
Hand-backs: an agent who goes home gives the rest of the list back. The procedure hand_backs/sp_hand_back_leads.sql does
it, and undoes it.
*/

-- name: hand_back_leads
-- Hands back the leads of an agent that have no outcome yet. The procedure decides everything.
EXECUTE dbo.sp_hand_back_leads
    @agent = %(agent)s,
    @run_id = %(run_id)s,
    @reported_on = %(reported_on)s,
    @actor = %(actor)s,
    @country = %(country)s;

-- name: undo_hand_back
-- Takes a hand-back back, or the newest one of an agent. A second time, it changes nothing and has the same answer.
EXECUTE dbo.sp_hand_back_leads
    @agent = %(agent)s,
    @undo = 1,
    @hand_back_id = %(hand_back_id)s,
    @actor = %(actor)s,
    @country = %(country)s;

-- name: hand_backs
-- The newest hand-backs, newest first: of a run, or of an agent.
DECLARE
    @run_id BIGINT = %(run_id)s,
    @agent NVARCHAR(255) = %(agent)s;

SELECT TOP (%(count)s)
    b.hand_back_id, b.run_id, r.business_date, b.agent, b.handed_back_at, b.handed_back_by, b.leads, b.put_back,
    b.undone_at, b.undone_by, b.returned
FROM dbo.assignment_hand_back AS b
INNER JOIN dbo.assignment_run AS r ON b.run_id = r.run_id
WHERE (@run_id IS NULL OR b.run_id = @run_id) AND (@agent IS NULL OR b.agent = @agent)
ORDER BY b.hand_back_id DESC;

-- name: handed_back_by_agent
-- How many leads of the last run each agent has handed back, and when last; the newest first. Reads the hand-backs of
-- this run and of later ones, which were undone, but no older ones: while a run is the last one, nobody hands leads of
-- an older one back.
DECLARE @run_id BIGINT = %(run_id)s, @older_id BIGINT;

SELECT TOP (1) @older_id = o.hand_back_id FROM dbo.assignment_hand_back AS o
WHERE o.run_id < @run_id
ORDER BY o.hand_back_id DESC;

SELECT b.agent, SUM(b.leads) AS leads, MAX(b.handed_back_at) AS last_at
FROM dbo.assignment_hand_back AS b
WHERE b.hand_back_id > COALESCE(@older_id, 0) AND b.run_id = @run_id AND b.undone_at IS NULL
GROUP BY b.agent
ORDER BY MAX(b.hand_back_id) DESC;

-- name: leads_to_hand_back
-- How many leads of the last run an agent has that have no outcome yet.
DECLARE @agent NVARCHAR(255) = %(agent)s, @run_id BIGINT;
-- include: _own_agent

SELECT @run_id = MAX(r.run_id) FROM dbo.assignment_run AS r
WHERE r.status = 'succeeded';

SELECT @run_id AS run_id, COUNT(*) AS leads
FROM dbo.assignment_history AS h
WHERE
    h.run_id = @run_id
    AND h.number IN (
        SELECT CAST(a.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 FROM dbo.agent_wafunnel_assignment AS a
        WHERE
            a.agent = ISNULL(
                (
                    SELECT f.agent FROM dbo.agent_wafunnel_assignment AS f
                    WHERE 1 = 0
                ), @holding_agent
            )
            AND CAST(a.agent AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = @agent
    )
    AND NOT EXISTS (
        SELECT 1 FROM dbo.assignment_outcome AS o
        WHERE o.run_id = h.run_id AND o.number = h.number AND o.stands = 1
    );
