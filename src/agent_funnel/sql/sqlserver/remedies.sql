/*
The statements that `agent-funnel doctor` shows to people on SQL Server, each on one line. It never runs one itself.
Written for the schema dbo.
*/

-- name: remedy_compatibility
-- Lets the database read the JSON that imports send.
ALTER DATABASE CURRENT SET COMPATIBILITY_LEVEL = 130;

-- name: remedy_index_wafunnel_number
-- Finds a lead by its number.
CREATE INDEX ix_wafunnel_number ON dbo.wafunnel (number);

-- name: remedy_index_wafunnel_date
-- Finds the leads of the last days.
CREATE INDEX ix_wafunnel_date ON dbo.wafunnel (date);

-- name: remedy_index_agent_wafunnel_assignment_number
-- Finds the agent of a number.
CREATE INDEX ix_agent_wafunnel_assignment_number ON dbo.agent_wafunnel_assignment (number);

-- name: remedy_index_agent_wafunnel_assignment_agent
-- Finds the numbers of an agent. The index has the numbers, too: to look up each of them in the table would cost more
-- than to read the whole table.
CREATE INDEX ix_agent_wafunnel_assignment_agent ON dbo.agent_wafunnel_assignment (agent) INCLUDE (number);

-- name: remedy_missing_wafunnel
-- Lists leads that lack a value.
SELECT w.number, w.stage, w.date FROM dbo.wafunnel AS w
WHERE w.number IS NULL OR LTRIM(w.number) = '' OR w.stage IS NULL OR w.date IS NULL;

-- name: remedy_missing_agents
-- Lists agents that lack a value.
SELECT a.agent, a.status FROM dbo.agents AS a
WHERE a.agent IS NULL OR LTRIM(a.agent) = '' OR a.status IS NULL;

-- name: remedy_missing_agent_wafunnel_assignment
-- Lists assignments that lack a value.
SELECT m.agent, m.number FROM dbo.agent_wafunnel_assignment AS m
WHERE m.agent IS NULL OR m.number IS NULL;

-- name: remedy_duplicates
-- Lists the numbers that have several rows.
SELECT w.number, COUNT(*) AS copies FROM dbo.wafunnel AS w
GROUP BY w.number
HAVING COUNT(*) > 1;

-- name: remedy_ambiguous
-- Lists the numbers and dates that have several stages.
SELECT w.number, w.date, MIN(w.stage) AS lowest, MAX(w.stage) AS highest FROM dbo.wafunnel AS w
GROUP BY w.number, w.date
HAVING MIN(w.stage) <> MAX(w.stage);

-- name: remedy_assigned_twice
-- Lists the numbers that have several assignments, with the first and the last agent of each.
SELECT m.number, MIN(m.agent) AS one_agent, MAX(m.agent) AS other_agent FROM dbo.agent_wafunnel_assignment AS m
GROUP BY m.number
HAVING COUNT(*) > 1;

-- name: remedy_stages
-- Replaces each invalid stage by the nearest valid one.
UPDATE dbo.wafunnel
SET stage = CASE WHEN stage < 1 THEN 1 ELSE 4 END
WHERE stage NOT IN (1, 2, 3, 4);

-- name: remedy_dates
-- Lists leads with dates from tomorrow on.
SELECT w.number, w.stage, w.date FROM dbo.wafunnel AS w
WHERE w.date >= DATEADD(DAY, 1, CAST(GETDATE() AS DATE))
ORDER BY w.date;

-- name: remedy_spellings
-- Lists the spellings of the numbers that leads have in several ones.
SELECT k.match_key, w.number, w.stage, w.date
FROM dbo.number_key AS k
INNER JOIN dbo.wafunnel AS w ON k.number = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
WHERE
    k.country = '<country>' AND k.match_key IN (
        SELECT n.match_key
        FROM dbo.number_key AS n
        INNER JOIN dbo.wafunnel AS v ON n.number = CAST(v.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
        WHERE n.country = '<country>'
        GROUP BY n.match_key
        HAVING COUNT(DISTINCT n.number) > 1
    )
ORDER BY k.match_key, w.number;

-- name: remedy_nearly
-- Lists the listed numbers that match no lead, with the leads that they nearly match.
SELECT l.name, e.number AS listed, w.number AS lead
FROM dbo.do_not_contact_entry AS e
INNER JOIN dbo.do_not_contact_list AS l ON e.list_id = l.list_id
INNER JOIN dbo.number_key AS k ON e.number = k.number AND k.country = '<country>'
INNER JOIN dbo.number_key AS n ON k.ending = n.ending AND k.country = n.country
INNER JOIN dbo.wafunnel AS w ON n.number = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
WHERE
    RIGHT(n.match_key, 8) = RIGHT(k.match_key, 8) AND LEN(k.match_key) >= 8
    AND k.match_key NOT LIKE '%[^0-9]%' AND n.match_key NOT LIKE '%[^0-9]%'
    AND NOT EXISTS (
        SELECT 1
        FROM dbo.number_key AS s
        INNER JOIN dbo.wafunnel AS v ON s.number = CAST(v.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2
        WHERE s.match_key = k.match_key AND s.country = k.country
    )
ORDER BY l.name, e.number, w.number;

-- name: remedy_numbers
-- Lists numbers that are not 8 to 15 digits, blanks and marks aside, nor have a match key that is.
SELECT w.number FROM dbo.wafunnel AS w
CROSS APPLY (SELECT REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(
    w.number, ' ', ''
), NCHAR(160), ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', '') AS digits) AS n
WHERE
    (n.digits LIKE '%[^0-9]%' OR LEN(n.digits) NOT BETWEEN 8 AND 15)
    AND NOT EXISTS (
        SELECT 1 FROM dbo.number_key AS k
        WHERE
            k.number = CAST(w.number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 AND k.country = '<country>'
            AND k.match_key NOT LIKE '%[^0-9]%' AND LEN(k.match_key) BETWEEN 8 AND 15
    );

-- name: remedy_statuses
-- Sets unknown statuses to inactive; the deal treats them as inactive already.
UPDATE dbo.agents
SET status = 'inactive'
WHERE LOWER(LTRIM(RTRIM(status)) COLLATE Latin1_General_BIN2) NOT IN ('active', 'inactive');

-- name: remedy_running
-- Marks runs that are no longer in progress as failed.
UPDATE dbo.assignment_run
SET status = 'failed'
WHERE status = 'running';

-- name: remedy_unread
-- Puts the numbers that no deal reads on the list of own requests.
INSERT INTO dbo.do_not_contact_entry (number, list_id, reason, added_at, imported)
SELECT d.number, 1, d.reason, d.added_at, 0
FROM dbo.do_not_contact AS d
WHERE
    NOT EXISTS (
        SELECT 1 FROM dbo.do_not_contact_entry AS e
        WHERE e.number = d.number
    );

-- name: remedy_listed
-- Removes the numbers of the do-not-contact lists from the assignments, in all spellings that are one number in a
-- country.
DELETE FROM dbo.agent_wafunnel_assignment
WHERE CAST(number AS NVARCHAR(255)) COLLATE Latin1_General_BIN2 IN (
    SELECT d.number FROM dbo.suppressed_number AS d
    WHERE d.country IN ('*', '<country>')
);
