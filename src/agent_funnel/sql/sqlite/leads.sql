-- Leads: search, one number, and counts by stage. The report on the pool is in leads/.
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

-- name: _rows_from_number
-- The rows of wafunnel from a number on, each with its moment to the millisecond; NULL if the date cannot be read.
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
    -- include: _rows_from_number
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
    -- include: _rows_from_number
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

-- name: count_leads
-- How many leads and how many agents there are.
SELECT (SELECT count(*) FROM wafunnel) AS leads, (SELECT count(*) FROM agents) AS agents;
