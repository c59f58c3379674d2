/*
The rules of the deal, as they are recorded.
*/

-- name: rules
-- The rules on record: of each name the newest row, which holds.
SELECT f.name, f.value, f.recorded_at, f.recorded_by
FROM dbo.floor_rule AS f
WHERE
    f.rule_id IN (
        SELECT MAX(n.rule_id) FROM dbo.floor_rule AS n
        GROUP BY n.name
    )
ORDER BY f.name;

-- name: record_rules
-- lock: records
-- busy: A run is still in progress; no rule was changed. Try again when the run has ended.
-- Records a value for each rule that has one here. It holds from now on. The lock makes this wait for a deal in
-- progress, which keeps the rules that it has.
INSERT INTO dbo.floor_rule (name, value, recorded_at, recorded_by)
SELECT g.name, g.value, SYSUTCDATETIME(), %(actor)s
FROM (
    VALUES
    ('country', CAST(%(country)s AS VARCHAR(40))),
    ('max_per_agent', CAST(%(max_per_agent)s AS VARCHAR(40))),
    ('window_days', CAST(%(window_days)s AS VARCHAR(40))),
    ('newest_first', CAST(%(newest_first)s AS VARCHAR(40))),
    ('voice', CAST(%(voice)s AS VARCHAR(40)))
) AS g(name, value)
WHERE g.value IS NOT NULL;

-- name: forgotten
-- How many people are forgotten.
SELECT COUNT(*) AS people FROM dbo.forgotten_number AS f
WHERE f.only_without_country = 0;
