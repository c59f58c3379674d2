-- What outcomes do to a deal: which records they keep out of the pool, which call-backs are due, and which leads stay
-- with their agent. Only outcomes that stand count. All tables here are empty where nobody reports anything.

-- name: _kept_and_due
-- Marks the records that outcomes keep out, and those of call-backs that are due.

-- The call-backs that no run in force has handed out, to come or due. Where the agent did not work on the lead, it is
-- as if the run had not handed it out.
DROP TABLE IF EXISTS temp.call_back;

CREATE TEMP TABLE call_back AS
SELECT
    o.outcome_id,
    o.run_id,
    o.number,
    o.date,
    o.call_back_on,
    CASE WHEN o.same_agent THEN o.agent END AS agent
FROM assignment_outcome AS o
WHERE o.stands = 1 AND o.outcome = 'call_back'
    AND NOT EXISTS (
        SELECT 1
        FROM assignment_call_back AS c
        INNER JOIN assignment_run AS r ON c.run_id = r.run_id
        WHERE c.outcome_id = o.outcome_id AND r.status = 'succeeded'
            AND NOT EXISTS (
                SELECT 1 FROM assignment_outcome AS n
                WHERE n.run_id = c.run_id AND n.number = o.number AND n.stands = 1 AND n.outcome = 'not_worked'
            )
    );

-- What keeps a number out, for each number that is the same: it is wrong, its records up to a day are won or lost, or
-- somebody is to be called back later. The numbers of temp.matched are there in each spelling.
DROP TABLE IF EXISTS temp.kept_out;

CREATE TEMP TABLE kept_out (number TEXT PRIMARY KEY, whole INTEGER, closed_on TEXT) WITHOUT ROWID;

INSERT INTO temp.kept_out (number, whole, closed_on)
SELECT s.number, max(s.whole), max(s.closed_on)
FROM (
    SELECT coalesce(i.number, o.number) AS number, o.whole, o.closed_on
    FROM (
        SELECT
            a.number,
            a.outcome = 'wrong_number' AS whole,
            CASE WHEN a.outcome <> 'wrong_number' THEN a.reported_on END AS closed_on
        FROM assignment_outcome AS a
        WHERE a.stands = 1 AND a.outcome IN ('wrong_number', 'won', 'lost')
        UNION ALL
        SELECT b.number, 1, NULL FROM temp.call_back AS b
        WHERE b.call_back_on > :business_date
    ) AS o
    LEFT JOIN temp.matched AS m ON o.number = m.number
    LEFT JOIN temp.matched AS i ON m.first_number = i.first_number
) AS s
GROUP BY s.number;

-- A lead that is won or lost may have a date after the day of the report.
DROP TABLE IF EXISTS temp.closed_record;

CREATE TEMP TABLE closed_record (number TEXT, date TEXT, PRIMARY KEY (number, date)) WITHOUT ROWID;

INSERT OR IGNORE INTO temp.closed_record (number, date)
SELECT o.number, o.date FROM assignment_outcome AS o
WHERE o.stands = 1 AND o.outcome IN ('won', 'lost') AND substr(o.date, 1, 10) > o.reported_on;

-- The call-backs that are due, by their record: if there are several of one, the newest. Its stage and its age do not
-- matter, so the records that are finished or too old come in here, too.
DROP TABLE IF EXISTS temp.due;

CREATE TEMP TABLE due (number TEXT, date TEXT, call_back_on TEXT, agent TEXT, PRIMARY KEY (number, date)) WITHOUT ROWID;

INSERT OR REPLACE INTO temp.due (number, date, call_back_on, agent)
SELECT b.number, b.date, b.call_back_on, b.agent
FROM temp.call_back AS b
WHERE b.call_back_on <= :business_date
ORDER BY b.run_id;

INSERT INTO temp.record (number, stage, date, moment, kind)
SELECT w.number, w.stage, w.date, julianday(w.date), 0
FROM temp.due AS d
CROSS JOIN wafunnel AS w ON d.number = w.number AND d.date = w.date
WHERE w.stage IS NOT NULL AND (w.stage >= 4 OR w.date < (SELECT t.oldest FROM temp.this_run AS t));

