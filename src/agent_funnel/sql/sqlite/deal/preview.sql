-- The preview: what a run would do now. Parameters: those of the plan. It writes temporary tables only.
--
-- It returns the share of each agent, then the changes to the present assignments with the reasons why a deal would be
-- refused, and last the summary row, whose run_id is 0.

-- name: preview
-- traits: read-only
-- Shows what a run would do now.

-- include: _parameters

-- include: _rules

-- include: _reasons

-- include: _plan

-- include: _empty_pool

-- The share of each agent, with its mix of stages and of ages in days, the call-backs in it, and those of them that stay
-- with the agent.
SELECT
    r.agent,
    r.room,
    count(c.number) AS leads,
    count(*) FILTER (WHERE c.stage = 1) AS stage_1,
    count(*) FILTER (WHERE c.stage = 2) AS stage_2,
    count(*) FILTER (WHERE c.stage = 3) AS stage_3,
    count(*) FILTER (WHERE c.days <= 7) AS days_0_to_7,
    count(*) FILTER (WHERE c.days BETWEEN 8 AND 30) AS days_8_to_30,
    count(*) FILTER (WHERE c.days > 30) AS days_31_and_more,
    count(*) FILTER (WHERE c.kind = 5) AS call_backs,
    count(*) FILTER (WHERE c.stays) AS kept_call_backs
FROM temp.room AS r
LEFT JOIN (
    SELECT
        d.agent, e.number, e.stage, julianday(:business_date) - julianday(date(e.date)) AS days, e.kind,
        e.kind = 5 AND EXISTS (SELECT 1 FROM temp.stayed AS s WHERE s.ordinal = d.ordinal) AS stays
    FROM temp.dealt AS d
    INNER JOIN temp.record AS e ON d.ordinal = e.ordinal
) AS c ON r.agent = c.agent
GROUP BY r.agent, r.room
ORDER BY r.agent;

-- The changes to the present assignments: leads that stay with their agent, leads that change hands, leads that nobody
-- has now, and leads that nobody would have then.
DROP TABLE IF EXISTS temp.present;

CREATE TEMP TABLE present (number TEXT, agent TEXT, PRIMARY KEY (number, agent));

INSERT OR IGNORE INTO temp.present (number, agent)
SELECT a.number, a.agent
FROM agent_wafunnel_assignment AS a
WHERE a.number IS NOT NULL;

DROP TABLE IF EXISTS temp.hand;

CREATE TEMP TABLE hand (number TEXT PRIMARY KEY, agent TEXT) WITHOUT ROWID;

INSERT INTO temp.hand (number, agent)
SELECT e.number, d.agent
FROM temp.dealt AS d
INNER JOIN temp.record AS e ON d.ordinal = e.ordinal
ORDER BY d.ordinal;

SELECT
    count(*) FILTER (WHERE h.same) AS stay,
    count(*) FILTER (WHERE h.held AND NOT h.same) AS change_hands,
    count(*) FILTER (WHERE NOT h.held) AS come,
    (
        SELECT count(DISTINCT p.number) FROM temp.present AS p
        WHERE NOT EXISTS (SELECT 1 FROM temp.hand AS o WHERE o.number = p.number)
    ) AS leave,
    (
        SELECT group_concat(r.sentence, '. ') || '.'
        FROM (SELECT o.sentence FROM temp.reason AS o WHERE :trigger = 'manual' ORDER BY o.place) AS r
    ) AS refusal
FROM (
    SELECT
        EXISTS (SELECT 1 FROM temp.present AS p WHERE p.number = d.number AND p.agent = d.agent) AS same,
        EXISTS (SELECT 1 FROM temp.present AS p WHERE p.number = d.number) AS held
    FROM temp.hand AS d
) AS h;

SELECT
    0 AS run_id,
    :business_date AS business_date,
    :trigger AS "trigger",
    'preview' AS status,
    count(*) AS agents,
    c.pool,
    min((SELECT u.max_per_agent FROM temp.rules AS u), (c.pool + count(*) - 1) / count(*)) AS per_agent,
    sum(s.leads) AS assigned,
    c.pool - sum(s.leads) AS left_over,
    c.duplicates,
    c.suppressed,
    min(s.leads) AS smallest_share,
    max(s.leads) AS largest_share,
    t.started_at,
    strftime('%Y-%m-%d %H:%M:%f', 'now') AS finished_at,
    (SELECT group_concat(n.sentence, ' ') FROM temp.notice AS n) AS notice,
    c.kept_out,
    (SELECT m.came_round FROM temp.met AS m) AS came_round,
    (SELECT m.same_agent FROM temp.met AS m) AS same_agent,
    (SELECT m.stayed FROM temp.met AS m) AS stayed
FROM temp.this_run AS t
CROSS JOIN (
    SELECT count(d.ordinal) AS leads
    FROM temp.room AS r
    LEFT JOIN temp.dealt AS d ON r.agent = d.agent
    GROUP BY r.agent
) AS s
-- include: _pool_counts
;
