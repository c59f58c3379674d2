/*
Outcomes: what agents report of their leads. The procedure outcomes/sp_report_outcome.sql keeps them, and takes them
back.
*/

-- name: report_outcome
-- Keeps an outcome, with its effects. The procedure decides everything: see outcomes/sp_report_outcome.sql.
EXECUTE dbo.sp_report_outcome
    @report = %(report)s,
    @number = %(number)s,
    @outcome = %(outcome)s,
    @run_id = %(run_id)s,
    @agent = %(agent)s,
    @call_back_on = %(call_back_on)s,
    @same_agent = %(same_agent)s,
    @note = %(note)s,
    @reported_at = %(reported_at)s,
    @reported_on = %(reported_on)s,
    @actor = %(actor)s,
    @country = %(country)s;

-- name: take_back_outcome
-- Takes an outcome back, with its effects; see outcomes/sp_report_outcome.sql.
EXECUTE dbo.sp_report_outcome
    @report = %(report)s,
    @take_back = 1,
    @agent = %(agent)s,
    @reported_at = %(taken_back_at)s,
    @actor = %(actor)s,
    @country = %(country)s;

-- name: call_backs_of_list
-- parameters: @run_id BIGINT, @agent NVARCHAR(255)
-- The call-backs that a run handed out to an agent: the number as it was dealt, the day, who promised it, and the note.
SELECT o.number, o.call_back_on, o.agent, o.note
FROM dbo.assignment_call_back AS c
INNER JOIN dbo.assignment_outcome AS o ON c.outcome_id = o.outcome_id
INNER JOIN dbo.assignment_history AS h ON c.run_id = h.run_id AND o.number = h.number
WHERE c.run_id = @run_id AND h.agent = @agent
ORDER BY o.outcome_id;

-- name: outcomes_of_list
-- parameters: @run_id BIGINT, @agent NVARCHAR(255)
-- The outcomes that hold of the leads that a run dealt to an agent. Some were reported after a later run, which an undo
-- then took back: the leads are on the agent's list again, and these outcomes keep them out of the next deal.
SELECT
    o.outcome_id, o.report, o.run_id, r.business_date, o.agent, o.number, o.outcome, o.call_back_on, o.same_agent,
    o.note, o.reported_at, o.reported_on, o.reported_by, o.taken_back_at, o.taken_back_by, o.stands, o.stage_back
FROM dbo.assignment_outcome AS o
INNER JOIN dbo.assignment_run AS r ON o.run_id = r.run_id
WHERE o.run_id = @run_id AND o.agent = @agent AND o.stands = 1
UNION ALL
SELECT
    o.outcome_id, o.report, o.run_id, r.business_date, o.agent, o.number, o.outcome, o.call_back_on, o.same_agent,
    o.note, o.reported_at, o.reported_on, o.reported_by, o.taken_back_at, o.taken_back_by, o.stands, o.stage_back
FROM dbo.assignment_outcome AS o
INNER JOIN dbo.assignment_run AS r ON o.run_id = r.run_id
INNER JOIN dbo.assignment_history AS h ON o.number = h.number
WHERE
    o.run_id > @run_id AND o.stands = 1 AND o.outcome IN ('won', 'lost', 'call_back')
    AND h.run_id = @run_id AND h.agent = @agent;

-- name: reported_outcomes
-- parameters: @run_id BIGINT, @agent NVARCHAR(255), @standing BIT, @before BIGINT, @count INT
-- A page of the outcomes, newest first: those before an outcome, of a run, of an agent, or only those that hold.
SELECT TOP (@count)
    o.outcome_id, o.report, o.run_id, r.business_date, o.agent, o.number, o.outcome, o.call_back_on, o.same_agent,
    o.note, o.reported_at, o.reported_on, o.reported_by, o.taken_back_at, o.taken_back_by, o.stands, o.stage_back
FROM dbo.assignment_outcome AS o
INNER JOIN dbo.assignment_run AS r ON o.run_id = r.run_id
WHERE
    (@before IS NULL OR o.outcome_id < @before)
    AND (@run_id IS NULL OR o.run_id = @run_id)
    AND (@agent IS NULL OR o.agent = @agent)
    AND (@standing = 0 OR o.stands = 1)
ORDER BY o.outcome_id DESC;

-- name: outcomes_of_number
-- A page of the outcomes of a number in any spelling, newest first: as far as the same holds of them.
DECLARE
    @number NVARCHAR(255) = %(number)s,
    @match_key NVARCHAR(255) = %(match_key)s,
    @run_id BIGINT = %(run_id)s,
    @agent NVARCHAR(255) = %(agent)s,
    @standing BIT = %(standing)s,
    @before BIGINT = %(before)s,
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

SELECT TOP (%(count)s)
    o.outcome_id, o.report, o.run_id, r.business_date, o.agent, o.number, o.outcome, o.call_back_on, o.same_agent,
    o.note, o.reported_at, o.reported_on, o.reported_by, o.taken_back_at, o.taken_back_by, o.stands, o.stage_back
FROM (
    SELECT @number COLLATE Latin1_General_BIN2 AS number
    UNION
    SELECT k.number FROM dbo.number_key AS k
    WHERE k.match_key = @match_key AND k.country = @country
) AS n
INNER JOIN dbo.assignment_outcome AS o ON n.number = o.number
INNER JOIN dbo.assignment_run AS r ON o.run_id = r.run_id
WHERE
    (@before IS NULL OR o.outcome_id < @before)
    AND (@run_id IS NULL OR o.run_id = @run_id)
    AND (@agent IS NULL OR o.agent = @agent)
    AND (@standing = 0 OR o.stands = 1)
ORDER BY o.outcome_id DESC;
