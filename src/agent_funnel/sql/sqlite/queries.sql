-- The queries of the service on SQLite. Each has a name, a sentence and a body of one or more statements, which run in
-- one transaction; the rows are those of the last one. Parameters are named, `:like_this`.

-- name: ping
-- Answers if the database does.
SELECT 1 AS alive;

-- name: schema
-- Whether the schema is there. SQLite has one, which always is.
SELECT 'main' AS name, 1 AS found;

-- name: objects
-- The tables that are there, by name.
SELECT s.name FROM sqlite_schema AS s WHERE s.type IN ('table', 'view') AND s.name NOT LIKE 'sqlite_%';

-- name: columns
-- The columns of the brief's tables.
SELECT t.name AS table_name, c.name AS column_name
FROM (SELECT 'agents' AS name UNION ALL SELECT 'wafunnel' UNION ALL SELECT 'agent_wafunnel_assignment') AS t
INNER JOIN pragma_table_info(t.name) AS c;

-- name: version
-- The version of the tables, NULL before the first installation.
SELECT max(v.version) AS version FROM agent_funnel_version AS v;

-- name: record_version
-- Records that the tables are of this version now.
INSERT INTO agent_funnel_version (version, installed_at) VALUES (:version, strftime('%Y-%m-%d %H:%M:%f', 'now'));

-- name: last_run
-- The newest run that succeeded, undone ones aside.
SELECT
    r.run_id,
    r.business_date,
    r."trigger",
    r.status,
    r.agents,
    r.pool,
    r.per_agent,
    r.assigned,
    r.left_over,
    r.duplicates,
    r.suppressed,
    r.smallest_share,
    r.largest_share,
    r.started_at,
    r.finished_at
FROM assignment_run AS r
WHERE r.status = 'succeeded'
ORDER BY r.run_id DESC
LIMIT 1;

-- name: settle
-- What became of a call whose connection broke: its run; or it is made sure that the call makes none any more.
INSERT INTO assignment_request (request, run_id)
SELECT :request, NULL
WHERE NOT EXISTS (SELECT 1 FROM assignment_request AS q WHERE q.request = :request);

SELECT
    r.run_id,
    r.business_date,
    r."trigger",
    r.status,
    r.agents,
    r.pool,
    r.per_agent,
    r.assigned,
    r.left_over,
    r.duplicates,
    r.suppressed,
    r.smallest_share,
    r.largest_share,
    r.started_at,
    r.finished_at
FROM assignment_request AS q
INNER JOIN assignment_run AS r ON q.run_id = r.run_id
WHERE q.request = :request;

-- name: runs
-- The newest runs before one, or the newest of all, or those of a business date; with what became of them.
SELECT
    r.run_id, r.business_date, r."trigger", r.actor, r.status, r.agents, r.pool, r.per_agent, r.assigned, r.left_over,
    r.duplicates, r.suppressed, r.smallest_share, r.largest_share, r.started_at, r.finished_at, r.max_per_agent,
    r.window_days, r.newest_first, u.undone_at, u.actor AS undone_by, u.restored, u.changed_since, p.purged_at
FROM assignment_run AS r
LEFT JOIN assignment_undo AS u ON r.run_id = u.run_id
LEFT JOIN assignment_purge AS p ON r.run_id = p.run_id
WHERE (:before IS NULL OR r.run_id < :before) AND (:business_date IS NULL OR r.business_date = :business_date)
ORDER BY r.run_id DESC
LIMIT :count;

-- name: last_undoable
-- The number of the run that an undo would undo, NULL if there is none.
SELECT max(r.run_id) AS run_id FROM assignment_run AS r WHERE r.status = 'succeeded';

-- name: undone
-- The undo of a run, if it is undone.
SELECT u.run_id, r.business_date, u.undone_at, u.actor, u.restored, u.changed_since, u.assignments, u.suppressed
FROM assignment_undo AS u
INNER JOIN assignment_run AS r ON u.run_id = r.run_id
WHERE u.run_id = :run_id;

