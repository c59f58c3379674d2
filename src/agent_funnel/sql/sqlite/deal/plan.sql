-- The plan of a deal: which agent would get which lead. It writes temporary tables only.
--
-- Parameters: :business_date (the date that the run belongs to), :max_per_agent (the most leads that any agent gets),
-- :window_days (leads that are older than this many days stay out), :newest_first (1 = within a stage, the newest lead
-- comes first; 0 = the oldest), :trigger ('manual' or 'schedule'). SQLite can raise an error only in a trigger, so a
-- row with a column `throw` ends the script: `throw` is the number of the error and `message` its sentence. `assign`
-- and `preview` include the plan and continue from `temp.dealt`.
--
--   1. refuse bad parameters        3. the pool, in deal order
--   2. the agents and their room    4. seats: who gets the lead at which position

-- name: _pool_counts
-- How many records are in the pool, and how many stay out as duplicates or because of the do-not-contact list: a table
-- to join.
CROSS JOIN (
    SELECT
        count(*) FILTER (WHERE r.kind = 0) AS pool,
        count(*) FILTER (WHERE r.kind = 1) AS duplicates,
        count(*) FILTER (WHERE r.kind = 2) AS suppressed
    FROM temp.record AS r
) AS c

-- name: _plan
-- Plans the deal; the result is the table temp.dealt.

-- 1. Refuse bad parameters.

SELECT
    50006 AS throw,
    'max_per_agent is ' || coalesce(:max_per_agent, 'NULL')
    || '; it must be from 1 to 1000000. Nothing was changed.' AS message
WHERE (:max_per_agent BETWEEN 1 AND 1000000) IS NOT TRUE;

SELECT
    50006 AS throw,
    'window_days is ' || coalesce(:window_days, 'NULL')
    || '; it must be from 0 to 36500. Nothing was changed.' AS message
WHERE (:window_days BETWEEN 0 AND 36500) IS NOT TRUE;

SELECT
    50006 AS throw,
    'business_date is ' || coalesce(:business_date, 'NULL')
    || '; it must be from 2000-01-01 to 9998-12-31. Nothing was changed.' AS message
WHERE (:business_date BETWEEN '2000-01-01' AND '9998-12-31') IS NOT TRUE;

SELECT
    50006 AS throw,
    'trigger is ' || coalesce(:trigger, 'NULL') || '; it must be manual or schedule. Nothing was changed.' AS message
WHERE (:trigger IN ('manual', 'schedule')) IS NOT TRUE;

-- From the last deal: the agent who got the last lead, and the run that made the present assignments.

DROP TABLE IF EXISTS temp.this_run;

