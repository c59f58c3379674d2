-- Outcomes: what agents report of their leads, and how a report is taken back. sqlserver/outcomes/sp_report_outcome.sql
-- is the same for SQL Server, and says why it is so.

-- name: _key_reported
-- temp.reported_key: the number of a report, and that of the outcome that has its id already, each with its match key.
DROP TABLE IF EXISTS temp.reported_key;

CREATE TEMP TABLE reported_key (number TEXT NOT NULL PRIMARY KEY, match_key TEXT NOT NULL) WITHOUT ROWID;

INSERT OR IGNORE INTO temp.reported_key (number, match_key)
WITH unkeyed AS (
    SELECT CAST(:number AS TEXT) AS number
    UNION
    SELECT o.number FROM assignment_outcome AS o
    WHERE o.report = :report
),

-- include: _match_keys

SELECT k.number, k.match_key FROM keyed AS k
WHERE TRUE;

-- name: _find_lead
-- temp.reporting: the run of a report, and the lead that it dealt. Without a run, it is the one whose leads the agents had
-- at the time of the report. The leads of a run take reports until the next run ends, or until its undo (closes_at).
DROP TABLE IF EXISTS temp.reporting;

CREATE TEMP TABLE reporting AS
SELECT
    r.run_id,
    r.business_date,
    r.status,
    a.at,
    coalesce(
        (SELECT u.undone_at FROM assignment_undo AS u WHERE u.run_id = r.run_id),
        (SELECT min(n.finished_at) FROM assignment_run AS n WHERE n.status = 'succeeded' AND n.run_id > r.run_id)
    ) AS closes_at,
    NULL AS number,
    NULL AS agent,
    NULL AS date,
    NULL AS stage
FROM (SELECT min(coalesce(:reported_at, :now), :now) AS at) AS a
LEFT JOIN assignment_run AS r
    ON r.run_id = coalesce(
        :run_id,
        (
            SELECT max(h.run_id)
            FROM assignment_run AS h
            LEFT JOIN assignment_undo AS u ON h.run_id = u.run_id
            WHERE h.finished_at <= a.at
                AND (h.status = 'succeeded' OR (h.status = 'undone' AND u.undone_at > a.at))
        ),
        (SELECT max(h.run_id) FROM assignment_run AS h WHERE h.status = 'succeeded')
    );

-- include: _choose_lead

-- The numbers of the run whose match keys nobody has kept for the present country, if it is none of the others.
INSERT OR IGNORE INTO temp.reported_key (number, match_key)
WITH unkeyed AS (
    SELECT h.number
    FROM temp.reporting AS t
    CROSS JOIN assignment_history AS h ON h.run_id = t.run_id
    WHERE t.number IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM number_key AS k
            WHERE k.number = h.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
        )
),

-- include: _match_keys

SELECT k.number, k.match_key FROM keyed AS k
WHERE TRUE;

-- include: _choose_lead

-- name: _choose_lead
-- The lead of the run with the number of the report, or with its match key as far as it is known.
UPDATE temp.reporting SET (number, agent, date, stage) = (
    SELECT h.number, h.agent, h.date, h.stage
    FROM (
        SELECT CAST(:number AS TEXT) AS number
        UNION
        SELECT o.number
        FROM temp.reported_key AS g
        CROSS JOIN temp.reported_key AS o ON o.match_key = g.match_key
        WHERE g.number = :number
        UNION
        SELECT k.number
        FROM temp.reported_key AS g
        CROSS JOIN number_key AS k
            ON k.match_key = g.match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
        WHERE g.number = :number
    ) AS s
    CROSS JOIN assignment_history AS h ON h.run_id = reporting.run_id AND h.number = s.number
    ORDER BY h.number = :number DESC
    LIMIT 1
)
WHERE reporting.number IS NULL;

-- name: _spell_outcome
-- temp.spelling: the number of the lead, and all numbers that have its match key.
DROP TABLE IF EXISTS temp.spelling;

