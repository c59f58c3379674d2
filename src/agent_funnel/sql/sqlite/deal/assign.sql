-- The deal: deals the pool out to the active agents, one lead per agent per round, in one transaction.
--
-- Parameters: those of the plan, :again (1 = deal all the same where a manual run is almost surely a mistake), :actor
-- (the person or program that asked for the run), :request (the caller's id of this request, to find the run by it; or
-- NULL), :skip_date (a date whose scheduled run is skipped, because this run is made instead; or NULL) and :skip_until
-- (until then, in UTC, an undo of this run ends the skip).
-- The caller runs the statements before `locks`, takes the two lock files of a run, and runs all others in one BEGIN
-- IMMEDIATE transaction; a `throw` rolls everything back. The last statement returns the summary row.
--
--   1. the plan                               3. checks
--   2. effect: the run, history, stages,      4. the summary row
--      assignments, and the edits for undo

-- name: assign
-- traits: run
-- Deals the pool out.

-- include: _parameters

SELECT 50006 AS throw, 'again is NULL; it must be 0 or 1. Nothing was changed.' AS message
WHERE :again IS NULL;

SELECT
    50006 AS throw,
    'skip_date is for manual runs; the trigger is schedule. Nothing was changed.' AS message
WHERE :skip_date IS NOT NULL AND :trigger = 'schedule';

-- Here the caller takes the lock files, or is refused because another run has them.
SELECT 'run' AS locks;

SELECT
    50003 AS throw,
    'The scheduled run of ' || :business_date || ' is already done (run ' || r.run_id
    || '); nothing was changed. To deal again, make a manual run.' AS message
FROM assignment_run AS r
WHERE :trigger = 'schedule' AND r."trigger" = 'schedule'
    AND r.business_date = :business_date AND r.status IN ('succeeded', 'undone');

SELECT
    50003 AS throw,
    'The business date ' || :business_date || ' is recorded as ' || o.outcome
    || ', so it gets no scheduled run; nothing was changed. To deal, make a manual run.' AS message
FROM date_without_run AS o
WHERE :trigger = 'schedule' AND o.business_date = :business_date;

SELECT
    50003 AS throw,
    'The scheduled run of ' || :skip_date || ' is already done (run ' || r.run_id
    || '), so it cannot be skipped; nothing was changed.' AS message
FROM assignment_run AS r
WHERE r."trigger" = 'schedule' AND r.business_date = :skip_date AND r.status IN ('succeeded', 'undone');

SELECT
    50003 AS throw,
    'The business date ' || :skip_date || ' is recorded as ' || o.outcome
    || ' already, so its scheduled run cannot be skipped; nothing was changed.' AS message
FROM date_without_run AS o
WHERE o.business_date = :skip_date;

-- The recorded rules are read in the transaction: one that is recorded meanwhile holds from the next run on.
-- include: _rules

-- include: _reasons

-- include: _refuse

-- 1. The plan.

-- include: _plan

-- include: _empty_pool

-- include: _refuse

-- 2. Effect. Each table is written in the order of its key, and nobody sees the result before COMMIT.

INSERT INTO assignment_run
(business_date, "trigger", actor, status, max_per_agent, window_days, newest_first, started_at)
SELECT
    :business_date, :trigger, :actor, 'running', u.max_per_agent, u.window_days, u.newest_first, t.started_at
FROM temp.this_run AS t
CROSS JOIN temp.rules AS u;

UPDATE temp.this_run SET run_id = last_insert_rowid();

INSERT INTO assignment_country (run_id, country)
SELECT t.run_id, u.country
FROM temp.this_run AS t
CROSS JOIN temp.rules AS u
WHERE u.country <> '';

INSERT INTO assignment_rule (run_id, name, value)
SELECT t.run_id, 'voice', u.voice
FROM temp.this_run AS t
CROSS JOIN temp.rules AS u
WHERE u.voice <> 'fresh';

INSERT INTO assignment_voice (run_id, came_round, same_agent)
SELECT t.run_id, m.came_round, m.same_agent
FROM temp.this_run AS t
CROSS JOIN temp.met AS m;

INSERT INTO assignment_limit (run_id, agent, max_records)
SELECT t.run_id, m.agent, m.max_records
FROM temp.this_run AS t
CROSS JOIN temp.limited AS m;