-- name: _mark_kept_and_due
-- Marks the records that outcomes keep out (kind 3), and those of call-backs that are due (kind 5). The first table of
-- each join has no row where there is nothing to mark, so that no record is read then.
UPDATE temp.record SET kind = 3
WHERE kind = 0 AND ordinal IN (
    SELECT r.ordinal
    FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM temp.kept_out)) AS e
    CROSS JOIN temp.record AS r
    CROSS JOIN temp.kept_out AS k ON k.number = r.number
    WHERE k.whole OR substr(r.date, 1, 10) <= k.closed_on
        OR EXISTS (SELECT 1 FROM temp.closed_record AS c WHERE c.number = r.number AND c.date = r.date)
);

DROP TABLE IF EXISTS temp.due_record;

CREATE TEMP TABLE due_record (ordinal INTEGER PRIMARY KEY, call_back_on TEXT, agent TEXT);

INSERT INTO temp.due_record (ordinal, call_back_on, agent)
SELECT r.ordinal, d.call_back_on, d.agent
FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM temp.due)) AS e
CROSS JOIN temp.record AS r
CROSS JOIN temp.due AS d ON d.number = r.number AND d.date = r.date
WHERE r.kind = 0;

UPDATE temp.record SET kind = 5
WHERE ordinal IN (SELECT d.ordinal FROM temp.due_record AS d);

-- name: _class
-- The class of the record r: its stage; call-backs that are due are a class of their own, before all stages.
CASE WHEN r.kind = 5 THEN -9000000000000000000 ELSE r.stage END

-- name: _keep_call_backs
-- Gives each call-back that is due, and is to go to the same agent, to that agent, as far as the agent's share reaches.
-- The agent's other leads are so many fewer. The table temp.stayed has the leads that stay with their agent; `slot` is
-- the position whose slot a lead takes, and NULL for these.
DROP TABLE IF EXISTS temp.stayed;

CREATE TEMP TABLE stayed (ordinal INTEGER PRIMARY KEY, agent TEXT, turn INTEGER, slot INTEGER);

INSERT INTO temp.stayed (ordinal, agent, turn, slot)
SELECT k.ordinal, k.agent, k.turn, NULL
FROM (
    SELECT
        p.ordinal,
        q.agent,
        q.turn,
        q.leads,
        row_number() OVER (PARTITION BY q.agent ORDER BY p.position) AS place
    FROM temp.pool AS p
    CROSS JOIN temp.due_record AS d ON d.ordinal = p.ordinal
    CROSS JOIN temp.quota AS q ON q.agent = d.agent
    WHERE p.position <= (SELECT count(*) FROM temp.due_record)
) AS k
WHERE k.place <= k.leads;

UPDATE temp.quota SET leads = quota.leads - k.leads, group_leads = quota.leads - k.leads
FROM (SELECT s.agent, count(*) AS leads FROM temp.stayed AS s GROUP BY s.agent) AS k
WHERE quota.agent = k.agent;

-- name: _deal_around_call_backs
-- Deals the slots to the leads of the pool that are no such call-backs, in order. There is nothing to do without any.
INSERT INTO temp.dealt (ordinal, agent, turn, position)
SELECT p.ordinal, s.agent, s.turn, p.position
FROM temp.stayed AS s
CROSS JOIN temp.pool AS p ON p.position <= (SELECT count(*) FROM temp.due_record) AND p.ordinal = s.ordinal;

INSERT INTO temp.dealt (ordinal, agent, turn, position)
SELECT p.ordinal, o.agent, o.turn, p.position
FROM (
    SELECT n.ordinal, n.position, row_number() OVER (ORDER BY n.position) AS place
    FROM temp.pool AS n
    WHERE n.position <= CASE
            WHEN EXISTS (SELECT 1 FROM temp.stayed)
                THEN (SELECT count(*) FROM temp.slot) + (SELECT count(*) FROM temp.stayed)
        END
        AND n.ordinal NOT IN (SELECT s.ordinal FROM temp.stayed AS s)
) AS p
CROSS JOIN temp.slot AS o ON o.position = p.place;