-- name: holders
-- Who held a number, the newest first; between two moments (UTC) if they are given. It was held until the next run,
-- undone ones aside, or until its own run was undone.
SELECT
    h.run_id,
    r.business_date,
    h.agent,
    h.stage,
    r.finished_at AS held_from,
    coalesce(u.undone_at, n.finished_at) AS held_until,
    r.status
FROM assignment_history AS h
INNER JOIN assignment_run AS r ON h.run_id = r.run_id
LEFT JOIN assignment_undo AS u ON h.run_id = u.run_id
LEFT JOIN assignment_run AS n
    ON n.run_id = (
        SELECT min(m.run_id) FROM assignment_run AS m WHERE m.run_id > h.run_id AND m.status = 'succeeded'
    )
WHERE h.number = :number
    AND (:until IS NULL OR r.finished_at < :until)
    AND (:since IS NULL OR coalesce(u.undone_at, n.finished_at, :since) >= :since)
ORDER BY h.run_id DESC;

-- name: mark_purge
-- Marks the runs whose history is to go: those that ended before a moment (UTC), but never the last run that can be
-- undone, nor the one before it, whose assignments its undo would bring back. Answers how many there are.
INSERT INTO assignment_purge (run_id, purged_at)
SELECT r.run_id, strftime('%Y-%m-%d %H:%M:%f', 'now')
FROM assignment_run AS r
WHERE r.finished_at < :before
    AND r.run_id NOT IN (
        SELECT k.run_id FROM assignment_run AS k WHERE k.status = 'succeeded' ORDER BY k.run_id DESC LIMIT 2
    )
    AND r.run_id NOT IN (SELECT p.run_id FROM assignment_purge AS p);

SELECT changes() AS runs;

-- name: purge_history
-- Deletes so many rows of the history of runs that are marked; answers how many there were. SQLite takes a CROSS JOIN in
-- the order it is written in; the other way round it would read all of the history.
DELETE FROM assignment_history
WHERE (run_id, number) IN (
    SELECT h.run_id, h.number
    FROM assignment_purge AS p
    CROSS JOIN assignment_history AS h ON p.run_id = h.run_id
    LIMIT :count
);

SELECT changes() AS deleted;

-- name: purge_edits
-- Deletes so many rows of the edits of runs that are marked; answers how many there were.
DELETE FROM assignment_edit
WHERE edit_id IN (
    SELECT e.edit_id
    FROM assignment_purge AS p
    CROSS JOIN assignment_edit AS e ON p.run_id = e.run_id
    LIMIT :count
);

SELECT changes() AS deleted;

-- name: schedule_state
-- What the clock needs to know: the newest business date that is settled, by a scheduled run or not; when this was
-- installed; the pause that is on; the failed attempts at a business date; and whether it is a holiday.
SELECT
    (
        SELECT max(s.business_date)
        FROM (
            SELECT r.business_date FROM assignment_run AS r
            WHERE r."trigger" = 'schedule' AND r.status IN ('succeeded', 'undone')
            UNION ALL
            SELECT o.business_date FROM schedule_outcome AS o
        ) AS s
    ) AS settled,
    (SELECT min(v.installed_at) FROM agent_funnel_version AS v) AS installed_at,
    (SELECT max(p.pause_id) FROM schedule_pause AS p WHERE p.resumed_at IS NULL) AS pause_id,
    (SELECT count(*) FROM assignment_failure AS f WHERE f.business_date = :business_date) AS failures,
    (
        SELECT max(r.finished_at)
        FROM assignment_failure AS f
        INNER JOIN assignment_run AS r ON f.run_id = r.run_id
        WHERE f.business_date = :business_date
    ) AS failed_at,
    EXISTS (SELECT 1 FROM holiday AS h WHERE h.day = :business_date) AS holiday;

-- name: record_failure
-- Records a failed attempt at the scheduled run of a business date, as a run that failed; answers whether it did, or
-- another copy of the service has recorded it.
INSERT INTO assignment_run
(business_date, "trigger", actor, status, max_per_agent, window_days, newest_first, started_at, finished_at)
SELECT
    :business_date, 'schedule', :actor, 'failed', :max_per_agent, :window_days, :newest_first, :started_at, :finished_at