DELETE FROM schedule_skip WHERE business_date = :skip_date;

INSERT INTO schedule_skip (business_date, run_id, skipped_at, skipped_by, closes_at)
SELECT :skip_date, t.run_id, strftime('%Y-%m-%d %H:%M:%f', 'now'), :actor, :skip_until
FROM temp.this_run AS t
WHERE :skip_date IS NOT NULL;

INSERT INTO assignment_request (request, run_id)
SELECT :request, t.run_id FROM temp.this_run AS t
WHERE :request IS NOT NULL;

INSERT INTO assignment_history (run_id, agent, number, date, stage)
SELECT t.run_id, d.agent, r.number, r.date, r.stage
FROM temp.this_run AS t
CROSS JOIN temp.dealt AS d
CROSS JOIN temp.record AS r ON r.ordinal = d.ordinal
ORDER BY d.ordinal;

-- The call-backs that this run hands out. They are due again if the run is undone.
INSERT INTO assignment_call_back (outcome_id, run_id)
SELECT b.outcome_id, t.run_id
FROM temp.this_run AS t
CROSS JOIN temp.call_back AS b
CROSS JOIN assignment_history AS h ON h.run_id = t.run_id AND h.number = b.number AND h.date = b.date
WHERE b.call_back_on <= :business_date;

INSERT INTO number_key (country, number, match_key, ending)
SELECT t.country, n.number, n.match_key, substr(n.match_key, -4)
FROM temp.this_run AS t
CROSS JOIN temp.new_key AS n;

-- The plus signs keep SQLite from using an index on date or stage, if there is one: it would read all leads of a day
-- for each lead dealt. A call-back that is finished stays so.
UPDATE wafunnel SET stage = wafunnel.stage + (wafunnel.stage < 4)
FROM assignment_history AS h
WHERE h.run_id = (SELECT t.run_id FROM temp.this_run AS t)
    AND h.number = wafunnel.number AND h.stage = +wafunnel.stage AND h.date = +wafunnel.date;

SELECT
    50007 AS throw,
    'Check failed: ' || changes() || ' rows advanced instead of ' || e.advanced
    || '; nothing was changed. Run `agent-funnel doctor --deep`.' AS message
FROM (
    SELECT
        (SELECT count(*) FROM temp.dealt)
        + (
            SELECT count(*)
            FROM temp.repeated AS c
            INNER JOIN temp.dealt AS d ON c.first_ordinal = d.ordinal
            WHERE c.ordinal <> c.first_ordinal
        ) AS advanced
) AS e
WHERE e.advanced <> changes();

-- The edits: rows that others have added to the assignments since the last deal, or removed from them. Undo needs them
-- to restore the assignments exactly.
INSERT INTO assignment_edit (run_id, agent, number, copies)
SELECT t.run_id, v.agent, v.number, v.copies
FROM temp.this_run AS t
CROSS JOIN (
    SELECT a.agent, a.number, count(*) AS copies
    FROM agent_wafunnel_assignment AS a
    GROUP BY a.number COLLATE BINARY, a.agent COLLATE BINARY
) AS v
LEFT JOIN assignment_history AS h ON h.run_id = t.base_id AND h.number = v.number AND h.agent = v.agent
WHERE h.number IS NULL OR v.copies > 1;

INSERT INTO assignment_edit (run_id, agent, number, copies)
SELECT t.run_id, h.agent, h.number, 0
FROM temp.this_run AS t
INNER JOIN assignment_history AS h ON t.base_id = h.run_id
LEFT JOIN agent_wafunnel_assignment AS a ON h.number = a.number AND h.agent = a.agent
WHERE a.number IS NULL;

DELETE FROM agent_wafunnel_assignment;

INSERT INTO agent_wafunnel_assignment (agent, number)
SELECT h.agent, h.number
FROM assignment_history AS h
WHERE h.run_id = (SELECT t.run_id FROM temp.this_run AS t)
ORDER BY h.number;

-- 3. Checks of the assignments that the agents are about to see.

DROP TABLE IF EXISTS temp.share;

CREATE TEMP TABLE share AS
SELECT r.agent, r.room, r.turn, coalesce(a.leads, 0) AS leads
FROM temp.room AS r
LEFT JOIN (
    SELECT w.agent, count(*) AS leads
    FROM agent_wafunnel_assignment AS w
    GROUP BY w.agent COLLATE BINARY
) AS a ON r.agent = a.agent;