CREATE TEMP TABLE this_run AS
SELECT
    (SELECT r.last_agent FROM assignment_run AS r WHERE r.status = 'succeeded' AND r.assigned > 0
    ORDER BY r.run_id DESC LIMIT 1) AS previous_agent,
    (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded') AS base_id,
    date(:business_date, '-' || :window_days || ' days') AS oldest,
    strftime('%Y-%m-%d %H:%M:%f', 'now') AS started_at,
    0 AS run_id;

-- 2. The agents and their room, seated from the one after the agent who got the last lead of the last deal.

DROP TABLE IF EXISTS temp.room;

CREATE TEMP TABLE room AS
SELECT
    a.agent,
    min(:max_per_agent, coalesce(l.max_records, :max_per_agent)) AS room,
    row_number() OVER (
        ORDER BY a.agent <= coalesce((SELECT t.previous_agent FROM temp.this_run AS t), ''), a.agent
    ) AS turn
FROM (
    SELECT DISTINCT CAST(agents.agent AS TEXT) COLLATE BINARY AS agent
    FROM agents
    WHERE lower(trim(agents.status)) = 'active' AND trim(agents.agent) <> ''
) AS a
LEFT JOIN (
    SELECT agent_limit.agent, min(agent_limit.max_records) AS max_records
    FROM agent_limit
    WHERE agent_limit.starts_on <= :business_date
        AND (agent_limit.ends_on IS NULL OR agent_limit.ends_on >= :business_date)
    GROUP BY agent_limit.agent
) AS l ON a.agent = l.agent
WHERE coalesce(l.max_records, 1) > 0;

SELECT
    50002 AS throw,
    'No agent is active and has room on ' || :business_date
    || '; nothing was changed. Activate an agent, or remove a limit of 0.' AS message
WHERE NOT EXISTS (SELECT 1 FROM temp.room);

-- 3. The pool. First come all eligible rows, ordered by number. That is the order of the table's key, if it has one,
-- and it puts the rows of a number side by side. A rowid table numbers its rows in the order of insertion.
--
-- ISO 8601 has many ways to write a date. All begin with the day, so comparing the texts shows exactly whether a lead
-- is too old; comparing the moments shows, to the millisecond, which of two leads is older. A value without a moment is
-- not a date. The query pool_report has the same conditions.

DROP TABLE IF EXISTS temp.record;

CREATE TEMP TABLE record (
    ordinal INTEGER PRIMARY KEY,
    number TEXT,
    stage INTEGER,
    date TEXT,
    moment REAL,
    kind INTEGER -- 0 = in the pool, 1 = behind another record of its number, 2 = do not contact, 3 = copy of a record
);

INSERT INTO temp.record (number, stage, date, moment, kind)
SELECT
    w.number,
    w.stage,
    w.date,
    julianday(w.date),
    2 * EXISTS (SELECT 1 FROM do_not_contact AS d WHERE d.number = w.number)
FROM wafunnel AS w
WHERE w.stage < 4
    AND w.date >= (SELECT t.oldest FROM temp.this_run AS t)
    AND julianday(w.date) IS NOT NULL
    AND trim(w.number) <> ''
ORDER BY w.number COLLATE BINARY;

-- Rows that are equal in number, stage and date are one record. If a number has several records, the first in deal
-- order is in the pool.
DROP TABLE IF EXISTS temp.repeated;

CREATE TEMP TABLE repeated AS
SELECT
    r.ordinal,
    min(r.ordinal) OVER (PARTITION BY r.number, r.stage, r.date) AS first_ordinal,
    dense_rank() OVER (
        PARTITION BY r.number
        ORDER BY r.stage, CASE WHEN :newest_first THEN -r.moment ELSE r.moment END, r.date
    ) AS occurrence
FROM temp.record AS r
WHERE r.number IN (
    SELECT a.number
    FROM temp.record AS a
    CROSS JOIN temp.record AS b ON b.ordinal = a.ordinal + 1
    WHERE a.number = b.number
);

UPDATE temp.record SET
    kind = CASE
        WHEN c.ordinal <> c.first_ordinal THEN 3
        WHEN record.kind = 0 AND c.occurrence > 1 THEN 1
        ELSE record.kind
    END
FROM temp.repeated AS c
WHERE record.ordinal = c.ordinal;

-- The pool, in deal order. If stage and date are equal, the ordinals are in the order of the numbers.
DROP TABLE IF EXISTS temp.pool;

CREATE TEMP TABLE pool (position INTEGER PRIMARY KEY, ordinal INTEGER);

INSERT INTO temp.pool (ordinal)
SELECT r.ordinal
FROM temp.record AS r
WHERE r.kind = 0
ORDER BY r.stage, CASE WHEN :newest_first THEN -r.moment ELSE r.moment END, r.ordinal;

-- 4. Seats. All agents take part in the rounds up to the smallest room. In the rounds from there to the next larger
-- room, all agents but the full ones take part, and so on. A segment is such a stretch of rounds, with the positions
-- that are dealt in it.

DROP TABLE IF EXISTS temp.segment;

CREATE TEMP TABLE segment AS
SELECT
    s.room,
    s.agents,
    1 + sum(s.positions) OVER (ORDER BY s.room ROWS UNBOUNDED PRECEDING) - s.positions AS first_position,
    min(
        sum(s.positions) OVER (ORDER BY s.room ROWS UNBOUNDED PRECEDING), (SELECT count(*) FROM temp.pool)
    ) AS last_position
FROM (
    SELECT
        g.room,
        g.agents,
        (g.room - lag(g.room, 1, 0) OVER (ORDER BY g.room)) * g.agents AS positions
    FROM (
        SELECT r.room, sum(count(*)) OVER (ORDER BY r.room DESC ROWS UNBOUNDED PRECEDING) AS agents
        FROM temp.room AS r
        GROUP BY r.room
    ) AS g
) AS s;

DELETE FROM temp.segment WHERE first_position > last_position;

DROP TABLE IF EXISTS temp.seat;

CREATE TEMP TABLE seat (
    first_position INTEGER, seat INTEGER, agent TEXT, PRIMARY KEY (first_position, seat)
) WITHOUT ROWID;

INSERT INTO temp.seat (first_position, seat, agent)
SELECT
    s.first_position,
    row_number() OVER (PARTITION BY s.first_position ORDER BY r.turn) - 1 AS seat,
    r.agent
FROM temp.segment AS s
INNER JOIN temp.room AS r ON s.room <= r.room;

-- The dealt leads, in the order of the keys that will be written.
DROP TABLE IF EXISTS temp.dealt;

CREATE TEMP TABLE dealt (ordinal INTEGER PRIMARY KEY, agent TEXT);

INSERT INTO temp.dealt (ordinal, agent)
SELECT p.ordinal, h.agent
FROM temp.segment AS s
CROSS JOIN temp.pool AS p ON p.position BETWEEN s.first_position AND s.last_position
CROSS JOIN temp.seat AS h ON h.first_position = s.first_position AND h.seat = (p.position - s.first_position) % s.agents
ORDER BY p.ordinal;
