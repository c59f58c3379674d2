-- Leads: the report on the pool.

-- name: _kept_out_numbers
-- What outcomes keep out of the deal of the day :business_date: tables to use after the matched numbers. call_back has
-- the call-backs that no run has handed out; kept_out has what is reported of a number, in every spelling; closed has
-- the leads that are won or lost with a date after the day of the report. The same conditions are in deal/outcomes.sql.
call_back AS MATERIALIZED (
    SELECT o.number, o.date, o.call_back_on, o.run_id FROM assignment_outcome AS o
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
        )
),

kept_out AS MATERIALIZED (
    SELECT
        coalesce(i.number, o.number) AS number,
        max(o.outcome = 'wrong_number') AS wrong,
        max(CASE WHEN o.outcome = 'won' THEN o.reported_on END) AS won_on,
        max(CASE WHEN o.outcome = 'lost' THEN o.reported_on END) AS lost_on,
        max(o.outcome = 'call_back') AS later
    FROM (
        SELECT a.number, a.outcome, a.reported_on FROM assignment_outcome AS a
        WHERE a.stands = 1 AND a.outcome IN ('wrong_number', 'won', 'lost')
        UNION ALL
        SELECT b.number, 'call_back', NULL FROM call_back AS b
        WHERE b.call_back_on > :business_date
    ) AS o
    LEFT JOIN matched AS m ON m.number = o.number
    LEFT JOIN matched AS i ON i.first_number = m.first_number
    GROUP BY coalesce(i.number, o.number)
),

-- Leads that are won or lost, with a date after the day of the report.
closed AS MATERIALIZED (
    SELECT o.number, o.date, max(o.outcome) AS outcome FROM assignment_outcome AS o
    WHERE o.stands = 1 AND o.outcome IN ('won', 'lost') AND substr(o.date, 1, 10) > o.reported_on
    GROUP BY o.number, o.date
)

-- name: _pool_reasons
-- The reason of each row of wafunnel, as in pool_report, in the table `given`, with the day of a call-back that is due.
-- `repeated` has the numbers with several records, and `ranked` the place of each of their records in the pool, among
-- those of its number in deal order. They come after the tables held and _kept_out_numbers.
-- The call-backs that are due. SQLite takes the day from the row with the greatest run.
due AS MATERIALIZED (
    SELECT b.number, b.date, b.call_back_on, max(b.run_id) AS run_id FROM call_back AS b
    WHERE b.call_back_on <= :business_date
    GROUP BY b.number, b.date
),

given AS NOT MATERIALIZED (
    SELECT
        w.number,
        w.stage,
        w.date,
        CASE
            WHEN
                coalesce(trim(w.number), '') = '' OR w.stage IS NULL OR (
                    -- include: _is_a_date
                ) IS NOT TRUE
                THEN 'unusable'
            WHEN w.number COLLATE BINARY IN (SELECT h.number FROM held AS h) THEN 'dealt'
            WHEN
                w.number COLLATE BINARY IN (
                    -- include: _suppressed_numbers
                )
                THEN 'do_not_contact'
            WHEN k.wrong THEN 'wrong_number'
            WHEN substr(w.date, 1, 10) <= k.won_on OR c.outcome = 'won' THEN 'won'
            WHEN substr(w.date, 1, 10) <= k.lost_on OR c.outcome = 'lost' THEN 'lost'
            WHEN k.later THEN 'call_back_to_come'
            WHEN b.number IS NOT NULL THEN 'pool'
            WHEN w.stage >= 4 THEN 'at_stage_4'
            WHEN w.date < (SELECT date(:business_date, '-' || :window_days || ' days')) THEN 'too_old'
            ELSE 'pool'
        END AS reason,
        b.call_back_on
    FROM wafunnel AS w
    LEFT JOIN kept_out AS k ON k.number = w.number COLLATE BINARY
    LEFT JOIN closed AS c ON c.number = w.number COLLATE BINARY AND c.date = w.date
    LEFT JOIN due AS b ON b.number = w.number COLLATE BINARY AND b.date = w.date
),

repeated AS (
    SELECT w.number
    FROM wafunnel AS w
    WHERE
        w.number IS NOT NULL AND w.stage < 4
        AND w.date >= (SELECT date(:business_date, '-' || :window_days || ' days'))
    GROUP BY w.number COLLATE BINARY
    HAVING count(*) > 1
    UNION
    SELECT m.number FROM matched AS m
    UNION
    SELECT b.number FROM due AS b
),

