-- The statements that `agent-funnel doctor` shows to people on SQLite, each on one line. It never runs one itself.

-- name: remedy_index_wafunnel_number
-- Finds a lead by its number.
CREATE INDEX ix_wafunnel_number ON wafunnel (number);

-- name: remedy_index_agent_wafunnel_assignment_number
-- Finds the agent of a number.
CREATE INDEX ix_agent_wafunnel_assignment_number ON agent_wafunnel_assignment (number);

-- name: remedy_index_agent_wafunnel_assignment_agent
-- Finds the numbers of an agent.
CREATE INDEX ix_agent_wafunnel_assignment_agent ON agent_wafunnel_assignment (agent);

-- name: remedy_missing_wafunnel
-- Lists leads that lack a value.
SELECT number, stage, date FROM wafunnel WHERE number IS NULL OR trim(number) = '' OR stage IS NULL OR date IS NULL;

-- name: remedy_missing_agents
-- Lists agents that lack a value.
SELECT agent, status FROM agents WHERE agent IS NULL OR trim(agent) = '' OR status IS NULL;

-- name: remedy_missing_agent_wafunnel_assignment
-- Lists assignments that lack a value.
SELECT agent, number FROM agent_wafunnel_assignment WHERE agent IS NULL OR number IS NULL;

-- name: remedy_duplicates
-- Lists the numbers that have several rows.
SELECT number, count(*) AS copies FROM wafunnel GROUP BY number HAVING count(*) > 1;

-- name: remedy_ambiguous
-- Lists the numbers and dates that have several stages.
SELECT number, date, min(stage) AS lowest, max(stage) AS highest FROM wafunnel
GROUP BY number, date
HAVING min(stage) <> max(stage);

-- name: remedy_assigned_twice
-- Lists the numbers that have several assignments, with the first and the last agent of each.
SELECT number, min(agent) AS one_agent, max(agent) AS other_agent FROM agent_wafunnel_assignment
GROUP BY number
HAVING count(*) > 1;

-- name: remedy_stages
-- Replaces each invalid stage by the nearest valid one.
UPDATE wafunnel SET stage = CASE WHEN stage < 1 THEN 1 ELSE 4 END WHERE stage NOT IN (1, 2, 3, 4);

-- name: remedy_dates
-- Lists leads with dates from tomorrow on, and leads with dates that are not ISO 8601 texts.
SELECT number, stage, date FROM wafunnel
WHERE date >= date('now', 'localtime', '+1 day')
OR (julianday(date) IS NOT NULL AND date(substr(date, 1, 10), '+0 days') = substr(date, 1, 10)) IS NOT TRUE
ORDER BY date;

-- name: remedy_bad_limits
-- Lists limits with days that are not ISO 8601 texts.
SELECT limit_id, agent, starts_on, ends_on FROM agent_limit
WHERE date(starts_on, '+0 days') IS NOT substr(starts_on, 1, 10) OR date(ends_on, '+0 days') IS NOT substr(ends_on, 1, 10);

-- name: remedy_bad_holidays
-- Lists holidays with days that are not ISO 8601 texts.
SELECT day, name FROM holiday WHERE date(day, '+0 days') IS NOT day;

-- name: remedy_spellings
-- Lists the spellings of the numbers that leads have in several ones.
SELECT k.match_key, w.number, w.stage, w.date
FROM number_key AS k
INNER JOIN wafunnel AS w ON w.number = k.number COLLATE BINARY
WHERE k.country = '<country>' AND k.match_key IN (
    SELECT n.match_key
    FROM number_key AS n
    INNER JOIN wafunnel AS v ON v.number = n.number COLLATE BINARY
    WHERE n.country = '<country>'
    GROUP BY n.match_key
    HAVING count(DISTINCT n.number) > 1
)
ORDER BY k.match_key, w.number;

-- name: remedy_nearly
-- Lists the listed numbers that match no lead, with the leads that they nearly match.
SELECT l.name, e.number AS listed, w.number AS lead
FROM do_not_contact_entry AS e
INNER JOIN do_not_contact_list AS l ON e.list_id = l.list_id
INNER JOIN number_key AS k ON k.number = e.number AND k.country = '<country>'
INNER JOIN number_key AS n ON n.ending = k.ending AND n.country = k.country
INNER JOIN wafunnel AS w ON w.number = n.number COLLATE BINARY
WHERE substr(n.match_key, -8) = substr(k.match_key, -8) AND length(k.match_key) >= 8
    AND k.match_key NOT GLOB '*[^0-9]*' AND n.match_key NOT GLOB '*[^0-9]*'
    AND NOT EXISTS (
        SELECT 1
        FROM number_key AS s
        INNER JOIN wafunnel AS v ON v.number = s.number COLLATE BINARY
        WHERE s.match_key = k.match_key AND s.country = k.country
    )
ORDER BY l.name, e.number, w.number;

-- name: remedy_numbers
-- Lists numbers that are not 8 to 15 digits, blanks and marks aside, nor have a match key that is.
SELECT number FROM wafunnel WHERE (replace(replace(replace(replace(replace(replace(replace(replace(
number, ' ', ''), char(160), ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', '') GLOB '*[^0-9]*'
OR length(replace(replace(replace(replace(replace(replace(replace(replace(
number, ' ', ''), char(160), ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', '')) NOT BETWEEN 8 AND 15)
AND number COLLATE BINARY NOT IN (
    SELECT k.number FROM number_key AS k
    WHERE k.match_key NOT GLOB '*[^0-9]*' AND length(k.match_key) BETWEEN 8 AND 15 AND k.country = '<country>'
);

-- name: remedy_statuses
-- Sets unknown statuses to inactive; the deal treats them as inactive already.
UPDATE agents SET status = 'inactive' WHERE lower(trim(status)) NOT IN ('active', 'inactive');

-- name: remedy_running
-- Marks runs that are no longer in progress as failed.
UPDATE assignment_run SET status = 'failed' WHERE status = 'running';

-- name: remedy_unread
-- Moves the numbers that no deal reads to the list of own requests.
INSERT OR IGNORE INTO do_not_contact_entry (number, list_id, reason, added_at, imported)
SELECT d.number, 1, d.reason, d.added_at, 0 FROM do_not_contact AS d;

-- name: remedy_listed
-- Removes the numbers of the do-not-contact list from the assignments, in all spellings that are one number in a country.
DELETE FROM agent_wafunnel_assignment
WHERE number IN (SELECT d.number FROM suppressed_number AS d WHERE d.country IN ('*', '<country>'));
