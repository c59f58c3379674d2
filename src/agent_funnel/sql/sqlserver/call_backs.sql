/*
Call-backs: those that agents have reported, and no run in force has handed out.
*/

-- name: call_backs
-- A page of the call-backs, by their day: those after a call-back, and of an agent. state is to_come, due on
-- @business_date, passed_over (a deal since its day has not handed it out), or the reason why no deal does: its number
-- is on a do-not-contact list (do_not_contact) or wrong (wrong_number), it is won or lost, the record is gone, or the
-- number has another call-back with a later day (later). The conditions are those of
-- deal/sp_assign_wafunnel_to_agents.sql, part 5.
-- include: _greatest_numbers

DECLARE
    @business_date DATE = %(business_date)s,
    @agent NVARCHAR(255) = %(agent)s,
    @after_day DATE = COALESCE(%(after_day)s, '0001-01-01'),
    @after_id BIGINT = COALESCE(%(after_id)s, 0),
    @country VARCHAR(2) = COALESCE(%(country)s, (SELECT f.country FROM dbo.floor_country AS f));

DECLARE @wanted TABLE (
    outcome_id BIGINT NOT NULL PRIMARY KEY,
    run_id BIGINT NOT NULL,
    agent NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    date DATETIME2(3) NOT NULL,
    call_back_on DATE NOT NULL,
    same_agent BIT NOT NULL,
    note NVARCHAR(1000) NULL,
    reported_at DATETIME2(3) NOT NULL
);
-- The numbers of each call-back that have its match key.
DECLARE @spelling TABLE (
    outcome_id BIGINT NOT NULL,
    number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
    PRIMARY KEY (outcome_id, number)
);
-- What keeps a call-back out: the first reason by its place counts.
DECLARE @reason TABLE (
    outcome_id BIGINT NOT NULL,
    place INT NOT NULL,
    PRIMARY KEY (outcome_id, place)
);

INSERT INTO @wanted (outcome_id, run_id, agent, number, date, call_back_on, same_agent, note, reported_at)
SELECT TOP (%(count)s)
    o.outcome_id, o.run_id, o.agent, o.number, CAST(o.date AS DATETIME2(3)), o.call_back_on, o.same_agent, o.note,
    o.reported_at
FROM dbo.assignment_outcome AS o
WHERE
    o.stands = 1 AND o.outcome = 'call_back'
    AND (@agent IS NULL OR o.agent = @agent)
    AND (o.call_back_on > @after_day OR (o.call_back_on = @after_day AND o.outcome_id > @after_id))
    AND NOT EXISTS (
        SELECT 1
        FROM dbo.assignment_call_back AS c
        INNER JOIN dbo.assignment_run AS r ON c.run_id = r.run_id
        WHERE
            c.outcome_id = o.outcome_id AND r.status = 'succeeded'
            AND NOT EXISTS (
                SELECT 1 FROM dbo.assignment_outcome AS n
                WHERE
                    n.run_id = c.run_id AND n.number = o.number AND n.stands = 1
                    AND n.outcome = 'not_worked'
            )
    )
ORDER BY o.call_back_on, o.outcome_id;

INSERT INTO @spelling (outcome_id, number)
SELECT b.outcome_id, b.number FROM @wanted AS b
UNION
SELECT b.outcome_id, s.number
FROM @wanted AS b
INNER JOIN dbo.number_key AS k ON b.number = k.number
INNER JOIN dbo.number_key AS s ON k.match_key = s.match_key AND k.country = s.country
WHERE k.country = @country;

INSERT INTO @reason (outcome_id, place)
SELECT s.outcome_id, 1
FROM @spelling AS s
INNER JOIN dbo.do_not_contact_entry AS d ON s.number = d.number
UNION
SELECT
    b.outcome_id,
    CASE o.outcome WHEN 'wrong_number' THEN 2 WHEN 'won' THEN 3 WHEN 'lost' THEN 4 ELSE 7 END