-- name: _keep_talked
-- Within each class, a lead whose newest outcome is that an agent talked to it, in a run at most seven days before,
-- stays with that agent: the n-th of them takes that agent's n-th slot. The other leads take the other slots, in order.
DROP TABLE IF EXISTS temp.talked;

CREATE TEMP TABLE talked (number TEXT PRIMARY KEY, agent TEXT) WITHOUT ROWID;

INSERT INTO temp.talked (number, agent)
SELECT t.number, t.agent
FROM (
    SELECT
        coalesce(m.first_number, o.number) AS number,
        o.agent,
        o.outcome,
        r.business_date,
        row_number() OVER (
            PARTITION BY coalesce(m.first_number, o.number) ORDER BY o.run_id DESC, o.outcome_id DESC
        ) AS place
    FROM assignment_outcome AS o
    INNER JOIN assignment_run AS r ON o.run_id = r.run_id
    LEFT JOIN temp.matched AS m ON o.number = m.number
    WHERE o.stands = 1
        AND o.run_id >= (
            SELECT min(n.run_id) FROM assignment_run AS n WHERE n.business_date >= date(:business_date, '-7 days')
        )
) AS t
WHERE t.place = 1 AND t.outcome = 'talked' AND t.business_date >= date(:business_date, '-7 days');

-- The dealt leads that can still change places, with their classes; none if nobody talked.
DROP TABLE IF EXISTS temp.movable;

CREATE TEMP TABLE movable (position INTEGER PRIMARY KEY, ordinal INTEGER, class INTEGER, agent TEXT, turn INTEGER);

INSERT INTO temp.movable (position, ordinal, class, agent, turn)
SELECT
    d.position,
    d.ordinal,
    -- include: _class
    ,
    d.agent,
    d.turn
FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM temp.talked)) AS e
CROSS JOIN temp.dealt AS d
CROSS JOIN temp.record AS r ON r.ordinal = d.ordinal
WHERE d.ordinal NOT IN (SELECT s.ordinal FROM temp.stayed AS s)
ORDER BY d.position;

INSERT INTO temp.stayed (ordinal, agent, turn, slot)
SELECT n.ordinal, o.agent, o.turn, o.position
FROM (
    SELECT
        v.ordinal,
        v.class,
        t.agent,
        row_number() OVER (PARTITION BY v.class, t.agent ORDER BY v.position) AS place
    FROM temp.movable AS v
    CROSS JOIN temp.record AS r ON r.ordinal = v.ordinal
    LEFT JOIN temp.matched AS m ON m.number = r.number
    INNER JOIN temp.talked AS t ON t.number = coalesce(m.first_number, r.number)
) AS n
INNER JOIN (
    SELECT
        v.position,
        v.class,
        v.agent,
        v.turn,
        row_number() OVER (PARTITION BY v.class, v.agent ORDER BY v.position) AS place
    FROM temp.movable AS v
) AS o ON n.class = o.class AND n.agent = o.agent AND n.place = o.place;

UPDATE temp.dealt SET agent = x.agent, turn = x.turn
FROM (
    SELECT s.ordinal, s.agent, s.turn FROM temp.stayed AS s
    WHERE s.slot IS NOT NULL
    UNION ALL
    SELECT n.ordinal, o.agent, o.turn
    FROM (
        SELECT v.ordinal, v.class, row_number() OVER (PARTITION BY v.class ORDER BY v.position) AS place
        FROM temp.movable AS v
        WHERE v.ordinal NOT IN (SELECT s.ordinal FROM temp.stayed AS s)
    ) AS n
    INNER JOIN (
        SELECT v.agent, v.turn, v.class, row_number() OVER (PARTITION BY v.class ORDER BY v.position) AS place
        FROM temp.movable AS v
        WHERE v.position NOT IN (SELECT s.slot FROM temp.stayed AS s WHERE s.slot IS NOT NULL)
    ) AS o ON n.class = o.class AND n.place = o.place
) AS x
WHERE dealt.ordinal = x.ordinal;
