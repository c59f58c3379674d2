-- Leads: search, one number, counts by stage, and the report on the pool.
-- A page begins after the last row of the page before it. Numbers are in byte order; NULL and blank ones are left out.

-- name: _is_a_date
-- Whether a lead's date is an ISO 8601 text: a moment that begins with a day of the calendar. SQLite also reads times
-- of day, words such as 'now', and numbers as moments (it counts days since 4714 BC, and so reads the day numbers of
-- spreadsheets). Adding no days turns 31 February into a day of March; that takes longer, so the pattern spares it for
-- days that every month has.
julianday(w.date) IS NOT NULL AND (
    w.date GLOB '????-??-[0-2][0-8]*' OR date(substr(w.date, 1, 10), '+0 days') = substr(w.date, 1, 10)
)

-- name: _matched_numbers
-- The numbers that share their match key with another number, each with the first number of its key: a table to use.
matched AS MATERIALIZED (
    SELECT k.number, min(k.number) OVER (PARTITION BY k.match_key) AS first_number
    FROM number_key AS k
    WHERE k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
        AND k.match_key IN (
            SELECT n.match_key FROM number_key AS n
            WHERE n.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
            GROUP BY n.match_key, n.country
            HAVING count(*) > 1
        )
)

-- name: _page_of_leads
-- A page of the rows found; for each lead its agent, its copies, and whether its number is on the do-not-contact list.
page AS MATERIALIZED (
    SELECT DISTINCT v.number, v.stage, v.moment
    FROM found AS v
    WHERE trim(v.number) <> ''
        AND (
            :after_number IS NULL
            OR v.number > :after_number COLLATE BINARY
            OR (
                v.number = :after_number COLLATE BINARY
                AND (coalesce(v.stage, -2147483649), coalesce(v.moment, ''))
                > (coalesce(:after_stage, -2147483649), coalesce(:after_date, ''))
            )
        )
        AND (:stage IS NULL OR v.stage = :stage)
        AND (:date_from IS NULL OR (v.date >= :date_from AND v.moment IS NOT NULL))
        AND (:date_before IS NULL OR (v.date < :date_before AND v.moment IS NOT NULL))
    ORDER BY v.number COLLATE BINARY, v.stage, v.moment
    LIMIT :count
)

SELECT
    p.number,
    p.stage,
    p.moment AS date,
    n.agent,
    EXISTS (SELECT 1 FROM do_not_contact_entry AS d WHERE d.number = p.number COLLATE BINARY) OR EXISTS (
        SELECT 1
        FROM number_key AS k
        INNER JOIN number_key AS s ON s.match_key = k.match_key AND s.country = k.country
        INNER JOIN do_not_contact_entry AS d ON d.number = s.number
        WHERE k.number = p.number COLLATE BINARY
            AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    ) AS do_not_contact,
    c.copies
FROM page AS p
INNER JOIN (
    SELECT
        w.number,
        w.stage,
        CASE
            WHEN
                -- include: _is_a_date
                THEN strftime('%Y-%m-%d %H:%M:%f', w.date)
        END AS moment,
        count(*) AS copies
    FROM wafunnel AS w
    WHERE w.number COLLATE BINARY IN (SELECT q.number FROM page AS q)
    GROUP BY w.number COLLATE BINARY, w.stage, moment
) AS c ON c.number = p.number COLLATE BINARY AND c.stage IS p.stage AND c.moment IS p.moment
LEFT JOIN (
    SELECT a.number, min(a.agent) AS agent
    FROM agent_wafunnel_assignment AS a
    WHERE a.number COLLATE BINARY IN (SELECT q.number FROM page AS q)
    GROUP BY a.number COLLATE BINARY
) AS n ON n.number = p.number COLLATE BINARY
ORDER BY p.number COLLATE BINARY, p.stage, p.moment;

-- name: leads
-- A page of leads: those after a number, stage and date, of one stage and between two days if these are given, each
-- once. Dates have milliseconds. A date that cannot be read is NULL.
WITH found AS NOT MATERIALIZED (
    SELECT
        w.number,
        w.stage,
        w.date,
        CASE
            WHEN
                -- include: _is_a_date
                THEN strftime('%Y-%m-%d %H:%M:%f', w.date)
        END AS moment
    FROM wafunnel AS w
    WHERE w.number >= coalesce(:after_number, '') COLLATE BINARY
),

-- include: _page_of_leads