WHERE :attempt = 1 + (SELECT count(*) FROM assignment_failure AS f WHERE f.business_date = :business_date);

INSERT INTO assignment_failure (run_id, business_date, attempt, error_number, message)
SELECT last_insert_rowid(), :business_date, :attempt, :error_number, :message
WHERE changes() = 1;

SELECT changes() AS recorded;

-- name: settle_date
-- Records why a business date passed without a scheduled run, unless it had one or is recorded already; answers with
-- what was recorded, or with nothing.
INSERT INTO schedule_outcome (business_date, outcome, recorded_at)
SELECT
    :business_date,
    CASE
        WHEN :workday = 0 OR EXISTS (SELECT 1 FROM holiday AS h WHERE h.day = :business_date) THEN 'holiday'
        WHEN EXISTS (
            SELECT 1 FROM schedule_pause AS p
            WHERE p.paused_at <= :closes_at AND (p.resumed_at IS NULL OR p.resumed_at > :closes_at)
        ) THEN 'paused'
        WHEN EXISTS (SELECT 1 FROM assignment_failure AS f WHERE f.business_date = :business_date) THEN 'failed'
        ELSE 'missed'
    END,
    :now
WHERE NOT EXISTS (SELECT 1 FROM schedule_outcome AS o WHERE o.business_date = :business_date)
    AND NOT EXISTS (
        SELECT 1 FROM assignment_run AS r
        WHERE r."trigger" = 'schedule' AND r.business_date = :business_date AND r.status IN ('succeeded', 'undone')
    );

SELECT o.outcome FROM schedule_outcome AS o
WHERE o.business_date = :business_date AND changes() = 1;

-- name: pauses
-- The newest pauses.
SELECT p.pause_id, p.paused_at, p.paused_by, p.reason, p.resumed_at, p.resumed_by
FROM schedule_pause AS p
ORDER BY p.pause_id DESC
LIMIT :count;

-- name: pause
-- Pauses the clock, unless it is paused already; answers whether that was new.
INSERT INTO schedule_pause (paused_at, paused_by, reason)
SELECT :now, :actor, :reason
WHERE NOT EXISTS (SELECT 1 FROM schedule_pause AS p WHERE p.resumed_at IS NULL);

SELECT changes() AS changed;

-- name: resume
-- Ends the pause; answers whether there was one.
UPDATE schedule_pause SET resumed_at = :now, resumed_by = :actor WHERE resumed_at IS NULL;

SELECT changes() AS changed;

-- name: holidays
-- The holidays from a day on.
SELECT h.day, h.name FROM holiday AS h
WHERE h.day >= :since
ORDER BY h.day;

-- name: add_holiday
-- Adds a holiday, or names it anew.
DELETE FROM holiday WHERE day = :day;

INSERT INTO holiday (day, name) VALUES (:day, :label);

-- name: remove_holiday
-- Removes a holiday, and answers how many there were of it.
DELETE FROM holiday WHERE day = :day;

SELECT changes() AS removed;

-- name: outcomes
-- What became of the newest business dates: the scheduled run, or why there was none.
SELECT s.business_date, s.outcome, s.run_id, s.at
FROM (
    SELECT r.business_date, r.status AS outcome, r.run_id, r.finished_at AS at
    FROM assignment_run AS r
    WHERE r."trigger" = 'schedule' AND r.status IN ('succeeded', 'undone')
    UNION ALL
    SELECT o.business_date, o.outcome, NULL AS run_id, o.recorded_at AS at FROM schedule_outcome AS o
) AS s
ORDER BY s.business_date DESC
LIMIT :count;

-- name: failure_counts
-- How many attempts at scheduled runs failed, by the number of the error; NULL is any other one.
SELECT f.error_number, count(*) AS failures FROM assignment_failure AS f
GROUP BY f.error_number
ORDER BY f.error_number;

-- name: outcome_counts
-- How many business dates passed without a scheduled run, by why.
SELECT o.outcome, count(*) AS dates FROM schedule_outcome AS o
GROUP BY o.outcome
ORDER BY o.outcome;