FROM @wanted AS b
INNER JOIN @spelling AS s ON b.outcome_id = s.outcome_id
INNER JOIN dbo.assignment_outcome AS o ON s.number = o.number
WHERE
    o.stands = 1
    AND (
        o.outcome = 'wrong_number'
        OR (
            o.outcome IN ('won', 'lost')
            AND (
                CAST(b.date AS DATE) <= o.reported_on
                OR (o.number = b.number AND CAST(o.date AS DATETIME2(3)) = b.date)
            )
        )
        OR (
            o.outcome = 'call_back' AND o.call_back_on > @business_date AND o.outcome_id <> b.outcome_id
            AND NOT EXISTS (
                SELECT 1
                FROM dbo.assignment_call_back AS c
                INNER JOIN dbo.assignment_run AS r ON c.run_id = r.run_id
                WHERE
                    c.outcome_id = o.outcome_id AND r.status = 'succeeded'
                    AND NOT EXISTS (
                        SELECT 1 FROM dbo.assignment_outcome AS n
                        WHERE
                            n.run_id = c.run_id AND n.number = o.number AND n.stands = 1
                            AND n.outcome = 'not_worked'
                    )
            )
        )
    );

INSERT INTO @reason (outcome_id, place)
SELECT b.outcome_id, 5 FROM @wanted AS b
WHERE NOT EXISTS (
    SELECT 1 FROM dbo.wafunnel AS w
    WHERE
        w.number = ISNULL(
            (
                SELECT f.number FROM dbo.wafunnel AS f
                WHERE 1 = 0
            ),
            CASE
                WHEN
                    @greatest_lead IS NULL
                    OR TRY_CAST(b.number AS BIGINT) BETWEEN -@greatest_lead AND @greatest_lead
                    THEN CAST(CAST(b.number AS SQL_VARIANT) AS NVARCHAR(255))
            END
        )
        AND CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 = b.number
        AND CAST(w.date AS DATETIME2(3)) = b.date AND w.stage IS NOT NULL
);

INSERT INTO @reason (outcome_id, place)
SELECT b.outcome_id, 6 FROM @wanted AS b
WHERE b.call_back_on > @business_date;

INSERT INTO @reason (outcome_id, place)
SELECT b.outcome_id, 8 FROM @wanted AS b
WHERE EXISTS (
    SELECT 1 FROM dbo.assignment_run AS r
    WHERE r.run_id > b.run_id AND r.status = 'succeeded' AND r.business_date >= b.call_back_on
);

SELECT
    b.outcome_id, b.run_id, b.agent, b.number, b.call_back_on, b.same_agent, b.note, b.reported_at,
    CASE n.place
        WHEN 1 THEN 'do_not_contact'
        WHEN 2 THEN 'wrong_number'
        WHEN 3 THEN 'won'
        WHEN 4 THEN 'lost'
        WHEN 5 THEN 'gone'
        WHEN 6 THEN 'to_come'
        WHEN 7 THEN 'later'
        WHEN 8 THEN 'passed_over'
        ELSE 'due'
    END AS state
FROM @wanted AS b
LEFT JOIN (
    SELECT r.outcome_id, MIN(r.place) AS place FROM @reason AS r
    GROUP BY r.outcome_id
) AS n ON b.outcome_id = n.outcome_id
ORDER BY b.call_back_on, b.outcome_id;

-- name: count_call_backs
-- How many call-backs are due on @business_date, and how many are to come, whatever keeps them out.
DECLARE @business_date DATE = %(business_date)s;

SELECT
    COALESCE(SUM(CASE WHEN o.call_back_on <= @business_date THEN 1 ELSE 0 END), 0) AS due,
    COALESCE(SUM(CASE WHEN o.call_back_on > @business_date THEN 1 ELSE 0 END), 0) AS to_come
FROM dbo.assignment_outcome AS o
WHERE
    o.stands = 1 AND o.outcome = 'call_back'
    AND NOT EXISTS (
        SELECT 1
        FROM dbo.assignment_call_back AS c
        INNER JOIN dbo.assignment_run AS r ON c.run_id = r.run_id
        WHERE
            c.outcome_id = o.outcome_id AND r.status = 'succeeded'
            AND NOT EXISTS (
                SELECT 1 FROM dbo.assignment_outcome AS n
                WHERE
                    n.run_id = c.run_id AND n.number = o.number AND n.stands = 1
                    AND n.outcome = 'not_worked'
            )
    );
