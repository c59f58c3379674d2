-- Call-backs: those that agents have reported, and no run in force has handed out.

-- name: _open_call_back
-- The condition of a call-back o that no run in force has handed out.
o.stands = 1 AND o.outcome = 'call_back'
AND NOT EXISTS (
    SELECT 1
    FROM assignment_call_back AS c
    INNER JOIN assignment_run AS r ON c.run_id = r.run_id
    WHERE c.outcome_id = o.outcome_id AND r.status = 'succeeded'
)

-- name: call_backs
-- A page of the call-backs, by their day: those after a call-back, and of an agent. state is to_come, due on
-- :business_date, passed_over (a deal since its day has not handed it out), or the reason why no deal does: its number is
-- on a do-not-contact list (do_not_contact) or wrong (wrong_number), it is won or lost, the record is gone, or the
-- number has another call-back with a later day (later). The conditions are those of deal/outcomes.sql.
WITH wanted AS MATERIALIZED (
    SELECT o.outcome_id, o.run_id, o.agent, o.number, o.date, o.call_back_on, o.same_agent, o.note, o.reported_at
    FROM assignment_outcome AS o
    WHERE (:agent IS NULL OR o.agent = :agent)
        AND (o.call_back_on, o.outcome_id) > (coalesce(:after_day, ''), coalesce(:after_id, 0))
        AND
        -- include: _open_call_back
    ORDER BY o.call_back_on, o.outcome_id
    LIMIT :count
),

spelling AS MATERIALIZED (
    SELECT b.outcome_id, b.number FROM wanted AS b
    UNION
    SELECT b.outcome_id, s.number
    FROM wanted AS b
    CROSS JOIN number_key AS k ON k.number = b.number
        AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    CROSS JOIN number_key AS s ON s.match_key = k.match_key AND s.country = k.country
),

listed AS MATERIALIZED (
    SELECT s.outcome_id
    FROM spelling AS s
    CROSS JOIN do_not_contact_entry AS d ON d.number = s.number
),

-- The other outcomes that hold of the numbers.
other AS MATERIALIZED (
    SELECT s.outcome_id, o.outcome, o.reported_on, o.number, o.date
    FROM spelling AS s
    CROSS JOIN assignment_outcome AS o ON o.number = s.number
    WHERE o.stands = 1 AND o.outcome IN ('wrong_number', 'won', 'lost')
    UNION ALL
    SELECT s.outcome_id, 'later', NULL, o.number, o.date
    FROM spelling AS s
    CROSS JOIN assignment_outcome AS o ON o.number = s.number
    WHERE o.call_back_on > :business_date AND o.outcome_id <> s.outcome_id
        AND
        -- include: _open_call_back
),

record AS MATERIALIZED (
    SELECT DISTINCT CAST(w.number AS TEXT) AS number, w.date FROM wafunnel AS w
    WHERE w.number COLLATE BINARY IN (SELECT b.number FROM wanted AS b) AND w.stage IS NOT NULL
)

SELECT
    b.outcome_id, b.run_id, b.agent, b.number, b.call_back_on, b.same_agent, b.note, b.reported_at,
    CASE
        WHEN b.outcome_id IN (SELECT d.outcome_id FROM listed AS d) THEN 'do_not_contact'
        WHEN EXISTS (SELECT 1 FROM other AS o WHERE o.outcome_id = b.outcome_id AND o.outcome = 'wrong_number')
            THEN 'wrong_number'
        WHEN EXISTS (
                SELECT 1 FROM other AS o
                WHERE o.outcome_id = b.outcome_id AND o.outcome IN ('won', 'lost')
                    AND (substr(b.date, 1, 10) <= o.reported_on OR (o.number = b.number AND o.date = b.date))
            )
            THEN (
                SELECT max(o.outcome) FROM other AS o
                WHERE o.outcome_id = b.outcome_id AND o.outcome IN ('won', 'lost')
                    AND (substr(b.date, 1, 10) <= o.reported_on OR (o.number = b.number AND o.date = b.date))
            )
        WHEN NOT EXISTS (SELECT 1 FROM record AS w WHERE w.number = b.number AND w.date = b.date) THEN 'gone'
        WHEN b.call_back_on > :business_date THEN 'to_come'
        WHEN EXISTS (SELECT 1 FROM other AS o WHERE o.outcome_id = b.outcome_id AND o.outcome = 'later') THEN 'later'
        WHEN EXISTS (
                SELECT 1 FROM assignment_run AS r
                WHERE r.run_id > b.run_id AND r.status = 'succeeded' AND r.business_date >= b.call_back_on
            )
            THEN 'passed_over'
        ELSE 'due'
    END AS state
FROM wanted AS b
ORDER BY b.call_back_on, b.outcome_id;

-- name: count_call_backs
-- How many call-backs are due on :business_date, and how many are to come, whatever keeps them out.
SELECT
    coalesce(sum(o.call_back_on <= :business_date), 0) AS due,
    coalesce(sum(o.call_back_on > :business_date), 0) AS to_come
FROM assignment_outcome AS o
WHERE
    -- include: _open_call_back
;