ranked AS MATERIALIZED (
    SELECT
        g.number,
        g.stage,
        g.date,
        g.call_back_on,
        dense_rank() OVER (
            PARTITION BY coalesce(m.first_number, g.number COLLATE BINARY)
            ORDER BY
                g.call_back_on IS NULL,
                g.call_back_on,
                g.stage,
                julianday(g.date) * CASE WHEN :newest_first THEN -1 ELSE 1 END,
                g.number COLLATE BINARY,
                g.date
        ) AS occurrence
    FROM given AS g
    LEFT JOIN matched AS m ON m.number = g.number
    WHERE g.number COLLATE BINARY IN (SELECT r.number FROM repeated AS r) AND g.reason = 'pool'
)

-- name: pool_report
-- Counts each row of wafunnel once, under the first of these reasons that applies: it is unusable (a blank number, no
-- stage or no date); its number is in the present assignments; its number is on the do-not-contact list; an outcome
-- keeps it out (its number is wrong, it is won or lost, or its number is to be called back later); its stage is 4 or
-- more; it is too old; it waits behind another record of its number; it is in the pool and left over. A call-back that
-- is due is in the pool whatever its stage and age. The conditions of the pool are also in deal/plan.sql, part 2: change
-- both. Numbers with the same match key are the same number; the deal order matters only among their records, so only
-- those are ranked.
WITH
-- include: _matched_numbers
,

held AS MATERIALIZED (
    SELECT a.number FROM agent_wafunnel_assignment AS a
    UNION
    SELECT o.number
    FROM agent_wafunnel_assignment AS a
    INNER JOIN matched AS m ON m.number = a.number
    INNER JOIN matched AS o ON o.first_number = m.first_number
),

-- include: _kept_out_numbers
,

-- include: _pool_reasons

SELECT
    coalesce(sum(g.reason = 'dealt'), 0) AS dealt,
    coalesce(sum(g.reason = 'pool'), 0) - (SELECT count(*) FROM ranked AS r WHERE r.occurrence > 1) AS left_over,
    coalesce(sum(g.reason = 'at_stage_4'), 0) AS at_stage_4,
    coalesce(sum(g.reason = 'too_old'), 0) AS too_old,
    coalesce(sum(g.reason = 'do_not_contact'), 0) AS do_not_contact,
    coalesce(sum(g.reason = 'wrong_number'), 0) AS wrong_number,
    coalesce(sum(g.reason = 'won'), 0) AS won,
    coalesce(sum(g.reason = 'lost'), 0) AS lost,
    coalesce(sum(g.reason = 'call_back_to_come'), 0) AS call_back_to_come,
    (SELECT count(*) FROM ranked AS r WHERE r.occurrence > 1) AS duplicate,
    coalesce(sum(g.reason = 'unusable'), 0) AS unusable,
    count(*) AS total
-- LIMIT -1 limits nothing, but keeps SQLite from computing the reason again for each sum.
FROM (SELECT v.reason FROM given AS v LIMIT -1) AS g;

-- name: pool_leads
-- The pool, as a deal would have it now: its records in deal order. The present assignments do not matter, since a deal
-- clears them. Equal rows are one record, and of the records of a match key the first one is in the pool.
WITH
-- include: _matched_numbers
,

held AS (SELECT NULL AS number WHERE 0),

-- include: _kept_out_numbers
,

-- include: _pool_reasons

SELECT p.number, p.stage, p.date, p.call_back_on
FROM (
    SELECT g.number, g.stage, g.date, g.call_back_on
    FROM given AS g
    WHERE g.number COLLATE BINARY NOT IN (SELECT r.number FROM repeated AS r) AND g.reason = 'pool'
    UNION ALL
    SELECT DISTINCT r.number, r.stage, r.date, r.call_back_on
    FROM ranked AS r
    WHERE r.occurrence = 1
) AS p
ORDER BY
    p.call_back_on IS NULL,
    p.call_back_on,
    p.stage,
    julianday(p.date) * CASE WHEN :newest_first THEN -1 ELSE 1 END,
    p.number COLLATE BINARY;
