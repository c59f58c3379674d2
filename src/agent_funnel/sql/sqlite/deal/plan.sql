-- The plan of a deal: which agent would get which lead. It writes temporary tables only.
--
-- Parameters: :business_date (the date that the run belongs to), :trigger ('manual' or 'schedule'), and the rules, each
-- NULL for the recorded rule: :max_per_agent (the most leads that any agent gets), :window_days (leads that are older
-- than this many days stay out), :newest_first (1 = within a stage, the newest lead comes first; 0 = the oldest),
-- :country ('BR', …, or 'none': the country of numbers that are written without one), :voice ('fresh', or 'as-dealt':
-- without a fresh voice); those of `_refuse` also have :again (1 = a person has confirmed the run) and :skip_date.
-- SQLite can raise an error only in a trigger, so a row with a column `throw` ends the script: `throw` is the number of
-- the error and `message` its sentence. `assign` and `preview` include the parts in this order and continue from
-- `temp.dealt`.
--
--   _parameters: refuse bad parameters        _plan: 1. the agents and their room
--   _rules: the rules of this run                    2. the pool, in deal order
--   _reasons: is a manual run a mistake?             3. seats: whose turn is when
--   _refuse: it is, unless confirmed                 4. even in kind: who gets the lead at which position
--   _empty_pool: one more reason                     5. a fresh voice: leads that would meet the same agent
--                                                    6. the notice
--
-- The parts for outcomes are in outcomes.sql.

-- name: _pool_counts
-- How many records are in the pool, and how many stay out as duplicates, because they must not be dealt, or because of
-- an outcome: a table to join.
CROSS JOIN (
    SELECT
        count(*) FILTER (WHERE r.kind IN (0, 5)) AS pool,
        count(*) FILTER (WHERE r.kind = 1) AS duplicates,
        count(*) FILTER (WHERE r.kind = 2) AS suppressed,
        count(*) FILTER (WHERE r.kind = 3) AS kept_out
    FROM temp.record AS r
) AS c

-- name: _bad_rules
-- The rules of `given` (name, value, shown) whose value is not allowed, each as a sentence: a table to select from. The
-- value is a text, and `shown` the same for the reader. Where these limits are changed, change settings.py and
-- sqlserver/deal/sp_assign_wafunnel_to_agents.sql, too.
FROM (
    SELECT
        g.name || ' is ' || g.shown || '; it must be ' || CASE g.name
            WHEN 'max_per_agent' THEN 'from 1 to 1000000'
            WHEN 'window_days' THEN 'from 0 to 36500'
            WHEN 'newest_first' THEN '0 or 1'
            WHEN 'voice' THEN 'fresh or as-dealt'
            ELSE 'none or one of ' || k.countries
        END AS sentence
    FROM given AS g
    CROSS JOIN (SELECT 'BR, MX, AR, US, CA, DE, GB, ES, PT, FR, IT, RU' AS countries) AS k
    WHERE g.value IS NOT NULL
        AND CASE
            WHEN g.name = 'country'
                THEN upper(g.value) = 'NONE'
                    OR (length(g.value) = 2 AND instr(', ' || k.countries || ',', ', ' || upper(g.value) || ',') > 0)
            WHEN g.name = 'voice' THEN lower(g.value) IN ('fresh', 'as-dealt')
            WHEN CAST(CAST(g.value AS INTEGER) AS TEXT) <> g.value THEN 0
            WHEN g.name = 'max_per_agent' THEN CAST(g.value AS INTEGER) BETWEEN 1 AND 1000000
            WHEN g.name = 'window_days' THEN CAST(g.value AS INTEGER) BETWEEN 0 AND 36500
            WHEN g.name = 'newest_first' THEN CAST(g.value AS INTEGER) IN (0, 1)
            ELSE 1
        END IS NOT TRUE
) AS b