SELECT
    50007 AS throw,
    'Check failed: ' || a.number
    || ' is assigned twice; nothing was changed. Run `agent-funnel doctor --deep`.' AS message
FROM (
    SELECT '…' || substr(w.number, -3) AS number FROM agent_wafunnel_assignment AS w
    GROUP BY w.number COLLATE BINARY HAVING count(*) > 1 LIMIT 1
) AS a;

SELECT
    50007 AS throw,
    'Check failed: ' || a.number
    || ' is assigned in two spellings; nothing was changed. Run `agent-funnel doctor --deep`.' AS message
FROM (
    SELECT '…' || substr(max(w.number), -3) AS number
    FROM agent_wafunnel_assignment AS w
    INNER JOIN temp.matched AS m ON m.number = w.number
    GROUP BY m.first_number HAVING count(*) > 1 LIMIT 1
) AS a;

SELECT
    50007 AS throw,
    'Check failed: agent ' || s.agent || ' got ' || s.leads || ' leads but has room for ' || s.room
    || '; nothing was changed. Run `agent-funnel doctor --deep`.' AS message
FROM temp.share AS s
WHERE s.leads > s.room
LIMIT 1;

SELECT
    50007 AS throw,
    'Check failed: agent ' || s.agent || ' got ' || s.leads || ' leads and has room for more, but another agent got '
    || (SELECT max(o.leads) FROM temp.share AS o)
    || '; nothing was changed. Run `agent-funnel doctor --deep`.' AS message
FROM temp.share AS s
WHERE s.leads < s.room AND s.leads < (SELECT max(o.leads) FROM temp.share AS o) - 1
LIMIT 1;

DROP TABLE IF EXISTS temp.amount;

CREATE TEMP TABLE amount AS
SELECT
    c.pool,
    c.duplicates,
    c.suppressed,
    c.kept_out,
    count(*) AS agents,
    sum(s.leads) AS assigned,
    min(c.pool, sum(s.room)) AS to_deal,
    min(s.leads) AS smallest_share,
    max(s.leads) AS largest_share
FROM temp.share AS s
-- include: _pool_counts
;

SELECT
    50007 AS throw,
    'Check failed: ' || a.assigned || ' leads were assigned instead of ' || a.to_deal
    || '; nothing was changed. Run `agent-funnel doctor --deep`.' AS message
FROM temp.amount AS a
WHERE a.assigned <> a.to_deal;

-- 4. The summary row.

INSERT INTO assignment_outcome_effect (run_id, kept_out, call_backs, stayed)
SELECT
    t.run_id,
    a.kept_out,
    (
        SELECT count(*)
        FROM temp.due_record AS e
        INNER JOIN temp.dealt AS d ON e.ordinal = d.ordinal
    ),
    m.stayed
FROM temp.this_run AS t
CROSS JOIN temp.amount AS a
CROSS JOIN temp.met AS m;

UPDATE assignment_run SET
    status = 'succeeded',
    agents = a.agents,
    pool = a.pool,
    per_agent = min((SELECT u.max_per_agent FROM temp.rules AS u), (a.pool + a.agents - 1) / a.agents),
    assigned = a.assigned,
    left_over = a.pool - a.assigned,
    duplicates = a.duplicates,
    suppressed = a.suppressed,
    smallest_share = a.smallest_share,
    largest_share = a.largest_share,
    last_agent = (
        SELECT h.agent
        FROM temp.segment AS s
        INNER JOIN temp.seat AS h
            ON s.first_position = h.first_position AND h.seat = (s.last_position - s.first_position) % s.agents
        ORDER BY s.last_position DESC LIMIT 1
    ),
    finished_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
FROM temp.amount AS a
WHERE run_id = (SELECT t.run_id FROM temp.this_run AS t);

SELECT
    -- include: _run_columns
    , (SELECT group_concat(n.sentence, ' ') FROM temp.notice AS n) AS notice
    , e.kept_out
    , v.came_round
    , v.same_agent
    , e.stayed
FROM assignment_run AS r
LEFT JOIN assignment_voice AS v ON r.run_id = v.run_id
LEFT JOIN assignment_outcome_effect AS e ON r.run_id = e.run_id
WHERE r.run_id = (SELECT t.run_id FROM temp.this_run AS t);