-- name: shares
-- How many leads of each stage each agent got in a run.
SELECT h.agent, h.stage, count(*) AS leads
FROM assignment_history AS h
WHERE h.run_id = :run_id
GROUP BY h.agent, h.stage
ORDER BY h.agent, h.stage;

-- name: count_leads
-- How many leads there are, and how many agents.
SELECT (SELECT count(*) FROM wafunnel) AS leads, (SELECT count(*) FROM agents) AS agents;

-- name: limits
-- All limits, the newest first among those of an agent.
SELECT l.limit_id, l.agent, l.starts_on, l.ends_on, l.max_records
FROM agent_limit AS l
ORDER BY l.agent, l.starts_on DESC, l.limit_id DESC;

-- name: add_limit
-- Adds a limit, and answers with it and with whether the agent is known.
INSERT INTO agent_limit (agent, starts_on, ends_on, max_records)
VALUES (:agent, :starts_on, :ends_on, :max_records);

SELECT l.limit_id, l.agent, l.starts_on, l.ends_on, l.max_records,
    EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = l.agent COLLATE BINARY) AS known
FROM agent_limit AS l
WHERE l.limit_id = last_insert_rowid();

-- name: remove_limit
-- Removes a limit, and answers how many there were of it.
DELETE FROM agent_limit WHERE limit_id = :limit_id;

SELECT changes() AS removed;

-- name: do_not_contact
-- The numbers that are never dealt.
SELECT d.number, d.reason, d.added_at FROM do_not_contact AS d ORDER BY d.number;

-- name: add_do_not_contact
-- Puts a number on the list and takes it out of the present assignments; answers what was found.
DROP TABLE IF EXISTS temp.found;

CREATE TEMP TABLE found AS
SELECT
    (SELECT count(*) FROM do_not_contact AS d WHERE d.number = :number) AS listed,
    (SELECT count(*) FROM agent_wafunnel_assignment AS a WHERE a.number = :number COLLATE BINARY) AS assignments,
    (SELECT count(*) FROM wafunnel AS w WHERE w.number = :number COLLATE BINARY) AS leads;

INSERT INTO do_not_contact (number, reason, added_at)
SELECT :number, :reason, strftime('%Y-%m-%d %H:%M:%f', 'now')
WHERE NOT EXISTS (SELECT 1 FROM do_not_contact AS d WHERE d.number = :number);

DELETE FROM agent_wafunnel_assignment WHERE number = :number COLLATE BINARY;

SELECT f.listed, f.assignments, f.leads FROM temp.found AS f;

-- name: remove_do_not_contact
-- Takes a number off the list, and answers how many there were of it.
DELETE FROM do_not_contact WHERE number = :number;

SELECT changes() AS removed;

-- name: begin_import
-- Makes room for the rows of a file, for this connection alone.
CREATE TEMP TABLE staged (first TEXT, second TEXT, third TEXT);

-- name: stage_rows
-- Takes rows in, as a JSON array of arrays of up to three texts.
INSERT INTO temp.staged (first, second, third)
SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), json_extract(j.value, '$[2]')
FROM json_each(:rows) AS j;

-- name: import_leads
-- Adds the staged leads whose number is not there yet.
INSERT INTO wafunnel (number, stage, date)
SELECT s.first, CAST(s.second AS INTEGER), s.third
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM wafunnel AS w WHERE w.number = s.first COLLATE BINARY)
ORDER BY s.first;

SELECT changes() AS added;

-- name: import_agents
-- Adds the staged agents whose name is not there yet.
INSERT INTO agents (agent, status)
SELECT s.first, s.second
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM agents AS a WHERE a.agent = s.first COLLATE BINARY);

SELECT changes() AS added;

-- name: import_holidays
-- Adds the staged holidays whose day is not there yet.
INSERT INTO holiday (day, name)
SELECT s.first, nullif(s.second, '')
FROM temp.staged AS s
WHERE NOT EXISTS (SELECT 1 FROM holiday AS h WHERE h.day = s.first);

SELECT changes() AS added;

-- name: end_import
-- Frees the room.
DROP TABLE IF EXISTS temp.staged;