-- name: _parameters
-- Refuses bad parameters, and names the value and the limit.
WITH given (name, value, shown) AS (
    VALUES
    ('max_per_agent', CAST(:max_per_agent AS TEXT), :max_per_agent),
    ('window_days', CAST(:window_days AS TEXT), :window_days),
    ('newest_first', CAST(:newest_first AS TEXT), :newest_first),
    ('country', :country, '''' || :country || ''''),
    ('voice', :voice, '''' || :voice || '''')
)

SELECT 50006 AS throw, b.sentence || '. Nothing was changed.' AS message
-- include: _bad_rules
;

SELECT
    50006 AS throw,
    'business_date is ' || coalesce(:business_date, 'NULL')
    || '; it must be from 2000-01-01 to 9998-12-31. Nothing was changed.' AS message
WHERE (:business_date BETWEEN '2000-01-01' AND '9998-12-31') IS NOT TRUE;

SELECT
    50006 AS throw,
    'trigger is ' || coalesce(:trigger, 'NULL') || '; it must be manual or schedule. Nothing was changed.' AS message
WHERE (:trigger IN ('manual', 'schedule')) IS NOT TRUE;

-- name: _rules
-- The rules of this run, in one row: the parameters, else the recorded rules (of each name, the newest row), else the
-- defaults. No country is the empty text. Any program can write the table, so these values are checked, too.
DROP TABLE IF EXISTS temp.recorded;

CREATE TEMP TABLE recorded AS
SELECT f.name, f.value
FROM floor_rule AS f
WHERE f.rule_id IN (SELECT max(n.rule_id) FROM floor_rule AS n GROUP BY n.name)
    AND CASE f.name
        WHEN 'max_per_agent' THEN :max_per_agent IS NULL
        WHEN 'window_days' THEN :window_days IS NULL
        WHEN 'newest_first' THEN :newest_first IS NULL
        WHEN 'country' THEN :country IS NULL
        WHEN 'voice' THEN :voice IS NULL
        ELSE 0
    END;

WITH given (name, value, shown) AS (SELECT r.name, r.value, '''' || r.value || '''' FROM temp.recorded AS r)

SELECT
    50006 AS throw,
    'The recorded rule ' || b.sentence || '. Nothing was changed. Record another value with `agent-funnel rules set`, '
    || 'or in floor_rule.' AS message
-- include: _bad_rules
;

DROP TABLE IF EXISTS temp.rules;

CREATE TEMP TABLE rules AS
SELECT
    CAST(
        coalesce(:max_per_agent, max(r.value) FILTER (WHERE r.name = 'max_per_agent'), 450) AS INTEGER
    ) AS max_per_agent,
    CAST(coalesce(:window_days, max(r.value) FILTER (WHERE r.name = 'window_days'), 45) AS INTEGER) AS window_days,
    CAST(coalesce(:newest_first, max(r.value) FILTER (WHERE r.name = 'newest_first'), 0) AS INTEGER) AS newest_first,
    replace(
        upper(coalesce(:country, max(r.value) FILTER (WHERE r.name = 'country'), 'none')), 'NONE', ''
    ) AS country,
    lower(coalesce(:voice, max(r.value) FILTER (WHERE r.name = 'voice'), 'fresh')) AS voice
FROM temp.recorded AS r;

-- name: _reasons
-- The reasons why a manual run is almost surely a mistake, each with what would be lost: the table temp.reason. The
-- last one, an empty pool, is added after the plan.
DROP TABLE IF EXISTS temp.reason;

CREATE TEMP TABLE reason (place INTEGER PRIMARY KEY, sentence TEXT);

-- A run began a moment ago: a double click, or a call that was sent again.
INSERT INTO temp.reason (place, sentence)
SELECT
    1,
    'Run ' || r.run_id || ' of ' || r.business_date || ' began ' || CAST(r.seconds AS INTEGER)
    || ' s ago and dealt ' || r.assigned
    || ' leads: another deal would replace these assignments, and move each lead that it deals on by one more stage'
FROM (
    SELECT
        n.run_id,
        n.business_date,
        n.assigned,
        86400 * (julianday('now') - julianday(n.started_at)) AS seconds
    FROM assignment_run AS n
    WHERE n.status = 'succeeded'
    ORDER BY n.run_id DESC
    LIMIT 1
) AS r
WHERE r.seconds > -120 AND r.seconds < 120;

-- The scheduled run of the same business date is about to come. Until a minute after its time, it may not have begun.
INSERT INTO temp.reason (place, sentence)
SELECT
    2,
    'The scheduled run of ' || s.business_date
    || CASE
        WHEN s.seconds > 0 THEN ' is due in ' || CAST(s.seconds AS INTEGER) || ' s'
        ELSE ' was due ' || CAST(-s.seconds AS INTEGER) || ' s ago and is about to begin'
    END
    || ': it would replace the assignments of this deal, and move its leads on by one more stage'
FROM (
    SELECT n.business_date, 86400 * (julianday(n.due_at) - julianday('now')) AS seconds
    FROM schedule_next AS n
    WHERE n.business_date = :business_date
        AND NOT EXISTS (SELECT 1 FROM date_without_run AS o WHERE o.business_date = n.business_date)
        AND n.business_date IS NOT :skip_date
) AS s
WHERE s.seconds > -60 AND s.seconds <= 600
    AND NOT EXISTS (
        SELECT 1 FROM assignment_run AS r
        WHERE r."trigger" = 'schedule' AND r.business_date = s.business_date AND r.status IN ('succeeded', 'undone')
    );

-- name: _empty_pool
-- Adds to the reasons that the pool is empty, and that there are assignments to lose.
INSERT INTO temp.reason (place, sentence)
SELECT
    3,
    'No lead is in the pool, and agents have ' || count(*)
    || ' assignments: a deal now would remove them all, and deal nothing'
FROM agent_wafunnel_assignment AS a
WHERE NOT EXISTS (SELECT 1 FROM temp.pool)
HAVING count(*) > 0;

-- name: _refuse
-- Refuses a manual run for the reasons so far, unless the caller says again.
SELECT
    50008 AS throw,
    group_concat(r.sentence, '. ') || '; nothing was changed. To deal all the same, confirm it: @again = 1, '
    || '`agent-funnel run --again`, {"again": true}, or the box on the page.' AS message
FROM (SELECT o.sentence FROM temp.reason AS o ORDER BY o.place) AS r
WHERE :trigger = 'manual' AND :again = 0
HAVING count(*) > 0;

-- name: _last_agent
-- The agent who had a lead last, or NULL: of the record r, whose row in temp.matched is m. Most leads that come round
-- were in the newest run, which is the fastest to look in. The plus sign keeps SQLite from looking for each run.
CASE
    WHEN m.number IS NOT NULL THEN (SELECT k.agent FROM temp.key_heard AS k WHERE k.first_number = m.first_number)
    ELSE coalesce(
        (
            SELECT h.agent FROM assignment_history AS h
            WHERE h.run_id = (SELECT max(o.run_id) FROM temp.past_run AS o) AND h.number = r.number
        ),
        (
            SELECT h.agent
            FROM assignment_history AS h
            WHERE h.number = r.number AND +h.run_id IN (SELECT o.run_id FROM temp.past_run AS o)
            ORDER BY h.run_id DESC LIMIT 1
        )
    )
END

-- name: _plan
-- Plans the deal; the result is the table temp.dealt.

-- From the last deal: the agent who got the last lead, and the run that made the present assignments.

DROP TABLE IF EXISTS temp.this_run;

CREATE TEMP TABLE this_run AS
SELECT
    (SELECT r.last_agent FROM assignment_run AS r WHERE r.status = 'succeeded' AND r.assigned > 0
    ORDER BY r.run_id DESC LIMIT 1) AS previous_agent,
    (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded') AS base_id,
    date(:business_date, '-' || (SELECT u.window_days FROM temp.rules AS u) || ' days') AS oldest,
    (SELECT u.country FROM temp.rules AS u) AS country,
    strftime('%Y-%m-%d %H:%M:%f', 'now') AS started_at,
    0 AS run_id;

-- 1. The agents and their room, seated from the one after the agent who got the last lead of the last deal.

DROP TABLE IF EXISTS temp.room;

CREATE TEMP TABLE room AS
SELECT
    a.agent,
    min(u.max_per_agent, coalesce(l.max_records, u.max_per_agent)) AS room,
    row_number() OVER (
        ORDER BY a.agent <= coalesce((SELECT t.previous_agent FROM temp.this_run AS t), ''), a.agent
    ) AS turn
FROM (
    SELECT DISTINCT CAST(agents.agent AS TEXT) COLLATE BINARY AS agent
    FROM agents
    WHERE lower(trim(agents.status)) = 'active' AND trim(agents.agent) <> ''
) AS a
CROSS JOIN temp.rules AS u
LEFT JOIN (
    SELECT m.agent, min(m.max_records) AS max_records
    FROM (
        -- include: _readable_limits
    ) AS m
    WHERE m.starts_on <= :business_date AND (m.ends_on IS NULL OR m.ends_on >= :business_date)
    GROUP BY m.agent
) AS l ON a.agent = l.agent;

-- The run keeps who has less room than the rules allow, or none.
DROP TABLE IF EXISTS temp.limited;

CREATE TEMP TABLE limited AS
SELECT r.agent, r.room AS max_records
FROM temp.room AS r
CROSS JOIN temp.rules AS u
WHERE r.room < u.max_per_agent;

DELETE FROM temp.room
WHERE room <= 0;

-- A failed attempt keeps the message, so it says which of the two it was: all who are active have a limit of 0.
SELECT
    50002 AS throw,
    CASE
        WHEN NOT EXISTS (SELECT 1 FROM temp.limited)
            THEN 'No agent is active; nothing was changed. Activate an agent.'
        ELSE 'All active agents (' || (SELECT count(*) FROM temp.limited) || ') are away on ' || :business_date
            || '; nothing was changed. Activate another agent, or remove a limit of 0.'
    END AS message
WHERE NOT EXISTS (SELECT 1 FROM temp.room);

-- 2. The pool. First come all eligible rows, ordered by number. That is the order of the table's key, if it has one,
-- and it puts the rows of a number side by side. A rowid table numbers its rows in the order of insertion.
--
-- ISO 8601 has many ways to write a date. All begin with the day, so comparing the texts shows exactly whether a lead
-- is too old; comparing the moments shows, to the millisecond, which of two leads is older. The query pool_report has
-- the same conditions.

DROP TABLE IF EXISTS temp.record;

CREATE TEMP TABLE record (
    ordinal INTEGER PRIMARY KEY,
    number TEXT,
    stage INTEGER,
    date TEXT,
    moment REAL,
    -- 0 = in the pool, 1 = behind another record of its number, 2 = must not be dealt, 3 = kept out by an outcome,
    -- 4 = a further row of a record, 5 = in the pool as a call-back that is due
    kind INTEGER
);

INSERT INTO temp.record (number, stage, date, moment, kind)
SELECT
    w.number,
    w.stage,
    w.date,
    julianday(w.date),
    0
FROM wafunnel AS w
WHERE w.stage < 4
    AND w.date >= (SELECT t.oldest FROM temp.this_run AS t)
    AND trim(w.number) <> ''
    AND (
        -- include: _is_a_date
    )
ORDER BY w.number COLLATE BINARY;

-- include: _matched

-- include: _kept_and_due

UPDATE temp.record SET kind = 2
WHERE number IN (SELECT m.number FROM temp.matched AS m WHERE m.listed);

-- include: _mark_kept_and_due

-- Rows that are equal in number, stage and date are one record. If a match key has several records that nothing keeps
-- out, the first in deal order is in the pool.
DROP TABLE IF EXISTS temp.repeated;

CREATE TEMP TABLE repeated AS
SELECT
    r.ordinal,
    min(r.ordinal) OVER (PARTITION BY r.number, r.stage, r.date) AS first_ordinal,
    dense_rank() OVER (
        PARTITION BY coalesce(m.first_number, r.number)
        ORDER BY
            r.kind = 3,
            c.ordinal IS NULL,
            c.call_back_on,
            r.stage,
            CASE WHEN (SELECT u.newest_first FROM temp.rules AS u) THEN -r.moment ELSE r.moment END,
            r.number,
            r.date
    ) AS occurrence
FROM temp.record AS r
LEFT JOIN temp.matched AS m ON r.number = m.number
LEFT JOIN temp.due_record AS c ON r.ordinal = c.ordinal
WHERE m.number IS NOT NULL
    OR r.number IN (
        SELECT a.number
        FROM temp.record AS a
        CROSS JOIN temp.record AS b ON b.ordinal = a.ordinal + 1
        WHERE a.number = b.number
    )
    -- Those that are finished or too old are not beside the other rows of their number.
    OR r.number IN (SELECT d.number FROM temp.due AS d);

UPDATE temp.record SET
    kind = CASE
        WHEN c.ordinal <> c.first_ordinal THEN 4
        WHEN record.kind IN (0, 5) AND c.occurrence > 1 THEN 1
        ELSE record.kind
    END
FROM temp.repeated AS c
WHERE record.ordinal = c.ordinal;

-- The pool, in deal order: call-backs that are due come first. If stage and date are equal, the ordinals are in the
-- order of the numbers.
DROP TABLE IF EXISTS temp.pool;

CREATE TEMP TABLE pool (position INTEGER PRIMARY KEY, ordinal INTEGER);

INSERT INTO temp.pool (ordinal)
SELECT r.ordinal
FROM temp.due_record AS d
CROSS JOIN temp.record AS r ON r.ordinal = d.ordinal
WHERE r.kind = 5
ORDER BY
    d.call_back_on,
    r.stage,
    CASE WHEN (SELECT u.newest_first FROM temp.rules AS u) THEN -r.moment ELSE r.moment END,
    r.number;

INSERT INTO temp.pool (ordinal)
SELECT r.ordinal
FROM temp.record AS r
WHERE r.kind = 0
ORDER BY
    r.stage,
    CASE WHEN (SELECT u.newest_first FROM temp.rules AS u) THEN -r.moment ELSE r.moment END,
    r.ordinal;

-- 3. Seats: whose turn is when. All agents take part in the rounds up to the smallest room. In the rounds from there to
-- the next larger room, all agents but the full ones take part, and so on. A segment is such a stretch of rounds, with
-- the positions that are dealt in it.

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
    first_position INTEGER, seat INTEGER, agent TEXT, turn INTEGER, PRIMARY KEY (first_position, seat)
) WITHOUT ROWID;

INSERT INTO temp.seat (first_position, seat, agent, turn)
SELECT
    s.first_position,
    row_number() OVER (PARTITION BY s.first_position ORDER BY r.turn) - 1 AS seat,
    r.agent,
    r.turn
FROM temp.segment AS s
INNER JOIN temp.room AS r ON s.room <= r.room;

-- 4. Even in kind. The rounds decide how many leads each agent gets. An agent who is full with fewer leads than the
-- largest share would have the first leads of the deal only, so the agents of each such number of leads are a group,
-- and all others are the group 0. Each group deals round by round, and its slots are spread evenly over the deal. Where
-- nobody is full early, there is one group, and nothing to spread.
DROP TABLE IF EXISTS temp.quota;

CREATE TEMP TABLE quota AS
SELECT
    q.agent,
    q.turn,
    q.leads,
    CASE WHEN q.leads = q.room AND q.leads < max(q.leads) OVER () THEN q.leads ELSE 0 END AS group_leads
FROM (
    SELECT
        r.agent,
        r.turn,
        r.room,
        sum(s.positions / s.agents + (h.seat < s.positions % s.agents)) AS leads
    FROM (
        SELECT g.first_position, g.agents, g.last_position - g.first_position + 1 AS positions FROM temp.segment AS g
    ) AS s
    INNER JOIN temp.seat AS h ON s.first_position = h.first_position
    INNER JOIN temp.room AS r ON h.agent = r.agent
    GROUP BY r.agent
) AS q;

-- include: _keep_call_backs

-- The agent of each position; empty if there is one group. Call-backs that stay with their agent have no position here,
-- and these agents are grouped by the number that is left. The keys of two slots are equal only if their fractions are:
-- a REAL is exact enough.
DROP TABLE IF EXISTS temp.slot;

CREATE TEMP TABLE slot (position INTEGER PRIMARY KEY, agent TEXT, turn INTEGER);

INSERT INTO temp.slot (agent, turn)
SELECT q.agent, q.turn
FROM (
    SELECT
        o.agent,
        o.turn,
        o.leads,
        o.group_leads,
        row_number() OVER (PARTITION BY o.group_leads ORDER BY o.turn) - 1 AS seat,
        count(*) OVER (PARTITION BY o.group_leads) AS agents,
        sum(o.leads) OVER (PARTITION BY o.group_leads) AS slots
    FROM temp.quota AS o
    WHERE o.leads > 0
) AS q
-- The rounds of an agent; the first positions of the pool count them.
CROSS JOIN temp.pool AS p ON p.position <= q.leads
WHERE EXISTS (SELECT 1 FROM temp.quota AS l WHERE l.group_leads > 0) OR EXISTS (SELECT 1 FROM temp.stayed)
ORDER BY (2 * ((p.position - 1) * q.agents + q.seat) + 1) / (2.0 * q.slots), q.group_leads;

-- The dealt leads, in the order of the keys that will be written.
DROP TABLE IF EXISTS temp.dealt;

CREATE TEMP TABLE dealt (ordinal INTEGER PRIMARY KEY, agent TEXT, turn INTEGER, position INTEGER);

INSERT INTO temp.dealt (ordinal, agent, turn, position)
SELECT p.ordinal, h.agent, h.turn, p.position
FROM temp.segment AS s
CROSS JOIN temp.pool AS p ON p.position BETWEEN s.first_position AND s.last_position
CROSS JOIN temp.seat AS h ON h.first_position = s.first_position AND h.seat = (p.position - s.first_position) % s.agents
WHERE NOT EXISTS (SELECT 1 FROM temp.slot) AND NOT EXISTS (SELECT 1 FROM temp.stayed)
ORDER BY p.ordinal;

INSERT INTO temp.dealt (ordinal, agent, turn, position)
SELECT p.ordinal, o.agent, o.turn, p.position
FROM temp.slot AS o
CROSS JOIN temp.pool AS p ON p.position = o.position
WHERE NOT EXISTS (SELECT 1 FROM temp.stayed)
ORDER BY p.ordinal;

-- include: _deal_around_call_backs

-- include: _keep_talked

-- 5. A fresh voice. Within each class, leads whose slot is that of the agent who had them last change places, so that
-- as few as possible meet the same agent again. What each agent gets of each class, and whose turn is next, stay as
-- they are. Leads that stay with their agent have no part in this. First: the agent who had each lead last, from the
-- newest run that is not undone and has its history.
DROP TABLE IF EXISTS temp.past_run;

CREATE TEMP TABLE past_run AS
SELECT r.run_id
FROM assignment_run AS r
WHERE r.status = 'succeeded' AND NOT EXISTS (SELECT 1 FROM assignment_purge AS p WHERE p.run_id = r.run_id);

-- The same for the match keys that several numbers have.
DROP TABLE IF EXISTS temp.key_heard;

CREATE TEMP TABLE key_heard (first_number TEXT PRIMARY KEY, agent TEXT) WITHOUT ROWID;

INSERT INTO temp.key_heard (first_number, agent)
SELECT k.first_number, k.agent
FROM (
    SELECT
        m.first_number,
        h.agent,
        row_number() OVER (PARTITION BY m.first_number ORDER BY h.run_id DESC, h.number) AS place
    FROM temp.matched AS m
    CROSS JOIN assignment_history AS h ON h.number = m.number
    WHERE NOT m.listed AND +h.run_id IN (SELECT p.run_id FROM temp.past_run AS p)
) AS k
WHERE k.place = 1;

DROP TABLE IF EXISTS temp.heard;

CREATE TEMP TABLE heard (
    ordinal INTEGER PRIMARY KEY,
    class INTEGER,
    turn INTEGER,
    position INTEGER,
    -- 1 = the agent is the one who had the lead last, 0 = another had it, or the lead stays, NULL = nobody had it
    same INTEGER
);

INSERT INTO temp.heard (ordinal, class, turn, position, same)
SELECT
    d.ordinal,
    -- include: _class
    ,
    d.turn,
    d.position,
    (
        d.agent = (
            -- include: _last_agent
        )
    ) * (d.ordinal NOT IN (SELECT s.ordinal FROM temp.stayed AS s))
FROM temp.dealt AS d
CROSS JOIN temp.record AS r ON r.ordinal = d.ordinal
LEFT JOIN temp.matched AS m ON m.number = r.number
WHERE EXISTS (SELECT 1 FROM temp.past_run)
ORDER BY d.ordinal;

-- The clashes, those of an agent together, in deal order, which has one class after the other. One key sorts faster
-- than two.
DROP TABLE IF EXISTS temp.clash;

CREATE TEMP TABLE clash (place INTEGER PRIMARY KEY, ordinal INTEGER, class INTEGER, turn INTEGER, position INTEGER);

INSERT INTO temp.clash (ordinal, class, turn, position)
SELECT h.ordinal, h.class, h.turn, h.position
FROM temp.heard AS h
WHERE h.same AND (SELECT u.voice FROM temp.rules AS u) = 'fresh'
ORDER BY h.turn * 4294967296 + h.position;

-- The agents with clashes in each class, the agent with most clashes first. The clashes of an agent have the ranks from
-- `first_rank` to before `next_rank`, among all clashes of the class. Each takes the slot of the one that comes `most`
-- ranks later, from `first_slot` on. It is a slot of another agent, unless one agent has more than half of the clashes.
DROP TABLE IF EXISTS temp.clashing_agent;

CREATE TEMP TABLE clashing_agent AS
SELECT
    t.class,
    t.agent,
    t.first_place,
    t.times,
    t.next_rank - t.times AS first_rank,
    t.next_rank,
    t.next_rank - t.times + t.most AS first_slot,
    t.most,
    t.clashes
FROM (
    SELECT
        g.class,
        r.agent,
        g.first_place,
        g.times,
        sum(g.times) OVER (PARTITION BY g.class ORDER BY g.times DESC, r.agent ROWS UNBOUNDED PRECEDING) AS next_rank,
        max(g.times) OVER (PARTITION BY g.class) AS most,
        sum(g.times) OVER (PARTITION BY g.class) AS clashes
    FROM (
        SELECT
            c.class,
            c.turn,
            c.place AS first_place,
            lead(c.place, 1, n.clashes + 1) OVER (ORDER BY c.place) - c.place AS times
        FROM (SELECT count(*) AS clashes FROM temp.clash) AS n
        CROSS JOIN temp.clash AS c
        LEFT JOIN temp.clash AS b ON b.place = c.place - 1
        WHERE (b.class, b.turn) IS NOT (c.class, c.turn)
    ) AS g
    INNER JOIN temp.room AS r ON g.turn = r.turn
) AS t;

CREATE INDEX temp.ix_clashing_agent ON clashing_agent (class, next_rank, first_rank, agent);

-- The clashes of an agent take the slots of a few others, and after the last rank the first one follows: each piece has
-- clashes that take the slots of one agent. Nobody has more clashes than `most`, so the index need not be read to the
-- end of the class.
DROP TABLE IF EXISTS temp.piece;

CREATE TEMP TABLE piece AS
SELECT
    g.first_place + max(o.first_rank - g.first_slot, 0) AS first_place,
    g.first_place + min(o.next_rank - g.first_slot, g.times) AS next_place,
    o.agent
FROM (
    SELECT n.class, n.first_place, n.times, n.most, n.first_slot FROM temp.clashing_agent AS n
    UNION ALL
    SELECT n.class, n.first_place, n.times, n.most, n.first_slot - n.clashes FROM temp.clashing_agent AS n
) AS g
CROSS JOIN temp.clashing_agent AS o ON o.class = g.class
    AND o.next_rank > g.first_slot
    AND o.next_rank < g.first_slot + g.times + g.most
    AND o.first_rank < g.first_slot + g.times;

INSERT OR REPLACE INTO temp.dealt (ordinal, agent, turn, position)
SELECT c.ordinal, p.agent, NULL, c.position
FROM temp.piece AS p
CROSS JOIN temp.clash AS c ON c.place >= p.first_place AND c.place < p.next_place
ORDER BY c.ordinal;

-- The clashes that remain change places with the first leads of the class that neither have this agent nor had this
-- agent last, as far as there are any.
DROP TABLE IF EXISTS temp.stuck;

CREATE TEMP TABLE stuck AS
SELECT g.class, c.ordinal, g.agent, row_number() OVER (PARTITION BY g.class ORDER BY c.position) AS place
FROM temp.clashing_agent AS g
CROSS JOIN temp.clash AS c ON c.place BETWEEN g.first_place AND g.first_place + g.times - 1
CROSS JOIN temp.dealt AS d ON d.ordinal = c.ordinal
WHERE 2 * g.times > g.clashes AND d.agent = g.agent;

DROP TABLE IF EXISTS temp.partner;

CREATE TEMP TABLE partner AS
SELECT h.class, d.ordinal, d.agent, row_number() OVER (PARTITION BY h.class ORDER BY d.position) AS place
FROM (SELECT DISTINCT s.class, s.agent FROM temp.stuck AS s) AS a
CROSS JOIN temp.heard AS h ON h.class = a.class
CROSS JOIN temp.dealt AS d ON d.ordinal = h.ordinal
CROSS JOIN temp.record AS r ON r.ordinal = h.ordinal
LEFT JOIN temp.matched AS m ON m.number = r.number
WHERE d.agent <> a.agent
    AND h.ordinal NOT IN (SELECT o.ordinal FROM temp.stayed AS o)
    AND (
        -- include: _last_agent
    ) IS NOT a.agent;

UPDATE temp.dealt SET agent = x.agent
FROM (
    SELECT s.ordinal, p.agent
    FROM temp.stuck AS s
    INNER JOIN temp.partner AS p ON s.class = p.class AND s.place = p.place
    UNION ALL
    SELECT p.ordinal, s.agent
    FROM temp.stuck AS s
    INNER JOIN temp.partner AS p ON s.class = p.class AND s.place = p.place
) AS x
WHERE dealt.ordinal = x.ordinal;

-- How many leads came round, how many of them meet the agent who had them last although nobody wants that, and how many
-- leads stay with their agent.
DROP TABLE IF EXISTS temp.met;

CREATE TEMP TABLE met AS
SELECT
    (SELECT count(h.same) FROM temp.heard AS h) AS came_round,
    CASE
        WHEN (SELECT u.voice FROM temp.rules AS u) = 'as-dealt' THEN (SELECT count(*) FROM temp.heard AS h WHERE h.same)
        ELSE (
            SELECT count(*) FROM temp.stuck AS s
            INNER JOIN temp.dealt AS d ON s.ordinal = d.ordinal
            WHERE s.agent = d.agent
        )
    END AS same_agent,
    (SELECT count(*) FROM temp.stayed) AS stayed;

-- 6. The notice: an earlier run of the same business date that is not undone, and how many of these leads were dealt on
-- that date before; and call-backs that are due, for which there is no room.
DROP TABLE IF EXISTS temp.notice;

CREATE TEMP TABLE notice (place INTEGER PRIMARY KEY, sentence TEXT);

INSERT INTO temp.notice (sentence)
SELECT
    'Run ' || b.run_id || ' of ' || :business_date || ' came before this one: '
    || (
        SELECT count(*)
        FROM temp.dealt AS d
        INNER JOIN temp.record AS e ON d.ordinal = e.ordinal
        WHERE EXISTS (
            SELECT 1
            FROM assignment_history AS h
            INNER JOIN assignment_run AS o ON h.run_id = o.run_id
            WHERE h.number = e.number AND h.date = e.date
                AND o.business_date = :business_date AND o.status = 'succeeded'
        )
    )
    || ' leads move on a second time that day. An undo takes that back.' AS sentence
FROM (
    SELECT max(r.run_id) AS run_id FROM assignment_run AS r
    WHERE r.business_date = :business_date AND r.status = 'succeeded'
) AS b
WHERE b.run_id IS NOT NULL;

INSERT INTO temp.notice (sentence)
SELECT
    'No agent has room for ' || count(*) || CASE count(*) WHEN 1 THEN ' call-back that is' ELSE ' call-backs that are' END
    || ' due; the next deal has ' || CASE count(*) WHEN 1 THEN 'it' ELSE 'them' END || ' again.'
FROM temp.due_record AS d
CROSS JOIN temp.record AS r ON r.ordinal = d.ordinal
WHERE r.kind = 5 AND d.ordinal NOT IN (SELECT t.ordinal FROM temp.dealt AS t)
HAVING count(*) > 0;