CREATE TEMP TABLE spelling (number TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;

INSERT INTO temp.spelling (number)
SELECT t.number FROM temp.changed_lead AS t
UNION
SELECT s.number
FROM temp.changed_lead AS t
CROSS JOIN number_key AS k
    ON k.number = t.number AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
CROSS JOIN number_key AS s ON s.match_key = k.match_key AND s.country = k.country;

-- name: _holding_outcomes
-- Decides, after a report or a taking back, which outcome holds now of each lead in temp.changed_lead, and the stage of
-- the lead. The stage is that of before the run while the outcome that holds is not_worked. It moves only while no newer
-- run has dealt the record, and the run is not undone. An outcome of a hand-back holds only if there is no other: one
-- that was made before it may come later, from a phone that had no connection.
UPDATE assignment_outcome SET stands = 0
WHERE stands = 1 AND (run_id, number) IN (SELECT t.run_id, t.number FROM temp.changed_lead AS t);

UPDATE assignment_outcome SET stands = 1
WHERE outcome_id IN (
    SELECT (
        SELECT o.outcome_id
        FROM assignment_outcome AS o
        WHERE o.number = t.number AND o.run_id = t.run_id AND o.taken_back_at IS NULL
        ORDER BY
            EXISTS (SELECT 1 FROM assignment_hand_back_lead AS l WHERE l.outcome_id = o.outcome_id),
            o.reported_at DESC, o.outcome_id DESC
        LIMIT 1
    )
    FROM temp.changed_lead AS t
);

UPDATE temp.changed_lead SET
    standing_id = (
        SELECT o.outcome_id FROM assignment_outcome AS o
        WHERE o.number = changed_lead.number AND o.run_id = changed_lead.run_id AND o.stands = 1
    ),
    goes_back = EXISTS (
        SELECT 1 FROM assignment_outcome AS o
        WHERE o.number = changed_lead.number AND o.run_id = changed_lead.run_id AND o.stands = 1 AND o.outcome = 'not_worked'
    ),
    back_id = (
        SELECT o.outcome_id FROM assignment_outcome AS o
        WHERE o.number = changed_lead.number AND o.run_id = changed_lead.run_id AND o.stage_back = 1
    ),
    moves = EXISTS (SELECT 1 FROM assignment_run AS r WHERE r.run_id = changed_lead.run_id AND r.status = 'succeeded')
    AND NOT EXISTS (
        SELECT 1
        FROM assignment_history AS h
        INNER JOIN assignment_run AS r ON r.run_id = h.run_id
        WHERE h.number = changed_lead.number AND h.date = changed_lead.date AND h.run_id > changed_lead.run_id
            AND r.status = 'succeeded'
    );

-- Where the stage goes back, it is one above that of before the run; where it goes forward again, it is that one.
UPDATE temp.changed_lead SET moved = m.step
FROM (
    SELECT DISTINCT t.run_id, t.number, s.step
    FROM temp.changed_lead AS t
    CROSS JOIN (SELECT 1 AS step UNION ALL SELECT -1) AS s
    INNER JOIN wafunnel AS w
        ON w.number = t.number COLLATE BINARY AND +w.stage = t.stage + (s.step > 0) AND +w.date = t.date
    WHERE t.moves
        AND CASE
            WHEN s.step > 0 THEN t.goes_back AND t.back_id IS NULL AND t.stage < 4
            ELSE NOT t.goes_back AND t.back_id IS NOT NULL
        END
) AS m
WHERE changed_lead.run_id = m.run_id AND changed_lead.number = m.number;

UPDATE wafunnel SET stage = wafunnel.stage - t.moved
FROM temp.changed_lead AS t
WHERE t.moved <> 0
    AND wafunnel.number = t.number COLLATE BINARY AND +wafunnel.stage = t.stage + (t.moved > 0)
    AND +wafunnel.date = t.date;

UPDATE assignment_outcome SET
    stage_back = (t.goes_back AND assignment_outcome.outcome_id = t.standing_id AND (t.back_id IS NOT NULL OR t.moved > 0))
    OR (NOT t.goes_back AND t.moved = 0 AND assignment_outcome.stage_back)
FROM temp.changed_lead AS t
WHERE assignment_outcome.outcome_id IN (t.standing_id, t.back_id);

-- name: _outcome
-- The columns of an outcome.
SELECT
    o.outcome_id, o.report, o.run_id, r.business_date, o.agent, o.number, o.outcome, o.call_back_on, o.same_agent,
    o.note, o.reported_at, o.reported_on, o.reported_by, o.taken_back_at, o.taken_back_by, o.stands, o.stage_back

-- name: _outcome_and_notice
-- An outcome after a report or a taking back, and a sentence about anything that the reporter may not expect.
-- include: _outcome
    , CASE
        WHEN o.taken_back_at IS NOT NULL AND o.stage_back
            THEN 'Taken back. The lead''s stage did not move: a newer run has dealt it, its run was undone, or somebody '
                || 'changed the lead.'
        WHEN o.taken_back_at IS NOT NULL AND o.outcome = 'opted_out'
            AND EXISTS (SELECT 1 FROM do_not_contact_entry AS d WHERE d.number = o.number)
            THEN 'Taken back. The number stays out: another entry of a do-not-contact list has it.'
        WHEN o.taken_back_at IS NOT NULL THEN NULL
        WHEN NOT o.stands
            THEN 'Kept. A later outcome of this lead holds: ' || (
                SELECT s.outcome FROM assignment_outcome AS s
                WHERE s.number = o.number AND s.run_id = o.run_id AND s.stands = 1
            ) || '.'
        WHEN o.outcome = 'not_worked' AND NOT o.stage_back
            THEN 'Kept. The lead''s stage did not move: a newer run has dealt it, its run was undone, or somebody '
                || 'changed the lead.'
        WHEN o.outcome <> 'opted_out'
            AND EXISTS (
                SELECT 1 FROM assignment_outcome AS s
                WHERE s.number = o.number AND s.run_id = o.run_id AND s.outcome = 'opted_out' AND s.taken_back_at IS NULL
            )
            THEN 'Kept. The number stays on the do-not-contact list until the outcome opted_out is taken back.'
    END AS notice
FROM assignment_outcome AS o
INNER JOIN assignment_run AS r ON r.run_id = o.run_id

-- name: report_outcome
-- Keeps an outcome, with its effects. The same report a second time changes nothing and has the same answer.
-- include: _key_reported

SELECT
    50006 AS throw,
    'The report ' || :report || ' is there already, with other content; nothing was changed. Give each report an id of '
    || 'its own.' AS message
FROM assignment_outcome AS o
WHERE o.report = :report
    AND (
        o.outcome <> :outcome OR o.call_back_on IS NOT :call_back_on OR o.same_agent <> :same_agent OR o.note IS NOT :note
        OR o.run_id <> coalesce(:run_id, o.run_id)
        OR (
            o.agent <> coalesce(:agent, o.agent)
            AND NOT EXISTS (
                SELECT 1 FROM agent_wafunnel_assignment AS a
                WHERE a.agent = :agent COLLATE BINARY AND a.number = o.number COLLATE BINARY
            )
        )
        OR (SELECT count(DISTINCT k.match_key) FROM temp.reported_key AS k) > 1
    );

-- include: _find_lead

SELECT 50006 AS throw, m.message
FROM (
    SELECT
        CASE
            WHEN t.at < strftime('%Y-%m-%d %H:%M:%f', :now, '-7 days')
                THEN 'reported_at is ' || t.at || '; it must be at most 7 days ago. Nothing was kept.'
            WHEN abs(julianday(:reported_on) - julianday(date(t.at))) > 1
                THEN 'reported_on is ' || :reported_on || '; it must be the date of the report, within a day of '
                    || date(t.at) || '. Nothing was kept.'
            WHEN t.run_id IS NULL AND :run_id IS NULL THEN 'There is no run yet, so nobody has a lead; nothing was kept.'
            WHEN t.run_id IS NULL THEN 'There is no run ' || :run_id || '; nothing was kept.'
            WHEN t.status NOT IN ('succeeded', 'undone') THEN 'Run ' || t.run_id || ' did not succeed; nothing was kept.'
            WHEN t.number IS NULL
                AND EXISTS (SELECT 1 FROM assignment_purge AS p WHERE p.run_id = t.run_id)
                THEN 'The history of run ' || t.run_id || ' has been purged; nothing was kept.'
            WHEN t.number IS NULL
                THEN 'Run ' || t.run_id || ' dealt no lead with the number …' || substr(:number, -3) || '; nothing was kept.'
            WHEN t.agent <> :agent
                AND NOT EXISTS (
                    SELECT 1 FROM agent_wafunnel_assignment AS a
                    WHERE a.agent = :agent COLLATE BINARY AND a.number = t.number COLLATE BINARY
                )
                THEN 'Run ' || t.run_id || ' dealt ' || :agent || ' no lead with the number …' || substr(:number, -3)
                    || '; nothing was kept.'
            WHEN t.at >= t.closes_at AND t.status = 'undone'
                THEN 'Run ' || t.run_id || ' was undone, so its leads take no new report; nothing was kept.'
            WHEN t.at >= t.closes_at
                THEN 'A newer run has replaced run ' || t.run_id || ', so its leads take no new report; nothing was kept. '
                    || 'Report the lead from the present list.'
            WHEN :call_back_on <= t.business_date
                THEN 'call_back_on is ' || :call_back_on || '; it must be after the business date of run ' || t.run_id || ', '
                    || t.business_date || '. Nothing was kept.'
            WHEN :call_back_on > date(:reported_on, '+90 days')
                THEN 'call_back_on is ' || :call_back_on || '; it must be at most 90 days ahead, until '
                    || date(:reported_on, '+90 days') || '. Nothing was kept.'
        END AS message
    FROM temp.reporting AS t
    WHERE NOT EXISTS (SELECT 1 FROM assignment_outcome AS o WHERE o.report = :report)
) AS m
WHERE m.message IS NOT NULL;

DROP TABLE IF EXISTS temp.changed_lead;

CREATE TEMP TABLE changed_lead AS
SELECT
    t.run_id, t.number, t.agent, t.date, t.stage,
    NULL AS standing_id, NULL AS goes_back, NULL AS back_id, NULL AS moves, 0 AS moved
FROM temp.reporting AS t
WHERE NOT EXISTS (SELECT 1 FROM assignment_outcome AS o WHERE o.report = :report);

INSERT INTO assignment_outcome (
    report, run_id, agent, number, date, stage, outcome, call_back_on, same_agent, note, reported_at, reported_on,
    reported_by, stands, stage_back, unassigned
)
SELECT
    :report, t.run_id, t.agent, t.number, t.date, t.stage, :outcome, :call_back_on, :same_agent, :note, r.at,
    :reported_on, :actor, 0, 0,
    :outcome = 'opted_out' AND EXISTS (
        SELECT 1 FROM agent_wafunnel_assignment AS a
        WHERE a.agent = t.agent COLLATE BINARY AND a.number = t.number COLLATE BINARY
    )
FROM temp.changed_lead AS t
CROSS JOIN temp.reporting AS r;

-- include: _holding_outcomes

-- Nobody may have kept the match key of this number in the present country.
INSERT INTO number_key (country, number, match_key, ending)
SELECT coalesce(:country, (SELECT f.country FROM floor_country AS f)), t.number, k.match_key, substr(k.match_key, -4)
FROM temp.changed_lead AS t
CROSS JOIN temp.reported_key AS k ON k.number = :number
WHERE NOT EXISTS (
    SELECT 1 FROM number_key AS n
    WHERE n.number = t.number AND n.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
);

-- include: _spell_outcome

INSERT INTO do_not_contact_list (name, reason, added_at)
SELECT 'opted out', 'outcomes that agents report', strftime('%Y-%m-%d %H:%M:%f', 'now')
FROM temp.changed_lead AS t
WHERE :outcome = 'opted_out' AND NOT EXISTS (SELECT 1 FROM do_not_contact_list AS l WHERE l.name = 'opted out');

INSERT INTO do_not_contact_entry (number, list_id, reason, added_at, imported)
SELECT t.number, l.list_id, 'outcome of run ' || t.run_id, strftime('%Y-%m-%d %H:%M:%f', 'now'), 0
FROM temp.changed_lead AS t
CROSS JOIN do_not_contact_list AS l ON l.name = 'opted out'
WHERE :outcome = 'opted_out'
    AND NOT EXISTS (
        SELECT 1
        FROM temp.spelling AS s
        INNER JOIN do_not_contact_entry AS d ON d.number = s.number AND d.list_id = l.list_id
    );

DELETE FROM agent_wafunnel_assignment
WHERE :outcome = 'opted_out' AND number COLLATE BINARY IN (SELECT s.number FROM temp.spelling AS s);

-- include: _outcome_and_notice
WHERE o.report = :report;

-- name: take_back_outcome
-- Takes an outcome back, with its effects. A second time, it changes nothing and has the same answer. An agent, but
-- nobody else, can do it only as long as the leads of the run take reports.
SELECT
    50006 AS throw,
    CASE
        WHEN o.outcome_id IS NULL THEN 'There is no outcome with the report ' || :report || '; nothing was changed.'
        WHEN u.undone_at IS NOT NULL THEN 'Run ' || o.run_id || ' was undone, so you cannot take this outcome back; '
            || 'nothing was changed. An operator can.'
        ELSE 'A newer run has replaced run ' || o.run_id || ', so you cannot take this outcome back; nothing was changed. '
            || 'An operator can.'
    END AS message
FROM (SELECT min(coalesce(:taken_back_at, :now), :now) AS at) AS t
LEFT JOIN assignment_outcome AS o ON o.report = :report AND o.agent = coalesce(:agent, o.agent)
LEFT JOIN assignment_undo AS u ON u.run_id = o.run_id
WHERE o.outcome_id IS NULL
    OR (
        :agent IS NOT NULL AND o.taken_back_at IS NULL
        AND t.at >= coalesce(
            u.undone_at,
            (SELECT min(n.finished_at) FROM assignment_run AS n WHERE n.status = 'succeeded' AND n.run_id > o.run_id)
        )
    );

DROP TABLE IF EXISTS temp.changed_lead;

CREATE TEMP TABLE changed_lead AS
SELECT
    o.run_id, o.number, coalesce(b.agent, o.agent) AS agent, o.date, o.stage, o.outcome_id, o.outcome,
    o.unassigned AND o.run_id = (SELECT max(r.run_id) FROM assignment_run AS r WHERE r.status = 'succeeded') AS returns,
    NULL AS standing_id, NULL AS goes_back, NULL AS back_id, NULL AS moves, 0 AS moved
FROM assignment_outcome AS o
LEFT JOIN assignment_hand_back_lead AS l ON l.outcome_id = o.outcome_id
LEFT JOIN assignment_hand_back AS b ON b.hand_back_id = l.hand_back_id
WHERE o.report = :report AND o.taken_back_at IS NULL;

UPDATE assignment_outcome SET
    taken_back_at = min(coalesce(:taken_back_at, :now), :now),
    taken_back_by = :actor,
    unassigned = 0
WHERE outcome_id = (SELECT t.outcome_id FROM temp.changed_lead AS t);

-- include: _holding_outcomes

-- include: _spell_outcome

-- Another outcome of this number may say the same.
DELETE FROM do_not_contact_entry
WHERE (SELECT t.outcome FROM temp.changed_lead AS t) = 'opted_out'
    AND list_id = (SELECT l.list_id FROM do_not_contact_list AS l WHERE l.name = 'opted out')
    AND number IN (SELECT s.number FROM temp.spelling AS s)
    AND NOT EXISTS (
        SELECT 1
        FROM temp.spelling AS s
        INNER JOIN assignment_outcome AS o ON o.number = s.number
        WHERE o.outcome = 'opted_out' AND o.taken_back_at IS NULL
    );

INSERT INTO agent_wafunnel_assignment (agent, number)
SELECT t.agent, t.number
FROM temp.changed_lead AS t
WHERE t.returns
    AND t.number NOT IN (
        -- include: _suppressed_numbers
    )
    AND NOT EXISTS (
        SELECT 1 FROM agent_wafunnel_assignment AS a
        WHERE a.number COLLATE BINARY IN (SELECT s.number FROM temp.spelling AS s)
    );

-- include: _outcome_and_notice
WHERE o.report = :report;

-- name: call_backs_of_list
-- The call-backs that a run handed out to an agent: the number as it was dealt, the day, who promised it, and the note.
-- The run's call-backs are few, so its history is not read as a whole.
SELECT o.number, o.call_back_on, o.agent, o.note
FROM assignment_call_back AS c
CROSS JOIN assignment_outcome AS o ON o.outcome_id = c.outcome_id
CROSS JOIN assignment_history AS h ON h.run_id = c.run_id AND h.number = o.number
WHERE c.run_id = :run_id AND h.agent = :agent
ORDER BY o.outcome_id;

-- name: outcomes_of_list
-- The outcomes that hold of the leads that a run dealt to an agent. Some were reported after a later run, which an undo
-- then took back: the leads are on the agent's list again, and these outcomes keep them out of the next deal.
-- include: _outcome
FROM assignment_outcome AS o
CROSS JOIN assignment_run AS r ON r.run_id = o.run_id
WHERE o.run_id = :run_id AND o.agent = :agent AND o.stands = 1
UNION ALL
-- include: _outcome
FROM assignment_outcome AS o
CROSS JOIN assignment_history AS h ON h.run_id = :run_id AND h.number = o.number
CROSS JOIN assignment_run AS r ON r.run_id = o.run_id
WHERE o.run_id > :run_id AND o.stands = 1 AND o.outcome IN ('won', 'lost', 'call_back') AND h.agent = :agent;

-- name: reported_outcomes
-- A page of the outcomes, newest first; see the part _chosen_outcomes.
-- include: _outcome
FROM assignment_outcome AS o
INNER JOIN assignment_run AS r ON r.run_id = o.run_id
-- include: _chosen_outcomes

-- name: outcomes_of_number
-- A page of the outcomes of a number in any spelling, newest first; see the part _chosen_outcomes.
-- include: _outcome
FROM (
    SELECT CAST(:number AS TEXT) AS number
    UNION
    SELECT k.number FROM number_key AS k
    WHERE k.match_key = :match_key AND k.country = coalesce(:country, (SELECT f.country FROM floor_country AS f))
) AS n
CROSS JOIN assignment_outcome AS o ON o.number = n.number
CROSS JOIN assignment_run AS r ON r.run_id = o.run_id
-- include: _chosen_outcomes

-- name: _chosen_outcomes
-- Those before an outcome, of a run, of an agent, or only those that hold.
WHERE o.outcome_id < coalesce(:before, 9223372036854775807)
    AND (:run_id IS NULL OR o.run_id = :run_id)
    AND (:agent IS NULL OR o.agent = :agent)
    AND (NOT :standing OR o.stands = 1)
ORDER BY o.outcome_id DESC
LIMIT :count;