-- name: leads_of_number
-- The same page of leads, but of one number only: in its usual spellings, and in those that have its match key. Or of
-- the numbers that end with :digits, if they are given.
WITH found AS NOT MATERIALIZED (
    SELECT
        w.number,
        w.stage,
        w.date,
        CASE
            WHEN
                -- include: _is_a_date
                THEN strftime('%Y-%m-%d %H:%M:%f', w.date)
        END AS moment
    FROM wafunnel AS w
    WHERE w.number COLLATE BINARY IN (
        VALUES (:spelling_1), (:spelling_2), (:spelling_3), (:spelling_4), (:spelling_5)
        UNION
        SELECT k.number FROM number_key AS k
        WHERE k.match_key = :match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
        UNION
        SELECT k.number FROM number_key AS k
        WHERE k.ending = substr(:digits, -4) AND substr(k.match_key, -length(:digits)) = :digits
            AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
    )
),

-- include: _page_of_leads

-- name: leads_of_import
-- The same page of leads, but of those numbers only that an import added or changed.
WITH found AS NOT MATERIALIZED (
    SELECT
        w.number,
        w.stage,
        w.date,
        CASE
            WHEN
                -- include: _is_a_date
                THEN strftime('%Y-%m-%d %H:%M:%f', w.date)
        END AS moment
    FROM wafunnel AS w
    WHERE w.number >= coalesce(:after_number, '') COLLATE BINARY
        AND w.number COLLATE BINARY IN (SELECT l.number FROM import_lead AS l WHERE l.import_id = :import_id)
),

-- include: _page_of_leads

-- name: lead_now
-- The agent who has a number now, in any spelling; NULL if nobody has it.
WITH spelling AS MATERIALIZED (
    SELECT :number AS number
    UNION
    SELECT k.number FROM number_key AS k
    WHERE k.match_key = :match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
)

SELECT min(a.agent) AS agent FROM agent_wafunnel_assignment AS a
WHERE a.number COLLATE BINARY IN (SELECT s.number FROM spelling AS s);

-- name: funnel
-- How many rows of wafunnel each stage has; NULL stands for an invalid stage.
SELECT w.stage, count(*) AS leads
FROM (SELECT CASE WHEN f.stage BETWEEN 1 AND 4 THEN CAST(f.stage AS INTEGER) END AS stage FROM wafunnel AS f) AS w
GROUP BY w.stage
ORDER BY w.stage;

-- name: pool_report
-- Counts each row of wafunnel once, under the first of these reasons that applies: it is unusable (a blank number, no
-- stage or no date); its number is in the present assignments; its stage is 4 or more; it is too old; its number is on
-- the do-not-contact list; it waits behind another record of its number; it is in the pool and left over. The
-- conditions of the pool (stage, window, number) are also in deal/plan.sql, part 2: change both. Numbers with the same
-- match key are the same number; the deal order matters only among their records, so only those are ranked.
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
            WHEN w.stage >= 4 THEN 'at_stage_4'
            WHEN w.date < (SELECT date(:business_date, '-' || :window_days || ' days')) THEN 'too_old'
            WHEN
                w.number COLLATE BINARY IN (
                    -- include: _suppressed_numbers
                )
                THEN 'do_not_contact'
            ELSE 'pool'
        END AS reason
    FROM wafunnel AS w
),

repeated AS (
    SELECT w.number
    FROM wafunnel AS w
    WHERE w.stage < 4 AND w.date >= (SELECT date(:business_date, '-' || :window_days || ' days'))
    GROUP BY w.number COLLATE BINARY
    HAVING count(*) > 1
    UNION
    SELECT m.number FROM matched AS m
),

ranked AS MATERIALIZED (
    SELECT
        dense_rank() OVER (
            PARTITION BY coalesce(m.first_number, g.number COLLATE BINARY)
            ORDER BY
                g.stage, julianday(g.date) * CASE WHEN :newest_first THEN -1 ELSE 1 END, g.number COLLATE BINARY, g.date
        ) AS occurrence
    FROM given AS g
    LEFT JOIN matched AS m ON m.number = g.number
    WHERE g.number COLLATE BINARY IN (SELECT r.number FROM repeated AS r) AND g.reason = 'pool'
)

SELECT
    coalesce(sum(g.reason = 'dealt'), 0) AS dealt,
    coalesce(sum(g.reason = 'pool'), 0) - (SELECT count(*) FROM ranked AS r WHERE r.occurrence > 1) AS left_over,
    coalesce(sum(g.reason = 'at_stage_4'), 0) AS at_stage_4,
    coalesce(sum(g.reason = 'too_old'), 0) AS too_old,
    coalesce(sum(g.reason = 'do_not_contact'), 0) AS do_not_contact,
    (SELECT count(*) FROM ranked AS r WHERE r.occurrence > 1) AS duplicate,
    coalesce(sum(g.reason = 'unusable'), 0) AS unusable,
    count(*) AS total
-- LIMIT -1 limits nothing, but keeps SQLite from computing the reason again for each sum.
FROM (SELECT v.reason FROM given AS v LIMIT -1) AS g;

-- name: count_leads
-- How many leads and how many agents there are.
SELECT (SELECT count(*) FROM wafunnel) AS leads, (SELECT count(*) FROM agents) AS agents;
